public import Formats
public import Model
public import Ports
public import Storage
import Synchronization

/// The checkpoints of this user, or of a lab: made or added once, used by every sweep that they fit.
///
///     objects/              files, or the maps and packs that large ones are made of
///     bundles/SHA256        what a checkpoint is and what belongs to it (``CheckpointBundle``), by its digest
///     index/SHA256          the digest of the checkpoint that was made from all that this digest stands for
///     used/SHA256           when a sweep used or made a checkpoint last, in nanoseconds since 1970
///     names/NAME/WORKLOAD   the digest of the checkpoint that people call so
///     lock                  locked by who adds, and alone by who deletes
///
/// A setup is found by what it was made from: engine binary, guest, workload, warm-up. Nothing that a sweep does
/// depends on it: what goes wrong with the store is said, and then the checkpoint is made again.
public struct CheckpointStore: Sendable {
    /// From how many bytes on a file is kept in packs.
    public static let smallestPacked: Int64 = 256 << 10
    /// How many checkpoints are looked through for what a new one has in common with them.
    private static let mostBases = 4
    private static let additions = Mutex<Void>(())

    /// How folders in it begin that are used while a checkpoint is taken in or given away.
    private static let exchange = "exchange-"
    /// How files end that are being written.
    private static let part = ".part"

    public let folder: String
    private let files: any Files

    /// - Parameter folder: absolute; made when it is used first.
    public init(folder: String, files: any Files) {
        self.folder = folder
        self.files = files
    }

    /// The file that is locked.
    public var lock: String { "\(folder)/lock" }

    /// The objects, with all folders in place.
    public func objects() throws -> ObjectStore {
        for part in ["index", "bundles", "names", "used"] { try files.ensureFolders("\(folder)/\(part)") }
        if try files.status(lock) == nil { files.close(try files.open(lock, .update)) }
        return try ObjectStore(root: "\(folder)/objects", files: files)
    }

    // MARK: Finding

    /// Finds the checkpoint that was made from what `key` stands for, and gives it to `store`. A damaged one is not
    /// found.
    ///
    /// - Parameters:
    ///   - now: nanoseconds since 1970.
    ///   - parts: the digests of all files of a checkpoint, which it may read from the store that it is given.
    func find(
        _ key: Digest, into store: ObjectStore, now: Nanoseconds, parts: (Digest, ObjectStore) throws -> [Digest]
    ) throws -> Digest? {
        guard let text = try content("\(folder)/index/\(key.hex)", 64) else { return nil }
        let objects = try objects()
        guard let digest = Digest(hex: text), let whole = try verified(digest, in: objects, parts) else {
            try files.remove("\(folder)/index/\(key.hex)")
            return nil
        }
        for part in whole where try !store.take(part, from: objects) { return nil }
        noteUse(of: digest, now: now)
        return digest
    }

    /// Notes that a sweep uses a checkpoint. Nothing depends on it but which are removed first.
    ///
    /// It is a file that is written anew: only the owner of one may set its time, and a store may have several users.
    ///
    /// - Parameters:
    ///   - digest: of anything; what is no checkpoint is passed over.
    ///   - now: nanoseconds since 1970.
    public func noteUse(of digest: Digest, now: Nanoseconds) {
        guard (try? files.status(bundlePath(digest))) != nil else { return }
        try? write(usePath(digest), String(now))
    }

    /// When a sweep used or made a checkpoint last, in nanoseconds since 1970.
    public func lastUse(of bundle: CheckpointBundle) throws -> Nanoseconds? {
        if let text = try content(usePath(bundle.checkpoint), 32), let time = Nanoseconds(text) { return time }
        return try files.status(bundlePath(bundle.checkpoint))?.modified
    }

    private func usePath(_ checkpoint: Digest) -> String { "\(folder)/used/\(checkpoint.hex)" }

    private func bundlePath(_ checkpoint: Digest) -> String { "\(folder)/bundles/\(checkpoint.hex)" }

    /// All files of a checkpoint; nil: one is missing or damaged.
    private func verified(
        _ digest: Digest, in objects: ObjectStore, _ parts: (Digest, ObjectStore) throws -> [Digest]
    ) throws -> [Digest]? {
        guard try objects.isIntact(digest) else { return nil }
        let others = try parts(digest, objects).filter { $0 != digest }
        guard try others.allSatisfy({ try objects.isIntact($0) }) else { return nil }
        return others + [digest]
    }

    private func content(_ path: String, _ limit: Int) throws -> String? {
        try files.content(path, atMost: limit).map { String(decoding: $0, as: UTF8.self) }
    }

    // MARK: Bundles

    /// All bundles, the newest first. What is none of this version is left out.
    public func bundles() throws -> [CheckpointBundle] {
        _ = try objects()
        return try files.list("\(folder)/bundles").compactMap { entry in
            guard let digest = Digest(hex: entry.name) else { return nil }
            return try bundle(digest)
        }.sorted { ($1.madeAt ?? 0, $0.checkpoint) < ($0.madeAt ?? 0, $1.checkpoint) }
    }

    /// nil: there is none, or not of this version.
    public func bundle(_ checkpoint: Digest) throws -> CheckpointBundle? {
        guard let text = try content(bundlePath(checkpoint), Int(CheckpointBundle.longest)) else {
            return nil
        }
        return try? CheckpointBundle(Array(text.utf8))
    }

    /// Takes in a checkpoint, large files in packs, and lets `store` have them as packs, too.
    ///
    /// - Parameter store: has all its files.
    public func add(_ bundle: CheckpointBundle, from store: ObjectStore) throws {
        // One at a time: setups that end together would find nothing in common.
        try CheckpointStore.additions.withLock { _ in try addAlone(bundle, from: store) }
    }

    private func addAlone(_ bundle: CheckpointBundle, from store: ObjectStore) throws {
        let text = bundle.document.encoded + "\n"
        // Names in it become paths here: what could not be read again is not written.
        _ = try CheckpointBundle(Array(text.utf8))
        let objects = try objects()
        let bases = try bases(for: bundle, in: objects)
        for file in bundle.files {
            // A damaged one is stored once more.
            try objects.removeDamage(of: file.digest)
            if file.size >= CheckpointStore.smallestPacked, try objects.map(of: file.digest) == nil {
                if let known = try store.map(of: file.digest) {
                    _ = try objects.take(known.map.object, from: store)
                } else {
                    let like = bases.filter { $0.path == file.path.name }.map(\.map)
                    _ = try Packer.pack(
                        file.digest, at: store.path(file.digest), files, into: objects, bases: like)
                }
            }
            guard try objects.take(file.digest, from: store), try store.take(file.digest, from: objects) else {
                throw Failure(.storage, "its file \(file.path) is missing")
            }
        }
        try write(bundlePath(bundle.checkpoint), text)
        if let key = bundle.key { try write("\(folder)/index/\(key.hex)", bundle.checkpoint.hex) }
    }

    /// Maps of what is likely to have much in common with a new checkpoint: the same files of those of its engine.
    private func bases(
        for bundle: CheckpointBundle, in objects: ObjectStore
    ) throws -> [(path: Substring, map: ObjectMap)] {
        var bases: [(path: Substring, map: ObjectMap)] = []
        let others = try bundles().filter { $0.engine == bundle.engine && $0.checkpoint != bundle.checkpoint }
        for other in others.prefix(CheckpointStore.mostBases) {
            for file in other.files {
                if let found = try objects.map(of: file.digest) { bases.append((file.path.name, found.map)) }
            }
        }
        return bases
    }

    private func write(_ path: String, _ text: String) throws {
        // One of its own: another process may write the same.
        let temporary = "\(path).\(files.processMark)\(CheckpointStore.part)"
        try files.replace(path, with: Array(text.utf8), by: temporary)
        if let end = path.lastIndex(of: "/") { try files.syncFolder(String(path[..<end])) }
    }

    // MARK: Names

    /// Gives a checkpoint a name, which stands for one a workload; another that had it loses it.
    public func name(_ bundle: CheckpointBundle, _ name: String) throws {
        _ = try objects()
        try files.ensureFolders("\(folder)/names/\(name)")
        try write("\(folder)/names/\(name)/\(bundle.workload)", bundle.checkpoint.hex)
    }

    /// All names, with the workload and the digest that each stands for.
    public func names() throws -> [(name: String, workload: String, checkpoint: Digest)] {
        _ = try objects()
        var names: [(name: String, workload: String, checkpoint: Digest)] = []
        for name in try files.list("\(folder)/names") where name.kind == .folder {
            let workloads = try files.list("\(folder)/names/\(name.name)")
            for workload in workloads where !workload.name.hasSuffix(CheckpointStore.part) {
                let path = "\(folder)/names/\(name.name)/\(workload.name)"
                guard let digest = try content(path, 64).flatMap({ Digest(hex: $0) }) else { continue }
                names.append((name.name, workload.name, digest))
            }
        }
        return names
    }

    // MARK: Exchange

    /// A folder in the store's own, so that files need not be copied; it is gone afterwards. Those of processes that
    /// were killed go first: they may hold many gigabytes.
    ///
    /// - Parameter name: that no other one of this process has now.
    public func withExchange<Result>(_ name: String, _ body: (String) throws -> Result) throws -> Result {
        let path = "\(folder)/\(CheckpointStore.exchange)\(name).\(files.processMark)"
        try files.ensureFolders(path)
        defer { try? files.removeTree(path) }
        for entry in try files.list(folder)
        where entry.name.hasPrefix(CheckpointStore.exchange) && LocalFiles.isAbandoned(entry.name) {
            // Another one may do the same.
            try? files.removeTree("\(folder)/\(entry.name)")
        }
        return try body(path)
    }

    // MARK: Removing

    /// Forgets a checkpoint; its files stay until ``collect()``.
    public func remove(_ checkpoint: Digest) throws {
        _ = try objects()
        try files.removeTree(bundlePath(checkpoint))
        try files.removeTree(usePath(checkpoint))
        for entry in try files.list("\(folder)/index") {
            let path = "\(folder)/index/\(entry.name)"
            if try content(path, 64) == checkpoint.hex { try files.removeTree(path) }
        }
        for name in try names() where name.checkpoint == checkpoint {
            try files.removeTree("\(folder)/names/\(name.name)/\(name.workload)")
            if try files.list("\(folder)/names/\(name.name)").isEmpty {
                try files.removeTree("\(folder)/names/\(name.name)")
            }
        }
    }

    /// Deletes what belongs to no checkpoint. Nobody may add meanwhile.
    ///
    /// - Returns: how many bytes that were.
    @discardableResult
    public func collect() throws -> Int64 {
        let objects = try objects()
        var needed: Set<Digest> = []
        // Also those of a bundle that a newer program wrote: whatever digests stand in it.
        for entry in try files.list("\(folder)/bundles") where Digest(hex: entry.name) != nil {
            let text = try content("\(folder)/bundles/\(entry.name)", Int(CheckpointBundle.longest)) ?? ""
            needed.formUnion(Digest.all(in: Array(text.utf8)))
        }
        // Those of an older version have no bundle: what the index names, and what stands in that.
        for entry in try files.list("\(folder)/index") {
            guard let digest = try content("\(folder)/index/\(entry.name)", 64).flatMap({ Digest(hex: $0) }) else {
                continue
            }
            needed.formUnion(try objects.named(by: digest, atMost: CheckpointBundle.longest))
        }
        try objects.removeNotes(keeping: needed)
        needed.formUnion(try objects.parts(of: needed))
        var freed: Int64 = 0
        for object in try objects.all() where !needed.contains(object) {
            freed += try objects.size(object) ?? 0
            try objects.remove(object)
        }
        // What a process left that was killed.
        try objects.removePartial()
        for entry in try files.list(folder) where entry.name.hasPrefix(CheckpointStore.exchange) {
            try files.removeTree("\(folder)/\(entry.name)")
        }
        for place in ["bundles", "index", "used"] {
            for entry in try files.list("\(folder)/\(place)") where Digest(hex: entry.name) == nil {
                try files.removeTree("\(folder)/\(place)/\(entry.name)")
            }
        }
        return freed
    }
}

extension String {
    /// The last part of a path.
    fileprivate var name: Substring { split(separator: "/").last ?? "" }
}
