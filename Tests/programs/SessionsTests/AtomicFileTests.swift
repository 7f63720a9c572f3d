import Foundation
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
}
