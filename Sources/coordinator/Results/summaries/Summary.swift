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
    /// With n - 1 as its divisor; nil for a single value, and beyond what a number can hold.
    public var standardDeviation: Double?
    public var minimum: Double
    /// The middle value, or the mean of the two in the middle.
    public var median: Double
    public var maximum: Double
    /// Of ``mean``: by the percentile bootstrap, of few values the wider of that and Student's t; nil for a single
    /// value.
    public var interval: Interval?

    /// - Parameters:
    ///   - values: finite, at least one.
    init(_ values: [Double], mean: Double, interval: Interval?) {
        let sorted = values.sorted()
        n = values.count
        self.mean = mean
        standardDeviation = Spread.standardDeviation(values)
        minimum = sorted[0]
        median = Spread.quantile(0.5, sorted: sorted)
        maximum = sorted[sorted.count - 1]
        self.interval = interval
    }
}

package enum Spread {
    static func mean(_ values: [Double]) -> Double {
        let sum = values.reduce(0, +)
        guard !sum.isFinite else { return sum / Double(values.count) }
        return values.reduce(0) { $0 + $1 / Double(values.count) }
    }

    /// Of a sample: the divisor is n - 1. nil: fewer than two values, or more than a number can hold.
    static func standardDeviation(_ values: [Double]) -> Double? {
        guard values.count > 1 else { return nil }
        // The mean of equal values may be rounded away from them.
        guard values.contains(where: { $0 != values[0] }) else { return 0 }
        let mean = mean(values)
        let largest = values.reduce(0) { max($0, $1.magnitude) }
        // Squares of such differences are neither infinite nor lost; a power of two changes no digit.
        let scale = largest > 1e150 || largest < 1e-150 && largest > 0 ? largest.binade : 1
        let squares = values.reduce(0) { sum, value in
            let distance = value / scale - mean / scale
            return sum + distance * distance
        }
        let deviation = (squares / Double(values.count - 1)).squareRoot() * scale
        return deviation.isFinite ? deviation : nil
    }

    /// Between the two nearest values by a straight line: type 7 of R. J. Hyndman and Y. Fan ("Sample quantiles in
    /// statistical packages", 1996), what R and numpy do where nothing is said.
    package static func quantile(_ share: Double, sorted: [Double]) -> Double {
        let place = share * Double(sorted.count - 1)
        let below = Int(place)
        guard below + 1 < sorted.count else { return sorted[sorted.count - 1] }
        let (low, high, share) = (sorted[below], sorted[below + 1], place - Double(below))
        let step = share * (high - low)
        return step.isFinite ? low + step : low * (1 - share) + high * share
    }
}
