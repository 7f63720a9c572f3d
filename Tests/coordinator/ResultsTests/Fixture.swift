import Foundation
import Synchronization
import Testing

/// Outputs of gem5 24.0.0.1, full system on x86, kept compressed beside this file.
enum Fixture {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
        "Fixtures/gem5")

    private static let opened = Mutex<[String: [UInt8]]>([:])

    /// The bytes of a file of a run; nil: the run left no such file.
    static func file(_ run: String, _ name: String) throws -> [UInt8]? {
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
        #expect(process.terminationStatus == 0)
        return [UInt8](bytes)
    }

    static func statistics(_ run: String) throws -> [UInt8] { try #require(try file(run, "stats.txt")) }
}
