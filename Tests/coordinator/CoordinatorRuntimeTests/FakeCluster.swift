import Formats
import Model
import Ports
@testable import CoordinatorRuntime

/// A cluster that plays its part without threads: a login node with a gateway, a queue, and agents in its jobs. What
/// goes wrong follows from a seed.
final class FakeCluster: Transport, @unchecked Sendable {
    /// A job, with the agent that works in it.
    final class Job {
        let id: Int
        let name: String
        let agent: FakeHost
        /// Where it is to run.
        let node: String
        var state = "PENDING"
        /// What it was granted and has not done.
        var pending: [AttemptID] = []
        /// What it holds, by lease.
        var held: [LeaseNumber: Set<RunNumber>] = [:]

        /// - Parameter nodes: from which it gets one.
        init(_ id: Int, _ name: String, _ nodes: [String]) {
            (self.id, self.name, node) = (id, name, nodes[id % nodes.count])
            agent = FakeHost("job \(id)")
        }

        var lives: Bool { state == "PENDING" || state == "RUNNING" }
    }

    private(set) var jobs: [Job] = []
    /// How jobs end that nobody cancelled.
    var ends = ["PREEMPTED", "TIMEOUT", "CANCELLED"]
    /// Of 100 turns, in how many something goes wrong.
    var trouble: UInt64 = 0
    /// How many logins fail, at first, for want of something on the login node.
    var failingLogins = 0
    /// How many logins print without end, at first.
    var noisyLogins = 0
    /// There is no Slurm on the login node.
    var lacksSlurm = false
    /// How many streams to the login node were opened.
    private(set) var logins = 0
    /// Jobs never begin.
    var isFull = false
    /// Where agents refuse the sweep.
    var uselessNode = ""
    /// Those of all jobs.
    private(set) var folders: Set<String> = []
    private(set) var mostLive = 0
    var liveCount: Int { jobs.count { $0.lives } }
    private(set) var breaks = 0
    private var state: UInt64
    private var observer: (@Sendable (StreamEvent) -> Void)?
    private var reader = FrameReader()
    private var login: [UInt8] = []
    private var isStreaming = false
    private var names: String?
    private var channels: [Int: Job] = [:]

    init(seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 }

    private func chance(_ bound: UInt64) -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return (state >> 33) % bound
    }

    // MARK: The login node

    private struct Line: Connection {
        let cluster: FakeCluster
        func send(_ bytes: [UInt8]) { cluster.take(bytes) }
        func close() { cluster.hangUp() }
    }

    func open(
        _ target: HostTarget, command: String, observer: @escaping @Sendable (StreamEvent) -> Void
    ) -> any Connection {
        hangUp()
        logins += 1
        (self.observer, login, reader, isStreaming, names) = (observer, [], FrameReader(), false, nil)
        observer(.opened)
        if noisyLogins > 0 {
            noisyLogins -= 1
            for _ in 0..<20 { observer(.diagnostic([UInt8](repeating: UInt8(ascii: "x"), count: 64 << 10))) }
            return Line(cluster: self)
        }
        observer(.received(Array("usweep-shell 1 Linux x86_64\n".utf8)))
        return Line(cluster: self)
    }

    private func hangUp() {
        for (_, job) in channels { job.agent.closed() }
        channels = [:]
        observer = nil
    }

    /// The gateway is killed.
    func breakOff() {
        let told = observer
        hangUp()
        breaks += 1
        told?(.closed(StreamEnd(kind: .unreachable, message: "The connection broke.")))
    }

    private func say(_ report: GatewayReport) {
        if let bytes = try? report.frame.encoded { observer?(.received(bytes)) }
    }

    private func take(_ bytes: [UInt8]) {
        guard observer != nil else { return }
        guard isStreaming else {
            login += bytes
            guard HostScript.data(of: login)?.count(where: { $0 == UInt8(ascii: "\n") }) == 3 else { return }
            if failingLogins > 0 {
                failingLogins -= 1
                observer?(.received(Array("usweep-failed the disk is full\n".utf8)))
                return
            }
            isStreaming = true
            observer?(.received(Array("usweep-have\n".utf8) + Preamble.bytes))
            return
        }
        reader.append(bytes)
        while let frame = try? reader.next(), let request = try? GatewayRequest(frame) { perform(request) }
    }

    private func perform(_ request: GatewayRequest) {
        switch request {
        case .watch(let names, _):
            if lacksSlurm { return say(.missing(program: "squeue")) }
            self.names = names
        case .submit(let submission): submit(submission)
        case .cancel(let ids): for job in jobs where job.lives && ids.contains("\(job.id)") { end(job, "CANCELLED") }
        case .open(let channel, let id, _, _): open(channel, id)
        case .data(let channel, let bytes):
            channels[channel]?.agent.take(bytes)
            say(.credit(channel: channel, bytes.count))
        case .credit: break
        case .close(let channel): channels.removeValue(forKey: channel)?.agent.closed()
        case .finish(let ids, _):
            for job in jobs where job.lives && ids.contains("\(job.id)") { end(job, "CANCELLED") }
            breakOff()
        }
    }

    private func submit(_ submission: GatewaySubmission) {
        if chance(100) < trouble { return say(.submitted(name: submission.name, job: nil, problem: "not now")) }
        let excluded = submission.arguments.first { $0.hasPrefix("--exclude=") }?.dropFirst(10).split(separator: ",")
        let all = (0..<4).map { "n\($0)" }
        let nodes = all.filter { !(excluded ?? []).contains($0[...]) }
        let job = Job(jobs.count + 1, submission.name, nodes.isEmpty ? all : nodes)
        folders.insert(submission.folder)
        jobs.append(job)
        mostLive = max(mostLive, liveCount)
        // The answer is lost on the way.
        if chance(100) < trouble { return breakOff() }
        say(.submitted(name: job.name, job: "\(job.id)", problem: ""))
    }

    // MARK: Agents

    private func open(_ channel: Int, _ id: String) {
        guard let job = jobs.first(where: { "\($0.id)" == id }), job.state == "RUNNING" else {
            return say(.closed(channel: channel, reason: "Unable to confirm allocation"))
        }
        for (other, its) in channels where its === job { channels[other] = nil }
        channels[channel] = job
        job.agent.leases = job.held.map { HeldLease(lease: $0.key, runs: $0.value.sorted()) }
        job.agent.part = { [unowned job, uselessNode] agent, message in
            switch message {
            case .hello where job.node == uselessNode:
                agent.say(.refused(reason: "its setup fails"))
                return true
            case .grant(let shard):
                for entry in shard.entries where !(job.held[shard.lease]?.contains(entry.run) ?? false) {
                    job.held[shard.lease, default: []].insert(entry.run)
                    job.pending.append(
                        AttemptID(run: entry.run, lease: shard.lease, attempt: entry.firstAttempt))
                }
                return true
            case .acknowledge(let ids):
                for id in ids { job.held[id.lease]?.remove(id.run) }
                return false
            default: return false
            }
        }
        job.agent.attached { [unowned self] event in
            if case .received(let bytes) = event { say(.data(channel: channel, bytes)) }
        }
    }

    private func end(_ job: Job, _ state: String) {
        job.state = state
        job.agent.closed()
        for (channel, its) in channels where its === job {
            channels[channel] = nil
            say(.closed(channel: channel, reason: "srun ended"))
        }
    }

    // MARK: Time

    /// A turn: jobs begin and end, runs end, and the queue is told.
    func turn() {
        for job in jobs where job.state == "PENDING" && !isFull && chance(3) == 0 { job.state = "RUNNING" }
        for job in jobs where job.state == "RUNNING" {
            if let id = job.pending.first, chance(2) == 0 {
                job.pending.removeFirst()
                job.agent.succeed(id, Array("{\"value\": \(id.run)}".utf8))
            }
            if chance(100) < trouble { end(job, ends[Int(chance(UInt64(ends.count)))]) }
        }
        if observer != nil, chance(100) < trouble { breakOff() }
        tellQueue()
    }

    private func tellQueue() {
        guard let names else { return }
        if lacksSlurm { return say(.missing(program: "squeue")) }
        if chance(100) < trouble { return say(.blind(problem: "Unable to contact slurm controller")) }
        let seen = jobs.filter { $0.name.hasPrefix(names) && chance(100) >= trouble }
        say(
            .queue(seen.map { job in
                SlurmJob(
                    id: "\(job.id)", name: job.name, state: job.state,
                    secondsLeft: job.state == "RUNNING" ? 3_600 : nil,
                    node: job.state == "PENDING" ? "" : job.node)
            }))
    }
}
