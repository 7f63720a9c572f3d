import Engines
import Foundation
import Ledger
import Model
import Ports
import Results
import Storage

/// A sweep as its ledger has it, for reading only: beside a coordinator, or long after.
struct SweepView {
    let entry: ArtifactsFolder.Entry
    let ledger: Ledger
    let sweep: Sweep
    let points: Points

    init(_ entry: ArtifactsFolder.Entry) throws {
        self.entry = entry
        ledger = try Ledger.read(entry.ledger)
        sweep = try Document.decode(try ledger.metadata().specification)
        points = try Points(sweep, recipe: sweep.recipe)
    }

    private var formulas: [MetricFormula] { MetricFormula.all(of: sweep) }

    // MARK: Tables

    /// Writes one of the merged tables.
    func write(
        _ table: Table, _ format: TableWriter.Format, selection: Selection, sink: @escaping ([UInt8]) throws -> Void
    ) throws {
        let (columns, rows) = try rows(of: table, selection)
        var writer = TableWriter(format, name: table.rawValue, columns: columns, sink: sink)
        try rows { try writer.add($0) }
        try writer.finish()
    }

    /// Writes all merged tables as a SQLite file.
    func write(sqlite path: String, selection: Selection) throws {
        let file = try TableFile(path)
        for table in Table.allCases {
            let (columns, rows) = try rows(of: table, selection)
            try file.add(table.rawValue, columns: columns) { add in
                try rows { cells in try add(cells.map(TableFile.Value.init)) }
            }
        }
        try file.finish()
    }

    /// Goes through all rows of a table.
    private typealias Rows = ((_ row: [Cell]) throws -> Void) throws -> Void

    private func rows(of table: Table, _ selection: Selection) throws -> (columns: [String], rows: Rows) {
        if table == .runs { return (Table.runColumns, try provenance(selection)) }
        var names = MetricNames(required: sweep.metrics, formulas: formulas)
        try forEachRow { names.add($0) }
        let dataset = Dataset(axes: points.axes, metrics: try selection.columns(of: names.names), formulas: formulas)
        let columns = table == .results ? dataset.resultColumns : dataset.invocationColumns
        return (
            columns,
            { add in
                try forEachRow { row in
                    guard selection.matches(row) else { return }
                    switch table {
                    case .results: try add(dataset.result(row))
                    case .invocations: for cells in dataset.invocations(row) { try add(cells) }
                    case .runs: break
                    }
                }
            }
        )
    }

    private func provenance(_ selection: Selection) throws -> Rows {
        let pins = Dictionary(try ledger.pins().map { ($0.name, $0.digest) }, uniquingKeysWith: { $1 })
        var checkpoints: [String: Digest] = [:]
        try ledger.forEachSetup { setup in
            if let workload = setup.key.workload, let pin = setup.key.pin { checkpoints[workload] = pins[pin] }
        }
        return { [checkpoints] add in
            try ledger.forEachRun { run in
                guard let row = row(of: run), selection.matches(row) else { return }
                let decision = run.decision
                try add(
                    ProvenanceRow(
                        run: run.plan.run, point: run.plan.key.point, workload: run.plan.key.workload,
                        repetition: run.plan.key.repetition, state: run.state, failure: run.failure, host: run.host,
                        attempts: run.attempts, lease: run.lease, engine: pins["engine"],
                        checkpoint: run.plan.key.workload.flatMap { checkpoints[$0] },
                        started: decision.map { $0.endedAt - $0.wall }, wall: decision?.wall,
                        peakMemoryBytes: decision?.peakMemoryBytes, evidence: decision?.evidence ?? ""
                    ).cells)
            }
        }
    }

    // MARK: Raw statistics

    /// Writes what the statistics files of all merged results hold under some names: they stay whole in the object
    /// store, and are read anew for every question.
    ///
    /// - Returns: of which runs the file is lost or damaged, and how. All others are there.
    func write(
        statistics patterns: [Glob], _ store: ObjectStore, _ format: TableWriter.Format, selection: Selection,
        sink: @escaping ([UInt8]) throws -> Void
    ) throws -> [String] {
        guard sweep.engine == .gem5 else {
            throw Failure(.usage, "--stat reads gem5's statistics, and this sweep has none: its engine is another")
        }
        let columns = ["point", "workload"] + points.axes + ["repeat", "invocation", "statistic", "value"]
        var list = try StatisticsList(format, columns: columns, patterns: patterns, sink: sink)
        var found: [(lead: [Cell], run: RunNumber, attempt: AttemptNumber)] = []
        try ledger.forEachRun { run in
            guard run.state == .succeeded, let row = row(of: run), selection.matches(row), let decision = run.decision
            else { return }
            found.append((row.lead, run.plan.run, decision.id.attempt))
        }
        var problems: [String] = []
        for (lead, run, attempt) in found {
            list.begin(lead: lead)
            let artifacts = try ledger.artifacts(of: run, attempt: attempt)
            let artifact = artifacts.first { $0.path == Gem5Engine.statisticsPath }
            let problem = try artifact.map { try scan($0, store, &list) } ?? "the ledger knows of no such file"
            if let problem { problems.append("run \(run), \(Gem5Engine.statisticsPath): \(problem)") }
        }
        try list.finish()
        return problems
    }

    /// - Returns: what is wrong with the object, if anything.
    private func scan(_ artifact: Artifact, _ store: ObjectStore, _ list: inout StatisticsList) throws -> String? {
        let object = "the object \(artifact.digest)"
        var scanner = StatisticsScanner()
        do {
            guard let size = try store.size(artifact.digest) else { return "\(object) is missing" }
            guard size == artifact.size else { return "\(object) has \(size) bytes and had \(artifact.size)" }
            let piece = 1 << 20
            for offset in stride(from: 0, to: size, by: piece) {
                let bytes = try store.read(artifact.digest, at: offset, count: Int(min(Int64(piece), size - offset)))
                scanner.scan(bytes.span.bytes, &list)
                try list.check()
            }
        } catch let error as FilesError {
            return "\(object) cannot be read: \(error)"
        }
        scanner.finish(&list)
        try list.check()
        return scanner.complaint.map { "\(object) is damaged: \($0)" }
    }

    private func forEachRow(_ body: (DatasetRow) throws -> Void) throws {
        try ledger.forEachRun { run in
            if let row = row(of: run) { try body(row) }
        }
    }

    /// nil: a setup, which is no point of the sweep.
    private func row(of run: RunStatus) -> DatasetRow? {
        guard let index = pointIndex(run.plan), let point = run.plan.key.point else { return nil }
        let blocks = run.decision?.blocks.flatMap { try? Blocks($0) }
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

    /// The parameters of a run; nil: as with ``pointIndex(_:)``.
    func assignments(of plan: PlannedRun) -> [Assignment]? { pointIndex(plan).map(points.assignments) }

    /// What a run is, in a few words.
    func describe(_ plan: PlannedRun) -> String {
        if plan.key.isSetup { return VisibleText.of("setup of \(plan.key.workload ?? "")") }
        let workload = plan.key.workload.map { [$0] } ?? []
        let parameters = assignments(of: plan).map { $0.map { "\($0.axis)=\($0.value)" } }
        let repetition = sweep.measure.repeats > 1 ? ["repeat \(plan.key.repetition)"] : []
        let words = workload + (parameters ?? ["point \(plan.key.point?.short ?? "")"]) + repetition
        return VisibleText.of(words.joined(separator: " "))
    }
}

extension TableFile.Value {
    init(_ cell: Cell) {
        switch cell {
        case .empty: self = .null
        case .text(let text): self = .text(text)
        case .number(let text): self = .number(text)
        case .digest(let digest): self = .text(digest.hex)
        }
    }
}

/// `results.csv`, `invocations.csv` and `runs.csv` beside the ledger: written anew as runs end, whole or not at all.
final class MergedTables {
    private let entry: ArtifactsFolder.Entry
    private var isStale = true
    /// When they may be written again: a large dataset must not keep the coordinator from its work, and least of all
    /// from getting it going.
    private var nextAt = SystemTime().monotonic() + MergedTables.pause

    init(_ entry: ArtifactsFolder.Entry) { self.entry = entry }

    func refresh(_ records: [Record], now: Nanoseconds) {
        for case .runEnded in records { isStale = true }
        guard isStale, now >= nextAt else { return }
        // The last word is written at the end, where an error is the user's to hear.
        try? write()
        let took = SystemTime().monotonic() - now
        nextAt = now + max(MergedTables.pause, took * 50)
    }

    private static let pause: Nanoseconds = 2_000_000_000

    func write() throws {
        guard isStale else { return }
        let view = try SweepView(entry)
        let everything = try Selection(axes: view.points.axes)
        for table in Table.allCases {
            let path = "\(entry.folder)/\(table.rawValue).csv"
            try AtomicFile.write(path) { sink in
                try view.write(table, .csv, selection: everything, sink: sink)
            }
        }
        isStale = false
    }
}

/// The copy of the ledger that `doctor --ledger --mend` goes by: kept at the end, and now and then before it.
final class LedgerCopies {
    private let ledger: Ledger
    private var nextAt: Nanoseconds

    init(_ ledger: Ledger, now: Nanoseconds) {
        self.ledger = ledger
        nextAt = now + LedgerCopies.period
    }

    func refresh(now: Nanoseconds) {
        guard now >= nextAt else { return }
        try? ledger.backUp()
        let took = SystemTime().monotonic() - now
        nextAt = now + max(LedgerCopies.period, took * 200)
    }

    /// A sweep has not failed because there is no room for its copy.
    func write(_ console: Console) {
        do { try ledger.backUp() } catch { console.say("warning: there is no new copy of the ledger: \(error)") }
    }

    private static let period: Nanoseconds = 600_000_000_000
}

/// A file that is there whole or not at all.
enum AtomicFile {
    static func write(_ path: String, _ body: (@escaping ([UInt8]) throws -> Void) throws -> Void) throws {
        let temporary = "\(path).part-\(getpid())"
        let descriptor = open(temporary, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard descriptor >= 0 else { throw failure(path) }
        defer {
            close(descriptor)
            unlink(temporary)
        }
        try body { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let written = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
                if written < 0, errno != EINTR { throw failure(path) }
                rest = rest.dropFirst(max(0, written))
            }
        }
        guard fsync(descriptor) == 0, rename(temporary, path) == 0 else { throw failure(path) }
    }

    private static func failure(_ path: String) -> Failure {
        Failure(.storage, "\(path) cannot be written", cause: String(cString: strerror(errno)))
    }
}
