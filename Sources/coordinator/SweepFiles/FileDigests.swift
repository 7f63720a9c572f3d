import Foundation
import Model
import Synchronization

/// Digests of this machine's large files, so that gigabytes are read once and not at every launch.
///
/// A file counts as the one that was read as long as device, number, size and both times are the same, and these
/// times lay in the past when it was read: a file that is written to twice within the clock's grain shows no
/// difference. What is known is kept in a file of this user, one line per digest behind the format's name; where that
/// cannot be, or a newer program wrote the file, files are read again.
public final class FileDigests: Sendable {
    public static let shared = FileDigests()

    /// Which contents a name stands for.
    struct Identity: Sendable, Hashable {
        var device: UInt64
        var number: UInt64
        var size: Int64
        /// Nanoseconds since 1970.
        var modified: Int64
        var changed: Int64

        init(_ status: stat) {
            device = UInt64(status.st_dev)
            number = UInt64(status.st_ino)
            size = Int64(status.st_size)
            modified = Identity.nanoseconds(status.st_mtim)
            changed = Identity.nanoseconds(status.st_ctim)
        }

        init?(_ words: [Substring]) {
            guard words.count == 5, let device = UInt64(words[0]), let number = UInt64(words[1]),
                let size = Int64(words[2]), let modified = Int64(words[3]), let changed = Int64(words[4])
            else { return nil }
            self.device = device
            self.number = number
            self.size = size
            self.modified = modified
            self.changed = changed
        }

        private static func nanoseconds(_ time: timespec) -> Int64 {
            Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
        }

        /// Whether nothing can have changed since without its being seen.
        func isSettled(at now: timespec) -> Bool {
            max(modified, changed) < Identity.nanoseconds(now) - 2_000_000_000
        }

        var text: String { "\(device) \(number) \(size) \(modified) \(changed)" }
    }

    private struct State {
        /// nil: nothing is kept.
        var path: String?
        var known: [Identity: Digest] = [:]
    }

    /// Smaller files are read as fast as they are looked up.
    static let smallest: Int64 = 16 << 20
    /// The file of what is known begins anew at this size, in bytes.
    private static let longest = 1 << 20
    private static let header = TextVersion(name: "usweep digests", current: 2)

    private let state = Mutex(State())

    init() {}

    /// Takes up what an earlier process found, and keeps what is found from now on.
    public func keep(in path: String) {
        state.withLock { state in
            state.path = path
            let found = try? LocalInput.contents(path, atMost: Int64(FileDigests.longest))
            guard let lines = FileDigests.header.lines(String(decoding: found ?? [], as: UTF8.self)) else {
                // A newer program's is left alone.
                state.path = nil
                return
            }
            for line in lines {
                let words = line.split(separator: " ")
                guard let digest = words.first.flatMap({ Digest(hex: $0) }),
                    let identity = Identity(Array(words.dropFirst()))
                else { continue }
                state.known[identity] = digest
            }
        }
    }

    /// The digest of an open file; nil: it has to be read.
    func digest(of status: stat) -> Digest? { state.withLock { $0.known[Identity(status)] } }

    /// Remembers what a file's contents were, if it did not change while it was read.
    func note(_ digest: Digest, before: stat, after: stat, now: timespec = FileDigests.now) {
        let identity = Identity(before)
        guard identity.size >= FileDigests.smallest, identity == Identity(after), identity.isSettled(at: now) else {
            return
        }
        let path = state.withLock { state -> String? in
            state.known[identity] = digest
            return state.path
        }
        if let path { FileDigests.append("\(digest.hex) \(identity.text)\n", to: path) }
    }

    private static var now: timespec {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return now
    }

    /// Best effort: whatever is not kept is found again.
    private static func append(_ line: String, to path: String) {
        try? FileManager.default.createDirectory(
            atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        var status = stat()
        let isThere = stat(path, &status) == 0 && status.st_size > 0
        let isFull = isThere && status.st_size > longest / 2
        let flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | (isFull ? O_TRUNC : O_APPEND)
        let line = isThere && !isFull ? line : "\(header.line)\n\(line)"
        let file = open(path, flags, 0o600)
        guard file >= 0 else { return }
        defer { close(file) }
        _ = Array(line.utf8).withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
    }
}
