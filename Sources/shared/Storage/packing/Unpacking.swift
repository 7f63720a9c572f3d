public import Formats
import Model
public import Ports

/// Makes an object of its map and packs, all of which are in the store, a piece at a time. It counts when it was
/// checked, as one that was transferred does.
public struct Unpacking {
    /// Unpacked packs that are kept at hand, of 4 MiB at most.
    private static let mostPacks = 8
    private static let piece: Int64 = 1 << 20
    private static let zeros = [UInt8](repeating: 0, count: Int(piece))

    public let map: ObjectMap
    private let store: ObjectStore
    private let files: any Files
    /// nil: what comes out is only checked, or it was closed.
    private var file: FileHandle?
    private let isKept: Bool
    private let gzip: Gzip?
    private var hash = SHA256()
    /// Where the object's next bytes go.
    private var offset: Int64 = 0
    /// The next piece of the content: in which stretch, and where in it.
    private var stretch = 0
    private var begin: Int64 = 0
    /// The last used is the last.
    private var packs: [(number: Int, content: [UInt8])] = []

    public init(_ map: ObjectMap, _ store: ObjectStore, _ files: any Files) throws {
        try self.init(map, store, files, try store.beginPartial(map.object))
    }

    /// Makes nothing: to see whether it could.
    init(checking map: ObjectMap, _ store: ObjectStore, _ files: any Files) throws {
        try self.init(map, store, files, nil)
    }

    private init(_ map: ObjectMap, _ store: ObjectStore, _ files: any Files, _ file: FileHandle?) throws {
        self.map = map
        self.store = store
        self.files = files
        gzip = if case .gzip(let level) = map.form { try Gzip(level: level) } else { nil }
        self.file = file
        isKept = file != nil
    }

    /// Whoever gives it up closes it.
    public mutating func close() {
        if let file { files.close(file) }
        file = nil
    }

    /// Works on for about `budget` bytes of the content. True: the object is in the store. After that, and after an
    /// error, the file is closed.
    ///
    /// - Throws: ``Failure`` (`badArchive`) where a pack is damaged, or what comes out is not the object; errors of the
    ///   disk.
    public mutating func step(budget: inout Int) throws -> Bool {
        do {
            while stretch < map.stretches.count {
                guard budget > 0 else { return false }
                budget -= try goOn()
            }
            try end()
            return true
        } catch {
            close()
            throw error
        }
    }

    /// - Returns: how many bytes of the content it added.
    private mutating func goOn() throws -> Int {
        let current = map.stretches[stretch]
        let length = Int(min(current.length - begin, Unpacking.piece))
        switch current {
        case .zero: try add(Unpacking.zeros[..<length], isZero: true)
        case .copy(let pack, let offset, _):
            let start = Int(offset + begin)
            try add(content(of: pack)[start..<start + length], isZero: false)
        }
        begin += Int64(length)
        if begin == current.length { (stretch, begin) = (stretch + 1, 0) }
        return length
    }

    private mutating func content(of number: Int) throws -> [UInt8] {
        if let index = packs.lastIndex(where: { $0.number == number }) {
            if index != packs.count - 1 { packs.append(packs.remove(at: index)) }
            return packs[packs.count - 1].content
        }
        let pack = map.packs[number]
        let packed = try store.read(pack.digest, at: 0, count: Int(pack.size))
        let content = try Zstandard.decompress(packed, size: Int(pack.contentSize))
        if packs.count == Unpacking.mostPacks { packs.removeFirst() }
        packs.append((number, content))
        return content
    }

    private mutating func add(_ content: ArraySlice<UInt8>, isZero: Bool) throws {
        guard let gzip else {
            content.withUnsafeBytes { hash.update($0) }
            // A hole reads as zeros; the last byte gives the file its length.
            if !isZero { try put(Array(content)) }
            offset += Int64(content.count)
            if isZero, offset == map.size, let file { try files.write(file, at: offset - 1, [0]) }
            return
        }
        try write(content.withUnsafeBytes { gzip.add($0, isLast: false) })
    }

    private mutating func write(_ bytes: [UInt8]) throws {
        hash.update(bytes)
        // What the map says is checked at the end; until then it is a limit.
        guard offset + Int64(bytes.count) <= map.size else { throw mismatch }
        try put(bytes)
        offset += Int64(bytes.count)
    }

    private func put(_ bytes: [UInt8]) throws {
        if let file, !bytes.isEmpty { try files.write(file, at: offset, bytes) }
    }

    private mutating func end() throws {
        if let gzip { try write(gzip.add(UnsafeRawBufferPointer(start: nil, count: 0), isLast: true)) }
        packs = []
        close()
        let found = (digest: hash.finish(), size: offset)
        guard found.digest == map.object, found.size == map.size else { throw mismatch }
        if isKept { try store.finish(map.object, size: map.size, found: found) }
    }

    private var mismatch: Failure {
        Failure(.badArchive, "the packs of \(map.object.short) do not make up that object")
    }
}
