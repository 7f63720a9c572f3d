package import AgentCore
import Formats
package import Model
package import Ports

/// One agent at work: its connections and its supervisor around ``AgentShell``. The step of the agent's process,
/// without its sockets; the simulation drives it as it is.
package final class AgentServer {
    /// A connection, with what the coordinator asked for and has not been sent yet.
    private struct Client {
        var stream: any FrameStream
        /// Of the messages that it understands.
        var version = WireVersion.oldest
        /// What waits until the other side has taken what came before.
        var messages: [AgentMessage] = []
        var reads: [ObjectRange] = []
        var isEnding = false
        /// A local command, not a coordinator.
        var isControl = false
        /// The address of this host that it came in on; nil: not known.
        var address: String?

        var hasEnded: Bool { isEnding && messages.isEmpty && stream.unsentCount == 0 }
        /// Whether something waits that the stream would take now.
        var canGoOn: Bool { stream.hasRoom && !(messages.isEmpty && reads.isEmpty) }
    }

    private let workdir: Workdir
    private let host: any HostSystem
    private let files: any Files
    package private(set) var shell: AgentShell
    private var link: SupervisorLink
    private var clients: [Int: Client] = [:]
    private var nextClient = 1
    private var inbox: [AgentEvent] = []
    private var idleSince: Nanoseconds
    private let idleTime: Nanoseconds
    private var isStopping = false
    /// Until when it hands over what it has, if it is about to end.
    private var leavesBy: Nanoseconds?
    private var linkRetryAt: Nanoseconds?
    private var heardAt: Nanoseconds = 0
    private let setups: any SetupTrials
    private let network: any PeerNetwork
    private var peers: PeerExchange
    private var isListening = false
    private let neighbours: (any Neighbours)?
    private var nextLook: Nanoseconds
    /// Told after every step of the core what had come.
    package var observer: (AgentCore, [AgentEvent]) -> Void = { _, _ in }

    /// News of the supervisor that follow each other closely are told the coordinator together.
    private static let gathering: Nanoseconds = 20_000_000

    /// How long it stays with nothing to do and nobody connected, unless somebody knows better.
    package static let idleTime: Int64 = 60_000_000_000
    /// A login node may be away for some minutes; jobs that nobody wants any more should not run until their walltime.
    package static let idleTimeOfPilots: Int64 = 900_000_000_000
    private static let maximumReads = 4_096

    /// - Parameters:
    ///   - program: the agent's own, absolute.
    ///   - setups: tries the setup texts of inventories.
    ///   - network: to other hosts.
    ///   - neighbours: other people who use this machine; nil: it is this agent's alone.
    ///   - idleTime: how long it stays with nothing to do and nobody connected.
    ///   - scrubRound: from one reading of what it keeps to the next; nil: nothing is read again.
    ///   - supervisor: connects to one.
    /// - Throws: ``Failure`` or ``FilesError`` where the agent cannot work here.
    package init(
        _ workdir: Workdir, program: String, host: any HostSystem, files: any Files, setups: any SetupTrials,
        network: any PeerNetwork, neighbours: (any Neighbours)? = nil, idleTime: Nanoseconds = AgentServer.idleTime,
        scrubRound: Nanoseconds? = nil, supervisor: @escaping () -> SupervisorLink.Opened
    ) throws {
        self.workdir = workdir
        self.idleTime = idleTime
        self.host = host
        self.files = files
        self.setups = setups
        self.network = network
        self.neighbours = neighbours
        nextLook = neighbours?.firstLook ?? 0
        peers = PeerExchange(network, files) { host.log($0, $1) }
        idleSince = host.now
        shell = try AgentShell(
            host: AgentCore.Host(
                processors: host.processors, cores: host.cores.count, memoryBytes: host.memoryBytes,
                attempts: workdir.attempts, program: program, watchesOthers: neighbours != nil),
            root: workdir.root, files: files)
        link = SupervisorLink(open: supervisor) { host.log($0, $1) }
        if let problem = link.connect() { throw Failure(.storage, problem) }
        for note in shell.notes { host.log("start:", note) }
        if let scrubRound { shell.beginScrub(round: scrubRound, now: host.now) }
    }

    /// The stream to the supervisor, if it is up.
    package var supervisorStream: (any FrameStream)? { link.stream }

    /// Until when news of the supervisor may gather.
    package var hearsNext: Nanoseconds { heardAt + AgentServer.gathering }

    /// The streams of the connections, and whether more is to be read from each now.
    package var streams: [(stream: any FrameStream, reads: Bool)] {
        clients.keys.sorted().compactMap { number in
            clients[number].map { ($0.stream, $0.reads.count < AgentServer.maximumReads / 2) }
        }
    }

    /// The same of those to other hosts.
    package var peerStreams: [(stream: any PeerStream, reads: Bool)] { peers.streams }

    package var acceptsConnections: Bool { !isStopping }

    /// A bug that the simulation switches on: what comes from other hosts is not checked.
    package var believesPeers: Bool {
        get { shell.believesPeers }
        set { shell.believesPeers = newValue }
    }

    /// One turn: takes in what came, decides, makes durable, acts.
    ///
    /// - Parameters:
    ///   - isReady: whether a stream has news.
    ///   - isPeerReady: the same of one to another host.
    /// - Returns: false: the agent has ended.
    package func step(
        isReady: (any FrameStream) -> Bool, isPeerReady: (any PeerStream) -> Bool = { _ in false }
    ) throws -> Bool {
        for number in clients.keys.sorted() {
            if let client = clients[number], isReady(client.stream) { receive(number) }
        }
        if let stream = link.stream {
            if isReady(stream) { hearSupervisor() }
        } else if let linkRetryAt, host.now >= linkRetryAt {
            reconnectSupervisor()
        }
        if shell.isBusy { goOn() } else { goOnScrubbing() }
        lookAround()
        for (sweep, problem) in setups.ended(now: host.now) {
            inbox.append(.setupTried(sweep: sweep, problem: problem))
        }
        inbox += peers.step(now: host.now, isReady: isPeerReady, &shell)
        try turn()
        if isListening, !shell.core.sharesSomething {
            peers.stopGiving()
            isListening = false
        }
        fillStreams()
        flush()
        leaveWhenDone()
        if isStopping, link.stream == nil {
            neighbours?.leave()
            return false
        }
        if isIdle {
            if host.now - idleSince > idleTime { stop() }
        } else {
            idleSince = host.now
        }
        return true
    }

    /// Makes what somebody removed of the agent's files, where this one alone works.
    package func lookAfterFiles() throws {
        if try shell.restoreFiles() { host.log("removed files of the working folder were recreated") }
    }

    private var isIdle: Bool { clients.isEmpty && shell.core.isIdle && inbox.isEmpty && !shell.isBusy }

    /// How long the process may wait before the next step; nil: until something comes.
    package var timeout: Nanoseconds? {
        if shell.isBusy || !inbox.isEmpty || clients.values.contains(where: \.canGoOn) || peers.hasMore {
            return 0
        }
        var due = shell.core.nextDeadline
        let look = neighbours != nil && shell.core.hasSweeps ? nextLook : nil
        let times = [leavesBy, linkRetryAt, setups.nextDeadline, peers.nextDeadline, look, shell.nextScrub]
        for time in times.compactMap({ $0 }) {
            due = min(due ?? time, time)
        }
        if isIdle {
            let end = idleSince + idleTime + 1_000_000
            due = min(due ?? end, end)
        }
        return due.map { max(0, $0 - host.now) }
    }

    /// Looks what other people use of the machine, as long as it works for a sweep.
    private func lookAround() {
        guard let neighbours else { return }
        guard shell.core.hasSweeps else { return neighbours.leave() }
        guard host.now >= nextLook else { return }
        nextLook = host.now + AgentCore.looks
        inbox.append(.surroundings(neighbours.look(shell.core.claim(user: neighbours.user))))
    }

    // MARK: The step

    /// Steps until nothing follows from what was done.
    private func turn() throws {
        var rounds = 0
        repeat {
            let events = inbox
            inbox.removeAll(keepingCapacity: true)
            let effects = try shell.step(events, now: host.now)
            observer(shell.core, events)
            for effect in effects { perform(effect) }
            rounds += 1
        } while !inbox.isEmpty && rounds < 16
    }

    /// A piece of what takes long.
    private func goOn() {
        let (events, answers) = shell.goOn(budget: ShellWork.piece)
        inbox += events
        for (number, answer) in answers { send(number, answer) }
        note(shell.clear())
    }

    private func goOnScrubbing() {
        guard let found = shell.goOnScrubbing(now: host.now, wall: host.wallClock) else { return }
        inbox.append(.damaged(found.damage))
        let runs = found.users.map { "\($0.sweep)/\($0.id.run)" }
        host.log(
            "an input in the cache was damaged on the disk, and was removed:", found.damage.digest.hex,
            runs.isEmpty ? "no run has it now" : "runs that have it: \(PeopleText.list(runs, atMost: 20))")
    }

    private func perform(_ effect: AgentEffect) {
        switch effect {
        case .trySetup(let sweep, let text): setups.begin(sweep, text, now: host.now)
        case .greet(let number, let leases): send(number, .hello(hello(number, leases)))
        case .send(let number, let message): send(number, message)
        case .heartbeat(let number, let running, let waiting, let offer):
            send(number, .heartbeat(HostLoad(running: running, waiting: waiting, freeBytes: freeBytes, offer: offer)))
        case .drop(let number, let reason):
            host.log("a connection is dropped:", reason)
            clients[number]?.isEnding = true
        case .locate(let digest): inbox.append(shell.locate(digest))
        case .store(let piece, let size):
            if let event = shell.store(piece, size: size) { inbox.append(event) }
        case .list(let digest): inbox.append(shell.list(digest))
        case .readMap(let object, let map): inbox.append(shell.readMap(object, map))
        case .unpack(let object, let map):
            if let event = shell.unpack(object, map) { inbox.append(event) }
        case .prepare(let key, let job):
            if let event = shell.prepare(key, job) { inbox.append(event) }
        // Whoever is about to end begins nothing, and has told what ends.
        case .supervise(let command): if leavesBy == nil, !isStopping { link.perform([command]) }
        case .collect(let key, let exit, let job): shell.beginCollecting(key, exit, job)
        case .discard(let key): note(shell.discard(key))
        case .discardSweep(let sweep): note(shell.discardSweep(sweep))
        case .keepOnly(let keys): note(shell.keepOnly(keys))
        case .read(let number, let range):
            clients[number]?.reads.append(range)
            if clients[number]?.reads.count ?? 0 > AgentServer.maximumReads {
                host.log("a connection is dropped: it asks for data faster than it reads them")
                clients[number]?.isEnding = true
            }
        case .probe(let number, let path):
            if let answer = shell.probe(number, path) { send(number, answer) }
        case .tail(let number, let key, let request): send(number, shell.tail(key, request))
        case .listen(let sweep, let number, let address):
            inbox.append(listen(sweep, address ?? clients[number]?.address))
        case .limitCache(let bytes): shell.limitCache(bytes)
        case .fetch(let fetch): if let event = peers.fetch(fetch, now: host.now) { inbox.append(event) }
        }
    }

    private func listen(_ sweep: String, _ address: String?) -> AgentEvent {
        guard let address else {
            return .listening(
                sweep: sweep, nil, problem: "the address at which other hosts reach it is not known; write it in the "
                    + "inventory, as in share: {address: 192.0.2.7}")
        }
        do throws(Failure) {
            let port = try network.listen(address)
            isListening = true
            return .listening(sweep: sweep, SharingPlace(address: address, port: port), problem: "")
        } catch {
            return .listening(sweep: sweep, nil, problem: error.description)
        }
    }

    /// Somebody connected from another host.
    package func meet(_ stream: any PeerStream) { peers.meet(stream, now: host.now) }

    private func note(_ problem: String?) {
        if let problem { host.log("not deleted:", problem) }
    }

    private var freeBytes: Int64 { (try? files.freeBytes(workdir.root)) ?? 0 }

    private func hello(_ number: Int, _ leases: [HeldLease]) -> AgentHello {
        let sweep = shell.core.sweep(on: number)
        return AgentHello(
            bootID: host.bootID, hostName: host.hostName, slots: shell.core.slots(of: sweep),
            processors: host.processors, memoryBytes: shell.core.memoryBytes(of: sweep), freeBytes: freeBytes,
            workdir: workdir.root, wallClock: host.wallClock, leases: leases)
    }

    // MARK: Connections

    /// Somebody connected.
    package func accept(_ stream: any FrameStream) {
        clients[nextClient] = Client(stream: stream)
        inbox.append(.connected(nextClient))
        nextClient += 1
    }

    private func receive(_ number: Int) {
        guard let client = clients[number], !client.isEnding else { return }
        do throws(WireError) {
            for frame in try client.stream.receive() {
                if let command = LocalCommand(rawValue: frame.kind) {
                    control(command, number, frame.payload)
                } else {
                    var message = try CoordinatorMessage(frame)
                    if case .hello(var hello) = message {
                        clients[number]?.version = min(hello.current, WireVersion.current)
                        hello.enginePath = hello.enginePath.map(Workdir.inHome)
                        message = .hello(hello)
                    }
                    inbox.append(.message(number, message))
                }
            }
        } catch {
            host.log("a connection is dropped:", error.message)
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

    private func send(_ number: Int, _ message: AgentMessage) { clients[number]?.messages.append(message) }

    /// Gives the streams as much as they take: messages in their order, then the bytes that were asked for. Thousands
    /// of outcomes for a coordinator that stands still cost no memory but what holds them anyway.
    private func fillStreams() {
        for number in clients.keys.sorted() {
            guard let client = clients[number], client.canGoOn else { continue }
            var messages = client.messages[...]
            while client.stream.hasRoom, let message = messages.popFirst() { put(message, client, number) }
            clients[number]?.messages = Array(messages)
            var reads = client.reads[...]
            while client.stream.hasRoom, messages.isEmpty, let range = reads.popFirst() {
                put(shell.read(range), client, number)
            }
            clients[number]?.reads = Array(reads)
        }
    }

    private func put(_ message: AgentMessage, _ client: Client, _ number: Int) {
        guard let frame = message.frame(for: client.version) else { return }
        if frame.payload.count < Frame.maximumLength {
            client.stream.send(frame)
        } else {
            // Nobody grants so much that this happens; without the message the coordinator would wait for ever.
            let reason = "the agent has a message of \(frame.payload.count) bytes for it, more than can be sent"
            host.log("a connection is dropped:", reason)
            client.stream.send(AgentMessage.refused(reason: reason).frame)
            clients[number]?.isEnding = true
        }
        if !client.stream.hasRoom { client.stream.flush() }
    }

    private func flush() {
        // First, so that a farewell that arrives means that the supervisor was told, too.
        link.stream?.flush()
        for number in clients.keys.sorted() {
            guard let client = clients[number] else { continue }
            client.stream.flush()
            if client.stream.isBroken || (client.hasEnded) { drop(number) }
        }
    }

    // MARK: Local commands and the end

    private func control(_ command: LocalCommand, _ number: Int, _ payload: [UInt8]) {
        if command == .cameIn {
            clients[number]?.address = String(validating: payload.prefix(SharingPlace.longestAddress), as: UTF8.self)
            return
        }
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
        case .busy, .cameIn: break
        }
    }

    /// The job that this works in is about to end: nothing more is begun, how what runs ends is no news, and what has
    /// ended is handed over while there is time.
    package func leave() {
        guard leavesBy == nil else { return stop() }
        leavesBy = host.now + AgentServer.farewell
    }

    /// Slurm kills what is left half a minute after SIGTERM, unless it is told otherwise.
    private static let farewell: Nanoseconds = 20_000_000_000

    private func leaveWhenDone() {
        guard let leavesBy else { return }
        let hasListener = clients.values.contains { !$0.isControl && !$0.isEnding }
        if host.now >= leavesBy || !shell.core.holdsOutcomes || !hasListener { stop() }
    }

    /// Ends what runs, and this process after the supervisor.
    package func stop() {
        guard !isStopping else { return }
        isStopping = true
        var commands = shell.core.runningAttempts.map { SupervisorCommand.kill($0, .revoked) }
        commands.append(.stop)
        link.perform(commands)
    }

    // MARK: The supervisor

    private func hearSupervisor() {
        let (events, isThere) = link.receive()
        heardAt = host.now
        // What was killed because this agent ends is taken up by the next one.
        if !isStopping, leavesBy == nil { inbox += events }
        guard !isThere else { return }
        link.disconnect()
        if isStopping { return }
        inbox.append(.supervisorGone)
        host.log("the supervisor is gone")
        reconnectSupervisor()
    }

    private func reconnectSupervisor() {
        if let problem = link.connect() {
            host.log("no supervisor:", problem)
            linkRetryAt = host.now + 1_000_000_000
        } else {
            linkRetryAt = nil
        }
    }
}

extension FrameStream {
    /// Whether it takes more: unsent bytes are in memory, and what they are made from is there anyway.
    fileprivate var hasRoom: Bool { !isBroken && unsentCount < 512 * 1024 }
}

/// What other processes of this user ask of the agent; kinds of frames that no coordinator sends.
package enum LocalCommand: UInt8 {
    /// A newer agent wants to take over: end if nothing is held. Answered by ``busy``, or by the end.
    case stopIfIdle = 250
    /// Ends what runs, and then itself.
    case stop = 251
    case busy = 252
    /// A coordinator follows on this connection: the address of this host that it came in on.
    case cameIn = 253
}
