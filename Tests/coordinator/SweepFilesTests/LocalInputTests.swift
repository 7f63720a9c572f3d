import Foundation
import Model
import Testing
@testable import SweepFiles

@Suite("Files that somebody else wrote")
struct LocalInputTests {
    private let folder = "\(NSTemporaryDirectory())usweep-contents-\(UUID().uuidString.prefix(8))"

    private func refusal(_ path: String, atMost limit: Int64, shown: String? = nil) -> Failure? {
        do {
            _ = try LocalInput.contents(path, atMost: limit, shown: shown)
            return nil
        } catch { return error as? Failure }
    }

    @Test("A file is read whole up to its limit, and refused by name beyond it, however large, without being read")
    func limits() throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = "\(folder)/record.json"
        #expect(try LocalInput.contents(path, atMost: 10) == nil)
        #expect(try LocalInput.contents("\(path)/below", atMost: 10) == nil)
        try Data("0123456789".utf8).write(to: URL(fileURLWithPath: path))
        #expect(try LocalInput.contents(path, atMost: 10) == Array("0123456789".utf8))
        let refused = try #require(refusal(path, atMost: 9))
        #expect(refused.code == .badData && refused.message.hasPrefix("\(path) has \(PeopleText.size(10));"))
        #expect(truncate(path, 1 << 40) == 0)
        let large = refusal(path, atMost: 4 << 20, shown: "capsule.json")
        let sizes = [1 << 40, 4 << 20].map(PeopleText.size)
        #expect(large?.message == "capsule.json has \(sizes[0]); no such file is larger than \(sizes[1])")
    }

    @Test("What is no file is refused, and waited for by nobody")
    func others() throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        #expect(refusal(folder, atMost: 10)?.message == "\(folder) is not a file")
        #expect(mkfifo("\(folder)/pipe", 0o600) == 0)
        #expect(refusal("\(folder)/pipe", atMost: 10)?.code == .badData)
        // A file whose size is not known before it is read.
        #expect(try LocalInput.contents("/proc/self/status", atMost: 1 << 20)?.isEmpty == false)
        #expect(refusal("/proc/self/status", atMost: 3)?.code == .badData)
    }
}
