import AgentCore
import CSystem
import Glibc
import Model
import Ports
import Storage

/// The supervisor's process: its socket, its children, and the loop around ``Supervisor``.
final class SupervisorProcess {
    private let supervisor: Supervisor
    private let syncer: SyncThread
    private let signals: Int32
    private let foothold: Foothold
    private var agent: FrameSocket?

    /// - Throws: ``Failure`` or ``FilesError`` for a journal or socket that cannot be had.
    init(_ workdir: Workdir) throws {
        foothold = try Foothold(workdir, .supervisor)
        signals = sys_signal_descriptor()
        guard signals >= 0, let syncer = SyncThread(), sys_become_subreaper() == 0 else {
            throw Failure(
                .internalError, "signals, threads or the adoption of orphans cannot be set up",
                cause: SystemText.of(errno))
        }
        self.syncer = syncer
        supervisor = try Supervisor(
            workdir, host: RealHost(), files: LocalFiles(), tree: ProcessTree(), syncer: syncer)
        try foothold.listen()
    }

    func run() {
        while !supervisor.isOver {
            var set = Poll()
            set.add(signals, reads: true)
            set.add(foothold.listener, reads: true)
            set.add(syncer.descriptor, reads: true)
            if let agent, !agent.isBroken { set.add(agent.descriptor, reads: true, writes: agent.unsentCount > 0) }
            set.wait(min(supervisor.timeout ?? .max, foothold.timeout))
            let childEnded = set.isReadable(signals)
            if childEnded { while sys_next_signal(signals) > 0 {} }
            let agentIsReady = agent.map { !$0.isBroken && set.isReady($0.descriptor) } ?? false
            if set.isReadable(foothold.listener) { accept() }
            lookAfterFolder()
            supervisor.step(
                Supervisor.Seen(
                    childEnded: childEnded, agentIsReady: agentIsReady, isSynced: set.isReadable(syncer.descriptor)))
        }
        foothold.leave()
    }

    private func lookAfterFolder() {
        guard foothold.timeout == 0 else { return }
        switch foothold.look() {
        case .taken:
            Log.write("the working folder was removed, and another supervisor uses a new one: this one ends")
            supervisor.stop()
        case .nothingNew, .remade: supervisor.lookAfterFiles()
        }
    }

    private func accept() {
        let descriptor = sys_accept(foothold.listener)
        guard descriptor >= 0 else { return }
        var user: UInt32 = 0
        guard sys_peer_user(descriptor, &user) == 0, user == getuid() else {
            close(descriptor)
            return
        }
        let stream = FrameSocket(descriptor: descriptor)
        agent = stream
        supervisor.accept(stream)
    }
}
