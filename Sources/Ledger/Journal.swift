import Foundation
import GRDB
import Model
import Wire

/// The records of a database, in order and without a gap.
struct Journal {
    private let db: Database
    private let path: String

    init(_ db: Database, path: String) {
        self.db = db
        self.path = path
    }

    func forEach(_ body: (Int64, Model.Record) throws -> Void) throws {
        let rows = try Row.fetchCursor(db, sql: "SELECT seq, payload FROM journal ORDER BY seq")
        var expected: Int64 = 1
        while let row = try rows.next() {
            let sequence: Int64 = row[0]
            guard sequence == expected else { throw damaged("record \(expected) is missing") }
            expected += 1
            let payload: Data = row[1]
            let record: Model.Record
            do {
                var reader = ByteReader(Array(payload))
                record = try reader.record()
                try reader.end()
            } catch {
                throw damaged("record \(sequence): \(error)")
            }
            try body(sequence, record)
        }
    }

    private func damaged(_ problem: String) -> Failure {
        Failure(
            .badArchive,
            "the journal of \(path) cannot be read; use the program that wrote it, or restore it from a copy",
            cause: problem)
    }
}

/// The part of the tables that is given, not derived.
struct Plan {
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

    func put(_ runs: some Sequence<PlannedRun>) throws {
        let plan = try db.cachedStatement(
            sql: "INSERT INTO plan (run, kind, point_index, point, workload, repeat) VALUES (?, ?, ?, ?, ?, ?)")
        let open = try db.cachedStatement(sql: "INSERT INTO runs (run) VALUES (?)")
        for run in runs {
            try plan.execute(arguments: [
                run.run, run.kind.rawValue, run.pointIndex, run.point?.data, run.workload, run.repetition,
            ])
            try open.execute(arguments: [run.run])
        }
    }

    /// Gives every planned run its row of the derived table, as it is before anything happened.
    func openRuns() throws { try db.execute(sql: "INSERT INTO runs (run) SELECT run FROM plan") }
}

extension Digest {
    var data: Data { bytes.data }
}

extension [UInt8] {
    var data: Data { Data(self) }
}
