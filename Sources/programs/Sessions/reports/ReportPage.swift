import CReport
import Figures
import Foundation
import Ledger
import Model
import Results

/// Writes a report as one HTML file that needs no other: its style sheet, its script, its figures and its data are
/// within it, and its policy lets nothing else in.
struct ReportPage {
    let report: Report
    var status: SweepStatus { report.status }

    init(_ report: Report) { self.report = report }

    /// The page, in pieces.
    func parts() throws -> [String] {
        let style = ReportPage.text(usweep_report_style()) + FigureTheme.pageStyle
        let script = ReportPage.text(usweep_report_script())
        var sections = [banner, summary]
        sections += [warnings, figures, results, course, troubles, provenance]
        return [
            head(style: style, script: script), header, "<main id=\"main\">\n", sections.joined(), "</main>\n", footer,
            "<script type=\"application/json\" id=\"data\">", report.table.text, "</script>\n<script>", script,
            "</script>\n</body>\n</html>\n",
        ]
    }

    private static func text(_ asset: usweep_asset) -> String {
        String(decoding: UnsafeBufferPointer(start: asset.text, count: asset.size), as: UTF8.self)
    }

    // MARK: Frame

    /// Only what has these very digests is run and styled: whatever text may come in, it stays text.
    private func head(style: String, script: String) -> String {
        let policy = "default-src 'none'; style-src '\(ReportPage.source(style))'; "
            + "script-src '\(ReportPage.source(script))'; base-uri 'none'; form-action 'none'"
        return """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="\(policy)">
            <meta name="viewport" content="width=device-width,initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <title>\(Markup.escaped(report.view.sweep.name)) - usweep report</title>
            <style>\(style)</style>
            </head>
            <body>

            """
    }

    private static func source(_ text: String) -> String {
        "sha256-" + Data(SHA256.digest(text).bytes).base64EncodedString()
    }

    private var header: String {
        let sweep = report.view.sweep
        let meta = [
            "engine \(sweep.engine)", PeopleText.count(report.view.points.count, "point"),
            PeopleText.count(status.runCount, "run"), PeopleText.count(status.hosts.count, "host"),
            "written \(ReportPage.time(report.written))",
        ]
        let links = [
            ("summary", "Summary"), ("figures", "Figures"), ("results", "Results"), ("course", "How it went"),
            ("troubles", "Failures"), ("provenance", "Provenance"),
        ].map { "<a href=\"#\($0)\">\($1)</a>" }
        return """
            <a class="skip" href="#main">Skip to the content</a>
            <header>
            <h1><bdi>\(Markup.escaped(sweep.name))</bdi></h1>
            <p class="meta">\(meta.map { Markup.escaped($0) }.joined(separator: " &middot; "))</p>
            <nav aria-label="Sections">\(links.joined(separator: "\n"))</nav>
            </header>

            """
    }

    private var footer: String {
        "<footer><p>Made by usweep \(Installation.version) from the ledger of "
            + "<code>\(Markup.escaped(report.view.entry.fullName))</code>. Numbers on this page have up to seven "
            + "digits; <code>results.csv</code> has all of them.</p></footer>\n"
    }

    /// To the second, UTC.
    static func time(_ time: Nanoseconds) -> String {
        Instant.utc(time).prefix(19).replacing("T", with: " ") + " UTC"
    }

    // MARK: Parts of sections

    func section(_ id: String, _ title: String, _ body: String) -> String {
        "<section id=\"\(id)\" aria-labelledby=\"\(id)-title\">\n<h2 id=\"\(id)-title\">\(title)</h2>\n"
            + "\(body)</section>\n"
    }

    /// - Parameters:
    ///   - caption: what it is, for those who hear the page.
    ///   - rows: cells as markup.
    func table(_ caption: String, _ header: [String], _ rows: [[String]]) -> String {
        let head = header.map { "<th scope=\"col\">\(Markup.escaped($0))</th>" }.joined()
        let body = rows.map { row in "<tr>" + row.map { "<td>\($0)</td>" }.joined() + "</tr>\n" }.joined()
        return "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"\(Markup.escaped(caption))\">"
            + "<table><caption>\(Markup.escaped(caption))</caption><thead><tr>\(head)</tr></thead>\n"
            + "<tbody>\(body)</tbody></table></div>\n"
    }

    func list(_ sentences: [String]) -> String {
        "<ul>\n" + sentences.map { "<li>\(Markup.escaped($0))</li>\n" }.joined() + "</ul>\n"
    }
}
