import Foundation
import GRDB
import Model

/// What can be said of a ledger's file before SQLite is let near it, so that a wrong file stays as it is.
struct LedgerFile {
    private static let headerSize = 100
    private static let magic = Array("SQLite format 3\0".utf8)
    /// What to do about a ledger that cannot be read.
    static let howToRepair =
        "'usweep doctor --ledger --repair' repairs it as far as its journal and its last copy reach"

    /// The same where it is known which one: `ARTIFACTS/NAME-IDENTIFIER/ledger.sqlite`.
    static func howToRepair(_ path: String) -> String {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count > 3, let identifier = parts[parts.count - 2].split(separator: "-").last else {
            return howToRepair
        }
        let artifacts = ShellWord.quoted(parts.dropLast(2).joined(separator: "/"))
        return "repair it as far as its journal and its last copy reach: "
            + "usweep doctor --ledger --repair \(identifier) --artifacts \(artifacts)"
    }

    private let path: String

    init(_ path: String) { self.path = path }

    /// - Throws: ``Failure``: `missingFile`, `badArchive` or `storage`, with what to do.
    func check() throws {
        guard let size = try SystemCall.size(of: path) else {
            let hasCopy = try SystemCall.size(of: Ledger.backupPath(path)) != nil
            let advice = hasCopy ? LedgerFile.howToRepair(path) : "'usweep launch' makes one"
            throw Failure(.missingFile, "there is no ledger \(path); \(advice)")
        }
        let header = try SystemCall.head(of: path, count: LedgerFile.headerSize)
        guard header.starts(with: LedgerFile.magic) || size == 0 else {
            throw Failure(
                .badArchive, "\(path) is not a ledger: it is not a SQLite database; \(LedgerFile.howToRepair(path))")
        }
        guard header.count == LedgerFile.headerSize else { throw truncated(size: size, wanted: nil) }
        guard field(header, at: 68) == UInt32(bitPattern: Schema.applicationID) else {
            throw Failure(.badArchive, "\(path) is a database of another program; name a ledger.sqlite of usweep")
        }
        try LedgerFile.check(version: Int32(bitPattern: field(header, at: 60)), path: path)
        // While a write-ahead log stands beside it, the file may rightly be shorter than it says.
        let wanted = Int64(field(header, at: 28)) * pageSize(header)
        let log = try SystemCall.size(of: path + "-wal") ?? 0
        if size < wanted, log == 0 { throw truncated(size: size, wanted: wanted) }
    }

    /// What SQLite must be told to open it for reading. Readers of a write-ahead log share a file beside it; where
    /// that cannot be made, and there is no log, nobody writes, so that SQLite may be told to go without.
    func nameForReading() throws -> String {
        let isClosed = try SystemCall.size(of: path + "-wal") == nil
        guard isClosed, !SystemCall.canMakeFiles(beside: path) else { return path }
        let address = path.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed) ?? path
        return "file:\(address)?immutable=1"
    }

    static func check(version: Int32, path: String) throws {
        if version > Schema.version {
            throw Failure(
                .badArchive,
                "\(path) was written by a newer usweep: its version is \(version), and this usweep knows versions up "
                    + "to \(Schema.version). Nothing was changed; use that usweep, or upgrade this one")
        }
        if version < 1 { throw Failure(.badArchive, "\(path) has no version; \(LedgerFile.howToRepair(path))") }
    }

    private func truncated(size: Int64, wanted: Int64?) -> Failure {
        let lack = wanted.map { "\($0) bytes were written, \(size) are there" } ?? "it has only \(size) bytes"
        return Failure(
            .badArchive, "\(path) is cut short: \(lack); \(LedgerFile.howToRepair(path))")
    }

    /// Big-endian, as all numbers of SQLite's file header.
    private func field(_ header: [UInt8], at offset: Int) -> UInt32 {
        header[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }

    private func pageSize(_ header: [UInt8]) -> Int64 {
        let size = Int64(header[16]) << 8 | Int64(header[17])
        return size == 1 ? 65_536 : size
    }
}

extension Failure {
    /// Failures stay as they are; errors of SQLite are named with the file.
    init(ledger path: String, _ doing: String, _ error: any Error) {
        if let failure = error as? Failure {
            self = failure
            return
        }
        let cause = (error as? DatabaseError).map { "\($0.message ?? "SQLite error \($0.resultCode)")" } ?? "\(error)"
        if let error = error as? DatabaseError, [.SQLITE_CORRUPT, .SQLITE_NOTADB].contains(error.resultCode) {
            self.init(.badArchive, "the ledger \(path) is damaged; \(LedgerFile.howToRepair(path))", cause: cause)
            return
        }
        let advice = "see that the disk has space and the folder can be written, then 'usweep resume'"
        self.init(.storage, "the ledger \(path) cannot be \(doing); \(advice)", cause: cause)
    }
}
