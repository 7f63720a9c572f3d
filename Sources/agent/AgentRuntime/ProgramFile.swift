import CSystem
import Glibc
import Storage

/// The file that this program was started from, which is put back where somebody removed it: runs may be about to
/// start it. Other machines may see the folder that it is in: one that another has put there is not replaced, and its
/// time of modification says that it is in use (``inUse()``).
final class ProgramFile {
    private let path = Machine.program
    private let source = open("/proc/self/exe", O_RDONLY | O_CLOEXEC)

    private var notedAt: Int64?

    deinit { close(source) }

    /// Says once a day that the file is in use: `usweep clean` on another machine that sees it spares it then.
    func inUse() {
        guard notedAt.map({ Machine.now - $0 > 86_400_000_000_000 }) ?? true else { return }
        notedAt = Machine.now
        utimensat(AT_FDCWD, path, nil, AT_SYMLINK_NOFOLLOW)
    }

    func restore() {
        guard access(path, F_OK) != 0, errno == ENOENT, source >= 0 else { return }
        if let name = path.lastIndex(of: "/") { _ = try? LocalFiles().ensureFolders(String(path[..<name])) }
        let temporary = "\(path).\(getpid())"
        let target = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o700)
        guard target >= 0 else { return }
        defer { close(target) }
        var (offset, count) = (Int64(0), Int64(1))
        while count > 0 {
            count = sys_copy(source, target, offset, 1 << 30)
            offset += max(0, count)
        }
        let isBack = count == 0 && fchmod(target, 0o700) == 0
            && (link(temporary, path) == 0 || errno != EEXIST && rename(temporary, path) == 0)
        unlink(temporary)
        guard isBack else { return }
        Log.write("the agent's program was removed, and was put back:", path)
    }
}
