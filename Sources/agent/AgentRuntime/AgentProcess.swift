import AgentCore
import CSystem
import Glibc
import Model
import Storage

/// The agent's process: its sockets, its signals, and the loop around ``AgentServer``.
final class AgentProcess {
    private let server: AgentServer
    private let foothold: Foothold
    private let program = ProgramFile()
    private let setups: SetupTrial
    private let network = RealPeerNetwork()
    private let signals: Int32
    private let isPilot: Bool

    /// - Throws: ``Failure`` or ``FilesError`` where the agent cannot work here.
    ///
    /// - Parameter isPilot: it works within a job of Slurm.
    init(_ workdir: Workdir, isPilot: Bool) throws {
        self.isPilot = isPilot
        foothold = try Foothold(workdir, .agent)
        signals = sys_signal_descriptor()
        setups = SetupTrial(folder: workdir.root)
        server = try AgentServer(
            workdir, program: Machine.program, host: RealHost(), files: LocalFiles(), setups: setups,
            network: network, neighbours: isPilot ? nil : MachineNeighbours(name: SHA256.digest(workdir.root).short),
            idleTime: isPilot ? AgentServer.idleTimeOfPilots : AgentServer.idleTime, scrubRound: ScrubPlan.day
        ) { [patience = Patience()] in AgentProcess.supervisor(of: workdir, patience: patience.next()) }
        guard signals >= 0 else { throw Failure(.internalError, "no signals", cause: SystemText.of(errno)) }
        try foothold.listen()
    }

    /// Connects to the supervisor, and starts one before that if none answers.
    private static func supervisor(of workdir: Workdir, patience: Int64) -> SupervisorLink.Opened {
        let found = Rendezvous.connect(to: workdir.supervisorSocket, patience: patience) {
            Spawn.detached(["supervise", "--workdir", workdir.root, "--ready"], log: workdir.log)
        }
        switch found {
        case .connected(let descriptor): return .stream(FrameSocket(descriptor: descriptor))
        case .problem(let problem): return .problem("the supervisor did not start: \(problem)")
        }
    }

    /// At the start nobody waits for heartbeats; later the next try comes in a second.
    private final class Patience {
        private var isFirst = true

        func next() -> Int64 {
            defer { isFirst = false }
            return isFirst ? Rendezvous.patience : 100_000_000
        }
    }

    /// Serves until it is told to end, or has had nothing to do for a while.
    func run() throws {
        while true {
            var set = Poll()
            set.add(signals, reads: true)
            set.add(foothold.listener, reads: server.acceptsConnections)
            let gathering = max(0, server.hearsNext - Machine.now)
            if let stream = server.supervisorStream as? FrameSocket { set.add(stream, reads: gathering == 0) }
            for (stream, reads) in server.streams {
                if let stream = stream as? FrameSocket { set.add(stream, reads: reads) }
            }
            for (stream, reads) in server.peerStreams {
                if let stream = stream as? PeerSocket {
                    set.add(stream.descriptor, reads: reads, writes: stream.unsentCount > 0)
                }
            }
            for listener in network.listeners { set.add(listener.descriptor, reads: server.acceptsConnections) }
            let patience = min(server.timeout ?? .max, foothold.timeout)
            set.wait(gathering > 0 && server.supervisorStream != nil ? min(patience, gathering) : patience)
            if set.isReadable(signals) { takeSignals() }
            if set.isReadable(foothold.listener) { accept() }
            for listener in network.listeners where set.isReadable(listener.descriptor) {
                let descriptor = sys_accept(listener.descriptor)
                if descriptor >= 0 { server.meet(PeerSocket(descriptor: descriptor)) }
            }
            try lookAfterFolder()
            let goesOn = try server.step { stream in
                (stream as? FrameSocket).map { set.isReady($0.descriptor) } ?? false
            } isPeerReady: { stream in
                (stream as? PeerSocket).map { set.isReady($0.descriptor) } ?? false
            }
            guard goesOn else { return foothold.leave() }
        }
    }

    private func lookAfterFolder() throws {
        guard foothold.timeout == 0, server.acceptsConnections else { return }
        switch foothold.look() {
        case .taken:
            Log.write("the working folder was removed, and another agent uses a new one: this agent ends")
            server.stop()
        case .nothingNew, .remade:
            program.restore()
            program.inUse()
            try server.lookAfterFiles()
        }
    }

    private func accept() {
        let descriptor = sys_accept(foothold.listener)
        guard descriptor >= 0 else { return }
        var user: UInt32 = 0
        guard sys_peer_user(descriptor, &user) == 0, user == getuid() else {
            Log.write("a connection of another user is refused:", "\(user)")
            close(descriptor)
            return
        }
        server.accept(FrameSocket(descriptor: descriptor))
    }

    private func takeSignals() {
        while true {
            switch sys_next_signal(signals) {
            case 0: return
            case SIGTERM, SIGINT: if isPilot { server.leave() } else { server.stop() }
            case SIGCHLD:
                var ended = sys_ended()
                while sys_reap(&ended) == 1 { setups.childEnded(ended) }
            default: break
            }
        }
    }
}

extension Poll {
    mutating func add(_ stream: FrameSocket, reads: Bool) {
        add(stream.descriptor, reads: reads, writes: stream.unsentCount > 0)
    }
}
