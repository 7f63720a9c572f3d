/// Many numbers that an expression is worked out with at once; a single one stands for as many as there are beside it.
struct SampleColumn: ExpressionValue {
    var values: [Double]

    /// Those without a value, as after a division by 0, are found at the end.
    var isFinite: Bool { true }

    init(_ values: [Double]) { self.values = values }

    init(constant: Sum) { values = [constant.value] }

    static func + (left: SampleColumn, right: SampleColumn) -> SampleColumn { combine(left, right) { $0 + $1 } }
    static func - (left: SampleColumn, right: SampleColumn) -> SampleColumn { combine(left, right) { $0 - $1 } }
    static func * (left: SampleColumn, right: SampleColumn) -> SampleColumn { combine(left, right) { $0 * $1 } }
    static func / (left: SampleColumn, right: SampleColumn) -> SampleColumn? {
        combine(left, right) { $1 == 0 ? .nan : $0 / $1 }
    }

    @inline(__always)
    private static func combine(
        _ left: SampleColumn, _ right: SampleColumn, _ operation: (Double, Double) -> Double
    ) -> SampleColumn {
        let (first, second) = (left.values, right.values)
        if second.count == 1, let value = second.first { return SampleColumn(first.map { operation($0, value) }) }
        if first.count == 1, let value = first.first { return SampleColumn(second.map { operation(value, $0) }) }
        return SampleColumn(first.indices.map { operation(first[$0], second[$0]) })
    }
}

/// Which metrics are asked for, and what they are worked out from.
struct MetricPlan: Sendable {
    let metrics: [String]
    /// Those that are needed for them, in their order.
    let formulas: [MetricFormula]
    /// What has to be read of the blocks.
    let counters: [String]

    init(_ metrics: [String], _ formulas: [MetricFormula]) {
        self.metrics = metrics
        var wanted = Set(metrics)
        // A formula uses only those before it.
        for formula in formulas.reversed() where wanted.contains(formula.name) { wanted.formUnion(formula.counters) }
        self.formulas = formulas.filter { wanted.contains($0.name) }
        // Also a formula's name: a program may give a metric of that name itself.
        counters = wanted.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    init(_ metrics: [String]) { self.init(metrics, []) }

    /// Of the counters, by name.
    var places: [String: Int] { Dictionary(uniqueKeysWithValues: counters.enumerated().map { ($1, $0) }) }

    func isFormula(_ metric: Int) -> Bool { formulas.contains { $0.name == metrics[metric] } }
}

/// Units of which one or many make up a value: invocations, the repeats of a point, the checkpoints that it starts
/// from, the points of a group.
struct SampleTable: Sendable {
    /// By counter and unit: the sum over the unit's blocks; nan: the unit has no value.
    var sums: [[Double]]
    /// By unit: over how many blocks.
    var blocks: [Double]

    var count: Int { blocks.count }

    init(sums: [[Double]], blocks: [Double]) {
        self.sums = sums
        self.blocks = blocks
    }

    /// A unit for each block.
    ///
    /// - Parameter places: of the counters, by name.
    init(_ blocks: some Collection<Block>, _ places: [String: Int]) {
        var sums = Array(repeating: Array(repeating: Double.nan, count: blocks.count), count: places.count)
        for (index, block) in blocks.enumerated() {
            for metric in block.metrics {
                guard let place = places[metric.name], let value = Number.finite(metric.value) else { continue }
                sums[place][index] = value
            }
        }
        self.init(sums: sums, blocks: Array(repeating: 1, count: blocks.count))
    }

    /// The units of all, one after the other.
    ///
    /// - Parameter tables: at least one, with the same counters.
    init(joining tables: [SampleTable]) {
        let sums = tables[0].sums.indices.map { place in tables.flatMap { $0.sums[place] } }
        self.init(sums: sums, blocks: tables.flatMap(\.blocks))
    }

    /// Whether the same was measured, also where there was no value.
    func isSame(as other: SampleTable) -> Bool {
        func bits(_ table: SampleTable) -> [[UInt64]] { (table.sums + [table.blocks]).map { $0.map(\.bitPattern) } }
        return bits(self) == bits(other)
    }

    /// All units as one.
    var total: SampleTable {
        SampleTable(sums: sums.map { [$0.reduce(0, +)] }, blocks: [blocks.reduce(0, +)])
    }

    func choosing(_ units: [Int]) -> SampleTable {
        SampleTable(sums: sums.map { column in units.map { column[$0] } }, blocks: units.map { blocks[$0] })
    }

    /// By metric and resample: what comes out.
    func resampled(_ plan: MetricPlan, seed: UInt64) -> [[Double]] {
        guard let draws = Resampling.draws(of: count, seed: seed) else { return resampled(seed: seed).values(plan) }
        func drawn(_ column: [Double]) -> [Double] { draws.units.map { $0.reduce(0) { $0 + column[$1] } } }
        let values = SampleTable(sums: sums.map(drawn), blocks: drawn(blocks)).values(plan)
        return values.map { values in draws.places.map { values[$0] } }
    }

    /// What comes out in each resample, as a unit of its own.
    func resampled(seed: UInt64) -> SampleTable {
        let columns = sums + [blocks]
        let units = (0..<count).flatMap { unit in columns.map { $0[unit] } }
        let drawn = Resampling.sums(units, width: columns.count, seed: seed)
        let gathered = columns.indices.map { column in
            (0..<Resampling.resamples).map { drawn[$0 * columns.count + column] }
        }
        return SampleTable(sums: Array(gathered.dropLast()), blocks: gathered[columns.count - 1])
    }

    /// What the others give together, for each unit as a unit of its own. Added up from both ends: subtracting from
    /// the total would lose digits.
    var withoutEach: SampleTable {
        func others(_ column: [Double]) -> [Double] {
            var after = Array(repeating: 0.0, count: column.count)
            for place in column.indices.dropLast().reversed() { after[place] = after[place + 1] + column[place + 1] }
            var before = 0.0
            return column.indices.map { place in
                defer { before += column[place] }
                return before + after[place]
            }
        }
        return SampleTable(sums: sums.map(others), blocks: others(blocks))
    }

    /// By metric and unit: its value, by the rules of `Blocks.metrics`; nan: there is none.
    func values(_ plan: MetricPlan) -> [[Double]] {
        let blocks = SampleColumn(blocks)
        var own: [String: SampleColumn] = [:]
        for (name, sums) in zip(plan.counters, sums) where !sums.allSatisfy(\.isNaN) { own[name] = SampleColumn(sums) }
        var derived: [String: SampleColumn] = [:]
        for formula in plan.formulas where own[formula.name] == nil {
            derived[formula.name] = formula.value(blocks: blocks) { name in
                own[name].map { .sum($0) } ?? derived[name].map { .plain($0) }
            }
        }
        return plan.metrics.map { name in
            let values = own[name].flatMap { $0 / blocks } ?? derived[name]
            guard let values = values?.values else { return Array(repeating: .nan, count: count) }
            // A formula of constants alone has one value for all.
            let all = values.count == count ? values : Array(repeating: values.first ?? .nan, count: count)
            return all.map { $0.isFinite ? $0 : .nan }
        }
    }
}
