import CSystem
import Glibc
public import Ports

/// The machine's own file system.
public struct LocalFiles: Files {
    /// Whether what is made may be read and changed by the group, too; otherwise it is for this user alone.
    private let isForGroup: Bool

    public init(isForGroup: Bool = false) { self.isForGroup = isForGroup }

    public var processMark: String { "\(LocalFiles.machine).\(getpid())" }

    /// The name of this machine: a folder may be one that others see, too.
    private static let machine: String = {
        var name = utsname()
        uname(&name)
        let text = withUnsafeBytes(of: &name.nodename) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        return String(text.map { $0 == "/" ? "-" : $0 }.prefix(64))
    }()

    /// Whether a temporary name bears the mark of a process of this machine that has ended.
    public static func isAbandoned(_ name: String) -> Bool {
        guard let dot = name.lastIndex(of: "."), let pid = pid_t(name[name.index(after: dot)...]), pid > 0,
            name[..<dot].hasSuffix(".\(machine)")
        else { return false }
        return kill(pid, 0) != 0 && errno == ESRCH
    }

    /// A mode that the user has, also for the group where it is to have it.
    private func wide(_ mode: UInt32) -> mode_t { mode_t(isForGroup ? mode | (mode & 0o700) >> 3 : mode) }

    public func open(_ path: String, _ mode: OpenMode) throws(FilesError) -> FileHandle {
        let flags: Int32 =
            switch mode {
            case .read: O_RDONLY | O_NONBLOCK
            case .update: O_RDWR | O_CREAT
            case .create: O_WRONLY | O_CREAT | O_EXCL
            }
        let descriptor = Glibc.open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0o600)
        guard descriptor >= 0 else { throw FilesError(path, "open") }
        // The process's umask may have taken the group's part; another's file that is there stays as it is.
        if isForGroup, mode != .read { _ = fchmod(descriptor, wide(0o600)) }
        return FileHandle(number: descriptor)
    }

    public func close(_ file: FileHandle) { _ = Glibc.close(file.number) }

    public func read(_ file: FileHandle, at offset: Int64, count: Int) throws(FilesError) -> [UInt8] {
        var error: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let got = pread(file.number, buffer.baseAddress! + filled, count - filled, off_t(offset) + filled)
                if got > 0 { filled += got; continue }
                if got < 0, errno == EINTR { continue }
                if got < 0 { error = errno }
                return
            }
        }
        guard error == 0 else { throw FilesError(LocalFiles.path(of: file), "read", error) }
        return bytes
    }

    public func write(_ file: FileHandle, at offset: Int64, _ bytes: [UInt8]) throws(FilesError) {
        var error: Int32 = 0
        bytes.withUnsafeBytes { buffer in
            var done = 0
            while done < buffer.count {
                let put = pwrite(file.number, buffer.baseAddress! + done, buffer.count - done, off_t(offset) + done)
                if put >= 0 { done += put; continue }
                if errno == EINTR { continue }
                error = errno
                return
            }
        }
        guard error == 0 else { throw FilesError(LocalFiles.path(of: file), "write", error) }
    }

    public func size(_ file: FileHandle) throws(FilesError) -> Int64 {
        var status = stat()
        guard fstat(file.number, &status) == 0 else { throw FilesError(LocalFiles.path(of: file), "examine") }
        return Int64(status.st_size)
    }

    public func truncate(_ file: FileHandle, to size: Int64) throws(FilesError) {
        guard ftruncate(file.number, off_t(size)) == 0 else { throw FilesError(LocalFiles.path(of: file), "cut") }
    }

    public func sync(_ file: FileHandle) throws(FilesError) {
        guard fdatasync(file.number) == 0 else { throw FilesError(LocalFiles.path(of: file), "make durable") }
    }

    public func writeOut(_ file: FileHandle, from offset: Int64, count: Int64) throws(FilesError) {
        if sys_write_out(file.number, offset, count) == 0 { return }
        // Some file systems have no such call: then all is left for the end.
        guard errno == ENOSYS || errno == EINVAL || errno == ESPIPE || errno == EOPNOTSUPP else {
            throw FilesError(LocalFiles.path(of: file), "write out")
        }
    }

    public func isInPlace(_ file: FileHandle, _ path: String) -> Bool {
        var open = stat()
        var named = stat()
        guard fstat(file.number, &open) == 0, lstat(path, &named) == 0 else { return false }
        return open.st_dev == named.st_dev && open.st_ino == named.st_ino
    }

    public func reserve(_ file: FileHandle, bytes: Int64) { _ = sys_reserve(file.number, bytes) }

    public func syncFolder(_ path: String) throws(FilesError) {
        let descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FilesError(path, "open") }
        defer { _ = Glibc.close(descriptor) }
        guard fsync(descriptor) == 0 else { throw FilesError(path, "make durable") }
    }

    public func rename(_ path: String, to other: String) throws(FilesError) {
        guard Glibc.rename(path, other) == 0 else { throw FilesError(path, "rename to \(other)") }
    }

    public func makeFolder(_ path: String) throws(FilesError) {
        guard mkdir(path, 0o700) == 0 else { throw FilesError(path, "make the folder") }
        // The bit that gives files the folder's group is inherited, and kept.
        var status = stat()
        guard isForGroup, stat(path, &status) == 0 else { return }
        guard chmod(path, status.st_mode & S_ISGID | wide(0o700)) == 0 else {
            throw FilesError(path, "set the mode of")
        }
    }

    public func entries(_ path: String) throws(FilesError) -> any FolderEntries {
        guard let folder = opendir(path) else { throw FilesError(path, "list") }
        return LocalFolder(folder, path)
    }

    public func status(_ path: String) throws(FilesError) -> FileStatus? {
        var status = stat()
        guard lstat(path, &status) == 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw FilesError(path, "examine")
        }
        let kind: FolderEntry.Kind =
            switch status.st_mode & S_IFMT {
            case S_IFREG: .file
            case S_IFDIR: .folder
            case S_IFLNK: .symbolicLink
            default: .other
            }
        let modified = Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
        return FileStatus(
            kind: kind, size: Int64(status.st_size), allocated: Int64(status.st_blocks) * 512,
            mode: status.st_mode & 0o7777, modified: modified,
            identity: UInt64(status.st_ino) ^ (UInt64(status.st_dev) << 40))
    }

    public func remove(_ path: String) throws(FilesError) {
        guard unlink(path) == 0 else { throw FilesError(path, "remove") }
    }

    public func removeTree(_ path: String, atMost count: Int) throws(FilesError) -> Bool {
        let rest = sys_remove_tree(path, Int64(count))
        guard rest >= 0 else { throw FilesError(path, "remove") }
        return rest == 0
    }

    public func link(_ path: String, to other: String) throws(FilesError) {
        // It would keep the group that it has elsewhere.
        guard !isForGroup else { throw FilesError(path, "link as \(other)", EXDEV) }
        guard Glibc.link(path, other) == 0 else { throw FilesError(path, "link as \(other)") }
    }

    public func copy(_ path: String, to other: String, mode: UInt32) throws(FilesError) {
        let source = try open(path, .read)
        defer { close(source) }
        let target = try open(other, .create)
        defer { close(target) }
        var offset: Int64 = 0
        while true {
            let count = try copy(source, to: target, at: offset, count: 1 << 30)
            if count == 0 { break }
            offset += Int64(count)
        }
        guard fchmod(target.number, wide(mode)) == 0 else { throw FilesError(other, "set the mode of") }
    }

    public func copy(
        _ file: FileHandle, to other: FileHandle, at offset: Int64, count: Int
    ) throws(FilesError) -> Int {
        while true {
            let copied = sys_copy(file.number, other.number, offset, Int64(count))
            if copied >= 0 { return Int(copied) }
            if errno == EINTR { continue }
            guard errno == EXDEV || errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP else {
                throw FilesError("file \(other.number)", "write")
            }
            let bytes = try read(file, at: offset, count: min(count, 1 << 20))
            try write(other, at: offset, bytes)
            return bytes.count
        }
    }

    public func clone(_ path: String, to other: String, mode: UInt32) throws(FilesError) -> Bool {
        let source = try open(path, .read)
        defer { close(source) }
        let target = try open(other, .create)
        defer { close(target) }
        guard sys_clone(source.number, target.number) == 0 else {
            try remove(other)
            return false
        }
        guard fchmod(target.number, wide(mode)) == 0 else { throw FilesError(other, "set the mode of") }
        return true
    }

    public func resolve(_ path: String) throws(FilesError) -> String? {
        guard let found = realpath(path, nil) else {
            if errno == ENOENT || errno == ENOTDIR || errno == ELOOP || errno == EACCES { return nil }
            throw FilesError(path, "follow")
        }
        defer { free(found) }
        return String(cString: found)
    }

    public func setModified(_ path: String, _ time: Int64) throws(FilesError) {
        let (second, part) = time.quotientAndRemainder(dividingBy: 1_000_000_000)
        let times = [timespec](repeating: timespec(tv_sec: Int(second), tv_nsec: Int(part)), count: 2)
        guard utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW) == 0 else {
            throw FilesError(path, "set the time of")
        }
    }

    public func setMode(_ path: String, _ mode: UInt32) throws(FilesError) {
        guard chmod(path, wide(mode)) == 0 else { throw FilesError(path, "set the mode of") }
    }

    public func freeBytes(_ path: String) throws(FilesError) -> Int64 {
        let bytes = sys_free_bytes(path)
        guard bytes >= 0 else { throw FilesError(path, "ask for the free space of") }
        return bytes
    }

    /// The name of an open file, for messages.
    private static func path(of file: FileHandle) -> String {
        let number = errno
        defer { errno = number }
        return withUnsafeTemporaryAllocation(byteCount: Int(PATH_MAX), alignment: 1) { room in
            guard let start = room.baseAddress?.assumingMemoryBound(to: CChar.self) else { return "" }
            let count = readlink("/proc/self/fd/\(file.number)", start, room.count)
            return count > 0 ? String(decoding: room[..<count], as: UTF8.self) : "file \(file.number)"
        }
    }

}

extension FilesError {
    /// Of the system call that failed last on this thread.
    public init(_ path: String, _ operation: String) { self.init(path, operation, errno) }

    init(_ path: String, _ operation: String, _ number: Int32) {
        self.init(errorNumber: number, path: path, operation: operation, reason: SystemText.of(number))
    }
}

/// The system's words for its error numbers.
public enum SystemText {
    public static func of(_ number: Int32) -> String { String(cString: strerror(number)) }
}
