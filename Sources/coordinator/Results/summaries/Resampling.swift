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

    /// Draws of units in which many resamples are the same, as of five units 126 can differ.
    struct Draws: Sendable {
        /// Of each that differs from the others, its units in ascending order.
        let units: [[Int]]
        /// By resample, which of these it is.
        let places: [Int]

        fileprivate init(of count: Int, seed: UInt64) {
            var generator = SplitMix64(seed: seed)
            var known: [[Int]: Int] = [:]
            var (units, places): ([[Int]], [Int]) = ([], [])
            for _ in 0..<resamples {
                let drawn = (0..<count).map { _ in generator.index(below: count) }.sorted()
                if known[drawn] == nil {
                    known[drawn] = units.count
                    units.append(drawn)
                }
                places.append(known[drawn] ?? 0)
            }
            (self.units, self.places) = (units, places)
        }
    }

    /// nil: of so many units most draws differ, or the seed is none of these.
    static func draws(of count: Int, seed: UInt64) -> Draws? {
        let known = seed == Resampling.seed ? drawsOfFew : seed == otherSeed ? othersOfFew : []
        return known.indices ~= count ? known[count] : nil
    }

    /// By the number of units.
    private static let drawsOfFew = (0...6).map { Draws(of: $0, seed: seed) }
    private static let othersOfFew = (0...6).map { Draws(of: $0, seed: otherSeed) }

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

/// Finds quantiles without sorting all: C. A. R. Hoare's selection, which leaves what is smaller in front, with pivots
/// from a sample, as R. W. Floyd and R. L. Rivest ("Expected time bounds for selection", 1975) choose them.
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
        values.withUnsafeMutableBufferPointer { values in
            var (first, last) = (0, values.count - 1)
            while first < last {
                let pivot = Ends.pivot(values[first...last], near: wanted)
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
                    break
                }
            }
            return values[wanted]
        }
    }

    /// One of the values between which and the nearer end the wanted one is likely to stand, with few others: of
    /// resamples an end is wanted, and the middle would leave half of them.
    private static func pivot(_ values: Slice<UnsafeMutableBufferPointer<Double>>, near wanted: Int) -> Double {
        let count = values.count
        guard count > 64 else { return values[values.startIndex + (count - 1) / 2] }
        let sample = (0..<32).map { values[values.startIndex + $0 * count / 32] }.sorted()
        let place = (wanted - values.startIndex) * 32 / count
        return sample[place < 16 ? place + 1 : max(0, place - 1)]
    }
}
