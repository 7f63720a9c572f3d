/// Sizes and durations as people write them in files and on the command line.
public enum Quantity {
    private static let byteUnits: [(name: String, factor: Int64)] = [
        ("B", 1),
        ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40),
        ("KB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000),
    ]
    /// From long to short: the order in which they may stand.
    private static let timeUnits: [(name: String, factor: Int64)] = [
        ("d", 86_400_000_000_000), ("h", 3_600_000_000_000), ("m", 60_000_000_000), ("s", 1_000_000_000),
        ("ms", 1_000_000),
    ]

    /// A size in bytes: a whole number and a unit, `256KiB`, `4GB`, `64B`.
    ///
    /// - Throws: ``Failure`` (`badSpecification`) that says what to write instead.
    public static func bytes(_ text: String) throws -> Int64 {
        guard let (number, unit, rest) = part(Substring(text)), rest.isEmpty else {
            throw wrong(
                text, "a size",
                byteGuess(text) ?? "a whole number and a unit (\(names(byteUnits))), as in 256KiB")
        }
        guard let factor = byteUnits.first(where: { $0.name == unit })?.factor else {
            throw wrong(text, "a size", byteHint(number: number, unit: unit))
        }
        let (value, overflow) = number.multipliedReportingOverflow(by: factor)
        guard !overflow else { throw wrong(text, "a size that fits 64 bits", "a smaller one") }
        return value
    }

    /// A duration: whole numbers with the units d, h, m, s, ms, from long to short: `90s`, `2h30m`.
    ///
    /// - Throws: ``Failure`` (`badSpecification`) that says what to write instead.
    public static func duration(_ text: String) throws -> Nanoseconds {
        var rest = Substring(text)
        var units = timeUnits[...]
        var total: Nanoseconds = 0
        repeat {
            guard let (number, unit, after) = part(rest) else {
                throw wrong(text, "a duration", "whole numbers with units (\(names(timeUnits))), as in 90s or 2h30m")
            }
            guard let index = units.firstIndex(where: { $0.name == unit }) else {
                let hint = "the units d, h, m, s, ms, each once and from long to short, as in 90s or 2h30m"
                let isAlone = unit.isEmpty && after.isEmpty && units.count == timeUnits.count
                throw wrong(
                    text, "a duration", guess(text) ?? (isAlone ? "a unit too: \(number)s or \(number)m" : hint))
            }
            let (value, overflow) = number.multipliedReportingOverflow(by: units[index].factor)
            let (sum, sumOverflow) = total.addingReportingOverflow(value)
            guard !overflow, !sumOverflow else { throw wrong(text, "a duration under 292 years", "a shorter one") }
            total = sum
            units = units[(index + 1)...]
            rest = after
        } while !rest.isEmpty
        return total
    }

    /// What `1 h`, `2 days` and `1.5h` are written as; nil: not known.
    private static func guess(_ text: String) -> String? {
        let number = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let word = text[number.endIndex...].drop { $0 == " " }.lowercased()
        let names = ["ms": "ms", "millisecond": "ms", "s": "s", "sec": "s", "second": "s", "m": "m", "min": "m",
            "minute": "m", "h": "h", "hr": "h", "hour": "h", "d": "d", "day": "d"]
        guard let unit = names[word] ?? names[word.hasSuffix("s") ? String(word.dropLast()) : word],
            let factor = timeUnits.first(where: { $0.name == unit })?.factor, let value = Double(number)
        else { return nil }
        var rest = Nanoseconds((value * Double(factor)).rounded())
        guard value < 1_000_000, rest > 0 else { return nil }
        var parts = ""
        for unit in timeUnits where rest >= unit.factor {
            parts += "\(rest / unit.factor)\(unit.name)"
            rest %= unit.factor
        }
        return rest == 0 ? parts : nil
    }

    /// What `4 GiB`, `4 gigabytes` and `1.5GiB` are written as; nil: not known.
    private static func byteGuess(_ text: String) -> String? {
        let number = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let word = text[number.endIndex...].drop { $0 == " " }.lowercased()
        let singular = word.hasSuffix("s") ? String(word.dropLast()) : word
        let names = ["byte": "B", "kilobyte": "KB", "megabyte": "MB", "gigabyte": "GB", "terabyte": "TB",
            "kibibyte": "KiB", "mebibyte": "MiB", "gibibyte": "GiB", "tebibyte": "TiB"]
        let unit = names[singular] ?? byteUnits.first { $0.name.lowercased() == word }?.name
        guard let index = byteUnits.firstIndex(where: { $0.name == unit }), let value = Double(number)
        else { return nil }
        let bytes = value * Double(byteUnits[index].factor)
        guard bytes >= 1, bytes < 1e15, bytes == bytes.rounded() else { return nil }
        // In the unit that was written, else in the next smaller one of its kind.
        let isBinary = byteUnits[index].name.contains("i") || index == 0
        let units = byteUnits.filter { $0.name == "B" || $0.name.contains("i") == isBinary }
        let fitting = units.reversed().first { $0.factor <= byteUnits[index].factor && Int64(bytes) % $0.factor == 0 }
        return fitting.map { "\(Int64(bytes) / $0.factor)\($0.name)" }
    }

    /// A percentage in millionths: `1%`, `0.05%`, up to four digits behind the point.
    ///
    /// - Throws: ``Failure`` (`badSpecification`) that says what to write instead.
    public static func millionths(_ text: String) throws -> Int64 {
        let number = text.hasSuffix("%") ? text.dropLast() : ""
        let parts = number.split(separator: ".", omittingEmptySubsequences: false)
        let isWritten = (1...2).contains(parts.count) && parts.allSatisfy { part in
            !part.isEmpty && part.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        }
        let fraction = parts.count == 2 ? parts[1] : ""
        guard isWritten, parts[0].count <= 3, fraction.count <= 4,
            let value = Int64(parts[0] + fraction + String(repeating: "0", count: 4 - fraction.count)),
            value <= 1_000_000
        else { throw wrong(text, "a percentage", "up to 100%, with at most four decimal places, as in 0.5%") }
        return value
    }

    /// A number, the letters that follow it, and what is left.
    private static func part(_ text: Substring) -> (number: Int64, unit: String, rest: Substring)? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard !digits.isEmpty, let number = Int64(digits) else { return nil }
        let unit = text[digits.endIndex...].prefix { $0.isASCII && $0.isLetter }
        return (number, String(unit), text[unit.endIndex...])
    }

    private static func byteHint(number: Int64, unit: String) -> String {
        let guess =
            byteUnits.first { $0.name.lowercased() == unit.lowercased() }
            ?? byteUnits.first { $0.name.prefix(1).lowercased() == unit.lowercased() && $0.name != "B" }
        if let guess { return "\(number)\(guess.name)" }
        return "a unit too (\(names(byteUnits))), as in \(number)KiB"
    }

    private static func names(_ units: [(name: String, factor: Int64)]) -> String {
        units.map(\.name).joined(separator: ", ")
    }

    private static func wrong(_ text: String, _ what: String, _ hint: String) -> Failure {
        Failure(.badSpecification, "'\(Names.shown(text))' is not \(what); write \(hint)")
    }
}
