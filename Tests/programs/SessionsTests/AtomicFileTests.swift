import Foundation
import Ledger
import Model
import Testing
@testable import Sessions

@Suite("Files that are there whole or not at all")
struct AtomicFileTests {
    @Test("A name as long as names can be; what fails leaves what was there, and nothing beside it")
    func longName() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "usweep-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let name = String(repeating: "n", count: 255)
        try AtomicFile.write("\(folder)/\(name)") { try $0([1]) }
        #expect(throws: CancellationError.self) {
            try AtomicFile.write("\(folder)/\(name)") { sink in
                try sink([2])
                throw CancellationError()
            }
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == [name])
        #expect(FileManager.default.contents(atPath: "\(folder)/\(name)") == Data([1]))
    }

    @Test("What a killed process left is removed by the next; what another one still writes is not")
    func abandoned() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "usweep-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let part = try #require(PartFile.open(for: "\(folder)/a"))
        defer { close(part.descriptor) }
        // A lock ends with the descriptor, however its process ended.
        let left = try #require(PartFile.open(for: "\(folder)/a"))
        close(left.descriptor)
        let others = [".usweep-part-1-x", ".usweep-part-2", "usweep-part-1-2", ".part-1-2"]
        for name in others { #expect(FileManager.default.createFile(atPath: "\(folder)/\(name)", contents: nil)) }
        try AtomicFile.write("\(folder)/b") { try $0([1]) }
        let kept = [(part.path as NSString).lastPathComponent]
        #expect(try Set(FileManager.default.contentsOfDirectory(atPath: folder)) == Set(others + ["b"] + kept))
    }

    @Test("Of files that belong together none is replaced unless all are whole")
    func together() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "usweep-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let paths = ["a", "b", "c"].map { "\(folder)/\($0)" }
        func contents() -> [Data?] { paths.map { FileManager.default.contents(atPath: $0) } }
        try AtomicFile.write(paths) { sinks in for (place, sink) in sinks.enumerated() { try sink([UInt8(place)]) } }
        let first: [Data?] = [Data([0]), Data([1]), Data([2])]
        #expect(contents() == first)
        #expect(throws: CancellationError.self) {
            try AtomicFile.write(paths) { sinks in
                for sink in sinks { try sink([9]) }
                #expect(contents() == first, "nothing is in its place before all are written")
                throw CancellationError()
            }
        }
        #expect(throws: Failure.self) {
            try AtomicFile.write(paths + ["\(folder)/none/d"]) { sinks in for sink in sinks { try sink([9]) } }
        }
        #expect(contents() == first)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == ["a", "b", "c"])
    }
}
