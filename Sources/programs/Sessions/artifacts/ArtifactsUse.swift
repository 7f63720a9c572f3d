import CoordinatorRuntime
import Glibc
import Model
import Storage

/// Who has the objects of an artifacts folder, or of the store of checkpoints: any number of sessions that add to them,
/// or one that deletes.
///
/// It is a lock of the folder `objects` itself, which the kernel lets go of when the process ends; in the store of
/// checkpoints, which may be on a file system that locks no folders (NFS), of a file.
final class ArtifactsUse: Sendable {
    private let descriptor: Int32

    private convenience init?(_ objects: ObjectStore, _ operation: Int32) throws {
        try self.init(objects.root, open(objects.root, O_RDONLY | O_DIRECTORY | O_CLOEXEC), operation)
    }

    private convenience init?(_ store: CheckpointStore, _ operation: Int32) throws {
        try self.init(store.lock, open(store.lock, O_RDWR | O_CLOEXEC | O_NOFOLLOW), operation)
    }

    private init?(_ path: String, _ descriptor: Int32, _ operation: Int32) throws {
        self.descriptor = descriptor
        guard descriptor >= 0 else {
            throw Failure(.storage, "\(path) cannot be opened", cause: String(cString: strerror(errno)))
        }
        if flock(descriptor, operation | LOCK_NB) == 0 { return }
        let reason = errno
        guard reason == EWOULDBLOCK else {
            throw Failure(.storage, "\(path) cannot be locked", cause: String(cString: strerror(reason)))
        }
        // The descriptor is closed with what was to be this object.
        return nil
    }

    deinit {
        // Closing alone would not do while a child, between fork and exec, has the descriptor too.
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }

    /// - Throws: ``Failure`` (`heldElsewhere`) while somebody deletes.
    static func adding(to folder: ArtifactsFolder) throws -> ArtifactsUse {
        guard let use = try ArtifactsUse(try folder.objects(), LOCK_SH) else {
            throw Failure(
                .heldElsewhere, "another process is deleting files in \(folder.path) (usweep rm or gc); launch again "
                    + "when it has ended")
        }
        return use
    }

    /// - Throws: ``Failure`` (`heldElsewhere`) while somebody deletes.
    static func adding(to store: CheckpointStore) throws -> ArtifactsUse {
        try Caches.checkNamedStore()
        _ = try store.objects()
        guard let use = try ArtifactsUse(store, LOCK_SH) else {
            throw Failure(
                .heldElsewhere, "another process is deleting checkpoints in \(store.folder) (usweep checkpoint "
                    + "remove); try again when it has ended")
        }
        return use
    }

    /// Nil: somebody may add.
    static func deleting(in objects: ObjectStore) throws -> ArtifactsUse? { try ArtifactsUse(objects, LOCK_EX) }

    /// Nil: somebody may add.
    static func deleting(in store: CheckpointStore) throws -> ArtifactsUse? {
        try Caches.checkNamedStore()
        _ = try store.objects()
        return try ArtifactsUse(store, LOCK_EX)
    }
}
