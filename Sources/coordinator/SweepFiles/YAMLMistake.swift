import Model

/// What somebody who wrote a text that is not YAML most likely did. The library says what it would have taken, and
/// where it could not go on: what was written there, or above it, tells more.
struct YAMLMistake {
    var place: Place
    var text: String

    init(_ place: Place, _ text: String) { (self.place, self.text) = (place, text) }

    /// What was wrong with a text that begins with a sign.
    fileprivate init(quoting line: YAMLLine, at place: Place) {
        let sign = line.character(place.column)
        guard sign != "\t" else {
            self.init(place, "a tab cannot be used here; use spaces")
            return
        }
        let shown = sign.map { "'\($0)'" } ?? "such a sign"
        self.init(place, "text that begins with \(shown) must be in quotes\(line.quoted(from: place.column))")
    }
}

/// Looks for the mistake behind an error of the library.
struct YAMLMistakes {
    private let lines: [YAMLLine]
    /// In the library's words.
    private let problem: String
    private let context: String
    /// Where the library could not go on.
    private let place: Place
    /// Where what it was reading begins.
    private let start: Place

    init(_ lines: [Substring], problem: String, at place: Place, context: String?, start: Place?) {
        self.lines = lines.enumerated().map { YAMLLine($0.offset + 1, $0.element) }
        self.problem = problem
        self.context = context ?? ""
        self.place = place
        self.start = start ?? place
    }

    /// nil: none that is known.
    var found: YAMLMistake? {
        if problem.contains("cannot start any token") { return YAMLMistake(quoting: line(place.line), at: place) }
        for kind in ["alias", "anchor", "directive", "block scalar"] where context.contains("scanning a \(kind)")
            || context.contains("scanning an \(kind)") {
            return YAMLMistake(quoting: line(start.line), at: start)
        }
        if problem.contains("incompatible YAML") {
            return YAMLMistake(start, "only YAML 1.1 and 1.2 are known; remove this line")
        }
        if context.contains("quoted scalar") { return inQuotes }
        if context.contains("simple key") { return withoutColon(line(start.line)) }
        if problem.contains("mapping values are not allowed") { return secondColon ?? outOfLine }
        if problem.contains("found unexpected ':'") { return tight(place) }
        if context.contains("flow") { return inFlow }
        return tight(line(place.line)) ?? afterTheEnd ?? outOfLine
    }

    /// An empty one beyond the end.
    private func line(_ number: Int) -> YAMLLine {
        lines.indices.contains(number - 1) ? lines[number - 1] : YAMLLine(number, "")
    }

    private func above(_ number: Int) -> YAMLLine? { lines.prefix(max(0, number - 1)).last { !$0.isBlank } }

    // MARK: Quotes

    private var inQuotes: YAMLMistake? {
        if problem.contains("end of stream") || problem.contains("document indicator") {
            return YAMLMistake(start, "the quote that begins here is not closed; write another one after the text")
        }
        guard problem.contains("escape") || problem.contains("hexdecimal") else { return nil }
        return YAMLMistake(
            place, "'\\' has a meaning of its own within double quotes, and none before this character; use single "
                + "quotes")
    }

    /// There is more after a value that had ended.
    private var afterTheEnd: YAMLMistake? {
        let line = line(place.line)
        let sign = line.character(place.column)
        if sign == "}" || sign == "]" {
            return YAMLMistake(place, "this '\(sign.map(String.init) ?? "")' closes nothing; remove it")
        }
        if let quote = line.last(before: place.column), quote == "'" || quote == "\"" {
            return after(quote, line)
        }
        if let bracket = line.last(before: place.column), bracket == "]" || bracket == "}" {
            return YAMLMistake(place, "the value ended with '\(bracket)'; remove the text after it")
        }
        guard problem.contains("<document start>") else { return nil }
        return YAMLMistake(place, "the document has ended above; remove this text, or the '...' before it")
    }

    /// A quote that was forgotten takes all up to the next one.
    private func after(_ quote: Unicode.Scalar, _ line: YAMLLine) -> YAMLMistake {
        let own = line.places(of: quote, before: place.column)
        if own.count % 2 == 1,
            let opened = lines.prefix(line.number - 1).last(where: { $0.places(of: quote).count % 2 == 1 }),
            let column = opened.places(of: quote).last {
            return YAMLMistake(
                Place(line: opened.number, column: column),
                "the quote that begins here is not closed on its line; write another one after the text")
        }
        return YAMLMistake(place, "there is text after a closing quote; put all of it in the quotes")
    }

    // MARK: Colons

    private func withoutColon(_ line: YAMLLine) -> YAMLMistake {
        if let mistake = tight(line) { return mistake }
        let place = Place(line: line.number, column: line.contentColumn)
        if let above = above(line.number), above.isElement, !line.isElement, above.indent == line.indent {
            return YAMLMistake(place, "a '-' is missing, as the line above has one; write - \(line.shown)")
        }
        guard let space = line.content.firstIndex(where: { $0 == " " || $0 == "=" }) else {
            return YAMLMistake(place, "'\(line.shown)' has no colon; write key: value")
        }
        let key = YAMLLine.text(line.content[..<space])
        let rest = YAMLLine.text(line.content[space...].drop { $0 == " " || $0 == "=" })
        return YAMLMistake(place, "a colon is missing after '\(key)'; write \(key): \(rest)")
    }

    /// A colon with no space behind it.
    private func tight(_ line: YAMLLine) -> YAMLMistake? {
        line.tightColon.flatMap { tight(Place(line: line.number, column: $0)) }
    }

    private func tight(_ colon: Place) -> YAMLMistake? {
        let line = line(colon.line)
        guard line.character(colon.column) == ":" else { return nil }
        let key = line.word(before: colon.column)
        return YAMLMistake(
            colon, "a space is missing after the colon; write \(key): \(line.word(behind: colon.column))")
    }

    /// A value with a colon of its own; or a line above that lacks one.
    private var secondColon: YAMLMistake? {
        let line = line(place.line)
        if let first = line.firstColon, first < place.column {
            return YAMLMistake(
                place, "a second colon in one line: put a value with ': ' in quotes\(line.quoted(behind: first))")
        }
        guard let above = above(line.number), above.firstColon == nil, above.contentColumn == line.contentColumn
        else { return nil }
        return withoutColon(above)
    }

    // MARK: Indentation

    private var outOfLine: YAMLMistake? {
        let known = ["expected key", "expected '-' indicator", "not allowed in this context", "expected <block end>"]
        guard known.contains(where: problem.contains), !line(place.line).isBlank, let above = above(place.line)
        else { return nil }
        let line = line(place.line)
        // What belongs to an element of a list stands below its text, not below its '-'.
        let other = above.isElement && !line.isElement && line.indent > above.indent ? above.contentColumn - 1
            : above.indent
        guard line.indent != other else { return nil }
        let what = other == above.indent ? "the line above" : "the text after '-' in the line above"
        let own = "line \(line.number) is indented by \(line.indent) space\(line.indent == 1 ? "" : "s")"
        return YAMLMistake(
            Place(line: line.number, column: line.indent + 1),
            "\(own), \(what) by \(other); indent lines that belong together alike, without tabs")
    }

    // MARK: Brackets and braces

    private var inFlow: YAMLMistake? {
        let line = line(place.line)
        let sign = line.character(place.column)
        if problem.contains("node content") {
            if sign == "," { return YAMLMistake(place, "there is no value before this ','; remove it") }
            return sign == nil || sign == "]" || sign == "}" ? nil : YAMLMistake(quoting: line, at: place)
        }
        guard let open = self.line(start.line).character(start.column), open == "[" || open == "{" else { return nil }
        let close = open == "[" ? "]" : "}"
        if isOver(line) {
            return YAMLMistake(
                start, "the '\(open)' that begins here is not closed; write '\(close)' after its last value")
        }
        if sign == "]" || sign == "}" {
            let opened = "the '\(open)' in line \(start.line), column \(start.column)"
            return YAMLMistake(
                place, "'\(close)' was expected, as \(opened) is not closed; write it before this "
                    + "'\(sign.map(String.init) ?? "")', or in its place")
        }
        return betweenValues(line, sign, isMapping: open == "{")
    }

    /// Whether what begins there is no longer meant to be within brackets: the next key, or the end of the file.
    private func isOver(_ line: YAMLLine) -> Bool {
        guard line.number > start.line else { return false }
        if lines.dropFirst(line.number - 1).allSatisfy(\.isBlank) { return true }
        return line.firstColon != nil && line.indent <= self.line(start.line).indent || line.isElement
    }

    /// A value has ended, and neither a ',' nor the end follows.
    private func betweenValues(_ line: YAMLLine, _ sign: Unicode.Scalar?, isMapping: Bool) -> YAMLMistake? {
        if line.isFirst(place.column), let above = above(line.number) {
            return YAMLMistake(
                Place(line: above.number, column: above.endColumn),
                "a ',' is missing between this and what begins in line \(line.number)")
        }
        let isClose = line.character(place.column - 1) != " "
        let last = line.last(before: place.column)
        switch sign {
        case ";": return YAMLMistake(place, "values are separated by ',', not by ';'")
        case ":": return YAMLMistake(place, "text with ': ' in it must be in quotes")
        case "[", "{":
            guard last != "'", last != "\"", last != "]", last != "}" else { break }
            if isClose, let sign { return YAMLMistake(place, "text with '\(sign)' in it must be in quotes") }
            if isMapping {
                let key = line.word(before: place.column)
                return YAMLMistake(
                    place, "a colon is missing after '\(key)'; write \(key): \(line.word(behind: place.column - 1))")
            }
        case "'", "\"": break
        default:
            if let last, last == "'" || last == "\"" { return after(last, line) }
        }
        return YAMLMistake(place, "a ',' is missing before this")
    }
}

/// A line of a file, whose columns count from 1, in the library's characters.
private struct YAMLLine {
    let number: Int
    private let characters: [Unicode.Scalar]
    let indent: Int

    init(_ number: Int, _ text: Substring) {
        self.number = number
        characters = Array(text.unicodeScalars)
        indent = characters.prefix { $0 == " " }.count
    }

    static func text(_ characters: some Sequence<Unicode.Scalar>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: characters)
        return Names.shown(String(view))
    }

    var isBlank: Bool { characters.dropFirst(indent).first.map { $0 == "#" || $0 == "\r" } ?? true }
    /// Whether it begins with a '-'.
    var isElement: Bool { character(indent + 1) == "-" && [" ", nil].contains(character(indent + 2)) }
    /// Where its text begins, behind any '-'.
    var contentColumn: Int {
        var column = indent + 1
        while character(column) == "-", character(column + 1) == " " {
            column += 1
            while character(column) == " " { column += 1 }
        }
        return column
    }
    var content: ArraySlice<Unicode.Scalar> { characters[min(characters.count, contentColumn - 1)...] }
    var shown: String { YAMLLine.text(content) }
    /// Behind its last character that is not a space.
    var endColumn: Int { (characters.lastIndex { $0 != " " } ?? -1) + 2 }

    func character(_ column: Int) -> Unicode.Scalar? {
        characters.indices.contains(column - 1) ? characters[column - 1] : nil
    }

    func isFirst(_ column: Int) -> Bool { column == indent + 1 }

    /// The nearest character before a column that is not a space.
    func last(before column: Int) -> Unicode.Scalar? { characters.prefix(max(0, column - 1)).last { $0 != " " } }

    func places(of character: Unicode.Scalar, before column: Int = .max) -> [Int] {
        characters.indices.prefix(max(0, column - 1)).filter { characters[$0] == character }.map { $0 + 1 }
    }

    /// The column of the first colon that ends a key.
    var firstColon: Int? {
        characters.indices.first { index in
            characters[index] == ":" && (index + 1 == characters.count || characters[index + 1] == " ")
        }.map { $0 + 1 }
    }

    /// The column of a colon with no space behind it, where that is the first one and ends a word that may be a key.
    var tightColon: Int? {
        let key = content.prefix { $0 != ":" && $0 != " " }
        guard !key.isEmpty, key.endIndex < content.endIndex, content[key.endIndex] == ":",
            key.allSatisfy({ $0.properties.isAlphabetic || "0123456789._-".unicodeScalars.contains($0) }),
            let next = character(key.endIndex + 2), next != " "
        else { return nil }
        return key.endIndex + 1
    }

    private static let ends: [Unicode.Scalar] = [",", "[", "]", "{", "}", " "]

    func word(before column: Int) -> String {
        let before = characters.prefix(column - 1)
        let end = before.lastIndex { $0 != " " }.map { $0 + 1 } ?? 0
        return YAMLLine.text(before[..<end].reversed().prefix { !YAMLLine.ends.contains($0) }.reversed())
    }

    /// What begins behind a column, up to the end of its list or word.
    func word(behind column: Int) -> String {
        let rest = characters.dropFirst(column).drop { $0 == " " }
        guard let first = rest.first, first == "[" || first == "{" else {
            return YAMLLine.text(rest.prefix { !YAMLLine.ends.contains($0) })
        }
        let close: Unicode.Scalar = first == "[" ? "]" : "}"
        let end = rest.firstIndex(of: close).map { $0 + 1 } ?? rest.endIndex
        return YAMLLine.text(rest[..<end])
    }

    /// `, as in '@a'`: a value in quotes as one would write it; empty where that is not easily told.
    func quoted(from column: Int) -> String {
        let rest = characters.dropFirst(column - 1)
        let isBlock = !characters.prefix(column - 1).contains { $0 == "[" || $0 == "{" }
        let value = isBlock ? rest : rest.prefix { !YAMLLine.ends.contains($0) }
        let text = YAMLLine.text(value).trimmed
        return text.isEmpty || text.contains("'") ? "" : ", as in '\(text)'"
    }

    /// The same of what follows a colon.
    func quoted(behind colon: Int) -> String {
        let rest = characters.dropFirst(colon)
        return quoted(from: colon + rest.prefix { $0 == " " }.count + 1)
    }
}
