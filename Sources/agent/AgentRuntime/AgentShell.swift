public import AgentCore
public import Formats
public import Model
public import Ports
import Storage

/// The agent without sockets and clocks: the step, and all effects that concern files. The simulation drives it as
/// it is, over its own ``Files``.
public struct AgentShell {
    public private(set) var core: AgentCore
    private var journal: AgentJournal
    private var cache: ObjectCache
    private let files: any Files
    private var folders: AttemptFolders
    private var work = ShellWork()
    private var sharedInputs = SharedInputs()
    /// Nil: objects are not read again.
    private var scrub: Scrub?
    private var damages: DamageList
    /// Where the bytes of reported artifacts are, by attempt and by digest.
    private var served: [Digest: [String]] = [:]
    private var reported: [AttemptKey: Reported] = [:]
    private struct Reported {
        var places: [(Digest, String)]
        var bytes: Int64
    }

    private var sizeAfterRewrite: Int64
    /// Acknowledgements were written that a crash may take away.
    private var isUnsynced = false
    /// A bug for the simulation.
    var believesPeers: Bool {
        get { cache.believesAll }
        set { cache.believesAll = newValue }
    }
    /// What the log should say about the start.
    public private(set) var notes: [String] = []

    /// Takes up what the journal in `root` says.
    ///
    /// - Parameter largeInput: from how many bytes on runs may share an input instead of getting copies.
    /// - Throws: ``Failure`` for a journal that cannot be trusted, ``FilesError`` for a disk that cannot be used.
    public init(host: AgentCore.Host, root: String, files: any Files, largeInput: Int64 = 64 << 20) throws {
        self.files = files
        cache = try ObjectCache(root: "\(root)/objects", files: files)
        folders = AttemptFolders(root: host.attempts, files: files, largeInput: largeInput)
        core = AgentCore(host: host)
        damages = DamageList(cache.store, files)
        for damage in damages.all { _ = core.handle(.damaged(damage), now: 0) }
        let opened = try AgentJournal.open(folder: root, name: "agent.journal", files: files)
        journal = opened.journal
        sizeAfterRewrite = 0
        if opened.tornBytes > 0 {
            notes.append("the journal ended with \(opened.tornBytes) bytes of an unfinished record, which were cut off")
        }
        for frame in opened.frames { core.apply(try AgentRecord(frame)) }
        if !opened.frames.isEmpty { try compact() }
        // What runs may end before anything else is asked for: then these say which files are its inputs.
        for digest in core.unreadLists where (try? cache.has(digest)) == true {
            _ = core.handle(list(digest), now: 0)
        }
    }

    /// Decide, make durable, then say what to do.
    public mutating func step(_ events: [AgentEvent], now: Nanoseconds) throws -> [AgentEffect] {
        var records: [AgentRecord] = []
        for event in events { records += core.handle(event, now: now) }
        if events.contains(where: \.tellsOfAdopted) { doubtAdopted() }
        if !records.isEmpty {
            try journal.append(records.map(\.frame))
            // An acknowledgement that is lost comes again; nothing else may be.
            isUnsynced = true
            if records.contains(where: { if case .acknowledged = $0 { false } else { true } }) { try sync() }
            if journal.size > 1 << 20, journal.size > 4 * sizeAfterRewrite { try compact() }
        }
        // Where nothing of a void lease is held any more, it is acknowledgements that say so.
        if isUnsynced, events.contains(where: \.isRevocation) { try sync() }
        // Nothing is lost where it fails: it is tried again.
        forget((try? cache.trim(keeping: { core.neededObjects }, now: now)) ?? [])
        return core.effects(now: now)
    }

    private mutating func sync() throws(FilesError) {
        try journal.sync()
        isUnsynced = false
    }

    private mutating func forget(_ digests: [Digest]) {
        if !digests.isEmpty { _ = core.handle(.evicted(digests), now: 0) }
    }

    /// Removes all that can be spared. False: there was nothing.
    private mutating func makeRoom() -> Bool {
        if folders.mustClear(isCalm: true) || folders.hasTrash {
            _ = folders.clear(atMost: .max)
            // More at a time than when nobody waits for the room.
            _ = folders.emptyTrash(atMost: 10_000)
            return true
        }
        let gone = (try? cache.clear(keeping: core.neededObjects)) ?? []
        forget(gone)
        return !gone.isEmpty
    }

    mutating func limitCache(_ bytes: Int64?) { cache.limit(bytes ?? ObjectCache.budget) }

    private mutating func compact() throws(FilesError) {
        try journal.rewrite(core.snapshot.map(\.frame))
        sizeAfterRewrite = journal.size
    }

    /// Makes what somebody removed: the journal from what it said, and the folders. True: something was not there.
    public mutating func restoreFiles() throws(FilesError) -> Bool {
        let hasObjects = try cache.hasFolders()
        let isWhole = try folders.hasRoot() ? hasObjects : false
        guard !isWhole || !journal.isInPlace else { return false }
        if !isWhole {
            try cache.store.makeFolders()
            try folders.makeRoot()
        }
        if !journal.isInPlace { try compact() }
        return true
    }

    // MARK: Effects on files

    /// Some object that was wanted was found changed by a program: who shared it is told when it ends.
    private mutating func noteChanged() {
        for digest in cache.takeChanged() { sharedInputs.wasChanged(core.attempts(with: digest), folders) }
    }

    public mutating func locate(_ digest: Digest) -> AgentEvent {
        defer { noteChanged() }
        do {
            if try cache.has(digest) { return .object(digest, .complete) }
            if digest == SHA256.digest([]) {
                _ = try cache.store.publish([UInt8]())
                return .object(digest, .complete)
            }
            return .object(digest, .partial(try cache.store.partialSize(digest)))
        } catch {
            return impossible(digest, error)
        }
    }

    /// Reads a list of inputs.
    public func list(_ digest: Digest) -> AgentEvent {
        do {
            let size = try cache.store.size(digest) ?? 0
            guard size <= InputList.longest else { throw WireError("a list of inputs of \(size) bytes") }
            return .listed(digest, try InputList.decode(try cache.store.read(digest, at: 0, count: Int(size))))
        } catch {
            return .object(digest, .impossible(.spawn, "the list of inputs cannot be read: \(error)"))
        }
    }

    /// Reads the map of an object.
    public func readMap(_ object: Digest, _ digest: Digest) -> AgentEvent {
        do {
            let map = try map(digest)
            guard map.object == object else { throw WireError("it is the map of another object") }
            return .mapped(object, map.packs.map { Job.Input(path: "", digest: $0.digest, size: $0.size) })
        } catch {
            return .object(object, .impossible(.spawn, "an input's map cannot be read: \(error)"))
        }
    }

    private func map(_ digest: Digest) throws -> ObjectMap {
        let size = try cache.store.size(digest) ?? 0
        guard size <= ObjectMap.longest else { throw WireError("a map of \(size) bytes") }
        return try ObjectMap(try cache.store.read(digest, at: 0, count: Int(size)))
    }

    /// Begins to put an object together; nil: ``goOn(budget:)`` goes on with it.
    public mutating func unpack(_ object: Digest, _ digest: Digest) -> AgentEvent? {
        do {
            work.unpackings.append(try Unpacking(try map(digest), cache.store, files))
            return nil
        } catch {
            return notUnpacked(object, digest, error)
        }
    }

    /// What is damaged is thrown away, and asked for again; and so is the object, in the place that has become free.
    private mutating func notUnpacked(_ object: Digest, _ map: Digest, _ error: any Error) -> AgentEvent? {
        if (error as? FilesError)?.isDiskFull == true {
            // What does not fit must not take the last space from the programs that run.
            try? cache.store.removePartial(of: object)
            return makeRoom() ? unpack(object, map) : impossible(object, error)
        }
        let parts = [map] + ((try? self.map(map))?.packs.map(\.digest) ?? [])
        let damaged = parts.filter { (try? cache.store.verify($0)) != true }
        guard !damaged.isEmpty else { return impossible(object, error) }
        for part in damaged { try? cache.throwAway(part) }
        forget(damaged)
        return .object(object, .partial(0))
    }

    /// Nil: more pieces are to come, or what came is being read.
    public mutating func store(_ piece: ObjectBytes, size: Int64) -> AgentEvent? {
        do {
            switch try cache.write(piece, size: size) {
            case .more: return nil
            case .complete: return .object(piece.digest, .complete)
            case .unchecked:
                try work.check(piece.digest, size: size, cache.store)
                return nil
            }
        } catch {
            if (error as? FilesError)?.isDiskFull == true {
                if makeRoom() { return store(piece, size: size) }
                // What does not fit must not take the last space from the programs that run.
                try? cache.store.removePartial(of: piece.digest)
            }
            return impossible(piece.digest, error)
        }
    }

    private func impossible(_ digest: Digest, _ error: any Error) -> AgentEvent {
        if let failure = error as? Failure, failure.code == .badArchive {
            return .object(digest, .damaged("\(failure)"))
        }
        let isFull = (error as? FilesError)?.isDiskFull ?? false
        return .object(digest, .impossible(isFull ? .diskFull : .spawn, "an input cannot be stored: \(error)"))
    }

    /// An object for another host, open to be read; nil: it is not here.
    mutating func give(_ digest: Digest) -> (file: FileHandle, size: Int64)? {
        defer { noteChanged() }
        guard (try? cache.has(digest)) == true, let size = try? cache.store.size(digest),
            let file = try? files.open(cache.store.path(digest), .read)
        else { return nil }
        return (file, size)
    }

    /// Begins to make an attempt's folder; nil: ``goOn(budget:)`` goes on with it.
    public mutating func prepare(_ key: AttemptKey, _ job: Job) -> AgentEvent? {
        defer { noteChanged() }
        do throws(FilesError) {
            for input in job.inputs where try !cache.has(input.digest) { return .inputMissing(key, input.digest) }
        } catch {
            return .notPrepared(key, .spawn, evidence: "an input cannot be checked: \(error)")
        }
        do throws(FilesError) {
            var preparation = try Preparation(key, job, &folders)
            // Most are done at once: of a whole window of them, that still takes no longer than a moment.
            var budget = 1 << 20
            if let event = preparation.step(budget: &budget, cache) { return again(event, job) }
            work.preparations.append(preparation)
            return nil
        } catch {
            return again(Preparation.impossible(key, error), job)
        }
    }

    /// On a full disk, objects that nobody needs make room for a second try.
    private mutating func again(_ event: AgentEvent, _ job: Job) -> AgentEvent? {
        guard case .notPrepared(let key, .diskFull, _) = event, makeRoom() else { return event }
        return prepare(key, job)
    }

    // MARK: Objects that are read again

    mutating func beginScrub(round: Nanoseconds = ScrubPlan.day, now: Nanoseconds) {
        scrub = Scrub(cache.store, files, round: round, now: now)
    }

    /// When ``goOnScrubbing(now:)`` has something to do; nil: never.
    var nextScrub: Nanoseconds? { scrub?.due }

    /// Reads on in what is kept here. What is damaged goes, is fetched again when it is needed, and those that have it
    /// as an input are set aside when they end.
    ///
    /// - Parameter wall: nanoseconds since 1970.
    /// - Returns: such an object, and the attempts that have it; nil: there is none.
    mutating func goOnScrubbing(now: Nanoseconds, wall: Nanoseconds) -> (damage: ObjectDamage, users: [AttemptKey])? {
        guard let damage = scrub?.step(cache, now: now, wall: wall) else { return nil }
        let users = core.attempts(with: damage.digest)
        sharedInputs.wasDamaged(users)
        // On a full disk it is told to whoever is connected, and forgotten.
        try? damages.add(damage)
        try? cache.throwAway(damage.digest)
        forget([damage.digest])
        return (damage, users.map(\.key))
    }

    /// Takes up again what an earlier agent knew, and was killed with: an attempt that was prepared before its input
    /// was found damaged has the damaged bytes, whenever it begins.
    private mutating func doubtAdopted() {
        for damage in damages.all {
            let users = core.attempts(with: damage.digest).filter { user in
                folders.preparedAt(user.key).map { $0 <= damage.foundAt } ?? false
            }
            sharedInputs.wasDamaged(users)
        }
    }

    public mutating func beginCollecting(_ key: AttemptKey, _ exit: ProcessExit, _ job: Job) {
        sharedInputs.check(key, job, folders, &cache) { core.attempts(with: $0) }
        work.collectors.append(Collector(key, exit, job, folders))
    }

    /// Whether there is work that is done in pieces.
    public var isBusy: Bool { !work.isDone || folders.hasTrash || folders.mustClear(isCalm: core.isIdle) }

    /// Deletes some of what waits for it, if it is time; what went wrong, as text.
    public mutating func clear() -> String? {
        let problem = folders.mustClear(isCalm: core.isIdle) ? folders.clear(atMost: 64) : nil
        return (folders.emptyTrash(atMost: AgentShell.deletedAtOnce) ?? problem)?.description
    }

    /// Files and folders: some milliseconds.
    static let deletedAtOnce = 256

    /// Goes on with what is done in pieces, for about `budget` bytes of each kind. What it came to: events, and answers
    /// on connections.
    public mutating func goOn(budget: Int) -> (events: [AgentEvent], answers: [(Int, AgentMessage)]) {
        var events: [AgentEvent] = []
        for collector in work.goOnCollecting(budget) {
            let key = collector.0.key
            let report = sharedInputs.judge(collector.1, of: key)
            remember(key, report.artifacts, collector.0)
            events.append(.collected(key, report))
        }
        for (event, job) in work.goOnPreparing(budget, cache) {
            if let event = again(event, job) { events.append(event) }
        }
        for (digest, size, found) in work.goOnChecking(budget) {
            do {
                let found = try found.get()
                guard try cache.finish(digest, size: size, found: found) else { continue }
                events.append(.object(digest, .complete))
            } catch {
                events.append(impossible(digest, error))
            }
        }
        for (map, ending) in work.goOnUnpacking(budget) {
            do {
                try ending.get()
                guard try cache.admit(map.object) else { continue }
                events.append(.object(map.object, .complete))
            } catch {
                if let event = notUnpacked(map.object, SHA256.digest(map.encoded), error) { events.append(event) }
            }
        }
        return (events, work.goOnProbing(budget))
    }

    private mutating func remember(_ key: AttemptKey, _ artifacts: [Artifact], _ collector: Collector) {
        let files = artifacts.map { artifact in
            (artifact.digest, "\(folders.path(key))/\(collector.places[artifact.path] ?? artifact.path)")
        }
        reported[key] = Reported(places: files, bytes: collector.folderBytes ?? .max)
        for (digest, path) in files { served[digest, default: []].append(path) }
    }

    /// Deletes an attempt's folder; what went wrong, as text.
    public mutating func discard(_ key: AttemptKey) -> String? {
        let reported = reported.removeValue(forKey: key)
        for (digest, path) in reported?.places ?? [] {
            served[digest]?.removeAll { $0 == path }
            if served[digest]?.isEmpty == true { served[digest] = nil }
        }
        // What is in the folder of an attempt that reported nothing is not known.
        return folders.discard(key, bytes: reported?.bytes ?? .max)?.description
    }

    /// Deletes the folder of a sweep's attempts, in which there is little as a rule; what went wrong, as text.
    public mutating func discardSweep(_ sweep: String) -> String? {
        let problem = folders.discard(sweep: sweep)
        return (problem ?? folders.emptyTrash(atMost: AgentShell.deletedAtOnce))?.description
    }

    public mutating func keepOnly(_ keys: [AttemptKey]) -> String? {
        do throws(FilesError) {
            try folders.keepOnly(keys)
            try cache.store.removePartial(keeping: core.neededObjects)
            return nil
        } catch {
            return error.description
        }
    }

    public func read(_ range: ObjectRange) -> AgentMessage {
        if range.digest == SHA256.digest([]) {
            return .bytes(ObjectBytes(digest: range.digest, offset: range.offset, bytes: []))
        }
        guard let path = served[range.digest]?.first else {
            return .missing(range.digest, reason: "no attempt on this host left that file")
        }
        do throws(FilesError) {
            let file = try files.open(path, .read)
            defer { files.close(file) }
            let bytes = try files.read(file, at: range.offset, count: range.length)
            return .bytes(ObjectBytes(digest: range.digest, offset: range.offset, bytes: bytes))
        } catch {
            return .missing(range.digest, reason: error.description)
        }
    }

    public func tail(_ key: AttemptKey, _ request: TailRequest) -> AgentMessage {
        let collected = work.collectors.first { $0.key == key }?.progress
        // What one wrote that has ended is in its report.
        let isOver = collected != nil || reported[key] != nil
        let bytes = isOver ? nil : folders.tail(key, request.path, count: request.maximumLength)
        return .tail(Tail(run: request.run, path: request.path, bytes: bytes, collected: collected))
    }

    /// Begins to look at an engine's binary; nil: ``goOn(budget:)`` gives the answer.
    public mutating func probe(_ connection: Int, _ path: String) -> AgentMessage? {
        func problem(_ text: String) -> AgentMessage {
            .probed(EngineProbe(path: path, digest: nil, problem: text))
        }
        let place = Workdir.inHome(path)
        guard place.hasPrefix("/") else { return problem("not an absolute path") }
        do throws(FilesError) {
            // A symbolic link is what it leads to, as it is when it is started.
            guard let real = try files.resolve(place), let status = try files.status(real) else {
                return problem("there is no such file")
            }
            guard status.kind == .file else { return problem("it is not a file") }
            guard status.mode & 0o111 != 0 else { return problem("it cannot be executed: chmod +x") }
            try work.probe(connection, path, real, files)
            return nil
        } catch {
            return problem(error.reason)
        }
    }
}

extension AgentEvent {
    fileprivate var isRevocation: Bool { if case .message(_, .revoke) = self { true } else { false } }
    fileprivate var tellsOfAdopted: Bool { if case .supervisorReady = self { true } else { false } }
}
