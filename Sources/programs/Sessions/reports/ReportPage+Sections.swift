import Engines
import Figures
import Foundation
import Ledger
import Model
import Results

extension ReportPage {
    // MARK: What came out

    var banner: String {
        let open = report.openRuns
        guard open > 0 else { return "" }
        let ended = status.runCount - open
        let isWorking: Bool =
            switch status.holder {
            case .working, .elsewhere: true
            case .ended, .vanished, .nobody: false
            }
        let state = isWorking ? "The sweep is running" : "The sweep is not complete"
        return "<p class=\"banner\" role=\"status\"><strong>\(state):</strong> "
            + "\(ended) of \(PeopleText.count(status.runCount, "run")) had ended when this page was written. "
            + "Everything below is about these.</p>\n"
    }

    var summary: String {
        func count(_ state: RunState) -> Int {
            status.counts.filter { $0.state == state }.reduce(0) { $0 + $1.count }
        }
        var cards: [(name: String, value: String, style: String)] = [
            ("succeeded", "\(count(.succeeded)) <small>of \(status.runCount)</small>", "good")
        ]
        for state in RunState.allCases where state != .succeeded && count(state) > 0 {
            cards.append((state.rawValue, "\(count(state))", "bad"))
        }
        if report.openRuns > 0 { cards.append(("not ended", "\(report.openRuns)", "")) }
        cards.append(("tried again", "\(report.course.retried)", ""))
        if let range = report.course.timeline.range {
            cards.append(("from first to last", PeopleText.span(range.upperBound - range.lowerBound), ""))
        }
        cards.append(("time of all attempts", PeopleText.span(report.course.busy), ""))
        let items = cards.map { card in
            "<div class=\"card \(card.style)\"><dt>\(Markup.escaped(card.name))</dt><dd>\(card.value)</dd></div>\n"
        }
        return section("summary", "Summary", "<dl class=\"cards\">\n\(items.joined())</dl>\n")
    }

    var warnings: String {
        guard !report.warnings.isEmpty else { return "" }
        return "<section class=\"warnings\" aria-labelledby=\"warnings-title\">\n"
            + "<h2 id=\"warnings-title\">Before you use the numbers</h2>\n\(list(report.warnings))</section>\n"
    }

    var figures: String {
        guard !report.figures.isEmpty else {
            return section("figures", "Figures", "<p>No run has a result yet: there is nothing to draw.</p>\n")
        }
        var body = report.figures.enumerated().map { index, found in
            figure(found.figure, "m\(index)", title: title(found.metric, found.figure))
        }
        if !report.metricsWithoutFigure.isEmpty {
            let names = PeopleText.list(report.metricsWithoutFigure)
            body.append(
                "<p class=\"note\">Metrics without a figure here: \(Markup.escaped(names)). Draw one: "
                    + "<code>\(Markup.escaped(report.view.entry.command("plot")))</code></p>\n")
        }
        return section("figures", "Figures", "<div class=\"figures\">\n\(body.joined())</div>\n")
    }

    private func title(_ metric: String, _ figure: Figure) -> String {
        let unit = (figure.kind == .cdf ? figure.x : figure.y).unit.map { " (\($0))" } ?? ""
        return metric + unit + (figure.kind == .cdf || figure.x.title.isEmpty ? "" : " over \(figure.x.title)")
    }

    private func figure(_ figure: Figure, _ name: String, title: String) -> String {
        let isWide = figure.panels.count > 1 || figure.categories.count > 12
        var size = FigureSize(width: isWide ? 760 : 370, panelHeight: isWide ? 140 : 165, columns: 4)
        (size.font, size.smallFont) = (10, 9)
        let svg = FigureDrawing.svg(figure, size: size, theme: .page, name: name, title: title)
        let notes = figure.notes.map { Markup.escaped($0) }.joined(separator: " ")
        return "<figure\(isWide ? " class=\"wide\"" : "")>\n\(svg)<figcaption>"
            + "<strong>\(Markup.escaped(title)).</strong> \(notes)</figcaption>\n\(data(of: figure, title))</figure>\n"
    }

    /// What the figure shows, for those who cannot see it, or want to read it off.
    private func data(of figure: Figure, _ title: String) -> String {
        let most = 200
        let found = FigureTable(figure)
        let rows = found.rows.prefix(most).map { $0.map { Markup.escaped(ReportPage.short($0)) } }
        let all = PeopleText.count(found.rows.count, "row")
        let note = found.rows.count > most ? "<p>The first \(most) of \(all).</p>" : ""
        let data = table("Data of: \(title)", found.columns.names, rows)
        return "<details><summary>Data</summary>\(note)\(data)</details>\n"
    }

    private static func short(_ cell: Cell) -> String {
        guard case .number(let text) = cell else { return cell.text }
        return ShortNumber.text(text)
    }

    var results: String {
        section(
            "results", "Results",
            """
            <div class="controls">
            <label for="filter">Filter</label>
            <input id="filter" type="search" autocomplete="off" spellcheck="false" aria-describedby="filter-help">
            <span id="shown" role="status"></span>
            </div>
            <p id="filter-help" class="note">Words that a row must have, or conditions such as
            <code>outcome=failed</code>, <code>wall_s&gt;60</code>, <code>host!=lab1</code>; all must hold. A click on a
            column's name sorts.</p>
            <div id="rows" class="scroll grid" role="region" tabindex="0" aria-label="Results, one row per run">
            <table><caption>Results, one row per run</caption><thead></thead><tbody></tbody></table></div>
            <noscript><p>The table needs JavaScript, which this browser does not run for this page. The same rows are in
            <code>results.csv</code>.</p></noscript>

            """)
    }

    // MARK: How it went

    var course: String {
        let timeline = report.course.timeline
        var body = ""
        let title = "What each host did when"
        let svg = TimelineDrawing.svg(timeline, name: "t", title: title)
        if !svg.isEmpty {
            let left = timeline.hostsLeftOut
            let note = left > 0 ? " \(PeopleText.count(left, "more host")) left out." : ""
            body += "<figure class=\"wide\">\n\(svg)<figcaption><strong>\(title).</strong> "
                + "\(PeopleText.count(report.course.attempts, "attempt")).\(note)</figcaption></figure>\n"
        } else {
            body += "<p>No attempt has ended yet.</p>\n"
        }
        if let times = report.course.times { body += figure(times, "w", title: "Time of an attempt by host") }
        return section("course", "How it went", "<div class=\"figures\">\n\(body)</div>\n\(overtaken)")
    }

    private var overtaken: String {
        guard !report.course.overtaken.isEmpty else { return "" }
        let rows = report.course.overtaken.map { found in
            [
                "\(found.run)", "\(found.attempt)", Markup.escaped(found.host), "\(found.winner)",
                Markup.escaped(found.winnerHost), ReportPage.time(found.endedAt),
            ]
        }
        return table(
            "Attempts that were ended because the other attempt of their run succeeded first",
            ["run", "attempt", "on host", "other attempt", "on host", "when"], rows)
    }

    var troubles: String {
        guard !report.course.failures.isEmpty else {
            return section("troubles", "Failures", "<p>Nothing failed, and nothing is quarantined.</p>\n")
        }
        let classes = report.course.failures.map { found in
            [
                "<code>\(found.failure.rawValue)</code>", "\(found.attempts)", "\(found.runs)",
                Markup.escaped(found.failure.advice),
            ]
        }
        var body = table("Failures by class", ["class", "attempts", "runs that ended with it", "what to do"], classes)
        if !status.troubles.isEmpty {
            let rows = status.troubles.map { trouble in
                [
                    "\(trouble.run)", "<bdi>\(Markup.escaped(trouble.description))</bdi>", trouble.state.rawValue,
                    "<code>\(trouble.failure?.rawValue ?? "-")</code>", "\(trouble.attempts)",
                    Markup.escaped(trouble.evidence),
                ]
            }
            body += table(
                "Runs without a result, and why", ["run", "what", "outcome", "class", "attempts", "why"], rows)
            let all = (status.counts + status.setups).filter { $0.state != nil && $0.state != .succeeded }
                .reduce(0) { $0 + $1.count }
            if all > rows.count {
                body += "<p class=\"note\">The first \(rows.count) of \(all); the table above has all: filter for "
                    + "<code>outcome!=succeeded</code>.</p>\n"
            }
            body += "<p class=\"note\">Details of a run: <code>\(Markup.escaped(explanation))</code></p>\n"
        }
        return section("troubles", "Failures", body)
    }

    private var explanation: String {
        report.view.entry.command("explain", run: status.troubles.first?.run)
    }

    // MARK: What ran on what

    var provenance: String {
        let (sweep, metadata) = (report.view.sweep, report.metadata)
        let facts = [
            ("sweep", "<code>\(Markup.escaped(report.view.entry.fullName))</code>"),
            ("launched", ReportPage.time(metadata.created)),
            ("by", "usweep \(Markup.escaped(metadata.toolVersion))"), ("engine", Markup.escaped(sweep.engine)),
            ("measured", "\(invocations), \(PeopleText.count(sweep.measure.repeats, "repeat"))\(checkpoints)"),
        ] + (status.audit.map { [("audit", Markup.escaped($0.sentences.joined(separator: ". ")))] } ?? [])
        let listed = facts.map { "<dt>\($0)</dt><dd>\($1)</dd>\n" }.joined()
        var body = "<dl class=\"facts\">\n\(listed)</dl>\n"
        body += table("Axes", ["axis", "values"], axes)
        if !status.pins.isEmpty {
            body += table(
                "What all runs used, by SHA-256", ["what", "digest"],
                status.pins.map { [Markup.escaped($0.name), "<code>\($0.digest.hex)</code>"] })
        }
        if !sweep.inputs.isEmpty {
            body += table(
                "Input files", ["file", "size", "SHA-256"],
                sweep.inputs.map { input in
                    [
                        Markup.escaped(input.path), PeopleText.size(input.size), "<code>\(input.digest.hex)</code>",
                    ]
                })
        }
        body += table(
            "Hosts", ["host", "its own name", "slots", "memory", "paused or refused because"],
            status.hosts.map { host in
                [
                    Markup.escaped(host.host), Markup.escaped(host.hostName ?? "-"), host.slots.map(String.init) ?? "-",
                    host.memoryBytes.map(PeopleText.size) ?? "-",
                    Markup.escaped(host.fenceReason.map { "fenced: \($0)" } ?? host.pauseReason ?? ""),
                ]
            })
        let document = Markup.escaped(lines: metadata.specification)
        body += "<details><summary>The sweep as it was launched</summary><pre>\(document)</pre></details>\n"
        return section("provenance", "Provenance", body)
    }

    private var invocations: String {
        let (measure, phases) = (report.view.sweep.measure, report.view.descriptor.phases)
        // Without phases usweep has no say in what a run does.
        guard !phases.isEmpty else { return "as many invocations as the program writes" }
        let measured = measure.until.map { Markup.escaped($0.sentence(most: measure.invocations)) }
            ?? PeopleText.count(measure.invocations, "invocation")
        return phases.contains(.warm) ? "\(measured) after \(measure.warm) to warm up" : measured
    }

    private var checkpoints: String {
        report.view.sweep.measure.checkpointsText.map { " \($0)" } ?? ""
    }

    private var axes: [[String]] {
        let sweep = report.view.sweep
        let workloads = sweep.workloads.isEmpty ? [] : [("workload", sweep.workloads)]
        return (workloads + sweep.allAxes.map { ($0.name, $0.values) }).map { name, values in
            [Markup.escaped(name), Markup.escaped(PeopleText.list(values.map { VisibleText.of($0) }, atMost: 40))]
        }
    }
}
