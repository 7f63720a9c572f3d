import CoordinatorRuntime
import Foundation
import Model
@testable import Sessions
import Storage
import Testing

/// Folders that hold the content of an archive while it is read: gigabytes, which nobody looks for.
@Suite("What a killed import leaves")
struct ExchangeTests {
    /// A folder of a process that has ended, one of this process, and one of another machine's, each with a file.
    private static func makeFolders(_ prefix: String, in folder: String) throws -> (left: String, kept: [String]) {
        let ended = try Process.run(URL(filePath: "/bin/true"), arguments: [])
        ended.waitUntilExit()
        let own = LocalFiles().processMark
        let left = "\(prefix)a." + own.dropLast("\(getpid())".count) + "\(ended.processIdentifier)"
        let kept = ["\(prefix)b.\(own)", "\(prefix)c.elsewhere.\(ended.processIdentifier)"]
        for name in kept + [left] {
            try FileManager.default.createDirectory(
                atPath: "\(folder)/\(name)/objects", withIntermediateDirectories: true)
            try Data("x".utf8).write(to: URL(filePath: "\(folder)/\(name)/objects/x"))
        }
        return (left, kept)
    }

    private static func names(_ prefix: String, in folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasPrefix(prefix) }.sorted()
    }

    @Test("The next import of a checkpoint removes it, and nothing that others are at")
    func checkpoint() throws {
        let folder = "\(NSTemporaryDirectory())/usweep-exchange-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let (left, kept) = try Self.makeFolders("exchange-", in: folder)
        let archive = CheckpointArchive(CheckpointStore(folder: folder, files: LocalFiles()))
        #expect(try Self.names("exchange-", in: folder).contains(left))
        #expect(throws: Failure.self) { try archive.read("\(folder)/none.tar") }
        #expect(try Self.names("exchange-", in: folder) == kept)
    }

    @Test("The next reproduction of a capsule removes it, and nothing that others are at")
    func capsule() throws {
        let folder = ArtifactsFolder(path: "\(NSTemporaryDirectory())/usweep-exchange-\(UUID().uuidString)")
        try folder.prepare()
        defer { try? FileManager.default.removeItem(atPath: folder.path) }
        let (_, kept) = try Self.makeFolders(CapsuleArchive.scratch, in: folder.path)
        #expect(throws: Failure.self) { try CapsuleArchive.read("\(folder.path)/none.tar", into: folder) }
        #expect(try Self.names(CapsuleArchive.scratch, in: folder.path) == kept)
    }
}
