internal import Model

/// How wide text is in the sans-serif faces that figures are set in (Helvetica, Arial and Liberation Sans have the same
/// widths), so that labels keep clear of each other without asking a program.
enum TextSize {
    /// In thousandths of the font's size, of the characters from U+0020 to U+007E.
    private static let widths: [UInt16] = [
        278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278,
        556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556,
        1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778,
        667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556,
        333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556,
        556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
    ]

    /// In points.
    static func width(_ text: String, size: Double) -> Double {
        var sum = 0.0
        for character in text {
            if let ascii = character.asciiValue, ascii >= 0x20, ascii < 0x7f {
                sum += Double(widths[Int(ascii) - 0x20])
            } else {
                sum += Double(VisibleText.width(String(character))) * 600
            }
        }
        return sum * size / 1_000
    }

    /// As much of a text as fits, with an ellipsis where something is left out.
    static func cut(_ text: String, to width: Double, size: Double) -> String {
        guard self.width(text, size: size) > width else { return text }
        var rest = Substring(text)
        while !rest.isEmpty, self.width("\(rest)\u{2026}", size: size) > width { rest.removeLast() }
        return "\(rest)\u{2026}"
    }
}
