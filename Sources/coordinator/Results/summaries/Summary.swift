/// A range that holds a value with some confidence.
public struct Interval: Sendable, Hashable {
    public var lower: Double
    public var upper: Double
    /// From 0 to 1.
    public var confidence: Double

    public init(lower: Double, upper: Double, confidence: Double) {
        self.lower = lower
        self.upper = upper
        self.confidence = confidence
    }
}

/// What several values of a metric have in common, in the metric's own unit.
public struct Summary: Sendable, Hashable {
    /// How many values there are.
    public var n: Int
    /// What stands for all of them: of a counter the mean; of a formula what it gives for the means, which for a rate
    /// is the ratio of the sums.
    public var mean: Double
    /// With n - 1 as its divisor; nil for a single value.
    public var standardDeviation: Double?
    public var minimum: Double
    /// The middle value, or the mean of the two in the middle.
    public var median: Double
    public var maximum: Double
    /// Of ``mean``, by the percentile bootstrap (``Resampling``); nil for a single value.
    public var interval: Interval?

    /// - Parameters:
    ///   - values: finite, at least one.
    ///   - resampled: what the mean was in each resample; empty: no interval.
    init(_ values: [Double], mean: Double, resampled: [Double], confidence: Double) {
        let sorted = values.sorted()
        n = values.count
        self.mean = mean
        standardDeviation = Spread.standardDeviation(values)
        minimum = sorted[0]
        median = Spread.quantile(0.5, sorted: sorted)
        maximum = sorted[sorted.count - 1]
        interval = Resampling.interval(resampled, confidence)
    }
}

package enum Spread {
    static func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }

    /// Of a sample: the divisor is n - 1. nil: fewer than two values.
    static func standardDeviation(_ values: [Double]) -> Double? {
        guard values.count > 1 else { return nil }
        let mean = mean(values)
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        return (squares / Double(values.count - 1)).squareRoot()
    }

    /// Between the two nearest values by a straight line: type 7 of R. J. Hyndman and Y. Fan ("Sample quantiles in
    /// statistical packages", 1996), what R and numpy do where nothing is said.
    package static func quantile(_ share: Double, sorted: [Double]) -> Double {
        let place = share * Double(sorted.count - 1)
        let below = Int(place)
        guard below + 1 < sorted.count else { return sorted[sorted.count - 1] }
        return sorted[below] + (place - Double(below)) * (sorted[below + 1] - sorted[below])
    }
}
