public import Model

/// A run of a point as the merged tables have it.
public struct DatasetRow: Sendable, Hashable {
    public var point: Digest
    public var workload: String?
    /// In the order of the axes.
    public var values: [String]
    /// From 1.
    public var repetition: Int
    /// nil: not ended.
    public var state: RunState?
    public var failure: FailureClass?
    /// What the run contract accepted. Only of a run that succeeded is it looked at.
    public var blocks: Blocks?

    public init(
        point: Digest, workload: String?, values: [String], repetition: Int, state: RunState?,
        failure: FailureClass? = nil, blocks: Blocks? = nil
    ) {
        self.point = point
        self.workload = workload
        self.values = values
        self.repetition = repetition
        self.state = state
        self.failure = failure
        self.blocks = blocks
    }

    /// A result that breaks the contract is never merged, wherever it comes from.
    package var merged: Blocks? { state == .succeeded ? blocks : nil }

    /// What it has a value of, over all its blocks; empty without a success.
    public func metricNames(_ formulas: [MetricFormula]) -> [String] { merged?.metrics(formulas).map(\.name) ?? [] }

    public var lead: [Cell] {
        [.digest(point), .optional(workload)] + values.map { .text($0) } + [.integer(repetition)]
    }
}

/// The merged tables of a sweep.
public enum Table: String, Sendable, Hashable, CaseIterable {
    /// One row a point and repeat.
    case results
    /// One row a measured invocation.
    case invocations
    /// Provenance: one row a run.
    case runs

    /// Columns of ``results`` and ``invocations`` that are neither axes nor metrics.
    public static let fixedColumns = [
        "point", "workload", Names.checkpoint, "repeat", "invocation", "outcome", "class", "forced",
    ]

    /// Whether an axis of that name would be taken for a column of the tables, or for a variable of the
    /// run contract, in any spelling that gives the same variable.
    public static func reserves(_ name: String) -> Bool {
        let variable = Names.variable(axis: name)
        let columns = fixedColumns + RunColumn.all.map(\.name)
        return Names.isReserved(name) || columns.contains { Names.variable(axis: $0) == variable }
    }
}

/// The names of all metrics of a sweep, gathered in a first pass over its rows.
public struct MetricNames: Sendable {
    private let required: [String]
    private let formulas: [MetricFormula]
    private var seen: Set<String> = []

    /// - Parameter required: the specification's `metrics`, which come first, in its order.
    public init(required: [String], formulas: [MetricFormula]) {
        self.required = required
        self.formulas = formulas
    }

    public mutating func add(_ row: DatasetRow) {
        guard let blocks = row.merged else { return }
        for block in blocks.blocks { seen.formUnion(block.metrics.lazy.map(\.name)) }
    }

    /// The required ones, then all others by name.
    public var names: [String] {
        var all = seen
        for formula in formulas where formula.counters.allSatisfy(all.contains) { all.insert(formula.name) }
        let known = all.filter { !MetricExpression.isPattern($0) }
        // By bytes: the same order in every language.
        let others = known.subtracting(required).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        return required + others
    }
}

/// Turns runs into rows of the merged tables.
public struct Dataset: Sendable {
    public let axes: [String]
    public let metrics: [String]
    private let formulas: [MetricFormula]
    private let forced: [String: String]

    /// - Parameters:
    ///   - metrics: the columns of metrics, such as ``MetricNames/names``.
    ///   - forced: by workload, what does not fit of checkpoints that are used all the same; there is a column where
    ///     there are some.
    public init(axes: [String], metrics: [String], formulas: [MetricFormula], forced: [String: String] = [:]) {
        self.axes = axes
        self.forced = forced
        self.metrics = metrics
        self.formulas = formulas
    }

    /// Columns of `results`.
    public var resultColumns: [String] {
        ["point", "workload"] + axes + ["repeat", "outcome", "class"] + forcedColumn + metrics
    }

    /// Columns of `invocations`.
    public var invocationColumns: [String] {
        ["point", "workload"] + axes + ["repeat", "invocation"] + forcedColumn + metrics
    }

    private var forcedColumn: [String] { forced.isEmpty ? [] : ["forced"] }

    private func forcedCell(_ row: DatasetRow) -> [Cell] {
        forcedColumn.map { _ in .optional(row.workload.flatMap { forced[$0] }) }
    }

    /// Columns of `runs`.
    public var runColumns: [String] {
        RunColumn.beforeAxes.map(\.name) + axes + RunColumn.afterAxes.map(\.name)
    }

    public func columns(of table: Table) -> [String] {
        switch table {
        case .results: resultColumns
        case .invocations: invocationColumns
        case .runs: runColumns
        }
    }

    /// The row of `results`: there whatever the outcome, with metrics only after a success.
    public func result(_ row: DatasetRow) -> [Cell] {
        let found = row.merged?.metrics(formulas) ?? []
        return row.lead + [.optional(row.state?.rawValue), .optional(row.failure?.rawValue)] + forcedCell(row)
            + cells(found)
    }

    /// The rows of `invocations`, numbered from 1; none without a success.
    public func invocations(_ row: DatasetRow) -> [[Cell]] {
        guard let blocks = row.merged else { return [] }
        return blocks.blocks.indices.map { index in
            row.lead + [.integer(index + 1)] + forcedCell(row) + cells(blocks.metrics(ofBlock: index, formulas))
        }
    }

    private func cells(_ found: [Metric]) -> [Cell] {
        if found.isEmpty { return metrics.map { _ in .empty } }
        var values: [String: String] = [:]
        for metric in found { values[metric.name] = metric.value }
        return metrics.map { name in values[name].map { .number($0) } ?? .empty }
    }
}
