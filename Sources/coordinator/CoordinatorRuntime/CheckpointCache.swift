import Model
public import Ports
import Storage

/// Checkpoints that earlier sweeps of this user made, so that a guest is booted and warmed once, not once a sweep.
///
/// A checkpoint is found by the digest of everything that it depends on: engine binary, guest, workload, warm-up. The
/// entry is a file of that name with the digest of the checkpoint, which lies with all its files in an object store
/// beside it. A cache is a convenience: what goes wrong with it is said, and stops nothing.
public struct CheckpointCache: Sendable {
    private let folder: String
    private let files: any Files

    /// - Parameter folder: absolute; made when it is used first.
    public init(folder: String, files: any Files) {
        self.folder = folder
        self.files = files
    }

    /// The objects, with all folders in place.
    private func objects() throws -> ObjectStore {
        var path = ""
        for part in "\(folder)/index".split(separator: "/") {
            path += "/\(part)"
            if try files.status(path) == nil { try files.makeFolder(path) }
        }
        return try ObjectStore(root: "\(folder)/objects", files: files)
    }

    /// Finds a checkpoint and puts it into `store`. A damaged entry is thrown away and not found.
    ///
    /// - Parameter parts: the digests of all files of a checkpoint, which it may read from the store that it is given.
    func find(
        _ key: Digest, into store: ObjectStore, parts: (Digest, ObjectStore) throws -> [Digest]
    ) throws -> Digest? {
        guard try files.status(path(key)) != nil else { return nil }
        let entry = try files.open(path(key), .read)
        defer { files.close(entry) }
        let text = String(decoding: try files.read(entry, at: 0, count: 64), as: UTF8.self)
        let objects = try objects()
        guard let digest = Digest(hex: text), let whole = try verified(digest, in: objects, parts) else {
            try files.remove(path(key))
            return nil
        }
        for part in whole { _ = try store.publish(file: objects.path(part)) }
        return digest
    }

    /// All files of a checkpoint; nil: one is missing or damaged.
    private func verified(
        _ digest: Digest, in objects: ObjectStore, _ parts: (Digest, ObjectStore) throws -> [Digest]
    ) throws -> [Digest]? {
        func isWhole(_ object: Digest) throws -> Bool { try objects.contains(object) && objects.verify(object) }
        guard try isWhole(digest) else { return nil }
        let others = try parts(digest, objects).filter { $0 != digest }
        guard try others.allSatisfy(isWhole) else { return nil }
        return others + [digest]
    }

    /// - Parameter parts: the digests of all its files.
    func add(_ key: Digest, _ digest: Digest, _ parts: [Digest], from store: ObjectStore) throws {
        let objects = try objects()
        for part in parts { _ = try objects.publish(file: store.path(part)) }
        let temporary = path(key) + ".part"
        try files.removeTree(temporary)
        let entry = try files.open(temporary, .create)
        defer { files.close(entry) }
        try files.write(entry, at: 0, Array(digest.hex.utf8))
        try files.sync(entry)
        try files.rename(temporary, to: path(key))
        try files.syncFolder("\(folder)/index")
    }

    private func path(_ key: Digest) -> String { "\(folder)/index/\(key.hex)" }
}
