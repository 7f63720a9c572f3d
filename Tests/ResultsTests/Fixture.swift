import Foundation
import Testing

/// Outputs of gem5 24.0.0.1, full system on x86, kept compressed beside this file.
enum Fixture {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
        "Fixtures/gem5")

    static let names = [
        "fail-bad-value", "fail-checkpoint-truncated", "fail-cores-1", "fail-disk-full", "fail-guest-panic",
        "fail-memory-mismatch", "fail-sigint", "fail-sigkill", "fail-too-many-invocations", "o3-tage-1M",
        "o3-tournament-1M", "o3-tournament-1M-again", "o3-tournament-256K", "silent-cores-4", "silent-other-kernel",
        "timing-1M", "timing-warm3-1M",
    ]

    /// The bytes of a file of a run; nil: the run left no such file.
    static func file(_ run: String, _ name: String) throws -> [UInt8]? {
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
