/// The percentile bootstrap of B. Efron ("Bootstrap methods: another look at the jackknife", 1979): how far a value
/// moves when it is worked out anew from as many units, drawn with replacement from those that were measured.
///
/// The same units always give the same interval: the generator begins anew for every table of units, so that neither
/// the order of points nor what else is asked for has a part in it.
public enum Resampling {
    /// How often it is drawn.
    public static let resamples = 2_000
    /// What ``SplitMix64`` begins with.
    public static let seed: UInt64 = 0
    /// The same for the other side of a ratio, where its units are not paired with these.
    public static let otherSeed: UInt64 = 1

    /// By resample, the sum of each column over as many units as there are.
    ///
    /// - Parameters:
    ///   - units: one after the other, each with its number of every column.
    ///   - width: how many columns there are, at least 1.
    static func sums(_ units: [Double], width: Int, seed: UInt64) -> [Double] {
        var generator = SplitMix64(seed: seed)
        var sums = Array(repeating: 0.0, count: resamples * width)
        let count = units.count / width
        units.withUnsafeBufferPointer { units in
            sums.withUnsafeMutableBufferPointer { sums in
                for resample in 0..<resamples {
                    let row = resample * width
                    for _ in 0..<count {
                        let unit = generator.index(below: count) * width
                        for column in 0..<width { sums[row + column] += units[unit + column] }
                    }
                }
            }
        }
        return sums
    }

    /// The quantiles that leave out the same share at either end; nil: nothing was drawn, or a draw has no value.
    ///
    /// - Parameter values: of the resamples, in any order.
    static func interval(_ values: [Double], _ confidence: Double) -> Interval? {
        guard !values.isEmpty, values.allSatisfy(\.isFinite) else { return nil }
        let share = (1 - confidence) / 2
        var ends = Ends(values)
        return Interval(
            lower: ends.quantile(share), upper: ends.quantile(1 - share), confidence: confidence)
    }
}

/// Finds quantiles without sorting all: C. A. R. Hoare's selection, which leaves what is smaller in front.
private struct Ends {
    private var values: [Double]

    init(_ values: [Double]) { self.values = values }

    /// As ``Spread/quantile(_:sorted:)``.
    mutating func quantile(_ share: Double) -> Double {
        let place = share * Double(values.count - 1)
        let below = Int(place)
        let low = select(below)
        guard below + 1 < values.count else { return low }
        let high = values[(below + 1)...].reduce(.infinity) { Swift.min($0, $1) }
        return low + (place - Double(below)) * (high - low)
    }

    private mutating func select(_ wanted: Int) -> Double {
        var (first, last) = (0, values.count - 1)
        while first < last {
            let pivot = values[(first + last) / 2]
            var (left, right) = (first, last)
            while left <= right {
                while values[left] < pivot { left += 1 }
                while values[right] > pivot { right -= 1 }
                guard left <= right else { break }
                values.swapAt(left, right)
                left += 1
                right -= 1
            }
            if wanted <= right {
                last = right
            } else if wanted >= left {
                first = left
            } else {
                return values[wanted]
            }
        }
        return values[wanted]
    }
}
