import Model

/// Finds words in the manual's pages and in the help of commands, for people who do not know where a thing is told.
package struct ManualSearch {
    /// A command's help text.
    package struct Command: Sendable {
        package let name: String
        package let abstract: String
        package let help: String

        package init(name: String, abstract: String, help: String) {
            self.name = name
            self.abstract = abstract
            self.help = help
        }
    }

    /// A page, or a command, that has all words in one place.
    package struct Hit: Sendable {
        /// How it is read.
        package let command: String
        package let title: String
        /// The place in it that fits best; nil: the title says it.
        package let excerpt: String?
        fileprivate let score: Int
    }

    /// A place in a text: what it is about, and what is said of that.
    private struct Passage: Hashable {
        enum Kind: Int {
            case text = 10
            case section = 60
            case option = 70
            case term = 80
            case title = 100
        }

        var kind: Kind
        var term: String
        var text = ""
    }

    private let sources: [(command: String, title: String, passages: [Passage])]

    package init(pages: [ManualPage] = Manual.pages, commands: [Command]) {
        let passages = commands.map { ManualSearch.passages(of: $0) }
        // What most commands have, as --output, tells of none.
        let counts = Dictionary(passages.flatMap { Set($0) }.map { ($0, 1) }, uniquingKeysWith: +)
        let most = max(1, commands.count / 2)
        sources = zip(commands, passages)
            .map { ("usweep help \($0.name)", $0.abstract, $1.filter { counts[$0, default: 0] <= most }) }
            + pages.map { ("usweep help \($0.topic)", $0.title, ManualSearch.passages(of: $0)) }
    }

    /// What has all words, best first.
    ///
    /// - Parameter width: of excerpts, in columns.
    package func find(_ words: [String], width: Int = 74) -> [Hit] {
        let words = words.flatMap { $0.split(separator: " ") }.map { $0.drop { $0 == "-" }.lowercased() }
            .filter { !$0.isEmpty }
        guard !words.isEmpty else { return [] }
        let hits = sources.compactMap { source -> Hit? in
            let found = source.passages.map { ($0, ManualSearch.score($0, words)) }.filter { $0.1 > 0 }
            guard let best = found.max(by: { $0.1 < $1.1 }) else { return nil }
            return Hit(
                command: source.command, title: source.title,
                excerpt: ManualSearch.excerpt(best.0, words[0], width), score: best.1 + min(found.count, 9))
        }
        return hits.enumerated().sorted { ($1.element.score, $0.offset) < ($0.element.score, $1.offset) }
            .map(\.element)
    }

    /// At most a screen of lines.
    package static func lines(_ hits: [Hit], width: Int) -> [String] {
        let shown = hits.prefix(mostHits)
        let column = shown.reduce(0) { max($0, $1.command.count) }
        let lines = shown.flatMap { hit in
            let name = hit.command + String(repeating: " ", count: column - hit.command.count)
            let title = cut("  \(name)  \(hit.title)", width)
            return [title] + (hit.excerpt.map { ["      \($0)"] } ?? [])
        }
        let rest = hits.count - shown.count
        return lines + (rest > 0 ? ["  and \(rest) more"] : [])
    }

    private static let mostHits = 10

    // MARK: Passages

    private static func passages(of page: ManualPage) -> [Passage] {
        page.blocks.flatMap { block -> [Passage] in
            switch block {
            case .heading(let level, let spans):
                [Passage(kind: level == 1 ? .title : .section, term: ManualSpan.plain(spans))]
            case .paragraph(let spans): [Passage(kind: .text, term: "", text: ManualSpan.plain(spans))]
            case .code(_, let lines): lines.map { Passage(kind: .text, term: "", text: String($0.trimmed)) }
            case .list(let items, _): items.map { Passage(kind: .text, term: "", text: ManualSpan.plain($0)) }
            case .table(let rows):
                rows.dropFirst().map { row in
                    let cells = row.map(ManualSpan.plain)
                    return Passage(
                        kind: .term, term: cells.first ?? "",
                        text: cells.dropFirst().filter { !$0.isEmpty }.joined(separator: "; "))
                }
            }
        }
    }

    /// The name, and each option with what is said of it in the lines below.
    private static func passages(of command: Command) -> [Passage] {
        var passages = [Passage(kind: .title, term: "\(command.name): \(command.abstract)")]
        for line in command.help.split(separator: "\n") {
            let text = line.trimmed
            if line.hasPrefix("  -") {
                // The option and its value have two spaces behind them where what it means follows on the same line.
                let end = text.firstRange(of: "  ")
                passages.append(
                    Passage(
                        kind: .option, term: String(text[..<(end?.lowerBound ?? text.endIndex)]),
                        text: end.map { text[$0.upperBound...].trimmed } ?? ""))
            } else if line.hasPrefix("        "), let last = passages.last, last.kind == .option {
                passages[passages.count - 1].text += (last.text.isEmpty ? "" : " ") + text
            } else {
                passages.append(Passage(kind: .text, term: "", text: text))
            }
        }
        return passages
    }

    // MARK: Words

    /// 0: not all words are there.
    private static func score(_ passage: Passage, _ words: [String]) -> Int {
        var score = Int.max
        for word in words {
            let isWhole = passage.kind == .term && passage.term.lowercased() == word
            let inTerm = match(word, passage.term) * passage.kind.rawValue + (isWhole ? 10 : 0)
            let inText = match(word, passage.text) * Passage.Kind.text.rawValue
            score = min(score, max(inTerm, inText))
        }
        return score / 2
    }

    /// 2: as a word of its own; 1: at the beginning of one; 0: not at all.
    private static func match(_ word: String, _ text: String) -> Int {
        let text = text.lowercased()
        var best = 0
        for range in text.ranges(of: word) {
            let before = range.lowerBound > text.startIndex ? text[text.index(before: range.lowerBound)] : " "
            let after = range.upperBound < text.endIndex ? text[range.upperBound] : " "
            if isLetter(before) { continue }
            best = max(best, isLetter(after) ? 1 : 2)
        }
        return best
    }

    private static func isLetter(_ character: Character) -> Bool { character.isLetter || character.isNumber }

    /// As much of a passage as a line holds, with the word in it.
    private static func excerpt(_ passage: Passage, _ word: String, _ width: Int) -> String? {
        if passage.kind == .title { return nil }
        if passage.kind == .section { return cut("section '\(passage.term)'", width) }
        let whole = [passage.term, passage.text].filter { !$0.isEmpty }.joined(separator: ": ")
        let lowered = whole.lowercased()
        let place = lowered.firstRange(of: word).map { lowered.distance(from: lowered.startIndex, to: $0.lowerBound) }
        let cut = whole.index(whole.startIndex, offsetBy: max(0, (place ?? 0) - width / 2), limitedBy: whole.endIndex)
        guard let cut, cut > whole.startIndex, let space = whole[cut...].firstIndex(of: " ") else {
            return ManualSearch.cut(whole, width)
        }
        return ManualSearch.cut("..." + whole[space...], width)
    }

    /// As many whole words as so many columns hold.
    private static func cut(_ text: String, _ columns: Int) -> String {
        let cut = VisibleText.cut(text, columns: columns)
        guard cut.utf8.count < text.utf8.count else { return text }
        let short = VisibleText.cut(text, columns: columns - 4)
        return "\(short.lastIndex(of: " ").map { short[..<$0] } ?? short[...]) ..."
    }
}
