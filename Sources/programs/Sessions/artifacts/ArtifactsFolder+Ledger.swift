import Ledger
import Model

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
}
