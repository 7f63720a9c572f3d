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

    /// Writes a file instead of comparing it, where `USWEEP_RECORD_GOLDEN` is set: once, when a format is new.
    ///
    /// - Returns: what the file has.
    package static func recorded(_ name: String, _ bytes: [UInt8]) throws -> [UInt8] {
        if ProcessInfo.processInfo.environment["USWEEP_RECORD_GOLDEN"] != nil {
            try Data(bytes).write(to: folder.appending(path: name))
        }
        return try self.bytes(name)
    }
}
