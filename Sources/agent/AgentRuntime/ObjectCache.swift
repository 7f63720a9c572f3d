import Formats
import Model
import Ports
import Storage

/// The objects on this host: inputs of runs, kept for the runs that may need them next.
///
/// What an accepted run refers to stays. Of the rest, the least recently used go when all take more than a budget, or
/// more than the disk has left: the cache never takes the larger half of what could be free. What is gone is fetched
/// again when it is needed.
struct ObjectCache {
    /// In bytes, where the inventory names none (`cache`).
    static let budget: Int64 = 16 << 30
    /// How often the disk is looked at.
    private static let pause: Nanoseconds = 10_000_000_000

    private struct Entry {
        var size: Int64
        var modified: Int64
        /// Grows with every use.
        var use: Int
    }

    /// What came of an object since this process began with it.
    private struct Transfer {
        var hash = SHA256()
        var hashed: Int64 = 0
        /// Up to where the disk has begun with it.
        var writtenOut: Int64 = 0
    }

    /// What was added to an object.
    enum Addition {
        case more
        case complete
        /// All of it is here, and is to be read before it counts: an earlier process had begun with it.
        case unchecked
    }

    /// In steps of so many bytes an object goes to the disk while it comes: twice as many may wait for it at the end,
    /// for which it takes a second, not a minute.
    private static let stride: Int64 = 16 << 20

    let store: ObjectStore
    private let files: any Files
    private let root: String
    private var budget: Int64
    private var transfers: [Digest: Transfer] = [:]
    /// Objects that a program changed while runs shared them.
    private var unshared: Set<Digest> = []
    private var entries: [Digest: Entry] = [:]
    private var uses = 0
    private var nextTrim = Nanoseconds.min
    /// Objects that a program was found to have changed when they were wanted.
    private var changed: [Digest] = []
    /// A bug for the simulation: whatever came is taken for what its name says.
    var believesAll = false
    /// Whether there may be parts of objects whose transfer nobody goes on with.
    private var hasParts = true

    /// Takes up what is there: objects as they came, as nobody wrote down when they were last used.
    init(root: String, files: any Files, budget: Int64 = ObjectCache.budget) throws(FilesError) {
        self.files = files
        self.root = root
        self.budget = budget
        store = try ObjectStore(root: root, files: files)
        var found: [(digest: Digest, status: FileStatus)] = []
        for digest in try store.all() {
            if let status = try files.status(store.path(digest)) { found.append((digest, status)) }
        }
        found.sort { ($0.status.modified, $0.digest) < ($1.status.modified, $1.digest) }
        for (digest, status) in found { note(digest, status) }
    }

    /// Whether the folders that objects are stored in are there.
    func hasFolders() throws(FilesError) -> Bool { try files.status("\(root)/partial") != nil }

    private mutating func note(_ digest: Digest, _ status: FileStatus) {
        uses += 1
        entries[digest] = Entry(size: status.size, modified: status.modified, use: uses)
    }

    /// Whether the object is here as it came; it counts as used. One that a program wrote to is thrown away.
    mutating func has(_ digest: Digest) throws(FilesError) -> Bool {
        guard let status = try files.status(store.path(digest)) else {
            entries[digest] = nil
            return false
        }
        if let entry = entries[digest], entry.size != status.size || entry.modified != status.modified {
            changed.append(digest)
            try wasChanged(digest)
            return false
        }
        note(digest, status)
        return true
    }

    /// Adds the piece that stands at `offset`, of an object of `size` bytes.
    mutating func write(_ piece: ObjectBytes, size: Int64) throws -> Addition {
        hasParts = true
        try store.write(piece.digest, at: piece.offset, piece.bytes)
        let end = piece.offset + Int64(piece.bytes.count)
        var transfer = transfers[piece.digest] ?? Transfer(writtenOut: piece.offset)
        // It begins again: what was read before is not what is there now.
        if piece.offset < transfer.hashed { transfer = Transfer(writtenOut: piece.offset) }
        if transfer.hashed == piece.offset {
            transfer.hash.update(piece.bytes)
            transfer.hashed = end
        }
        while end - transfer.writtenOut >= ObjectCache.stride, end < size {
            try store.writeOutPartial(piece.digest, from: transfer.writtenOut, count: ObjectCache.stride)
            transfer.writtenOut += ObjectCache.stride
        }
        transfers[piece.digest] = transfer
        guard end == size else { return .more }
        transfers[piece.digest] = nil
        guard transfer.hashed == size else { return .unchecked }
        return try finish(piece.digest, size: size, found: (transfer.hash.finish(), size)) ? .complete : .more
    }

    /// Takes an object in that is all here and was read. True: it is complete.
    mutating func finish(_ digest: Digest, size: Int64, found: (digest: Digest, size: Int64)) throws -> Bool {
        try store.finish(digest, size: size, found: believesAll ? (digest, size) : found)
        return try admit(digest)
    }

    /// Takes in an object that was stored here. True: it is complete.
    mutating func admit(_ digest: Digest) throws(FilesError) -> Bool {
        // Whoever writes to it leaves another time than a whole second: that is seen also by a later process.
        if let status = try files.status(store.path(digest)) {
            try files.setModified(store.path(digest), status.modified - status.modified % 1_000_000_000)
        }
        return try has(digest)
    }

    /// When an object came, in nanoseconds since 1970; nil: a program changed it since, and that cannot be told.
    func cameAt(_ digest: Digest) -> Nanoseconds? {
        guard let entry = entries[digest], ObjectCache.isSealed(entry.modified) else { return nil }
        return entry.modified
    }

    /// All that are here.
    var digests: [Digest] { Array(entries.keys) }

    // MARK: Sharing

    /// What ``has(_:)`` found changed since this was asked last.
    mutating func takeChanged() -> [Digest] {
        defer { changed = [] }
        return changed
    }

    /// Whether runs may be given the object itself, under another name, instead of a copy.
    func maySeeItself(_ digest: Digest) -> Bool {
        guard let entry = entries[digest] else { return false }
        return !unshared.contains(digest) && ObjectCache.isSealed(entry.modified)
    }

    static func isSealed(_ modified: Int64) -> Bool { modified % 1_000_000_000 == 0 }

    /// A program has changed it: what runs may be given of it from now on are copies of what is fetched again.
    mutating func wasChanged(_ digest: Digest) throws(FilesError) {
        unshared.insert(digest)
        try drop(digest)
    }

    /// An object that is not what its name says.
    mutating func throwAway(_ digest: Digest) throws(FilesError) { try drop(digest) }

    private mutating func drop(_ digest: Digest) throws(FilesError) {
        try store.remove(digest)
        entries[digest] = nil
    }

    // MARK: Making room

    /// What all objects may take, in bytes. Seen to at the next step.
    mutating func limit(_ bytes: Int64) {
        if bytes < budget { nextTrim = .min }
        budget = bytes
    }

    /// Keeps to the budget, now and then. Returns what went.
    mutating func trim(keeping needed: () -> Set<Digest>, now: Nanoseconds) throws(FilesError) -> [Digest] {
        guard now >= nextTrim, !entries.isEmpty || hasParts else { return [] }
        nextTrim = now + ObjectCache.pause
        let limit = min(budget, try files.freeBytes(root))
        guard hasParts || size > limit else { return [] }
        return try evict(keeping: needed(), to: limit)
    }

    /// Removes all that no accepted run refers to: something does not fit. Returns what went.
    mutating func clear(keeping needed: Set<Digest>) throws(FilesError) -> [Digest] {
        try evict(keeping: needed, to: 0)
    }

    /// Of all objects, in bytes.
    private var size: Int64 { entries.values.reduce(0) { $0 + $1.size } }

    private mutating func evict(keeping needed: Set<Digest>, to limit: Int64) throws(FilesError) -> [Digest] {
        if hasParts { hasParts = try store.removePartial(keeping: needed) }
        let spare = entries.filter { !needed.contains($0.key) }.sorted { $0.value.use < $1.value.use }
        var bytes = size
        var gone: [Digest] = []
        for (digest, entry) in spare where bytes > limit {
            try drop(digest)
            bytes -= entry.size
            gone.append(digest)
        }
        return gone
    }
}
