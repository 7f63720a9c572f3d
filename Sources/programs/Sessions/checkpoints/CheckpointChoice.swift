package import CoordinatorRuntime
import Engines
package import Formats
import Model
import Storage

/// Finds the checkpoints that somebody names.
package struct CheckpointChoice {
    private let store: CheckpointStore
    private let bundles: [CheckpointBundle]
    private let names: [(name: String, workload: String, checkpoint: Digest)]

    package init(_ store: CheckpointStore = Caches.checkpoints) throws {
        try Caches.checkNamedStore()
        self.store = store
        bundles = try store.bundles()
        names = try store.names()
    }

    /// Those that a word stands for: a name, a name with a workload (`NAME/WORKLOAD`), a digest or its beginning.
    ///
    /// - Throws: ``Failure``: `missingFile` where there is none, `usage` where the beginning of a digest fits several.
    package func find(_ word: String) throws -> [CheckpointBundle] {
        let parts = word.split(separator: "/", maxSplits: 1).map(String.init)
        let named = names.filter { $0.name == parts.first && (parts.count == 1 || $0.workload == parts[1]) }
        let found = bundles.filter { bundle in named.contains { $0.checkpoint == bundle.checkpoint } }
        guard named.isEmpty || !found.isEmpty else {
            throw Failure(
                .missingFile, "the checkpoint that is called '\(Names.shown(word))' is no longer here; see "
                    + "which are: usweep checkpoint list")
        }
        guard found.isEmpty else { return found }
        let ofName = names.filter { $0.name == parts.first }.map { "\($0.name)/\($0.workload)" }
        guard ofName.isEmpty else {
            throw Failure(
                .missingFile, "there is no checkpoint '\(Names.shown(word))'; there are: "
                    + PeopleText.list(ofName, atMost: 20))
        }
        let byDigest = word.utf8.count >= 4 ? bundles.filter { $0.checkpoint.hex.hasPrefix(word) } : []
        guard byDigest.count < 2 else {
            throw Failure(
                .usage, "'\(Names.shown(word))' begins the digests of "
                    + "\(PeopleText.count(byDigest.count, "checkpoint")); write more of it, as in: "
                    + "usweep checkpoint list --output json")
        }
        guard byDigest.isEmpty else { return byDigest }
        let known = Set(names.map(\.name)).sorted()
        throw Failure(
            .missingFile, "there is no checkpoint '\(Names.shown(word))'; "
                + (known.isEmpty
                    ? "see which there are: usweep checkpoint list"
                    : Names.suggestion(word, in: known, listedBy: "usweep checkpoint list")))
    }

    /// The names of a checkpoint.
    package func names(of bundle: CheckpointBundle) -> [String] {
        names.filter { $0.checkpoint == bundle.checkpoint }.map(\.name)
    }

    /// The one of a workload that a sweep file names.
    func stored(_ word: String, of workload: String) throws -> StoredCheckpoint {
        let found = try find(word)
        guard let bundle = found.first(where: { $0.workload == workload }) else {
            let others = PeopleText.list(found.map { "'\($0.workload)'" }, atMost: 8)
            throw Failure(
                .badSpecification, "checkpoint: '\(Names.shown(word))' has no checkpoint of workload '\(workload)', "
                    + "only of \(others)")
        }
        let objects = try store.objects()
        let files = bundle.files.map { file in
            InputFile(
                path: file.path, source: objects.path(file.digest), digest: file.digest, size: file.size,
                isExecutable: false)
        }
        var record: [UInt8]?
        if let size = try objects.size(bundle.checkpoint), size <= CheckpointBundle.longest {
            record = try objects.read(bundle.checkpoint, at: 0, count: Int(size))
        }
        return StoredCheckpoint(engine: bundle.engine, digest: bundle.checkpoint, files: files, record: record)
    }
}
