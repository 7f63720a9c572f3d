/// A page for `man`, in the macros of man(7).
package enum RoffPage {
    /// The page `usweep-TOPIC(7)`.
    package static func text(of page: ManualPage, version: String) -> String {
        var lines = head("usweep-\(page.topic)", 7, page.title, version)
        lines.append(".SH DESCRIPTION")
        for block in page.blocks {
            if case .heading(1, _) = block { continue }
            lines += text(block)
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The page `usweep(1)`.
    ///
    /// - Parameter commands: the help text of each, by its name.
    package static func program(
        abstract: String, discussion: String, commands: [(name: String, help: String)], version: String
    ) -> String {
        var lines = head("usweep", 1, abstract, version)
        lines += [".SH SYNOPSIS", ".B usweep", ".I COMMAND", "[\\fIARGUMENT\\fR]...", ".SH DESCRIPTION"]
        let paragraphs = discussion.split(separator: "\n", omittingEmptySubsequences: false)
        lines += preformatted(paragraphs.flatMap { line in
            line.count > 72 ? TerminalPage.wrap(String(line), to: 70) : [String(line)]
        })
        for (topic, title) in [("commands", "COMMANDS"), ("exit-codes", "EXIT STATUS")] {
            guard let page = Manual.pages.first(where: { $0.topic == topic }) else { continue }
            lines.append(".SH \(title)")
            for block in page.blocks {
                if case .heading(let level, let spans) = block {
                    if level > 1 { lines += [".SS \(escaped(ManualSpan.plain(spans)))"] }
                } else {
                    lines += text(block)
                }
            }
        }
        lines.append(".SH OPTIONS")
        for command in commands {
            lines += [".SS usweep \(escaped(command.name))"]
            lines += preformatted(
                command.help.split(separator: "\n", omittingEmptySubsequences: false).map(String.init))
        }
        lines.append(".SH SEE ALSO")
        lines.append(Manual.pages.map { "\\fBusweep\\-\($0.topic.replacing("-", with: "\\-"))\\fR(7)" }
            .joined(separator: ",\n"))
        return lines.joined(separator: "\n") + "\n"
    }

    /// As in `usweep-workload-add`.
    package static func name(ofCommand command: String) -> String { "usweep-\(command.replacing(" ", with: "-"))" }

    /// The page `usweep-COMMAND(1)`.
    package static func command(_ name: String, abstract: String, help: String, version: String) -> String {
        // A name's description is no sentence.
        let title = abstract.hasSuffix(".") ? String(abstract.dropLast()) : abstract
        var lines = head(RoffPage.name(ofCommand: name), 1, title, version)
        lines.append(".SH DESCRIPTION")
        lines += preformatted(help.split(separator: "\n", omittingEmptySubsequences: false).map(String.init))
        lines += [".SH SEE ALSO", "\\fBusweep\\fR(1),", "\\fBusweep\\-commands\\fR(7)"]
        return lines.joined(separator: "\n") + "\n"
    }

    private static func head(_ name: String, _ section: Int, _ title: String, _ version: String) -> [String] {
        [
            ".TH \"\(name.uppercased())\" \"\(section)\" \"\" \"usweep \(version)\" \"usweep\"", ".nh", ".ad l",
            ".SH NAME",
            "\(escaped(name)) \\- \(escaped(title))",
        ]
    }

    private static func text(_ block: ManualBlock) -> [String] {
        switch block {
        case .heading(let level, let spans):
            [level <= 2 ? ".SH \(escaped(ManualSpan.plain(spans)))" : ".SS \(escaped(ManualSpan.plain(spans)))"]
        case .paragraph(let spans): [".PP", text(spans)]
        case .code(_, let code): preformatted(code)
        case .list(let items, let isNumbered):
            items.enumerated().flatMap { index, item in
                [".IP \(isNumbered ? "\(index + 1)." : "\\(bu") 4", text(item)]
            }
        case .table(let rows): table(rows)
        }
    }

    /// Row by row: a term, and what the other columns say of it.
    private static func table(_ rows: [[[ManualSpan]]]) -> [String] {
        guard let header = rows.first else { return [] }
        return rows.dropFirst().flatMap { row in
            var lines = [".TP", text(row.first ?? [])]
            let others = zip(header, row).dropFirst().filter { !$0.1.isEmpty }
            for (place, (name, spans)) in others.enumerated() {
                if place > 0 { lines.append(".br") }
                let label = row.count == 2 ? "" : "\(escaped(ManualSpan.plain(name))): "
                lines.append(guarded(label + text(spans)))
            }
            return lines
        }
    }

    private static func preformatted(_ lines: [String]) -> [String] {
        [".PP", ".nf", ".RS 4"] + lines.map { guarded(escaped($0)) } + [".RE", ".fi"]
    }

    private static func text(_ spans: [ManualSpan]) -> String {
        guarded(
            spans.map { span in
                switch span {
                case .code(let text), .strong(let text): "\\fB\(escaped(text))\\fR"
                case .page(let name): "\\fBusweep\\-\(escaped(Manual.topic(ofPage: name)))\\fR(7)"
                default: escaped(ManualSpan.plain([span]))
                }
            }.joined())
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("\\", with: "\\e").replacing("-", with: "\\-").replacing("'", with: "\\(aq")
            .replacing("`", with: "\\(ga").replacing("^", with: "\\(ha").replacing("~", with: "\\(ti")
    }

    /// A line that begins with a point would be a request.
    private static func guarded(_ line: String) -> String { line.hasPrefix(".") ? "\\&" + line : line }
}
