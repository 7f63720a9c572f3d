import AgentCore
import CAgent
import Glibc
import Ports
import Wire

/// The agent's end of the connection to its supervisor, which is started where there is none.
struct SupervisorLink: Processes {
    private let workdir: Workdir
    private(set) var stream: Stream?
    private var inventory: [SupervisedAttempt] = []

    init(_ workdir: Workdir) { self.workdir = workdir }

    /// Connects, and starts a supervisor before that if none answers. What went wrong, or nil.
    mutating func connect() -> String? {
        inventory.removeAll()
        var descriptor = ca_connect(workdir.supervisorSocket)
        if descriptor < 0 {
            if let problem = Spawn.detached(["supervise", "--workdir", workdir.root, "--ready"], log: workdir.log) {
                return "the supervisor did not start: \(problem)"
            }
            descriptor = ca_connect(workdir.supervisorSocket)
        }
        guard descriptor >= 0 else { return "the supervisor does not answer: \(String(cString: strerror(errno)))" }
        stream = Stream(descriptor: descriptor)
        return nil
    }

    mutating func perform(_ commands: [SupervisorCommand]) {
        guard let stream else { return }
        for command in commands { stream.send(command.frame) }
    }

    mutating func disconnect() {
        stream?.close()
        stream = nil
    }

    /// What it said, as events; and whether it is still there.
    mutating func receive() -> (events: [AgentEvent], isThere: Bool) {
        guard let stream else { return ([], false) }
        var events: [AgentEvent] = []
        do throws(WireError) {
            for frame in try stream.receive() {
                switch try SupervisorReport(frame) {
                case .inventory(let attempts, let isLast):
                    inventory += attempts
                    if isLast {
                        events.append(.supervisorReady(inventory))
                        inventory.removeAll()
                    }
                case .started(let keys): events.append(.started(keys))
                case .ended(let attempts): events.append(.ended(attempts))
                }
            }
        } catch {
            Log.write("the supervisor's stream is dropped:", error.message)
            return (events, false)
        }
        return (events, !stream.isBroken)
    }
}
