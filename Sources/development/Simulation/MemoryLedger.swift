import CoordinatorRuntime
public import Model
import Ports

/// The ledger in memory: what was committed stays, whatever dies; a batch is kept whole or not at all; and a record
/// that contradicts those before is refused, by the rules of the tables in SQLite.
public final class MemoryLedger {
    public private(set) var records: [Record] = []
    private var attempts: Set<[Int]> = []
    private var leases: Set<LeaseNumber> = []
    private var voided: Set<LeaseNumber> = []
    private var ended: Set<RunNumber> = []
    /// No space: nothing is committed.
    var isFull = false

    public init() {}

    func commit(_ batch: [Record]) throws {
        for record in batch { try check(record) }
        records += batch
    }

    private func check(_ record: Record) throws {
        switch record {
        case .leaseGranted(let lease, _, let grants):
            try need(leases.insert(lease).inserted, "lease \(lease) was granted before")
            for grant in grants { try need(!ended.contains(grant.run), "run \(grant.run) is granted, but has ended") }
        case .auditGranted(let lease, _, let grants):
            try need(leases.insert(lease).inserted, "lease \(lease) was granted before")
            for grant in grants {
                try need(ended.contains(grant.run), "run \(grant.run) is audited, but has not ended")
            }
        case .hostFenced(_, _, let runs):
            for run in runs { try need(ended.contains(run), "run \(run) is quarantined, but has not ended") }
        case .inputDamaged(let found):
            for run in found.runs { try need(ended.contains(run), "run \(run) is quarantined, but has not ended") }
        case .leaseVoided(let lease, _):
            try need(leases.contains(lease) && voided.insert(lease).inserted, "lease \(lease) is void or unknown")
        case .attemptEnded(let report, _, _, _, _, _), .auditEnded(let report, _, _, _, _, _):
            let isNew = attempts.insert([report.id.run, report.id.attempt]).inserted
            try need(isNew, "attempt \(report.id.attempt) of run \(report.id.run) ended before")
        case .runEnded(let run, _, _, let attempt):
            try need(ended.insert(run).inserted, "run \(run) has ended before")
            try need(attempt == 0 || attempts.contains([run, attempt]), "run \(run) ends by an unknown attempt")
        case .runReopened(let run, _): try need(ended.remove(run) != nil, "run \(run) is opened, but had not ended")
        case .leaseMoved(let lease, _), .runAdopted(_, let lease, _), .runWithdrawn(_, let lease, _):
            try need(leases.contains(lease) && !voided.contains(lease), "lease \(lease) is void or unknown")
        case .runCancelAsked(let run, _): try need(!ended.contains(run), "run \(run) is to be cancelled, but has ended")
        case .judgedAgain(let id, _, _, _):
            let isKnown = ended.contains(id.run) && attempts.contains([id.run, id.attempt])
            try need(isKnown, "run \(id.run) is judged again, but had not ended by attempt \(id.attempt)")
        case .secondStart(let run, let lease, _):
            try need(!ended.contains(run) && !leases.contains(lease), "run \(run) is begun again, and had ended")
        case .hostSeen, .pinned, .attemptFenced, .hostPaused, .hostRefused, .hostReleased, .sweepStopped: break
        case .revised, .repinned, .restored: break
        }
    }

    private func need(_ condition: Bool, _ problem: String) throws {
        guard condition else { throw Failure(.internalError, "a record contradicts the ledger: \(problem)") }
    }
}

/// The ledger as one coordinator holds it.
final class HeldLedger: LedgerStore, @unchecked Sendable {
    private let ledger: MemoryLedger
    private let life: Life
    private let world: World
    private let canary: Canary?
    private let watch: Checker
    private var delayed: [Record] = []

    init(_ ledger: MemoryLedger, life: Life, world: World, watch: Checker, canary: Canary?) {
        self.ledger = ledger
        self.life = life
        self.world = world
        self.watch = watch
        self.canary = canary
    }

    /// What the attempt gave that was merged last.
    func counted(_ run: RunNumber) -> GivenNumbers? {
        for case .attemptEnded(let report, _, nil, _, let blocks?, _) in ledger.records.reversed()
        where report.id.run == run {
            return GivenNumbers(result: blocks, artifacts: report.artifacts)
        }
        return nil
    }

    /// The results that a host gave by attempts that ran at some time between the two.
    func results(of host: String, from start: Nanoseconds, until end: Nanoseconds) -> [RunNumber] {
        var counted: Set<RunNumber> = []
        var found: [RunNumber] = []
        for case .attemptEnded(let report, let holder, nil, _, _, let endedAt) in ledger.records.reversed()
        where counted.insert(report.id.run).inserted {
            let isThen = endedAt >= start && endedAt - report.wallNanoseconds <= end
            if holder == host, isThen { found.append(report.id.run) }
        }
        return found.sorted()
    }

    func commit(_ records: [Record]) throws {
        guard life.act(.commit) else { throw Failure(.storage, "the coordinator is dead") }
        if ledger.isFull {
            world.counts.note("fault: full disk under the ledger")
            throw Failure(.storage, "the ledger cannot be written: the disk is full")
        }
        if world.trace.isOn { for record in records { world.say("ledger", Describe.record(record)) } }
        if canary == .acknowledgeBeforeCommit {
            try ledger.commit(delayed)
            delayed = records
        } else {
            do {
                try ledger.commit(records)
            } catch {
                watch.fail("\(error)")
                throw error
            }
        }
        watch.committed(records)
    }
}
