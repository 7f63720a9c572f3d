import Model

/// The names under which damaged ledgers are kept beside the one that was made of them: `ledger.damaged-1.sqlite` and
/// so on, each with its write-ahead log.
enum AsideFiles {
    private static let logs = ["-wal", "-shm"]

    /// Where a damaged ledger can be put.
    static func free(_ path: String) throws -> String {
        var number = 1
        while try SystemCall.size(of: name(path, number)) != nil { number += 1 }
        return name(path, number)
    }

    /// The last one; nil: there is none.
    static func last(_ path: String) throws -> String? {
        var number = 1
        while try SystemCall.size(of: name(path, number)) != nil { number += 1 }
        return number == 1 ? nil : name(path, number - 1)
    }

    private static func name(_ path: String, _ number: Int) -> String {
        let stem = path.hasSuffix(".sqlite") ? String(path.dropLast(7)) : path
        return "\(stem).damaged-\(number).sqlite"
    }

    /// What puts a ledger aside, in an order in which a kill after any step loses nothing: a ledger is under neither
    /// name without its log, whose last commits would be lost without a word.
    static func steps(_ path: String, to aside: String) throws -> [() throws -> Void] {
        let isThere = try SystemCall.size(of: path) != nil
        // The ledger itself comes last under the new name, and goes first under the old one. Logs without a ledger are
        // left of an earlier try, which has put them aside.
        let links = isThere ? try (logs + [""]).filter { try SystemCall.size(of: path + $0) != nil } : []
        return logs.map { suffix in { try SystemCall.remove(aside + suffix) } }
            + links.map { suffix in { try SystemCall.link(path + suffix, as: aside + suffix) } }
            + [{ try SystemCall.synchronizeFolder(of: path) }]
            + ([""] + logs).map { suffix in { try SystemCall.remove(path + suffix) } }
    }
}
