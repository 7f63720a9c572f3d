import Formats
package import Ledger
package import Model

/// What a ledger keeps as text: the specification and the inventory.
package enum Document {
    /// - Throws: ``Failure`` (`badArchive`) with what to do.
    package static func sweep(_ text: String) throws(Failure) -> Sweep {
        do {
            return try Sweep(document: text)
        } catch {
            throw failure("specification", error)
        }
    }

    /// - Throws: ``Failure`` (`badArchive`) with what to do.
    package static func inventory(_ text: String) throws(Failure) -> Inventory {
        do {
            return try Inventory(document: text)
        } catch {
            throw failure("inventory", error)
        }
    }

    /// The note of a ledger with the inventory that the sweep was launched or resumed with last.
    package static let inventoryNote = "inventory"

    /// The note of a ledger with why its last coordinator ended before everything was done; empty: none did.
    static let endNote = "end"

    /// - Throws: ``Failure`` (`badArchive`) with what to do.
    package static func inventory(of metadata: LedgerMetadata) throws(Failure) -> Inventory {
        try inventory(metadata.notes.first { $0.name == inventoryNote }?.value ?? "")
    }

    private static func failure(_ what: String, _ error: WireError) -> Failure {
        guard error.isNews else {
            return Failure(.badArchive, "the ledger's \(what) cannot be read", cause: error.message)
        }
        return Failure(
            .badArchive, "the ledger's \(what) was written by a newer usweep: this one does not know \(error.message). "
                + "Nothing was changed; use that usweep, or upgrade this one")
    }
}
