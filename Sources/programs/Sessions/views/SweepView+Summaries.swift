import Engines
import Ledger
import Model
package import Results

/// The runs of a sweep, summed up.
package struct SweepSummaries {
    package var groups: [SummaryGroup]
    /// What groups are named by.
    package var by: [String]
    package var hasBaseline: Bool
    /// What a reader must know beside them, in sentences.
    package var notes: [String]
}

extension SweepView {
    /// Sums up the selected runs.
    ///
    /// - Parameter question: its metrics are those that are asked for; none: those that the selection chooses.
    /// - Throws: ``Failure`` (`usage`) for names that the sweep does not have.
    package func summaries(_ question: SummaryQuestion, selection: Selection) throws -> SweepSummaries {
        var question = question
        if question.metrics.isEmpty { question.metrics = try metricColumns(selection) }
        var summarizer = try Summarizer(
            axes: points.axes, hasWorkloads: !sweep.workloads.isEmpty, question, formulas: formulas)
        var amount = MeasuredAmount(sweep.measure)
        try forEachSelected(selection, withResults: true) { _, row in
            summarizer.add(row)
            amount?.add(row)
        }
        let groups = try summarizer.groups()
        let notes = SummaryNotes.of(
            groups, confidence: question.confidence, warm: sweep.measure.warm,
            canWarm: canWarm, canResume: !Ledger.holder(entry.ledger).isOther, command: { entry.command($0) })
        return SweepSummaries(
            groups: groups, by: summarizer.by, hasBaseline: question.baseline != nil,
            notes: notes + (amount?.sentence.map { [$0] } ?? []))
    }

    /// What a reader of a run's results should know.
    func notes(of run: RunStatus) throws -> [String] {
        guard let row = try row(of: run, withResult: true) else { return [] }
        let metrics = sweep.metrics.isEmpty ? row.metricNames(formulas) : sweep.metrics
        var summarizer = try Summarizer(
            axes: points.axes, hasWorkloads: !sweep.workloads.isEmpty, SummaryQuestion(metrics: metrics),
            formulas: formulas)
        summarizer.add(row)
        let found = try summarizer.groups().flatMap(\.metrics)
        let drift = SummaryNotes.ofRun(found, warm: sweep.measure.warm, canWarm: canWarm)
        return [ending(row), drift].compactMap(\.self)
    }

    /// How much a run measured that may end early.
    private func ending(_ row: DatasetRow) -> String? {
        guard let blocks = row.merged?.blocks, let rule = StoppingRule(of: sweep, descriptor.formulas) else {
            return nil
        }
        let most = sweep.measure.invocations
        let reach = rule.reach(of: blocks).map { "known to within \(StoppingRule.percent($0))" } ?? "not known"
        return "It measured \(blocks.count) of at most \(PeopleText.count(most, "invocation")), and "
            + "\(VisibleText.of(rule.precision.metric)) is \(reach); \(rule.precision.text) was asked for."
    }

    /// What a sweep that measures until a metric is known well enough saved by that; nil: it does not, or nothing has
    /// succeeded.
    func saving() throws -> String? {
        guard var amount = MeasuredAmount(sweep.measure) else { return nil }
        try forEachSelected(try Selection(axes: points.axes), withResults: true) { _, row in amount.add(row) }
        return amount.sentence
    }

    private var canWarm: Bool { descriptor.phases.contains(.warm) }

    /// Writes summaries as text.
    ///
    /// - Throws: ``Failure`` (`usage`) also for a column that there is not.
    package func write(
        _ summaries: SweepSummaries, _ format: TableWriter.Format, columns: Columns = .standard,
        sort: [String] = [], sink: @escaping Sink
    ) throws {
        let table = SummaryColumns(by: summaries.by, hasBaseline: summaries.hasBaseline)
        let names: [String] =
            switch columns {
            case .standard: table.names
            case .onScreen: table.shownNames
            case .named(let names):
                // An axis is named as in --by also where its column has another name.
                names.map { name in
                    let column = "axis.\(name)"
                    return summaries.by.contains(name) && table.names.contains(column) ? column : name
                }
            }
        let places = try SweepView.places(of: names, in: table.names)
        var writer = OrderedWriter(
            TableWriter(format, name: SweepSummaries.table, columns: names, sink: sink), places,
            try RowOrder(sort, columns: table.names))
        for group in summaries.groups {
            for row in table.rows(group) { try writer.add(row) }
        }
        try writer.finish()
    }
}

extension SweepSummaries {
    /// As files name the table.
    static let table = "summary"

    func add(to file: TableFile) throws {
        let columns = SummaryColumns(by: by, hasBaseline: hasBaseline)
        try file.add(SweepSummaries.table, columns: columns.names) { add in
            for group in groups {
                for row in columns.rows(group) {
                    try add(row.enumerated().map { $0 < by.count ? .setting($1.text) : TableFile.Value($1) })
                }
            }
        }
    }
}
