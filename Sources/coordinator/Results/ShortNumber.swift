/// A number as people read it: four significant digits, whole parts in full, worked out on the text so that no digit is
/// made up. What is not zero is never shown as zero, and what is not whole never as a whole number. Files have all
/// digits.
package enum ShortNumber {
    private static let significant = 4

    /// - Parameter text: a number in JSON's grammar; anything else is left as it is.
    package static func text(_ text: String) -> String {
        guard let number = Decimal(text), !number.isPlainWhole else { return text }
        guard !number.digits.isEmpty else { return "0" }
        if number.written <= significant, text.utf8.count <= 10 { return text }
        // From 0.0001 to below 10^15.
        let isFixed = -3...15 ~= number.point
        let least = isFixed ? max(significant, number.isWhole ? number.point : number.point + 1) : significant
        for count in least..<max(number.digits.count, least + 1) {
            let rounded = number.rounded(to: count)
            guard number.isWhole || !rounded.isWhole else { continue }
            return isFixed ? rounded.fixed(count) : rounded.scientific(count)
        }
        return isFixed ? number.fixed(number.digits.count) : number.scientific(number.digits.count)
    }

    /// 0.d1 d2 d3 ... x 10^`point`.
    private struct Decimal {
        var isNegative = false
        /// Without zeros at either end; none: zero.
        var digits: [UInt8] = []
        var point = 0
        /// How many digits were written, without zeros in front.
        var written = 0
        /// Whether it was written without a point and an exponent.
        var isPlainWhole = true

        init?(_ text: String) {
            var rest = Substring(text)
            if rest.first == "-" {
                isNegative = true
                rest.removeFirst()
            }
            var places: Int?
            while let character = rest.first, character != "e", character != "E" {
                rest.removeFirst()
                if character == "." {
                    guard places == nil else { return nil }
                    places = 0
                    continue
                }
                guard let digit = character.wholeNumberValue, character.isASCII else { return nil }
                digits.append(UInt8(digit))
                places = places.map { $0 + 1 }
            }
            guard !digits.isEmpty else { return nil }
            isPlainWhole = places == nil && rest.isEmpty
            point = digits.count - (places ?? 0)
            if !rest.isEmpty {
                guard let exponent = Int(rest.dropFirst()), exponent.magnitude < 1_000_000 else { return nil }
                point += exponent
            }
            let zeros = digits.prefix { $0 == 0 }.count
            digits.removeFirst(zeros)
            written = digits.count
            point -= zeros
            trim()
        }

        var isWhole: Bool { digits.count <= point }

        private mutating func trim() { while digits.last == 0 { digits.removeLast() } }

        /// The nearest with so many digits; halves go away from zero.
        func rounded(to count: Int) -> Decimal {
            guard count < digits.count else { return self }
            var result = self
            result.digits = Array(digits[..<count])
            if digits[count] >= 5 {
                var index = count - 1
                while index >= 0, result.digits[index] == 9 {
                    result.digits[index] = 0
                    index -= 1
                }
                if index >= 0 {
                    result.digits[index] += 1
                } else {
                    result.digits = [1]
                    result.point += 1
                }
            }
            result.trim()
            return result
        }

        /// With zeros up to so many significant digits.
        func fixed(_ count: Int) -> String {
            let whole = (0..<max(point, 0)).map { $0 < digits.count ? digits[$0] : 0 }
            let fraction = Array(repeating: 0, count: max(-point, 0)) + digits.dropFirst(max(point, 0))
            let wanted = max(count - point, 0)
            let padded = fraction + Array(repeating: 0, count: max(wanted - fraction.count, 0))
            let head = whole.isEmpty ? "0" : Decimal.text(whole)
            return (isNegative ? "-" : "") + head + (padded.isEmpty ? "" : "." + Decimal.text(padded))
        }

        func scientific(_ count: Int) -> String {
            let padded = digits + Array(repeating: 0, count: max(count - digits.count, 0))
            let exponent = point - 1
            let size = String(abs(exponent))
            return (isNegative ? "-" : "") + Decimal.text(padded.prefix(1)) + "." + Decimal.text(padded.dropFirst())
                + "e" + (exponent < 0 ? "-" : "+") + (size.utf8.count < 2 ? "0" : "") + size
        }

        private static func text(_ digits: some Sequence<UInt8>) -> String {
            String(decoding: digits.map { $0 + UInt8(ascii: "0") }, as: UTF8.self)
        }
    }
}
