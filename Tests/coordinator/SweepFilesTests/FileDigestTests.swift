import Foundation
import Model
import TestKit
import Testing
@testable import SweepFiles

@Suite("Digests of large files that were read before")
struct FileDigestTests {
    private let folder = "\(NSTemporaryDirectory())usweep-digests-\(UUID().uuidString.prefix(8))"

    private func status(_ path: String) -> stat {
        var status = stat()
        _ = stat(path, &status)
        return status
    }

    @Test("They are known again, in another process too, until the file changes")
    func known() throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let (path, kept) = ("\(folder)/large", "\(folder)/cache/digests")
        #expect(FileManager.default.createFile(atPath: path, contents: nil))
        truncate(path, off_t(FileDigests.smallest))
        let (digest, found) = (SHA256.digest("what it holds"), status(path))
        var later = timespec()
        clock_gettime(CLOCK_REALTIME, &later)
        let first = FileDigests()
        first.keep(in: kept)
        first.note(digest, before: found, after: found, now: later)
        #expect(first.digest(of: found) == nil, "it may have been written to in this very moment")
        later.tv_sec += 60
        first.note(digest, before: found, after: found, now: later)
        #expect(first.digest(of: found) == digest)
        let second = FileDigests()
        second.keep(in: kept)
        #expect(second.digest(of: status(path)) == digest)
        truncate(path, off_t(FileDigests.smallest) + 1)
        #expect(second.digest(of: status(path)) == nil)
    }

    @Test("What an older program kept is read; what a newer one keeps is neither read nor changed")
    func versions() throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let (path, kept) = ("\(folder)/large", "\(folder)/digests")
        #expect(FileManager.default.createFile(atPath: path, contents: nil))
        truncate(path, off_t(FileDigests.smallest))
        let (digest, found) = (SHA256.digest("what it holds"), status(path))
        let line = "\(digest.hex) \(FileDigests.Identity(found).text)\n"
        var later = timespec()
        clock_gettime(CLOCK_REALTIME, &later)
        later.tv_sec += 60
        func text() throws -> String { try String(contentsOfFile: kept, encoding: .utf8) }
        for (first, isRead) in [("", true), ("usweep digests 2\n", true), ("usweep digests 3\n", false)] {
            try (first + line).write(toFile: kept, atomically: true, encoding: .utf8)
            let digests = FileDigests()
            digests.keep(in: kept)
            #expect(digests.digest(of: found) == (isRead ? digest : nil), "\(first)")
            digests.note(SHA256.digest("other"), before: found, after: found, now: later)
            #expect(try text().hasPrefix(first + line) && (try text() == first + line) == !isRead, "\(first)")
        }
        try FileManager.default.removeItem(atPath: kept)
        let digests = FileDigests()
        digests.keep(in: kept)
        digests.note(digest, before: found, after: found, now: later)
        #expect(try text() == "usweep digests 2\n" + line)
        #expect(try FormatsPage.version(of: "digests of large files") == 2)
        try Data(count: 2 << 20).write(to: URL(fileURLWithPath: kept))
        let tooLarge = FileDigests()
        tooLarge.keep(in: kept)
        #expect(tooLarge.digest(of: found) == nil)
    }

    @Test("What cannot be kept, or read again, is no trouble")
    func unusable() throws {
        try Data("no digests here\n".utf8).write(to: URL(fileURLWithPath: folder))
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for path in ["\(folder)/digests", folder] {
            let digests = FileDigests()
            digests.keep(in: path)
            var (found, now) = (status(folder), timespec())
            found.st_size = off_t(FileDigests.smallest)
            clock_gettime(CLOCK_REALTIME, &now)
            now.tv_sec += 60
            digests.note(SHA256.digest(""), before: found, after: found, now: now)
            #expect(digests.digest(of: found) == SHA256.digest(""))
        }
    }
}
