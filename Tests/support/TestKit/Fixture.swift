import Foundation
import Model
import Synchronization

/// Outputs of gem5 24.0.0.1, full system on x86, kept compressed among the tests of Results.
package enum Fixture {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appending(path: "../../coordinator/ResultsTests/Fixtures/gem5").standardized

    private static let opened = Mutex<[String: [UInt8]]>([:])

    /// The bytes of a file of a run; nil: the run left no such file.
    package static func file(_ run: String, _ name: String) throws -> [UInt8]? {
        if let bytes = opened.withLock({ $0["\(run)/\(name)"] }) { return bytes }
        let bytes = try unpacked(run, name)
        if let bytes { opened.withLock { $0["\(run)/\(name)"] = bytes } }
        return bytes
    }

    private static func unpacked(_ run: String, _ name: String) throws -> [UInt8]? {
        let path = folder.appendingPathComponent("\(run)/\(name).gz").path
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["gzip", "-dc", path]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let bytes = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure(.badData, "\(path) cannot be unpacked") }
        return [UInt8](bytes)
    }

    package static func statistics(_ run: String) throws -> [UInt8] {
        guard let bytes = try file(run, "stats.txt") else { throw Failure(.missingFile, "\(run) has no stats.txt") }
        return bytes
    }
}
