import Formats
import Foundation
import Model
import Ports
import Testing

@testable import Storage

/// Objects as maps and packs: exact round trips, little for what is known, nothing taken that is damaged.
@Suite struct PackingTests {
    private let files = LocalFiles()
    private let folder = NSTemporaryDirectory() + "usweep-packing-" + UUID().uuidString

    private func withStore(_ body: (ObjectStore) throws -> Void) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(try ObjectStore(root: "\(folder)/objects", files: files))
    }

    private func pack(_ bytes: [UInt8], _ store: ObjectStore, _ bases: [ObjectMap] = []) throws -> ObjectMap {
        let path = "\(folder)/\(UUID().uuidString)"
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        return try Packer.pack(SHA256.digest(bytes), at: path, files, into: store, bases: bases)
    }

    private func unpacked(_ map: ObjectMap, _ store: ObjectStore) throws -> [UInt8] {
        var unpacking = try Unpacking(map, store, files)
        // In many small steps, as an agent does it.
        var steps = 0
        while true {
            var budget = 1
            if try unpacking.step(budget: &budget) { break }
            steps += 1
        }
        #expect(steps >= map.stretches.count - 1)
        return try store.read(map.object, at: 0, count: Int(map.size) + 1)
    }

    /// What a guest's memory is like: most pages zero, others of some entropy.
    private func image(pages: Int, seed: UInt64, changed: Set<Int> = []) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: pages * 4_096)
        for page in 0..<pages where page % 3 == 0 {
            var state = UInt64(page) &* 7 &+ (changed.contains(page) ? seed : 1)
            for offset in 0..<4_096 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                bytes[page * 4_096 + offset] = UInt8(truncatingIfNeeded: state >> 59)
            }
        }
        return bytes
    }

    private func gzipped(_ bytes: [UInt8], level: Int) throws -> [UInt8] {
        let gzip = try Gzip(level: level)
        return bytes.withUnsafeBytes { gzip.add($0, isLast: true) }
    }

    @Test("What comes out is what went in", arguments: [0, 1, 5, 2_047, 4_096, 70_000, 1 << 20, 5_000_001])
    func exact(size: Int) throws {
        try withStore { store in
            let bytes = Array(image(pages: size / 4_096 + 1, seed: 9).prefix(size))
            let map = try pack(bytes, store)
            #expect(try unpacked(map, store) == bytes)
            #expect(map.form == .plain && map.size == Int64(size))
            #expect(try ObjectMap(map.encoded) == map)
        }
    }

    @Test("gzip's files are opened, and made again to the last byte", arguments: [1, 6, 9])
    func gzip(level: Int) throws {
        try withStore { store in
            let bytes = try gzipped(image(pages: 1_024, seed: 1), level: level)
            let map = try pack(bytes, store)
            #expect(map.form == .gzip(level: level) && map.contentSize == 4 << 20)
            #expect(map.stretches.contains { if case .zero = $0 { true } else { false } })
            #expect(try unpacked(map, store) == bytes)
        }
    }

    @Test("What looks like gzip's and is not is kept as it is")
    func notGzip() throws {
        try withStore { store in
            var bytes = try gzipped(image(pages: 64, seed: 1), level: 6)
            // Behind its end; cut off; two members: gzip would not write any of them again.
            for odd in [bytes + [1, 2, 3], Array(bytes.dropLast(9)), bytes + bytes] {
                let map = try pack(odd, store)
                #expect(map.form == .plain)
                #expect(try unpacked(map, store) == odd)
            }
            bytes[bytes.count / 2] ^= 1
            #expect(try unpacked(try pack(bytes, store), store) == bytes)
        }
    }

    @Test("A second image costs its changed pages alone")
    func shares() throws {
        try withStore { store in
            let changed: Set = [30, 303, 306, 1_500]
            let first = try pack(try gzipped(image(pages: 2_048, seed: 1), level: 6), store)
            let bytes = try gzipped(image(pages: 2_048, seed: 77, changed: changed), level: 6)
            let second = try pack(bytes, store, [first])
            let fresh = second.packs.filter { !first.packs.contains($0) }
            #expect(fresh.reduce(0) { $0 + $1.contentSize } == Int64(changed.count * 4_096))
            #expect(try unpacked(second, store) == bytes)
        }
    }

    @Test("What was inserted into a text moves nothing that follows")
    func inserted() throws {
        try withStore { store in
            let text = (0..<60_000).map { "line \($0) \($0 &* 2_654_435_761 % 1_000_003)\n" }.joined()
            let first = try pack(Array(text.utf8), store)
            let other = Array(text.replacing("line 30000 ", with: "something else entirely 30000 ").utf8)
            let second = try pack(other, store, [first])
            let fresh = second.packs.filter { !first.packs.contains($0) }.reduce(0) { $0 + $1.contentSize }
            #expect(fresh < 70_000)
            #expect(try unpacked(second, store) == other)
        }
    }

    @Test("A damaged pack, and one of something else, are found, and nothing is published")
    func damaged() throws {
        try withStore { store in
            let bytes = image(pages: 512, seed: 3)
            let map = try pack(bytes, store)
            let pack = try #require(map.packs.first)
            let path = store.path(pack.digest)
            let whole = try Data(contentsOf: URL(fileURLWithPath: path))
            var flipped = whole
            flipped[whole.count / 2] ^= 0x10
            for bad in [flipped, whole.prefix(whole.count / 2), Data()] {
                try FileManager.default.removeItem(atPath: path)
                try bad.write(to: URL(fileURLWithPath: path))
                #expect(throws: (any Error).self) { try unpacked(map, store) }
                #expect(try store.size(map.object) == nil)
            }
        }
    }

    @Test("A damaged base is passed over, and what is damaged is removed, so that it can be stored once more")
    func repaired() throws {
        try withStore { store in
            let first = try pack(image(pages: 512, seed: 3), store)
            let path = store.path(try #require(first.packs.first?.digest))
            try FileManager.default.removeItem(atPath: path)
            try Data("something else".utf8).write(to: URL(fileURLWithPath: path))
            #expect(try store.problem(of: first.object) != nil)
            let bytes = image(pages: 512, seed: 8, changed: [9])
            let second = try pack(bytes, store, [first])
            #expect(try unpacked(second, store) == bytes)
            #expect(try !store.removeDamage(of: first.object))
            #expect(try store.map(of: first.object) == nil)
            #expect(try pack(image(pages: 512, seed: 3), store) == first)
            #expect(try store.removeDamage(of: first.object) && store.problem(of: first.object) == nil)
            try store.removeNotes(keeping: [second.object])
            #expect(try store.map(of: first.object) == nil && store.map(of: second.object) != nil)
        }
    }

    @Test("A map that names another object's content is refused")
    func otherObject() throws {
        try withStore { store in
            var map = try pack(image(pages: 512, seed: 3), store)
            map.object = SHA256.digest("another")
            #expect(throws: Failure.self) { try unpacked(map, store) }
        }
    }

    @Test("An object in packs is found, taken over by another store, and not found without one of its packs")
    func taken() throws {
        try withStore { store in
            let bytes = image(pages: 512, seed: 3)
            let map = try pack(bytes, store)
            let other = try ObjectStore(root: "\(folder)/other", files: files)
            #expect(try other.take(map.object, from: store))
            #expect(try other.map(of: map.object)?.map == map)
            try other.unpack(map)
            #expect(try other.read(map.object, at: 0, count: bytes.count + 1) == bytes)
            #expect(try !other.take(SHA256.digest("nobody has it"), from: store))
            try other.remove(try #require(map.packs.first?.digest))
            #expect(try other.map(of: map.object) == nil)
            #expect(try store.map(of: map.object)?.map == map)
        }
    }
}
