import Foundation
public import Model

/// Files of this machine as inputs of runs.
public enum LocalInput {
    /// The bytes of a file that somebody else may have written: never more of them than fit. All small files that come
    /// from outside are read by this.
    ///
    /// - Parameters:
    ///   - limit: in bytes.
    ///   - name: the path as people know it; nil: as it is.
    /// - Returns: nil: there is no such file.
    /// - Throws: ``Failure``: `badData` for a file that is larger, `storage` for one that cannot be read.
    public static func contents(_ path: String, atMost limit: Int64, shown name: String? = nil) throws -> [UInt8]? {
        let shown = VisibleText.of(name ?? path, limit: 1_000)
        func unreadable() -> Failure {
            Failure(.storage, "\(shown) cannot be read", cause: String(cString: strerror(errno)))
        }
        // Opening a pipe that nobody writes to would wait for ever.
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard file >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw unreadable()
        }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw unreadable() }
        guard status.st_mode & S_IFMT == S_IFREG else { throw Failure(.badData, "\(shown) is not a file") }
        func tooLarge() -> Failure {
            Failure(
                .badData, "\(shown) has \(PeopleText.size(max(Int64(status.st_size), limit + 1))); no such file is "
                    + "larger than \(PeopleText.size(limit))")
        }
        guard status.st_size <= limit else { throw tooLarge() }
        // It may grow while it is read.
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size) + 1)
        var count = 0
        while true {
            let got = bytes.withUnsafeMutableBytes { read(file, $0.baseAddress! + count, $0.count - count) }
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { throw unreadable() }
            if got == 0 { break }
            count += got
            guard count <= limit else { throw tooLarge() }
            if count == bytes.count { bytes += [UInt8](repeating: 0, count: min(count, 1 << 20)) }
        }
        bytes.removeLast(bytes.count - count)
        return bytes
    }

    /// - Parameters:
    ///   - path: where it is, absolute.
    ///   - place: where it goes, relative to an attempt's folder.
    /// - Throws: ``Failure``: `missingFile` or `storage`.
    public static func file(_ path: String, at place: String) throws -> InputFile {
        let (digest, size) = try Folder.digest(path, shown: path)
        return InputFile(path: place, source: path, digest: digest, size: size, isExecutable: false)
    }

    /// Whether a file is still the one that has this digest. A large one that is known is not read again.
    ///
    /// - Throws: ``Failure``: `missingFile` or `storage`.
    public static func isUnchanged(_ file: InputFile) throws -> Bool {
        try Folder.digest(file.source, shown: file.source).digest == file.digest
    }

    /// All plain files directly in a folder that a predicate takes, by their names.
    ///
    /// - Parameter place: the folder that they go to; empty: an attempt's folder itself.
    /// - Throws: ``Failure``: `missingFile` or `storage`.
    public static func folder(
        _ path: String, at place: String, where isWanted: (String) -> Bool = { _ in true }
    ) throws -> [InputFile] {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue else {
            throw Failure(.missingFile, "there is no folder \(path)")
        }
        return try Folder.names(path, shown: path).filter(isWanted).compactMap { name in
            var status = stat()
            guard stat("\(path)/\(name)", &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
            let below = place.isEmpty ? name : "\(place)/\(name)"
            guard RelativePath.isSafe(below) else {
                throw Failure(
                    .badSpecification, "'\(Names.shown(name))' in \(path) is not a usable name; rename the file")
            }
            return try file("\(path)/\(name)", at: below)
        }
    }
}
