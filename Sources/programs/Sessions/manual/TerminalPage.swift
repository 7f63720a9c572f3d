import Model

/// A page as a terminal shows it: at most so many columns, unless a block of code has longer lines.
package struct TerminalPage {
    private let width: Int
    private let isBold: Bool
    private var lines: [String] = []

    /// - Parameters:
    ///   - width: columns.
    ///   - isBold: whether names stand out by escape sequences; else words of code within a sentence are in quotes.
    package static func lines(of page: ManualPage, width: Int = 80, isBold: Bool = false) -> [String] {
        var shown = TerminalPage(width: width, isBold: isBold)
        for block in page.blocks { shown.add(block) }
        return shown.lines
    }

    private init(width: Int, isBold: Bool) {
        self.width = width
        self.isBold = isBold
    }

    private mutating func add(_ block: ManualBlock) {
        if !lines.isEmpty { lines.append("") }
        switch block {
        case .heading(let level, let spans):
            let text = ManualSpan.plain(spans)
            lines.append(bold(level == 1 ? text.uppercased() : level == 2 ? text : "  \(text)"))
        case .paragraph(let spans): lines += wrapped(spans, indent: 2)
        case .code(_, let code): lines += code.map { $0.isEmpty ? "" : "    \($0)" }
        case .list(let items, let isNumbered):
            for (index, item) in items.enumerated() {
                let mark = isNumbered ? "\(index + 1)." : "-"
                var text = wrapped(item, indent: 3 + mark.count)
                text[0] = "  \(mark) " + text[0].dropFirst(3 + mark.count)
                lines += text
            }
        case .table(let rows): add(table: rows)
        }
    }

    // MARK: Tables

    private mutating func add(table rows: [[[ManualSpan]]]) {
        guard let header = rows.first, header.count > 0 else { return }
        let texts = rows.map { row in row.map { cell($0) } }
        let widths = header.indices.map { column in
            texts.reduce(0) { max($0, column < $1.count ? VisibleText.width($1[column]) : 0) }
        }
        let before = widths.dropLast().reduce(2) { $0 + $1 + 2 }
        // Only the last column is broken into lines; a table for which that is not enough is told row by row.
        if before + (widths.last ?? 0) <= width || before <= width * 5 / 8 {
            for (index, row) in texts.enumerated() { add(row, widths, before, isHeader: index == 0) }
        } else {
            addDescriptions(header.map { ManualSpan.plain($0) }, rows.dropFirst())
        }
    }

    private mutating func add(_ row: [String], _ widths: [Int], _ before: Int, isHeader: Bool) {
        var line = "  "
        for (column, text) in row.dropLast().enumerated() {
            line += text + String(repeating: " ", count: widths[column] - VisibleText.width(text) + 2)
        }
        let last = TerminalPage.wrap(row.last ?? "", to: max(20, width - before))
        var shown = [line + (last.first ?? "")]
        shown += last.dropFirst().map { String(repeating: " ", count: before) + $0 }
        for text in shown {
            let trimmed = TerminalPage.withoutEnd(text)
            lines.append(isHeader ? bold(trimmed) : trimmed)
        }
    }

    private mutating func addDescriptions(_ header: [String], _ rows: ArraySlice<[[ManualSpan]]>) {
        let labels = header.dropFirst().reduce(0) { max($0, $1.count) }
        for row in rows {
            lines += TerminalPage.wrap(cell(row.first ?? []), to: width - 2).map { "  " + bold($0) }
            for (name, spans) in zip(header, row).dropFirst() where !spans.isEmpty {
                let label = row.count == 2 ? "" : name + String(repeating: " ", count: labels - name.count + 2)
                var text = wrapped(spans, indent: 6 + label.count)
                text[0] = "      \(label)" + text[0].dropFirst(6 + label.count)
                lines += text
            }
        }
    }

    private func cell(_ spans: [ManualSpan]) -> String { quoted(spans).map(\.text).joined() }

    // MARK: Lines

    private func bold(_ text: String) -> String { isBold ? "\u{1b}[1m\(text)\u{1b}[0m" : text }

    /// Where nothing stands out, code is in quotes.
    private func quoted(_ spans: [ManualSpan]) -> [(text: String, isBold: Bool)] {
        // What is all code needs no quotes.
        if spans.count == 1, case .code(let text) = spans[0] { return [(text, isBold)] }
        return spans.map { span in
            switch span {
            case .code(let text): isBold ? (text, true) : (text.contains("'") ? "`\(text)`" : "'\(text)'", false)
            case .strong(let text): (text, isBold)
            default: (ManualSpan.plain([span]), false)
            }
        }
    }

    private func wrapped(_ spans: [ManualSpan], indent: Int) -> [String] {
        let pieces = quoted(spans)
        let space = String(repeating: " ", count: indent)
        let broken = TerminalPage.wrap(pieces.map(\.text).joined(), to: max(20, width - indent)).map { space + $0 }
        guard isBold else { return broken }
        return emphasized(broken, pieces.filter(\.isBold).map(\.text))
    }

    /// Words that stand out, where they were not broken: each is looked for behind the one before.
    private func emphasized(_ lines: [String], _ words: [String]) -> [String] {
        var left = words[...]
        return lines.map { line in
            var (shown, rest) = ("", line[...])
            while let word = left.first, let range = rest.firstRange(of: word) {
                shown += rest[..<range.lowerBound] + bold(word)
                rest = rest[range.upperBound...]
                left.removeFirst()
            }
            return shown + rest
        }
    }

    private static func withoutEnd(_ text: String) -> String {
        var rest = text[...]
        while rest.last == " " { rest.removeLast() }
        return String(rest)
    }

    /// Breaks at spaces. A word that is too long has a line of its own.
    static func wrap(_ text: String, to width: Int) -> [String] {
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ") {
            if line.isEmpty {
                line = String(word)
            } else if VisibleText.width(line) + 1 + VisibleText.width(String(word)) <= width {
                line += " " + word
            } else {
                lines.append(line)
                line = String(word)
            }
        }
        return lines + [line]
    }
}
