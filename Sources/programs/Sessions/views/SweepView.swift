import CoordinatorRuntime
package import Engines
import Foundation
package import Ledger
package import Model
import Ports
package import Results
package import Storage

/// A sweep as its ledger has it, for reading only: beside a coordinator, or long after.
package struct SweepView {
    package let entry: ArtifactsFolder.Entry
    package let ledger: Ledger
    package let sweep: Sweep
    package let points: Points
    /// What is known of the sweep's engine.
    package let descriptor: any EngineDescriptor
    let formulas: [MetricFormula]

    /// - Parameter checksNumbers: whether the numbers in its tables are compared with its journal first, as people rely
    ///   on them; 0.1 s for 10,000 runs.
    package init(_ entry: ArtifactsFolder.Entry, checksNumbers: Bool = false) throws {
        self.entry = entry
        ledger = try Ledger.read(entry.ledger)
        if checksNumbers { try ledger.checkNumbers() }
        sweep = try Document.sweep(try ledger.metadata().specification)
        points = try Points(sweep, recipe: try sweep.recipe)
        descriptor = try EngineRegistry.find(sweep.engine)
        formulas = try sweep.formulas
    }

    /// What is asked for: conditions, of which all must hold, and metrics; none: all.
    ///
    /// - Throws: ``Failure`` (`usage`) for names and values that the sweep does not have.
    package func selection(where conditions: [String], metrics: [String] = []) throws -> Selection {
        try Selection(
            where: conditions, metrics: metrics, axes: points.axes, values: points.valuesOfAxes,
            workloads: sweep.workloads, among: { try metricNames() })
    }

    /// Why the last coordinator ended without having done everything, a reason a line; nil: somebody works on the
    /// sweep, or the last one said nothing of it.
    func lastEnd() throws -> String? {
        guard case .ended(let status, _) = Ledger.holder(entry.ledger), status != 0 else { return nil }
        let text = try ledger.metadata().notes.first { $0.name == Document.endNote }?.value ?? ""
        return text.isEmpty ? nil : text
    }

    // MARK: Tables

    /// Where rows go.
    package typealias Sink = ([UInt8]) throws -> Void

    /// The columns of a table, in their order.
    package enum Columns {
        /// Those of files.
        case standard
        /// Those of a screen: of merged tables the run's number and then those of files, of summaries some of them.
        case onScreen
        case named([String])
    }

    /// Writes one of the merged tables.
    ///
    /// - Parameter sort: as ``RowOrder`` has it; none: in the order of the runs.
    /// - Returns: how many runs were selected.
    /// - Throws: ``Failure`` (`usage`) also for a column that the table does not have.
    @discardableResult
    package func write(
        _ table: Table, _ format: TableWriter.Format, selection: Selection, columns: Columns = .standard,
        sort: [String] = [], sink: @escaping Sink
    ) throws -> Int {
        let dataset = dataset(table == .runs ? [] : try metricColumns(selection))
        // That of the runs has the number anyway.
        let lead = table == .runs ? [] : ["run"]
        let merged = lead + dataset.columns(of: table)
        let numbers = axisNumbers(beside: merged)
        let all = merged + numbers.names
        let places: [Int] =
            switch columns {
            case .standard: Array((format == .jsonl ? all : merged).indices.dropFirst(lead.count))
            case .onScreen: Array(merged.indices)
            case .named(let names): try SweepView.places(of: names, in: all)
            }
        var writer = OrderedWriter(
            TableWriter(format, name: table.rawValue, columns: places.map { all[$0] }, sink: sink), places,
            try RowOrder(sort, columns: all))
        let passage = try forEachRow(of: [table], dataset, selection) { _, run, values, cells in
            try writer.add(lead.map { _ in Cell.integer(run) } + cells + numbers.cells(values))
        }
        try writer.finish()
        return passage.selected
    }

    static func places(of names: [String], in all: [String]) throws -> [Int] {
        try names.map { name in
            guard let place = all.firstIndex(of: name) else {
                throw Failure(.usage, "--columns \(Names.shown(name)): \(Names.suggestion(name, in: all))")
            }
            return place
        }
    }

    /// Writes all merged tables as a SQLite file.
    ///
    /// - Parameter summaries: one table more; nil: none.
    /// - Returns: how many runs were selected.
    @discardableResult
    package func write(sqlite path: String, selection: Selection, summaries: SweepSummaries? = nil) throws -> Int {
        var selected = 0
        let file = try TableFile(path)
        let dataset = try dataset(metricColumns(selection))
        for table in Table.allCases {
            let columns = dataset.columns(of: table)
            // No other column may have the name of an axis.
            let axes = Set(columns.indices.filter { points.axes.contains(columns[$0]) })
            try file.add(table.rawValue, columns: columns) { add in
                selected = try forEachRow(of: [table], dataset, selection) { _, _, _, cells in
                    try add(
                        cells.enumerated().map { axes.contains($0) ? .setting($1.text) : TableFile.Value($1) })
                }.selected
            }
            try file.addView(
                "\(table.rawValue)_numbers", of: table.rawValue, columns: columns, numbers(beside: columns))
        }
        if let summaries { try summaries.add(to: file) }
        try file.finish()
        return selected
    }

    /// What a view of the table has beside its columns.
    private func numbers(beside columns: [String]) -> [TableFile.NumberColumn] {
        axisNumbers(beside: columns).columns.map { column in
            let values = points.valuesOfAxes[column.place].map { ($0, TableFile.Value(column.cell($0))) }
            return TableFile.NumberColumn(name: column.name, beside: column.axis, numbers: values)
        }
    }

    /// Writes all merged tables as CSV, in one pass over the runs: a result is read once, whatever it is shown in.
    ///
    /// - Parameters:
    ///   - metrics: the columns of metrics.
    ///   - sinks: where each of the tables goes, in their order.
    /// - Returns: the metrics that the runs have. Where these are others, what was written is of no use.
    package func write(metrics: [String], sinks: [Sink]) throws -> [String] {
        let dataset = dataset(metrics)
        let tables = Table.allCases
        var writers = zip(tables, sinks).map { table, sink in
            TableWriter(.csv, name: table.rawValue, columns: dataset.columns(of: table), sink: sink)
        }
        let passage = try forEachRow(of: tables, dataset, try Selection(axes: points.axes), gathersNames: true) {
            place, _, _, cells in
            try writers[place].add(cells)
        }
        for place in writers.indices { try writers[place].finish() }
        return passage.metrics
    }

    /// Sizes and times of the axes as numbers.
    private func axisNumbers(beside columns: [String]) -> AxisNumbers {
        AxisNumbers(axes: points.axes, values: points.valuesOfAxes, taken: columns)
    }

    private func dataset(_ metrics: [String]) -> Dataset {
        let forced = sweep.forced.map { ($0.workload, $0.differences.sentence) }
        return Dataset(
            axes: points.axes, metrics: metrics, formulas: formulas,
            forced: Dictionary(forced, uniquingKeysWith: { first, _ in first }))
    }

    /// The columns of metrics that a selection asks for. Runs are read for it only where it must be.
    func metricColumns(_ selection: Selection) throws -> [String] {
        try selection.columns(within: sweep.metrics) ?? selection.columns(of: metricNames())
    }

    /// The metrics that rows are sorted by, and that are not asked for by other options.
    package func metrics(sortedBy texts: [String], beside asked: [String]) throws -> [String] {
        let known = try metricNames()
        let names = try texts.flatMap { try ColumnList.names($0, option: "--sort") }
        let asked = Names.listed(asked, known: known)
        return known.filter { (names.contains($0) || names.contains("-\($0)")) && !asked.contains($0) }
    }

    /// The metrics that the results of all runs have.
    package func metricNames() throws -> [String] {
        let all = try Selection(axes: points.axes)
        return try forEachRow(of: [], dataset([]), all, gathersNames: true) { _, _, _, _ in }.metrics
    }

    /// What was met on the way through all runs.
    private struct Passage {
        /// What the results have; none where they were not gathered.
        var metrics: [String]
        var selected: Int
    }

    /// Goes through all runs, and gives their rows of some tables.
    ///
    /// - Parameters:
    ///   - gathersNames: whether the metrics of all runs are wanted, also of those that are not selected.
    ///   - put: is given the place of a table among `tables`, the run, its values of the axes, and a row of
    ///     the table.
    private func forEachRow(
        of tables: [Table], _ dataset: Dataset, _ selection: Selection, gathersNames: Bool = false,
        put: (Int, RunNumber, _ values: [String], [Cell]) throws -> Void
    ) throws -> Passage {
        let origin = try Origin(self)
        let readsResults = tables != [.runs] || selection.readsMetrics
        var selected = 0
        var names = MetricNames(required: sweep.metrics, formulas: formulas)
        try ledger.forEachRun { run in
            // A result is read where it is shown, where it is asked about, or for its names.
            if !gathersNames, try !isCandidate(run, selection) { return }
            guard let row = try row(of: run, withResult: readsResults) else { return }
            if gathersNames { names.add(row) }
            guard selection.matches(row, formulas) else { return }
            selected += 1
            let number = run.plan.run
            for (place, table) in tables.enumerated() {
                switch table {
                case .results: try put(place, number, row.values, dataset.result(row))
                case .invocations: for cells in dataset.invocations(row) { try put(place, number, row.values, cells) }
                case .runs: try put(place, number, row.values, origin.provenance(of: run).cells(row.values))
                }
            }
        }
        return Passage(metrics: gathersNames ? names.names : [], selected: selected)
    }

    /// Whether a run may fit, as far as can be told without its result.
    private func isCandidate(_ run: RunStatus, _ selection: Selection) throws -> Bool {
        guard !selection.isEverything, !selection.readsMetrics else { return true }
        return try row(of: run).map { selection.matches($0) } ?? false
    }

    /// Goes through the runs of points that fit, with their rows.
    ///
    /// - Parameter withResults: whether rows must have their results, whatever the selection needs.
    func forEachSelected(
        _ selection: Selection, withResults: Bool = false, _ body: (RunStatus, DatasetRow) throws -> Void
    ) throws {
        try ledger.forEachRun { run in
            guard try isCandidate(run, selection),
                let row = try row(of: run, withResult: withResults || selection.readsMetrics),
                selection.matches(row, formulas)
            else { return }
            try body(run, row)
        }
    }

    // MARK: Raw statistics

    /// Writes what the statistics files of all merged results hold under some names: they stay whole in the object
    /// store, and are read anew for every question.
    ///
    /// - Returns: how many runs were selected; of which of them the file is lost or damaged, and how.
    package func write(
        statistics patterns: [Glob], _ store: ObjectStore, _ format: TableWriter.Format, selection: Selection,
        sink: @escaping ([UInt8]) throws -> Void
    ) throws -> (selected: Int, problems: [String]) {
        guard let path = descriptor.statistics else {
            let owners = EngineRegistry.all.filter { $0.statistics != nil }.map(\.name)
            throw Failure(
                .usage, "--stat reads the raw statistics that runs of engine \(Names.list(owners)) leave, and this "
                    + "sweep's engine is '\(sweep.engine)'")
        }
        let columns = ["point", "workload"] + points.axes + ["repeat", "invocation", "statistic", "value"]
        var list = try StatisticsList(format, columns: columns, patterns: patterns, sink: sink)
        var found: [(lead: [Cell], run: RunNumber, attempt: AttemptNumber)] = []
        try forEachSelected(selection) { run, row in
            guard run.state == .succeeded, let decision = run.decision else { return }
            found.append((row.lead, run.plan.run, decision.id.attempt))
        }
        var problems: [String] = []
        for (lead, run, attempt) in found {
            list.begin(lead: lead)
            let artifacts = try ledger.artifacts(of: run, attempt: attempt)
            let artifact = artifacts.first { $0.path == path }
            let problem = try artifact.map { try self.list($0, store, &list) } ?? "the ledger has no such file"
            if let problem { problems.append("run \(run), \(path): \(problem)") }
        }
        try list.finish()
        return (found.count, problems)
    }

    /// - Returns: what is wrong with the object, if anything.
    private func list(_ artifact: Artifact, _ store: ObjectStore, _ list: inout StatisticsList) throws -> String? {
        let problem = try store.scan(statistics: artifact, &list)
        try list.check()
        return problem
    }

    /// nil: a setup, which is no point of the sweep.
    ///
    /// - Throws: ``Failure`` (`badArchive`) where the result that the ledger keeps cannot be read.
    func row(of run: RunStatus, withResult: Bool = false) throws -> DatasetRow? {
        guard let index = pointIndex(run.plan), let point = run.plan.key.point else { return nil }
        let kept = withResult && run.state == .succeeded ? run.decision?.blocks : nil
        let blocks: Blocks?
        do {
            blocks = try kept.map { try Blocks($0) }
        } catch {
            throw Failure(
                .badArchive, "the result of run \(run.plan.run) cannot be read; check the ledger: "
                    + entry.command("doctor --ledger"), cause: "\(error)")
        }
        return DatasetRow(
            point: point, workload: run.plan.key.workload, values: points.values(index),
            repetition: run.plan.key.repetition, state: run.state, failure: run.failure, blocks: blocks)
    }

    /// The place of a run's point among ``points``; nil: a setup, or a run that the sweep file no longer has.
    private func pointIndex(_ plan: PlannedRun) -> Int? {
        guard !plan.key.isSetup, let place = plan.place else { return nil }
        let index = place / sweep.measure.repeats
        return index < points.count ? index : nil
    }

    /// Which of several checkpoints a run makes, or starts from, by its place among ``Measure/ages``; nil: the sweep
    /// file no longer has the run.
    func checkpoint(of plan: PlannedRun) -> Int? {
        guard let place = plan.place, !plan.key.isSetup else {
            // Of a workload all setups stand together.
            return plan.place.map { ($0 - points.count * sweep.measure.repeats) % sweep.measure.ages.count }
        }
        return points.checkpoint(place / sweep.measure.repeats)
    }

    /// Of one of several checkpoints, after how many invocations it is taken; nil: it is the only one, or gone.
    private func age(ofSetup plan: PlannedRun) -> Int? {
        sweep.measure.checkpoints.isEmpty ? nil : checkpoint(of: plan).map { sweep.measure.ages[$0] }
    }

    /// The parameters of a run; nil: as with ``pointIndex(_:)``.
    package func assignments(of plan: PlannedRun) -> [Assignment]? { pointIndex(plan).map(points.assignments) }

    /// The parameters of a run as its program was given them, JSON; nil: as with ``pointIndex(_:)``.
    package func document(of plan: PlannedRun) -> String? { pointIndex(plan).map { points.document($0).encoded } }

    /// What a run is, word by word: its workload, its parameters, and which repeat it is where there are several.
    package func words(of plan: PlannedRun) -> [String] {
        let workload = plan.key.workload.map { [$0] } ?? []
        let parameters = assignments(of: plan)?.map { "\($0.axis)=\($0.value)" }
        let repetition = sweep.measure.repeats > 1 ? ["repeat \(plan.key.repetition)"] : []
        return workload + (parameters ?? ["point \(plan.key.point?.short ?? "")"]) + repetition
    }

    /// What a run is, in a few words.
    package func describe(_ plan: PlannedRun) -> String {
        switch plan.key {
        case .boot: return "boot of the guest"
        case .setup(let workload, _):
            let age = age(ofSetup: plan).map { ", checkpoint after \(PeopleText.count($0, "invocation"))" } ?? ""
            return VisibleText.of("setup of \(workload)\(age)")
        case .evaluation: break
        }
        return VisibleText.of(words(of: plan).joined(separator: " "))
    }
}

/// What all runs of a sweep were made with.
private struct Origin {
    private let engine: Digest?
    /// By workload, in the order of ``Measure/ages``.
    private var checkpoints: [String: [Digest?]] = [:]
    private let view: SweepView
    private var sweep: Sweep { view.sweep }

    init(_ view: SweepView) throws {
        self.view = view
        let ledger = view.ledger
        let pins = Dictionary(try ledger.pins().map { ($0.name, $0.digest) }, uniquingKeysWith: { $1 })
        engine = pins["engine"]
        var checkpoints: [String: [Digest?]] = [:]
        for workload in view.sweep.workloads {
            let given = view.descriptor.givenCheckpoint(of: workload).flatMap { pins["guest:\($0)"] }
            if let given { checkpoints[workload] = [given] }
        }
        try ledger.forEachSetup { setup in
            guard let workload = setup.key.workload, let pin = setup.key.pin else { return }
            checkpoints[workload, default: []].append(pins[pin])
        }
        self.checkpoints = checkpoints
    }

    private func checkpoint(of plan: PlannedRun) -> Digest? {
        guard let known = plan.key.workload.flatMap({ checkpoints[$0] }), let place = view.checkpoint(of: plan),
            known.indices.contains(place)
        else { return nil }
        return known[place]
    }

    func provenance(of run: RunStatus) -> ProvenanceRow {
        let decision = run.decision
        return ProvenanceRow(
            run: run.plan.run, point: run.plan.key.point, workload: run.plan.key.workload,
            repetition: run.plan.key.repetition, state: run.state, failure: run.failure, host: run.host,
            attempts: run.attempts, lease: run.lease, engine: engine,
            checkpoint: checkpoint(of: run.plan),
            forced: run.plan.key.isSetup ? nil : sweep.forced(run.plan.key.workload),
            started: decision.map { $0.endedAt.subtractingCapped($0.wall) }, wall: decision?.wall,
            peakMemoryBytes: decision?.peakMemoryBytes, evidence: decision?.evidence ?? "")
    }
}

extension TableFile.Value {
    package init(_ cell: Cell) {
        switch cell {
        case .empty: self = .null
        case .text(let text): self = .text(text)
        case .number(let text): self = .number(text)
        case .digest(let digest): self = .text(digest.hex)
        }
    }
}
