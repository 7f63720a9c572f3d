import Foundation
import GRDB
import Model

extension Ledger {
    /// Where the last copy of a ledger is kept.
    public static func backupPath(_ path: String) -> String {
        (path.hasSuffix(".sqlite") ? String(path.dropLast(7)) : path) + ".backup.sqlite"
    }

    /// Keeps a copy of the ledger as it is now in place of the one before: whole, or not at all. A ledger with broken
    /// pages gives no copy, so that the last good one stays. Does nothing where the last copy has all records.
    public func backUp() throws {
        let backup = Ledger.backupPath(path)
        if let held = Ledger.lastRecord(of: backup), held == (try lastRecord()) { return }
        let temporary = backup + ".new"
        do {
            try SystemCall.remove(temporary)
            try SystemCall.makePrivateFile(temporary)
            try queue.writeWithoutTransaction { try $0.execute(sql: "VACUUM INTO ?", arguments: [temporary]) }
            try SystemCall.replace(backup, by: temporary)
        } catch {
            try? SystemCall.remove(temporary)
            throw Failure(ledger: path, "copied", error)
        }
    }

    /// nil: there is no such ledger, or it cannot be read.
    private static func lastRecord(of path: String) -> [UInt8]? { try? Ledger.read(path).lastRecord() }

    /// The last record with its place in front; empty: there is none.
    private func lastRecord() throws -> [UInt8] {
        try reading { db in
            let row = try Row.fetchOne(db, sql: "SELECT seq, payload FROM journal ORDER BY seq DESC LIMIT 1")
            guard let row else { return [] }
            return try Array("\(row.value(0) as Int64) ".utf8) + (row.value(1) as Data)
        }
    }
}
