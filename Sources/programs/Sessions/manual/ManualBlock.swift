/// A part of a page of the manual: as much of Markdown as the pages use.
package enum ManualBlock: Sendable, Equatable {
    case heading(Int, [ManualSpan])
    case paragraph([ManualSpan])
    /// A block of commands, a file or a sample, as it stands.
    case code(language: String, [String])
    /// Each item's text, and its number where the list is numbered.
    case list([[ManualSpan]], isNumbered: Bool)
    case table([[[ManualSpan]]])

    package static func parse(_ text: String) -> [ManualBlock] {
        var parser = ManualParser(lines: text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init))
        return parser.blocks()
    }
}

/// Reads lines into blocks.
private struct ManualParser {
    let lines: [String]
    private var next = 0

    init(lines: [String]) { self.lines = lines }

    private var line: String? { next < lines.count ? lines[next] : nil }

    mutating func blocks() -> [ManualBlock] {
        var blocks: [ManualBlock] = []
        while let line {
            if line.hasPrefix("<!--") || line.allSatisfy(\.isWhitespace) {
                next += 1
            } else if line.hasPrefix("```") {
                blocks.append(fenced())
            } else if line.hasPrefix("    ") {
                blocks.append(indented())
            } else if line.hasPrefix("#") {
                let level = line.prefix { $0 == "#" }.count
                blocks.append(.heading(level, ManualSpan.parse(String(line.dropFirst(level + 1)))))
                next += 1
            } else if line.hasPrefix("|") {
                blocks.append(table())
            } else if ManualParser.item(line) != nil {
                blocks.append(list())
            } else {
                blocks.append(.paragraph(ManualSpan.parse(continued(from: line))))
            }
        }
        return blocks
    }

    /// The text of this line and those that go on with it.
    private mutating func continued(from first: String) -> String {
        var text = first
        next += 1
        while let line, !line.allSatisfy(\.isWhitespace), !line.hasPrefix("#"), !line.hasPrefix("|"),
            !line.hasPrefix("```"), ManualParser.item(line) == nil
        {
            text += " " + line.drop { $0 == " " }
            next += 1
        }
        return text
    }

    private mutating func fenced() -> ManualBlock {
        let language = String(lines[next].dropFirst(3))
        var code: [String] = []
        next += 1
        while let line, !line.hasPrefix("```") {
            code.append(line)
            next += 1
        }
        next += 1
        return .code(language: language, code)
    }

    private mutating func indented() -> ManualBlock {
        var code: [String] = []
        while let line, line.hasPrefix("    ") {
            code.append(String(line.dropFirst(4)))
            next += 1
        }
        return .code(language: "", code)
    }

    /// The text of an item of a list, and whether it has a number.
    private static func item(_ line: String) -> (text: Substring, isNumbered: Bool)? {
        if line.hasPrefix("- ") { return (line.dropFirst(2), false) }
        let digits = line.prefix(while: \.isWholeNumber)
        let rest = line.dropFirst(digits.count)
        return !digits.isEmpty && rest.hasPrefix(". ") ? (rest.dropFirst(2), true) : nil
    }

    private mutating func list() -> ManualBlock {
        var items: [[ManualSpan]] = []
        var isNumbered = false
        while let line, let item = ManualParser.item(line) {
            isNumbered = item.isNumbered
            items.append(ManualSpan.parse(continued(from: String(item.text))))
        }
        return .list(items, isNumbered: isNumbered)
    }

    /// The rows, the header first. A `|` within a cell is written `\|`.
    private mutating func table() -> ManualBlock {
        var rows: [[[ManualSpan]]] = []
        while let line, line.hasPrefix("|") {
            next += 1
            let cells = line.replacing("\\|", with: "\u{0}").split(separator: "|", omittingEmptySubsequences: false)
                .dropFirst().dropLast()
                .map { ManualParser.trimmed(String($0).replacing("\u{0}", with: "|")) }
            let isRule = cells.allSatisfy { !$0.isEmpty && $0.allSatisfy { "-:".contains($0) } }
            if !isRule { rows.append(cells.map(ManualSpan.parse)) }
        }
        return .table(rows)
    }

    private static func trimmed(_ text: String) -> String {
        var rest = text.drop { $0 == " " }
        while rest.last == " " { rest.removeLast() }
        return String(rest)
    }
}
