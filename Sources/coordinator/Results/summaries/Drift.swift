import CMath

/// Whether the first invocations of a run differ from those that follow, as they do while caches and predictors warm
/// up, and whether those that follow still rise or fall.
public struct Drift: Sendable, Hashable {
    /// How many invocations at the beginning lie outside what the others make likely.
    public var first: Int
    /// Whether the others still go up or down.
    public var goesOn: Bool
    /// How far the value moves without the first, as a share of it: 0.02 is 2 %.
    public var shift: Double

    /// Fewer invocations tell nothing.
    public static let fewest = 5
    /// Smaller differences are left alone, whatever the tests say, as a share of the mean.
    public static let relevant = 0.01
    /// No more invocations than these, from the first, are looked at: what has not settled by then is no warm-up.
    public static let most = 1_000
    /// From so many degrees of freedom on, Student's bound hardly changes any more.
    private static let manyDegrees = 200
    /// By degrees of freedom: asked for with every first k invocations of every metric of every point.
    private static let bounds = (1...manyDegrees).map { StudentT.bound(1 - level, degrees: $0) }
    /// Of both tests: how seldom they are wrong where nothing drifts.
    static let level = 0.01

    /// Looks for it. The first k invocations are taken to differ if each of them lies outside of where a single further
    /// value is expected by the rest (mean, plus or minus t(99 %) times the standard deviation times the root of
    /// 1 + 1/m, of the rest's m values), and 1 % of that mean away; the largest such k counts, up to half of them. The
    /// rest goes on to drift if the test of H. Mann (1945) and M. Kendall says so at 1 %.
    ///
    /// - Parameter values: one an invocation, in their order.
    /// - Returns: nil: none is found, or there are too few invocations to tell.
    public init?(_ values: [Double]) {
        let values = Array(values.prefix(Drift.most))
        guard values.count >= Drift.fewest, values.allSatisfy(\.isFinite) else { return nil }
        first = (1...values.count / 2).last { Drift.differ(values[..<$0], from: values[$0...]) } ?? 0
        let rest = Array(values[first...])
        let mean = Spread.mean(rest)
        goesOn = Drift.rises(rest)
            && (rest.max() ?? 0) - (rest.min() ?? 0) > Drift.relevant * mean.magnitude
        shift = mean == 0 ? 0 : (Spread.mean(values) - mean) / mean
        if first == 0, !goesOn { return nil }
    }

    /// What is worse of both.
    func joined(_ other: Drift) -> Drift {
        var worst = self
        worst.first = max(first, other.first)
        worst.goesOn = goesOn || other.goesOn
        if other.shift.magnitude > shift.magnitude { worst.shift = other.shift }
        return worst
    }

    private static func differ(_ first: ArraySlice<Double>, from others: ArraySlice<Double>) -> Bool {
        let others = Array(others)
        guard let deviation = Spread.standardDeviation(others) else { return false }
        let (count, mean) = (Double(others.count), Spread.mean(others))
        let quantile = bounds[min(others.count - 1, manyDegrees) - 1]
        let bound = quantile * deviation * (1 + 1 / count).squareRoot()
        return first.allSatisfy { ($0 - mean).magnitude > max(bound, relevant * mean.magnitude) }
    }

    /// Whether so many pairs stand in one order that chance would rarely do it. Equal values count for neither order,
    /// which makes the test slower to find something.
    private static func rises(_ values: [Double]) -> Bool {
        var score = 0
        for (place, value) in values.enumerated() {
            for earlier in values[..<place] { score += value > earlier ? 1 : value < earlier ? -1 : 0 }
        }
        return MannKendall.probability(of: score, count: values.count) <= level
    }
}

/// The test for a trend of H. Mann ("Nonparametric tests against trend", 1945) and M. Kendall.
enum MannKendall {
    /// How likely a score of that size or a larger one is, in either direction, where there is no trend: counted from
    /// all orders up to 40 values, else by the normal distribution.
    ///
    /// - Parameter score: pairs that rise less pairs that fall.
    static func probability(of score: Int, count: Int) -> Double {
        let pairs = count * (count - 1) / 2
        guard count <= 40 else {
            let deviation = Double(count * (count - 1) * (2 * count + 5)) / 18
            let distance = Double(max(score.magnitude, 1) - 1) / deviation.squareRoot()
            return math_erfc(distance / 2.0.squareRoot())
        }
        // What share of the orders of so many values has so many falling pairs.
        var shares = [1.0]
        for length in 2...max(count, 2) where length <= count {
            var next = Array(repeating: 0.0, count: shares.count + length - 1)
            for (falling, share) in shares.enumerated() {
                for more in 0..<length { next[falling + more] += share / Double(length) }
            }
            shares = next
        }
        let most = (pairs - Int(score.magnitude)) / 2
        return min(1, 2 * shares[...most].reduce(0, +))
    }
}
