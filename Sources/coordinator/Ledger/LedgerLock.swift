import Glibc
import Model

/// Who works on a sweep, as far as can be told from here without disturbing anybody.
public enum LedgerHolder: Sendable, Hashable {
    /// A process of this machine.
    case working(pid: Int32, since: String)
    /// A process of another machine, which may or may not be alive.
    case elsewhere(pid: Int32, host: String, since: String)
    /// It ended, and said how.
    case ended(status: Int32, at: String)
    /// It ended without a word.
    case vanished(pid: Int32, host: String, since: String)
    /// Nobody ever did.
    case nobody
}

/// The lock that makes a sweep have one coordinator: `flock(2)` on a file beside the ledger.
///
/// The kernel lets go of it when the process ends, however it ends. The file stays, unless its holder deletes it, and
/// what it says is only for people.
public final class LedgerLock: Sendable {
    private let descriptor: Int32
    /// What stood there when the lock was taken.
    private let before: [UInt8]

    /// - Parameter path: of the ledger; the lock is the same with `.lock` after it.
    /// - Throws: ``Failure`` (`heldElsewhere`) that says who holds it, or (`storage`).
    public init(ledger path: String) throws {
        let lockPath = path + ".lock"
        var taken: Int32?
        while taken == nil { taken = try LedgerLock.take(lockPath) }
        let opened = taken ?? -1
        descriptor = opened
        before = LedgerLock.content(opened)
        guard LedgerLock.sign(opened) else {
            let reason = errno
            close(opened)
            throw SystemCall.failure("the lock \(lockPath) cannot be written", reason)
        }
    }

    /// Nil: the file was deleted meanwhile, and the lock is of no use.
    private static func take(_ lockPath: String) throws -> Int32? {
        // Never inherited, or a detached agent of this machine would hold the lock for as long as it lives.
        let flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW
        let opened = SystemCall.retrying { Glibc.open(lockPath, flags, mode_t(0o600)) }
        guard opened >= 0 else {
            let advice = "see that its folder is there and can be written, or name another one with --artifacts"
            throw SystemCall.failure("the lock \(lockPath) cannot be created; \(advice)")
        }
        guard SystemCall.retrying({ flock(opened, LOCK_EX | LOCK_NB) }) == 0 else {
            let reason = errno
            let holder = LedgerLock.holder(opened)
            close(opened)
            guard reason == EWOULDBLOCK else {
                throw SystemCall.failure("the lock \(lockPath) cannot be taken", reason)
            }
            throw Failure(
                .heldElsewhere,
                "another coordinator is working on this sweep (\(holder)); wait until it ends, or stop it, then try "
                    + "again")
        }
        var (locked, named) = (stat(), stat())
        guard fstat(opened, &locked) == 0, lstat(lockPath, &named) == 0, locked.st_ino == named.st_ino,
            locked.st_dev == named.st_dev
        else {
            close(opened)
            return nil
        }
        return opened
    }

    deinit {
        // Who held it for a moment, to cancel a run or to remove the sweep, is not the last coordinator.
        if LedgerLock.words(descriptor).first == "pid" { _ = LedgerLock.write(before, descriptor) }
        // Closing alone would not do while another thread's child, between fork and exec, has the descriptor too.
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }

    /// Leaves word of how the holder's work ended. Nobody depends on it.
    ///
    /// - Parameter record: the last of the journal where the sweep is paused; nil: it is not.
    func sign(ended status: Int32, pausedAfter record: Int64?) {
        let pause = record.map { " paused after record \($0)" } ?? ""
        _ = LedgerLock.write(
            Array("ended with status \(status) at \(SystemCall.utcNow())\(pause)\n".utf8), descriptor)
    }

    /// The last record of the journal when the last holder left the sweep paused; nil: it did not.
    static func pause(ledger path: String) -> Int64? {
        let opened = SystemCall.retrying { Glibc.open(path + ".lock", O_RDONLY | O_CLOEXEC | O_NOFOLLOW) }
        guard opened >= 0 else { return nil }
        defer { close(opened) }
        let words = words(opened)
        guard words.count >= 10, words[0] == "ended", words[6] == "paused" else { return nil }
        return Int64(words[9])
    }

    private static func sign(_ descriptor: Int32) -> Bool {
        let pid = getpid()
        let start = SystemCall.startTime(of: pid).map { " start \($0)" } ?? ""
        let line = "pid \(pid) on \(SystemCall.hostName()) since \(SystemCall.utcNow())\(start)\n"
        return write(Array(line.utf8), descriptor)
    }

    private static func write(_ text: [UInt8], _ descriptor: Int32) -> Bool {
        ftruncate(descriptor, 0) == 0 && pwrite(descriptor, text, text.count, 0) == text.count
    }

    /// What the holder wrote, fit to be shown.
    private static func holder(_ descriptor: Int32) -> String {
        let words = LedgerLock.words(descriptor)
        return words.isEmpty ? "an unknown process" : words.prefix(6).joined(separator: " ")
    }

    private static func words(_ descriptor: Int32) -> [String] {
        content(descriptor).split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") }
            .map { VisibleText.of($0) }
    }

    private static func content(_ descriptor: Int32) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 400)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        return Array(bytes.prefix(max(count, 0)))
    }

    /// Reads the lock without touching it: to try it would keep a coordinator from it for a moment.
    static func look(ledger path: String) -> LedgerHolder {
        let opened = SystemCall.retrying { Glibc.open(path + ".lock", O_RDONLY | O_CLOEXEC | O_NOFOLLOW) }
        guard opened >= 0 else { return .nobody }
        defer { close(opened) }
        let words = words(opened)
        if words.count >= 6, words[0] == "ended", let status = Int32(words[3]) {
            return .ended(status: status, at: words[5])
        }
        guard words.count >= 6, words[0] == "pid", let pid = Int32(words[1]), pid > 0 else { return .nobody }
        let (host, since) = (words[3], words[5])
        guard host == SystemCall.hostName() else { return .elsewhere(pid: pid, host: host, since: since) }
        // A number alone may belong to another process by now.
        let isAlive = words.count < 8 ? kill(pid, 0) == 0 : SystemCall.startTime(of: pid) == words[7]
        return isAlive ? .working(pid: pid, since: since) : .vanished(pid: pid, host: host, since: since)
    }
}
