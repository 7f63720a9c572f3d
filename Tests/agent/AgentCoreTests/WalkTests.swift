import Formats
import Model
import Ports
import TestKit
import Testing
@testable import AgentCore


extension World {
    // MARK: What can happen

    /// Once in so many times, as long as there is trouble at all.
    mutating func isUnlucky(_ times: Int) -> Bool { chance.number(0...times) == 0 && !isCalm }

    mutating func step() {
        switch chance.number(0...99) {
        case 0...24: answer()
        case 25...39: startNext()
        case 40...54: endOne()
        case 55...64: grant()
        case 65...74: acknowledge()
        case 75...79: deliver()
        case 80...84: connect()
        case 85...86: cancel()
        case 87...88: revoke()
        case 89...90: disconnect()
        case 91: agentDies()
        case 92: supervisorDies()
        case 93: supervisorIsAway()
        case 94: evict()
        case 95...96: repeatGrant()
        case 97: if chance.flip() { release() }
        default: tell([.timer])
        }
        check()
    }

    /// The shell answers some of what it was asked, in order.
    mutating func answer() {
        let some = answers.prefix(chance.number(1...4))
        answers.removeFirst(some.count)
        tell(Array(some), diesBeforeActing: isUnlucky(39))
    }

    mutating func startNext() {
        guard let (key, _) = supervisor.takeNext(now: now) else { return }
        supervisorJournal.append(.started(key))
        starts[key, default: 0] += 1
        expect(starts[key] == 1, "no attempt is started twice: \(key)")
        expect(folders.contains(key), "a program finds its folder: \(key)")
        count("start")
        if hasSupervisor { answers.append(.started([key])) }
    }

    mutating func endOne() {
        guard let key = chance.pick(supervisor.running) else { return }
        let causes: [ProcessExit.Cause] = [.status(0), .status(0), .status(1), .signal(11), .signal(15)]
        ended(key, ProcessExit(cause: chance.pick(causes) ?? .status(0)))
    }

    private mutating func ended(_ key: AttemptKey, _ exit: ProcessExit) {
        let kept = supervisor.ended(key, exit, now: now)
        supervisorJournal.append(.ended(key, kept))
        if hasSupervisor { answers.append(.ended([SupervisedAttempt(key: key, state: .ended(kept))])) }
    }

    mutating func grant() {
        let sweep = chance.pick(World.sweeps) ?? ""
        guard var coordinator = coordinators[sweep], let connection = coordinator.connection, !coordinator.isReleasing
        else { return }
        let lease = coordinator.nextLease
        coordinator.nextLease += 1
        var entries: [Shard.Entry] = []
        for run in 1...12 where chance.number(0...3) == 0 {
            let attempts = chance.number(1...3)
            let first = coordinator.nextAttempt[run, default: 1]
            coordinator.nextAttempt[run] = first + attempts
            let inputs = World.objects.filter { _ in chance.number(0...4) == 0 }.map {
                Job.Input(path: "in/\($0.short)", digest: $0, size: World.objectSize)
            }
            let memory = chance.optional { Int64($0.number(0...1 << 29)) }
            let entry = Shard.Entry(
                run: run, firstAttempt: first, attempts: attempts,
                job: Job(arguments: [.engine], inputs: inputs, limits: JobLimits(memoryBytes: memory)))
            entries.append(entry)
            coordinator.granted[WorkKey(lease: lease, run: run)] = entry
        }
        coordinators[sweep] = coordinator
        let shard = Shard(lease: lease, entries: entries)
        tell([.message(connection, .grant(shard))], diesBeforeActing: isUnlucky(39))
    }

    /// What the agent may have lost on the way, or already ended.
    mutating func repeatGrant() {
        let sweep = chance.pick(World.sweeps) ?? ""
        guard let coordinator = coordinators[sweep], let connection = coordinator.connection,
            let lease = chance.pick(coordinator.granted.keys.map(\.lease).sorted())
        else { return }
        let entries = coordinator.granted.filter { $0.key.lease == lease }.sorted { $0.key < $1.key }.map(\.value)
        tell([.message(connection, .grant(Shard(lease: lease, entries: entries)))])
    }

    mutating func acknowledge() {
        for sweep in World.sweeps {
            guard let coordinator = coordinators[sweep], let connection = coordinator.connection else { continue }
            let some = coordinator.unacknowledged.sorted().filter { _ in chance.flip() }
            coordinators[sweep]?.unacknowledged.subtract(some)
            coordinators[sweep]?.acknowledged.formUnion(some)
            tell([.message(connection, .acknowledge(some))], diesBeforeActing: isUnlucky(39))
        }
    }

    /// Bytes that were asked for arrive.
    mutating func deliver() {
        guard !wanted.isEmpty else { return }
        let (connection, range) = wanted.removeFirst()
        let bytes = [UInt8](repeating: 0, count: range.length)
        tell([.message(connection, .bytes(ObjectBytes(digest: range.digest, offset: range.offset, bytes: bytes)))])
    }

    mutating func connect() {
        let sweep = chance.pick(World.sweeps) ?? ""
        let connection = nextConnection
        nextConnection += 1
        coordinators[sweep]?.connection = connection
        let hello = CoordinatorHello(sweep: sweep, leaseTerm: 40_000_000_000, slots: 2)
        tell([.connected(connection), .message(connection, .hello(hello))])
        tell([.message(connection, .heartbeat)])
        if coordinators[sweep]?.isReleasing == true { tell([.message(connection, .release)]) }
    }

    mutating func disconnect() {
        guard let sweep = chance.pick(World.sweeps), let connection = coordinators[sweep]?.connection else { return }
        coordinators[sweep]?.connection = nil
        wanted.removeAll { $0.connection == connection }
        tell([.disconnected(connection)])
    }

    mutating func cancel() {
        guard let sweep = chance.pick(World.sweeps), let connection = coordinators[sweep]?.connection else { return }
        let run = chance.number(1...12)
        let hit = coordinators[sweep]?.granted.keys.filter { $0.run == run } ?? []
        coordinators[sweep]?.cancelled.formUnion(hit)
        tell([.message(connection, .cancel([run]))], diesBeforeActing: isUnlucky(19))
    }

    mutating func revoke() {
        guard let sweep = chance.pick(World.sweeps), let connection = coordinators[sweep]?.connection,
            let lease = chance.pick(coordinators[sweep]?.granted.keys.map(\.lease).sorted() ?? [])
        else { return }
        count("revoke")
        let gone = coordinators[sweep]?.granted.keys.filter { $0.lease == lease } ?? []
        for key in gone { coordinators[sweep]?.granted[key] = nil }
        tell([.message(connection, .revoke([lease]))], diesBeforeActing: isUnlucky(9))
    }

    /// The sweep ends; another begins under its name.
    mutating func release() {
        guard let sweep = chance.pick(World.sweeps), let connection = coordinators[sweep]?.connection else { return }
        coordinators[sweep]?.granted = [:]
        coordinators[sweep]?.isReleasing = true
        tell([.message(connection, .release)], diesBeforeActing: isUnlucky(9))
    }

    /// An object is lost from the cache.
    mutating func evict() {
        let digest = World.objects[chance.number(0...2)]
        if cached[digest] == World.objectSize { cached[digest] = 0 }
    }

    /// Its programs die with it; the next one finds in the journal which.
    mutating func supervisorDies() {
        count("supervisor died")
        hasSupervisor = false
        answers.removeAll { if case .ended = $0 { true } else if case .started = $0 { true } else { false } }
        tell([.supervisorGone])
        supervisor = SupervisorCore()
        for record in supervisorJournal { supervisor.apply(record) }
        for key in supervisor.running { ended(key, ProcessExit(cause: .supervisorLost)) }
        if chance.flip() { supervisorJournal = supervisor.snapshot(bootID: "b") }
        if chance.flip() { answer() }
        supervisorIsBack()
    }

    /// Only the connection to it breaks.
    mutating func supervisorIsAway() {
        hasSupervisor = false
        answers.removeAll { if case .ended = $0 { true } else if case .started = $0 { true } else { false } }
        tell([.supervisorGone])
        for _ in 0..<chance.number(0...3) {
            endOne()
            startNext()
            answer()
        }
        supervisorIsBack()
    }

    // MARK: The end

    /// Without further trouble everything ends, is reported, acknowledged and gone.
    mutating func settle() {
        isCalm = true
        for sweep in World.sweeps {
            while coordinators[sweep]?.connection == nil { connect() }
        }
        for _ in 0..<5_000 where !isSettled {
            while !answers.isEmpty {
                tell([answers.removeFirst()])
            }
            while !wanted.isEmpty { deliver() }
            startNext()
            endOne()
            acknowledge()
        }
        expect(core.isIdle && core.inFlight == 0, "in the end the agent is idle")
        expect(supervisor.inventory.isEmpty, "in the end the supervisor holds nothing: \(supervisor.inventory)")
        expect(folders.isEmpty, "in the end no folder is left: \(folders)")
        for sweep in World.sweeps { checkOutcomes(of: sweep) }
    }

    private var isSettled: Bool {
        core.isIdle && answers.isEmpty && wanted.isEmpty && supervisor.inventory.isEmpty && folders.isEmpty
    }

    /// Every run that was granted and not revoked came to an end that nothing follows.
    private mutating func checkOutcomes(of sweep: String) {
        guard let coordinator = coordinators[sweep] else { return }
        for (key, entry) in coordinator.granted {
            let reports = coordinator.received.values.filter { $0.id.lease == key.lease && $0.id.run == key.run }
            let last = reports.max { $0.id < $1.id }
            let isFinal = last.map { last in
                last.failure?.remedy != .retryAnywhere || last.id.attempt == entry.firstAttempt + entry.attempts - 1
                    || coordinator.cancelled.contains(key)
            }
            expect(isFinal ?? false, "run \(key) of \(sweep) came to its end: \(reports)")
        }
    }
}

@Suite("Walks of chance through everything that can happen to an agent")
struct WalkTests {
    @Test("All promises hold, and everything ends", arguments: 0..<100 as Range<UInt64>)
    func walk(seed: UInt64) {
        var world = World(seed: seed)
        for step in 0..<300 {
            world.step()
            if step % 10 == 0 { world.checkJournals() }
            if !world.broken.isEmpty { break }
        }
        if world.broken.isEmpty { world.settle() }
        world.checkJournals()
        #expect(world.broken == [])
    }

    @Test("The walks come by everything that they are about")
    func coverage() {
        var counts: [String: Int] = [:]
        for seed in 0..<50 as Range<UInt64> {
            var world = World(seed: seed)
            for _ in 0..<300 { world.step() }
            counts.merge(world.counts) { $0 + $1 }
        }
        let all = [
            "agent died", "supervisor died", "revoke", "released", "start", "signal false", "outcome none",
            "outcome exit-nonzero",
            "outcome simulator-crash", "outcome supervisor-lost", "outcome spawn", "outcome cancelled",
        ]
        for what in all { #expect(counts[what, default: 0] >= 10, "\(what): \(counts)") }
    }
}
