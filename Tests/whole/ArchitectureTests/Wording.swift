/// What can be told by machine about texts that people read. The rest of the rules is for people.
enum Wording {
    /// Sources whose texts are held to it: all but those of the simulation, which speaks to developers.
    private static func isRead(_ path: String) -> Bool {
        path.hasPrefix("Sources/") && !path.hasPrefix("Sources/development/")
    }

    /// A phrase, and what to write instead.
    private static let phrases: [(phrase: String, instead: String)] = [
        ("1 slots", "1 slot"), ("stands twice", "duplicate"), ("any number of times", "may be repeated"),
        ("without a word", "say what happened"), (" a host)", "per host"), ("not whole", "damaged or incomplete"),
        ("well again", "works again"), ("held against", "compared with"), ("that is none", "that is not valid"),
        ("nobody knows", "it is not known"), ("there is not a", "there is no"), ("somebody removed", "was removed"),
        ("do everything again", "run everything again"), (" kB", "PeopleText.size"), ("lets in by", "accepts"),
    ]
    /// Words that nobody in the field uses, in comments too.
    private static let metaphors: [(word: String, instead: String)] = [
        ("mend", "fix"), ("mends", "fixes"), ("mended", "repaired"), ("mending", "repairing"),
    ]
    /// Whole words, unless another follows.
    private static let words: [(word: String, unless: [String], instead: String)] = metaphors.map { ($0, [], $1) } + [
        ("is no", ["longer", "more"], "is not a"), ("are no", ["longer", "more"], "are not"),
        ("cannot be made", ["durable", "again"], "cannot be created"),
    ]
    /// What is counted agrees with its number, which PeopleText sees to.
    private static let plurals = [
        "runs", "slots", "hosts", "attempts", "setups", "files", "functions", "checkpoints", "points", "repeats",
        "jobs", "blocks", "columns", "rows", "records", "invocations", "workloads", "cores", "images", "layers",
        "connections", "processes", "sweeps", "addresses", "groups", "errors", "leases", "calls",
    ]

    static func violations(_ file: SourceFile) -> [Violation] {
        guard file.isSwift, isRead(file.path) else { return [] }
        let text = SwiftText(file.text)
        let comments = String(decoding: text.comments, as: UTF8.self)
        let candidates = metaphors.filter { comments.contains($0.word) }
        let lines = candidates.isEmpty ? [] : comments.split(separator: "\n").map(String.init)
        return text.literals.flatMap { violations($0, of: file) }
            + lines.flatMap { line in
                candidates.filter { has($0.word, line, []) }.map { metaphor(line, $0, of: file) }
            }
    }

    private static func metaphor(
        _ line: String, _ found: (word: String, instead: String), of file: SourceFile
    ) -> Violation {
        Violation(
            rule: .wording, path: file.path,
            detail: "\"\(line.prefix(100))\": '\(found.word)': write '\(found.instead)'")
    }

    /// A page of the manual, or another document. What is code in it is not looked at.
    static func violations(document: SourceFile) -> [Violation] {
        var isCode = false
        return document.text.split(separator: "\n", omittingEmptySubsequences: false).flatMap { line in
            if line.hasPrefix("```") { isCode.toggle() }
            guard !isCode, !line.hasPrefix("    ") else { return [Violation]() }
            return violations(line.replacing(/`[^`]*`/, with: "`"), of: document)
        }
    }

    private static func violations(_ text: some StringProtocol, of file: SourceFile) -> [Violation] {
        problems(String(text)).map {
            Violation(rule: .wording, path: file.path, detail: "\"\(text.prefix(100))\": \($0)")
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
            // "There is no x" is as good as any, and a limit is never 1.
            let start = text[..<range.lowerBound].lowercased()
            if start.hasSuffix("there ") || start.hasSuffix("more than ") { continue }
            if !unless.contains(where: { after.hasPrefix(" \($0)") }) { return true }
        }
        return false
    }
}
