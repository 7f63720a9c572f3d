import Formats
import Model
import Ports
import SweepCore

/// One stream to one host, from the first byte of the login to the last frame.
struct HostLink {
    private enum Phase {
        case bootstrapping(Bootstrap)
        case streaming
    }

    /// Tells this stream's events from those of the streams before it.
    let generation: Int
    let connection: any Connection
    private let intake: Intake
    private var nextTelling = Nanoseconds.min
    private let hello: CoordinatorHello
    private var phase: Phase
    /// How far the host's wall clock is ahead of this machine's.
    var clockOffset: Nanoseconds = 0
    /// Of the messages that the agent understands.
    private var version = WireVersion.oldest
    private var reader = FrameReader()
    /// The end of what the host wrote on its standard error, for messages.
    private(set) var diagnostics = StandardErrorTail()
    /// Whether the agent said hello.
    var isJoined = false
    /// Outcomes whose artifacts are being looked for.
    var looks = 0
    var lastSent: Nanoseconds
    var load = HostLoad(running: 0, waiting: 0, freeBytes: 0)

    init(
        generation: Int, _ bootstrap: Bootstrap, hello: CoordinatorHello, now: Nanoseconds,
        open: (@escaping @Sendable (StreamEvent) -> Void) -> any Connection,
        deliver: @escaping @Sendable (StreamEvent) -> Void
    ) {
        self.generation = generation
        let intake = Intake()
        connection = open { event in
            intake.arrived(event)
            deliver(event)
        }
        intake.hold(connection)
        self.intake = intake
        self.hello = hello
        phase = .bootstrapping(bootstrap)
        lastSent = now
    }

    /// Takes in bytes; answers those of the bootstrap by itself.
    ///
    /// - Throws: ``Failure`` when the host cannot go on, or sends what no agent of a known version would.
    mutating func receive(_ bytes: [UInt8], now: Nanoseconds) throws -> [AgentMessage] {
        switch phase {
        case .bootstrapping(var bootstrap):
            let steps = bootstrap.receive(bytes, now: now)
            phase = .bootstrapping(bootstrap)
            for step in steps {
                switch step {
                case .send(let bytes): connection.send(bytes)
                case .failed(let reason): throw Failure(.noHost, reason)
                case .attached(let rest):
                    phase = .streaming
                    try greet()
                    reader.append(rest)
                }
            }
        case .streaming: reader.append(bytes)
        }
        return try messages()
    }

    /// Whether a message has begun that has not ended.
    var isInsideMessage: Bool {
        switch phase {
        case .bootstrapping: false
        case .streaming: reader.pendingCount > 0
        }
    }

    /// An event was taken out of the inbox: the stream may go on.
    func took(_ event: StreamEvent) { intake.taken(event) }

    mutating func opened(now: Nanoseconds) {
        guard case .bootstrapping(var bootstrap) = phase else { return }
        bootstrap.opened(now: now)
        phase = .bootstrapping(bootstrap)
    }

    private var bootstrap: Bootstrap? { if case .bootstrapping(let bootstrap) = phase { bootstrap } else { nil } }

    /// Whether the agent has not spoken yet.
    var isBootstrapping: Bool { bootstrap != nil }

    /// Why it is given up; nil: it is not.
    func overdue(now: Nanoseconds) -> String? { bootstrap?.overdue(now: now) }

    /// How far the copy of the agent is, where that is to be told again; nil: it is not.
    mutating func tellProgress(now: Nanoseconds) -> AgentCopy.Progress? {
        guard let progress = bootstrap?.progress(now: now), progress.rate != nil, now >= nextTelling else { return nil }
        defer { nextTelling = now + 10_000_000_000 }
        // What is over soon is not worth a line.
        return nextTelling == .min ? nil : progress
    }

    /// Whether the agent's program is to be compressed for this host.
    var wantsPacking: Bool { bootstrap?.wantsPacking ?? false }

    /// - Throws: ``Failure`` when that was too much.
    mutating func note(diagnostic bytes: [UInt8]) throws {
        if case .bootstrapping(var bootstrap) = phase {
            let problem = bootstrap.hear(bytes.count)
            phase = .bootstrapping(bootstrap)
            if let problem { throw Failure(.noHost, problem) }
        }
        diagnostics.add(bytes)
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

    private mutating func messages() throws -> [AgentMessage] {
        var messages: [AgentMessage] = []
        do {
            while let frame = try reader.next() {
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
                .badMessage, "it sent what no agent sends, and the connection was dropped", cause: "\(error)")
        }
        return messages
    }
}

extension AgentMessage {
    /// Only these make sense before the two sides know each other.
    var mayComeFirst: Bool {
        switch self {
        case .hello, .refused: true
        case .started, .outcome, .want, .bytes, .missing, .probed, .tail, .heartbeat, .released, .sharing,
            .holding, .unreached: false
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

extension String {
    /// On one line, without the white space around.
    var trimmingLines: String {
        split(whereSeparator: \.isNewline).map { $0.drop { $0 == " " } }.joined(separator: "; ")
    }
}
