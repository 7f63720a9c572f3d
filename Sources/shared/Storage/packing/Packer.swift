import Glibc
public import Formats
public import Model
public import Ports

/// Puts an object into a store as a map and packs (``ObjectMap``), of which only the packs that hold something new are
/// written. Takes as long as the object is large: nothing for a loop.
public struct Packer {
    private struct Place {
        var pack: Int
        var offset: Int64
    }

    private let store: ObjectStore
    private let cutter: Cutter
    /// Packs that there were, and those that are made; and where the pieces in them are.
    private var packs: [ObjectMap.Pack] = []
    private var places: [Digest: Place] = [:]
    private var known: Set<Digest> = []
    /// What the next pack will hold.
    private var filling: [UInt8] = []
    private var made: [Digest] = []
    private var stretches: [ObjectMap.Stretch] = []
    private var rest: [UInt8] = []
    private var contentSize: Int64 = 0

    /// Packs what is in one store into another, which may be the same. The map is published with the packs.
    ///
    /// - Parameters:
    ///   - files: of the store that the object is read from.
    ///   - bases: maps of objects whose packs are in `store`: what is in these is not stored again.
    /// - Throws: ``Failure`` (`badArchive`) where what is read is not the object; errors of the disk.
    public static func pack(
        _ object: Digest, at path: String, _ files: any Files, into store: ObjectStore, bases: [ObjectMap]
    ) throws -> ObjectMap {
        let file = try files.open(path, .read)
        defer { files.close(file) }
        let size = try files.size(file)
        if let level = Packer.level(of: try files.read(file, at: 0, count: 10)) {
            var packer = try Packer(store, .gzip(level: level), size, bases)
            if try packer.unpackAndAdd(file, files, level: level, object) {
                return try packer.end(object, size, .gzip(level: level))
            }
            // Nobody refers to what was made of it. A pack that another made at this moment is made again there.
            for pack in packer.made { try store.remove(pack) }
        }
        var packer = try Packer(store, .plain, size, bases)
        guard try packer.add(file, files) == object else {
            throw Failure(.badArchive, "\(path) is not the object \(object.short)")
        }
        return try packer.end(object, size, .plain)
    }

    private init(_ store: ObjectStore, _ form: ObjectMap.Form, _ size: Int64, _ bases: [ObjectMap]) throws {
        self.store = store
        cutter = Cutter(form, contentSize: size)
        for base in bases where Cutter(base.form, contentSize: base.contentSize) == cutter {
            for pack in base.packs where known.insert(pack.digest).inserted { index(pack) }
        }
    }

    /// The pieces of a pack follow one another as they were cut. One that is damaged is passed over.
    private mutating func index(_ pack: ObjectMap.Pack) {
        guard let packed = try? store.read(pack.digest, at: 0, count: Int(pack.size) + 1),
            SHA256.digest(packed) == pack.digest,
            let bytes = try? Zstandard.decompress(packed, size: Int(pack.contentSize))
        else { return }
        packs.append(pack)
        var offset = 0
        bytes.withUnsafeBytes { bytes in
            while let length = cutter.cut(UnsafeRawBufferPointer(rebasing: bytes[offset...]), isLast: true) {
                let piece = UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + length])
                places[Packer.digest(piece)] = Place(pack: packs.count - 1, offset: Int64(offset))
                offset += length
            }
        }
    }

    private static func digest(_ piece: UnsafeRawBufferPointer) -> Digest {
        var hash = SHA256()
        hash.update(piece)
        return hash.finish()
    }

    // MARK: Reading

    private static let piece = 1 << 20

    /// - Returns: the file's digest.
    private mutating func add(_ file: FileHandle, _ files: any Files) throws -> Digest {
        var hash = SHA256()
        var offset: Int64 = 0
        while true {
            let bytes = try files.read(file, at: offset, count: Packer.piece)
            hash.update(bytes)
            offset += Int64(bytes.count)
            try add(bytes, isLast: bytes.count < Packer.piece)
            if bytes.count < Packer.piece { return hash.finish() }
        }
    }

    /// The level that gzip's header speaks of, if it is one that ``Gzip`` writes; nil: it is not.
    private static func level(of header: [UInt8]) -> Int? {
        guard header.count == 10, header.prefix(8) == [0x1f, 0x8b, 8, 0, 0, 0, 0, 0], header[9] == 3 else { return nil }
        switch header[8] {
        case 0: return 6
        case 2: return 9
        case 4: return 1
        default: return nil
        }
    }

    /// - Returns: whether gzip makes the same file of its content again.
    private mutating func unpackAndAdd(
        _ file: FileHandle, _ files: any Files, level: Int, _ object: Digest
    ) throws -> Bool {
        let (gunzip, gzip) = (try Gunzip(), try Gzip(level: level))
        var hash = SHA256()
        var offset: Int64 = 0
        while true {
            let bytes = try files.read(file, at: offset, count: 256 * 1_024)
            guard !bytes.isEmpty, let piece = bytes.withUnsafeBytes({ gunzip.read($0) }) else { return false }
            offset += Int64(piece.used)
            if piece.used == 0, piece.content.isEmpty, !piece.isAtEnd { return false }
            hash.update(piece.content.withUnsafeBytes { gzip.add($0, isLast: piece.isAtEnd) })
            try add(piece.content, isLast: piece.isAtEnd)
            if piece.isAtEnd { return try offset == files.size(file) && hash.finish() == object }
        }
    }

    // MARK: Packing

    private mutating func add(_ bytes: [UInt8], isLast: Bool) throws {
        contentSize += Int64(bytes.count)
        let all = rest.isEmpty ? bytes : rest + bytes
        var offset = 0
        try all.withUnsafeBytes { all in
            while let length = cutter.cut(UnsafeRawBufferPointer(rebasing: all[offset...]), isLast: isLast) {
                try add(UnsafeRawBufferPointer(rebasing: all[offset..<offset + length]))
                offset += length
            }
        }
        rest = Array(all[offset...])
        if isLast { try flush() }
    }

    private mutating func add(_ piece: UnsafeRawBufferPointer) throws {
        if Packer.isZero(piece) { return add(.zero(Int64(piece.count))) }
        let digest = Packer.digest(piece)
        if let place = places[digest] {
            return add(.copy(pack: place.pack, offset: place.offset, length: Int64(piece.count)))
        }
        if filling.count + piece.count > ObjectMap.longestPack { try flush() }
        let place = Place(pack: packs.count, offset: Int64(filling.count))
        filling.append(contentsOf: piece)
        places[digest] = place
        add(.copy(pack: place.pack, offset: place.offset, length: Int64(piece.count)))
    }

    private static func isZero(_ piece: UnsafeRawBufferPointer) -> Bool {
        guard let start = piece.baseAddress, piece.first == 0 else { return false }
        return memcmp(start, start + 1, piece.count - 1) == 0
    }

    /// Adds a stretch, or makes the last one longer.
    private mutating func add(_ stretch: ObjectMap.Stretch) {
        switch (stretches.last, stretch) {
        case (.zero(let length), .zero(let more)): stretches[stretches.count - 1] = .zero(length + more)
        case (.copy(let pack, let offset, let length), .copy(let other, let next, let more))
        where pack == other && offset + length == next:
            stretches[stretches.count - 1] = .copy(pack: pack, offset: offset, length: length + more)
        default: stretches.append(stretch)
        }
    }

    /// Makes a pack of what is new.
    private mutating func flush() throws {
        guard !filling.isEmpty else { return }
        let packed = try Zstandard.compress(filling)
        let digest = SHA256.digest(packed)
        if try !store.contains(digest) { made.append(digest) }
        _ = try store.publish(packed)
        packs.append(
            ObjectMap.Pack(digest: digest, size: Int64(packed.count), contentSize: Int64(filling.count)))
        filling.removeAll(keepingCapacity: true)
    }

    /// The map, with the packs alone that it needs, in the order of their use.
    private func end(_ object: Digest, _ size: Int64, _ form: ObjectMap.Form) throws -> ObjectMap {
        var numbers: [Int: Int] = [:]
        var used: [ObjectMap.Pack] = []
        let stretches = stretches.map { stretch in
            guard case .copy(let pack, let offset, let length) = stretch else { return stretch }
            if numbers[pack] == nil {
                numbers[pack] = used.count
                used.append(packs[pack])
            }
            return .copy(pack: numbers[pack] ?? 0, offset: offset, length: length)
        }
        let map = ObjectMap(
            object: object, size: size, form: form, contentSize: contentSize, packs: used, stretches: stretches)
        let text = map.encoded
        guard text.count <= ObjectMap.longest else {
            throw Failure(.badArchive, "the map of \(object.short) would be longer than any may be")
        }
        try store.note(try store.publish(text), of: object)
        return map
    }
}
