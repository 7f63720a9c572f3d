import AgentCore
import AgentRuntime
import Formats
import Model
import Ports

/// One life of a supervisor.
final class SupervisorInstance {
    let life: Life
    private let supervisor: Supervisor
    private let syncer: SimulatedSyncer
    private unowned let host: SimulatedHost
    private var alarm: Alarm?
    private var agentStream: LocalStream?
    private var agentLife: Life?
    private var childEnded = false

    init(_ host: SimulatedHost, files: SimulatedFiles, life: Life) throws {
        self.host = host
        self.life = life
        syncer = SimulatedSyncer(host, files: files)
        supervisor = try Supervisor(
            SimulatedHost.workdir, host: host.system, files: files, tree: SimulatedTree(host: host, life: life),
            syncer: syncer)
    }

    func begin() {
        host.watch.supervisorStarted(host, supervisor.core)
        alarm = host.alarm("the supervisor") { [self] in step() }
        syncer.done = { [self] in wake() }
        wake()
    }

    func wake() { alarm?.set(after: host.stepTime) }

    func childHasEnded() {
        childEnded = true
        wake()
    }

    func accept(_ stream: LocalStream, of agent: Life) {
        agentStream = stream
        agentLife = agent
        supervisor.accept(stream)
        wake()
    }

    /// The agent with this life is gone.
    func lose(_ agent: Life) { if agentLife === agent { agentStream?.peerHasGone() } }

    func lookAfterFiles() {
        supervisor.lookAfterFiles()
        wake()
    }

    private func step() {
        let isSynced = syncer.isNews
        syncer.isNews = false
        let childEnded = childEnded
        self.childEnded = false
        supervisor.step(
            Supervisor.Seen(
                childEnded: childEnded, agentIsReady: agentStream?.hasNews ?? false, isSynced: isSynced))
        if !life.isAlive {
            host.supervisorDied("dies")
        } else if supervisor.isOver {
            host.supervisorDied("ends")
        } else if supervisor.agent != nil, agentStream?.hasNews == true {
            // As poll(2) would, which sees the end of a stream also behind what came before it.
            wake()
        } else if let timeout = supervisor.timeout {
            alarm?.set(after: max(timeout, host.stepTime))
        }
    }

    func end() {
        life.end()
        alarm?.stop()
        alarm = nil
        syncer.done = {}
        agentStream?.close()
        agentStream = nil
    }
}

/// The supervisor's second thread.
final class SimulatedSyncer: BackgroundSync {
    private unowned let host: SimulatedHost
    private let files: SimulatedFiles
    private var asked: (file: FileHandle, ticket: UInt64)?
    private var last: UInt64 = 0
    private var errorNumber: Int32 = 0
    var isNews = false
    var done: () -> Void = {}

    init(_ host: SimulatedHost, files: SimulatedFiles) {
        self.host = host
        self.files = files
    }

    func request(_ file: FileHandle, ticket: UInt64) {
        asked = (file, ticket)
        host.world.after(host.syncTime) { [self] in
            guard asked?.ticket == ticket else { return }
            serve()
            done()
        }
    }

    private func serve() {
        guard let (file, ticket) = asked else { return }
        asked = nil
        do throws(FilesError) {
            try files.sync(file)
        } catch {
            guard error.errorNumber != 4 else { return }
            errorNumber = error.errorNumber
        }
        last = ticket
        isNews = true
    }

    func served() -> (ticket: UInt64, errorNumber: Int32) {
        defer { errorNumber = 0 }
        return (last, errorNumber)
    }

    func settle() { serve() }
}

extension SimulatedHost {
    var syncTime: Nanoseconds { 400_000 * slowness }
}

/// A socket between two processes of one host.
final class LocalStream: FrameStream {
    private var peer: LocalStream?
    private var inbound: [Frame] = []
    private var out: [Frame] = []
    private var peerIsGone = false
    private(set) var hasNews = false
    private(set) var isBroken = false
    var life: Life?
    var wake: () -> Void = {}
    /// Told what goes out, and may change it.
    var asked: ([Frame]) -> [Frame] = { $0 }

    static func pair() -> (LocalStream, LocalStream) {
        let near = LocalStream()
        let far = LocalStream()
        near.peer = far
        far.peer = near
        return (near, far)
    }

    var unsentCount: Int { out.isEmpty ? 0 : 1 }

    func send(_ frame: Frame) { out.append(frame) }

    func flush() {
        guard !out.isEmpty, !isBroken else { return }
        guard life?.act(.effect) ?? false else { return }
        guard let peer, !peerIsGone else {
            isBroken = true
            return
        }
        peer.inbound += asked(out)
        peer.hasNews = true
        peer.wake()
        out.removeAll(keepingCapacity: true)
    }

    func receive() throws(WireError) -> [Frame] {
        let frames = inbound
        inbound.removeAll(keepingCapacity: true)
        hasNews = false
        if peerIsGone {
            if frames.isEmpty { isBroken = true } else { hasNews = true }
        }
        return frames
    }

    func close() {
        guard !isBroken || !peerIsGone else { return }
        isBroken = true
        peer?.peerHasGone()
        peer = nil
        wake = {}
        asked = { $0 }
    }

    func peerHasGone() {
        guard !peerIsGone else { return }
        peerIsGone = true
        hasNews = true
        wake()
    }
}
