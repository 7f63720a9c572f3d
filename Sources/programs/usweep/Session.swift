import ArgumentParser
import CoordinatorRuntime
import Engines
import Foundation
import Ledger
import Model
import Ports
import Storage
import SweepCore
import SweepFiles
import Synchronization
import Transports

/// One coordinator at work: a sweep, its ledger (whose lock it holds), and the loop that runs it.
final class Session {
    let specification: Specification
    let inventory: Inventory
    let folder: ArtifactsFolder
    let entry: ArtifactsFolder.Entry
    let ledger: Ledger
    private let plan: Plan
    private let runs: RunList
    private let setups: [Setting.Setup]
    /// What the ledger's records add up to; the loop takes it over.
    private var state: SweepState

    var sweep: Sweep { specification.sweep }

    // MARK: Beginning

    private init(
        _ specification: Specification, _ inventory: Inventory, _ folder: ArtifactsFolder,
        _ entry: ArtifactsFolder.Entry, _ ledger: Ledger
    ) throws {
        self.specification = specification
        self.inventory = inventory
        self.folder = folder
        self.entry = entry
        self.ledger = ledger
        runs = try ledger.runList()
        setups = try specification.setups(runs, ledger)
        plan = specification.plan(
            runs, setups: setups, highestRun: try ledger.highestRun(), hosts: inventory.hosts.map(\.name))
        state = SweepState(plan: plan)
        try ledger.forEachRecord { _, record in state.apply(record) }
    }

    /// Plans a new sweep and makes its ledger.
    static func create(_ sweep: Sweep, inventory: Inventory, in folder: ArtifactsFolder) throws -> Session {
        let specification = try Specification(sweep)
        _ = try AgentBinary.read()
        try stage(specification.engine.inputs, folder)
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
            sweep: sweep.name, identifier: identifier, specification: specification.text,
            created: SystemTime().wall(), toolVersion: Usweep.version,
            notes: [EnvironmentVariable("inventory", try Document.encode(inventory))])
        let ledger = try Ledger.create("\(path)/ledger.sqlite", metadata: metadata, runs: specification.keys)
        let entry = ArtifactsFolder.Entry(name: sweep.name, identifier: identifier, folder: path, changed: .now)
        try ledger.commit(specification.pins.map { .pinned(name: $0.name, digest: $0.digest) })
        try folder.noteUse(of: entry)
        return try Session(specification, inventory, folder, entry, ledger)
    }

    /// How an interrupted sweep is taken up.
    struct Resumption {
        /// nil: the one it was last launched with.
        var inventory: Inventory?
        /// What the sweep file says now; nil: what it said when it was last launched.
        var sweep: Sweep?
        /// Do everything again under new pins.
        var repins = false
        /// Try again what has failed.
        var retry: Retry?
    }

    /// Which runs are tried again.
    struct Retry {
        /// Empty: all that failed or are quarantined.
        var runs: [RunNumber]
        /// Empty: whatever they failed for.
        var classes: [FailureClass]
    }

    /// Opens an interrupted sweep's ledger, and takes over what changed in the sweep file since.
    static func resume(
        _ entry: ArtifactsFolder.Entry, in folder: ArtifactsFolder, _ resumption: Resumption = Resumption(),
        console: Console
    ) throws -> Session {
        _ = try AgentBinary.read()
        let ledger = try Ledger.open(entry.ledger, sweep: entry.name)
        let metadata = try ledger.metadata()
        let planned: Sweep = try Document.decode(metadata.specification)
        let specification = try Specification(resumption.sweep ?? planned)
        let known = try ledger.pins()
        if !resumption.repins { try specification.checkPins(known) }
        try stage(specification.engine.inputs, folder)
        if specification.text != metadata.specification {
            let change = try ledger.revise(
                specification: specification.text, runs: specification.keys, madeAt: SystemTime().wall(),
                with: try specification.reopened(planned, ledger))
            if change.isOther { console.say("the sweep file changed: \(change.sentence)") }
        }
        if resumption.repins {
            console.say("everything is done again under new pins; what was measured under the old ones stays in the "
                + "ledger only")
        }
        let fresh = specification.pins.filter { pin in
            resumption.repins || !known.contains { $0.name == pin.name }
        }
        try ledger.commit(
            (resumption.repins ? [.repinned(reason: "asked for with --repin")] : [])
                + fresh.map { .pinned(name: $0.name, digest: $0.digest) })
        if let inventory = resumption.inventory {
            try ledger.note(EnvironmentVariable("inventory", try Document.encode(inventory)))
        }
        let hosts = try resumption.inventory
            ?? Document.decode(metadata.notes.first { $0.name == "inventory" }?.value ?? "")
        try folder.noteUse(of: entry)
        let session = try Session(specification, hosts, folder, entry, ledger)
        if let retry = resumption.retry { try session.reopen(retry, console) }
        return session
    }

    /// Opens again what is to be tried again.
    private func reopen(_ retry: Retry, _ console: Console) throws {
        for run in retry.runs {
            guard state.isCurrent(run) else {
                throw Failure(.missingFile, "the sweep \(entry.name) has no run \(run), or has it no longer")
            }
            switch state[run].phase {
            case .ended(.succeeded, _): throw Failure(.usage, "run \(run) has succeeded: there is nothing to retry")
            case .ended: break
            case .waiting, .leased: throw Failure(.usage, "run \(run) has not ended: 'usweep resume' goes on with it")
            }
        }
        let all = retry.runs.isEmpty ? plan.groups.flatMap(\.runs) : retry.runs
        let wanted = all.filter { run in
            guard case .ended(let how, let failure) = state[run].phase else { return false }
            let isMeant = !retry.runs.isEmpty || how == .failed || how == .quarantined
            return isMeant && (retry.classes.isEmpty || failure.map(retry.classes.contains) ?? false)
        }
        let runs = state.reopening(wanted)
        let records = runs.map { Record.runReopened(run: $0, reason: "asked for with 'usweep retry'") }
        try ledger.commit(records)
        for record in records { state.apply(record) }
        guard !runs.isEmpty else { return console.say("there is no such run to try again") }
        let shown = runs.prefix(20).map(String.init).joined(separator: ", ") + (runs.count > 20 ? ", ..." : "")
        console.say("tries again \(runs.count == 1 ? "run" : "\(runs.count) runs:") \(shown)")
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

    // MARK: Running

    /// Cancels without handing anything out. For a whole sweep it reaches the hosts that still hold runs, and waits
    /// for their word; a single run's host is told when the sweep goes on.
    func cancel(run: RunNumber?, console: Console) throws {
        let tables = MergedTables(entry)
        if let run {
            guard state.isCurrent(run) else {
                throw Failure(.missingFile, "the sweep \(entry.name) has no run \(run), or has it no longer")
            }
            if case .ended(let how, _) = state[run].phase {
                throw Failure(.usage, "run \(run) has ended already: \(how.rawValue)")
            }
            try ledger.commit([.runEnded(run: run, state: .cancelled, failure: .cancelled, attempt: 0)])
        } else {
            let inbox = Inbox()
            inbox.put(.request(.cancel(run: nil, reason: "cancelled by 'usweep cancel'")))
            let loop = try loop(inbox)
            _ = try loop.run()
        }
        try tables.write()
        console.say("cancelled \(run.map { "run \($0)" } ?? "the sweep"); what succeeded is kept")
    }

    /// Runs until nothing is left to do, then ends with the documented status, which is also left for those who
    /// follow the sweep.
    func run(console: Console) throws {
        do {
            try work(console)
            ledger.leave(status: 0)
        } catch {
            ledger.leave(status: Usweep.status(of: error) ?? 1)
            throw error
        }
    }

    private func work(_ console: Console) throws {
        let inbox = Inbox()
        let requests = Requests(entry: entry)
        let signals = Signals(inbox: inbox, requests: requests)
        try reopenCancelled()
        let time = SystemTime()
        let hadEnded = state.endedCount > 0
        let loop = try loop(inbox)
        let source = LoopSource(loop: loop, hostCount: inventory.hosts.count)
        let progress = Progress(console: console, entry: entry, startedAt: time.monotonic())
        progress.begin(source, verb: hadEnded ? "going on with" : "launching")
        loop.answer = { requests.answer($0, $1) }
        let tables = MergedTables(entry)
        let copies = LedgerCopies(ledger, now: time.monotonic())
        loop.observer = { [hostCount = source.hostCount] loop, records in
            progress.show(LoopSource(loop: copy loop, hostCount: hostCount), records, now: time.monotonic())
            tables.refresh(records, now: time.monotonic())
            copies.refresh(now: time.monotonic())
        }
        var ending = try loop.run()
        if case .interrupted = ending, signals.allowsSecondThoughts {
            ending = try awaitSecondSignal(loop, inbox, console)
        }
        progress.end(source)
        tellHolding(loop.state, console)
        try tables.write()
        copies.write(console)
        try finish(ending, loop.state, console)
    }

    private func loop(_ inbox: Inbox) throws -> CoordinatorLoop {
        // Given away, not shared: the state of a large sweep would be copied with its first change.
        let core = Coordinator(state: state, now: SystemTime().monotonic())
        state = SweepState(plan: Plan(groups: [], hosts: []))
        let time = SystemTime()
        return CoordinatorLoop(
            core: core, setting: try setting(), ledger: ledger,
            store: try folder.objects(), transports: Transports.all(inventory), inbox: inbox, time: time)
    }

    private func tellHolding(_ state: SweepState, _ console: Console) {
        let holding = inventory.hosts.indices.filter { state.isFinished && state.isHolding[$0] }
        if holding.isEmpty { return }
        let names = holding.map { inventory.hosts[$0].name }.joined(separator: ", ")
        console.say(
            "not reached at the end: \(names); what they still keep of this sweep goes with: usweep resume "
                + entry.identifier)
    }

    /// After the first Ctrl-C there is a moment for the second, which cancels.
    private func awaitSecondSignal(_ loop: CoordinatorLoop, _ inbox: Inbox, _ console: Console) throws -> Ending {
        let left = LoopSource(loop: loop, hostCount: 0).standing.left
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
    private func reopenCancelled() throws {
        let records = state.reopening
        guard !records.isEmpty else { return }
        try ledger.commit(records)
        for record in records { state.apply(record) }
    }

    private func setting() throws -> Setting {
        Setting(
            sweepID: "\(entry.name)-\(entry.identifier)", hosts: inventory.hosts, agentBinary: try AgentBinary.read(),
            engine: specification.engine, points: specification.points, sweep: sweep, runs: runs, setups: setups,
            timing: plan.timing, checkpoints: setups.isEmpty ? nil : try checkpointCache())
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
