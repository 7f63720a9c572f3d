package import CoordinatorRuntime
package import Formats
import Foundation
import Model
import Storage

/// A checkpoint as one file for somebody else: its bundle, and its objects (``ObjectArchive``).
package struct CheckpointArchive {
    private static let archive = ObjectArchive(document: "bundle.json", kind: "a checkpoint")
    private let store: CheckpointStore

    package init(_ store: CheckpointStore = Caches.checkpoints) { self.store = store }

    /// - Parameter path: absolute; an archive that is there is replaced once this one is whole.
    package func write(_ bundle: CheckpointBundle, to path: String) throws {
        let use = try ArtifactsUse.adding(to: store)
        defer { withExtendedLifetime(use) {} }
        let objects = try store.objects()
        for file in bundle.files where try !objects.isIntact(file.digest) {
            throw Failure(
                .badArchive, "the checkpoint \(bundle.checkpoint.short) is damaged; see what is wrong with it: usweep "
                    + "checkpoint verify \(bundle.checkpoint.short)")
        }
        try store.withExchange(UUID().uuidString) { folder in
            try CheckpointArchive.archive.write(
                bundle.document.encoded + "\n", bundle.files.map(\.digest), of: objects, in: folder, to: path)
        }
    }

    /// Takes in a checkpoint. Everything in the archive is checked before any of it counts.
    ///
    /// - Parameter path: absolute.
    /// - Throws: ``Failure``: `badArchive` for an archive that is damaged, or holds anything else.
    package func read(_ path: String) throws -> CheckpointBundle {
        let use = try ArtifactsUse.adding(to: store)
        defer { withExtendedLifetime(use) {} }
        let archive = CheckpointArchive.archive
        return try store.withExchange(UUID().uuidString) { folder in
            let staged = try ObjectStore(root: "\(folder)/staged", files: LocalFiles())
            let bundle = try CheckpointBundle(try archive.read(path, in: folder, into: staged))
            for file in bundle.files {
                try archive.check(file.digest, size: file.size, name: file.path, in: staged, path)
            }
            if let known = try store.bundle(bundle.checkpoint) {
                guard known.hasSameContent(as: bundle) else {
                    throw archive.damaged(
                        path, "a checkpoint with the same digest is already here, but was made from something else: "
                            + bundle.checkpoint.short)
                }
            }
            try store.add(bundle, from: staged)
            return bundle
        }
    }
}
