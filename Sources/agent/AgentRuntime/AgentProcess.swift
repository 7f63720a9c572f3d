import CSystem
import Glibc
import Model
import Storage

/// The agent's process: its sockets, its signals, and the loop around ``AgentServer``.
final class AgentProcess {
    private let server: AgentServer
    private let listener: Int32
    private let signals: Int32

    /// - Throws: ``Failure`` or ``FilesError`` where the agent cannot work here.
    init(_ workdir: Workdir) throws {
        signals = sys_signal_descriptor()
        server = try AgentServer(
            workdir, program: Machine.program, host: RealHost(), files: LocalFiles(), isRoot: getuid() == 0
        ) { AgentProcess.supervisor(of: workdir) }
        listener = sys_listen(workdir.agentSocket)
        guard listener >= 0, signals >= 0 else {
            throw Failure(.storage, "no socket at \(workdir.agentSocket)", cause: SystemText.of(errno))
        }
    }

    /// Connects to the supervisor, and starts one before that if none answers.
    private static func supervisor(of workdir: Workdir) -> SupervisorLink.Opened {
        var descriptor = sys_connect(workdir.supervisorSocket)
        if descriptor < 0 {
            if let problem = Spawn.detached(["supervise", "--workdir", workdir.root, "--ready"], log: workdir.log) {
                return .problem("the supervisor did not start: \(problem)")
            }
            descriptor = sys_connect(workdir.supervisorSocket)
        }
        guard descriptor >= 0 else {
            return .problem("the supervisor does not answer: \(String(cString: strerror(errno)))")
        }
        return .stream(Stream(descriptor: descriptor))
    }

    /// Serves until it is told to end, or has had nothing to do for a while.
    func run() throws {
        while true {
            var set = Poll()
            set.add(signals, reads: true)
            set.add(listener, reads: server.acceptsConnections)
            if let stream = server.supervisorStream as? Stream { set.add(stream, reads: true) }
            for (stream, reads) in server.streams {
                if let stream = stream as? Stream { set.add(stream, reads: reads) }
            }
            set.wait(server.timeout)
            if set.isReadable(signals) { takeSignals() }
            if set.isReadable(listener) { accept() }
            let goesOn = try server.step { stream in (stream as? Stream).map { set.isReady($0.descriptor) } ?? false }
            guard goesOn else { return }
        }
    }

    private func accept() {
        let descriptor = sys_accept(listener)
        guard descriptor >= 0 else { return }
        var user: UInt32 = 0
        guard sys_peer_user(descriptor, &user) == 0, user == getuid() else {
            Log.write("a connection of another user is refused:", "\(user)")
            close(descriptor)
            return
        }
        server.accept(Stream(descriptor: descriptor))
    }

    private func takeSignals() {
        while true {
            switch sys_next_signal(signals) {
            case 0: return
            case SIGTERM, SIGINT: server.stop()
            case SIGCHLD:
                var ended = sys_ended()
                while sys_reap(&ended) == 1 {}
            default: break
            }
        }
    }
}

extension Poll {
    mutating func add(_ stream: Stream, reads: Bool) {
        add(stream.descriptor, reads: reads, writes: stream.unsentCount > 0)
    }
}
