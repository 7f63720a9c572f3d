import Glibc
import Model

/// The lock that makes a sweep have one coordinator: `flock(2)` on a file beside the ledger.
///
/// The kernel lets go of it when the process ends, however it ends; the file stays, and what it says is only for
/// people. Deleting it would let a third process lock another file of the same name.
final class LedgerLock: Sendable {
    private let descriptor: Int32

    /// - Parameter path: of the ledger; the lock is the same with `.lock` after it.
    /// - Throws: ``Failure`` (`heldElsewhere`) that says who holds it, or (`storage`).
    init(ledger path: String) throws {
        let lockPath = path + ".lock"
        // Never inherited, or a detached agent of this machine would hold the lock for as long as it lives.
        let flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW
        let opened = SystemCall.retrying { Glibc.open(lockPath, flags, mode_t(0o600)) }
        guard opened >= 0 else {
            let advice = "see that its folder is there and can be written, or name another one with --artifacts"
            throw SystemCall.failure("the lock \(lockPath) cannot be made; \(advice)")
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
                "another coordinator works on this sweep (\(holder)); wait until it ends, or stop it, then try again")
        }
        descriptor = opened
        guard LedgerLock.sign(opened) else {
            let reason = errno
            close(opened)
            throw SystemCall.failure("the lock \(lockPath) cannot be written", reason)
        }
    }

    deinit {
        // Closing alone would not do while another thread's child, between fork and exec, has the descriptor too.
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }

    private static func sign(_ descriptor: Int32) -> Bool {
        let text = Array("pid \(getpid()) on \(SystemCall.hostName()) since \(SystemCall.utcNow())\n".utf8)
        return ftruncate(descriptor, 0) == 0 && pwrite(descriptor, text, text.count, 0) == text.count
    }

    /// What the holder wrote, fit to be shown.
    private static func holder(_ descriptor: Int32) -> String {
        var bytes = [UInt8](repeating: 0, count: 400)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        let shown = bytes.prefix(max(count, 0)).filter { 0x20..<0x7f ~= $0 }
        return shown.isEmpty ? "it has not said who it is" : String(decoding: shown, as: UTF8.self)
    }
}
