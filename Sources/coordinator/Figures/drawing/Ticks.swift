/// Where an axis of numbers begins and ends, and the round numbers that it shows.
struct Ticks: Equatable {
    let values: [Double]
    let lower: Double
    let upper: Double
    /// What the labels were divided by, a power of 1,000, and the word for it.
    let factor: Double
    let factorName: String
    private let places: Int

    private static let most = 50
    /// Beyond it a range's width, or the next round number, is infinite. See ``FigureLimits/largest``.
    private static let largest = 1e301
    /// What differs by less is one value to an axis.
    private static let least = 1e-290

    /// - Parameters:
    ///   - range: what must be shown; its ends are finite.
    ///   - count: about how many ticks.
    ///   - isTight: whether the axis ends with the range instead of the next round number.
    init(_ range: ClosedRange<Double>, count: Int, isTight: Bool = false) {
        var (low, high) = (
            min(max(range.lowerBound, -Ticks.largest), Ticks.largest),
            min(max(range.upperBound, -Ticks.largest), Ticks.largest)
        )
        // One value alone, or two so near that a Double has nothing between them, need some room.
        let least = max(max(low.magnitude, high.magnitude) * 1e-12, Ticks.least)
        if high - low <= least {
            let room = low.magnitude < Ticks.least ? 1 : low.magnitude * 0.1
            (low, high) = (low - room, high + room)
        }
        let (step, exponent) = Ticks.step((high - low) / Double(max(count, 1)))
        let first = isTight ? (low / step).rounded(.up) : (low / step).rounded(.down)
        let last = isTight ? (high / step).rounded(.down) : (high / step).rounded(.up)
        values = first <= last
            ? (0...Int(min(last - first, Double(Ticks.most - 1)))).map { (first + Double($0)) * step } : []
        lower = isTight ? low : first * step
        upper = isTight ? high : last * step
        let zeros: Int
        (factor, factorName, zeros) = Ticks.factor(max(lower.magnitude, upper.magnitude))
        places = max(0, zeros - exponent)
    }

    func label(_ value: Double) -> String { Ticks.fixed(value / factor, places) }

    /// The least of 1, 2, 2.5 and 5 times a power of ten that is not much below a width, and the exponent of its last
    /// digit.
    private static func step(_ width: Double) -> (step: Double, exponent: Int) {
        var (power, exponent) = (1.0, 0)
        while power > width, exponent > -300 { (power, exponent) = (power / 10, exponent - 1) }
        while power * 10 <= width, exponent < 300 { (power, exponent) = (power * 10, exponent + 1) }
        for (multiple, digits) in [(1.0, 0), (2, 0), (2.5, 1), (5, 0)] where multiple * power >= width * 0.8 {
            return (multiple * power, exponent - digits)
        }
        return (10 * power, exponent + 1)
    }

    private static func factor(_ most: Double) -> (factor: Double, name: String, zeros: Int) {
        for (factor, name, zeros) in [(1e9, "billions", 9), (1e6, "millions", 6)] where factor..<factor * 1e3 ~= most {
            return (factor, name, zeros)
        }
        guard most >= 1e12 else { return most >= 20_000 ? (1e3, "thousands", 3) : (1, "", 0) }
        var (factor, zeros) = (1e12, 12)
        while most / factor >= 1_000 { (factor, zeros) = (factor * 1_000, zeros + 3) }
        return (factor, "10^\(zeros)", zeros)
    }

    /// With so many decimals; whole thousands are told apart by commas.
    static func fixed(_ value: Double, _ places: Int) -> String {
        guard places <= 12, value.magnitude < 1e15 else { return value.description }
        var unit = 1.0
        for _ in 0..<places { unit *= 10 }
        let scaled = (value.magnitude * unit).rounded()
        guard scaled < 9e18 else { return value.description }
        let digits = String(Int64(scaled))
        let padded = String(repeating: "0", count: max(0, places + 1 - digits.count)) + digits
        let whole = grouped(String(padded.dropLast(places)))
        let sign = value < 0 && scaled > 0 ? "\u{2212}" : ""
        return sign + whole + (places > 0 ? "." + padded.suffix(places) : "")
    }

    private static func grouped(_ digits: String) -> String {
        guard digits.count > 4 else { return digits }
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { text += "," }
            text.append(digit)
        }
        return text
    }
}
