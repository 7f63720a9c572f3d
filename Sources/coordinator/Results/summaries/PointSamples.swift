import Model

/// The numbers of one point, as they are gathered from its runs.
struct PointSamples: Sendable {
    /// Values of all columns.
    let key: [String]
    private(set) var runs = RunCounts()
    /// By checkpoint, in their order: an accepted run each, with a unit for each invocation.
    private var accepted: [(checkpoint: String, runs: [SampleTable])] = []

    init(_ key: [String]) { self.key = key }

    /// - Parameters:
    ///   - checkpoint: that it starts from, of several.
    ///   - places: of the plan's counters, by name.
    mutating func add(_ row: DatasetRow, from checkpoint: String, _ places: [String: Int]) {
        runs.add(row.state)
        guard let blocks = row.merged?.blocks, !blocks.isEmpty else { return }
        let table = SampleTable(blocks, places)
        if let place = accepted.firstIndex(where: { $0.checkpoint == checkpoint }) {
            accepted[place].runs.append(table)
        } else {
            accepted.append((checkpoint, [table]))
        }
    }

    /// By checkpoint. Repeats that gave the same are no further evidence: a deterministic simulator's repeat has no
    /// variance. Nor are checkpoints, should all give the same.
    private var distinct: [(checkpoint: String, runs: [SampleTable])] {
        let found = accepted.map { (checkpoint: $0.checkpoint, runs: PointSamples.distinct($0.runs)) }
        let all = found.flatMap(\.runs)
        return PointSamples.distinct(all).count == 1 ? Array(found.prefix(1)) : found
    }

    /// All of them where any two differ, else the first.
    private static func distinct(_ runs: [SampleTable]) -> [SampleTable] {
        runs.dropFirst().contains { !$0.isSame(as: runs[0]) } ? runs : Array(runs.prefix(1))
    }

    /// The fewest runs that count as one, as they gave the same numbers.
    var identicalRuns: Int {
        let distinct = distinct
        if distinct.count == 1, distinct[0].runs.count == 1 { return accepted.reduce(0) { $0 + $1.runs.count } }
        let each = zip(accepted, distinct).map { $1.runs.count == 1 ? $0.runs.count : 1 }
        return max(each.min() ?? 1, 1)
    }

    /// By metric, the invocations of each run that differ from its others; of several runs the worst is told.
    func drifts(_ plan: MetricPlan) -> [Drift?] {
        let values = distinct.flatMap(\.runs).map { $0.values(plan) }
        return plan.metrics.indices.map { place in
            values.compactMap { run in Drift(run[place].filter { !$0.isNaN }) }.reduce(nil) { worst, drift in
                guard let worst else { return drift }
                return worst.joined(drift)
            }
        }
    }

    /// What its values are made up of; nil: nothing was accepted.
    func units(_ plan: MetricPlan) -> Units? {
        let distinct = distinct
        guard let first = distinct.first else { return nil }
        // What runs from one checkpoint have in common is its history: that is then what is drawn.
        if distinct.count > 1 {
            let totals = distinct.map { SampleTable(joining: $0.runs.map(\.total)).total }
            return Units(SampleTable(joining: totals), plan, .checkpoint, labels: distinct.map(\.checkpoint))
        }
        guard first.runs.count > 1 else { return Units(first.runs[0], plan, .invocation) }
        return Units(SampleTable(joining: first.runs.map(\.total)), plan, .repetition)
    }
}
