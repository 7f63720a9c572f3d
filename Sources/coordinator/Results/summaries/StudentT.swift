import CMath

/// Student's distribution: how far the mean of few values may be off.
enum StudentT {
    /// The t that |t| stays below with a probability, found by halving.
    ///
    /// - Parameters:
    ///   - probability: from 0 to below 1.
    ///   - degrees: of freedom, from 1.
    static func bound(_ probability: Double, degrees: Int) -> Double {
        var (low, high) = (0.0, 1.0)
        while within(high, degrees) < probability, high < 1e12 { high *= 2 }
        for _ in 0..<200 where low < high {
            let middle = low + (high - low) / 2
            if middle == low || middle == high { break }
            if within(middle, degrees) < probability { low = middle } else { high = middle }
        }
        return high
    }

    /// The probability that |t| is at most `t`: formulas 26.7.3 and 26.7.4 of M. Abramowitz and I. Stegun, "Handbook of
    /// Mathematical Functions" (1964).
    static func within(_ t: Double, _ degrees: Int) -> Double {
        let angle = math_atan(t / Double(degrees).squareRoot())
        let cosine = (Double(degrees) / (Double(degrees) + t * t)).squareRoot()
        let sine = t / (Double(degrees) + t * t).squareRoot()
        let isOdd = degrees % 2 == 1
        var term = isOdd ? cosine : 1.0
        var sum = degrees == 1 ? 0 : term
        var power = isOdd ? 2 : 1
        while power + 2 <= degrees - 1 {
            term *= cosine * cosine * Double(power) / Double(power + 1)
            sum += term
            power += 2
        }
        return isOdd ? 2 / Double.pi * (angle + sine * sum) : sine * sum
    }
}
