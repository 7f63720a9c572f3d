import CoordinatorRuntime
import Engines
package import Formats
import Foundation
import Ledger
package import Model
import Storage
import SweepCore
import SweepFiles

/// One coordinator at work: a sweep, its ledger (whose lock it holds), and the loop that runs it.
package final class Session {
    let specification: Specification
    /// With those of its hosts alone that the sweep may use; the ledger keeps all of it.
    let inventory: Inventory
    let folder: ArtifactsFolder
    package let entry: ArtifactsFolder.Entry
    let ledger: Ledger
    /// Nobody deletes objects meanwhile.
    private let use: ArtifactsUse
    private let checkpoints: CheckpointStore?
    private let useOfCheckpoints: ArtifactsUse?
    /// Why checkpoints of other sweeps are not used, and this sweep's not kept for others; nil: they are.
    let checkpointsProblem: String?
    /// Inputs that are to be put into the object store while the sweep runs.
    let unstaged: [InputFile]
    let plan: Plan
    private let runs: RunList
    private let setups: [Setting.Setup]
    /// What the ledger's records add up to; the loop takes it over.
    var state: SweepState

    private var sweep: Sweep { specification.sweep }

    // MARK: Beginning

    private init(
        _ specification: Specification, _ inventory: Inventory, _ folder: ArtifactsFolder,
        _ entry: ArtifactsFolder.Entry, _ ledger: Ledger, _ use: ArtifactsUse, _ unstaged: [InputFile],
        only pointCount: Int?
    ) throws {
        self.use = use
        self.unstaged = unstaged
        self.specification = specification
        self.inventory = try specification.usable(inventory)
        self.folder = folder
        self.entry = entry
        self.ledger = ledger
        runs = try specification.checked(try ledger.runList())
        setups = try specification.setups(runs, ledger)
        let store = Caches.checkpoints
        // Where somebody removes checkpoints just now, or the folder is not usable, this sweep makes its own.
        let attempt = setups.isEmpty ? nil : Result { try ArtifactsUse.adding(to: store) }
        useOfCheckpoints = try? attempt?.get()
        checkpointsProblem = attempt.flatMap { if case .failure(let error) = $0 { "\(error)" } else { nil } }
        checkpoints = useOfCheckpoints == nil ? nil : store
        var plan = specification.plan(
            runs, setups: setups, highestRun: try ledger.highestRun(), hosts: self.inventory.hosts,
            only: pointCount, given: try Reproduction.givenPins(ledger))
        if let share = try AuditShare(ledger.metadata()) {
            plan.audited = share.runs(of: specification.points, repeats: specification.sweep.measure.repeats, runs)
        }
        plan.history = PastRuns(in: folder, except: entry).like(specification, setups, self.inventory, plan)
        self.plan = plan
        state = SweepState(plan: plan)
        try ledger.forEachRecord { sequence, record in
            do throws(Failure) {
                try state.replay(record)
            } catch {
                throw ledger.damaged("record \(sequence): \(error.message)")
            }
        }
        // The hosts would be told to end what is not among these points.
        if pointCount != nil, state.isUnderWay {
            throw Failure(
                .usage, "\(entry.fullName) is running on its hosts, so --try cannot run only some of its "
                    + "points; run all of it: \(entry.command("resume"))")
        }
    }

    /// Plans a new sweep and makes its ledger.
    ///
    /// - Parameters:
    ///   - forces: whether checkpoints are used that do not fit.
    ///   - files: where the sweep and the inventory were read.
    ///   - pointCount: do only so many points; nil: all.
    ///   - audit: the points that are to be run again on another host; nil: none.
    ///   - capsule: what is to be done again, whose objects are in the folder's store; nil: something new.
    package static func create(
        _ sweep: Sweep, inventory: Inventory, files: LaunchFiles = LaunchFiles(), in folder: ArtifactsFolder,
        forces: Bool = false, only pointCount: Int? = nil, audit: AuditShare? = nil, from capsule: Capsule? = nil
    ) throws -> Session {
        guard Names.isPlain(sweep.name) else {
            throw Failure(.badSpecification, "'\(Names.shown(sweep.name))' cannot be the name of a sweep")
        }
        let store = try folder.objects()
        let machine = RecordingMachine(capsule.map { RecordedMachine($0.machine, store) } ?? ThisMachine())
        let specification = try Specification(sweep, on: machine, forces: forces)
        let usable = try specification.usable(inventory)
        try audit?.check(usable.hosts)
        try AgentBinary.check()
        let use = try ArtifactsUse.adding(to: folder)
        let unstaged = try beginStaging(specification, folder)
        try machine.publish(into: store)
        let identifier = newIdentifier()
        let path = "\(folder.path)/\(sweep.name)-\(identifier)"
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        } catch {
            throw Failure(.storage, "the sweep's folder \(path) cannot be created", cause: SystemReason.of(error))
        }
        let metadata = LedgerMetadata(
            sweep: sweep.name, identifier: identifier, specification: specification.text,
            created: SystemTime().wall(), toolVersion: Installation.version,
            notes: [
                EnvironmentVariable(Document.inventoryNote, inventory.document),
                EnvironmentVariable(Reproduction.machineNote, machine.record.document),
            ] + files.notes + (audit.map { [EnvironmentVariable(AuditShare.note, $0.text)] } ?? [])
                + (capsule.map { [EnvironmentVariable(Reproduction.originNote, $0.document)] } ?? []))
        let ledger: Ledger
        do {
            ledger = try Ledger.create("\(path)/ledger.sqlite", metadata: metadata, runs: specification.keys)
            try ledger.commit(firstPins(specification, capsule))
        } catch {
            // Nothing of it was run. What is left would be taken for a sweep.
            try? FileManager.default.removeItem(atPath: path)
            throw error
        }
        let entry = ArtifactsFolder.Entry(
            name: sweep.name, identifier: identifier, folder: path, changed: .now, artifacts: folder)
        try folder.noteUse(of: entry)
        return try Session(specification, inventory, folder, entry, ledger, use, unstaged, only: pointCount)
    }

    /// What a new ledger begins with, in one transaction: a reproduction has to have all that its capsule names.
    private static func firstPins(_ specification: Specification, _ capsule: Capsule?) -> [Record] {
        specification.pins.map { .pinned(name: $0.name, digest: $0.digest) }
            + (capsule?.pins ?? []).map { .pinned(name: $0.name, digest: $0.digest) }
    }

    /// Crockford's digits, a letter first: no number of a run begins one.
    private static func newIdentifier() -> String {
        let letters = Array("abcdefghjkmnpqrstvwxyz")
        let digits = Array("0123456789") + letters
        return String((0..<8).map { $0 == 0 ? letters[.random(in: 0..<22)] : digits[.random(in: 0..<32)] })
    }

    /// How an interrupted sweep is taken up.
    package struct Resumption {
        /// nil: the one it was last launched with.
        package var inventory: Inventory?
        /// What the sweep file says now; nil: what it said when it was last launched.
        package var sweep: Sweep?
        /// Where these were read.
        package var files: LaunchFiles
        /// Whether another file that shares no point with the sweep is refused: a copy whose name was left as it was.
        package var refusesCopies = false
        /// Use checkpoints that do not fit.
        package var forces = false
        /// Do everything again under new pins.
        package var repins = false
        /// Try again what has failed.
        package var retry: Retry?
        /// Do only so many points; nil: all.
        package var pointCount: Int?
        /// The points to run again on another host; nil: as before.
        package var audit: AuditShare?

        package init(
            inventory: Inventory? = nil, sweep: Sweep? = nil, files: LaunchFiles = LaunchFiles(),
            forces: Bool = false, repins: Bool = false,
            retry: Retry? = nil, only pointCount: Int? = nil, audit: AuditShare? = nil
        ) {
            self.files = files
            self.audit = audit
            self.pointCount = pointCount
            self.inventory = inventory
            self.sweep = sweep
            self.forces = forces
            self.repins = repins
            self.retry = retry
        }
    }

    /// Which runs are tried again.
    package struct Retry {
        /// nil: all that failed or are quarantined.
        var runs: [RunNumber]?
        /// Whether each was named by its number: then it has to be one that can be tried again.
        var isByNumber: Bool
        /// Empty: whatever they failed for.
        var classes: [FailureClass]

        /// All that failed or are quarantined.
        package init() { (runs, isByNumber, classes) = (nil, false, []) }

        package init(_ choice: RunChoice, classes: [FailureClass]) {
            runs = choice.runs
            isByNumber = choice.runs != nil && choice.isByNumber
            self.classes = classes
        }
    }

    /// Opens an interrupted sweep's ledger, and takes over what changed in the sweep file since.
    package static func resume(
        _ entry: ArtifactsFolder.Entry, in folder: ArtifactsFolder, _ resumption: Resumption = Resumption(),
        say: (String) -> Void
    ) throws -> Session {
        try AgentBinary.check()
        let ledger = try Ledger.open(entry.ledger, sweep: entry.name)
        try ledger.checkNumbers()
        let metadata = try ledger.metadata()
        let planned = try Document.sweep(metadata.specification)
        let machine = RecordingMachine(try Reproduction.machine(metadata, try folder.objects()))
        let specification = try Specification(
            resumption.sweep ?? planned, on: machine, forces: resumption.forces)
        let inventory = try resumption.inventory
            ?? Document.inventory(of: metadata)
        let usable = try specification.usable(inventory)
        try resumption.audit?.check(usable.hosts)
        // Killed before it was pinned.
        if try ledger.recordCount() == 0 {
            try ledger.commit(firstPins(specification, try Reproduction.origin(metadata)))
        }
        let known = try ledger.pins()
        if !resumption.repins { try specification.checkPins(known) }
        let use = try ArtifactsUse.adding(to: folder)
        let unstaged = try beginStaging(specification, folder)
        try machine.publish(into: try folder.objects())
        try ledger.note(EnvironmentVariable(Reproduction.machineNote, machine.record.document))
        if resumption.refusesCopies {
            try LaunchFiles(metadata).check(resumption.files, try ledger.compare(specification.keys), entry)
        }
        var haveJustFailed = false
        if specification.sweep != planned {
            let judging = try JudgingAgain(specification, before: planned, ledger, try folder.objects())
            let change = try ledger.revise(
                specification: specification.text, runs: specification.keys, madeAt: SystemTime().wall(),
                with: judging.records)
            if change.isOther { say("the sweep changed: \(change.sentence)") }
            if let sentence = judging.sentence { say(sentence) }
            haveJustFailed = judging.newlyQuarantined > 0
        }
        if resumption.repins {
            say("everything is run again with new pins; results with the old pins are kept in the ledger, but not "
                + "shown")
        }
        let fresh = specification.pins.filter { pin in
            resumption.repins || !known.contains { $0.name == pin.name }
        }
        try ledger.commit(
            (resumption.repins ? [.repinned(reason: "asked for with --repin")] : [])
                + fresh.map { .pinned(name: $0.name, digest: $0.digest) })
        // First: a path that is newer than what was read there shows that something changed.
        for note in resumption.files.notes { try ledger.note(note) }
        if let inventory = resumption.inventory {
            try ledger.note(EnvironmentVariable(Document.inventoryNote, inventory.document))
        }
        if let audit = resumption.audit { try ledger.note(EnvironmentVariable(AuditShare.note, audit.text)) }
        try folder.noteUse(of: entry)
        let session = try Session(
            specification, inventory, folder, entry, ledger, use, unstaged, only: resumption.pointCount)
        if let retry = resumption.retry {
            try session.reopen(retry, say)
        } else if !haveJustFailed {
            session.tellFailed(say)
        }
        return session
    }

    /// - Throws: ``Failure`` (`missingFile`) where the specification has no such run.
    func check(_ run: RunNumber) throws {
        guard state.isCurrent(run) else {
            throw Failure(
                .missingFile, "the sweep \(entry.fullName) has no run \(run), or its sweep file no longer contains it; "
                    + "see its runs: " + entry.command("results") + " --table runs")
        }
    }

    /// What failed before is left as it is, and somebody who repaired something may expect otherwise.
    private func tellFailed(_ say: (String) -> Void) {
        let failed = state.endedCount(.failed) + state.endedCount(.quarantined)
        guard failed > 0 else { return }
        say("\(PeopleText.count(failed, "run")) failed before and \(failed == 1 ? "is" : "are") not run again; to run "
            + "\(failed == 1 ? "it" : "them") again, too: \(entry.command("retry")), or launch --retry")
    }

    /// Opens again what is to be tried again.
    private func reopen(_ retry: Retry, _ say: (String) -> Void) throws {
        for run in retry.isByNumber ? retry.runs ?? [] : [] {
            try check(run)
            switch state[run].phase {
            case .ended(.succeeded, _): throw Failure(.usage, "run \(run) has succeeded: there is nothing to retry")
            case .ended: break
            case .waiting, .leased:
                throw Failure(
                    .usage, "run \(run) has not ended, so it cannot be retried; continue the sweep: "
                        + entry.command("resume"))
            }
        }
        let all = retry.runs ?? plan.groups.flatMap(\.runs)
        let wanted = all.filter { run in
            guard state.isCurrent(run), case .ended(let how, let failure) = state[run].phase else { return false }
            let isMeant = retry.isByNumber || how == .failed || how == .quarantined
                || retry.classes.contains(.cancelled)
            return isMeant && (retry.classes.isEmpty || failure.map(retry.classes.contains) ?? false)
        }
        let runs = state.reopening(wanted)
        let records = runs.map { Record.runReopened(run: $0, reason: "asked for with 'usweep retry'") }
        try ledger.commit(records)
        for record in records { state.apply(record) }
        guard !runs.isEmpty else {
            let cancelled = all.count { run in
                if case .ended(.cancelled, _) = state[run].phase { state.isCurrent(run) } else { false }
            }
            let advice = cancelled == 0 ? "" : "; \(cancelled) \(cancelled == 1 ? "was" : "were") cancelled: "
                + entry.command("retry --class cancelled")
            return say("no failed or quarantined run matches: nothing is run again\(advice)")
        }
        say("runs again: \(PeopleText.list(runs.map { "run \($0)" }, atMost: 20))")
    }

    // MARK: For the loop

    /// nil: the inventory names no store that a lab has in common, or checkpoints are not kept.
    private(set) lazy var common: CommonCheckpoints? = {
        guard let place = inventory.store, let checkpoints else { return nil }
        return CommonCheckpoints(
            place, own: checkpoints, transport: HostConnections.transport(for: inventory), files: LocalFiles())
    }()

    func setting() throws -> Setting {
        Setting(
            sweepID: entry.fullName, hosts: inventory.hosts, agentBinary: try AgentBinary.read(),
            engine: specification.engine, points: specification.points, sweep: sweep, runs: runs, setups: setups,
            timing: plan.timing, checkpoints: checkpoints, common: common, holder: holder,
            sharingKey: Session.randomKey())
    }

    /// What hosts that share inputs know one another by, anew for each coordinator.
    private static func randomKey() -> [UInt8] {
        var chance = SystemRandomNumberGenerator()
        return (0..<SharingTerms.keyLength).map { _ in UInt8.random(in: .min ... .max, using: &chance) }
    }

    /// By whom the ledger is worked on, as other copies of it are told.
    private var holder: String {
        let path = URL(fileURLWithPath: entry.folder).resolvingSymlinksInPath().path
        return "\(NSUserName())@\(ProcessInfo.processInfo.hostName):\(path)"
    }
}
