import Model

/// What a user wants to see of the merged tables: `--where CONDITION` and `--metric M`, each any number of times.
public struct Selection: Sendable, Hashable {
    private var conditions: [Condition] = []
    private let metrics: [String]

    /// - Parameters:
    ///   - conditions: `NAME=VALUE`, where NAME is an axis, `workload`, `repeat`, `outcome`, `class` or a metric; also
    ///     with `!=`, `<`, `<=`, `>`, `>=` (numbers, sizes, times) or `~` (a pattern with `*` and `?`), and with lists
    ///     of values behind `=` and `!=`. All must hold.
    ///   - metrics: names of metrics; none: all.
    ///   - values: those that each axis has; nil: any.
    ///   - workloads: those that there are; nil: any.
    ///   - names: the metrics that there are, asked for where a name is no axis.
    /// - Throws: ``Failure`` (`usage`) for a text without such a sign, with an unknown name, with a value that the axis
    ///   does not have, or for a comparison with what is no number.
    public init(
        where conditions: [String] = [], metrics: [String] = [], axes: [String], values: [[String]]? = nil,
        workloads: [String]? = nil, among names: () throws -> [String] = { [] }
    ) throws {
        self.metrics = metrics
        for text in conditions {
            let condition = try Condition(
                text,
                find: { name in
                    if let index = axes.firstIndex(of: name) { return .axis(index) }
                    if let other = Condition.Column.others.first(where: { $0.name == name }) { return other.column }
                    return try names().contains(name) ? .metric(name) : nil
                },
                known: { column in
                    // Empty: a run that has not ended, or did not fail.
                    switch column {
                    case .axis(let index): values?[index]
                    case .workload: workloads?.isEmpty == true ? [""] : workloads
                    case .outcome: RunState.allCases.map(\.rawValue) + [""]
                    case .failure: FailureClass.allCases.map(\.rawValue) + [""]
                    case .repetition, .metric: nil
                    }
                })
            guard let condition else { throw Selection.unknown(text, try axes + names()) }
            self.conditions.append(condition)
        }
    }

    private static func unknown(_ text: String, _ names: [String]) -> Failure {
        guard text.contains(where: { "=<>~".contains($0) }) else {
            return Failure(
                .usage, "--where \(VisibleText.of(text)): write NAME=VALUE, or another operator: != < <= > >= ~")
        }
        let known = names + Condition.Column.others.map(\.name)
        let name = text.prefix { !"=<>~!".contains($0) }.trimmed
        return Failure(
            .usage, "--where \(VisibleText.of(text)): no such axis or metric; \(Names.suggestion(name, in: known))")
    }

    /// Whether all rows fit.
    public var isEverything: Bool { conditions.isEmpty }

    /// Whether rows are chosen by what was measured.
    public var readsMetrics: Bool {
        conditions.contains { if case .metric = $0.column { true } else { false } }
    }

    /// - Parameter formulas: those of the sweep's metrics.
    public func matches(_ row: DatasetRow, _ formulas: [MetricFormula] = []) -> Bool {
        let metrics = readsMetrics ? row.merged?.metrics(formulas) ?? [] : []
        return conditions.allSatisfy { condition in
            let value: String? =
                switch condition.column {
                case .axis(let index): row.values[index]
                case .workload: row.workload ?? ""
                case .repetition: String(row.repetition)
                case .outcome: row.state?.rawValue ?? ""
                case .failure: row.failure?.rawValue ?? ""
                case .metric(let name): metrics.first { $0.name == name }?.value
                }
            return condition.holds(value)
        }
    }

    /// Those that were asked for, each once, if a sweep has them whatever its runs gave; nil: the runs must be asked.
    ///
    /// - Parameter required: the metrics that the sweep asks for.
    public func columns(within required: [String]) -> [String]? {
        guard !metrics.isEmpty, metrics.allSatisfy(required.contains) else { return nil }
        return try? columns(of: required)
    }

    /// Of all metric columns those that were asked for, in the order of the asking.
    ///
    /// - Throws: ``Failure`` (`usage`) for a metric that no run has.
    public func columns(of names: [String]) throws -> [String] {
        if metrics.isEmpty { return names }
        let metrics = Names.listed(metrics, known: names)
        for metric in metrics where !names.contains(metric) {
            let known = names.isEmpty ? "there is none yet" : Names.suggestion(metric, in: names)
            throw Failure(.usage, "--metric \(Names.shown(metric)): no such metric; \(known)")
        }
        return metrics.enumerated().filter { !metrics[..<$0.offset].contains($0.element) }.map(\.element)
    }
}
