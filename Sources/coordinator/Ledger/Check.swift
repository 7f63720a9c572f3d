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
