public import Formats
public import Model
public import Ports
import Synchronization

/// Files named by their SHA-256: `objects/ab/abcd...`. They are complete, read-only and never change.
///
/// A file is published by: temporary name, write, check of length and digest, `fdatasync`, rename, `fsync` of the
/// folder. Whoever finds a name after a crash finds all of its bytes.
public struct ObjectStore: Sendable {
    private let files: any Files
    /// The folder of the objects, absolute.
    public let root: String
    private let secured = SecuredNames()
    /// For all stores of this process: two may have one root.
    private static let turns = Turns()
    private static let unpacks = Mutex<Void>(())

    /// - Parameter root: the folder of the objects, absolute; made if it is missing.
    public init(root: String, files: any Files) throws(FilesError) {
        self.root = root
        self.files = files
        try makeFolders()
    }

    /// Makes the folders that are not there, at the beginning or because somebody removed them.
    public func makeFolders() throws(FilesError) {
        try ObjectStore.ensure(root, files)
        try ObjectStore.ensure("\(root)/partial", files)
    }

    public func path(_ digest: Digest) -> String {
        let name = digest.hex
        return "\(root)/\(name.prefix(2))/\(name)"
    }

    /// The object's size, or nil if it is not here.
    public func size(_ digest: Digest) throws(FilesError) -> Int64? { try files.status(path(digest))?.size }

    public func contains(_ digest: Digest) throws(FilesError) -> Bool { try size(digest) != nil }

    /// Whether the object is here and will be after a crash.
    ///
    /// A name that is found may be one that another process gave just before it died: only who has synced the folder
    /// after that may rely on it. Who finds one such name, as of an earlier sweep, will find many: a sync serves all
    /// names that the folder had before it.
    public func holds(_ digest: Digest) throws(FilesError) -> Bool {
        guard try contains(digest) else { return false }
        guard !secured.contains(digest) else { return true }
        let names = try files.list(folder(digest))
        try sync([folder(digest)])
        secured.insert(names.compactMap { Digest(hex: $0.name) })
        return true
    }

    private func secure(_ digests: [Digest]) throws(FilesError) {
        var folders: [String] = []
        for digest in digests where !folders.contains(folder(digest)) { folders.append(folder(digest)) }
        try sync(folders)
        secured.insert(digests)
    }

    private func sync(_ folders: [String]) throws(FilesError) {
        for folder in folders {
            try files.syncFolder(folder)
            if secured.insert(folder: folder) { try files.syncFolder(root) }
        }
    }

    private func folder(_ digest: Digest) -> String { "\(root)/\(digest.hex.prefix(2))" }

    /// At most `count` bytes from `offset`; fewer only at the end.
    public func read(_ digest: Digest, at offset: Int64, count: Int) throws(FilesError) -> [UInt8] {
        let file = try files.open(path(digest), .read)
        defer { files.close(file) }
        return try files.read(file, at: offset, count: count)
    }

    /// The same of a file that is not an object yet, or where a link to it leads.
    public func read(file path: String, at offset: Int64, count: Int) throws(FilesError) -> [UInt8] {
        let file = try files.open(files.resolve(path) ?? path, .read)
        defer { files.close(file) }
        return try files.read(file, at: offset, count: count)
    }

    /// Computes the digest again. False: the object is damaged.
    public func verify(_ digest: Digest) throws(FilesError) -> Bool {
        let file = try files.open(path(digest), .read)
        defer { files.close(file) }
        return try ObjectStore.hash(file, files).digest == digest
    }

    public func remove(_ digest: Digest) throws(FilesError) {
        secured.remove(digest)
        try files.removeTree(path(digest))
    }

    // MARK: Packed objects

    /// The map of an object that is here in packs; nil: it is not, or not all of it.
    ///
    /// Where it is written down is a note: after a crash it may be missing, and somebody may have removed packs.
    public func map(of object: Digest) throws -> (digest: Digest, map: ObjectMap)? {
        guard let note = try files.content(notePath(object), atMost: 64),
            let digest = Digest(hex: String(decoding: note, as: UTF8.self)), let size = try size(digest),
            size <= ObjectMap.longest, let map = try? ObjectMap(try read(digest, at: 0, count: Int(size))),
            map.object == object,
            try map.packs.allSatisfy({ try contains($0.digest) })
        else { return nil }
        return (digest, map)
    }

    /// Writes down that an object is here in packs, all of which are, with the map.
    public func note(_ map: Digest, of object: Digest) throws {
        try ObjectStore.ensure("\(root)/maps", files)
        try ObjectStore.turns.take(object) {
            try files.replace(notePath(object), with: Array(map.hex.utf8), by: ownPath(object))
        }
    }

    /// Takes over an object, in packs if it is in packs there, as further names of the same files where that is
    /// possible.
    ///
    /// - Returns: whether it was there.
    public func take(_ object: Digest, from other: ObjectStore) throws -> Bool {
        if try map(of: object) != nil { return true }
        if let found = try other.map(of: object) {
            for part in found.map.packs.map(\.digest) + [found.digest] {
                guard try takeWhole(part, from: other) else { return false }
            }
            try note(found.digest, of: object)
            return true
        }
        return try holds(object) || takeWhole(object, from: other)
    }

    /// Removes what is damaged of an object, or all where a part is missing, so that it can be stored once more.
    ///
    /// - Returns: whether it was intact.
    @discardableResult
    public func removeDamage(of object: Digest) throws -> Bool {
        if try isIntact(object) { return true }
        if let found = try map(of: object) {
            for part in found.map.packs.map(\.digest) + [found.digest] where try !verify(part) { try remove(part) }
        }
        try files.removeTree(notePath(object))
        if try contains(object), try !verify(object) { try remove(object) }
        return false
    }

    /// What is wrong with an object, whole or in packs; nil: nothing. Everything that it takes is read, and it is made.
    public func problem(of object: Digest) throws -> String? {
        if let found = try map(of: object) {
            let parts = found.map.packs.map(\.digest) + [found.digest]
            if let part = try parts.first(where: { try !verify($0) }) { return "its part \(part.short) is damaged" }
            var unpacking = try Unpacking(checking: found.map, self, files)
            do {
                var budget = Int.max
                while try !unpacking.step(budget: &budget) { budget = Int.max }
                return nil
            } catch let failure as Failure {
                return failure.message
            }
        }
        guard try contains(object) else { return "it is missing" }
        return try verify(object) ? nil : "its contents have changed"
    }

    /// Whether all that an object takes, whole or in packs, has the bytes that it had. It is not made: what was once
    /// made of these can be made again.
    public func isIntact(_ object: Digest) throws -> Bool {
        guard let found = try map(of: object) else { return try contains(object) && verify(object) }
        return try ([found.digest] + found.map.packs.map(\.digest)).allSatisfy { try verify($0) }
    }

    /// Removes the notes of where maps are, but for those of some objects.
    public func removeNotes(keeping objects: Set<Digest>) throws(FilesError) {
        guard try files.status("\(root)/maps") != nil else { return }
        for entry in try files.list("\(root)/maps") where Digest(hex: entry.name).map(objects.contains) != true {
            try files.removeTree("\(root)/maps/\(entry.name)")
        }
    }

    /// Whatever digests stand in an object, as text; none in one that is longer than `limit`, or not here.
    public func named(by object: Digest, atMost limit: Int64) throws -> Set<Digest> {
        guard let size = try size(object), size <= limit else { return [object] }
        return Digest.all(in: try read(object, at: 0, count: Int(size))).union([object])
    }

    /// Maps and packs of those objects that are here in packs.
    public func parts(of objects: Set<Digest>) throws -> Set<Digest> {
        var parts: Set<Digest> = []
        for entry in try files.status("\(root)/maps") == nil ? [] : files.list("\(root)/maps") {
            guard let object = Digest(hex: entry.name), objects.contains(object), let found = try map(of: object)
            else { continue }
            parts.insert(found.digest)
            parts.formUnion(found.map.packs.map(\.digest))
        }
        return parts
    }

    /// Makes an object of its packs, all at once.
    public func unpack(_ map: ObjectMap) throws {
        // One at a time: two of the same would write one file.
        try ObjectStore.unpacks.withLock { _ in
            if try holds(map.object) { return }
            var unpacking = try Unpacking(map, self, files)
            var budget = Int.max
            while try !unpacking.step(budget: &budget) { budget = Int.max }
        }
    }

    private func takeWhole(_ object: Digest, from other: ObjectStore) throws -> Bool {
        guard try other.contains(object) else { return false }
        try ObjectStore.turns.take(object) {
            if try holds(object) { return }
            let temporary = ownPath(object)
            try files.removeTree(temporary)
            do throws(FilesError) {
                try files.link(other.path(object), to: temporary)
            } catch {
                // Another file system, or too many names.
                guard !error.isDiskFull else { throw error }
                try files.copy(other.path(object), to: temporary, mode: 0o600)
            }
            let file = try files.open(temporary, .read)
            defer { files.close(file) }
            try sync(file, temporary)
            // The other store may be one that others read, too.
            let mode = try files.status(temporary)?.mode ?? 0
            try settle(temporary, object, mode: mode & 0o444 | 0o400)
            try secure([object])
        }
        return true
    }

    private func notePath(_ object: Digest) -> String { "\(root)/maps/\(object.hex)" }

    // MARK: Publishing

    /// Publishes bytes that are at hand. Harmless when repeated.
    public func publish(_ bytes: [UInt8]) throws -> Digest {
        let digest = SHA256.digest(bytes)
        try publish([(digest, bytes)])
        return digest
    }

    /// Publishes many small objects with one `fsync` a folder.
    ///
    /// - Throws: ``Failure`` (`badArchive`) where bytes do not have the digest they come under.
    public func publish(_ objects: [(digest: Digest, bytes: [UInt8])]) throws {
        for (digest, bytes) in objects {
            try ObjectStore.turns.take(digest) {
                if try contains(digest) { return }
                guard SHA256.digest(bytes) == digest else { throw ObjectStore.mismatch(digest) }
                let temporary = ownPath(digest)
                try files.removeTree(temporary)
                let file = try files.open(temporary, .create)
                defer { files.close(file) }
                try files.write(file, at: 0, bytes)
                try sync(file, temporary)
                try settle(temporary, digest)
            }
        }
        try secure(objects.map(\.digest).filter { !secured.contains($0) })
    }

    /// Publishes a file that is on this disk already, by copying it.
    public func publish(file path: String) throws -> (digest: Digest, size: Int64) {
        let source = try files.open(path, .read)
        defer { files.close(source) }
        let (digest, size) = try ObjectStore.hash(source, files)
        try ObjectStore.turns.take(digest) {
            if try holds(digest) { return }
            let temporary = ownPath(digest)
            try files.removeTree(temporary)
            try files.copy(path, to: temporary, mode: 0o600)
            try check(digest, size: size, found: nil, at: temporary)
        }
        return (digest, size)
    }

    /// Publishes a file that is on this disk already under the digest that it is known to have, by one copy, which
    /// shares the blocks where the file system can. A link stands for where it leads.
    ///
    /// - Parameter isUnchanged: asked after the copying whether the file still is what has that digest.
    /// - Throws: ``Failure`` (`badArchive`) where it is not.
    public func publish(file path: String, as digest: Digest, isUnchanged: () throws -> Bool) throws {
        try ObjectStore.turns.take(digest) {
            if try holds(digest) { return }
            let temporary = ownPath(digest)
            try files.removeTree(temporary)
            try files.copy(files.resolve(path) ?? path, to: temporary, mode: 0o600)
            guard try isUnchanged() else {
                try files.removeTree(temporary)
                throw ObjectStore.mismatch(digest)
            }
            let file = try files.open(temporary, .update)
            defer { files.close(file) }
            try sync(file, temporary)
            try settle(temporary, digest)
            try secure([digest])
        }
    }

    // MARK: Transfers in pieces

    /// How far an earlier transfer of the object came; 0: not begun.
    public func partialSize(_ digest: Digest) throws(FilesError) -> Int64 {
        try files.status(partialPath(digest))?.size ?? 0
    }

    /// Adds the piece that stands at `offset` to a transfer. What came before stays where it is, also over a crash.
    public func write(_ digest: Digest, at offset: Int64, _ bytes: [UInt8]) throws(FilesError) {
        let file = try files.open(partialPath(digest), .update)
        defer { files.close(file) }
        try files.write(file, at: offset, bytes)
    }

    /// The file of an object that is made here, piece by piece, and empty: what a transfer left of it is no help.
    func beginPartial(_ digest: Digest) throws(FilesError) -> FileHandle {
        try files.removeTree(partialPath(digest))
        return try files.open(partialPath(digest), .create)
    }

    /// Has the disk begin with `count` bytes that came, so that not all of a large object is left to do at its end.
    public func writeOutPartial(_ digest: Digest, from offset: Int64, count: Int64) throws(FilesError) {
        let path = partialPath(digest)
        let file = try files.open(path, .update)
        defer { files.close(file) }
        do throws(FilesError) {
            try files.writeOut(file, from: offset, count: count)
        } catch {
            // As after a sync that failed.
            try? files.removeTree(path)
            throw error
        }
    }

    /// What was transferred, to be read in pieces.
    public func hashPartial(_ digest: Digest) throws(FilesError) -> FileHash {
        try FileHash(partialPath(digest), files)
    }

    /// Checks and publishes what was transferred.
    ///
    /// - Parameter found: what its digest and length are; nil: they are computed here, in one go.
    /// - Throws: ``Failure`` (`badArchive`) if length or digest are wrong; what was transferred is then thrown away.
    public func finish(_ digest: Digest, size: Int64, found: (digest: Digest, size: Int64)? = nil) throws {
        try ObjectStore.turns.take(digest) {
            do {
                try check(digest, size: size, found: found, at: partialPath(digest))
            } catch let error as FilesError {
                // Another process wrote the same bytes to the same place, and gave them the name meanwhile.
                guard try holds(digest), try files.status(partialPath(digest)) == nil else { throw error }
            }
        }
    }

    private func check(
        _ digest: Digest, size: Int64, found: (digest: Digest, size: Int64)?, at temporary: String
    ) throws {
        // Somebody else who had the same bytes may have been faster, and have given them the name.
        if try holds(digest) { return try files.removeTree(temporary) }
        let file = try files.open(temporary, .update)
        defer { files.close(file) }
        let found = try found ?? ObjectStore.hash(file, files)
        guard found.digest == digest, found.size == size, try files.size(file) == size else {
            try files.removeTree(temporary)
            throw ObjectStore.mismatch(digest)
        }
        try sync(file, temporary)
        try settle(temporary, digest)
        try secure([digest])
    }

    /// Removes what a transfer left unfinished.
    public func removePartial(of digest: Digest) throws(FilesError) { try files.removeTree(partialPath(digest)) }

    /// Removes what transfers left unfinished, but for objects that are still wanted.
    ///
    /// - Returns: whether any is left.
    @discardableResult
    public func removePartial(keeping wanted: Set<Digest> = []) throws(FilesError) -> Bool {
        var isLeft = false
        for entry in try files.list("\(root)/partial") {
            if let digest = Digest(hex: entry.name), wanted.contains(digest) {
                isLeft = true
            } else {
                try files.removeTree("\(root)/partial/\(entry.name)")
            }
        }
        return isLeft
    }

    /// Removes what processes that are no more left half made.
    ///
    /// - Parameter isAbandoned: whether a temporary name is such a process's.
    public func removePartial(where isAbandoned: (String) -> Bool) throws(FilesError) {
        for entry in try files.list("\(root)/partial") where isAbandoned(entry.name) {
            try files.removeTree("\(root)/partial/\(entry.name)")
        }
    }

    /// Every object here, by name.
    public func all() throws(FilesError) -> [Digest] {
        var digests: [Digest] = []
        for folder in try files.list(root) where folder.kind == .folder && folder.name.utf8.count == 2 {
            for entry in try files.list("\(root)/\(folder.name)") {
                if let digest = Digest(hex: entry.name) { digests.append(digest) }
            }
        }
        return digests
    }

    /// Removes the folders that hold no object. Nobody may add one meanwhile.
    public func removeEmptyFolders() throws(FilesError) {
        for folder in try files.list(root) where folder.kind == .folder && folder.name.utf8.count == 2 {
            let path = "\(root)/\(folder.name)"
            if try files.list(path).isEmpty { try files.removeTree(path) }
        }
    }

    /// The digest and length of an open file, read in pieces.
    public static func hash(
        _ file: FileHandle, _ files: any Files
    ) throws(FilesError) -> (digest: Digest, size: Int64) {
        var hash = SHA256()
        var size: Int64 = 0
        while true {
            let bytes = try files.read(file, at: size, count: 256 * 1024)
            if bytes.isEmpty { return (hash.finish(), size) }
            hash.update(bytes)
            size += Int64(bytes.count)
        }
    }

    /// A file whose sync failed reads well as long as the system runs, and no later sync saves it: it has to go.
    private func sync(_ file: FileHandle, _ path: String) throws(FilesError) {
        do throws(FilesError) {
            try files.sync(file)
        } catch {
            try? files.removeTree(path)
            throw error
        }
    }

    /// Gives the object its name; its folder is to be synced after that.
    private func settle(_ temporary: String, _ digest: Digest, mode: UInt32 = 0o400) throws(FilesError) {
        try files.setMode(temporary, mode)
        let folder = folder(digest)
        if try files.status(folder) == nil { try files.ensureFolder(folder) }
        try files.rename(temporary, to: path(digest))
    }

    private func partialPath(_ digest: Digest) -> String { "\(root)/partial/\(digest.hex)" }

    /// A temporary name that no other process uses: several may make one object at once, and threads take turns. What a
    /// crash leaves of it is removed with what transfers left.
    private func ownPath(_ digest: Digest) -> String { "\(partialPath(digest)).\(files.processMark)" }

    /// Makes a folder if it is missing; it outlives a crash then.
    private static func ensure(_ folder: String, _ files: any Files) throws(FilesError) {
        if try files.status(folder) == nil { try files.ensureFolder(folder) }
        if let parent = folder.lastIndex(of: "/") { try files.syncFolder(String(folder[..<parent])) }
    }

    private static func mismatch(_ digest: Digest) -> Failure {
        Failure(.badArchive, "the bytes that were received as object \(digest.short) do not match it")
    }
}

/// Who publishes an object has it for himself: its file has one name before it is whole. Several threads may publish
/// others in the meantime.
private final class Turns: Sendable {
    private final class Turn: Sendable {
        let mutex = Mutex<Void>(())
    }

    private let turns = (0..<64).map { _ in Turn() }

    func take(_ digest: Digest, _ body: () throws -> Void) throws {
        try turns[Int(digest.beginning % 64)].mutex.withLock { _ in try body() }
    }
}
