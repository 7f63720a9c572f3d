import Engines
import Formats
public import Model
public import Ports
public import Storage
public import SweepCore

/// The loop of the whole program: what came in is decided, made durable, and only then acted upon.
///
/// One thread runs it; nothing interleaves between deciding and committing. Where the commit throws, the loop ends
/// with that error, and `resume` begins again from the ledger.
public final class CoordinatorLoop {
    package private(set) var core: Coordinator
    private let setting: Setting
    private let ledger: any LedgerStore
    private let store: ObjectStore
    private let transports: @Sendable (HostTarget.Method) -> any Transport
    private let inbox: Inbox
    private let time: any TimeSource
    private var links: [HostLink?]
    private var transfers: [Transfers]
    private var generation = 0
    private var nextKeepAlive = Nanoseconds.min
    /// Who waits for the end of a file.
    private var tails: [(host: Int, run: RunNumber, path: String, token: String)] = []
    /// Told the end of a file of a running attempt that was asked for under a token; nil: there is no such run or file.
    public var answer: (_ token: String, [UInt8]?) -> Void = { _, _ in }
    /// Told after every step what was decided in it.
    public var observer: (borrowing CoordinatorLoop, [Record]) -> Void = { _, _ in }

    public init(
        core: Coordinator, setting: Setting, ledger: any LedgerStore, store: ObjectStore,
        transports: @escaping @Sendable (HostTarget.Method) -> any Transport, inbox: Inbox, time: any TimeSource
    ) {
        self.core = core
        self.setting = setting
        self.ledger = ledger
        self.store = store
        self.transports = transports
        self.inbox = inbox
        self.time = time
        links = setting.hosts.map { _ in nil }
        transfers = setting.hosts.map { _ in Transfers(store: store) }
    }

    /// Runs until there is nothing left to do.
    public func run() throws -> Ending {
        var items: [Inbox.Item] = []
        while true {
            if let ending = try turn(items) { return ending }
            let now = time.monotonic()
            items = inbox.take(timeout: core.nextDeadline(now: now) - now)
        }
    }

    /// After an interruption: whether people ask for a cancellation within so many nanoseconds. ``run()`` then
    /// carries it out.
    public func waitForCancel(timeout: Nanoseconds) throws -> Bool {
        let end = time.monotonic() + timeout
        while time.monotonic() < end {
            let items = inbox.take(timeout: end - time.monotonic())
            let isAsked = items.contains { if case .request = $0 { true } else { false } }
            _ = try step(items)
            if isAsked {
                // Decided before anything else: an interrupted sweep without a cancellation is over.
                _ = try step([.request(.cancel(run: nil, reason: "cancelled from the keyboard"))])
                return true
            }
        }
        return false
    }

    /// A step, and the end of all streams when nothing is left to do.
    package func turn(_ items: [Inbox.Item]) throws -> Ending? {
        guard let ending = try step(items) else { return nil }
        if ending != .interrupted { for link in links { link?.connection.close() } }
        return ending
    }

    /// Decides, makes durable, acts.
    func step(_ items: [Inbox.Item]) throws -> Ending? {
        let now = time.monotonic()
        var records: [Record] = []
        for item in items {
            for event in try events(of: item, now: now) { records += core.handle(event, now: now) }
        }
        records += core.tick(now: now)
        if !records.isEmpty { try ledger.commit(records) }
        var ending: Ending?
        for effect in core.effects(now: now) {
            if case .finish(let how) = effect { ending = how } else { try perform(effect, now: now) }
        }
        keepAlive(now)
        observer(self, records)
        return ending
    }

    /// What the loop knows, for showing.
    public var state: SweepState { core.state }
    public func hostView(_ host: Int) -> HostView {
        core.view(of: host, running: links[host]?.load.running ?? 0, now: time.monotonic())
    }

    // MARK: In

    private func events(of item: Inbox.Item, now: Nanoseconds) throws -> [Event] {
        switch item {
        case .request(.interrupt): return [.interrupted]
        case .request(.cancel(let run, let reason)): return [.cancel(run: run, reason: reason)]
        case .request(.tail(let run, let path, let token)):
            askTail(run, path, token)
            return []
        case .stream(let host, let generation, let event):
            guard links[host]?.generation == generation else { return [] }
            return try events(of: event, host: host, now: now)
        }
    }

    private func events(of event: StreamEvent, host: Int, now: Nanoseconds) throws -> [Event] {
        switch event {
        case .opened: return []
        case .diagnostic(let bytes):
            links[host]?.note(diagnostic: bytes)
            return []
        case .closed(let end):
            let said = links[host]?.diagnostics.trimmingLines ?? ""
            var reason = end.message
            if links[host]?.isInsideMessage == true { reason += " The stream broke off in the middle of a message." }
            if !said.isEmpty { reason += " (it said: \(said))" }
            forget(host)
            return [end.isWorthRetrying ? .lost(host: host, reason: reason) : .refused(host: host, reason: reason)]
        case .received(let bytes):
            do {
                var events: [Event] = [.heard(host: host)]
                for message in try links[host]?.receive(bytes) ?? [] {
                    events += try self.events(of: message, host: host, now: now)
                }
                return events
            } catch let failure as Failure where failure.code == .badMessage || failure.code == .noHost {
                return [drop(host, reason: failure.description)]
            }
        }
    }

    /// Ends a stream whose host cannot be used. Nothing on the way changes bytes unnoticed: an agent that sent what
    /// makes no sense would do so again.
    private func drop(_ host: Int, reason: String) -> Event {
        forget(host)
        return .refused(host: host, reason: reason)
    }

    /// Nothing of a stream is of use to the next one but the bytes in the object store.
    private func forget(_ host: Int) {
        links[host]?.connection.close()
        links[host] = nil
        transfers[host] = Transfers(store: store)
        answerTails(nil) { $0.host == host }
    }

    private func events(of message: AgentMessage, host: Int, now: Nanoseconds) throws -> [Event] {
        guard links[host]?.isJoined == true || message.mayComeFirst else {
            throw Failure(.badMessage, "the agent did not begin with its hello; the connection was dropped")
        }
        switch message {
        case .hello(let hello): return join(host, hello)
        case .started: return []
        case .outcome(let report):
            let complete = try transfers[host].begin(report)
            return ask(host, try complete.map { [try judged(host, $0)] } ?? [])
        case .bytes(let piece):
            return ask(host, try transfers[host].receive(piece).map { try judged(host, $0) })
        case .missing(let digest, let reason):
            return ask(host, try transfers[host].lose(digest, reason: reason).map { try judged(host, $0) })
        case .want(let range):
            guard let size = try store.size(range.digest), range.offset < size else {
                throw Failure(.badMessage, "it asked for bytes of an object that it was not given")
            }
            let bytes = try store.read(range.digest, at: range.offset, count: range.length)
            send(host, .bytes(ObjectBytes(digest: range.digest, offset: range.offset, bytes: bytes)))
            return []
        case .probed(let probe): return try probed(host, probe)
        case .tail(let tail):
            answerTails(tail.bytes) { $0.host == host && $0.run == tail.run && $0.path == tail.path }
            return []
        case .heartbeat(let load):
            links[host]?.load = load
            return []
        case .released: return [.released(host: host)]
        case .refused(let reason): return [drop(host, reason: reason)]
        }
    }

    private func join(_ host: Int, _ hello: AgentHello) -> [Event] {
        guard hello.oldest <= WireVersion.current, hello.current >= WireVersion.oldest else {
            return [
                drop(
                    host, reason: "its agent speaks versions \(hello.oldest) to \(hello.current) of the messages, and "
                        + "this usweep \(WireVersion.oldest) to \(WireVersion.current): launch again when the sweeps "
                        + "that it works for have ended, or with the usweep that began them")
            ]
        }
        links[host]?.isJoined = true
        if let path = setting.enginePath(of: host) { send(host, .probe(path: path)) }
        let facts = HostFacts(
            bootID: hello.bootID, hostName: hello.hostName, workdir: hello.workdir, slots: hello.slots,
            memoryBytes: hello.memoryBytes, clockOffset: hello.wallClock - time.wall(), leases: hello.leases)
        return [.joined(host: host, facts)]
    }

    private func probed(_ host: Int, _ probe: EngineProbe) throws -> [Event] {
        guard let digest = probe.digest else {
            let path = setting.enginePath(of: host) ?? ""
            return [drop(host, reason: "the engine \(path) cannot be used: \(probe.problem)")]
        }
        var events: [Event] = []
        if core.state.pins["engine"] == nil { events = try setting.knownCheckpoints(digest, store) }
        return events + [.engineFound(host: host, digest: digest)]
    }

    private func ask(_ host: Int, _ events: [Event]) -> [Event] {
        for range in transfers[host].requests() { send(host, .read(range)) }
        return events
    }

    /// Holds the evidence of a complete report against the run contract.
    private func judged(_ host: Int, _ report: AttemptReport) throws -> Event {
        let verdict = try setting.judge(report, store, core.state)
        return .ended(
            host: host,
            Judged(
                report: report, failure: verdict.failure, evidence: verdict.evidence, blocks: verdict.blocks,
                provides: verdict.provides, endedAt: time.wall()))
    }

    // MARK: Out

    private func perform(_ effect: Effect, now: Nanoseconds) throws {
        switch effect {
        case .connect(let host): connect(host, now)
        case .disconnect(let host, _): forget(host)
        case .grant(let host, let lease, let grants):
            for shard in try setting.shards(lease, grants, core.state, store) { send(host, .grant(shard)) }
        case .revoke(let host, let leases): send(host, .revoke(leases))
        case .cancel(let host, let runs):
            for part in stride(from: 0, to: runs.count, by: 4_096) {
                send(host, .cancel(Array(runs[part..<min(part + 4_096, runs.count)])))
            }
        case .acknowledge(let host, let attempts):
            for part in stride(from: 0, to: attempts.count, by: 4_096) {
                send(host, .acknowledge(Array(attempts[part..<min(part + 4_096, attempts.count)])))
            }
        case .release(let host): send(host, .release)
        case .finish: break
        }
    }

    private func connect(_ host: Int, _ now: Nanoseconds) {
        // A host that fell silent still has a stream, on which nothing is waited for any more.
        forget(host)
        generation += 1
        let stream = generation
        let inbox = inbox
        let connection = transports(setting.hosts[host].target.method).open(
            setting.hosts[host].target, command: Bootstrap.command
        ) { event in inbox.put(.stream(host: host, generation: stream, event)) }
        links[host] = HostLink(
            generation: stream, connection: connection, agent: setting.agent, workdir: setting.hosts[host].workdir,
            hello: setting.hello(to: host), now: now)
    }

    private func send(_ host: Int, _ message: CoordinatorMessage) { links[host]?.send(message) }

    // MARK: Looking at what runs

    private func askTail(_ run: RunNumber, _ path: String, _ token: String) {
        guard let host = core.state.host(of: run), links[host]?.isJoined == true else { return answer(token, nil) }
        tails.append((host, run, path, token))
        send(host, .tail(TailRequest(run: run, path: path, maximumLength: CoordinatorLoop.tailLength)))
    }

    private func answerTails(
        _ bytes: [UInt8]?, _ isMeant: ((host: Int, run: RunNumber, path: String, token: String)) -> Bool
    ) {
        for tail in tails.filter(isMeant) { answer(tail.token, bytes) }
        tails.removeAll(where: isMeant)
    }

    private static let tailLength = 16 * 1024

    /// Looks for silent streams now and then only: there may be a thousand of them.
    private func keepAlive(_ now: Nanoseconds) {
        guard now >= nextKeepAlive else { return }
        nextKeepAlive = now + setting.leaseTerm / 32
        for host in links.indices where links[host]?.isJoined == true {
            guard let last = links[host]?.lastSent, now - last >= setting.leaseTerm / 4 else { continue }
            links[host]?.lastSent = now
            send(host, .heartbeat)
        }
    }
}

extension AgentMessage {
    /// Only these make sense before the two sides know each other.
    fileprivate var mayComeFirst: Bool {
        switch self {
        case .hello, .refused: true
        case .started, .outcome, .want, .bytes, .missing, .probed, .tail, .heartbeat, .released: false
        }
    }
}

extension String {
    /// On one line, without the white space around.
    fileprivate var trimmingLines: String {
        split(whereSeparator: \.isNewline).map { $0.drop { $0 == " " } }.joined(separator: "; ")
    }
}
