import Formats
import GRDB
import Model

extension Ledger {
    /// Looks for damage without changing anything: SQLite's own structure, references between the tables, every
    /// record of the journal, and whether the derived tables are what the journal gives.
    ///
    /// Takes as much memory as the derived tables take in the file.
    /// - Returns: what is wrong, in sentences; empty: nothing.
    public func check() throws -> [String] {
        try reading { db in
            var problems = try String.fetchAll(db, sql: "PRAGMA integrity_check(20)").filter { $0 != "ok" }
            // A file with broken pages tells nothing more that could be relied on.
            guard problems.isEmpty else { return problems }
            for row in try Row.fetchAll(db, sql: "PRAGMA foreign_key_check") {
                let (table, parent): (String, String) = try (row.value(0), row.value(2))
                problems.append("a row of '\(table)' refers to a row of '\(parent)' that is not there")
            }
            do {
                problems += try differences(db)
            } catch let failure as Failure {
                problems.append("\(failure)")
            } catch let error as DatabaseError where error.resultCode == .SQLITE_CONSTRAINT {
                problems.append("a record of the journal contradicts those before it: \(error.message ?? "")")
            }
            return problems
        }
    }

    /// Looks whether the numbers and failure classes of all attempts are those that the journal has: a byte of them
    /// that the disk changed is noticed by nothing else, as SQLite has no checksums. The other tables are left to
    /// ``check()``, which takes many times as long.
    ///
    /// - Throws: ``Failure`` (`badArchive`) with the first attempt of which they are not, and how to repair that.
    public func checkNumbers() throws {
        try reading { db in
            var expected: [AttemptPlace: Int] = [:]
            try Journal(db, path: path).forEachEnd { ended in
                expected[AttemptPlace(ended.id)] = Ledger.mark(ended.failure?.rawValue, ended.blocks?.text)
            }
            let rows = try Row.fetchCursor(db, sql: "SELECT run, attempt, class, blocks FROM attempts")
            var count = 0
            while let row = try rows.next() {
                let place = try AttemptPlace(run: row.value(0), attempt: row.value(1))
                let (failure, blocks): (String?, String?) = try (row.value(2), row.value(3))
                guard expected[place] == Ledger.mark(failure, blocks) else {
                    let attempt = "attempt \(place.attempt) of run \(place.run)"
                    throw damaged("what its tables say of \(attempt) is not what its journal says")
                }
                count += 1
            }
            guard count == expected.count else {
                throw damaged(
                    "its tables have \(PeopleText.count(count, "attempt")), and its journal \(expected.count)")
            }
        }
    }

    private struct AttemptPlace: Hashable {
        var run: RunNumber
        var attempt: AttemptNumber

        init(run: RunNumber, attempt: AttemptNumber) { (self.run, self.attempt) = (run, attempt) }
        init(_ id: AttemptID) { self.init(run: id.run, attempt: id.attempt) }
    }

    /// Equal for equal texts, within one process.
    private static func mark(_ failure: String?, _ blocks: String?) -> Int {
        var hasher = Hasher()
        hasher.combine(failure)
        hasher.combine(blocks)
        return hasher.finalize()
    }

    /// The derived tables made anew beside the ledger, in memory, and compared row by row.
    private func differences(_ live: Database) throws -> [String] {
        try DatabaseQueue().inDatabase { fresh in
            try Schema.migrate(fresh)
            try copyPlan(from: live, to: fresh)
            let derivation = Derivation(fresh)
            try fresh.inTransaction {
                try Journal(live, path: path).forEach { try derivation.apply($1, sequence: $0) }
                return .commit
            }
            return try Schema.derived.compactMap { table, key in
                let sql = "SELECT * FROM \(table) ORDER BY \(key)"
                let expected = try Row.fetchCursor(fresh, sql: sql)
                let found = try Row.fetchCursor(live, sql: sql)
                var number = 0
                while true {
                    let (left, right) = (try expected.next(), try found.next())
                    if left == nil, right == nil { return nil }
                    number += 1
                    if left != right { return "row \(number) of '\(table)' is not what the journal gives" }
                }
            }
        }
    }

    private func copyPlan(from live: Database, to fresh: Database) throws {
        try fresh.inTransaction {
            let insert = try fresh.makeStatement(sql: "INSERT INTO plan VALUES (?, ?, ?, ?, ?, ?)")
            let rows = try Row.fetchCursor(live, sql: "SELECT * FROM plan ORDER BY run")
            while let row = try rows.next() { try insert.execute(arguments: StatementArguments(row.databaseValues)) }
            try PlanTable(fresh).openRuns()
            return .commit
        }
    }
}
