import AgentCore
import CAgent
import Glibc
import LocalFiles
import Model
import Ports
import Wire

/// The agent's process: sockets, the clock, and the loop around ``AgentShell``.
final class AgentServer {
    /// A connection, with what the coordinator asked for and has not been sent yet.
    private struct Client {
        var stream: Stream
        var reads: [ObjectRange] = []
        var isEnding = false
        /// A local command, not a coordinator.
        var isControl = false
    }

    private let workdir: Workdir
    private var shell: AgentShell
    private var link: SupervisorLink
    private let listener: Int32
    private let signals: Int32
    private var clients: [Int: Client] = [:]
    private var nextClient = 1
    private var inbox: [AgentEvent] = []
    private var idleSince = Machine.now
    private var isStopping = false
    private var linkRetryAt: Int64?

    /// How long it stays with nothing to do and nobody connected.
    private static let idleTime: Int64 = 60_000_000_000
    /// Unsent bytes from which on no more are read from disk.
    private static let sendWindow = 512 * 1024
    private static let maximumReads = 4_096

    /// - Throws: ``Failure`` or ``FilesError`` where the agent cannot work here.
    init(_ workdir: Workdir) throws {
        self.workdir = workdir
        signals = ca_signal_descriptor()
        shell = try AgentShell(
            host: AgentCore.Host(
                processors: Machine.processors, memoryBytes: Machine.memoryBytes, attempts: workdir.attempts,
                program: Machine.program),
            root: workdir.root, files: LocalFiles())
        link = SupervisorLink(workdir)
        if let problem = link.connect() { throw Failure(.storage, problem) }
        listener = ca_listen(workdir.agentSocket)
        guard listener >= 0, signals >= 0 else {
            throw Failure(.storage, "no socket at \(workdir.agentSocket)", cause: SystemText.of(errno))
        }
        for note in shell.notes { Log.write("start:", note) }
    }

    /// Serves until it is told to end, or has had nothing to do for a while.
    func run() throws {
        while true {
            var set = Poll()
            set.add(signals, reads: true)
            set.add(listener, reads: !isStopping)
            if let stream = link.stream { set.add(stream.descriptor, reads: true, writes: stream.unsentCount > 0) }
            for (_, client) in clients {
                set.add(
                    client.stream.descriptor, reads: client.reads.count < AgentServer.maximumReads / 2,
                    writes: client.stream.unsentCount > 0)
            }
            set.wait(shell.isCollecting || !inbox.isEmpty ? 0 : timeout)
            if set.isReadable(signals) { takeSignals() }
            if set.isReadable(listener) { accept() }
            for number in clients.keys.sorted() {
                if let client = clients[number], set.isReady(client.stream.descriptor) { receive(number) }
            }
            if let stream = link.stream {
                if set.isReady(stream.descriptor) { hearSupervisor() }
            } else if let linkRetryAt, Machine.now >= linkRetryAt {
                reconnectSupervisor()
            }
            if shell.isCollecting { inbox += shell.collect(budget: 8 << 20) }
            try turn()
            answerReads()
            flush()
            if isStopping, link.stream == nil { return }
            if isIdle {
                if Machine.now - idleSince > AgentServer.idleTime { stop() }
            } else {
                idleSince = Machine.now
            }
        }
    }

    private var isIdle: Bool { clients.isEmpty && shell.core.isIdle && inbox.isEmpty }

    private var timeout: Int64? {
        var due = shell.core.nextDeadline
        if let linkRetryAt { due = min(due ?? linkRetryAt, linkRetryAt) }
        if isIdle {
            let end = idleSince + AgentServer.idleTime + 1_000_000
            due = min(due ?? end, end)
        }
        return due.map { max(0, $0 - Machine.now) }
    }

    // MARK: The step

    /// Steps until nothing follows from what was done.
    private func turn() throws {
        var rounds = 0
        repeat {
            let events = inbox
            inbox.removeAll(keepingCapacity: true)
            for effect in try shell.step(events, now: Machine.now) { perform(effect) }
            rounds += 1
        } while !inbox.isEmpty && rounds < 16
    }

    private func perform(_ effect: AgentEffect) {
        switch effect {
        case .greet(let number, let leases): send(number, .hello(hello(leases)))
        case .send(let number, let message): send(number, message)
        case .heartbeat(let number, let running, let waiting):
            send(number, .heartbeat(HostLoad(running: running, waiting: waiting, freeBytes: freeBytes)))
        case .drop(let number, let reason):
            Log.write("a connection is dropped:", reason)
            clients[number]?.isEnding = true
        case .locate(let digest): inbox.append(shell.locate(digest))
        case .store(let piece, let size):
            if let event = shell.store(piece, size: size) { inbox.append(event) }
        case .prepare(let key, let job): inbox.append(shell.prepare(key, job))
        case .supervise(let command): link.perform([command])
        case .collect(let key, let exit, let job): shell.beginCollecting(key, exit, job)
        case .discard(let key): note(shell.discard(key))
        case .discardSweep(let sweep): note(shell.discardSweep(sweep))
        case .keepOnly(let keys): note(shell.keepOnly(keys))
        case .read(let number, let range):
            clients[number]?.reads.append(range)
            if clients[number]?.reads.count ?? 0 > AgentServer.maximumReads {
                Log.write("a connection is dropped: it asks for more than it takes")
                clients[number]?.isEnding = true
            }
        case .probe(let number, let path): send(number, shell.probe(path))
        case .tail(let number, let key, let request): send(number, shell.tail(key, request))
        }
    }

    private func note(_ problem: String?) {
        if let problem { Log.write("not deleted:", problem) }
    }

    private var freeBytes: Int64 { max(0, ca_free_bytes(workdir.root)) }

    private func hello(_ leases: [HeldLease]) -> AgentHello {
        AgentHello(
            bootID: Machine.bootID, hostName: Machine.hostName, slots: shell.core.slots,
            processors: Machine.processors, memoryBytes: shell.core.memoryBytes, freeBytes: freeBytes,
            workdir: workdir.root, wallClock: Machine.wallClock, leases: leases)
    }

    // MARK: Connections

    private func accept() {
        let descriptor = ca_accept(listener)
        guard descriptor >= 0 else { return }
        var user: UInt32 = 0
        guard ca_peer_user(descriptor, &user) == 0, user == getuid() else {
            Log.write("a connection of another user is refused:", "\(user)")
            close(descriptor)
            return
        }
        clients[nextClient] = Client(stream: Stream(descriptor: descriptor))
        inbox.append(.connected(nextClient))
        nextClient += 1
    }

    private func receive(_ number: Int) {
        guard let client = clients[number], !client.isEnding else { return }
        do throws(WireError) {
            for frame in try client.stream.receive() {
                if let command = LocalCommand(rawValue: frame.kind) {
                    control(command, number)
                } else {
                    inbox.append(.message(number, try CoordinatorMessage(frame)))
                }
            }
        } catch {
            Log.write("a connection is dropped:", error.message)
            drop(number)
            return
        }
        if client.stream.isBroken { drop(number) }
    }

    private func drop(_ number: Int) {
        guard let client = clients.removeValue(forKey: number) else { return }
        client.stream.close()
        inbox.append(.disconnected(number))
    }

    private func send(_ number: Int, _ message: AgentMessage) {
        clients[number]?.stream.send(message.frame)
    }

    private func answerReads() {
        for number in clients.keys.sorted() {
            while let client = clients[number], client.stream.unsentCount < AgentServer.sendWindow,
                let range = client.reads.first
            {
                clients[number]?.reads.removeFirst()
                send(number, shell.read(range))
                if client.stream.unsentCount >= AgentServer.sendWindow { client.stream.flush() }
            }
        }
    }

    private func flush() {
        for number in clients.keys.sorted() {
            guard let client = clients[number] else { continue }
            client.stream.flush()
            if client.stream.isBroken || (client.isEnding && client.stream.unsentCount == 0) { drop(number) }
        }
        link.stream?.flush()
    }

    // MARK: Local commands and the end

    private func control(_ command: LocalCommand, _ number: Int) {
        clients[number]?.isControl = true
        let isBusy = !shell.core.isIdle
        switch command {
        case .stopIfIdle:
            let others = clients.contains { $0.key != number && !$0.value.isControl }
            guard !isBusy, !others else {
                clients[number]?.stream.send(Frame(kind: LocalCommand.busy.rawValue, payload: []))
                return
            }
            stop()
        case .stop: stop()
        case .busy: break
        }
    }

    private func takeSignals() {
        while true {
            switch ca_next_signal(signals) {
            case 0: return
            case SIGTERM, SIGINT: stop()
            case SIGCHLD:
                var ended = ca_ended()
                while ca_reap(&ended) == 1 {}
            default: break
            }
        }
    }

    /// Ends what runs, and this process after the supervisor.
    private func stop() {
        guard !isStopping else { return }
        isStopping = true
        var commands = shell.core.runningAttempts.map { SupervisorCommand.kill($0, .revoked) }
        commands.append(.stop)
        link.perform(commands)
    }

    // MARK: The supervisor

    private func hearSupervisor() {
        let (events, isThere) = link.receive()
        // What was killed because this agent ends is taken up by the next one.
        if !isStopping { inbox += events }
        guard !isThere else { return }
        link.disconnect()
        if isStopping { return }
        inbox.append(.supervisorGone)
        Log.write("the supervisor is gone")
        reconnectSupervisor()
    }

    private func reconnectSupervisor() {
        if let problem = link.connect() {
            Log.write("no supervisor:", problem)
            linkRetryAt = Machine.now + 1_000_000_000
        } else {
            linkRetryAt = nil
        }
    }
}

/// What other processes of this user ask of the agent; kinds of frames that no coordinator sends.
enum LocalCommand: UInt8 {
    /// A newer agent wants to take over: end if nothing is held. Answered by ``busy``, or by the end.
    case stopIfIdle = 250
    /// Ends what runs, and then itself.
    case stop = 251
    case busy = 252
}
