import CSystem
import Glibc
import Storage

/// Finds the process that listens at a socket, or starts it.
enum Rendezvous {
    enum Found {
        case connected(Int32)
        case problem(String)
    }

    /// How long one that works in the folder may take to make its socket again, which somebody removed; and one that
    /// is about to end, to leave.
    static let patience: Int64 = 15_000_000_000
    private static let pause: Int64 = 50_000_000

    /// - Parameter start: starts it; it tells where another has that work already.
    static func connect(to socket: String, patience: Int64, start: () -> Spawn.Beginning) -> Found {
        let deadline = Machine.now + patience
        while true {
            let descriptor = sys_connect(socket)
            if descriptor >= 0 { return .connected(descriptor) }
            var reason = SystemText.of(errno)
            switch start() {
            case .ready:
                let descriptor = sys_connect(socket)
                if descriptor >= 0 { return .connected(descriptor) }
                reason = SystemText.of(errno)
            case .heldElsewhere: reason = "another agent is running there and does not answer at \(socket)"
            case .problem(let problem): return .problem(problem)
            }
            guard Machine.now < deadline else { return .problem(reason) }
            var none = Poll()
            none.wait(pause)
        }
    }
}
