/// Which types a source declares, by their names with those of the types around them.
enum TypeNames {
    /// Names that may be declared twice, with the reason.
    static let allowed: [String: String] = [:]

    /// Types that have their name from another already: one word is one thing, whichever target it is in.
    static func duplicates(_ files: [SourceFile], allowed: [String: String] = allowed) -> [Violation] {
        var first: [String: String] = [:]
        var found: [Violation] = []
        for file in files where file.isSwift && file.path.hasPrefix("Sources/") {
            for name in declared(in: SwiftText(file.text)) {
                guard let other = first[name] else {
                    first[name] = file.path
                    continue
                }
                if allowed[name] == nil {
                    found.append(
                        Violation(rule: .twice, path: file.path, detail: "'\(name)' is the name of a type in \(other)"))
                }
            }
        }
        return found
    }

    /// In their order: `Outer`, `Outer.Inner`.
    static func declared(in text: SwiftText) -> [String] {
        let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "actor", "extension"]
        var names: [String] = []
        // One for each brace that is open; empty: it is none of a type.
        var around: [Substring] = []
        var next: Substring?
        for line in text.codeLines {
            let words = tokens(line)
            if words.contains("import") { continue }
            for (index, word) in words.enumerated() {
                if word == "{" {
                    around.append(next ?? "")
                    next = nil
                } else if word == "}" {
                    _ = around.popLast()
                } else if index > 0, kinds.contains(words[index - 1]), word.first?.isUppercase == true {
                    next = word
                    if words[index - 1] != "extension" {
                        names.append((around.filter { !$0.isEmpty } + [word]).joined(separator: "."))
                    }
                }
            }
        }
        return names
    }

    /// Braces, and words with points in them.
    private static func tokens(_ line: String) -> [Substring] {
        var tokens: [Substring] = []
        var rest = line[...]
        while let start = rest.firstIndex(where: { $0 == "{" || $0 == "}" || isPart($0) }) {
            rest = rest[start...]
            let end = isPart(rest[start]) ? rest.firstIndex { !isPart($0) } ?? rest.endIndex : rest.index(after: start)
            tokens.append(rest[..<end])
            rest = rest[end...]
        }
        return tokens
    }

    private static func isPart(_ character: Character) -> Bool {
        character.isLetter || character.isNumber || character == "_" || character == "."
    }
}
