import Foundation
import Ledger
import Model
import SweepFiles

/// What pulls have put into a folder, so that the next one can remove what is no longer a sweep's: the numbers of an
/// old pin, or of a run that has failed since. What people put there themselves stays.
///
/// `.pulled/SWEEP.LAYOUT` names the files, a line each behind the format's name, from the folder on. It names them
/// before they are there, so that whatever ends a pull, the next one knows of all.
struct PulledFiles {
    private static let folder = ".pulled"
    /// Where older versions had such a list: in each run's folder.
    private static let older = ".pulled"
    private static let header = TextVersion(name: "usweep pulled", current: 2)
    /// Bytes of a list: some million files.
    private static let longest: Int64 = 256 << 20

    /// Absolute.
    private let target: String
    private let list: String
    private var before: [String]
    private var now: Set<String> = []

    init(in target: String, sweep: String, layout: String) throws {
        self.target = target
        let folder = "\(target)/\(PulledFiles.folder)"
        try NewFolder.make(folder)
        list = "\(folder)/\(sweep).\(layout)"
        before = try PulledFiles.lines(list)
        // Whose files are whose has to be known of all before any is written.
        for other in try others() { _ = try PulledFiles.lines(other) }
    }

    private func others() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "\(target)/\(PulledFiles.folder)")
            .map { "\(target)/\(PulledFiles.folder)/\($0)" }.filter { $0 != list }
    }

    /// The first folder on the way to a file that is a symbolic link, behind which nothing is the pull's; nil: none is.
    private func symbolicLink(before path: String) -> String? {
        var folder = target
        for part in path.split(separator: "/").dropLast() {
            folder += "/\(part)"
            var status = stat()
            guard lstat(folder, &status) == 0 else { return nil }
            if status.st_mode & S_IFMT == S_IFLNK { return folder }
        }
        return nil
    }

    /// Files that are about to be written.
    ///
    /// - Throws: ``Failure`` also where one would be written through a symbolic link.
    mutating func add(_ paths: [String]) throws {
        for path in paths {
            guard let found = symbolicLink(before: path) else { continue }
            throw Failure(
                .storage, "\(found) is a symbolic link, and pull writes nothing through one; remove it, or name "
                    + "another folder with --to")
        }
        let fresh = paths.filter { now.insert($0).inserted }
        guard !fresh.isEmpty else { return }
        let known = FileManager.default.fileExists(atPath: list)
        let start = Data("\(PulledFiles.header.line)\n".utf8)
        guard known || FileManager.default.createFile(atPath: list, contents: start),
            let handle = FileHandle(forWritingAtPath: list)
        else { throw Failure(.storage, "\(list) cannot be written", cause: String(cString: strerror(errno))) }
        do {
            try handle.seekToEnd()
            try handle.write(contentsOf: Data(fresh.map { $0 + "\n" }.joined().utf8))
            try handle.close()
        } catch {
            throw Failure(.storage, "\(list) cannot be written", cause: SystemReason.of(error))
        }
    }

    /// Takes over what an older version pulled into a run's folder.
    mutating func adopt(_ place: String) throws {
        let old = "\(place)/\(PulledFiles.older)"
        guard FileManager.default.fileExists(atPath: "\(target)/\(old)") else { return }
        before += try PulledFiles.lines("\(target)/\(old)").map { "\(place)/\($0)" } + [old]
    }

    /// Removes what was pulled before and is not of this pull, and the folders that are empty then.
    func finish() throws {
        let kept = try others().reduce(into: now) { $0.formUnion(try PulledFiles.lines($1)) }
        for path in before where RelativePath.isSafe(path) && !kept.contains(path) {
            guard symbolicLink(before: path) == nil else { continue }
            guard unlink("\(target)/\(path)") == 0 || errno == ENOENT else { continue }
            var parts = path.split(separator: "/").dropLast()
            PartFile.removeAbandoned(in: "\(target)/\(parts.joined(separator: "/"))")
            while !parts.isEmpty, rmdir("\(target)/\(parts.joined(separator: "/"))") == 0 { parts.removeLast() }
        }
        let lines = [PulledFiles.header.line] + now.sorted()
        try AtomicFile.write(list) { try $0(Array(lines.map { $0 + "\n" }.joined().utf8)) }
    }

    private static func lines(_ path: String) throws -> [String] {
        let text = String(decoding: try LocalInput.contents(path, atMost: longest) ?? [], as: UTF8.self)
        guard let lines = header.lines(text) else {
            throw Failure(
                .badArchive, "\(path) was written by a newer usweep, which alone knows what it pulled here; pull with "
                    + "that one, or into another folder: --to DIR")
        }
        return lines.map(String.init)
    }
}
