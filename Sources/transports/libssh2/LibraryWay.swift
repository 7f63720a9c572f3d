import Model
import Ports
import Synchronization

/// Streams by libssh2: one thread drives all connections, with `poll(2)`.
///
/// A host has one connection, whatever the number of streams to it. At most eight handshakes go on at a time,
/// at most four by way of one gateway. Every wait has a deadline.
final class LibraryWay: SSHWay {
    private let account: Account
    private let thread: DriverThread
    private let nextStream = Atomic<UInt64>(1)

    init(settings: SSHSettings) {
        account = Account(environment: settings.environment)
        thread = DriverThread(PollThread.start { Driver(settings: settings, mailbox: $0) })
    }

    func opener(of route: Route) throws(Obstacle) -> SSHOpener {
        let route = try LibraryRoute(route, account: account)
        return { command, observer in
            let stream = self.nextStream.wrappingAdd(1, ordering: .relaxed).oldValue
            let unsent = UnsentCount()
            self.thread.mailbox.post(.open(stream, route, command: command, unsent, observer))
            return LibraryConnection(stream: stream, thread: self.thread, unsent: unsent)
        }
    }
}

extension TransportDescriptor {
    static let library = TransportDescriptor(
        TransportFormat(
            name: "libssh2",
            meaning: "SSH through libssh2 only; a host that needs what libssh2 cannot do is refused",
            keys: sshKeys)
    ) { SSHTransport(settings: $0.ssh, choice: .libraryOnly) }
}

/// Ends the thread when neither the way nor a connection refers to it any more.
private final class DriverThread: Sendable {
    let mailbox: Mailbox<DriverMessage>
    init(_ mailbox: Mailbox<DriverMessage>) { self.mailbox = mailbox }
    deinit { mailbox.post(.stop) }
}

private final class LibraryConnection: Connection {
    private let stream: UInt64
    private let thread: DriverThread
    private let unsent: UnsentCount

    init(stream: UInt64, thread: DriverThread, unsent: UnsentCount) {
        self.stream = stream
        self.thread = thread
        self.unsent = unsent
    }

    var unsentCount: Int { unsent.value }

    func send(_ bytes: [UInt8]) {
        unsent.add(bytes.count)
        thread.mailbox.post(.send(stream, bytes))
    }

    func pause() { thread.mailbox.post(.pause(stream, true)) }
    func resume() { thread.mailbox.post(.pause(stream, false)) }
    func close() { thread.mailbox.post(.close(stream)) }
}

/// What other threads tell the driver.
enum DriverMessage: Sendable {
    case open(UInt64, LibraryRoute, command: String, UnsentCount, @Sendable (SSHWayEvent) -> Void)
    case send(UInt64, [UInt8])
    case pause(UInt64, Bool)
    case close(UInt64)
    case resolved(link: UInt64, Result<[SocketAddress], ResolutionFailure>)
    case stop
}

/// Why a link ended, and whether by something that libssh2 cannot do.
struct LinkEnd {
    var end: StreamEnd
    var obstacle: Obstacle?

    init(_ end: StreamEnd, beyond obstacle: Obstacle? = nil) {
        self.end = end
        self.obstacle = obstacle
    }
}
