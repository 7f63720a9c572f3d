import Foundation
import Ledger
import Model

/// A file that is there whole or not at all.
package enum AtomicFile {
    package typealias Body = (@escaping ([UInt8]) throws -> Void) throws -> Void

    package static func write(_ path: String, _ body: Body) throws {
        let part = PartFile.path(for: path)
        defer { unlink(part) }
        try fill(part, for: path, body)
        try place(part, at: path)
    }

    /// Files that belong together: none is put in its place before all are on disk.
    package static func write(_ files: [(path: String, body: Body)]) throws {
        let parts = files.map { PartFile.path(for: $0.path) }
        defer { for part in parts { unlink(part) } }
        for (file, part) in zip(files, parts) { try fill(part, for: file.path, file.body) }
        for (file, part) in zip(files, parts) { try place(part, at: file.path) }
    }

    private static func fill(_ part: String, for path: String, _ body: Body) throws {
        let descriptor = open(part, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard descriptor >= 0 else { throw failure(path) }
        defer { close(descriptor) }
        try body { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let written = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
                if written < 0, errno != EINTR { throw failure(path) }
                rest = rest.dropFirst(max(0, written))
            }
        }
        guard fsync(descriptor) == 0 else { throw failure(path) }
    }

    private static func place(_ part: String, at path: String) throws {
        guard rename(part, path) == 0 else { throw failure(path) }
    }

    private static func failure(_ path: String) -> Failure {
        Failure(.storage, "\(path) cannot be written", cause: String(cString: strerror(errno)))
    }
}
