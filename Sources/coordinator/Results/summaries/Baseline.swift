import CMath
import Model

/// Divides points by those that agree with them in all but one column, which has the baseline's value.
struct Baseline {
    /// By point, the one that it is divided by; nil: there is none.
    private let partners: [Int?]

    /// - Throws: ``Failure`` (`usage`) where no point has it.
    init(_ baseline: Assignment, _ columns: [String], _ points: [PointSamples]) throws {
        let (column, value) = (columns.firstIndex(of: baseline.axis) ?? 0, baseline.value)
        var found: [[String]: Int] = [:]
        for (index, point) in points.enumerated() where point.key[column] == value { found[point.key] = index }
        guard !found.isEmpty || points.isEmpty else {
            var values: [String] = []
            for point in points where !values.contains(point.key[column]) { values.append(point.key[column]) }
            throw Failure(
                .usage, "--baseline \(Names.shown("\(baseline.axis)=\(value)")): no point that is shown has this "
                    + "value; there are \(Names.list(values.map { VisibleText.of($0) }))")
        }
        partners = points.map { point in
            var key = point.key
            key[column] = value
            return found[key]
        }
    }

    /// Of one point: both sides are resampled, and the n-th invocations of both stay together where both have as many:
    /// from the same checkpoint they are the same request. So do checkpoints, where both start from the same ones: what
    /// a history does, it does to both. Repeats have nothing to do with each other.
    func paired(
        _ point: Int, _ units: Units?, _ plan: MetricPlan, _ points: [PointSamples], _ confidence: Double
    ) -> [RatioSummary] {
        let missing = RatioSummary(ratio: nil, interval: nil, ratios: [], unpaired: 1)
        guard let units, let partner = partners[point], let other = points[partner].units(plan) else {
            return plan.metrics.map { _ in missing }
        }
        if partner != point, units.kind == other.kind, units.table.isSame(as: other.table) {
            return same(units, confidence)
        }
        let intervals = partner == point ? plan.metrics.map { _ in nil } : Baseline.intervals(units, other, confidence)
        return plan.metrics.indices.map { place in
            let ratio = units.together[place] / other.together[place]
            guard ratio.isFinite else { return missing }
            return RatioSummary(ratio: ratio, interval: intervals[place], ratios: [ratio], unpaired: 0)
        }
    }

    /// By metric, of the ratio. A side with a single unit says nothing of how much it varies: then there is none.
    private static func intervals(_ own: Units, _ base: Units, _ confidence: Double) -> [Interval?] {
        let arePaired = own.kind == base.kind && own.table.count == base.table.count
            && (own.kind == .invocation || own.kind == .checkpoint && own.labels == base.labels)
        let drawn = own.resampled()
        let others = base.resampled(seed: arePaired ? Resampling.seed : Resampling.otherSeed)
        let few = own.values.indices.map { min(own.count($0), base.count($0)) < Intervals.enough }
        let without = few.contains(true) ? (own.withoutEach(), base.withoutEach()) : nil
        return few.indices.map { place in
            let ratios = zip(drawn[place], others[place]).map { $0 / $1 }
            return Intervals.ofRatio(
                own.together[place] / base.together[place], drawn: ratios,
                own: few[place] ? without?.0[place] ?? [] : [], base: few[place] ? without?.1[place] ?? [] : [],
                arePaired: arePaired, confidence)
        }
    }

    /// What all draws of two sides with the same numbers give.
    private func same(_ units: Units, _ confidence: Double) -> [RatioSummary] {
        units.together.map { mean in
            guard (mean / mean).isFinite else {
                return RatioSummary(ratio: nil, interval: nil, ratios: [], unpaired: 1)
            }
            let one = Interval(lower: 1, upper: 1, confidence: confidence)
            return RatioSummary(ratio: 1, interval: units.table.count > 1 ? one : nil, ratios: [1], unpaired: 0)
        }
    }

    /// Of several points: the geometric mean of their ratios, with the pairs as what is resampled.
    ///
    /// - Parameter values: of a point, by metric.
    func geometric(
        _ members: [Int], _ metrics: [String], _ confidence: Double, values: (Int) -> [Double]
    ) -> [RatioSummary] {
        let ratios = members.map { member -> [Double] in
            guard let partner = partners[member] else { return metrics.map { _ in .nan } }
            return zip(values(member), values(partner)).map { $0 / $1 }
        }
        let isBaseline = members.allSatisfy { partners[$0] == $0 }
        return metrics.indices.map { place in
            let found = ratios.map { $0[place] }.filter(\.isFinite)
            let logarithms = found.map { $0 > 0 ? math_log($0) : .nan }
            let units = Units(points: [logarithms], ["ratio"])
            let hasMean = !logarithms.isEmpty && !logarithms.contains(where: \.isNaN)
            var interval = hasMean && !isBaseline ? units.intervals(confidence)[0] : nil
            if let found = interval {
                interval?.lower = math_exp(found.lower)
                interval?.upper = math_exp(found.upper)
            }
            if interval?.upper.isFinite == false { interval = nil }
            return RatioSummary(
                ratio: hasMean ? math_exp(units.together[0]) : nil, interval: interval,
                ratios: found, unpaired: members.count - found.count)
        }
    }
}
