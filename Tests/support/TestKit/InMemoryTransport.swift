public import Model
public import Ports
import Synchronization
import Transports

/// The far end of a stream in memory: what a command would do on a host.
public struct RemoteEnd: Sendable {
    fileprivate let stream: UInt64
    fileprivate let mailbox: Mailbox<InMemoryMessage>

    /// Writes to the command's standard output.
    public func write(_ bytes: [UInt8]) { mailbox.post(.output(stream, .received(bytes))) }

    /// Writes to the command's standard error.
    public func complain(_ bytes: [UInt8]) { mailbox.post(.output(stream, .diagnostic(bytes))) }

    /// Ends the command.
    public func exit(_ status: Int32) {
        let end = StreamEnd(kind: .commandEnded(status: status), message: "The command ended with status \(status).")
        mailbox.post(.output(stream, .closed(end)))
    }

    /// Ends the stream for another reason, as when the connection breaks.
    public func end(_ end: StreamEnd) { mailbox.post(.output(stream, .closed(end))) }
}

/// A transport without any host: a closure plays the commands.
public final class InMemoryTransport: Transport {
    /// Plays one command. Throws to refuse the connection; returns what is called with the bytes that arrive at
    /// the command's standard input, in order, on the transport's thread.
    public typealias Play =
        @Sendable (HostTarget, _ command: String, RemoteEnd) throws(StreamEnd) -> (@Sendable ([UInt8]) -> Void)

    private let thread: InMemoryThread
    private let nextStream = Atomic<UInt64>(1)

    /// - Throws: ``NoThread``.
    public init(_ play: @escaping Play) throws {
        thread = InMemoryThread(try PollThread.start { InMemoryDriver(play: play, mailbox: $0) })
    }

    public func open(
        _ target: HostTarget, command: String, observer: @escaping @Sendable (StreamEvent) -> Void
    ) -> any Connection {
        let stream = nextStream.wrappingAdd(1, ordering: .relaxed).oldValue
        thread.mailbox.post(.open(stream, target, command: command, observer))
        return InMemoryConnection(stream: stream, thread: thread)
    }
}

private final class InMemoryThread: Sendable {
    let mailbox: Mailbox<InMemoryMessage>
    init(_ mailbox: Mailbox<InMemoryMessage>) { self.mailbox = mailbox }
    deinit { mailbox.post(.stop) }
}

private final class InMemoryConnection: Connection {
    private let stream: UInt64
    private let thread: InMemoryThread

    init(stream: UInt64, thread: InMemoryThread) {
        self.stream = stream
        self.thread = thread
    }

    func send(_ bytes: [UInt8]) { thread.mailbox.post(.input(stream, bytes)) }

    func close() {
        let end = StreamEnd(kind: .closedHere, message: "Closed from this side.")
        thread.mailbox.post(.output(stream, .closed(end)))
    }
}

private enum InMemoryMessage: Sendable {
    case open(UInt64, HostTarget, command: String, @Sendable (StreamEvent) -> Void)
    case input(UInt64, [UInt8])
    case output(UInt64, StreamEvent)
    case stop
}

private final class InMemoryDriver: PollClient {
    private struct Stream {
        var observer: @Sendable (StreamEvent) -> Void
        var take: @Sendable ([UInt8]) -> Void
    }

    private let play: InMemoryTransport.Play
    private let mailbox: Mailbox<InMemoryMessage>
    private var streams: [UInt64: Stream] = [:]
    private var isStopped = false

    init(play: @escaping InMemoryTransport.Play, mailbox: Mailbox<InMemoryMessage>) {
        self.play = play
        self.mailbox = mailbox
    }

    func turn(_ messages: [InMemoryMessage], ready: [Int32: Int16], now: ContinuousClock.Instant) -> PollWait {
        for message in messages { handle(message) }
        return PollWait(isFinished: isStopped)
    }

    private func handle(_ message: InMemoryMessage) {
        switch message {
        case .open(let id, let target, let command, let observer):
            do throws(StreamEnd) {
                let take = try play(target, command, RemoteEnd(stream: id, mailbox: mailbox))
                streams[id] = Stream(observer: observer, take: take)
                observer(.opened)
            } catch {
                observer(.closed(error))
            }
        case .input(let id, let bytes):
            if !bytes.isEmpty { streams[id]?.take(bytes) }
        case .output(let id, .closed(let end)):
            streams.removeValue(forKey: id)?.observer(.closed(end))
        case .output(let id, let event):
            streams[id]?.observer(event)
        case .stop:
            isStopped = true
            let end = StreamEnd(kind: .closedHere, message: "Closed from this side.")
            for id in streams.keys.sorted() { streams.removeValue(forKey: id)?.observer(.closed(end)) }
        }
    }
}
