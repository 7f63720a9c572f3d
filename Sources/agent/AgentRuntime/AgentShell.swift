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
    private var collectors: [Collector] = []
    /// Where the bytes of reported artifacts are, by attempt and by digest.
    private var served: [Digest: [String]] = [:]
    private var reported: [AttemptKey: [Artifact]] = [:]
    private var sizeAfterRewrite: Int64
    /// Acknowledgements were written that a crash may take away.
    private var isUnsynced = false
    /// What the log should say about the start.
    public private(set) var notes: [String] = []

    /// Takes up what the journal in `root` says.
    ///
    /// - Parameter isRoot: programs run as a user whom no permission stops.
    /// - Throws: ``Failure`` for a journal that cannot be trusted, ``FilesError`` for a disk that cannot be used.
    public init(host: AgentCore.Host, root: String, files: any Files, isRoot: Bool = false) throws {
        self.files = files
        cache = try ObjectCache(root: "\(root)/objects", files: files)
        folders = AttemptFolders(root: host.attempts, files: files, store: cache.store, isRoot: isRoot)
        core = AgentCore(host: host)
        let opened = try AgentJournal.open(folder: root, name: "agent.journal", files: files)
        journal = opened.journal
        sizeAfterRewrite = 0
        if opened.tornBytes > 0 {
            notes.append("the journal ended with \(opened.tornBytes) bytes of an unfinished record, which were cut off")
        }
        for frame in opened.frames { core.apply(try AgentRecord(frame)) }
        if !opened.frames.isEmpty { try compact() }
    }

    /// Decide, make durable, then say what to do.
    public mutating func step(_ events: [AgentEvent], now: Nanoseconds) throws -> [AgentEffect] {
        var records: [AgentRecord] = []
        for event in events { records += core.handle(event, now: now) }
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

    /// Removes from the cache all that can be spared. False: there was nothing.
    private mutating func makeRoom() -> Bool {
        let gone = (try? cache.clear(keeping: core.neededObjects)) ?? []
        forget(gone)
        return !gone.isEmpty
    }

    private mutating func compact() throws(FilesError) {
        try journal.rewrite(core.snapshot.map(\.frame))
        sizeAfterRewrite = journal.size
    }

    // MARK: Effects on files

    public mutating func locate(_ digest: Digest) -> AgentEvent {
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

    /// Nil: more pieces are to come.
    public mutating func store(_ piece: ObjectBytes, size: Int64) -> AgentEvent? {
        do {
            return try cache.write(piece, size: size) ? .object(piece.digest, .complete) : nil
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
        let isFull = (error as? FilesError)?.isDiskFull ?? false
        return .object(digest, .impossible(isFull ? .diskFull : .spawn, "an input cannot be stored: \(error)"))
    }

    public mutating func prepare(_ key: AttemptKey, _ job: Job) -> AgentEvent {
        do throws(FilesError) {
            for input in job.inputs where try !cache.has(input.digest) { return .inputMissing(key, input.digest) }
        } catch {
            return .notPrepared(key, .spawn, evidence: "an input cannot be looked at: \(error)")
        }
        let event = folders.prepare(key, job)
        if case .notPrepared(_, .diskFull, _) = event, makeRoom() { return folders.prepare(key, job) }
        return event
    }

    public mutating func beginCollecting(_ key: AttemptKey, _ exit: ProcessExit, _ job: Job) {
        collectors.append(Collector(key, exit, job, folders))
    }

    public var isCollecting: Bool { !collectors.isEmpty }

    /// Collects for about `budget` bytes.
    public mutating func collect(budget: Int) -> [AgentEvent] {
        var budget = budget
        var events: [AgentEvent] = []
        var done = 0
        while done < collectors.count, budget > 0 {
            guard let report = collectors[done].step(budget: &budget) else { break }
            let key = collectors[done].key
            remember(key, report.artifacts)
            events.append(.collected(key, report))
            done += 1
        }
        collectors.removeFirst(done)
        return events
    }

    private mutating func remember(_ key: AttemptKey, _ artifacts: [Artifact]) {
        reported[key] = artifacts
        for artifact in artifacts {
            served[artifact.digest, default: []].append("\(folders.path(key))/\(artifact.path)")
        }
    }

    /// Deletes an attempt's folder; what went wrong, as text.
    public mutating func discard(_ key: AttemptKey) -> String? {
        for artifact in reported.removeValue(forKey: key) ?? [] {
            served[artifact.digest]?.removeAll { $0 == "\(folders.path(key))/\(artifact.path)" }
            if served[artifact.digest]?.isEmpty == true { served[artifact.digest] = nil }
        }
        return folders.discard(key)?.description
    }

    /// Deletes the folder of a sweep's attempts; what went wrong, as text.
    public mutating func discardSweep(_ sweep: String) -> String? { folders.discard(sweep: sweep)?.description }

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
            return .missing(range.digest, reason: "no attempt that is kept here left it")
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
        .tail(
            Tail(
                run: request.run, path: request.path,
                bytes: folders.tail(key, request.path, count: request.maximumLength)))
    }

    public func probe(_ path: String) -> AgentMessage {
        guard path.hasPrefix("/") else {
            return .probed(EngineProbe(path: path, digest: nil, problem: "not an absolute path"))
        }
        do throws(FilesError) {
            let file = try files.open(path, .read)
            defer { files.close(file) }
            // Of a symbolic link the mode says nothing.
            if let status = try files.status(path), status.kind == .file, status.mode & 0o111 == 0 {
                return .probed(EngineProbe(path: path, digest: nil, problem: "it cannot be executed: chmod +x"))
            }
            return .probed(EngineProbe(path: path, digest: try ObjectStore.hash(file, files).digest))
        } catch {
            return .probed(EngineProbe(path: path, digest: nil, problem: error.reason))
        }
    }
}

extension AgentEvent {
    fileprivate var isRevocation: Bool { if case .message(_, .revoke) = self { true } else { false } }
}
