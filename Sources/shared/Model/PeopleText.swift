/// Numbers as people read them, in one place; machine formats have full precision and name the unit elsewhere.
public enum PeopleText {
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

    /// With so many decimals, without zeros at the end.
    private static func decimals(_ value: Double, _ places: Int) -> String {
        var unit = 1.0
        for _ in 0..<places { unit *= 10 }
        let text = ((value * unit).rounded() / unit).description
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }
}
