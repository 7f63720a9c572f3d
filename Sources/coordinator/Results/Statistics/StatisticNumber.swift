/// Values of statistics: decimal numbers, `nan` and `inf`.
package enum StatisticNumber {
    /// The nearest `Double`; nil: the text is no number.
    @inline(__always)
    package static func value(of text: RawSpan) -> Double? { decimal(text) ?? other(text) }

    /// Digits with or without a point, as nearly all statistics are: an integer below 2^53 and a power of ten up to
    /// 10^22 are both exact, so that one division rounds as it should (Clinger, "How to read floating point numbers
    /// accurately", 1990). nil: another way is needed.
    @inline(__always)
    private static func decimal(_ text: RawSpan) -> Double? {
        var digits: UInt64 = 0
        var fraction = 0
        var isFraction = false
        var offset = 0
        let isNegative = text.byteCount > 1 && text[0] == .dash
        if isNegative { offset = 1 }
        guard text.byteCount &- offset <= 17, text.byteCount > offset else { return nil }
        while offset < text.byteCount {
            let byte = text[offset]
            let digit = byte &- UInt8(ascii: "0")
            if digit <= 9 {
                digits = digits &* 10 &+ UInt64(digit)
                if isFraction { fraction &+= 1 }
            } else if byte == UInt8(ascii: "."), !isFraction, text.byteCount > offset &+ 1 {
                isFraction = true
            } else {
                return nil
            }
            offset &+= 1
        }
        guard digits < 1 << 53 else { return nil }
        let magnitude = isFraction ? Double(digits) / powersOfTen[fraction] : Double(digits)
        return isNegative ? -magnitude : magnitude
    }

    private static let powersOfTen: [Double] = [
        1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
    ]

    private static func other(_ text: RawSpan) -> Double? {
        // gem5 writes no exponents: the largest of all numbers has 309 digits before the point.
        guard 1...400 ~= text.byteCount else { return nil }
        let string = text.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
        switch string {
        case "nan", "-nan": return .nan
        case "inf", "+inf": return .infinity
        case "-inf": return -.infinity
        default:
            // Swift's reader also takes hexadecimal and words, which gem5 never writes.
            let isPlain = string.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "+"), UInt8(ascii: "-"),
                    UInt8(ascii: "e"), UInt8(ascii: "E"):
                    true
                default: false
                }
            }
            return isPlain ? Double(string) : nil
        }
    }
}
