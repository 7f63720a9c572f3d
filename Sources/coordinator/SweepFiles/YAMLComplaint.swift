import Model
import Yams

/// What to say of a text that is not YAML. The library names the place where it could not go on; what people did wrong
/// is mostly on that line or the one above: a tab, an indentation that differs, a space that is none.
struct YAMLComplaint {
    private let lines: [Substring]
    private let file: String

    init(_ text: String, _ file: String) {
        lines = text.split(omittingEmptySubsequences: false) { $0.isNewline }
        self.file = file
    }

    func failure(_ error: YamlError) -> Failure {
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _):
            let place = Place(mark)
            if let cause = hidden(place) ?? tab(place) { return cause }
            let mistakes = YAMLMistakes(
                lines, problem: problem, at: place, context: context?.text, start: context.map { Place($0.mark) })
            if let found = mistakes.found { return at(found.place, "not YAML: \(found.text)") }
            let quoting = "; put text with any of { } [ ] , : # & * ! | > % @ in quotes"
            return at(place, "not YAML:\(context.map { " \($0.text)" } ?? "") \(problem)\(quoting)")
        case .composer(_, let problem, let mark, _):
            if problem.contains("alias") { return at(Place(mark), YAMLValue.aliasText) }
            let isSecond = problem.contains("another document")
            let what = isSecond ? "another document begins here; a file must have only one" : problem
            return at(Place(mark), "not YAML: \(what)")
        case .duplicatedKeysInMapping(let duplicates, let context):
            let key = duplicates.first ?? ""
            let places = keyPlaces(key, from: Place(context.mark))
            guard let first = places.first, let second = places.dropFirst().first else {
                return at(Place(context.mark), "key '\(Names.shown(key))': is a duplicate; remove one")
            }
            return at(second, YAMLComplaint.duplicate(Names.shown(key), first: first))
        case .reader(let problem, _, let value, let yaml):
            // The offset counts what people see as one character, and its line end as one, too.
            let before = yaml.unicodeScalars.prefix { $0.value != UInt32(bitPattern: value) }
            let place = Place(
                line: before.count { $0 == "\n" } + 1, column: before.reversed().prefix { $0 != "\n" }.count + 1)
            let character = Unicode.Scalar(UInt32(bitPattern: value)).map { " (\(VisibleText.of(String($0))))" } ?? ""
            return at(place, "not YAML: \(problem)\(character); remove the character")
        case .no, .memory, .writer, .emitter, .representer, .dataCouldNotBeDecoded:
            return Failure(.badSpecification, "\(file):1:1: not YAML", cause: "\(error)")
        }
    }

    /// What is said at the second place of a key.
    static func duplicate(_ key: String, first: Place?) -> String {
        let place = first.map { ": given twice, first in line \($0.line), column \($0.column)" } ?? ""
        return "key '\(key)': is a duplicate\(place); remove one"
    }

    /// Where a mapping whose first key is at a place has another key: the library names that place alone. In a block,
    /// its keys are in one column; within braces, they may be anywhere behind.
    private func keyPlaces(_ key: String, from start: Place) -> [Place] {
        guard lines.indices.contains(start.line - 1), start.column > 0 else { return [] }
        let all = (start.line...lines.count).flatMap { number in
            let line = Array(lines[number - 1])
            return line.indices.filter { isKey(key, line, $0) && (number > start.line || $0 >= start.column - 1) }
                .map { Place(line: number, column: $0 + 1) }
        }
        let aligned = all.filter { $0.column == start.column }
        return aligned.count > 1 ? aligned : all
    }

    private func isKey(_ key: String, _ line: [Character], _ index: Int) -> Bool {
        var rest = line[index...]
        if index > 0, !" \t{,?".contains(line[index - 1]) { return false }
        let quote = rest.first.flatMap { $0 == "'" || $0 == "\"" ? $0 : nil }
        if quote != nil { rest = rest.dropFirst() }
        guard rest.starts(with: key) else { return false }
        rest = rest.dropFirst(key.count)
        if let quote {
            guard rest.first == quote else { return false }
            rest = rest.dropFirst()
        }
        rest = rest.drop { $0 == " " }
        guard rest.first == ":" else { return false }
        let next = rest.dropFirst().first
        return quote != nil || next == nil || next?.isWhitespace ?? true
    }

    func at(_ place: Place, _ text: String) -> Failure {
        Failure(.badSpecification, "\(file):\(place.line):\(place.column): \(text)")
    }

    /// Whether text without quotes goes on over the end of its line, where YAML makes a space of it, and takes what
    /// was meant for a further element of the list.
    func takesAnElement(_ scalar: Node.Scalar) -> Bool {
        // Bytes first: a list may have very many values.
        guard scalar.string.utf8.contains(UInt8(ascii: "-")), scalar.string.contains(" - "),
            let mark = scalar.mark, mark.line >= 1
        else { return false }
        for line in lines.dropFirst(mark.line).map(\.trimmed) where !line.isEmpty {
            // A comment ends the text.
            let text = line.split(separator: " #", maxSplits: 1).first.map { $0.trimmed } ?? ""
            guard !text.isEmpty, scalar.string.contains(" \(text)") else { return false }
            if text.hasPrefix("- ") { return true }
        }
        return false
    }

    /// Lines near a place, nearest first, with their numbers.
    private func near(_ place: Place) -> [(number: Int, text: Substring)] {
        [place.line, place.line - 1, place.line + 1].filter { $0 >= 1 && $0 <= lines.count }.map { ($0, lines[$0 - 1]) }
    }

    private func hidden(_ place: Place) -> Failure? {
        for line in near(place) {
            for (index, scalar) in line.text.unicodeScalars.enumerated()
            where scalar != "\t" && VisibleText.isHidden(scalar) {
                let what = "an invisible character (\(VisibleText.of(String(scalar))))"
                return at(Place(line: line.number, column: index + 1), "\(what); write a space, or remove it")
            }
        }
        return nil
    }

    private func tab(_ place: Place) -> Failure? {
        for line in near(place) {
            let indentation = line.text.prefix { $0 == " " || $0 == "\t" }
            guard let tab = indentation.firstIndex(of: "\t") else { continue }
            let column = indentation.distance(from: indentation.startIndex, to: tab) + 1
            return at(Place(line: line.number, column: column), "not YAML: the line is indented with a tab; use spaces")
        }
        return nil
    }
}
