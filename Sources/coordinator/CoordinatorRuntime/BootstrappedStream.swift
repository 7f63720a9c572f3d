import Formats
import Model
import Ports

/// One stream to a program that is brought to a host first, from the first byte of the login to the last frame: an
/// agent, or a cluster's gateway. There may be a thousand of them, and they are looked at again and again: none is
/// copied for that.
final class BootstrappedStream {
    private enum Phase {
        case bootstrapping(Bootstrap)
        case streaming
    }

    /// Tells this stream's events from those of the streams before it.
    let generation: Int
    let connection: any Connection
    private let intake: Intake
    private var phase: Phase
    private var reader = FrameReader()
    private var said = StandardErrorTail()

    /// - Parameters:
    ///   - open: begins the stream.
    ///   - deliver: told what comes, on the transport's thread. Whoever takes it tells ``took(_:)``.
    init(
        generation: Int, _ bootstrap: Bootstrap, open: (@escaping @Sendable (StreamEvent) -> Void) -> any Connection,
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
        phase = .bootstrapping(bootstrap)
    }

    private var bootstrap: Bootstrap? { if case .bootstrapping(let bootstrap) = phase { bootstrap } else { nil } }

    /// Whether the program has not spoken yet.
    var isBootstrapping: Bool { bootstrap != nil }

    /// Whether a frame has begun that has not ended.
    var isInsideFrame: Bool { !isBootstrapping && reader.pendingCount > 0 }

    /// Why it is given up; nil: it is not.
    func overdue(now: Nanoseconds) -> String? { bootstrap?.overdue(now: now) }

    /// How far the copy of the program is; nil: there is none under way.
    func progress(now: Nanoseconds) -> AgentCopy.Progress? { bootstrap?.progress(now: now) }

    /// Whether the program is to be compressed for this host.
    var wantsPacking: Bool { bootstrap?.wantsPacking ?? false }

    /// What the host wrote on its standard error last, on one line.
    var diagnostics: String { said.text }

    /// What its end means here, for messages.
    func meaning(of end: StreamEnd) -> StreamEnd { bootstrap?.meaning(of: end) ?? end }

    /// An event was taken out of the inbox: the stream may go on.
    func took(_ event: StreamEvent) { intake.taken(event) }

    func opened(now: Nanoseconds) {
        guard case .bootstrapping(var bootstrap) = phase else { return }
        bootstrap.opened(now: now)
        phase = .bootstrapping(bootstrap)
    }

    /// - Throws: ``Failure`` when that was too much.
    func note(diagnostic bytes: [UInt8]) throws(Failure) {
        if case .bootstrapping(var bootstrap) = phase {
            let problem = bootstrap.hear(bytes.count)
            phase = .bootstrapping(bootstrap)
            if let problem { throw Failure(.noHost, problem) }
        }
        said.add(bytes)
    }

    /// Takes in bytes; answers those of the bootstrap by itself.
    ///
    /// - Returns: whether the program has just begun to listen.
    /// - Throws: ``Failure`` when the host cannot go on.
    func receive(_ bytes: [UInt8], now: Nanoseconds) throws(Failure) -> Bool {
        guard case .bootstrapping(var bootstrap) = phase else {
            reader.append(bytes)
            return false
        }
        let steps = bootstrap.receive(bytes, now: now)
        phase = .bootstrapping(bootstrap)
        for step in steps {
            switch step {
            case .send(let bytes): connection.send(bytes)
            case .failed(let reason): throw Failure(.noHost, reason)
            case .attached(let rest):
                phase = .streaming
                reader.append(rest)
                return true
            }
        }
        return false
    }

    /// The next frame that is there as a whole; nil: more has to come.
    func next() throws(WireError) -> Frame? { try reader.next() }
}

extension String {
    /// On one line, without the white space around.
    var trimmingLines: String {
        split(whereSeparator: \.isNewline).map { $0.drop { $0 == " " } }.joined(separator: "; ")
    }
}
