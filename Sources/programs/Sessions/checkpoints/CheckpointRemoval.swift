package import CoordinatorRuntime
package import Formats
package import Model
import Ports

/// Removes checkpoints from the store, and what belongs to no other.
package enum CheckpointRemoval {
    /// Those that have no name and that no sweep has used for so many nanoseconds.
    package static func unused(
        for term: Nanoseconds, in store: CheckpointStore = Caches.checkpoints
    ) throws -> [CheckpointBundle] {
        let named = Set(try store.names().map(\.checkpoint))
        let latest = SystemTime().wall() - term
        return try store.bundles().filter { bundle in
            try !named.contains(bundle.checkpoint) && store.lastUse(of: bundle) ?? .max < latest
        }
    }

    /// Deletes what belongs to no checkpoint.
    ///
    /// - Returns: how many bytes were freed; nil: somebody may be adding some.
    package static func collect(_ store: CheckpointStore = Caches.checkpoints) throws -> Int64? {
        guard let use = try ArtifactsUse.deleting(in: store) else { return nil }
        defer { withExtendedLifetime(use) {} }
        return try store.collect()
    }

    /// - Parameter chosen: asked first, so that what is not there is told without keeping anybody out, and again once
    ///   nobody can use or add a checkpoint any more.
    /// - Returns: what was removed, and how many bytes were freed.
    /// - Throws: ``Failure`` (`heldElsewhere`) while a sweep may add to the store.
    package static func remove(
        from store: CheckpointStore = Caches.checkpoints, _ chosen: () throws -> [CheckpointBundle]
    ) throws -> (bundles: [CheckpointBundle], freed: Int64) {
        _ = try chosen()
        guard let use = try ArtifactsUse.deleting(in: store) else {
            throw Failure(
                .heldElsewhere, "the checkpoints in \(store.folder) are in use, by a sweep or by usweep checkpoint "
                    + "add, import or export; try again when that has ended")
        }
        defer { withExtendedLifetime(use) {} }
        let bundles = try chosen()
        for bundle in bundles { try store.remove(bundle.checkpoint) }
        return (bundles, try store.collect())
    }
}
