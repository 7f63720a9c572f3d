import Foundation

/// A file while it is written: in the folder of the one that it becomes, for a rename to be atomic, and with a short
/// name, for that one's name may be as long as names can be.
package enum PartFile {
    /// Of one that is not locked while it is written.
    static func path(for path: String) -> String { name(path, ".part") }

    /// Makes one, and locks it for as long as it is open: one that nobody holds was left by a process that was killed.
    ///
    /// - Returns: nil: it cannot be made; `errno` says why.
    package static func open(for path: String) -> (path: String, descriptor: Int32)? {
        while true {
            let part = name(path, prefix)
            let descriptor = Glibc.open(part, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0o644)
            guard descriptor >= 0 else { return nil }
            var status = stat()
            // Not every file system has locks: there, nothing is removed either.
            _ = flock(descriptor, LOCK_EX)
            if fstat(descriptor, &status) == 0, status.st_nlink > 0 { return (part, descriptor) }
            // Taken for one that was left, before it was locked.
            close(descriptor)
        }
    }

    /// Removes what processes that were killed have left in a folder.
    package static func removeAbandoned(in folder: String) {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] where isPart(name) {
            let path = "\(folder)/\(name)"
            let descriptor = Glibc.open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
            guard descriptor >= 0 else { continue }
            defer { close(descriptor) }
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { unlink(path) }
        }
    }

    private static let prefix = ".usweep-part"

    private static func name(_ path: String, _ prefix: String) -> String {
        let folder = (path as NSString).deletingLastPathComponent
        let name = "\(prefix)-\(getpid())-\(UInt32.random(in: .min ... .max))"
        return folder.isEmpty ? name : "\(folder)/\(name)"
    }

    private static func isPart(_ name: String) -> Bool {
        let words = name.split(separator: "-", omittingEmptySubsequences: false)
        return words.count == 4 && name.hasPrefix(prefix + "-")
            && words[2...].allSatisfy { !$0.isEmpty && $0.allSatisfy(\.isNumber) }
    }
}
