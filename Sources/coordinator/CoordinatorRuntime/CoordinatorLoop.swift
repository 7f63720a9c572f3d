import Engines
import Formats
public import Model
public import Ports
public import Storage
public import SweepCore

/// The loop of the whole program: what came in is decided, made durable, and only then acted upon.
///
/// One thread runs it; nothing interleaves between deciding and committing. Where the commit throws, the loop ends
/// with that error, and `resume` begins again from the ledger. It reads no artifact and hashes nothing: that is done in
/// the ``Workshop``, and what comes of it is one more thing that came in.
public final class CoordinatorLoop {
    package private(set) var core: Coordinator
    let setting: Setting
    private let ledger: any LedgerStore
    let store: ObjectStore
    let transport: any Transport
    let inbox: Inbox
    let workshop: any Workshop
    let time: any TimeSource
    var links: [HostLink?]
    let sites: Sites
    var transfers: [Transfers]
    /// Attempts all of whose artifacts are here, and of which it is found out what they came to.
    var judging: Set<AttemptID> = []
    var supply = Supply()
    var fanout = Fanout()
    /// Bytes of inputs that went to hosts from here.
    package private(set) var suppliedBytes: Int64 = 0
    /// Inputs that are not in the store yet, and what attempts came to in the meantime.
    var unstaged: [Digest: InputFile] = [:]
    var heldBack: [Event] = []
    let grantWriter: GrantWriter
    var generation = 0
    var nextKeepAlive = Nanoseconds.min
    /// When hosts that are being reached are looked after next.
    var nextGlance = Nanoseconds.max
    /// Hosts of which something was fetched, or could not be, since they were looked at.
    private var stirred: Set<Int> = []
    var questions: [TailQuestion] = []
    var watch = RunWatch()
    /// Whether what runs is asked how far it is, for those who look on.
    public var isWatched = false
    public var hours = HoursWatch()
    /// Told the end of a file of a running attempt that was asked for under a token; nil: there is no such run or file.
    public var answer: (_ token: String, [UInt8]?) -> Void = { _, _ in }
    /// Told who wants to know how it goes.
    public var tellLive: (borrowing CoordinatorLoop, _ token: String) -> Void = { _, _ in }
    /// What the attempt gave that counts of a run, for audits; asked beside the loop. nil: there is none.
    package var countedNumbers: @Sendable (RunNumber) throws -> GivenNumbers? = { _ in nil }
    /// What hosts found damaged on their disks, by this clock; and the hosts whose results are to be looked at.
    var damages: [Int: [ObjectDamage]] = [:]
    var doubted: Set<Int> = []
    /// How many damages are being looked at.
    var doubtsUnderWay = 0
    /// The results that a host gave by attempts that ran between two times; asked beside the loop.
    package var results: @Sendable (_ host: String, _ from: Nanoseconds, _ until: Nanoseconds) throws -> [RunNumber] =
        { _, _, _ in [] }
    /// Told what people should know and nothing depends on.
    public var warn: (String) -> Void = { _ in }
    private var warnings: Set<String> = []
    /// Told after every step what was decided in it.
    public var observer: (borrowing CoordinatorLoop, [Record]) -> Void = { _, _ in }

    public init(
        core: Coordinator, setting: Setting, ledger: any LedgerStore, store: ObjectStore,
        transport: any Transport, inbox: Inbox, workshop: any Workshop, time: any TimeSource
    ) {
        self.core = core
        self.setting = setting
        self.ledger = ledger
        self.store = store
        self.transport = transport
        self.inbox = inbox
        self.workshop = workshop
        grantWriter = GrantWriter(setting, store)
        self.time = time
        links = setting.hosts.map { _ in nil }
        sites = Sites(setting, transport, inbox)
        transfers = setting.hosts.map { _ in Transfers() }
    }

    /// Runs until there is nothing left to do.
    public func run() throws -> Ending {
        workshop.hand(in: .agent) { [agent = setting.agent] in
            _ = agent.digest
            return .nothing
        }
        var items: [Inbox.Item] = []
        while true {
            if let ending = try turn(items) { return ending }
            let now = time.monotonic()
            items = inbox.take(timeout: nextDeadline(now: now) - now)
        }
    }

    /// When there is something to do at the latest, though nothing comes in.
    private func nextDeadline(now: Nanoseconds) -> Nanoseconds {
        var deadline = min(core.nextDeadline(now: now), supply.isWaiting ? now + CoordinatorLoop.moment : .max)
        if let time = fanoutDeadline(now: now) { deadline = min(deadline, time) }
        if isWatched { deadline = min(deadline, watch.nextRound) }
        return min(deadline, nextGlance)
    }

    /// How often streams are looked at that have not taken what they were given.
    private static let moment: Nanoseconds = 20_000_000

    /// After an interruption: whether people ask for a cancellation within so many nanoseconds. ``run()`` then
    /// carries it out.
    public func waitForCancel(timeout: Nanoseconds) throws -> Bool {
        let end = time.monotonic() + timeout
        while time.monotonic() < end {
            let items = inbox.take(timeout: end - time.monotonic())
            let isAsked = items.contains { $0.asksToCancelAll }
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
        if ending != .interrupted {
            finishSites(ending)
            for link in links { link?.connection.close() }
        }
        return ending
    }

    /// Decides, makes durable, acts.
    func step(_ items: [Inbox.Item]) throws -> Ending? {
        let now = time.monotonic()
        var records: [Record] = []
        for item in items {
            for event in try events(of: item, now: now) { records += core.handle(event, now: now) }
        }
        let isGlance = now >= nextGlance
        for host in isGlance ? Array(links.indices) : stirred.sorted() {
            guard let reason = links[host]?.overdue(now: now) ?? transfers[host].problem else { continue }
            forget(host)
            records += core.handle(.lost(host: host, reason: reason + "."), now: now)
        }
        stirred = []
        for event in hourEvents(now) { records += core.handle(event, now: now) }
        records += core.tick(now: now)
        for event in actOnSites(now) { records += core.handle(event, now: now) }
        if !records.isEmpty { try ledger.commit(records) }
        // A commit takes as long as the disk takes: what follows is done, and waited for, from now on.
        let committed = time.monotonic()
        lookAtDoubted()
        sites.sendDecided()
        var ending: Ending?
        for effect in core.effects(now: committed) {
            if case .finish(let how) = effect { ending = finish(how) } else { try perform(effect, now: committed) }
        }
        keepAlive(committed)
        askRunning(committed)
        share(committed)
        supplyHosts()
        if isGlance { lookAfterStarts(committed) }
        observer(self, records)
        return ending
    }

    // MARK: In

    private func events(of item: Inbox.Item, now: Nanoseconds) throws -> [Event] {
        switch item {
        case .request(.interrupt): return [.interrupted]
        case .request(.cancel(let run, let reason)): return [.cancel(run: run, reason: reason)]
        case .request(.tail(let run, let path, let token)):
            askTail(run, path, token)
            return []
        case .request(.live(let token)):
            tellLive(self, token)
            return []
        case .stream(let host, let generation, let event):
            guard links[host]?.generation == generation else { return [] }
            links[host]?.took(event)
            do {
                return try events(of: event, host: host, now: now)
            } catch let failure as Failure where failure.code == .badMessage {
                return [drop(host, reason: failure.description)]
            } catch let failure as Failure where failure.code == .noHost {
                // A full disk, say: a host that was joined before may come back by itself.
                forget(host)
                return [.loginRefused(host: host, reason: failure.description)]
            }
        case .gateway(let site, let generation, let event): return take(event, ofSite: site, generation, now: now)
        case .finished(let result): return try events(of: try result.get())
        }
    }

    private func events(of event: StreamEvent, host: Int, now: Nanoseconds) throws -> [Event] {
        switch event {
        case .opened:
            links[host]?.opened(now: now)
            return [.progress(host: host)]
        case .noted: return [.progress(host: host)]
        case .diagnostic(let bytes):
            try links[host]?.note(diagnostic: bytes)
            return []
        case .closed(let seen):
            let said = links[host]?.diagnostics ?? ""
            let end = links[host]?.meaning(of: seen) ?? seen
            var reason = end.message
            if links[host]?.isInsideMessage == true { reason += " The stream broke off in the middle of a message." }
            if !said.isEmpty { reason += " (it said: \(said))" }
            forget(host)
            return [end.event(host, reason)]
        case .received(let bytes):
            let isJoined = links[host]?.isJoined ?? false
            var events: [Event] = [isJoined ? .heard(host: host) : .progress(host: host)]
            for message in try links[host]?.receive(bytes, now: now) ?? [] {
                events += try self.events(of: message, host: host, now: now)
            }
            if links[host]?.wantsPacking == true {
                workshop.hand(in: .agent) { [agent = setting.agent] in
                    agent.pack()
                    return .nothing
                }
            }
            return events
        }
    }

    /// Ends a stream whose host cannot be used. Nothing on the way changes bytes unnoticed: an agent that sent what
    /// makes no sense would do so again.
    private func drop(_ host: Int, reason: String) -> Event {
        forget(host)
        return .refused(host: host, reason: reason)
    }

    /// Nothing of a stream is of use to the next one but the bytes in the object store.
    func forget(_ host: Int) {
        links[host]?.connection.close()
        links[host] = nil
        transfers[host] = transfers[host].forNextStream
        supply.forget(host)
        fanout.forget(host)
        dropQuestions(to: host)
    }

    private func events(of message: AgentMessage, host: Int, now: Nanoseconds) throws -> [Event] {
        guard links[host]?.isJoined == true || message.mayComeFirst else {
            throw Failure(.badMessage, "the agent's first message is not a hello; the connection was dropped")
        }
        switch message {
        case .hello(let hello): return try join(host, hello)
        case .started(let attempts): return [.started(host: host, attempts)]
        case .outcome(let report):
            try look(host, report)
            return [.reported(host: host, report.id)]
        case .bytes(let piece): try receive(host, piece)
        case .missing(let digest, let reason): goOn(host, transfers[host].lose(digest, reason: reason))
        case .want(let range): try want(range, host, now: now)
        case .sharing, .holding, .unreached: note(message, of: host, now: now)
        case .damaged(let damage): note(damage, of: host)
        case .probed(let probe): return probed(host, probe)
        case .tail(let tail): take(tail, from: host, now: now)
        case .heartbeat(let load):
            let before = links[host]?.load.offer
            links[host]?.load = load
            // Of most heartbeats nothing is new, and nothing else comes as often.
            guard load.offer != before else { return [.caughtUp(host: host)] }
            return [.caughtUp(host: host), .offered(host: host, load.offer)]
        case .released: return [.released(host: host)]
        case .refused(let reason): return [drop(host, reason: reason)]
        }
        return []
    }

    private func join(_ host: Int, _ hello: AgentHello) throws(Failure) -> [Event] {
        // Each is written to the ledger, and all that the host was granted is sent again.
        guard links[host]?.isJoined != true else {
            throw Failure(.badMessage, "the agent sent a second hello; the connection was dropped")
        }
        guard hello.oldest <= WireVersion.current, hello.current >= WireVersion.oldest else {
            return [
                drop(
                    host, reason: "its agent speaks versions \(hello.oldest) to \(hello.current) of the messages, and "
                        + "this usweep \(WireVersion.oldest) to \(WireVersion.current): launch again when the sweeps "
                        + "that it works for have ended, or with the usweep that began them")
            ]
        }
        links[host]?.isJoined = true
        // The agent begins nothing of what it holds before it has heard, behind what is to end, that this is all.
        links[host]?.lastSent = time.monotonic() - setting.leaseTerm
        nextKeepAlive = .min
        for message in setting.greeting(of: host) { send(host, message) }
        damages[host] = nil
        let offset = hello.wallClock - time.wall()
        links[host]?.clockOffset = offset
        let arrival = Arrival(
            bootID: hello.bootID, hostName: hello.hostName, workdir: hello.workdir, slots: hello.slots,
            memoryBytes: hello.memoryBytes, clockOffset: offset, leases: hello.leases)
        return [.joined(host: host, arrival)]
    }

    private func probed(_ host: Int, _ probe: EngineProbe) -> [Event] {
        guard let digest = probe.digest else {
            let path = setting.enginePath(of: host) ?? ""
            return [drop(host, reason: "the engine \(path) cannot be used: \(probe.problem)")]
        }
        guard core.state.pins["engine"] == nil, let generation = links[host]?.generation, setting.keepsCheckpoints
        else { return [.engineFound(host: host, digest: digest)] }
        // Before the first setup is handed out: it may not be needed.
        workshop.hand(in: .checkpoints) { [setting, store, now = time.wall()] in
            let known = setting.knownCheckpoints(digest, store, now: now)
            return .foundCheckpoints(
                host: host, generation: generation, engine: digest, known.events, problem: known.problem)
        }
        return []
    }

    // MARK: Beside the loop

    private func events(of finished: Finished) throws -> [Event] {
        switch finished {
        case .looked(let host, let generation, let report, let stored):
            guard links[host]?.generation == generation else { return [] }
            links[host]?.looks.remove(report)
            do {
                goOn(host, try transfers[host].begin(report, stored).map { [$0] } ?? [])
            } catch let failure as Failure where failure.code == .badMessage {
                return [drop(host, reason: failure.description)]
            }
        case .wrote(let host, let generation, let piece, let written):
            guard links[host]?.generation == generation else { return [] }
            goOn(host, transfers[host].wrote(piece, written))
        case .judged(let host, let report, let verdict, let comparison, let problem):
            if let problem { complain(problem) }
            judging.remove(report.id)
            giveCheckpoints()
            return afterStaging(judged(host, report, verdict, comparison))
        case .read(let host, let generation, let pieces):
            guard links[host]?.generation == generation else { return [] }
            for (range, supplied) in pieces {
                supply.wasRead(range.length, for: host)
                switch supplied {
                case .bytes(let bytes):
                    suppliedBytes += Int64(bytes.bytes.count)
                    send(host, .bytes(bytes))
                case .packed(let object):
                    fanout.isPacked(object.object, at: host)
                    supply.drop(object.object, for: host)
                    send(host, .packed(object))
                case nil: return [drop(host, reason: "it asked for bytes of an object that it was not given")]
                }
            }
        case .granted(let host, let generation, let shards):
            if links[host]?.generation == generation { granted(host, shards) }
        case .doubted(let host, let found, let problem):
            if let problem { complain(problem) }
            doubtsUnderWay -= 1
            return found.map { [.damageFound(host: host, $0)] } ?? []
        case .foundCheckpoints(let host, let generation, let engine, let found, let problem):
            if let problem { complain(problem) }
            giveCheckpoints()
            guard links[host]?.generation == generation else { return [] }
            let pinned = core.state.pins["engine"]
            return (pinned == nil || pinned == engine ? found : []) + [.engineFound(host: host, digest: engine)]
        case .refused(let host, let generation, let reason):
            guard links[host]?.generation == generation else { return [] }
            return [drop(host, reason: reason)]
        case .staged(let digest):
            unstaged[digest] = nil
            return afterStaging([])
        case .said(let problem): complain(problem)
        case .nothing: break
        }
        return []
    }

    /// Says a thing once.
    func complain(_ text: String) {
        if warnings.insert(text).inserted { warn(text) }
    }

    /// Looks which artifacts of an outcome have to be fetched.
    private func look(_ host: Int, _ report: AttemptReport) throws {
        guard let generation = links[host]?.generation else { return }
        let report = report.within(setting.outputLimit)
        links[host]?.looks.add(report)
        let looks = links[host]?.looks ?? HostLink.Looks()
        let (count, bytes) = (transfers[host].pendingCount + looks.count, transfers[host].pendingBytes + looks.bytes)
        if let tooMany = HostLimits.tooManyOutcomes(count, bytes: bytes) { throw tooMany }
        workshop.hand(in: .run(report.id.run)) { [store] in
            do {
                return .looked(host: host, generation: generation, report, try StoredParts(of: report, in: store))
            } catch let failure as Failure where failure.code == .badMessage {
                return .refused(host: host, generation: generation, reason: failure.description)
            }
        }
    }

    private func receive(_ host: Int, _ bytes: ObjectBytes) throws {
        guard let generation = links[host]?.generation else { return }
        let (piece, done) = try transfers[host].receive(bytes)
        if let piece {
            workshop.hand(in: .object(piece.digest)) { [store] in
                let written = try Transfers.write(piece, bytes.bytes, store)
                return .wrote(host: host, generation: generation, piece, written)
            }
        }
        goOn(host, done)
    }

    /// Asks for what is missing, and judges what is complete.
    private func goOn(_ host: Int, _ complete: [AttemptReport]) {
        stirred.insert(host)
        let window = max(Int64(ObjectRange.maximumLength), HostLimits.window / Int64(max(1, links.count)))
        for range in transfers[host].requests(window: min(window, HostLimits.windowOfHost)) { send(host, .read(range)) }
        for report in complete { judge(report, of: host) }
    }

    /// Reads what hosts have asked for, as far as their streams take it.
    private func supplyHosts() {
        guard supply.isWaiting else { return }
        let due = supply.next(unsent: { [links] in links[$0]?.connection.unsentCount ?? 0 })
        // All for one host at a time: each piece by itself would take more time to hand over than to read.
        for (host, taken) in Dictionary(grouping: due, by: \.host).sorted(by: { $0.key < $1.key }) {
            guard let link = links[host] else { continue }
            let (generation, takesMaps) = (link.generation, link.understandsMaps)
            workshop.hand(in: .host(host)) { [store, unstaged] in
                let pieces = try taken.map { (_, range) in
                    (range, try Supplied(range, store, unstaged[range.digest], takesMaps: takesMaps))
                }
                return .read(host: host, generation: generation, pieces)
            }
        }
    }

    // MARK: Out

    private func perform(_ effect: Effect, now: Nanoseconds) throws {
        switch effect {
        case .connect(let host): connect(host, now)
        case .disconnect(let host, _): forget(host)
        case .grant(let host, let lease, let grants): try grant(host, lease, grants)
        case .revoke(let host, let leases):
            for part in leases.parts { send(host, .revoke(part)) }
        case .cancel(let host, let runs):
            for part in runs.parts { send(host, .cancel(part)) }
        case .acknowledge(let host, let attempts):
            for part in attempts.parts { send(host, .acknowledge(part)) }
        case .release(let host): send(host, .release)
        case .finish: break
        }
    }

    func send(_ host: Int, _ message: CoordinatorMessage) {
        do throws(WireError) {
            try links[host]?.send(message)
        } catch {
            giveUp(host, "\(error.message); the connection was dropped")
        }
    }

    /// Told like anything else that came of the host.
    func giveUp(_ host: Int, _ reason: String) {
        let generation = links[host]?.generation ?? 0
        inbox.put(.finished(.success(.refused(host: host, generation: generation, reason: reason))))
    }
}
