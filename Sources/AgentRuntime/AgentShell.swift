public import AgentCore
import AgentJournal
public import Model
import ObjectStore
public import Ports
public import Wire

/// The agent without sockets and clocks: the step, and all effects that concern files. The simulation drives it as
/// it is, over its own ``Files``.
public struct AgentShell {
    public private(set) var core: AgentCore
    private var journal: AgentJournal
    private let store: ObjectStore
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
    /// - Throws: ``Failure`` for a journal that cannot be trusted, ``FilesError`` for a disk that cannot be used.
    public init(host: AgentCore.Host, root: String, files: any Files) throws {
        self.files = files
        store = try ObjectStore(root: "\(root)/objects", files: files)
        folders = AttemptFolders(root: host.attempts, files: files, store: store)
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
        return core.effects(now: now)
    }

    private mutating func sync() throws(FilesError) {
        try journal.sync()
        isUnsynced = false
    }

    private mutating func compact() throws(FilesError) {
        try journal.rewrite(core.snapshot.map(\.frame))
        sizeAfterRewrite = journal.size
    }

    // MARK: Effects on files

    public mutating func locate(_ digest: Digest) -> AgentEvent {
        do {
            if try store.contains(digest) { return .object(digest, .complete) }
            if digest == SHA256.digest([]) {
                _ = try store.publish([UInt8]())
                return .object(digest, .complete)
            }
            return .object(digest, .partial(try store.partialSize(digest)))
        } catch {
            return impossible(digest, error)
        }
    }

    /// Nil: more pieces are to come.
    public mutating func store(_ piece: ObjectBytes, size: Int64) -> AgentEvent? {
        do {
            try store.write(piece.digest, at: piece.offset, piece.bytes)
            guard piece.offset + Int64(piece.bytes.count) == size else { return nil }
            try store.finish(piece.digest, size: size)
            return .object(piece.digest, .complete)
        } catch {
            return impossible(piece.digest, error)
        }
    }

    private func impossible(_ digest: Digest, _ error: any Error) -> AgentEvent {
        let isFull = (error as? FilesError)?.isDiskFull ?? false
        return .object(digest, .impossible(isFull ? .diskFull : .spawn, "an input cannot be stored: \(error)"))
    }

    public mutating func prepare(_ key: AttemptKey, _ job: Job) -> AgentEvent { folders.prepare(key, job) }

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
            if core.isIdle { try store.removePartial() }
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
            return .probed(EngineProbe(path: path, digest: try ObjectStore.hash(file, files).digest))
        } catch {
            return .probed(EngineProbe(path: path, digest: nil, problem: error.reason))
        }
    }
}

extension AgentEvent {
    fileprivate var isRevocation: Bool { if case .message(_, .revoke) = self { true } else { false } }
}
