import AgentCore
import CoordinatorRuntime
import Formats
import Glibc
import Model
import Ports
import SweepCore

/// A host of a ``LargeCluster``: the real cores of agent and supervisor, whose effects are done at once.
final class LargeHost {
    let index: Int
    let name: String
    private unowned let cluster: LargeCluster
    private var world: World { cluster.world }
    let latency: Nanoseconds
    private(set) var isUp = true
    private var bootNumber = 1
    private var agent: AgentCore?
    private var supervisor = SupervisorCore()
    /// What the agent's journal says.
    private var journal: [AgentRecord] = []
    private var inbox: [AgentEvent] = []
    private var connection: LargeConnection?
    private var connectionCount = 0
    private var running: Set<AttemptKey> = []
    private var alarm: Alarm?

    /// How long a process takes to notice something, and how long an end takes to become durable.
    private static let stepTime: Nanoseconds = 50_000
    private static let syncTime: Nanoseconds = 400_000

    init(_ index: Int, _ cluster: LargeCluster) {
        self.index = index
        self.cluster = cluster
        name = "h\(index + 1)"
        var chance = Chance(seed: cluster.seed, stream: 100 + UInt64(index))
        latency = chance.within(100_000...10_000_000)
        alarm = Alarm(cluster.world, ring: { [unowned self] in step() }, spins: {})
    }

    var runningCount: Int { running.count }

    // MARK: Power

    func fail() {
        isUp = false
        journal = agent?.snapshot ?? journal
        agent = nil
        connection = nil
        inbox.removeAll()
        running.removeAll()
        alarm?.stop()
    }

    /// As the real supervisor's start: what ran is lost.
    func boot() {
        isUp = true
        let records = supervisor.snapshot(bootID: bootID)
        bootNumber += 1
        supervisor = SupervisorCore()
        for record in records { supervisor.apply(record) }
        supervisor.hostWasLost()
        for key in supervisor.running { _ = supervisor.ended(key, ProcessExit(cause: .hostLost), now: world.now) }
    }

    private var bootID: String { "\(name)-boot-\(bootNumber)" }

    // MARK: The agent

    /// `usweep-agent attach`.
    func join(_ connection: LargeConnection) {
        if agent == nil {
            var core = AgentCore(
                host: AgentCore.Host(
                    processors: cluster.size.slots, memoryBytes: 256 << 30, attempts: "/var/usweep/attempts",
                    program: "/var/usweep/bin/usweep-agent"))
            for record in journal { core.apply(record) }
            agent = core
            inbox.append(.supervisorReady(supervisor.inventory))
        }
        connectionCount += 1
        self.connection = connection
        connection.number = connectionCount
        inbox.append(.connected(connectionCount))
        wake()
    }

    func receive(_ frame: Frame, on connection: LargeConnection) throws(WireError) {
        guard agent != nil, connection === self.connection else { return }
        inbox.append(.message(connection.number, try CoordinatorMessage(frame)))
        wake()
    }

    func hangUp(_ connection: LargeConnection) {
        guard agent != nil, connection === self.connection else { return }
        self.connection = nil
        inbox.append(.disconnected(connection.number))
        wake()
    }

    private func wake() { alarm?.set(after: LargeHost.stepTime) }

    private func step() {
        repeat {
            let events = inbox
            inbox.removeAll(keepingCapacity: true)
            for event in events { _ = agent?.handle(event, now: world.now) }
            for effect in agent?.effects(now: world.now) ?? [] { perform(effect) }
            startPrograms()
        } while !inbox.isEmpty
        if let deadline = agent?.nextDeadline { alarm?.set(after: max(deadline - world.now, LargeHost.stepTime)) }
    }

    private func perform(_ effect: AgentEffect) {
        switch effect {
        case .greet(let number, let leases): send(number, .hello(hello(leases)))
        case .send(let number, let message): send(number, message)
        case .heartbeat(let number, let running, let waiting, let offer):
            let load = HostLoad(running: running, waiting: waiting, freeBytes: 1 << 40, offer: offer)
            send(number, .heartbeat(load))
        case .locate(let digest): inbox.append(.object(digest, .complete))
        case .list(let digest): inbox.append(.listed(digest, []))
        case .prepare(let key, _): inbox.append(.prepared(key))
        case .supervise(let command): supervise(command)
        case .collect(let key, let exit, let job): inbox.append(.collected(key, report(key, exit, job)))
        case .read(let number, let range):
            let part = LargeCluster.result.dropFirst(Int(range.offset)).prefix(range.length)
            send(number, .bytes(ObjectBytes(digest: range.digest, offset: range.offset, bytes: Array(part))))
        case .trySetup(let sweep, _): inbox.append(.setupTried(sweep: sweep, problem: nil))
        // Its coordinator has nothing in packs, and its host shares nothing.
        case .drop, .store, .readMap, .unpack, .discard, .discardSweep, .keepOnly, .probe, .tail, .listen,
            .fetch, .limitCache:
            break
        }
    }

    private func send(_ number: Int, _ message: AgentMessage) {
        guard let connection, connection.number == number else { return }
        connection.answer((try? message.frame.encoded) ?? [])
    }

    private func hello(_ leases: [HeldLease]) -> AgentHello {
        AgentHello(
            bootID: bootID, hostName: name, slots: cluster.size.slots, processors: cluster.size.slots,
            memoryBytes: 256 << 30, freeBytes: 1 << 40, workdir: "/var/usweep", wallClock: world.now, leases: leases)
    }

    private func report(_ key: AttemptKey, _ exit: ProcessExit, _ job: Job) -> AttemptReport {
        let verdict = Diagnosis(exit, errorTail: [], limits: job.limits)
        let bytes = LargeCluster.result
        let artifact = Artifact(path: "results.json", digest: SHA256.digest(bytes), size: Int64(bytes.count))
        return AttemptReport(
            id: key.id, failure: verdict.failure, evidence: verdict.evidence, wallNanoseconds: exit.wallNanoseconds,
            artifacts: verdict.failure == nil ? [artifact] : [])
    }

    // MARK: The supervisor

    private func supervise(_ command: SupervisorCommand) {
        let (signals, records) = supervisor.handle(command, now: world.now)
        for signal in signals { end(signal.key, .signal(15)) }
        for case .ended(let key, let exit) in records { tell(key, exit) }
    }

    private func startPrograms() {
        var started: [AttemptKey] = []
        while let (key, _) = supervisor.takeNext(now: world.now) {
            started.append(key)
            running.insert(key)
            let generation = bootNumber
            world.after(cluster.length(of: key.id.run)) { [unowned self] in
                if generation == bootNumber { end(key, .status(0)) }
            }
        }
        guard !started.isEmpty else { return }
        cluster.programsChanged(by: started.count)
        inbox.append(.started(started))
    }

    private func end(_ key: AttemptKey, _ cause: ProcessExit.Cause) {
        guard isUp, running.remove(key) != nil else { return }
        cluster.programsChanged(by: -1)
        let exit = ProcessExit(cause: cause)
        tell(key, supervisor.ended(key, exit, now: world.now))
        // Another may stand ready, and need not wait for anybody.
        wake()
    }

    private func tell(_ key: AttemptKey, _ exit: ProcessExit) {
        let generation = bootNumber
        world.after(LargeHost.syncTime) { [unowned self] in
            guard generation == bootNumber, isUp else { return }
            inbox.append(.ended([SupervisedAttempt(key: key, state: .ended(exit))]))
            wake()
        }
    }
}

/// The stream between the coordinator and one host.
final class LargeConnection: Connection, @unchecked Sendable {
    private let host: LargeHost
    private unowned let cluster: LargeCluster
    private let observer: (StreamEvent) -> Void
    private var isClosed = false
    /// What came before the agent was joined; nil: it is.
    private var greeting: [UInt8]? = []
    private var reader = FrameReader()
    /// As the agent counts connections.
    var number = 0

    init(_ host: LargeHost, _ cluster: LargeCluster, _ observer: @escaping (StreamEvent) -> Void) {
        self.host = host
        self.cluster = cluster
        self.observer = observer
    }

    func begin() {
        cluster.leave(after: 3 * host.latency) { [self] in
            guard host.isUp else {
                return cluster.world.after(2 * Timing.second) { [self] in
                    if !isClosed {
                        cluster.put(.closed(StreamEnd(kind: .unreachable, message: "no answer")), observer)
                    }
                }
            }
            if !isClosed { cluster.put(.opened, observer) }
            answer(Array("usweep-shell 1 Linux x86_64\n".utf8))
        }
    }

    // MARK: The coordinator's end

    func send(_ bytes: [UInt8]) {
        cluster.leave(after: host.latency) { [self] in if host.isUp { arrive(bytes) } }
    }

    func close() {
        isClosed = true
        cluster.leave(after: host.latency) { [self] in host.hangUp(self) }
    }

    // MARK: The host's end

    func answer(_ bytes: [UInt8]) {
        cluster.world.after(host.latency) { [self] in if !isClosed { cluster.put(.received(bytes), observer) } }
    }

    private func arrive(_ bytes: [UInt8]) {
        if let before = greeting {
            let all = before + bytes
            greeting = all
            guard HostScript.data(of: all)?.count(where: { $0 == UInt8(ascii: "\n") }) == 3 else { return }
            greeting = nil
            answer(Array("usweep-have\n".utf8) + Preamble.bytes)
            host.join(self)
            return
        }
        reader.append(bytes)
        do throws(WireError) {
            while let frame = try reader.next() { try host.receive(frame, on: self) }
        } catch {
            cluster.put(.closed(StreamEnd(kind: .commandEnded(status: 1), message: error.message)), observer)
        }
    }
}

/// What the coordinator opens streams with.
final class LargeTransport: Transport, @unchecked Sendable {
    unowned(unsafe) var cluster: LargeCluster?
    private var indices: [String: Int] = [:]

    func open(
        _ target: HostTarget, command: String, observer: @escaping @Sendable (StreamEvent) -> Void
    ) -> any Connection {
        guard let cluster else { return LargeNowhere() }
        if indices.isEmpty { for host in cluster.hosts { indices[host.name] = host.index } }
        guard let index = indices[target.name] else { return LargeNowhere() }
        let connection = LargeConnection(cluster.hosts[index], cluster, observer)
        connection.begin()
        return connection
    }
}

private struct LargeNowhere: Connection {
    func send(_ bytes: [UInt8]) {}
    func close() {}
}

/// Functions of the C library whose names are taken elsewhere.
enum Libm {
    static func log(_ x: Double) -> Double { Glibc.log(x) }
    static func exp(_ x: Double) -> Double { Glibc.exp(x) }
    static func cos(_ x: Double) -> Double { Glibc.cos(x) }
}
