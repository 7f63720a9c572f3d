import Foundation

/// What programs of earlier versions left behind: see `Tests/support/Golden/README.md`.
package enum Golden {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appending(path: "../Golden").standardized

    package static func path(_ name: String) -> String { folder.appending(path: name).path }

    package static func bytes(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: folder.appending(path: name)))
    }

    package static func text(_ name: String) throws -> String { String(decoding: try bytes(name), as: UTF8.self) }

    private static var isRecording: Bool { ProcessInfo.processInfo.environment["USWEEP_RECORD_GOLDEN"] != nil }

    /// Writes a file that is not there yet, where `USWEEP_RECORD_GOLDEN` is set: once, when a format is new.
    ///
    /// - Returns: what the file has.
    package static func recorded(_ name: String, _ bytes: [UInt8]) throws -> [UInt8] {
        if isRecording { try add(bytes, to: path(name)) }
        return try self.bytes(name)
    }

    /// Writes a file, but never over one that is there.
    package static func add(_ bytes: [UInt8], to path: String) throws {
        guard !FileManager.default.fileExists(atPath: path) else { return }
        try Data(bytes).write(to: URL(fileURLWithPath: path), options: .withoutOverwriting)
    }

    /// Byte strings by their names, one a line: a name, a space and the bytes in hexadecimal. Where
    /// `USWEEP_RECORD_GOLDEN` is set, a name that the file does not have is added to its end.
    ///
    /// - Returns: what the file has.
    package static func recorded(
        _ name: String, lines samples: [(name: String, bytes: [UInt8])]
    ) throws -> [String: [UInt8]] {
        if isRecording { try add(samples, to: path(name)) }
        return try lines(text(name))
    }

    /// Adds lines for the names that a file does not have, and changes none of those that it has.
    package static func add(_ samples: [(name: String, bytes: [UInt8])], to path: String) throws {
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        let known = try lines(text)
        let new = samples.filter { known[$0.name] == nil }.map { "\($0.name) \(hex($0.bytes))\n" }
        try (text + new.joined()).write(toFile: path, atomically: true, encoding: .utf8)
    }

    package static func lines(_ text: String) throws -> [String: [UInt8]] {
        var found: [String: [UInt8]] = [:]
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ", omittingEmptySubsequences: false)
            guard words.count == 2, found[String(words[0])] == nil, words[1].utf8.count % 2 == 0 else {
                throw FormatsPage.Misread(row: String(line))
            }
            let digits = Array(words[1])
            found[String(words[0])] = try stride(from: 0, to: digits.count, by: 2).map { place in
                guard let byte = UInt8(String(digits[place...place + 1]), radix: 16) else {
                    throw FormatsPage.Misread(row: String(line))
                }
                return byte
            }
        }
        return found
    }

    private static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
}
