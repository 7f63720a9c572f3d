import Formats
import GRDB
public import Model
public import Ports
import Synchronization

/// The truth about a sweep: a journal of records and the tables that follow from them, in one SQLite file.
///
/// ``commit(_:)`` returns only after the records are on the disk. A ledger that was opened for writing holds the
/// sweep's lock until it is freed or its process ends. All calls block; call them off Swift's cooperative pool.
public final class Ledger: LedgerStore {
    public let path: String
    let queue: DatabaseQueue
    private let lock: LedgerLock?
    /// Why nothing more may be written: after one failed commit, memory and file may differ.
    private let stopped = Mutex<Failure?>(nil)

    private init(path: String, queue: DatabaseQueue, lock: LedgerLock?) {
        self.path = path
        self.queue = queue
        self.lock = lock
    }

    // MARK: Opening

    /// Makes the ledger of a new sweep, complete or not at all, and opens it.
    ///
    /// - Parameter runs: evaluations in the order of the specification, the repeats of a point together, then setups;
    ///   all different. They are numbered from 1.
    /// - Throws: ``Failure``: `heldElsewhere`, or `storage`, also when there is a ledger already.
    public static func create(
        _ path: String, metadata: LedgerMetadata, runs: some Sequence<RunKey>
    ) throws -> Ledger {
        let lock = try LedgerLock(ledger: path)
        if try SystemCall.size(of: path) != nil {
            throw Failure(.storage, "\(path) exists already; resume that sweep, or launch another with --new")
        }
        // The lock is held: whoever left such files is gone.
        let temporary = path + ".new"
        for suffix in ["", "-journal"] { try SystemCall.remove(temporary + suffix) }
        try SystemCall.makePrivateFile(temporary)
        do {
            let draft = try DatabaseQueue(path: temporary, configuration: configuration())
            try draft.writeWithoutTransaction { db in
                // A draft that a crash leaves is never read: it is made durable as a whole when it gets its name.
                try db.execute(sql: "PRAGMA synchronous = OFF")
                try Schema.migrate(db)
                try db.inTransaction(.immediate) {
                    try PlanTable(db).put(metadata)
                    try PlanTable(db).put(runs)
                    return .commit
                }
            }
            try draft.close()
        } catch {
            throw Failure(ledger: path, "made", error)
        }
        try SystemCall.publish(temporary, as: path)
        return try open(path, lock: lock)
    }

    /// Opens a ledger for writing, taking the sweep's lock.
    ///
    /// - Parameter sweep: the name that it must bear; nil: any.
    /// - Throws: ``Failure``: `missingFile`, `heldElsewhere`, `storage`, or `badArchive` for a file that is no
    ///   ledger, cut short, of a newer program or of another sweep; the file is then left as it was.
    public static func open(_ path: String, sweep: String? = nil) throws -> Ledger {
        try LedgerFile(path).check()
        let ledger = try open(path, lock: try LedgerLock(ledger: path))
        try ledger.checkName(sweep)
        return ledger
    }

    /// Opens a ledger for reading, beside a coordinator that may be writing. One of an older version stays as it is:
    /// what is read is a copy in memory as it is now, brought up to date.
    public static func read(_ path: String, sweep: String? = nil) throws -> Ledger {
        try LedgerFile(path).check()
        do {
            var readOnly = configuration()
            readOnly.readonly = true
            var queue = try DatabaseQueue(path: try LedgerFile(path).nameForReading(), configuration: readOnly)
            let version = try queue.read { try Int32.fetchOne($0, sql: "PRAGMA user_version") ?? 0 }
            try LedgerFile.check(version: version, path: path)
            if version < Schema.version {
                let copy = try DatabaseQueue(configuration: configuration())
                try queue.backup(to: copy)
                try copy.writeWithoutTransaction { db in
                    try Schema.migrate(db) { try Journal($0, path: path).derive() }
                }
                queue = copy
            }
            let ledger = Ledger(path: path, queue: queue, lock: nil)
            try ledger.checkName(sweep)
            return ledger
        } catch {
            throw Failure(ledger: path, "read", error)
        }
    }

    /// Who works on the sweep of a ledger, for people and for those who follow it.
    public static func holder(_ path: String) -> LedgerHolder { LedgerLock.look(ledger: path) }

    /// Does something while nobody can work on the sweep of a ledger, which may be damaged.
    ///
    /// - Throws: ``Failure`` (`heldElsewhere`) where somebody does.
    public static func locked(_ path: String, _ body: () throws -> Void) throws {
        let lock = try LedgerLock(ledger: path)
        defer { withExtendedLifetime(lock) {} }
        try body()
    }

    /// Leaves word of how the work on the sweep ended, with the exit status of the program.
    ///
    /// - Parameter isPaused: whether runs were left that nobody begins, since those before them failed alike.
    public func leave(status: Int32, isPaused: Bool = false) {
        lock?.sign(ended: status, pausedAfter: isPaused ? try? recordCount() : nil)
    }

    /// Whether the last coordinator left the sweep paused, and nothing has been decided since.
    public func isPaused() throws -> Bool {
        try LedgerLock.pause(ledger: path).map { try $0 == recordCount() } ?? false
    }

    static func open(_ path: String, lock: LedgerLock) throws -> Ledger {
        do {
            var configuration = configuration()
            configuration.journalMode = .wal
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            try queue.writeWithoutTransaction { db in
                // GRDB sets NORMAL, which can lose the last commits with the power, while it sets up WAL.
                try db.execute(sql: "PRAGMA synchronous = FULL")
                let durability = try Durability(db)
                guard durability == .required else {
                    throw Failure(.storage, "the ledger \(path) cannot be made durable here: \(durability)")
                }
                try LedgerFile.check(version: try Int32.fetchOne(db, sql: "PRAGMA user_version") ?? 0, path: path)
                try Schema.migrate(db) { try Journal($0, path: path).derive() }
            }
            return Ledger(path: path, queue: queue, lock: lock)
        } catch {
            throw Failure(ledger: path, "opened", error)
        }
    }

    private static func configuration() -> Configuration {
        var configuration = Configuration()
        configuration.foreignKeysEnabled = true
        configuration.busyMode = .timeout(10)
        return configuration
    }

    func checkName(_ sweep: String?) throws {
        guard let sweep else { return }
        let found = try metadata().sweep
        guard found == sweep else {
            throw Failure(
                .badArchive,
                "\(path) belongs to the sweep '\(found)', not to '\(sweep)'; name another artifacts folder or sweep")
        }
    }

    // MARK: Writing

    /// Makes records durable, with all that follows from them, in one transaction.
    ///
    /// - Throws: ``Failure`` (`storage`) when they cannot be written, (`internalError`) when one contradicts what is
    ///   there. Nothing of the batch is then kept, and the ledger takes no more: start again from what it holds.
    public func commit(_ records: [Model.Record]) throws {
        if records.isEmpty { return }
        try write { db in try Journal(db, path: self.path).append(records) }
    }

    /// Writes the derived tables anew from the journal.
    public func rebuild() throws {
        try write { db in try Journal(db, path: self.path).derive() }
    }

    func write(_ body: (Database) throws -> Void) throws {
        guard lock != nil else { throw Failure(.internalError, "the ledger \(path) was opened for reading only") }
        if let reason = stopped.withLock({ $0 }) {
            throw Failure(reason.code, "the ledger \(path) accepts no more changes after a failure", cause: "\(reason)")
        }
        do {
            try queue.writeWithoutTransaction { db in
                try db.inTransaction(.immediate) {
                    try body(db)
                    return .commit
                }
            }
        } catch {
            let failure = Failure(ledger: path, "written", error)
            stopped.withLock { $0 = failure }
            throw failure
        }
    }
}

/// The settings on which the promise of ``Ledger/commit(_:)`` rests, as SQLite reports them.
struct Durability: Equatable, CustomStringConvertible {
    /// WAL with a sync of the log at every commit (2: FULL).
    static let required = Durability(journalMode: "wal", synchronous: 2)
    var journalMode: String
    var synchronous: Int

    private init(journalMode: String, synchronous: Int) {
        self.journalMode = journalMode
        self.synchronous = synchronous
    }

    init(_ db: Database) throws {
        journalMode = try String.fetchOne(db, sql: "PRAGMA journal_mode") ?? ""
        synchronous = try Int.fetchOne(db, sql: "PRAGMA synchronous") ?? -1
    }

    var description: String { "journal_mode is \(journalMode), synchronous is \(synchronous)" }
}
