import Model
import Ports
import Synchronization

/// Streams by libssh2: one thread drives all connections, with `poll(2)`.
///
/// A host has one connection, whatever the number of streams to it. At most eight handshakes go on at a time,
/// at most four by way of one gateway. Every wait has a deadline.
final class LibraryWay: SSHWay {
    private let account: Account
    private let thread: ThreadOnDemand<DriverMessage>
    private let nextStream = Atomic<UInt64>(1)

    init(settings: SSHSettings) {
        account = Account(environment: settings.environment)
        thread = ThreadOnDemand(stop: .stop) { Driver(settings: settings, mailbox: $0) }
    }

    func opener(of route: Route) throws(Obstacle) -> SSHOpener {
        let label = route.label
        let route = try LibraryRoute(route, account: account)
        return { command, observer in
            let mailbox: Mailbox<DriverMessage>
            do throws(NoThread) {
                mailbox = try self.thread.mailbox()
            } catch {
                let text = "\(label): this machine has no thread left to connect with: \(errorText(error.code))."
                return EndedConnection(StreamEnd(kind: .unreachable, message: text)) { observer(.stream($0)) }
            }
            let stream = self.nextStream.wrappingAdd(1, ordering: .relaxed).oldValue
            let unsent = UnsentCount()
            mailbox.post(.open(stream, route, command: command, unsent, observer))
            return MailboxConnection(stream: stream, mailbox: mailbox, unsent: unsent, owner: self.thread)
        }
    }
}

extension TransportDescriptor {
    static let library = TransportDescriptor(
        TransportFormat(
            name: "libssh2",
            meaning: "SSH through libssh2 only; a host that needs a feature that libssh2 does not have is refused",
            keys: sshKeys)
    ) { SSHTransport(settings: $0.ssh, choice: .libraryOnly) }
}

/// What other threads tell the driver.
enum DriverMessage: StreamMessage {
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
