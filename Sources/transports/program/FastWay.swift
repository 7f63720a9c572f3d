import Ports
import Synchronization

/// The `ssh` program for hosts that much is sent to, although libssh2 could reach them, too: its ciphers take half the
/// processor's time of libssh2's, which encrypts 16 bytes at a time.
///
/// What goes wrong before the command is started is no end: the other ways find out once more, and say better what it
/// is. But a host that nobody reaches is not waited for twice.
final class FastWay: SSHWay {
    private let program: ProgramWay

    init(_ program: ProgramWay) { self.program = program }

    var isShortcut: Bool { true }

    func opener(of route: Route) throws(Obstacle) -> SSHOpener {
        guard route.takesMuch else { throw Obstacle(text: "little is sent") }
        guard program.canBeFound else { throw Obstacle(text: "the program ssh is not installed") }
        let open = try program.opener(of: route)
        return { command, observer in
            let isOpen = Mutex(false)
            return open(command) { event in
                switch event {
                case .stream(.opened):
                    isOpen.withLock { $0 = true }
                    observer(event)
                case .stream(.closed(let end)) where FastWay.isForOthers(end) && !isOpen.withLock { $0 }:
                    observer(.beyond(Obstacle(text: end.message), end))
                case .stream, .beyond: observer(event)
                }
            }
        }
    }

    private static func isForOthers(_ end: StreamEnd) -> Bool {
        switch end.kind {
        case .loginRefused, .hostKeyUnknown, .hostKeyRefused, .misconfigured: true
        case .closedHere, .commandEnded, .unreachable: false
        }
    }
}
