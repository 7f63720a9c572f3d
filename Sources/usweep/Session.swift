import ArgumentParser
import CoordinatorRuntime
import Engines
import Foundation
import Ledger
import LocalFiles
import Model
import ObjectStore
import Ports
import ProgramTransport
import SSHTransport
import SweepCore
import SweepFiles
import Synchronization

/// One coordinator at work: a sweep, its ledger (whose lock it holds), and the loop that runs it.
struct Session {
    let sweep: Sweep
    let inventory: Inventory
    let folder: ArtifactsFolder
    let entry: ArtifactsFolder.Entry
    let ledger: Ledger
    private let engine: any Engine
    private let points: Points

    // MARK: Beginning

    /// Plans a new sweep and makes its ledger.
    static func create(_ sweep: Sweep, inventory: Inventory, in folder: ArtifactsFolder) throws -> Session {
        let engine = try EngineChoice.engine(for: sweep)
        let points = try Points(sweep, recipe: sweep.recipe)
        try stage(engine.inputs, folder)
        let letters = Array("0123456789abcdefghjkmnpqrstvwxyz")
        let identifier = String((0..<8).map { _ in letters[Int.random(in: 0..<letters.count)] })
        let path = "\(folder.path)/\(sweep.name)-\(identifier)"
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        } catch {
            throw Failure(.storage, "the sweep's folder \(path) cannot be made", cause: error.localizedDescription)
        }
        let metadata = LedgerMetadata(
            sweep: sweep.name, identifier: identifier, specification: try Document.encode(sweep),
            created: SystemTime().wall(), toolVersion: Usweep.version,
            notes: [EnvironmentVariable("inventory", try Document.encode(inventory))])
        let ledger = try Ledger.create(
            "\(path)/ledger.sqlite", metadata: metadata, runs: plannedRuns(sweep, points, engine.setups))
        let entry = ArtifactsFolder.Entry(name: sweep.name, identifier: identifier, folder: path, changed: .now)
        return Session(
            sweep: sweep, inventory: inventory, folder: folder, entry: entry, ledger: ledger, engine: engine,
            points: points)
    }

    /// Opens an interrupted sweep's ledger.
    ///
    /// - Parameters:
    ///   - inventory: nil: the one it was last launched with.
    ///   - sweep: what the sweep file says now; nil: what it said at launch.
    static func resume(
        _ entry: ArtifactsFolder.Entry, in folder: ArtifactsFolder, inventory: Inventory?, sweep: Sweep?
    ) throws -> Session {
        let ledger = try Ledger.open(entry.ledger, sweep: entry.name)
        let metadata = try ledger.metadata()
        let planned: Sweep = try Document.decode(metadata.specification)
        let hosts = try inventory ?? Document.decode(metadata.notes.first { $0.name == "inventory" }?.value ?? "")
        let points = try Points(planned, recipe: planned.recipe)
        if let sweep { try check(sweep, against: points, planned, entry) }
        let engine = try EngineChoice.engine(for: planned)
        try stage(engine.inputs, folder)
        return Session(
            sweep: planned, inventory: hosts, folder: folder, entry: entry, ledger: ledger, engine: engine,
            points: points)
    }

    /// A sweep file that says something else than at launch would mix two experiments under one name.
    private static func check(
        _ sweep: Sweep, against points: Points, _ planned: Sweep, _ entry: ArtifactsFolder.Entry
    ) throws {
        let now = try Points(sweep, recipe: sweep.recipe)
        let isSame = now.count == points.count && sweep.measure.repeats == planned.measure.repeats
            && (0..<now.count).allSatisfy { now.digest($0) == points.digest($0) }
        guard isSame else {
            throw Failure(
                .refused,
                "the sweep file no longer describes the sweep '\(entry.name)' that was launched "
                    + "(\(points.count) points then, \(now.count) now, or another recipe); launch it with --new, or "
                    + "give it another name")
        }
    }

    private static func stage(_ inputs: [InputFile], _ folder: ArtifactsFolder) throws {
        let store = try folder.objects()
        for input in inputs where try !store.holds(input.digest) {
            let (found, _) = try store.publish(file: input.source)
            guard found == input.digest else {
                throw Failure(.badSpecification, "\(input.source) changed while it was being read; try again")
            }
        }
    }

    private static func plannedRuns(_ sweep: Sweep, _ points: Points, _ setups: [String]) -> some Sequence<PlannedRun> {
        let repeats = sweep.measure.repeats
        let evaluations = (0..<points.count * repeats).lazy.map { index in
            let point = index / repeats
            return PlannedRun(
                run: index + 1, pointIndex: point, point: points.digest(point), workload: points.workload(point),
                repetition: index % repeats + 1)
        }
        let preparations = setups.enumerated().map { index, workload in
            PlannedRun(run: points.count * repeats + index + 1, kind: .setup, workload: workload)
        }
        return [AnySequence(evaluations), AnySequence(preparations)].lazy.flatMap { $0 }
    }

    // MARK: Running

    /// Cancels without handing anything out. For a whole sweep it reaches the hosts that still hold runs, and waits
    /// for their word; a single run's host is told when the sweep goes on.
    func cancel(run: RunNumber?, console: Console) throws {
        var state = SweepState(plan: plan())
        try ledger.forEachRecord { _, record in state.apply(record) }
        let tables = MergedTables(entry)
        if let run {
            guard 1...state.runs.count ~= run else { throw Failure(.missingFile, "there is no run \(run)") }
            try ledger.commit([.runEnded(run: run, state: .cancelled, failure: .cancelled, attempt: 0)])
        } else {
            let inbox = Inbox()
            inbox.put(.request(.cancel(run: nil, reason: "cancelled by 'usweep cancel'")))
            let loop = try loop(state, inbox)
            _ = try loop.run()
        }
        try tables.write()
        console.say("cancelled \(run.map { "run \($0)" } ?? "the sweep"); what succeeded is kept")
    }

    /// Runs until nothing is left to do, then ends with the documented status.
    func run(console: Console) throws {
        let inbox = Inbox()
        let signals = Signals(inbox: inbox, requests: Requests(folder: entry.folder))
        var state = SweepState(plan: plan())
        try ledger.forEachRecord { _, record in state.apply(record) }
        try reopenCancelled(&state)
        let time = SystemTime()
        let loop = try loop(state, inbox)
        let progress = Progress(console: console, session: self, startedAt: time.monotonic())
        progress.begin(state)
        let tables = MergedTables(entry)
        loop.observer = { loop, records in
            progress.show(loop, records, now: time.monotonic())
            tables.refresh(records, now: time.monotonic())
        }
        var ending = try loop.run()
        if case .interrupted = ending, signals.allowsSecondThoughts {
            ending = try awaitSecondSignal(loop, inbox, console)
        }
        progress.end(loop)
        try tables.write()
        try finish(ending, loop.state, console)
    }

    private func loop(_ state: SweepState, _ inbox: Inbox) throws -> CoordinatorLoop {
        let time = SystemTime()
        return CoordinatorLoop(
            core: Coordinator(state: state, now: time.monotonic()), setting: try setting(), ledger: ledger,
            store: try folder.objects(), transports: Transports.all(inventory), inbox: inbox, time: time)
    }

    /// After the first Ctrl-C there is a moment for the second, which cancels.
    private func awaitSecondSignal(_ loop: CoordinatorLoop, _ inbox: Inbox, _ console: Console) throws -> Ending {
        let left = loop.state.runs.count - loop.state.endedCount
        console.say("interrupted; what runs goes on (\(left) runs left). Ctrl-C again within 3 s cancels them")
        guard try loop.waitForCancel(timeout: 3 * Timing.second) else { return .interrupted }
        _ = try loop.run()
        return .interrupted
    }

    private func finish(_ ending: Ending, _ state: SweepState, _ console: Console) throws {
        switch ending {
        case .complete(let allSucceeded):
            if !allSucceeded { throw ExitCode.someRunsFailed }
        case .outOfTime:
            console.say("the sweep's own time limit has passed; what is done is kept")
            throw ExitCode.outOfTime
        case .noHost(let reason):
            throw Failure(
                .noHost, "no usable host is left; what is done is kept, go on with: usweep resume "
                    + "\(entry.identifier)\n\(reason)")
        case .interrupted:
            console.say("go on with: usweep resume \(entry.identifier)")
            throw ExitCode.interrupted
        }
    }

    /// Who launches a sweep again that was cancelled wants its runs done after all.
    private func reopenCancelled(_ state: inout SweepState) throws {
        let records = state.reopening
        guard !records.isEmpty else { return }
        try ledger.commit(records)
        for record in records { state.apply(record) }
    }

    private func plan() -> Plan {
        let repeats = sweep.measure.repeats
        var groups: [Plan.Group] = []
        let workloads: [String?] = sweep.workloads.isEmpty ? [nil] : sweep.workloads
        var start = 1
        for workload in workloads {
            let count = (0..<points.count).count { points.workload($0) == workload } * repeats
            let pin = workload.flatMap { engine.setups.contains($0) ? Setting.pin($0) : nil }
            if count > 0 { groups.append(Plan.Group(runs: start..<start + count, requires: pin)) }
            start += count
        }
        for (index, workload) in engine.setups.enumerated() {
            groups.append(Plan.Group(runs: start + index..<start + index + 1, provides: Setting.pin(workload)))
        }
        var timing = Timing()
        timing.sweep = sweep.limits.sweep
        if let term = ProcessInfo.processInfo.environment["USWEEP_LEASE_SECONDS"].flatMap(Int64.init), term > 0 {
            timing.leaseTerm = term * Timing.second
        }
        return Plan(
            groups: groups, hosts: inventory.hosts.map(\.name), maximumFailures: sweep.attempts,
            agentRetries: engine.agentRetries, memoryBytes: sweep.limits.job.memoryBytes,
            pinsEngine: engine.pinsBinary, timing: timing)
    }

    private func setting() throws -> Setting {
        let plan = plan()
        return Setting(
            sweepID: "\(entry.name)-\(entry.identifier)", hosts: inventory.hosts, agentBinary: try AgentBinary.read(),
            engine: engine, points: points, sweep: sweep, setups: engine.setups, timing: plan.timing,
            checkpoints: engine.setups.isEmpty ? nil : try checkpointCache())
    }

    private func checkpointCache() throws -> CheckpointCache {
        let folder = "\(Paths.cache)/checkpoints"
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw Failure(.storage, "the cache \(folder) cannot be made", cause: error.localizedDescription)
        }
        return try CheckpointCache(folder: folder, files: LocalFiles())
    }
}

/// Nouns of Model as the ledger keeps them: JSON with sorted keys.
enum Document {
    static func encode(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    static func decode<Value: Decodable>(_ text: String) throws -> Value {
        do {
            return try JSONDecoder().decode(Value.self, from: Data(text.utf8))
        } catch {
            throw Failure(.badArchive, "the ledger's specification cannot be read", cause: "\(error)")
        }
    }
}
