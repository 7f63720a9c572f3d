import Foundation
import Model

/// Where relative paths of a specification start, and what is read from this machine's disk.
struct Folder {
    /// Absolute, without `.` or `..` parts.
    let path: String

    init(_ path: String) {
        let full = path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
        self.path = Folder.normal(full)
    }

    /// The absolute path that `text` means here; `~/` stands for the user's home.
    func resolve(_ text: String) -> String {
        if text.hasPrefix("/") { return Folder.normal(text) }
        if text == "~" || text.hasPrefix("~/") { return Folder.normal(UserHome.path + text.dropFirst()) }
        return Folder.normal(path + "/" + text)
    }

    /// The folder that holds the file, as text.
    static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Without `.`, `..` and empty parts, by the text alone.
    static func normal(_ path: String) -> String {
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }

    /// The text of a small file.
    ///
    /// - Throws: ``Failure``: `missingFile`; `storage` when it cannot be read; `badSpecification` when it is
    ///   larger than `limit` bytes or not UTF-8.
    static func text(_ path: String, shown: String, limit: Int = YAMLValue.maximumBytes) throws -> String {
        var bytes: [UInt8] = []
        try read(path, shown: shown) { chunk in
            bytes.append(contentsOf: chunk)
            return bytes.count <= limit
        }
        guard bytes.count <= limit else {
            throw Failure(.badSpecification, "\(shown):1:1: the file is larger than \(limit >> 20) MiB")
        }
        if UTF16Mark.isMark(bytes) {
            throw Failure(.badSpecification, "\(shown):1:1: the file is UTF-16, not UTF-8; save it as UTF-8")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            let valid = bytes.split(separator: 0x0a, omittingEmptySubsequences: false)
                .prefix { String(validating: $0, as: UTF8.self) != nil }
            let line = bytes.split(separator: 0x0a, omittingEmptySubsequences: false)[valid.count]
            let column = String(decoding: line, as: UTF8.self).unicodeScalars.prefix { $0 != "\u{fffd}" }.count + 1
            throw Failure(
                .badSpecification, "\(shown):\(valid.count + 1):\(column): not UTF-8; save the file as UTF-8")
        }
        return text.hasPrefix("\u{feff}") ? String(text.unicodeScalars.dropFirst()) : text
    }

    /// - Throws: ``Failure``: `missingFile` or `storage`.
    static func checkReadable(_ path: String, shown: String) throws {
        guard access(path, R_OK) == 0 else { throw failure(errno, shown) }
    }

    /// Digest and length of a file of any size, read in pieces, if it was not read before.
    static func digest(_ path: String, shown: String) throws -> (digest: Digest, size: Int64) {
        var (before, after) = (stat(), stat())
        let isPlain = stat(path, &before) == 0 && before.st_mode & S_IFMT == S_IFREG
        if isPlain, let known = FileDigests.shared.digest(of: before), access(path, R_OK) == 0 {
            return (known, Int64(before.st_size))
        }
        var hash = SHA256()
        var size: Int64 = 0
        try read(path, shown: shown) { chunk in
            hash.update(chunk)
            size += Int64(chunk.count)
            return true
        }
        let digest = hash.finish()
        if isPlain, stat(path, &after) == 0, Int64(after.st_size) == size {
            FileDigests.shared.note(digest, before: before, after: after)
        }
        return (digest, size)
    }

    /// Calls `body` with each piece until it returns false.
    private static func read(
        _ path: String, shown: String, _ body: (UnsafeRawBufferPointer) -> Bool
    ) throws {
        // Without waiting for the other end of a pipe that somebody put there.
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { throw failure(errno, shown) }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw failure(errno, shown) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw Failure(.missingFile, "'\(Names.shown(shown))' is not a plain file; name one")
        }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            let count = Foundation.read(file, buffer.baseAddress, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure(errno, shown) }
            guard count > 0, body(UnsafeRawBufferPointer(rebasing: buffer[..<count])) else { return }
        }
    }

    /// The names in a folder, in order.
    ///
    /// - Throws: ``Failure``: `missingFile` or `storage`; `badSpecification` for a name that is not UTF-8.
    static func names(_ path: String, shown: String) throws -> [String] {
        guard let folder = opendir(path) else { throw failure(errno, shown) }
        defer { closedir(folder) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(folder) else { break }
            let start = UnsafeRawPointer(entry) + (MemoryLayout<dirent>.offset(of: \.d_name) ?? 0)
            let text = start.assumingMemoryBound(to: CChar.self)
            let bytes = Array(UnsafeRawBufferPointer(start: start, count: strlen(text)))
            guard let name = String(validating: bytes, as: UTF8.self) else {
                let seen = VisibleText.of(String(decoding: bytes, as: UTF8.self), limit: 80)
                throw Failure(
                    .badSpecification, "'\(Names.shown(shown))/\(seen)': the name is not UTF-8; rename the file, as in "
                        + "convmv -f latin1 -t utf8 --notest -r \(ShellWord.of(path))")
            }
            if name != ".", name != ".." { names.append(name) }
        }
        guard errno == 0 else { throw failure(errno, shown) }
        return names.sorted()
    }

    static func failure(_ error: Int32, _ shown: String) -> Failure {
        let name = Names.shown(shown)
        if error == ENOENT || error == ENOTDIR {
            // Of a file that this one names; another was named in full, or on the command line.
            let rule = shown.hasPrefix("/") ? "" : ", relative paths start at the file"
            return Failure(.missingFile, "'\(name)' does not exist; check the name\(rule)")
        }
        return Failure(
            .storage, "'\(name)' cannot be read; check its permissions", cause: String(cString: strerror(error)))
    }
}

/// This user's home, as shells have it.
package enum UserHome {
    /// `$HOME`, else that of the account.
    package static var path: String {
        let named = ProcessInfo.processInfo.environment["HOME"] ?? ""
        return named.hasPrefix("/") ? named : NSHomeDirectory()
    }
}
