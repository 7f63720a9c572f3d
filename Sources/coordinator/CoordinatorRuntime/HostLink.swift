import DequeModule
import Formats
import Model
import Ports
import SweepCore

/// One stream to the agent of one host.
final class HostLink {
    /// How many outcomes, and what they take in memory, about.
    struct Looks {
        private(set) var count = 0
        private(set) var bytes: Int64 = 0

        mutating func add(_ report: AttemptReport) {
            count += 1
            bytes += report.heldBytes
        }

        mutating func remove(_ report: AttemptReport) {
            count -= 1
            bytes -= report.heldBytes
        }
    }

    private let stream: BootstrappedStream
    private var nextTelling = Nanoseconds.min
    private let hello: CoordinatorHello
    /// How far the host's wall clock is ahead of this machine's.
    var clockOffset: Nanoseconds = 0
    /// Of the messages that the agent understands.
    private var version = WireVersion.oldest
    /// Whether the agent said hello.
    var isJoined = false
    /// Outcomes whose artifacts are being looked for.
    var looks = Looks()
    var lastSent: Nanoseconds
    /// What the host is told in this order, behind a lease that is being written; nil: such a lease.
    private var ordered: Deque<CoordinatorMessage?> = []
    var load = HostLoad(running: 0, waiting: 0, freeBytes: 0)

    init(_ stream: BootstrappedStream, hello: CoordinatorHello, now: Nanoseconds) {
        self.stream = stream
        self.hello = hello
        lastSent = now
    }

    var generation: Int { stream.generation }
    var connection: any Connection { stream.connection }
    var isBootstrapping: Bool { stream.isBootstrapping }
    var wantsPacking: Bool { stream.wantsPacking }
    /// Whether a message has begun that has not ended.
    var isInsideMessage: Bool { stream.isInsideFrame }
    /// The end of what the host wrote on its standard error, for messages.
    var diagnostics: String { stream.diagnostics }

    func overdue(now: Nanoseconds) -> String? { stream.overdue(now: now) }
    func meaning(of end: StreamEnd) -> StreamEnd { stream.meaning(of: end) }
    func took(_ event: StreamEvent) { stream.took(event) }
    func opened(now: Nanoseconds) { stream.opened(now: now) }
    func note(diagnostic bytes: [UInt8]) throws(Failure) { try stream.note(diagnostic: bytes) }

    /// Takes in bytes; answers those of the bootstrap by itself.
    ///
    /// - Throws: ``Failure`` when the host cannot go on, or sends what no agent of a known version would.
    func receive(_ bytes: [UInt8], now: Nanoseconds) throws -> [AgentMessage] {
        if try stream.receive(bytes, now: now) { try greet() }
        return try messages()
    }

    /// How far the copy of the agent is, where that is to be told again; nil: it is not.
    func tellProgress(now: Nanoseconds) -> AgentCopy.Progress? {
        guard let progress = stream.progress(now: now), progress.rate != nil, now >= nextTelling else { return nil }
        defer { nextTelling = now + 10_000_000_000 }
        // What is over soon is not worth a line.
        return nextTelling == .min ? nil : progress
    }

    /// When an attempt ended, by this machine's clock: what comes late, as after a pause of the coordinator, ended when
    /// its host says.
    func end(of report: AttemptReport, now: Nanoseconds) -> Nanoseconds {
        guard let started = report.startedAt else { return now }
        let (here, isFar) = started.subtractingReportingOverflow(clockOffset)
        let (ended, isFarther) = here.addingReportingOverflow(report.wallNanoseconds)
        return isFar || isFarther ? now : min(now, ended)
    }

    /// Lists of inputs are younger than the first version of the messages.
    func understands(_ shard: Shard) -> Bool { version > 1 || shard.entries.allSatisfy { $0.job.inputList == nil } }

    /// So are maps of objects.
    var understandsMaps: Bool { version > 2 }

    /// - Throws: ``WireError`` for more than one message holds.
    func send(_ message: CoordinatorMessage) throws(WireError) {
        if message.isOrdered, !ordered.isEmpty { ordered.append(message) } else { try put(message) }
    }

    /// A lease follows, and ``send(granted:)`` with it.
    func expectGrant() { ordered.append(nil) }

    /// Sends the oldest of the leases that were to follow, and what waited for it.
    func send(granted shards: [Shard]) throws(WireError) {
        ordered.removeFirst()
        for shard in shards { try put(.grant(shard)) }
        while let next = ordered.first, let message = next {
            ordered.removeFirst()
            try put(message)
        }
    }

    private func put(_ message: CoordinatorMessage) throws(WireError) {
        if let frame = message.frame(for: version) { connection.send(try frame.encoded) }
    }

    private func greet() throws(Failure) {
        do throws(WireError) {
            try send(.hello(hello))
        } catch {
            throw Failure(
                .noHost, "what the inventory says of it is too long to be sent: shorten its `setup` or the path of its "
                    + "engine", cause: error.message)
        }
    }

    private func messages() throws -> [AgentMessage] {
        var messages: [AgentMessage] = []
        do {
            while let frame = try stream.next() {
                let message = try AgentMessage(frame)
                if case .hello(let hello) = message { version = min(hello.current, WireVersion.current) }
                messages.append(message)
            }
        } catch let error where error.isNews {
            throw Failure(
                .badMessage, "its agent is newer than this usweep, which does not understand it: use the usweep that "
                    + "started it, or upgrade this one", cause: "\(error)")
        } catch {
            throw Failure(
                .badMessage, "it sent a message that is not valid, and the connection was dropped", cause: "\(error)")
        }
        return messages
    }
}

extension CoordinatorMessage {
    /// Whether it says what a host is to do, or that it was told all of that.
    fileprivate var isOrdered: Bool {
        switch self {
        case .grant, .revoke, .cancel, .acknowledge, .release, .heartbeat: true
        case .hello, .read, .bytes, .probe, .tail, .holder, .packed, .share, .elsewhere, .cacheLimit, .terms: false
        }
    }
}

extension AgentMessage {
    /// Only these make sense before the two sides know each other.
    var mayComeFirst: Bool {
        switch self {
        case .hello, .refused: true
        case .started, .outcome, .want, .bytes, .missing, .probed, .tail, .heartbeat, .released, .sharing,
            .holding, .unreached, .damaged: false
        }
    }
}

extension StreamEnd {
    /// What it is to the core.
    func event(_ host: Int, _ reason: String) -> Event {
        switch recovery {
        case .byItself: .lost(host: host, reason: reason)
        case .byItselfOnceJoined: .loginRefused(host: host, reason: reason)
        case .byHand: .refused(host: host, reason: reason)
        }
    }
}

extension Array {
    /// So many at a time that a frame holds them.
    var parts: [[Element]] {
        stride(from: 0, to: count, by: 4_096).map { Array(self[$0..<Swift.min($0 + 4_096, count)]) }
    }
}
