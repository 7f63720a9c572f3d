import Foundation
import Ledger
import Model

/// A file that is there whole or not at all.
package enum AtomicFile {
    package static func write(_ path: String, _ body: (@escaping ([UInt8]) throws -> Void) throws -> Void) throws {
        let temporary = PartFile.path(for: path)
        let descriptor = open(temporary, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard descriptor >= 0 else { throw failure(path) }
        defer {
            close(descriptor)
            unlink(temporary)
        }
        try body { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let written = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
                if written < 0, errno != EINTR { throw failure(path) }
                rest = rest.dropFirst(max(0, written))
            }
        }
        guard fsync(descriptor) == 0, rename(temporary, path) == 0 else { throw failure(path) }
    }

    private static func failure(_ path: String) -> Failure {
        Failure(.storage, "\(path) cannot be written", cause: String(cString: strerror(errno)))
    }
}
