import CMath

/// How sure a value is that several units make up: the percentile bootstrap (``Resampling``), and for few values the
/// wider of that and Student's t, since the bootstrap alone is then too narrow (of two values it is just their range).
enum Intervals {
    /// From so many values on the bootstrap is enough.
    static let enough = 20

    /// Of a value around which a t interval stands.
    ///
    /// - Parameters:
    ///   - drawn: the value in each resample.
    ///   - without: the value with each unit left out, for fewer than ``enough`` units; empty: there are more.
    /// - Returns: nil: fewer than two units, or an end is beyond what a number can hold.
    static func of(_ value: Double, drawn: [Double], without: [Double], _ confidence: Double) -> Interval? {
        guard let interval = Resampling.interval(drawn, confidence) else { return nil }
        guard !without.isEmpty else { return interval }
        guard let error = error(without) else { return nil }
        let reach = StudentT.bound(confidence, degrees: without.count - 1) * error
        return widened(interval, value - reach, value + reach)
    }

    /// Of a ratio of two values, by the t test of B. L. Welch ("The generalization of Student's problem when several
    /// different population variances are involved", 1947) on their logarithms.
    ///
    /// - Parameters:
    ///   - drawn: the ratio in each resample.
    ///   - own: the upper value with each of its units left out.
    ///   - base: the lower value, likewise. Both empty: there are at least ``enough`` units of both.
    ///   - arePaired: whether the n-th units of both belong together.
    /// - Returns: nil also where a value changes its sign, or is 0, when a unit is left out.
    static func ofRatio(
        _ ratio: Double, drawn: [Double], own: [Double], base: [Double], arePaired: Bool, _ confidence: Double
    ) -> Interval? {
        guard let interval = Resampling.interval(drawn, confidence) else { return nil }
        guard !own.isEmpty, !base.isEmpty else { return interval }
        guard ratio > 0, let own = logarithms(own), let base = logarithms(base) else { return nil }
        let found: (error: Double, degrees: Int)?
        if arePaired {
            found = error(zip(own, base).map { $0 - $1 }).map { ($0, own.count - 1) }
        } else {
            found = welch(own, base)
        }
        guard let found else { return nil }
        let reach = StudentT.bound(confidence, degrees: found.degrees) * found.error
        return widened(interval, ratio * math_exp(-reach), ratio * math_exp(reach))
    }

    /// The standard error of a difference, and the degrees of freedom of F. E. Satterthwaite (1946), rounded down.
    private static func welch(_ first: [Double], _ second: [Double]) -> (error: Double, degrees: Int)? {
        guard let one = error(first), let other = error(second) else { return nil }
        let (a, b) = (one * one, other * other)
        let most = first.count + second.count - 2
        guard a + b > 0 else { return (0, most) }
        // As shares, which neither overflow nor vanish.
        let (x, y) = (a / (a + b), b / (a + b))
        let degrees = 1 / (x * x / Double(first.count - 1) + y * y / Double(second.count - 1))
        return ((a + b).squareRoot(), max(1, min(most, Int(degrees))))
    }

    /// The standard error by the jackknife of M. Quenouille and J. Tukey, which of a plain mean is the standard
    /// deviation by the root of n, and serves for rates as well.
    ///
    /// - Parameter without: the value with each unit left out.
    /// - Returns: nil: fewer than two units, or one of the values is none.
    static func error(_ without: [Double]) -> Double? {
        guard without.allSatisfy(\.isFinite), let deviation = Spread.standardDeviation(without) else { return nil }
        let count = Double(without.count)
        return deviation * (count - 1) / count.squareRoot()
    }

    /// nil: they are not all on one side of 0.
    private static func logarithms(_ values: [Double]) -> [Double]? {
        guard values.allSatisfy({ $0 > 0 }) || values.allSatisfy({ $0 < 0 }) else { return nil }
        return values.map { math_log($0.magnitude) }
    }

    private static func widened(_ interval: Interval, _ lower: Double, _ upper: Double) -> Interval? {
        guard lower.isFinite, upper.isFinite else { return nil }
        return Interval(
            lower: min(interval.lower, lower), upper: max(interval.upper, upper), confidence: interval.confidence)
    }
}

extension Units {
    /// By metric, of what all units give together.
    func intervals(_ confidence: Double) -> [Interval?] {
        let drawn = resampled()
        let few = values.indices.map { count($0) < Intervals.enough }
        let without = few.contains(true) ? withoutEach() : []
        return values.indices.map { place in
            Intervals.of(together[place], drawn: drawn[place], without: few[place] ? without[place] : [], confidence)
        }
    }

    /// How many units have a value of a metric.
    func count(_ metric: Int) -> Int { values[metric].count { !$0.isNaN } }
}
