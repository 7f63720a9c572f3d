import Formats
public import Model
public import Ports
import Storage
import Synchronization

/// The checkpoints that users of a lab have in common, on a machine that each reaches by SSH: a setup that one of them
/// ran is not run by the others.
///
/// A sweep works with its user's own store. What it looks for and does not find there is fetched from the common one,
/// checked, and added; what it made or found is given to it. Nothing depends on it: if it is away the sweep goes on,
/// and the next one gives what this one could not.
public final class CommonCheckpoints: Sendable {
    private struct State {
        /// Checkpoints that may be missing there.
        var offered: [Digest] = []
        var given: Set<Digest> = []
        /// It was not to be reached: this sweep does not wait for it again.
        var isAway = false
    }

    private let place: CommonStore
    private let own: CheckpointStore
    private let transport: any Transport
    private let files: any Files
    private let state = Mutex(State())
    /// One gives at a time.
    private let giving = Mutex<Void>(())

    public init(_ place: CommonStore, own: CheckpointStore, transport: any Transport, files: any Files) {
        self.place = place
        self.own = own
        self.transport = transport
        self.files = files
    }

    // MARK: Fetching

    /// Fetches the checkpoint that was made from what `key` stands for into the user's own store.
    ///
    /// - Parameter now: nanoseconds since 1970.
    /// - Returns: whether there is one; false also where an earlier try did not reach the store.
    /// - Throws: ``Failure`` for a store that cannot be used, or that holds something else than it says.
    func fetch(_ key: Digest, now: Nanoseconds) throws -> Bool {
        if state.withLock({ $0.isAway }) { return false }
        let stream = try open()
        defer { stream.close() }
        guard let bundle = try bundle(of: key, stream) else { return false }
        do {
            try own.withExchange("common") { folder in
                let staged = try ObjectStore(root: "\(folder)/staged", files: files)
                let known = try own.objects()
                for file in bundle.files { try bring(file, stream, known, into: staged) }
                try own.add(bundle, from: staged)
            }
        } catch let failure as Failure where failure.code == .badArchive {
            // Whoever makes the checkpoint again gives it.
            try stream.drop(CommonCheckpoints.index(key))
            throw Failure(.badArchive, "\(failure.message). It is no longer offered there, and is made again")
        }
        try? stream.put("used/\(bundle.checkpoint.hex)", Array(String(now).utf8))
        state.withLock { _ = $0.given.insert(bundle.checkpoint) }
        return true
    }

    private func open() throws -> CommonStoreStream {
        do {
            return try CommonStoreStream(place, transport)
        } catch {
            state.withLock { $0.isAway = true }
            throw error
        }
    }

    private static func index(_ key: Digest) -> String { "index/\(key.hex)" }
    private static func bundle(_ checkpoint: Digest) -> String { "bundles/\(checkpoint.hex)" }
    private static func note(_ object: Digest) -> String { "objects/maps/\(object.hex)" }
    private static func object(_ digest: Digest) -> String { "objects/\(digest.hex.prefix(2))/\(digest.hex)" }

    /// The bundle of the checkpoint of a key; nil: there is none that this version can read.
    private func bundle(of key: Digest, _ stream: CommonStoreStream) throws -> CheckpointBundle? {
        guard let name = try stream.get(CommonCheckpoints.index(key), atMost: 64),
            let digest = Digest(hex: String(decoding: name, as: UTF8.self)),
            let text = try stream.get(CommonCheckpoints.bundle(digest), atMost: CheckpointBundle.longest)
        else { return nil }
        guard let bundle = try? CheckpointBundle(text) else { return nil }
        return bundle.checkpoint == digest && bundle.key == key ? bundle : nil
    }

    /// A file of a checkpoint, in packs if it is in packs there. All that it takes is checked.
    private func bring(
        _ file: Artifact, _ stream: CommonStoreStream, _ known: ObjectStore, into staged: ObjectStore
    ) throws {
        if try known.isIntact(file.digest), try staged.take(file.digest, from: known) { return }
        if let name = try stream.get(CommonCheckpoints.note(file.digest), atMost: 64) {
            guard let digest = Digest(hex: String(decoding: name, as: UTF8.self)) else { throw damaged(file) }
            let text = try bring(digest, ObjectMap.longest, file, stream, known, into: staged)
            guard let map = try? ObjectMap(text), map.object == file.digest, map.size == file.size else {
                throw damaged(file)
            }
            for pack in map.packs { _ = try bring(pack.digest, pack.size, file, stream, known, into: staged) }
            try staged.note(digest, of: file.digest)
        } else {
            guard file.size <= ObjectMap.longest else { throw damaged(file) }
            _ = try bring(file.digest, file.size, file, stream, known, into: staged)
        }
        if try staged.problem(of: file.digest) != nil { throw damaged(file) }
    }

    private func bring(
        _ digest: Digest, _ limit: Int64, _ file: Artifact, _ stream: CommonStoreStream, _ known: ObjectStore,
        into staged: ObjectStore
    ) throws -> [UInt8] {
        if try known.contains(digest), let size = try known.size(digest), size <= limit, try known.verify(digest) {
            let bytes = try known.read(digest, at: 0, count: Int(size))
            _ = try staged.take(digest, from: known)
            return bytes
        }
        guard let bytes = try stream.get(CommonCheckpoints.object(digest), atMost: limit) else { throw damaged(file) }
        guard SHA256.digest(bytes) == digest else {
            try stream.doubt(CommonCheckpoints.object(digest), digest)
            throw damaged(file)
        }
        _ = try staged.publish(bytes)
        return bytes
    }

    private func damaged(_ file: Artifact) -> Failure {
        Failure(
            .badArchive, "\(VisibleText.of(file.path, limit: 200)) of a checkpoint in it is damaged or incomplete")
    }

    // MARK: Giving

    /// A checkpoint of the user's own store that others can use.
    func offer(_ checkpoint: Digest) { state.withLock { $0.offered.append(checkpoint) } }

    /// Whether ``giveAll(now:)`` has something to do.
    public var owes: Bool {
        state.withLock { state in !state.isAway && state.offered.contains { !state.given.contains($0) } }
    }

    /// Gives what was offered and is not there.
    ///
    /// - Parameter now: nanoseconds since 1970.
    public func giveAll(now: Nanoseconds) throws {
        try giving.withLock { _ in
            let wanted = state.withLock { state in state.offered.filter { !state.given.contains($0) } }
            guard !wanted.isEmpty else { return }
            let stream = try open()
            defer { stream.close() }
            for checkpoint in wanted {
                if let bundle = try own.bundle(checkpoint), let key = bundle.key {
                    try give(bundle, key, stream, now: now)
                }
                state.withLock { _ = $0.given.insert(checkpoint) }
            }
        }
    }

    private func give(
        _ bundle: CheckpointBundle, _ key: Digest, _ stream: CommonStoreStream, now: Nanoseconds
    ) throws {
        // Whoever made one from the same things was first.
        if try self.bundle(of: key, stream) != nil { return }
        let objects = try own.objects()
        var parts: [Digest] = []
        var notes: [(object: Digest, map: Digest)] = []
        for file in bundle.files {
            guard try objects.isIntact(file.digest) else {
                throw Failure(.storage, "the checkpoint \(bundle.checkpoint.short) is damaged here: \(file.path)")
            }
            if let found = try objects.map(of: file.digest) {
                parts += found.map.packs.map(\.digest) + [found.digest]
                notes.append((file.digest, found.digest))
            } else {
                parts.append(file.digest)
            }
        }
        let there = try stream.has(parts.map(CommonCheckpoints.object))
        for (part, isThere) in zip(parts, there) where !isThere {
            let bytes = try objects.read(part, at: 0, count: Int(try objects.size(part) ?? 0))
            try stream.put(CommonCheckpoints.object(part), bytes)
        }
        for note in notes { try stream.put(CommonCheckpoints.note(note.object), Array(note.map.hex.utf8)) }
        try stream.put("used/\(bundle.checkpoint.hex)", Array(String(now).utf8))
        try stream.put(CommonCheckpoints.bundle(bundle.checkpoint), Array("\(bundle.document.encoded)\n".utf8))
        // By this it counts.
        try stream.put(CommonCheckpoints.index(key), Array(bundle.checkpoint.hex.utf8))
    }

    // MARK: For people

    /// That what is owed is given now.
    public var givingText: String { "copying checkpoints to the store \(place)" }

    /// That it is not used, and why.
    public func sentence(_ error: any Error) -> String {
        let why = (error as? Failure)?.message ?? "\(error)"
        return "the store of checkpoints \(place) is not used for now: \(why)"
    }
}
