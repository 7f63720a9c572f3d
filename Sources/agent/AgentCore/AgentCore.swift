import Formats
public import Model
import Ports

/// What the agent decides: which runs it holds, what is staged, started, ended, reported and deleted. Pure: the
/// clock's reading comes in as an argument, and everything that is to be done goes out as ``AgentEffect``.
///
/// The order is always: ``handle(_:now:)`` for a batch of events, the records made durable, then ``effects(now:)``.
/// Nothing that an effect does is needed after a crash: records and the supervisor's inventory say it all again.
public struct AgentCore: Sendable {
    /// What is true of this host.
    public struct Host: Sendable, Hashable {
        /// Hyper-threads counted.
        public var processors: Int
        /// Physical ones.
        public var cores: Int
        public var memoryBytes: Int64
        /// Folder of the attempts, absolute.
        public var attempts: String
        /// The agent's own program, absolute.
        public var program: String
        /// Whether it is told what other people use of the machine.
        public var watchesOthers: Bool

        /// - Parameter cores: nil: as many as processors.
        public init(
            processors: Int, cores: Int? = nil, memoryBytes: Int64, attempts: String, program: String,
            watchesOthers: Bool = false
        ) {
            self.watchesOthers = watchesOthers
            self.processors = processors
            self.cores = max(1, cores ?? processors)
            self.memoryBytes = memoryBytes
            self.attempts = attempts
            self.program = program
        }
    }

    let host: Host
    var sweeps: [String: AgentSweep] = [:]
    /// Names of the sweeps in the order in which they were met.
    var order: [String] = []
    /// Which sweep a connection serves; nil: it has not said hello.
    var connections: [Int: String?] = [:]
    var objects = ObjectDemand()
    /// What lists of inputs say, by the list's digest.
    var lists: [Digest: [Job.Input]] = [:]
    /// Attempts that nobody wants any more, until their programs ended.
    var doomed: Set<AttemptKey> = []
    /// Connections that wait to hear that nothing of their sweep is left.
    var releasing: [(sweep: String, connection: Int)] = []
    /// Attempts being prepared, waiting at the supervisor, or running.
    var inFlight = 0
    var supervisorIsReady = false
    var pending: [AgentEffect] = []
    /// What other people use of the machine, when it was last looked at, and what of that is left to them.
    var surroundings = Surroundings()
    var hasLooked = false
    var busyCores = YieldedAmount()
    var usedMemory = YieldedAmount()
    var turn = 0

    /// What was found damaged on the disk, for coordinators that come.
    var damages: [ObjectDamage] = []

    public init(host: Host) { self.host = host }

    /// How many programs of a sweep run here at a time: what its coordinator says, whatever others say.
    public func slots(of sweep: String?) -> Int {
        max(1, sweep.flatMap { sweeps[$0]?.context.slots } ?? host.cores)
    }

    /// Memory for programs, as far as a sweep's coordinator says.
    public func memoryBytes(of sweep: String?) -> Int64 {
        sweep.flatMap { sweeps[$0]?.context.memoryBytes } ?? host.memoryBytes
    }

    /// The sweep that a connection serves.
    public func sweep(on connection: Int) -> String? { connections[connection] ?? nil }

    /// Attempts that are ready beyond those that run: so many that the supervisor need never wait for the agent.
    var window: Int { order.reduce(0) { $0 + (sweeps[$1]?.works.isEmpty ?? true ? 0 : 2 * slots(of: $1) + 32) } }

    /// Whether nothing is left to do or to report.
    public var isIdle: Bool { order.allSatisfy { sweeps[$0]?.works.isEmpty ?? true } && doomed.isEmpty }

    /// Objects that runs which are still to be made refer to.
    public var neededObjects: Set<Digest> {
        var needed: Set<Digest> = []
        for name in order {
            for work in (sweeps[name]?.works ?? [:]).values where work.phase != .done {
                needed.formUnion(full(work.entry.job).inputs.map(\.digest))
                if let list = work.entry.job.inputList { needed.insert(list.digest) }
            }
        }
        return needed.union(objects.parts)
    }

    // MARK: Events

    public mutating func handle(_ event: AgentEvent, now: Nanoseconds) -> [AgentRecord] {
        switch event {
        case .connected(let connection): connections[connection] = .some(nil)
        case .disconnected(let connection): disconnected(connection)
        case .message(let connection, let message): return received(message, on: connection, now: now)
        case .supervisorReady(let attempts): supervisorReady(attempts)
        case .supervisorGone:
            supervisorIsReady = false
        case .started(let keys): started(keys)
        case .ended(let attempts):
            for attempt in attempts {
                if case .ended(let exit) = attempt.state { ended(attempt.key, exit) }
            }
        case .prepared(let key): prepared(key)
        case .notPrepared(let key, let failure, let evidence): notPrepared(key, failure, evidence)
        case .inputMissing(let key, let digest): inputMissing(key, digest)
        case .collected(let key, let report): collected(key, report)
        case .object(let digest, .damaged(let reason)): damaged(digest, reason)
        case .object(let digest, let presence): objects.found(digest, presence)
        case .mapped(let digest, let packs): objects.mapped(digest, packs)
        case .setupTried(let sweep, let problem): setupTried(sweep, problem, now: now)
        case .listed(let digest, let inputs): lists[digest] = inputs
        case .evicted(let digests): for digest in digests { lost(digest) }
        case .listening(let sweep, let place, let problem): listening(sweep, place, problem)
        case .peerBytes(let place, let piece):
            if let size = objects.received(piece, from: place) { pending.append(.store(piece, size: size)) }
        case .unreached(let failure): unreached(failure)
        case .surroundings(let found): noteSurroundings(found, now: now)
        case .damaged(let damage): tell(damage)
        case .timer: break
        }
        return []
    }

    /// Lists of inputs that runs need and that were not read yet.
    public var unreadLists: Set<Digest> {
        var unread: Set<Digest> = []
        for sweep in sweeps.values {
            for work in sweep.works.values {
                if let list = work.entry.job.inputList, lists[list.digest] == nil { unread.insert(list.digest) }
            }
        }
        return unread
    }

    /// A job with all its inputs, as far as their list was read.
    func full(_ job: Job) -> Job {
        guard let list = job.inputList else { return job }
        var job = job
        job.inputs += lists[list.digest] ?? []
        return job
    }

    private mutating func disconnected(_ connection: Int) {
        guard let sweep = connections.removeValue(forKey: connection) else { return }
        objects.disconnected(connection)
        releasing.removeAll { $0.connection == connection }
        guard let sweep else { return }
        if sweeps[sweep]?.contender?.connection == connection { sweeps[sweep]?.contender = nil }
        guard sweeps[sweep]?.connection == connection else { return }
        sweeps[sweep]?.connection = nil
        sweeps[sweep]?.holder = nil
    }

    // MARK: Messages

    private mutating func received(
        _ message: CoordinatorMessage, on connection: Int, now: Nanoseconds
    ) -> [AgentRecord] {
        guard let known = connections[connection] else { return [] }
        if case .hello(let hello) = message {
            guard known == nil else { return refuse(connection, "a second hello on one connection") }
            return greeted(hello, on: connection, now: now)
        }
        guard let sweep = known else { return refuse(connection, "the first message is not a hello") }
        if case .holder(let name) = message {
            return identified(name, sweep, connection, now: now)
        }
        // Who has not said who it is asks for nothing yet.
        guard sweeps[sweep]?.contender?.connection != connection else { return [] }
        if sweeps[sweep]?.connection == connection { sweeps[sweep]?.heardAt = now }
        switch message {
        case .hello: return []
        case .grant(let shard):
            // What ends is said before what begins.
            sweeps[sweep]?.isConfirmed = true
            return accept(shard, of: sweep, on: connection)
        case .revoke(let leases): return revoke(leases, of: sweep)
        case .cancel(let runs): return cancel(runs, of: sweep)
        case .acknowledge(let attempts): return acknowledge(attempts, of: sweep)
        case .read(let range): pending.append(.read(connection, range))
        case .bytes(let piece):
            guard let size = objects.received(piece, on: connection) else { break }
            pending.append(.store(piece, size: size))
        case .packed(let packed): objects.received(packed, on: connection)
        case .probe(let path): pending.append(.probe(connection, path: path))
        case .tail(let request): tail(request, of: sweep, on: connection)
        case .heartbeat: sweeps[sweep]?.isConfirmed = true
        case .holder: break
        case .release: return release(sweep, on: connection)
        case .share(let terms): share(terms, of: sweep, on: connection)
        case .elsewhere(let source): fetch(source, of: sweep, on: connection)
        case .cacheLimit(let bytes): limitCache(bytes, by: sweep)
        case .terms(let terms): set(terms, of: sweep)
        }
        return []
    }

    private mutating func refuse(_ connection: Int, _ reason: String) -> [AgentRecord] {
        connections[connection] = nil
        pending.append(.send(connection, .refused(reason: reason)))
        pending.append(.drop(connection, reason: reason))
        return []
    }

    private mutating func greeted(
        _ hello: CoordinatorHello, on connection: Int, now: Nanoseconds
    ) -> [AgentRecord] {
        guard hello.oldest <= WireVersion.current, hello.current >= WireVersion.oldest else {
            return refuse(
                connection,
                "this agent speaks versions \(WireVersion.oldest) to \(WireVersion.current), the coordinator "
                    + "\(hello.oldest) to \(hello.current): wait until the sweeps that this agent works for have ended")
        }
        guard AgentCore.isUsable(sweep: hello.sweep) else {
            return refuse(connection, "the sweep's identifier cannot be the name of a folder")
        }
        guard (hello.setup ?? "").utf8.count <= 16_384, (hello.enginePath ?? "").utf8.count <= 4_096 else {
            return refuse(
                connection, "the inventory's setup text is longer than 16 KiB, or the engine's path longer than 4 KiB")
        }
        if mayBeAnother(hello, now: now) {
            connections[connection] = hello.sweep
            if let other = sweeps[hello.sweep]?.contender {
                pending.append(.drop(other.connection, reason: "another connection wants to serve the sweep"))
            }
            sweeps[hello.sweep]?.contender = AgentSweep.Contender(connection: connection, hello: hello)
            pending.append(.greet(connection, leases: sweeps[hello.sweep]?.held ?? []))
            return []
        }
        return serve(hello, on: connection, isGreeted: false, now: now)
    }

    /// A connection serves its sweep from now on, in place of any other, with what its hello says of this host.
    ///
    /// - Parameter isGreeted: whether it was answered already.
    private mutating func serve(
        _ hello: CoordinatorHello, on connection: Int, isGreeted: Bool, now: Nanoseconds
    ) -> [AgentRecord] {
        let context = SweepContext(
            enginePath: hello.enginePath, setup: hello.setup, slots: hello.slots, memoryBytes: hello.memoryBytes)
        let isNews = sweeps[hello.sweep]?.context != context
        if isNews { apply(.context(sweep: hello.sweep, context)) }
        if let older = sweeps[hello.sweep]?.connection {
            disconnected(older)
            pending.append(.drop(older, reason: "another connection has taken over the sweep"))
        }
        connections[connection] = hello.sweep
        sweeps[hello.sweep]?.connection = connection
        sweeps[hello.sweep]?.isGreeted = isGreeted
        sweeps[hello.sweep]?.heardAt = now
        // It says so again if it still has one.
        if sweeps[hello.sweep]?.cacheBytes != nil { limitCache(nil, by: hello.sweep) }
        set(HostTerms(), of: hello.sweep)
        sweeps[hello.sweep]?.heartbeatPeriod = max(hello.leaseTerm / 4, 100_000_000)
        let isTried = context.setup.map { beginTrial(of: $0, hello.sweep) } ?? false
        if isTried, !isGreeted {
            sweeps[hello.sweep]?.nextHeartbeat = .max
        } else {
            greet(hello.sweep, now: now)
        }
        return isNews ? [.context(sweep: hello.sweep, context)] : []
    }

    /// The smallest limit that a sweep names holds.
    private mutating func limitCache(_ bytes: Int64?, by sweep: String) {
        sweeps[sweep]?.cacheBytes = bytes
        pending.append(.limitCache(sweeps.values.compactMap(\.cacheBytes).min()))
    }

    private mutating func greet(_ name: String, now: Nanoseconds) {
        guard let sweep = sweeps[name], let connection = sweep.connection else { return }
        sweeps[name]?.nextHeartbeat = now
        if !sweep.isGreeted { pending.append(.greet(connection, leases: sweep.held)) }
        sweeps[name]?.isGreeted = true
        for damage in damages { pending.append(.send(connection, .damaged(damage))) }
        for report in sweep.unacknowledged { pending.append(.send(connection, .outcome(report))) }
    }

    // MARK: Who works on a sweep

    /// Whether somebody who said who it is serves the sweep now, so that the new one has to say so, too: it may be the
    /// same after a broken connection, or work on a copy of the ledger.
    private func mayBeAnother(_ hello: CoordinatorHello, now: Nanoseconds) -> Bool {
        guard hello.current >= 2, let sweep = sweeps[hello.sweep], sweep.connection != nil, sweep.holder != nil else {
            return false
        }
        return now - sweep.heardAt < 3 * sweep.heartbeatPeriod
    }

    private mutating func identified(
        _ name: String, _ sweep: String, _ connection: Int, now: Nanoseconds
    ) -> [AgentRecord] {
        guard let contender = sweeps[sweep]?.contender, contender.connection == connection else {
            if sweeps[sweep]?.connection == connection { sweeps[sweep]?.holder = name }
            return []
        }
        sweeps[sweep]?.contender = nil
        let holder = sweeps[sweep]?.connection == nil ? nil : sweeps[sweep]?.holder
        guard let holder, holder != name else {
            let records = serve(contender.hello, on: connection, isGreeted: true, now: now)
            sweeps[sweep]?.holder = name
            return records
        }
        let seconds = (now - (sweeps[sweep]?.heardAt ?? now)) / 1_000_000_000
        return refuse(
            connection,
            "\(VisibleText.of(holder)) is working on this sweep, and was last heard from \(seconds) s ago. This sweep "
                + "is a copy of that one: only one of them can continue")
    }

    // MARK: The setup of a host

    /// A setup text is tried before the first run, so that one that fails refuses the host, by name, instead of failing
    /// each run. What runs here already has shown that it works.
    ///
    /// - Returns: whether it has to be.
    private mutating func beginTrial(of setup: String, _ name: String) -> Bool {
        guard !setup.isEmpty, let sweep = sweeps[name], sweep.works.isEmpty, sweep.triedSetup != .works(setup) else {
            return false
        }
        if sweep.triedSetup != .underWay(setup) {
            sweeps[name]?.triedSetup = .underWay(setup)
            pending.append(.trySetup(sweep: name, setup))
        }
        return true
    }

    private mutating func setupTried(_ name: String, _ problem: String?, now: Nanoseconds) {
        guard let sweep = sweeps[name], case .underWay(let setup) = sweep.triedSetup else { return }
        guard sweep.context.setup == setup else {
            // Another text came meanwhile.
            sweeps[name]?.triedSetup = .underWay(sweep.context.setup ?? "")
            pending.append(.trySetup(sweep: name, sweep.context.setup ?? ""))
            return
        }
        sweeps[name]?.triedSetup = problem == nil ? .works(setup) : nil
        guard let problem else {
            if !sweep.isGreeted { greet(name, now: now) }
            return
        }
        // What was granted meanwhile waits for another text.
        sweeps[name]?.isConfirmed = false
        guard let connection = sweep.connection else { return }
        sweeps[name]?.connection = nil
        _ = refuse(connection, problem)
    }

    /// A name with an identifier behind it.
    static func isUsable(sweep: String) -> Bool { Names.isPlain(sweep, limit: 128) }

    private mutating func accept(_ shard: Shard, of sweep: String, on connection: Int) -> [AgentRecord] {
        var records: [AgentRecord] = []
        for entry in shard.entries where sweeps[sweep]?.isNew(entry, lease: shard.lease) ?? false {
            guard entry.job.isOfModestSize else {
                let id = AttemptID(run: entry.run, lease: shard.lease, attempt: entry.firstAttempt)
                let report = AttemptReport(
                    id: id, failure: .contractBroken, evidence: "the job's description is larger than 96 KiB")
                pending.append(.send(connection, .outcome(report)))
                continue
            }
            let record = AgentRecord.accepted(sweep: sweep, lease: shard.lease, entry)
            apply(record)
            records.append(record)
        }
        return records
    }

    private mutating func revoke(_ leases: [LeaseNumber], of sweep: String) -> [AgentRecord] {
        let held = leases.filter { lease in sweeps[sweep]?.works.contains { $0.key.lease == lease } ?? false }
        guard !held.isEmpty else { return [] }
        for key in sweeps[sweep]?.works.keys.sorted() ?? [] where held.contains(key.lease) {
            guard let work = sweeps[sweep]?.works[key] else { continue }
            if work.isInFlight { inFlight -= 1 }
            abandon(work, sweep, key)
        }
        let record = AgentRecord.revoked(sweep: sweep, held)
        apply(record)
        return [record]
    }

    /// The sweep has ended. The answer waits until the last program of it has, too.
    private mutating func release(_ sweep: String, on connection: Int) -> [AgentRecord] {
        for key in sweeps[sweep]?.works.keys.sorted() ?? [] {
            guard let work = sweeps[sweep]?.works[key] else { continue }
            if work.isInFlight { inFlight -= 1 }
            abandon(work, sweep, key)
        }
        releasing.append((sweep, connection))
        guard sweeps[sweep] != nil else { return [] }
        let record = AgentRecord.released(sweep: sweep)
        apply(record)
        forgetLists()
        return [record]
    }

    /// Lists of inputs that no run refers to any more: an agent serves sweeps for months.
    private mutating func forgetLists() {
        guard !lists.isEmpty else { return }
        var needed: Set<Digest> = []
        for sweep in sweeps.values {
            for work in sweep.works.values { if let list = work.entry.job.inputList { needed.insert(list.digest) } }
        }
        lists = lists.filter { needed.contains($0.key) }
    }

    /// Answers those who wait for a sweep of which nothing runs any more.
    mutating func confirmReleases() {
        let done = releasing.filter { entry in !doomed.contains { $0.sweep == entry.sweep } }
        guard !done.isEmpty else { return }
        for entry in done {
            pending.append(.discardSweep(entry.sweep))
            pending.append(.send(entry.connection, .released))
        }
        releasing.removeAll { entry in done.contains { $0 == entry } }
    }

    /// Ends what runs of a work that nobody wants, and deletes what it left.
    private mutating func abandon(_ work: Work, _ sweep: String, _ key: WorkKey) {
        for number in work.entry.firstAttempt...work.attempt {
            let attempt = AttemptKey(sweep: sweep, id: key.id(number))
            let isCurrent = number == work.attempt
            switch work.phase {
            case .queued where isCurrent, .running where isCurrent, .preparing where isCurrent:
                doomed.insert(attempt)
                if work.phase != .preparing { pending.append(.supervise(.kill(attempt, .revoked))) }
            case .waiting where isCurrent: break
            case .waiting, .preparing, .queued, .running, .collecting, .done: letGo(attempt)
            }
        }
    }

    /// Deletes what is kept of an attempt that ended.
    mutating func letGo(_ key: AttemptKey) {
        doomed.remove(key)
        pending.append(.discard(key))
        pending.append(.supervise(.forget([key])))
    }

    private mutating func cancel(_ runs: [RunNumber], of sweep: String) -> [AgentRecord] {
        let wanted = Set(runs)
        let keys = (sweeps[sweep]?.works.keys.filter { wanted.contains($0.run) } ?? []).sorted()
        let news = keys.filter { sweeps[sweep]?.works[$0]?.isCancelled == false }
        guard !news.isEmpty else { return [] }
        let record = AgentRecord.cancelled(sweep: sweep, news.map(\.run))
        apply(record)
        for key in news {
            guard let work = sweeps[sweep]?.works[key] else { continue }
            switch work.phase {
            case .queued, .running:
                pending.append(.supervise(.kill(AttemptKey(sweep: sweep, id: key.id(work.attempt)), .cancelled)))
            case .waiting, .preparing, .collecting, .done: break
            }
        }
        return [record]
    }

    private mutating func acknowledge(_ attempts: [AttemptID], of sweep: String) -> [AgentRecord] {
        var taken: [Acknowledged] = []
        for id in attempts {
            let key = WorkKey(lease: id.lease, run: id.run)
            guard let work = sweeps[sweep]?.works[key], work.outcomes.contains(where: { $0.id == id }) else { continue }
            let isLast = work.phase == .done && id.attempt == work.attempt
            taken.append(Acknowledged(id: id, isLast: isLast))
            letGo(AttemptKey(sweep: sweep, id: id))
        }
        guard !taken.isEmpty else { return [] }
        let record = AgentRecord.acknowledged(sweep: sweep, taken)
        apply(record)
        return [record]
    }

    private mutating func tail(_ request: TailRequest, of sweep: String, on connection: Int) {
        let found = sweeps[sweep]?.works.filter { key, work in
            key.run == request.run && (work.phase == .running || work.phase == .collecting)
        }
        guard let key = found?.keys.max(), let work = found?[key] else {
            pending.append(.send(connection, .tail(Tail(run: request.run, path: request.path, bytes: nil))))
            return
        }
        pending.append(.tail(connection, AttemptKey(sweep: sweep, id: key.id(work.attempt)), request))
    }
}
