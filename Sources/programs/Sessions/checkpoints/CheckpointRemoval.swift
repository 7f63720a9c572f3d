package import CoordinatorRuntime
package import Formats
import Model

/// Removes checkpoints from the store, and what belongs to no other.
package enum CheckpointRemoval {
    /// - Returns: how many bytes were freed.
    /// - Throws: ``Failure`` (`heldElsewhere`) while a sweep may add to the store.
    package static func remove(
        _ bundles: [CheckpointBundle], from store: CheckpointStore = Caches.checkpoints
    ) throws -> Int64 {
        guard let use = try ArtifactsUse.deleting(in: try store.objects()) else {
            throw Failure(
                .heldElsewhere, "the checkpoints in \(store.folder) are in use, by a sweep or by usweep checkpoint "
                    + "add, import or export; try again when that has ended")
        }
        defer { withExtendedLifetime(use) {} }
        for bundle in bundles { try store.remove(bundle.checkpoint) }
        return try store.collect()
    }
}
