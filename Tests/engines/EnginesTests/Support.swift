import Foundation
import Model
import Results
import Testing

/// What a sweep file says to its engine, from JSON; null for what is not JSON.
func settings(_ text: String) -> JSON { (try? JSON(parsing: Array(text.utf8))) ?? .null }

/// The package's own folder.
let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().path

/// The lines of a file that was packed by xz.
func unpackedLines(_ path: String) throws -> [Substring] {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["xz", "-dc", path]
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    return String(decoding: data, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
}

extension [String: [Substring]] {
    /// Files by their lines as what a run left, with the lines of one of them changed.
    func evidence(_ file: String?, _ change: (inout [Substring]) -> Void) -> EvidenceFiles {
        var changed = self
        if let file, var lines = self[file] {
            change(&lines)
            changed[file] = lines
        }
        return EvidenceFiles { [changed] path in changed[path].map { Array($0.joined(separator: "\n").utf8) } }
    }
}
