import CSystem
import Glibc
import Storage

/// The file that this program was started from, which is put back where somebody removed it: runs may be about to
/// start it.
final class ProgramFile {
    private let path = Machine.program
    private let source = open("/proc/self/exe", O_RDONLY | O_CLOEXEC)

    deinit { close(source) }

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
        guard count == 0, fchmod(target, 0o700) == 0, rename(temporary, path) == 0 else {
            unlink(temporary)
            return
        }
        Log.write("the agent's program was removed, and was put back:", path)
    }
}
