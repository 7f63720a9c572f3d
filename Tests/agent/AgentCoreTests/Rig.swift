import Formats
import Model
import Ports
import Testing
@testable import AgentCore


/// An agent's core with a journal, told one thing after another by a test.
struct Rig {
    static let host = AgentCore.Host(processors: 2, memoryBytes: 1 << 30, attempts: "/w/attempts", program: "/w/agent")

    var core = AgentCore(host: Rig.host)
    /// What is durable.
    var journal: [AgentRecord] = []
    var now: Nanoseconds = 1_000

    /// With a supervisor that holds nothing, and a coordinator on connection 1.
    init(connected: Bool = true, slots: Int? = 1) {
        guard connected else { return }
        tell(.supervisorReady([]))
        hello(1, slots: slots)
    }

    @discardableResult
    mutating func tell(_ events: AgentEvent...) -> [AgentEffect] {
        for event in events { journal += core.handle(event, now: now) }
        return core.effects(now: now)
    }

    @discardableResult
    mutating func say(_ message: CoordinatorMessage, on connection: Int = 1) -> [AgentEffect] {
        tell(.message(connection, message))
    }

    @discardableResult
    mutating func hello(_ connection: Int, _ sweep: String = "s1", slots: Int? = 1) -> [AgentEffect] {
        tell(
            .connected(connection),
            .message(connection, .hello(CoordinatorHello(sweep: sweep, leaseTerm: 40_000_000_000, slots: slots))))
    }

    @discardableResult
    mutating func grant(_ lease: LeaseNumber, _ entries: Shard.Entry..., on connection: Int = 1) -> [AgentEffect] {
        say(.grant(Shard(lease: lease, entries: entries)), on: connection)
    }

    // MARK: The way of one attempt

    /// From granted to handed to the supervisor.
    mutating func queue(_ key: AttemptKey) { tell(.prepared(key)) }

    mutating func run(_ key: AttemptKey) {
        queue(key)
        tell(.started([key]))
    }

    @discardableResult
    mutating func end(_ key: AttemptKey, _ cause: ProcessExit.Cause = .status(0)) -> [AgentEffect] {
        tell(.ended([SupervisedAttempt(key: key, state: .ended(ProcessExit(cause: cause)))]))
    }

    @discardableResult
    mutating func collect(_ key: AttemptKey, _ failure: FailureClass? = nil) -> [AgentEffect] {
        tell(.collected(key, AttemptReport(id: key.id, failure: failure)))
    }

    /// All of it.
    @discardableResult
    mutating func complete(_ key: AttemptKey, _ failure: FailureClass? = nil) -> [AgentEffect] {
        run(key)
        end(key)
        return collect(key, failure)
    }

    /// The agent was killed: only the journal is left. The supervisor tells what it holds.
    @discardableResult
    mutating func restart(_ held: [SupervisedAttempt] = []) -> [AgentEffect] {
        core = AgentCore(host: Rig.host)
        for record in journal { core.apply(record) }
        return tell(.supervisorReady(held))
    }
}

func key(_ run: RunNumber, _ attempt: AttemptNumber = 1, lease: LeaseNumber = 1, sweep: String = "s1") -> AttemptKey {
    AttemptKey(sweep: sweep, id: AttemptID(run: run, lease: lease, attempt: attempt))
}

func job(_ inputs: [Job.Input] = [], limits: JobLimits = JobLimits()) -> Job {
    Job(arguments: [.text("/bin/true")], inputs: inputs, limits: limits)
}

func entry(
    _ run: RunNumber, first: AttemptNumber = 1, attempts: Int = 1, _ job: Job = job()
) -> Shard.Entry {
    Shard.Entry(run: run, firstAttempt: first, attempts: attempts, job: job)
}

extension [AgentEffect] {
    /// Outcomes that go out, on any connection.
    var outcomes: [AttemptReport] {
        compactMap { if case .send(_, .outcome(let report)) = $0 { report } else { nil } }
    }

    var prepared: [AttemptKey] { compactMap { if case .prepare(let key, _) = $0 { key } else { nil } } }

    var started: [AttemptKey] {
        compactMap { if case .supervise(.start(let key, _)) = $0 { key } else { nil } }
    }

    var killed: [AttemptKey] { compactMap { if case .supervise(.kill(let key, _)) = $0 { key } else { nil } } }

    var discarded: [AttemptKey] { compactMap { if case .discard(let key) = $0 { key } else { nil } } }

    var forgotten: [AttemptKey] {
        flatMap { if case .supervise(.forget(let keys)) = $0 { keys } else { [AttemptKey]() } }
    }

    var wanted: [ObjectRange] { compactMap { if case .send(_, .want(let range)) = $0 { range } else { nil } } }

    var refusals: [String] {
        compactMap { if case .send(_, .refused(let reason)) = $0 { reason } else { nil } }
    }

    var drops: [Int] { compactMap { if case .drop(let connection, _) = $0 { connection } else { nil } } }

    var greetings: [[HeldLease]] { compactMap { if case .greet(_, let leases) = $0 { leases } else { nil } } }

    var located: [Digest] { compactMap { if case .locate(let digest) = $0 { digest } else { nil } } }
}
