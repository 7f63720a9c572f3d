import CSystem
import Glibc
import Model
import Ports
import Storage

/// The first process of a pilot's job where connections come by a spool: it starts the agent, and joins each
/// connection that appears to it.
final class SpoolJob {
    /// One, and some that are about to end: a coordinator that comes back opens another.
    private static let most = 16
    /// How long the agent's last words may take.
    private static let patience: Int64 = 10_000_000_000

    private let files = LocalFiles()
    private let workdir: String
    private let spool: String
    /// How the folders of this job's connections begin.
    private let prefix: String
    private let signals: Int32
    private let agent: Int32
    /// Of the agent, when it has ended.
    private var status: Int32?
    private var connections: [String: SpooledConnection] = [:]
    /// Connections that have ended, and whose folders may still be there.
    private var over: Set<String> = []

    static func run(workdir: String, job: String) -> Int32 {
        do {
            return try SpoolJob(workdir, job).serve()
        } catch {
            FailureText.print("cannot use \(workdir)/spool, so this job cannot be reached: \(error)")
            return 74
        }
    }

    private init(_ workdir: String, _ job: String) throws {
        self.workdir = workdir
        spool = SpoolEnd.connections(of: workdir)
        prefix = SpoolEnd.prefix(ofJob: job)
        try files.ensureFolders(spool)
        // What was opened to an earlier job of this pilot is nobody's.
        for entry in try files.list(spool) where !entry.name.hasPrefix(prefix) {
            // A bridge may still be writing there: the next job tries again.
            try? files.removeTree("\(spool)/\(entry.name)")
        }
        try SpoolEnd.sayVersion(in: spool, files)
        signals = sys_signal_descriptor()
        guard signals >= 0 else { throw Failure(.internalError, "no signals", cause: SystemText.of(errno)) }
        agent = try SpoolJob.startAgent(workdir)
    }

    /// With this process's standard output and error: what it says stands in the job's file.
    private static func startAgent(_ workdir: String) throws(SpawnProblem) -> Int32 {
        let nothing = open("/dev/null", O_RDONLY | O_CLOEXEC)
        let descriptors = [nothing, 1, 2].map { fcntl($0, F_DUPFD_CLOEXEC, 64) }
        close(nothing)
        defer { for descriptor in descriptors { close(descriptor) } }
        return try Spawn.start(
            [Machine.program, "pilot", "--workdir", workdir], environment: Spawn.environment, folder: "/"
        ) { start, step in
            descriptors.withUnsafeBufferPointer { buffer in
                start.pointee.descriptors = buffer.baseAddress
                start.pointee.descriptor_count = 3
                start.pointee.dies_with_parent = 1
                return sys_spawn(start, step)
            }
        }
    }

    /// Until the agent has ended, and what it still had to tell was taken.
    private func serve() -> Int32 {
        var pace = SpoolPace()
        var deadline = Int64.max
        while true {
            var set = Poll()
            set.add(signals, reads: true)
            for name in connections.keys { connections[name]?.add(to: &set) }
            set.wait(pace.pause)
            if set.isReadable(signals) { takeSignals() }
            if let status {
                if deadline == .max { deadline = Machine.now + SpoolJob.patience }
                if connections.isEmpty || Machine.now >= deadline { return status }
            } else {
                // A file server that is away for a time ends no agent.
                try? welcome()
            }
            var hasMoved = false
            for name in connections.keys.sorted() where carry(name, set) { hasMoved = true }
            pace.looked(hasMoved: hasMoved)
        }
    }

    private func takeSignals() {
        while true {
            switch sys_next_signal(signals) {
            case 0: return
            case SIGCHLD:
                var ended = sys_ended()
                while sys_reap(&ended) == 1 {
                    if ended.pid == agent { status = ended.signal == 0 ? ended.status : 128 + ended.signal }
                    for name in connections.keys { connections[name]?.reaped(ended.pid) }
                }
            // Slurm tells the first process of a job only that the job is to end.
            default: kill(agent, SIGTERM)
            }
        }
    }

    /// Joins new connections to the agent.
    private func welcome() throws(FilesError) {
        let names = try files.list(spool).filter { $0.kind == .folder && $0.name.hasPrefix(prefix) }.map(\.name)
        over.formIntersection(names)
        for name in names where connections[name] == nil && !over.contains(name) && connections.count < SpoolJob.most {
            let folder = "\(spool)/\(name)"
            do {
                connections[name] = try SpooledConnection(folder, agentOf: workdir)
            } catch {
                FailureText.print("a connection to the agent cannot be started: \(error)")
                over.insert(name)
            }
        }
    }

    /// Lets a connection carry what there is. Returns whether there was something.
    private func carry(_ name: String, _ set: Poll) -> Bool {
        guard var connection = connections[name] else { return false }
        do throws(FilesError) {
            let hasMoved = try connection.carry(set)
            connections[name] = connection
            if connection.isOver { end(name, connection) }
            return hasMoved
        } catch {
            FailureText.print("a connection to the agent has ended: \(error)")
            end(name, connection)
            return true
        }
    }

    private func end(_ name: String, _ connection: SpooledConnection) {
        connections[name] = nil
        connection.close()
        over.insert(name)
        try? files.removeTree("\(spool)/\(name)")
    }
}

/// A connection that came by the spool, and the process that joins it to the agent.
private struct SpooledConnection {
    private static let mostUnsent = 1 << 20
    /// How long what is left for the other side stays there.
    private static let patience: Int64 = 10_000_000_000

    private var end: SpoolEnd
    private var child: GatewayChild
    private var isReaped = false
    private var deadline: Int64?

    init(_ folder: String, agentOf workdir: String) throws {
        end = try SpoolEnd(folder, .job)
        child = try GatewayChild([Machine.program, "attach", "--waits", "--workdir", workdir])
    }

    /// Whether nothing more goes either way, or nobody takes it.
    var isOver: Bool { deadline.map { Machine.now >= $0 } ?? false }

    mutating func add(to set: inout Poll) { child.add(to: &set, reads: (try? end.hasRoom()) ?? false) }

    mutating func carry(_ set: Poll) throws(FilesError) -> Bool {
        var hasMoved = false
        while child.unsentCount < SpooledConnection.mostUnsent, let bytes = try end.read() {
            child.send(bytes)
            hasMoved = true
        }
        if end.hasEnded { child.endInput() }
        _ = child.flush()
        if child.complains(set) { child.hear() }
        if child.hasOutput(set), try end.hasRoom() {
            let bytes = child.read(atMost: SpoolEnd.piece)
            if bytes?.isEmpty != true {
                try end.write(bytes ?? [])
                hasMoved = true
            }
        }
        if end.isFinished || end.hasEnded || end.isStuck, deadline == nil {
            deadline = Machine.now + SpooledConnection.patience
        }
        if end.isFinished, try end.isTaken() { deadline = Machine.now }
        return hasMoved
    }

    /// Its number may be another process's from now on.
    mutating func reaped(_ pid: Int32) { if child.pid == pid { isReaped = true } }

    func close() {
        var child = child
        child.closeAll()
        if !isReaped { kill(child.pid, SIGKILL) }
    }
}
