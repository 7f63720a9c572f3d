/// Names of many hosts in one: `node[01-16]`, `rack[1-2]n[01-08]`, `node[1,3,5-7]`.
public enum HostRange {
    /// The most names that one pattern may give.
    public static let limit = 10_000

    /// All names of a pattern in order, the last range fastest. Zeros in front are kept: `[08-11]` gives 08 to 11.
    ///
    /// - Throws: ``Failure`` (`badSpecification`) that says what is wrong with a range and what to write.
    public static func expand(_ pattern: String) throws -> [String] {
        var names = [""]
        var rest = Substring(pattern)
        while let open = rest.firstIndex(of: "[") {
            let before = rest[..<open]
            guard let close = rest[open...].firstIndex(of: "]") else { throw wrong(pattern, "a '[' is not closed") }
            let choices = try items(rest[rest.index(after: open)..<close], of: pattern)
            guard names.count * choices.count <= limit else {
                throw wrong(pattern, "it gives more than \(limit) names")
            }
            guard !before.contains("]") else { throw wrong(pattern, "a ']' has no '['") }
            names = names.flatMap { name in choices.map { name + before + $0 } }
            rest = rest[rest.index(after: close)...]
        }
        guard !rest.contains("]") else { throw wrong(pattern, "a ']' has no '['") }
        return names.map { $0 + rest }
    }

    private static func items(_ list: Substring, of pattern: String) throws -> [String] {
        var names: [String] = []
        for item in list.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = item.split(separator: "-", omittingEmptySubsequences: false)
            guard (1...2).contains(ends.count), ends.allSatisfy({ isNumber($0) }), let first = ends.first,
                let last = ends.last, let low = Int(first), let high = Int(last)
            else { throw wrong(pattern, "'\(Names.shown(String(item)))' is neither a number nor a range") }
            guard low <= high else { throw wrong(pattern, "\(item) goes backwards") }
            let isPadded = first.hasPrefix("0") && first.count > 1 || last.hasPrefix("0") && last.count > 1
            guard !isPadded || first.count == last.count else {
                throw wrong(pattern, "the ends of \(item) have different numbers of digits")
            }
            guard high - low < limit else { throw wrong(pattern, "it gives more than \(limit) names") }
            names += (low...high).map { number in
                let digits = String(number)
                return isPadded ? String(repeating: "0", count: first.count - digits.count) + digits : digits
            }
        }
        return names
    }

    private static func isNumber(_ text: Substring) -> Bool {
        1...9 ~= text.utf8.count && text.utf8.allSatisfy { 0x30...0x39 ~= $0 }
    }

    private static func wrong(_ pattern: String, _ why: String) -> Failure {
        Failure(
            .badSpecification,
            "'\(Names.shown(pattern))' is not a host range: \(why); write one like node[01-16] or node[1,3,5-7]")
    }
}
