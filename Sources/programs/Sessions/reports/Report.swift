import Engines
import Figures
import Foundation
import Ledger
import Model
import Results

/// A sweep on one page: what ran on what, what came out, how it went. Read once from the ledger, then written.
package struct Report {
    let view: SweepView
    let status: SweepStatus
    let metadata: LedgerMetadata
    let table: ReportTable
    let figures: [(metric: String, figure: Figure)]
    /// Metrics that have a column but no figure.
    let metricsWithoutFigure: [String]
    let course: ReportCourse
    /// What to know before believing the numbers, a sentence each.
    let warnings: [String]
    /// Wall clock, nanoseconds since 1970.
    let written: Nanoseconds

    /// Judging the invocations of more points takes longer than one wants to wait.
    private static let mostJudgedPoints = 10_000
    private static let mostMetrics = 12

    package init(_ entry: ArtifactsFolder.Entry) throws {
        view = try SweepView(entry, checksNumbers: true)
        status = try SweepStatus(entry)
        metadata = try view.ledger.metadata()
        written = SystemTime().wall()
        let asked = view.sweep.requiredMetrics
        let metrics = asked.isEmpty ? Array(try view.metricNames().prefix(Report.mostMetrics)) : asked
        let subject = try view.figureSubject(naming: metrics)
        var figures = try ReportFigures(view, metrics: metrics, subject)
        var rows = ReportRows(view, subject, metrics: metrics)
        let isJudged = view.points.count <= Report.mostJudgedPoints
        var question = SummaryQuestion(metrics: metrics)
        question.hasIntervals = false
        var summarizer = try Summarizer(
            axes: view.points.axes, hasWorkloads: subject.hasWorkloads, question, formulas: subject.formulas)
        try view.forEachSelected(try Selection(axes: view.points.axes), withResults: true) { run, row in
            figures.add(row)
            rows.add(run, row)
            if isJudged { summarizer.add(row) }
        }
        table = rows.table
        self.figures = try figures.figures()
        metricsWithoutFigure = figures.leftOut
        course = try ReportCourse(view, status)
        warnings = Report.warnings(view, status, isJudged ? try summarizer.groups() : nil)
    }

    private static func warnings(_ view: SweepView, _ status: SweepStatus, _ groups: [SummaryGroup]?) -> [String] {
        var warnings: [String] = []
        if status.late.disagreeing > 0 {
            warnings.append(
                "\(PeopleText.count(status.late.disagreeing, "late result")) differed from what was merged: these "
                    + "points are not deterministic.")
        }
        if let audit = status.audit, !audit.disputes.isEmpty || !audit.fenced.isEmpty {
            warnings += audit.labelled.map { "\($0)." }
        }
        warnings += status.damage.sentences.map { "\($0.prefix(1).uppercased())\($0.dropFirst())." }
        if status.goneCount > 0 {
            warnings.append(
                "\(PeopleText.count(status.goneCount, "run")) no longer part of the sweep: kept, and not shown here.")
        }
        warnings += view.sweep.forced.map { forced in
            "The results of \(forced.workload) start from a checkpoint that does not fit and was forced: "
                + "\(forced.differences.sentence)."
        }
        guard let groups else {
            return warnings + [
                "Drift of invocations was not examined, because there are more than \(mostJudgedPoints) points; see: "
                    + view.entry.command("results --spread"),
            ]
        }
        return warnings + SummaryNotes.warnings(
            groups, warm: view.sweep.measure.warm, canWarm: view.descriptor.phases.contains(.warm),
            canResume: !status.holder.isOther, command: { view.entry.command($0) })
    }

    /// Whether more may come: then the page says so.
    var openRuns: Int { status.counts.filter { $0.state == nil }.reduce(0) { $0 + $1.count } }

    /// Writes the page.
    package func write(to sink: ([UInt8]) throws -> Void) throws {
        let page = ReportPage(self)
        for part in try page.parts() { try sink(Array(part.utf8)) }
    }
}

/// Gathers the rows of the report's table.
private struct ReportRows {
    private(set) var table: ReportTable
    private let metrics: [String]
    private let hasWorkloads: Bool
    private let hasRepeats: Bool
    private let formulas: [MetricFormula]

    init(_ view: SweepView, _ subject: FigureSubject, metrics: [String]) {
        self.metrics = metrics
        hasWorkloads = subject.hasWorkloads
        hasRepeats = view.sweep.measure.repeats > 1
        formulas = subject.formulas
        let units = Dictionary(subject.metrics.map { ($0.name, $0.unit) }, uniquingKeysWith: { first, _ in first })
        var columns: [(name: String, unit: String?, isNumber: Bool)] = [("run", nil, true)]
        if hasWorkloads { columns.append(("workload", nil, false)) }
        columns += view.points.axes.map { ($0, nil, false) }
        if hasRepeats { columns.append(("repeat", nil, true)) }
        columns += [("outcome", nil, false), ("class", nil, false)]
        columns += metrics.map { ($0, units[$0] ?? nil, true) }
        columns += [("host", nil, false), ("attempts", nil, true), ("wall_s", "seconds", true)]
        table = ReportTable(columns)
    }

    mutating func add(_ run: RunStatus, _ row: DatasetRow) {
        var cells: [Cell] = [.integer(run.plan.run)]
        if hasWorkloads { cells.append(.optional(row.workload)) }
        cells += row.values.map { .text($0) }
        if hasRepeats { cells.append(.integer(row.repetition)) }
        cells.append(.text(row.state?.rawValue ?? "not ended"))
        cells.append(.optional(row.failure?.rawValue))
        let found = row.state == .succeeded ? row.blocks?.metrics(formulas) ?? [] : []
        cells += metrics.map { name in found.first { $0.name == name }.map { .number($0.value) } ?? .empty }
        let wall = run.decision.map { Cell.number(Number.render((Double($0.wall) / 1e6).rounded() / 1_000)) }
        cells += [.optional(run.host), .integer(run.attempts), wall ?? .empty]
        table.add(cells)
    }
}
