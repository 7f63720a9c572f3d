import Model

/// What a user wants to see of the merged tables: `--where AXIS=VALUE` and `--metric M`, each any number of times.
public struct Selection: Sendable, Hashable {
    /// A column beside the axes that rows can be chosen by.
    private enum Column: Sendable, Hashable {
        case axis(Int)
        case workload, repetition, outcome, failure
    }

    private struct Condition: Sendable, Hashable {
        var column: Column
        var value: String
    }

    private var conditions: [Condition] = []
    private let metrics: [String]

    /// - Parameters:
    ///   - conditions: `NAME=VALUE`, NAME an axis, `workload`, `repeat`, `outcome` or `class`; all must hold.
    ///   - metrics: names of metrics; none: all.
    /// - Throws: ``Failure`` (`usage`) for a text without `=` or with an unknown name.
    public init(where conditions: [String] = [], metrics: [String] = [], axes: [String]) throws {
        self.metrics = metrics
        for text in conditions {
            // An axis may have a '=' in its name: the longest name that fits is meant.
            let splits = text.indices.filter { text[$0] == "=" }
            guard !splits.isEmpty else {
                throw Failure(.usage, "--where \(VisibleText.of(text)): AXIS=VALUE is expected")
            }
            let found = splits.reversed().lazy.compactMap { split -> Condition? in
                guard let column = Selection.column(String(text[..<split]), axes) else { return nil }
                return Condition(column: column, value: String(text[text.index(after: split)...]))
            }.first
            guard let found else {
                let known = (axes + ["workload", "repeat", "outcome", "class"]).joined(separator: ", ")
                throw Failure(.usage, "--where \(VisibleText.of(text)): no such axis; there are \(known)")
            }
            self.conditions.append(found)
        }
    }

    public func matches(_ row: DatasetRow) -> Bool {
        conditions.allSatisfy { condition in
            switch condition.column {
            case .axis(let index): row.values[index] == condition.value
            case .workload: row.workload == condition.value
            case .repetition: String(row.repetition) == condition.value
            case .outcome: (row.state?.rawValue ?? "") == condition.value
            case .failure: (row.failure?.rawValue ?? "") == condition.value
            }
        }
    }

    /// Of all metric columns those that were asked for, in the order of the asking.
    ///
    /// - Throws: ``Failure`` (`usage`) for a metric that no run has.
    public func columns(of names: [String]) throws -> [String] {
        if metrics.isEmpty { return names }
        for metric in metrics where !names.contains(metric) {
            let known = names.isEmpty ? "there is none yet" : "there are \(names.joined(separator: ", "))"
            throw Failure(.usage, "--metric \(VisibleText.of(metric)): no such metric; \(known)")
        }
        return metrics.enumerated().filter { !metrics[..<$0.offset].contains($0.element) }.map(\.element)
    }

    private static func column(_ name: String, _ axes: [String]) -> Column? {
        if let index = axes.firstIndex(of: name) { return .axis(index) }
        return switch name {
        case "workload": .workload
        case "repeat": .repetition
        case "outcome": .outcome
        case "class": .failure
        default: nil
        }
    }
}
