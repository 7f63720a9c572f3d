import Model

/// The numbers of one point, as they are gathered from its runs.
struct PointSamples: Sendable {
    /// Values of all columns.
    let key: [String]
    private(set) var runs = RunCounts()
    /// An accepted run each, with a unit for each invocation.
    private var accepted: [SampleTable] = []

    init(_ key: [String]) { self.key = key }

    /// - Parameter places: of the plan's counters, by name.
    mutating func add(_ row: DatasetRow, _ places: [String: Int]) {
        runs.add(row.state)
        guard let blocks = row.merged?.blocks, !blocks.isEmpty else { return }
        accepted.append(SampleTable(blocks, places))
    }

    /// Repeats that gave the same are no further evidence: a deterministic simulator's repeat has no variance.
    private var isRepeated: Bool { accepted.dropFirst().contains { !$0.isSame(as: accepted[0]) } }

    var identicalRepeats: Int { isRepeated ? 1 : max(accepted.count, 1) }

    /// By metric, the invocations of each run that differ from its others; of several runs the worst is told.
    func drifts(_ plan: MetricPlan) -> [Drift?] {
        let runs = isRepeated ? accepted[...] : accepted.prefix(1)
        let values = runs.map { $0.values(plan) }
        return plan.metrics.indices.map { place in
            values.compactMap { run in Drift(run[place].filter { !$0.isNaN }) }.reduce(nil) { worst, drift in
                guard let worst else { return drift }
                return worst.joined(drift)
            }
        }
    }

    /// What its values are made up of; nil: nothing was accepted.
    func units(_ plan: MetricPlan) -> Units? {
        guard let first = accepted.first else { return nil }
        guard isRepeated else { return Units(first, plan, .invocation) }
        let totals = accepted.map(\.total)
        let sums = first.sums.indices.map { place in totals.map { $0.sums[place][0] } }
        return Units(SampleTable(sums: sums, blocks: totals.map { $0.blocks[0] }), plan, .repetition)
    }
}
