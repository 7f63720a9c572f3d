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
                .usage, "--baseline \(Names.shown("\(baseline.axis)=\(value)")): no point that is shown has it; "
                    + "there are \(Names.list(values.map { VisibleText.of($0) }))")
        }
        partners = points.map { point in
            var key = point.key
            key[column] = value
            return found[key]
        }
    }

    /// Of one point: both sides are resampled, invocation by invocation, or repeat by repeat, where both have as many.
    /// The n-th of both then stay together: from the same checkpoint they are the same request.
    func paired(
        _ point: Int, _ units: Units?, _ plan: MetricPlan, _ points: [PointSamples], _ confidence: Double
    ) -> [RatioSummary] {
        let missing = RatioSummary(ratio: nil, interval: nil, ratios: [], unpaired: 1)
        guard let units, let partner = partners[point], let other = points[partner].units(plan) else {
            return plan.metrics.map { _ in missing }
        }
        let arePaired = units.kind == other.kind && units.table.count == other.table.count
        if partner != point, arePaired, units.table.isSame(as: other.table) { return same(units, confidence) }
        let isBaseline = partner == point
        let own = isBaseline ? [] : units.resampled()
        let others = isBaseline ? [] : other.resampled(seed: arePaired ? Resampling.seed : Resampling.otherSeed)
        return plan.metrics.indices.map { place in
            let (mean, base) = (units.together[place], other.together[place])
            let ratio = mean / base
            guard ratio.isFinite else { return missing }
            var summary = RatioSummary(ratio: ratio, interval: nil, ratios: [ratio], unpaired: 0)
            if !isBaseline {
                let ratios = Baseline.ratios(own[place], mean, others[place], base)
                summary.interval = Resampling.interval(ratios, confidence)
            }
            return summary
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

    /// A side with a single unit does not vary.
    private static func ratios(_ own: [Double], _ mean: Double, _ others: [Double], _ base: Double) -> [Double] {
        if own.isEmpty { return others.map { mean / $0 } }
        if others.isEmpty { return own.map { $0 / base } }
        return zip(own, others).map { $0 / $1 }
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
            let means = hasMean && !isBaseline ? units.resampled()[0].map { math_exp($0) } : []
            return RatioSummary(
                ratio: hasMean ? math_exp(units.together[0]) : nil, interval: Resampling.interval(means, confidence),
                ratios: found, unpaired: members.count - found.count)
        }
    }
}
