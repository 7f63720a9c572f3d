/// Text from outside, made safe for a terminal, a log or a message. This is the only place where that is done.
public enum VisibleText {
    /// Characters that cannot be seen, or that turn or hide others, become escapes (`\n`, `\t`, `\u{1b}`, `\u{a0}`).
    ///
    /// - Parameter limit: at most so many characters of the text, then `...`; nil: all.
    public static func of(_ text: some StringProtocol, limit: Int? = nil) -> String {
        let end = limit.flatMap { text.index(text.startIndex, offsetBy: $0, limitedBy: text.endIndex) } ?? text.endIndex
        var shown = ""
        for scalar in text[..<end].unicodeScalars {
            switch scalar {
            case "\n": shown += "\\n"
            case "\r": shown += "\\r"
            case "\t": shown += "\\t"
            case _ where isHidden(scalar): shown += "\\u{" + String(scalar.value, radix: 16) + "}"
            default: shown.unicodeScalars.append(scalar)
            }
        }
        return end < text.endIndex ? shown + "..." : shown
    }

    /// Bytes that should be UTF-8; what is not becomes U+FFFD.
    public static func of(_ bytes: some Collection<UInt8>) -> String { of(String(decoding: bytes, as: UTF8.self)) }

    /// How many columns of a terminal a text takes: two for wide East Asian characters and most pictographs.
    public static func width(_ text: String) -> Int {
        text.reduce(0) { sum, character in
            guard let scalar = character.unicodeScalars.first else { return sum }
            return sum + (isWide(scalar) ? 2 : 1)
        }
    }

    /// As much of a text as so many columns of a terminal hold.
    public static func cut(_ text: String, columns: Int) -> String {
        var room = columns
        let end = text.firstIndex { character in
            room -= width(String(character))
            return room < 0
        }
        return String(text[..<(end ?? text.endIndex)])
    }

    /// As much of a text as so many bytes hold, with `...` at its end where that is not all. One character can be of
    /// any length.
    public static func cut(_ text: String, bytes limit: Int) -> String {
        guard text.utf8.count > limit else { return text }
        var end = text.utf8.index(text.startIndex, offsetBy: max(0, limit - 3))
        while end.samePosition(in: text.unicodeScalars) == nil { text.utf8.formIndex(before: &end) }
        return String(text[..<end]) + "..."
    }

    /// Whether a character moves the cursor, changes how others are shown, or cannot be told from a space or from
    /// nothing: two names that differ by it look the same.
    public static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return scalar.value < 0x20 || scalar.value == 0x7f }
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .spaceSeparator: return true
        default: return scalar.properties.isDefaultIgnorableCodePoint || scalar == "\u{2800}"
        }
    }

    /// What to do about a hidden character in a name. Most keyboards put U+FE0F behind an emoji, and nobody finds it.
    package static func remedy(_ scalar: Unicode.Scalar) -> String {
        scalar.properties.isVariationSelector ? "it belongs to an emoji: write a word instead" : "remove it"
    }

    private static func isWide(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x1100...0x115f, 0x2e80...0x303e, 0x3041...0xa4cf, 0xac00...0xd7a3, 0xf900...0xfaff, 0xfe30...0xfe6f,
            0xff00...0xff60, 0xffe0...0xffe6, 0x1f300...0x1f64f, 0x1f680...0x1f6ff, 0x1f900...0x1f9ff,
            0x20000...0x3fffd:
            true
        default: false
        }
    }
}
