import Ledger
package import Model

extension ArtifactsFolder.Entry {
    /// Looks at SQLite's structure, the references between tables, every record, and whether the tables are what the
    /// journal gives.
    ///
    /// - Returns: what is wrong, a sentence each.
    package func checkLedger() throws -> [String] { try Ledger.read(ledger, sweep: name).check() }

    /// Writes a damaged ledger anew from its journal and its copy; the damaged file is kept.
    ///
    /// - Returns: what was done, a sentence each.
    package func repairLedger() throws -> [String] { try Ledger.repair(ledger, sweep: name) }

    /// - Parameters:
    ///   - problems: what is wrong with the ledger; after a repair, what still is.
    ///   - done: what a repair did; nil: there was none.
    package func ledgerDocument(_ problems: [String], done: [String]? = nil) -> JSON {
        .object([
            JSON.Member("version", .integer(1)), JSON.Member("sweep", .string(name)),
            JSON.Member("id", .string(identifier)), JSON.Member("problems", .array(problems.map { .string($0) })),
        ] + (done.map { [JSON.Member("done", .array($0.map { .string($0) }))] } ?? []))
    }
}
