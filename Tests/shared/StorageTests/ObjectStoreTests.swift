import Foundation
import Model
import Ports
import Storage
import Synchronization
import Testing

@Suite struct ObjectStoreTests {
    private func store() throws -> (ObjectStore, String) {
        let path = NSTemporaryDirectory() + "usweep-store-" + UUID().uuidString
        return (try ObjectStore(root: path, files: LocalFiles()), path)
    }

    @Test func publishesReadsAndVerifies() throws {
        let (store, path) = try store()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let digest = try store.publish(Array("hello".utf8))
        #expect(try store.size(digest) == 5)
        #expect(try store.read(digest, at: 1, count: 3) == Array("ell".utf8))
        #expect(try store.verify(digest))
        #expect(try store.all() == [digest])
        #expect(
            try FileManager.default.attributesOfItem(atPath: store.path(digest))[.posixPermissions] as? Int == 0o400)
    }

    @Test("A file of the user's may be a link; one of an archive may not")
    func links() throws {
        let (store, path) = try store()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let (file, link) = ("\(path)/file", "\(path)/link")
        try "hello".write(toFile: file, atomically: false, encoding: .utf8)
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "file")
        #expect(try store.read(file: link, at: 1, count: 3) == Array("ell".utf8))
        let digest = SHA256.digest("hello")
        try store.publish(file: link, as: digest) { true }
        #expect(try store.read(digest, at: 0, count: 9) == Array("hello".utf8))
        #expect(throws: FilesError.self) { try store.publish(file: link) }
    }

    @Test("What a process left that has ended is removed; what another machine's or a living one makes stays")
    func abandoned() throws {
        let (store, path) = try store()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let ended = try Process.run(URL(filePath: "/bin/true"), arguments: [])
        ended.waitUntilExit()
        let own = LocalFiles().processMark
        let machine = own.prefix { $0 != "." }
        let names = ["a.\(own)", "b.elsewhere.\(ended.processIdentifier)", "c", "d.\(machine)x.1"]
        let left = "e." + own.dropLast("\(getpid())".count) + "\(ended.processIdentifier)"
        for name in names + [left] {
            #expect(FileManager.default.createFile(atPath: "\(path)/partial/\(name)", contents: nil))
        }
        try store.removePartial(where: LocalFiles.isAbandoned)
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(path)/partial").sorted() == names)
    }

    @Test func transferGoesOnAfterABreak() throws {
        let (store, path) = try store()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let bytes = Array("in two pieces".utf8)
        let digest = SHA256.digest(bytes)
        try store.write(digest, at: 0, Array(bytes[..<4]))
        let again = try ObjectStore(root: path, files: LocalFiles())
        #expect(try again.partialSize(digest) == 4)
        try again.write(digest, at: 4, Array(bytes[4...]))
        try again.finish(digest, size: Int64(bytes.count))
        #expect(try again.read(digest, at: 0, count: 100) == bytes)
        #expect(try again.partialSize(digest) == 0)
    }

    @Test func severalThreadsPublishTheSame() throws {
        let (store, path) = try store()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let failures = Mutex(0)
        DispatchQueue.concurrentPerform(iterations: 400) { index in
            // Few objects, many threads: each is published by a dozen of them, from two stores of one root.
            let bytes = Array("object \(index % 32)".utf8)
            do {
                let mine = index % 2 == 0 ? store : try ObjectStore(root: path, files: LocalFiles())
                guard try mine.read(mine.publish(bytes), at: 0, count: 100) == bytes else {
                    throw Failure(.badArchive, "other bytes")
                }
            } catch {
                failures.withLock { $0 += 1 }
            }
        }
        #expect(failures.withLock { $0 } == 0)
        #expect(try store.all().count == 32 && !store.removePartial())
    }

    @Test func wrongBytesAreNeverPublished() throws {
        let (store, path) = try store()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let digest = SHA256.digest("right")
        try store.write(digest, at: 0, Array("wrong".utf8))
        #expect(throws: Failure.self) { try store.finish(digest, size: 5) }
        #expect(try !store.contains(digest))
        #expect(throws: Failure.self) { try store.publish([(digest, Array("wrong".utf8))]) }
        #expect(try !store.contains(digest))
    }

    @Test func holdsWhatAnotherProcessLeft() throws {
        let (store, path) = try store()
        defer { try? FileManager.default.removeItem(atPath: path) }
        // More than there are folders: some stand together.
        let digests = try (0..<300).map { try store.publish(Array("object \($0)".utf8)) }
        let later = try ObjectStore(root: path, files: LocalFiles())
        #expect(try digests.allSatisfy { try later.holds($0) })
        let gone = try #require(digests.last)
        try FileManager.default.removeItem(atPath: later.path(gone))
        #expect(try !later.holds(gone))
        #expect(try !later.holds(SHA256.digest("never")))
    }
}
