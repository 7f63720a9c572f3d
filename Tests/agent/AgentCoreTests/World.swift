import Formats
import Model
import Ports
import TestKit
import Testing
@testable import AgentCore


/// A host in miniature: the agent's core with its journal, the supervisor's core with its own, folders, a cache of
/// objects, and a coordinator for each of two sweeps. Chance decides what happens next; who breaks a promise is told.
struct World {
    static let sweeps = ["s1", "s2"]
    static let objects = (0..<3).map { SHA256.digest("object \($0)") }
    static let objectSize = Int64(ObjectRange.maximumLength + 100)

    /// What a coordinator knows of its sweep.
    struct Coordinator {
        var connection: Int?
        /// The sweep has ended: nothing is granted until the agent has let go of it.
        var isReleasing = false
        var nextLease = 1
        /// The next attempt of each run that was never given out.
        var nextAttempt: [RunNumber: AttemptNumber] = [:]
        var granted: [WorkKey: Shard.Entry] = [:]
        var cancelled: Set<WorkKey> = []
        var received: [AttemptID: AttemptReport] = [:]
        /// Those that came, again perhaps, and are to be acknowledged; and those that were.
        var unacknowledged: Set<AttemptID> = []
        var acknowledged: Set<AttemptID> = []
    }

    var chance: Chance
    var now: Nanoseconds = 1
    var core = AgentCore(host: Rig.host)
    var journal: [AgentRecord] = []
    var supervisor = SupervisorCore()
    var supervisorJournal: [SupervisorRecord] = []
    var hasSupervisor = false
    var folders: Set<AttemptKey> = []
    var cached: [Digest: Int64] = [:]
    /// What the shell will answer.
    var answers: [AgentEvent] = []
    var coordinators: [String: Coordinator] = [:]
    var nextConnection = 1
    var wanted: [(connection: Int, range: ObjectRange)] = []
    var starts: [AttemptKey: Int] = [:]
    /// No trouble any more.
    var isCalm = false
    var broken: [String] = []
    /// What happened, to show that all of it does.
    var counts: [String: Int] = [:]

    init(seed: UInt64) {
        chance = Chance(seed: seed)
        for sweep in World.sweeps { coordinators[sweep] = Coordinator() }
        supervisorIsBack()
    }

    mutating func count(_ what: String) { counts[what, default: 0] += 1 }

    mutating func expect(_ holds: Bool, _ promise: String) { if !holds { broken.append(promise) } }

    // MARK: The agent's step

    /// Decide, make durable, act; or die right before acting.
    mutating func tell(_ events: [AgentEvent], diesBeforeActing: Bool = false) {
        now += 1_000
        for event in events { journal += core.handle(event, now: now) }
        let effects = core.effects(now: now)
        if diesBeforeActing { return agentDies() }
        for effect in effects { perform(effect) }
    }

    mutating func agentDies() {
        count("agent died")
        if chance.flip() { journal = core.snapshot }
        core = AgentCore(host: Rig.host)
        for record in journal { core.apply(record) }
        answers = []
        wanted = []
        for sweep in World.sweeps { coordinators[sweep]?.connection = nil }
        supervisorIsBack()
    }

    mutating func supervisorIsBack() {
        hasSupervisor = true
        tell([.supervisorReady(supervisor.inventory)])
    }

    // MARK: Effects

    private mutating func perform(_ effect: AgentEffect) {
        switch effect {
        case .greet(let connection, let leases): greeted(connection, leases)
        case .send(let connection, let message): send(connection, message)
        case .heartbeat, .read, .probe, .tail, .trySetup, .listen, .fetch, .limitCache: break
        case .drop(let connection, _): answers.append(.disconnected(connection))
        case .list, .readMap, .unpack: break
        case .locate(let digest):
            let size = cached[digest] ?? 0
            answers.append(.object(digest, size == World.objectSize ? .complete : .partial(size)))
        case .store(let piece, let size):
            expect(piece.offset == cached[piece.digest] ?? 0, "a piece is stored where the last one ended")
            cached[piece.digest] = piece.offset + Int64(piece.bytes.count)
            if cached[piece.digest] == size { answers.append(.object(piece.digest, .complete)) }
        case .prepare(let key, let job): prepare(key, job)
        case .supervise(let command): if hasSupervisor { supervise(command) }
        case .collect(let key, let exit, let job):
            expect(folders.contains(key), "what is collected from is there: \(key)")
            let verdict = Diagnosis(exit, errorTail: [], limits: job.limits)
            answers.append(
                .collected(key, AttemptReport(id: key.id, failure: verdict.failure, evidence: verdict.evidence)))
        case .discard(let key): discard(key)
        case .discardSweep(let sweep): for key in folders where key.sweep == sweep { discard(key) }
        case .keepOnly(let keys): for key in folders.subtracting(keys) { discard(key) }
        }
    }

    private mutating func prepare(_ key: AttemptKey, _ job: Job) {
        if let lost = job.inputs.first(where: { cached[$0.digest] != World.objectSize }) {
            answers.append(.inputMissing(key, lost.digest))
            return
        }
        folders.insert(key)
        if isUnlucky(19) {
            answers.append(.notPrepared(key, .spawn, evidence: "chance"))
        } else {
            answers.append(.prepared(key))
        }
    }

    private mutating func supervise(_ command: SupervisorCommand) {
        let (signals, records) = supervisor.handle(command, now: now)
        supervisorJournal += records
        for signal in signals { count("signal \(signal.isFinal)") }
        for case .ended(let key, let exit) in records {
            answers.append(.ended([SupervisedAttempt(key: key, state: .ended(exit))]))
        }
    }

    private mutating func discard(_ key: AttemptKey) {
        expect(!supervisor.running.contains(key), "no folder is deleted under a running program: \(key)")
        let work = WorkKey(lease: key.id.lease, run: key.id.run)
        let coordinator = coordinators[key.sweep]
        let isEnded = supervisor.inventory.contains { $0.key == key && $0.state != .queued && $0.state != .running }
        if isEnded, coordinator?.granted[work] != nil {
            expect(coordinator?.acknowledged.contains(key.id) ?? false, "only what was acknowledged is deleted: \(key)")
        }
        folders.remove(key)
    }

    // MARK: Messages

    private func sweep(of connection: Int) -> String? {
        World.sweeps.first { coordinators[$0]?.connection == connection }
    }

    private mutating func greeted(_ connection: Int, _ leases: [HeldLease]) {
        guard let sweep = sweep(of: connection) else { return }
        for lease in leases {
            for run in lease.runs {
                let key = WorkKey(lease: lease.lease, run: run)
                expect(coordinators[sweep]?.granted[key] != nil, "nothing is held that was revoked: \(key)")
            }
        }
    }

    private mutating func send(_ connection: Int, _ message: AgentMessage) {
        guard let sweep = sweep(of: connection) else { return }
        switch message {
        case .outcome(let report):
            let key = WorkKey(lease: report.id.lease, run: report.id.run)
            guard let entry = coordinators[sweep]?.granted[key] else {
                return expect(false, "nothing is reported of a revoked lease: \(report.id)")
            }
            let numbers = entry.firstAttempt..<entry.firstAttempt + entry.attempts
            expect(numbers.contains(report.id.attempt), "attempts keep to their range: \(report.id) \(numbers)")
            coordinators[sweep]?.received[report.id] = report
            coordinators[sweep]?.unacknowledged.insert(report.id)
            count("outcome \(report.failure?.rawValue ?? "none")")
        case .want(let range): wanted.append((connection, range))
        case .released: released(sweep)
        case .hello, .started, .bytes, .missing, .probed, .tail, .heartbeat, .sharing, .holding, .unreached,
            .damaged: break
        case .refused(let reason): expect(false, "nobody is refused here: \(reason)")
        }
    }

    private mutating func released(_ sweep: String) {
        count("released")
        coordinators[sweep]?.isReleasing = false
        if let connection = coordinators[sweep]?.connection { answers.append(.disconnected(connection)) }
        coordinators[sweep]?.connection = nil
        expect(!supervisor.running.contains { $0.sweep == sweep }, "nothing runs of what was released: \(sweep)")
        expect(!folders.contains { $0.sweep == sweep }, "nothing is kept of what was released: \(sweep)")
    }

    // MARK: Promises that hold at every moment

    mutating func check() {
        expect(supervisor.running.count <= supervisor.slots, "slots are not overbooked")
        let launches = supervisor.running.compactMap { supervisor.launch(of: $0)?.memoryBytes }
        expect(launches.count < 2 || launches.reduce(0, +) <= Rig.host.memoryBytes, "memory is not overbooked")
        let works = World.sweeps.flatMap { Array((core.sweeps[$0]?.works ?? [:]).values) }
        expect(core.inFlight == works.count(where: \.isInFlight), "what is in flight is counted")
        expect(core.inFlight <= core.window, "no more is in flight than the window")
    }

    /// Promises that take a while to look at.
    mutating func checkJournals() {
        let lived = World.durable(core)
        var replayed = AgentCore(host: Rig.host)
        for record in journal { replayed.apply(record) }
        expect(World.durable(replayed) == lived, "the journal says what was lived")
        var again = AgentCore(host: Rig.host)
        for record in core.snapshot { again.apply(record) }
        expect(World.durable(again) == lived, "the snapshot says what was lived")
        expect(again.snapshot == core.snapshot, "the snapshot of a snapshot is the same")
        var supervised = SupervisorCore()
        for record in supervisorJournal { supervised.apply(record) }
        expect(
            supervised.inventory == supervisor.inventory.filter { $0.state != .queued },
            "the supervisor's journal says what was lived")
    }

    /// What must be the same after a restart.
    struct Durable: Equatable {
        var context: SweepContext
        var works: [WorkKey: Shard.Entry]
        var cancelled: Set<WorkKey>
        var over: [RunNumber: AttemptNumber]
    }

    static func durable(_ core: AgentCore) -> [String: Durable] {
        core.sweeps.mapValues { sweep in
            Durable(
                context: sweep.context, works: sweep.works.mapValues(\.entry),
                cancelled: Set(sweep.works.filter(\.value.isCancelled).keys), over: sweep.over)
        }
    }
}
