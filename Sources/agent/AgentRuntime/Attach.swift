import CSystem
import Formats
import Glibc
import Model
import Storage

/// Joins the coordinator's channel to the agent of a working folder, which is started if it does not run.
enum Attach {
    /// - Parameter waits: somebody else starts the agent; what it still has to tell passes here, also after SIGTERM.
    static func run(workdir name: String, waits: Bool) -> Int32 {
        signal(SIGPIPE, SIG_IGN)
        if waits { signal(SIGTERM, SIG_IGN) }
        put(Preamble.bytes)
        do throws(Failure) {
            let workdir = try Workdir.prepare(name)
            let descriptor = try waits ? connectWaiting(workdir) : connect(workdir)
            if !waits { tellAddress(descriptor) }
            return bridge(descriptor)
        } catch {
            // A full or failing disk can be well again at the next try.
            if error.code != .storage {
                put((try? AgentMessage.refused(reason: error.description).frame.encoded) ?? [])
            }
            FailureText.print(error.description)
            return 1
        }
    }

    // MARK: Finding or starting the agent

    private static func connect(_ workdir: Workdir) throws(Failure) -> Int32 {
        // One at a time: two coordinators that come at once start one agent.
        let lock = sys_lock(workdir.startLock, 1)
        guard lock >= 0 else {
            throw Failure(.storage, "\(workdir.startLock) cannot be locked", cause: SystemText.of(errno))
        }
        defer { close(lock) }
        let running = sys_connect(workdir.agentSocket)
        if running >= 0 {
            guard !runsThisProgram(running), endIfIdle(running) else { return running }
            close(running)
        }
        try refuseNewer(workdir)
        let found = Rendezvous.connect(to: workdir.agentSocket, patience: Rendezvous.patience) {
            Survival.start(["serve", "--workdir", workdir.root, "--ready"], log: workdir.log)
        }
        switch found {
        case .connected(let descriptor): return descriptor
        case .problem(let problem):
            throw Failure(.storage, "the agent did not start in \(workdir.root): \(problem)")
        }
    }

    /// Connects to an agent that is about to begin, if it is not there.
    private static func connectWaiting(_ workdir: Workdir) throws(Failure) -> Int32 {
        switch Rendezvous.connect(to: workdir.agentSocket, patience: 2 * Rendezvous.patience, start: { .heldElsewhere })
        {
        case .connected(let descriptor): return descriptor
        case .problem: throw Failure(.storage, "no agent is running in \(workdir.root): see job.log there")
        }
    }

    static let journals = ["agent.journal", "supervisor.journal"]

    /// A newer agent or supervisor works here, or did: what it left is none of this one's business.
    private static func refuseNewer(_ workdir: Workdir) throws(Failure) {
        for name in journals {
            do {
                try AgentJournal.refuseNewer(folder: workdir.root, name: name, files: LocalFiles())
            } catch let failure as Failure {
                throw failure
            } catch {
                throw Failure(.storage, "\(workdir.root)/\(name) cannot be read", cause: "\(error)")
            }
        }
    }

    /// Whether the process at the other end was started from the same file as this one.
    private static func runsThisProgram(_ descriptor: Int32, ifUnknown unknown: Bool = true) -> Bool {
        let pid = sys_peer_process(descriptor)
        var own = stat()
        var other = stat()
        guard pid > 0, stat("/proc/self/exe", &own) == 0, stat("/proc/\(pid)/exe", &other) == 0 else {
            return unknown
        }
        return own.st_ino == other.st_ino && own.st_dev == other.st_dev
    }

    /// Asks an older agent to make room. False: it has work, and this connection goes to it.
    private static func endIfIdle(_ descriptor: Int32) -> Bool {
        let stream = FrameSocket(descriptor: descriptor)
        stream.send(Frame(kind: LocalCommand.stopIfIdle.rawValue, payload: []))
        stream.flush()
        while true {
            var set = Poll()
            set.add(descriptor, reads: true)
            set.wait(20_000_000_000)
            guard set.isReadable(descriptor) else { return false }
            guard let frames = try? stream.receive() else { return false }
            if frames.contains(where: { $0.kind == LocalCommand.busy.rawValue }) { return false }
            if stream.isBroken { return true }
        }
    }

    /// Tells the agent at which of this host's addresses the coordinator came in: other hosts may reach it there. One
    /// of another program is told nothing, as it may be too old for it.
    private static func tellAddress(_ descriptor: Int32) {
        let words = (getenv("SSH_CONNECTION").map { String(cString: $0) } ?? "").split(separator: " ")
        guard words.count == 4, runsThisProgram(descriptor, ifUnknown: false) else { return }
        let stream = FrameSocket(descriptor: descriptor)
        stream.send(Frame(kind: LocalCommand.cameIn.rawValue, payload: Array(words[2].utf8)))
        stream.flush()
    }

    // MARK: Bridging

    /// Bytes on their way from one descriptor to another.
    private struct Pipe {
        let from: Int32
        let to: Int32
        var buffer: [UInt8] = []
        var start = 0
        var hasEnded = false

        var isEmpty: Bool { start == buffer.count }

        mutating func read() {
            var count = 0
            buffer = [UInt8](unsafeUninitializedCapacity: 128 * 1024) { space, filled in
                count = Glibc.read(from, space.baseAddress!, space.count)
                filled = max(0, count)
            }
            start = 0
            if count == 0 || (count < 0 && errno != EINTR && errno != EAGAIN) { hasEnded = true }
        }

        /// False: nobody takes the bytes any more.
        mutating func write() -> Bool {
            let count = buffer.withUnsafeBytes { Glibc.write(to, $0.baseAddress! + start, buffer.count - start) }
            if count > 0 { start += count }
            return count >= 0 || errno == EINTR || errno == EAGAIN
        }
    }

    /// Of standard input, if it is a pipe: sshd need not wait until each 64 KiB went on.
    private static let room: Int32 = 1 << 20

    private static func bridge(_ socket: Int32) -> Int32 {
        _ = sys_widen_pipe(0, room)
        var up = Pipe(from: 0, to: socket)
        var down = Pipe(from: socket, to: 1)
        while true {
            var set = Poll()
            // Nothing is read while the other side does not take what came before.
            if up.isEmpty { set.add(0, reads: true) }
            set.add(socket, reads: down.isEmpty, writes: !up.isEmpty)
            if !down.isEmpty { set.add(1, reads: false, writes: true) }
            set.wait(nil)
            if up.isEmpty, set.isReady(0) { up.read() }
            if !up.isEmpty, !up.write() { return 0 }
            if down.isEmpty, set.isReadable(socket) { down.read() }
            if !down.isEmpty, !down.write() { return 0 }
            if up.hasEnded { return 0 }
            if down.hasEnded { return 0 }
        }
    }

    private static func put(_ bytes: [UInt8]) {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { write(1, $0.baseAddress! + done, bytes.count - done) }
            if count < 0, errno != EINTR { return }
            done += max(0, count)
        }
    }
}
