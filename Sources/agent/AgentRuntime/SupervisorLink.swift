import AgentCore
import Formats
package import Ports

/// The agent's end of the connection to its supervisor, which is started where there is none.
package struct SupervisorLink: Processes {
    /// A stream to a supervisor, which is started if none answers; or what went wrong.
    package enum Opened {
        case stream(any FrameStream)
        case problem(String)
    }

    private let open: () -> Opened
    private let log: (StaticString, String) -> Void
    package private(set) var stream: (any FrameStream)?
    private var inventory: [SupervisedAttempt] = []
    /// It was there before this agent, and understands the messages of version 1 only.
    private var isOfVersion1 = false

    package init(open: @escaping () -> Opened, log: @escaping (StaticString, String) -> Void) {
        self.open = open
        self.log = log
    }

    /// Connects. What went wrong, or nil.
    mutating func connect() -> String? {
        inventory.removeAll()
        isOfVersion1 = false
        switch open() {
        case .stream(let stream):
            self.stream = stream
            return nil
        case .problem(let problem): return problem
        }
    }

    package mutating func perform(_ commands: [SupervisorCommand]) {
        guard let stream else { return }
        for command in commands { stream.send(isOfVersion1 ? command.frame1 : command.frame) }
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
                isOfVersion1 = SupervisorReport.isOfVersion1(frame)
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
            log("the supervisor's stream is dropped:", error.message)
            return (events, false)
        }
        return (events, !stream.isBroken)
    }
}
