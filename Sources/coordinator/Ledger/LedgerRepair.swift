import Formats
import Foundation
import GRDB
import Model

extension Ledger {
    /// Repairs a damaged ledger, as far as its journal and the last copy reach. Nothing is thrown away: what was there
    /// is kept beside it under another name.
    ///
    /// Where only the derived tables are wrong they are written anew. Else a new ledger is made of the records that
    /// can be read without a gap. It may lack what came last, so that all leases are void and numbers jump: what hosts
    /// still report of the lost time is told from what comes after it.
    ///
    /// - Parameter sweep: the name that it must bear.
    /// - Returns: what was done, in sentences.
    /// - Throws: ``Failure``: `heldElsewhere`; `badArchive` where nothing can be read, or the ledger is of a newer
    ///   program, which may be able to read it; `storage`.
    public static func repair(_ path: String, sweep: String) throws -> [String] {
        let lock = try LedgerLock(ledger: path)
        try refuseNewer(path)
        if let done = try repairTables(path, sweep: sweep, lock: lock) { return done }
        do {
            let done = try LedgerRepair(path, sweep: sweep).make()
            try open(path, lock: lock).backUp()
            return done
        } catch {
            throw Failure(ledger: path, "repaired", error)
        }
    }

    /// nil: more than the tables is damaged.
    private static func repairTables(_ path: String, sweep: String, lock: LedgerLock) throws -> [String]? {
        guard (try? LedgerFile(path).check()) != nil, let ledger = try? open(path, lock: lock),
            (try? ledger.checkName(sweep)) != nil, let problems = try? ledger.check()
        else { return nil }
        if problems.isEmpty { return ["no problem found: nothing was changed"] }
        let aside = try AsideFiles.free(path)
        do {
            try SystemCall.makePrivateFile(aside)
            try ledger.queue.writeWithoutTransaction { try $0.execute(sql: "VACUUM INTO ?", arguments: [aside]) }
            try ledger.rebuild()
            guard try ledger.check().isEmpty else { throw Failure(.badArchive, "its tables cannot be rebuilt") }
        } catch {
            try SystemCall.remove(aside)
            return nil
        }
        try ledger.backUp()
        return [
            "the tables were rebuilt from \(PeopleText.count(try ledger.recordCount(), "record")) of the journal",
            "the damaged ledger is kept as \(aside)",
        ]
    }

    private static func refuseNewer(_ path: String) throws {
        guard let header = try? SystemCall.head(of: path, count: 100), header.count == 100,
            header.starts(with: Array("SQLite format 3\0".utf8))
        else { return }
        let version = header[60..<64].reduce(Int32(0)) { $0 << 8 | Int32($1) }
        if version > Schema.version { try LedgerFile.check(version: version, path: path) }
    }
}

/// A new ledger out of what can be read of a damaged one and of its last copy.
private struct LedgerRepair {
    private let path: String
    private let sweep: String
    private let damaged: Source?
    private let copy: Source?

    /// A file that may hold a part of the ledger.
    private struct Source {
        let queue: DatabaseQueue

        /// nil: nothing of it can be read, or it is another sweep's.
        init?(_ path: String, sweep: String) {
            var configuration = Configuration()
            configuration.readonly = true
            guard (try? SystemCall.size(of: path)) ?? nil != nil,
                let queue = try? DatabaseQueue(path: path, configuration: configuration)
            else { return nil }
            let name = try? queue.read { db in
                try String.fetchOne(db, sql: "SELECT value FROM meta WHERE key = 'sweep'")
            }
            // Where even its name is gone, the journal may not be.
            guard name == nil || name == sweep else { return nil }
            self.queue = queue
        }

        /// All rows of a table, or nil.
        func rows(_ sql: String) -> [Row]? {
            guard let rows = try? queue.read({ try Row.fetchAll($0, sql: sql) }), !rows.isEmpty else { return nil }
            return rows
        }

        /// Calls `body` with the records from a place on, until one is missing or damaged.
        ///
        /// - Returns: the place after the last.
        func forEachRecord(from first: Int64, _ body: (Int64, [UInt8]) throws -> Void) throws -> Int64 {
            var next = first
            var failure: (any Error)?
            // What SQLite says about damage means that the records end here.
            try? queue.read { db in
                let rows = try Row.fetchCursor(
                    db, sql: "SELECT seq, payload FROM journal WHERE seq >= ? ORDER BY seq", arguments: [first])
                while let row = try rows.next() {
                    let (sequence, payload): (Int64, Data) = try (row.value(0), row.value(1))
                    guard sequence == next, LedgerRepair.isRecord(Array(payload)) else { return }
                    do { try body(sequence, Array(payload)) } catch {
                        failure = error
                        return
                    }
                    next += 1
                }
            }
            if let failure { throw failure }
            return next
        }

        /// nil: it lacks what no ledger can be without.
        func metadata() -> [String: String]? {
            let pairs = (rows("SELECT key, value FROM meta") ?? []).compactMap { row in
                (try? (row.value(0) as String, row.value(1) as String))
            }
            let values = Dictionary(pairs, uniquingKeysWith: { first, _ in first })
            return values["specification"] == nil ? nil : values
        }

        func lastRecord() -> (sequence: Int64, payload: [UInt8])? {
            let row = try? queue.read { db in
                try Row.fetchOne(db, sql: "SELECT seq, payload FROM journal ORDER BY seq DESC LIMIT 1")
            }
            guard let row, let payload = try? row.value(1) as Data else { return nil }
            return (try? row.value(0) as Int64).map { ($0, Array(payload)) }
        }

        func record(_ sequence: Int64) -> [UInt8]? {
            let row = try? queue.read { db in
                try Data.fetchOne(db, sql: "SELECT payload FROM journal WHERE seq = ?", arguments: [sequence])
            }
            return row.map { Array($0) }
        }
    }

    init(_ path: String, sweep: String) {
        self.path = path
        self.sweep = sweep
        // An earlier try may have been ended between the old name and the new one.
        let isThere = (try? SystemCall.size(of: path)) ?? nil != nil
        damaged = Source(isThere ? path : (try? AsideFiles.last(path)) ?? path, sweep: sweep)
        copy = Source(Ledger.backupPath(path), sweep: sweep)
    }

    func make() throws -> [String] {
        let temporary = path + ".new"
        for suffix in ["", "-journal", "-wal", "-shm"] { try SystemCall.remove(temporary + suffix) }
        try SystemCall.makePrivateFile(temporary)
        let draft = try DatabaseQueue(path: temporary)
        var done: [String] = []
        try draft.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA synchronous = OFF; PRAGMA foreign_keys = ON")
            try Schema.migrate(db)
            try db.inTransaction(.immediate) {
                try putPlan(db)
                let count = try putJournal(db)
                try Journal(db, path: path).append([.restored(reason: "the ledger was damaged, and was repaired")])
                let records = PeopleText.count(count, "record")
                done.append("a new ledger was made from the \(records) of its journal that could be read")
                return .commit
            }
        }
        try draft.close()
        let aside = try AsideFiles.free(path)
        let isThere = try SystemCall.size(of: path) != nil
        for step in try AsideFiles.steps(path, to: aside) { try step() }
        if isThere { done.append("the old ledger is kept as \(aside)") }
        try SystemCall.publish(temporary, as: path)
        done.append("run what is missing: usweep resume")
        return done
    }

    /// What is given, not derived. Of two that have a row the copy is believed: in the other, it may be damaged.
    private func putPlan(_ db: Database) throws {
        let plans = [copy, damaged].compactMap {
            $0?.rows("SELECT run, kind, point, workload, repeat, setup FROM plan ORDER BY run")
        }
        guard let metadata = metadata(), !plans.isEmpty else {
            throw Failure(
                .badArchive, "neither the ledger \(path) nor a copy of it can be read; launch the sweep again with "
                    + "--new")
        }
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) { try PlanTable(db).put(key, value) }
        let insert = try db.makeStatement(
            sql: "INSERT INTO plan (run, kind, point, workload, repeat, setup) VALUES (?, ?, ?, ?, ?, ?)")
        // Runs are numbered without a gap: another number is damaged.
        var next: RunNumber = 1
        for row in plans.joined() where (try? row.value(0) as RunNumber) == next {
            try insert.execute(arguments: StatementArguments(row.databaseValues))
            next += 1
        }
        try PlanTable(db).openRuns()
    }

    /// Only notes change after a copy was made: a newer one is believed where it can be read, as all are documents.
    private func metadata() -> [String: String]? {
        let found = damaged?.metadata()
        guard var values = copy?.metadata() else { return found }
        for (key, value) in found ?? [:] where key.hasPrefix("note:") {
            if (try? JSON(parsing: Array(value.utf8))) != nil { values[key] = value }
        }
        return values
    }

    /// - Returns: how many records could be read without a gap.
    private func putJournal(_ db: Database) throws -> Int64 {
        var next: Int64 = 1
        var isConsistent = true
        func put(_ sequence: Int64, _ payload: [UInt8]) throws {
            guard isConsistent, sequence == next else { return }
            let record = try Model.Record(encoded: payload)
            do {
                try db.inSavepoint {
                    try Journal(db, path: path).append([record])
                    return .commit
                }
                next += 1
            } catch let failure as Failure where failure.code == .internalError {
                // A record of runs that the copy does not have yet: it reaches this far.
                isConsistent = false
            } catch let error as DatabaseError where error.resultCode == .SQLITE_CONSTRAINT {
                isConsistent = false
            }
        }
        let sources = isCopy() ? [copy, damaged] : [damaged, copy]
        while isConsistent {
            let before = next
            for source in sources.compactMap({ $0 }) {
                // Each goes on where the other ends, if both are of one journal.
                let last = source.record(next - 1)
                if next == 1 || last == nil || last == lastPayload(db) { _ = try source.forEachRecord(from: next, put) }
            }
            if next == before { break }
        }
        return next - 1
    }

    /// Whether the copy is known to be of the damaged journal: it is then believed as far as it reaches, since a
    /// damaged record may still be one.
    private func isCopy() -> Bool {
        guard let last = copy?.lastRecord() else { return false }
        return damaged?.record(last.sequence).map { $0 == last.payload } ?? true
    }

    private func lastPayload(_ db: Database) -> [UInt8]? {
        let row = try? Data.fetchOne(db, sql: "SELECT payload FROM journal ORDER BY seq DESC LIMIT 1")
        return row.map { Array($0) }
    }

    static func isRecord(_ payload: [UInt8]) -> Bool {
        (try? Model.Record(encoded: payload)) != nil
    }
}
