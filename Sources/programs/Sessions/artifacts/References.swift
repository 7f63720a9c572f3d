import Ledger
import Model
import Storage

/// The objects that sweeps refer to, which must not be deleted.
struct References {
    /// Objects that name others, such as the record of a checkpoint, are no longer than this.
    private static let longestRecord: Int64 = 4 << 20

    private let store: ObjectStore
    private(set) var all: Set<Digest> = []

    init(_ store: ObjectStore) { self.store = store }

    /// Adds all that a sweep refers to: what attempts left, inputs, pins, and what the objects that pins name refer to
    /// in turn.
    ///
    /// - Throws: ``Failure`` where the ledger cannot be read: nobody knows then what has to be kept.
    mutating func add(_ entry: ArtifactsFolder.Entry) throws {
        do {
            try addAll(entry)
        } catch let failure as Failure where failure.code == .badArchive {
            throw Failure(
                .badArchive, "the ledger of \(entry.fullName) cannot be read, so it is not known which files it "
                    + "needs. Repair it: \(entry.command("doctor --ledger --repair")), or remove the sweep: "
                    + entry.command("rm"), cause: "\(failure)")
        }
    }

    private mutating func addAll(_ entry: ArtifactsFolder.Entry) throws {
        let ledger = try Ledger.read(entry.ledger, sweep: entry.name)
        try ledger.forEachObject { all.insert($0) }
        let metadata = try ledger.metadata()
        for input in try Document.sweep(metadata.specification).inputs { all.insert(input.digest) }
        // What runs were started with, for those who run them again.
        for note in metadata.notes where [Reproduction.machineNote, Reproduction.originNote].contains(note.name) {
            all.formUnion(Digest.all(in: Array(note.value.utf8)))
        }
        for pin in try ledger.pins() {
            all.formUnion(try store.named(by: pin.digest, atMost: References.longestRecord))
        }
        all.formUnion(try store.parts(of: all))
    }
}
