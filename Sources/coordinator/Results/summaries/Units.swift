/// Units of one kind, and the metrics that they have, one by one and together.
struct Units {
    enum Kind {
        /// Of one run. Together they are the run: without a counter in one of them there is no value.
        case invocation
        /// Those without a value are left out, and counted.
        case repetition, point
    }

    let kind: Kind
    let table: SampleTable
    private let plan: MetricPlan
    /// By metric and unit; nan: there is none.
    let values: [[Double]]
    /// By metric, of all together; nan: there is none.
    let together: [Double]

    init(_ table: SampleTable, _ plan: MetricPlan, _ kind: Kind) {
        self.kind = kind
        self.table = table
        self.plan = plan
        values = table.values(plan)
        together = Units.forEachMetric(table, plan, kind, values) { $0.total.values(plan) }.map { $0[0] }
    }

    /// Points as units, each of which counts once.
    ///
    /// - Parameter values: by metric and point.
    init(points values: [[Double]], _ metrics: [String]) {
        let plan = MetricPlan(metrics)
        let sums = plan.counters.map { name in values[metrics.firstIndex(of: name) ?? 0] }
        let count = values.first?.count ?? 0
        self.init(SampleTable(sums: sums, blocks: Array(repeating: 1, count: count)), plan, .point)
    }

    /// By metric, what comes out in each resample; empty where there are fewer than two units.
    func resampled(seed: UInt64 = Resampling.seed) -> [[Double]] {
        Units.forEachMetric(table, plan, kind, values) { table in
            guard table.count > 1 else { return plan.metrics.map { _ in [] } }
            return table.resampled(seed: seed).values(plan)
        }
    }

    /// Works something out for all metrics with all units, and again for those metrics that some units do not have.
    private static func forEachMetric(
        _ table: SampleTable, _ plan: MetricPlan, _ kind: Kind, _ values: [[Double]],
        _ body: (SampleTable) -> [[Double]]
    ) -> [[Double]] {
        var found = body(table)
        for place in values.indices where kind != .invocation && values[place].contains(where: \.isNaN) {
            let units = values[place].indices.filter { !values[place][$0].isNaN }
            found[place] = units.isEmpty ? [.nan] : body(table.choosing(units))[place]
        }
        return found
    }
}
