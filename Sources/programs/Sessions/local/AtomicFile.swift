import Foundation
import Ledger
import Model
import Synchronization

/// A file that is there whole or not at all.
package enum AtomicFile {
    /// Where a file's bytes go.
    package typealias Sink = ([UInt8]) throws -> Void
    package typealias Body = (@escaping Sink) throws -> Void

    /// Folders in which this process has removed what killed ones had left.
    private static let cleaned = Mutex<Set<String>>([])

    package static func write(_ path: String, _ body: Body) throws { try write([path]) { try body($0[0]) } }

    /// Files that belong together: none is put in its place before all are on disk.
    ///
    /// - Parameter body: is given a sink for each, in their order.
    package static func write(_ paths: [String], _ body: ([Sink]) throws -> Void) throws {
        let folders = Set(paths.map { URL(fileURLWithPath: $0).deletingLastPathComponent().path })
        for folder in folders where cleaned.withLock({ $0.insert(folder).inserted }) {
            PartFile.removeAbandoned(in: folder)
        }
        var parts: [String] = []
        var descriptors: [Int32] = []
        defer {
            for part in parts { unlink(part) }
            for descriptor in descriptors { close(descriptor) }
        }
        for path in paths {
            guard let (part, descriptor) = PartFile.open(for: path) else { throw failure(path) }
            parts.append(part)
            descriptors.append(descriptor)
        }
        try body(zip(paths, descriptors).map { path, descriptor in { try put($0, into: descriptor, path) } })
        for (path, descriptor) in zip(paths, descriptors) {
            guard fsync(descriptor) == 0 else { throw failure(path) }
        }
        for (path, part) in zip(paths, parts) {
            guard rename(part, path) == 0 else { throw failure(path) }
        }
        for folder in folders.sorted() { try syncFolder(folder) }
    }

    private static func put(_ bytes: [UInt8], into descriptor: Int32, _ path: String) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
            if written < 0, errno != EINTR { throw failure(path) }
            rest = rest.dropFirst(max(0, written))
        }
    }

    /// The new names are on disk then. A folder that may be written but not read cannot be asked for that.
    private static func syncFolder(_ path: String) throws {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        // Some file systems of networks know no such call for folders.
        guard fsync(descriptor) == 0 || errno == EINVAL else { throw failure(path) }
    }

    private static func failure(_ path: String) -> Failure {
        Failure(.storage, "\(path) cannot be written", cause: String(cString: strerror(errno)))
    }
}
