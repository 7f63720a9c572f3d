import Figures

/// A page for browsers: a file of its own that needs no other.
package enum HTMLPage {
    private static let style = """
        body{margin:0 auto;max-width:72rem;display:flex;gap:2rem;padding:1rem;font:16px/1.5 system-ui,sans-serif;\
        color:#1b1b1b;background:#fff}
        nav{flex:0 0 13rem;font-size:.9rem}nav a{display:block;padding:.1rem 0}nav a.here{font-weight:bold}
        main{min-width:0;flex:1}h1{font-size:1.6rem}h2{font-size:1.25rem;margin-top:2rem}
        pre{background:#f4f4f4;padding:.8rem;overflow-x:auto;font-size:.9rem}code{font-size:.92em}
        .wide{overflow-x:auto}table{border-collapse:collapse;font-size:.92rem}
        th,td{border:1px solid #ccc;padding:.25rem .5rem;text-align:left;vertical-align:top}th{background:#f4f4f4}
        a{color:#0b57a4}@media(prefers-color-scheme:dark){body{background:#181818;color:#ddd}
        pre,th{background:#262626}th,td{border-color:#444}a{color:#7ab7f5}}
        @media(max-width:50rem){body{display:block}}
        """

    /// The file's name.
    package static func file(of page: ManualPage) -> String { "\(page.topic).html" }

    package static func text(of page: ManualPage) -> String {
        document(page.title, here: page.topic, page.blocks.map(text).joined(separator: "\n"))
    }

    /// The page from which the others are reached.
    package static func contents(abstract: String) -> String {
        let rows = Manual.pages.map { page in
            let link = "<a href=\"\(file(of: page))\">\(Markup.escaped(page.title))</a>"
            return "<tr><td>\(link)</td><td>\(Markup.escaped(page.abstract))</td></tr>"
        }
        return document(
            "usweep", here: nil,
            "<h1>usweep</h1>\n<p>\(Markup.escaped(abstract))</p>\n<table>\n\(rows.joined(separator: "\n"))\n</table>")
    }

    private static func document(_ title: String, here: String?, _ body: String) -> String {
        let links = Manual.pages.map { page in
            let mark = page.topic == here ? " class=\"here\"" : ""
            return "<a\(mark) href=\"\(file(of: page))\">\(Markup.escaped(page.title))</a>"
        }
        return """
            <!DOCTYPE html>
            <html lang="en">
            <head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
            <title>\(Markup.escaped(title)) - usweep</title>
            <style>\(style)</style></head>
            <body>
            <nav><a href="index.html">usweep</a>
            \(links.joined(separator: "\n"))</nav>
            <main>
            \(body)
            </main>
            </body>
            </html>

            """
    }

    private static func text(_ block: ManualBlock) -> String {
        switch block {
        case .heading(let level, let spans):
            let name = anchor(ManualSpan.plain(spans))
            return "<h\(level) id=\"\(name)\">\(text(spans))</h\(level)>"
        case .paragraph(let spans): return "<p>\(text(spans))</p>"
        case .code(_, let lines):
            return "<pre><code>\(Markup.escaped(lines: lines.joined(separator: "\n")))</code></pre>"
        case .list(let items, let isNumbered):
            let tag = isNumbered ? "ol" : "ul"
            return "<\(tag)>\n" + items.map { "<li>\(text($0))</li>" }.joined(separator: "\n") + "\n</\(tag)>"
        case .table(let rows):
            let lines = rows.enumerated().map { index, row in
                let tag = index == 0 ? "th" : "td"
                return "<tr>" + row.map { "<\(tag)>\(text($0))</\(tag)>" }.joined() + "</tr>"
            }
            return "<div class=\"wide\"><table>\n\(lines.joined(separator: "\n"))\n</table></div>"
        }
    }

    private static func text(_ spans: [ManualSpan]) -> String {
        spans.map { span in
            switch span {
            case .text(let text): return Markup.escaped(text)
            case .code(let text): return "<code>\(Markup.escaped(text))</code>"
            case .strong(let text): return "<strong>\(Markup.escaped(text))</strong>"
            case .link(let text, let target): return "<a href=\"\(Markup.escaped(target))\">\(Markup.escaped(text))</a>"
            case .page(let name):
                guard let page = Manual.pages.first(where: { $0.name == name }) else { return Markup.escaped(name) }
                return "<a href=\"\(file(of: page))\">\(Markup.escaped(page.title))</a>"
            }
        }.joined()
    }

    private static func anchor(_ title: String) -> String {
        String(title.lowercased().map { $0.isLetter || $0.isNumber ? $0 : "-" })
    }
}
