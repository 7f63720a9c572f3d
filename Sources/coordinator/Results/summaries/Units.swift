/// Units of one kind, and the metrics that they have, one by one and together.
struct Units {
    enum Kind {
        /// Of one run. Together they are the run: without a counter in one of them there is no value.
        case invocation
        /// Those without a value are left out, and counted.
        case repetition, checkpoint, point
    }

    let kind: Kind
    /// Of checkpoints which these are: from the same one, two points are comparable one by one.
    let labels: [String]
    let table: SampleTable
    private let plan: MetricPlan
    /// By metric and unit; nan: there is none.
    let values: [[Double]]
    /// By metric, of all together; nan: there is none.
    let together: [Double]

    init(_ table: SampleTable, _ plan: MetricPlan, _ kind: Kind, labels: [String] = []) {
        self.kind = kind
        self.labels = labels
        self.table = table
        self.plan = plan
        values = table.values(plan)
        var together = Units.forEachMetric(table, plan, kind, values) { $0.total.values(plan) }.map { $0[0] }
        for place in plan.metrics.indices where together[place].isNaN && !plan.isFormula(place) {
            together[place] = Units.weighted(values[place], table.blocks, kind)
        }
        self.together = together
    }

    /// The mean of a counter whose sum is beyond what a number can hold, though it is not itself; nan: no value.
    private static func weighted(_ values: [Double], _ blocks: [Double], _ kind: Kind) -> Double {
        let units = values.indices.filter { !values[$0].isNaN }
        guard !units.isEmpty, kind != .invocation || units.count == values.count else { return .nan }
        let all = units.reduce(0) { $0 + blocks[$1] }
        let mean = units.reduce(0) { $0 + values[$1] * (blocks[$1] / all) }
        return mean.isFinite ? mean : .nan
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
            return table.resampled(plan, seed: seed)
        }
    }

    /// By metric, what comes out with each unit left out; empty where there are fewer than two units.
    func withoutEach() -> [[Double]] {
        Units.forEachMetric(table, plan, kind, values) { table in
            guard table.count > 1 else { return plan.metrics.map { _ in [] } }
            return table.withoutEach.values(plan)
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
