/// Numbers as people read them, in one place; machine formats have full precision and name the unit elsewhere.
public enum PeopleText {
    /// A text with one full stop at its end, whether it has one or not.
    public static func sentence(_ text: String) -> String { text.hasSuffix(".") ? text : "\(text)." }

    /// A size in bytes: `812 B`, `1.5 MiB`, `74.5 GiB`.
    public static func size(_ bytes: Int64) -> String {
        guard bytes.magnitude >= 1_024 else { return "\(bytes) B" }
        var value = Double(bytes)
        var unit = ""
        for next in ["KiB", "MiB", "GiB", "TiB"] where value.magnitude >= 1_023.95 || unit.isEmpty {
            value /= 1_024
            unit = next
        }
        return "\(decimals(value, 1)) \(unit)"
    }

    /// A span of time: `0.07 s`, `9.5 s`, `48 s`, `3 m 12 s`, `2 h 5 m`, `3 d 4 h`.
    public static func span(_ span: Nanoseconds) -> String {
        let seconds = max(0, Double(span) / 1e9)
        if seconds < 0.995 { return seconds == 0 ? "0 s" : "\(decimals(max(seconds, 0.01), 2)) s" }
        if seconds < 9.95 { return "\(decimals(seconds, 1)) s" }
        let whole = Int64(seconds.rounded())
        if whole < 60 { return "\(whole) s" }
        if whole < 3_600 { return "\(whole / 60) m \(whole % 60) s" }
        let minutes = whole / 60
        if minutes < 1_440 { return "\(minutes / 60) h \(minutes % 60) m" }
        return "\(minutes / 1_440) d \(minutes % 1_440 / 60) h"
    }

    /// A count that agrees with its noun: `1 slot`, `2 slots`.
    ///
    /// - Parameter nouns: where the plural is not the noun with an s.
    public static func count(_ number: some BinaryInteger, _ noun: String, _ nouns: String? = nil) -> String {
        "\(number) \(number == 1 ? noun : nouns ?? noun + "s")"
    }

    /// `0.5%`.
    package static func percentage(millionths: Int64) -> String { "\(decimals(Double(millionths) / 10_000, 4))%" }

    /// A part of a number of things: "1 of 1 functions".
    package static func share(_ part: Int, of whole: Int, _ nouns: String) -> String { "\(part) of \(whole) \(nouns)" }

    /// Some of many: `a`, `a and b`, `a, b, c and 7 more`.
    public static func list(_ names: [String], atMost limit: Int = 8) -> String {
        let shown = names.count <= limit ? names : Array(names.prefix(limit)) + ["\(names.count - limit) more"]
        guard let last = shown.last, shown.count > 1 else { return shown.first ?? "" }
        return "\(shown.dropLast().joined(separator: ", ")) and \(last)"
    }

    /// With so many decimals, without zeros at the end.
    private static func decimals(_ value: Double, _ places: Int) -> String {
        var unit = 1.0
        for _ in 0..<places { unit *= 10 }
        let text = ((value * unit).rounded() / unit).description
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }
}
