import Formats
import Foundation
import GRDB
import Model

/// The records of a database, in order and without a gap.
struct Journal {
    private let db: Database
    private let path: String

    init(_ db: Database, path: String) {
        self.db = db
        self.path = path
    }

    func forEach(after last: Int64 = 0, _ body: (Int64, Model.Record) throws -> Void) throws {
        let rows = try Row.fetchCursor(
            db, sql: "SELECT seq, payload FROM journal WHERE seq > ? ORDER BY seq", arguments: [last])
        var expected = last + 1
        while let row = try rows.next() {
            let sequence: Int64 = try row.value(0)
            guard sequence == expected else { throw damaged("record \(expected) is missing") }
            expected += 1
            try body(sequence, try decoded(row) { try Model.Record(encoded: $0) })
        }
    }

    /// Calls `body` with what ended attempts, in order. A record of another kind that is damaged is not noticed.
    func forEachEnd(_ body: (EndedAttempt) throws -> Void) throws {
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT seq, payload FROM journal WHERE kind IN ('attempt-ended', 'audit-ended', 'judged-again')
                ORDER BY seq
                """)
        while let row = try rows.next() {
            guard let ended = try decoded(row, { try EndedAttempt(encodedRecord: $0) }) else { continue }
            try body(ended)
        }
    }

    /// - Parameter row: a record's number and its bytes.
    private func decoded<Value>(_ row: Row, _ body: ([UInt8]) throws -> Value) throws -> Value {
        let (sequence, payload): (Int64, Data) = try (row.value(0), row.value(1))
        do {
            return try body(Array(payload))
        } catch {
            throw damaged("record \(sequence): \(error)")
        }
    }

    func append(_ records: [Model.Record]) throws {
        let insert = try db.cachedStatement(sql: "INSERT INTO journal (kind, payload) VALUES (?, ?)")
        let derivation = Derivation(db)
        for record in records {
            try insert.execute(arguments: [record.kind, record.encoded.data])
            try derivation.apply(record, sequence: db.lastInsertedRowID)
        }
    }

    /// Writes the derived tables anew.
    func derive() throws {
        // References between the tables need not hold until all of them are filled again.
        try db.execute(sql: "PRAGMA defer_foreign_keys = ON")
        for (table, _) in Schema.derived { try db.execute(sql: "DELETE FROM \(table)") }
        try PlanTable(db).openRuns()
        let derivation = Derivation(db)
        try forEach { try derivation.apply($1, sequence: $0) }
    }

    private func damaged(_ problem: String) -> Failure {
        Failure(
            .badArchive,
            "the journal of \(path) cannot be read; \(LedgerFile.howToRepair(path))",
            cause: problem)
    }
}

/// The part of the tables that is given, not derived.
struct PlanTable {
    private let db: Database

    init(_ db: Database) { self.db = db }

    func put(_ metadata: LedgerMetadata) throws {
        try put("sweep", metadata.sweep)
        try put("identifier", metadata.identifier)
        try put("specification", metadata.specification)
        try put("created", String(metadata.created))
        try put("tool-version", metadata.toolVersion)
        for note in metadata.notes { try put("note:" + note.name, note.value) }
    }

    func put(_ key: String, _ value: String) throws {
        try db.execute(
            sql: "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            arguments: [key, value])
    }

    /// The runs of the first specification.
    func put(_ keys: some Sequence<RunKey>) throws {
        var place = 0
        for key in keys {
            try put(key, as: place + 1, place: place)
            place += 1
        }
    }

    func put(_ key: RunKey, as run: RunNumber, place: Int? = nil) throws {
        let setup: Digest? =
            switch key {
            case .evaluation: nil
            case .setup(_, let recipe): recipe
            case .boot(let recipe): recipe
            }
        try db.cachedStatement(
            sql: "INSERT INTO plan (run, kind, point, workload, repeat, setup) VALUES (?, ?, ?, ?, ?, ?)"
        ).execute(arguments: [
            run, key.isSetup ? "setup" : "evaluation", key.point?.data, key.workload, key.repetition, setup?.data,
        ])
        let open = try db.cachedStatement(sql: "INSERT INTO runs (run, place) VALUES (?, ?)")
        try open.execute(arguments: [run, place])
    }

    /// Gives every planned run its row of the derived table, as it is before anything happened. Where there were
    /// revisions, they set the places anew.
    func openRuns() throws { try db.execute(sql: "INSERT INTO runs (run, place) SELECT run, run - 1 FROM plan") }

    /// The runs of the specification as it is now, in their order.
    func runs() throws -> RunList {
        let highest = try highestRun()
        guard let last = try Data.fetchOne(db, sql: "SELECT runs FROM revisions ORDER BY seq DESC LIMIT 1") else {
            return RunList(1..<highest + 1)
        }
        guard let runs = try? RunList(packed: Array(last)[...]), runs.highest <= highest else {
            throw damaged("the table 'revisions' names runs that the table 'plan' does not have")
        }
        return runs
    }

    /// The runs that any specification had are those from 1 to this one.
    func highestRun() throws -> RunNumber {
        guard let row = try Row.fetchOne(db, sql: "SELECT max(run), min(run), count(*) FROM plan"),
            let highest: Int = try row.value(0)
        else { return 0 }
        let (lowest, count): (Int, Int) = try (row.value(1), row.value(2))
        guard lowest == 1, highest == count else {
            let rows = PeopleText.count(count, "row")
            throw damaged("the table 'plan' has \(rows), numbered from \(lowest) to \(highest)")
        }
        return highest
    }

    private func damaged(_ problem: String) -> Failure {
        Failure(.badArchive, "a ledger is damaged; \(LedgerFile.howToRepair)", cause: problem)
    }
}

extension Digest {
    var data: Data { bytes.data }
}

extension [UInt8] {
    var data: Data { Data(self) }
}
