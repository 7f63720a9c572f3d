import Model

/// Spans of time as binary logarithms: influences that multiply the time of a run can be added here.
///
/// Computed with basic arithmetic only, so that every machine makes the same decisions; accurate to 1e-9.
enum Octaves {
    private static let naturalOfTwo = 0.693_147_180_559_945_3

    /// - Parameter span: less than a nanosecond counts as one.
    static func of(_ span: Nanoseconds) -> Double {
        let value = Double(max(1, span))
        // ln(m) = 2 artanh((m - 1) / (m + 1)), with m from 1 to 2.
        let ratio = (value.significand - 1) / (value.significand + 1)
        var (power, sum, divisor) = (ratio, 0.0, 1.0)
        while power > 1e-12 {
            sum += power / divisor
            power *= ratio * ratio
            divisor += 2
        }
        return Double(value.exponent) + 2 * sum / naturalOfTwo
    }

    /// Rounded to four digits: no more is known of a prediction.
    static func span(_ octaves: Double) -> Nanoseconds {
        if octaves <= 0 { return 1 }
        if octaves >= 62 { return 1 << 62 }
        let value = Nanoseconds(ratio(octaves) + 0.5)
        let most = value / 10_000
        var unit: Nanoseconds = 1
        while unit <= most { unit *= 10 }
        return (value + unit / 2) / unit * unit
    }

    /// By how much so many octaves multiply.
    static func ratio(_ octaves: Double) -> Double {
        let bounded = min(max(octaves, -1_000), 1_000)
        let whole = Int(bounded + 1_000.5) - 1_000
        let exponent = (bounded - Double(whole)) * naturalOfTwo
        var sum = 0.0
        for coefficient in coefficients { sum = sum * exponent + coefficient }
        return sum * Double(sign: .plus, exponent: whole, significand: 1)
    }

    /// 1 / n!, the last first: of e to the power of half a natural logarithm of 2 and less, the rest is nothing.
    private static let coefficients: [Double] = [
        1 / 6_227_020_800, 1 / 479_001_600, 1 / 39_916_800, 1 / 3_628_800, 1 / 362_880, 1 / 40_320, 1 / 5_040, 1 / 720,
        1 / 120, 1 / 24, 1 / 6, 1 / 2, 1, 1,
    ]
}
