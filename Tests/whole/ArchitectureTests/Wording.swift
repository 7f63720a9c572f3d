/// What can be told by machine about texts that people read. The rest of the rules is for people.
enum Wording {
    /// Sources whose texts are held to it.
    static let folders = ["Sources/programs/"]

    /// A phrase, and what to write instead.
    private static let phrases: [(phrase: String, instead: String)] = [
        ("1 slots", "1 slot"), ("stands twice", "duplicate"), ("any number of times", "may be repeated"),
        ("without a word", "say what happened"), (" a host)", "per host"), ("cannot be made", "cannot be created"),
        ("is void", "say what ended"), ("did not succeed", "failed, quarantined, cancelled"),
    ]
    /// Whole words, unless another follows.
    private static let words: [(word: String, unless: [String], instead: String)] = [
        ("mend", [], "fix"), ("mends", [], "fixes"), ("mended", [], "repaired"), ("mending", [], "repairing"),
        ("is no", ["longer", "more"], "is not a"), ("are no", ["longer", "more"], "are not"),
    ]
    /// What is counted agrees with its number, which PeopleText sees to.
    private static let plurals = ["runs", "slots", "hosts", "attempts", "setups", "files", "functions", "checkpoints"]

    static func violations(_ file: SourceFile) -> [Violation] {
        guard file.isSwift, folders.contains(where: file.path.hasPrefix) else { return [] }
        return SwiftText(file.text).literals.flatMap { literal in
            problems(literal).map {
                Violation(rule: .wording, path: file.path, detail: "\"\(literal.prefix(100))\": \($0)")
            }
        }
    }

    static func problems(_ text: String) -> [String] {
        var found = phrases.filter { text.contains($0.phrase) }.map { "'\($0.phrase)': write '\($0.instead)'" }
        for (word, unless, instead) in words where has(word, text, unless) {
            found.append("'\(word)': write '\(instead)'")
        }
        for noun in plurals where has("\(SwiftText.gap) \(noun)", text, []) {
            found.append("a number and '\(noun)': write PeopleText.count")
        }
        return found
    }

    /// Whether a text has a word, not as part of another and not before one of some.
    private static func has(_ word: String, _ text: String, _ unless: [String]) -> Bool {
        guard text != word else { return false }
        var rest = text[...]
        while let range = rest.firstRange(of: word) {
            let before = text[..<range.lowerBound].last
            let after = text[range.upperBound...]
            rest = after
            let isPart = [before, after.first].contains { $0?.isLetter == true || $0 == "-" }
            if isPart { continue }
            // "There is no x" is as good as any.
            if text[..<range.lowerBound].lowercased().hasSuffix("there ") { continue }
            if !unless.contains(where: { after.hasPrefix(" \($0)") }) { return true }
        }
        return false
    }
}
