public import Model
public import Ports
import Synchronization

/// Streams over SSH by libssh2: one thread drives all connections, with `poll(2)`.
///
/// A host has one connection, whatever the number of streams to it. At most eight handshakes go on at a time,
/// at most four by way of one gateway. Every wait has a deadline.
public final class SSHTransport: Transport {
    private let thread: DriverThread
    private let nextStream = Atomic<UInt64>(1)

    public init(settings: SSHSettings) {
        thread = DriverThread(PollThread.start { Driver(settings: settings, mailbox: $0) })
    }

    public func open(
        _ target: HostTarget, command: String, observer: @escaping @Sendable (StreamEvent) -> Void
    ) -> any Connection {
        let stream = nextStream.wrappingAdd(1, ordering: .relaxed).oldValue
        thread.mailbox.post(.open(stream, target, command: command, observer))
        return SSHConnection(stream: stream, thread: thread)
    }
}

/// Ends the thread when neither the transport nor a connection refers to it any more.
private final class DriverThread: Sendable {
    let mailbox: Mailbox<DriverMessage>
    init(_ mailbox: Mailbox<DriverMessage>) { self.mailbox = mailbox }
    deinit { mailbox.post(.stop) }
}

private final class SSHConnection: Connection {
    private let stream: UInt64
    private let thread: DriverThread

    init(stream: UInt64, thread: DriverThread) {
        self.stream = stream
        self.thread = thread
    }

    func send(_ bytes: [UInt8]) { thread.mailbox.post(.send(stream, bytes)) }
    func close() { thread.mailbox.post(.close(stream)) }
}

/// What other threads tell the driver.
enum DriverMessage: Sendable {
    case open(UInt64, HostTarget, command: String, @Sendable (StreamEvent) -> Void)
    case send(UInt64, [UInt8])
    case close(UInt64)
    case resolved(link: UInt64, Result<[SocketAddress], ResolutionFailure>)
    case stop
}
