import Glibc
import Model

/// The few calls to the operating system that SQLite does not make for us.
enum SystemCall {
    static func retrying(_ call: () -> Int32) -> Int32 {
        while true {
            let result = call()
            if result != -1 || errno != EINTR { return result }
        }
    }

    static func failure(_ message: String, _ number: Int32 = errno) -> Failure {
        Failure(.storage, message, cause: String(cString: strerror(number)))
    }

    static func hostName() -> String {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "an unnamed host" }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// When a process of this machine was started, in the kernel's own count (proc_pid_stat(5), field 22); nil: there
    /// is no such process.
    static func startTime(of pid: Int32) -> String? {
        guard let bytes = try? head(of: "/proc/\(pid)/stat", count: 2_048) else { return nil }
        // The second field is the program's name in brackets, which may hold blanks and brackets.
        guard let bracket = bytes.lastIndex(of: UInt8(ascii: ")")) else { return nil }
        let fields = bytes[(bracket + 1)...].split(separator: UInt8(ascii: " "))
        // A process that has ended but was not asked for its status is not alive.
        guard fields.count > 19, fields[0] != [UInt8(ascii: "Z")] else { return nil }
        return String(decoding: fields[19], as: UTF8.self)
    }

    /// The wall clock, to the second: for people only.
    static func utcNow() -> String {
        var seconds = time(nil)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        var text = [CChar](repeating: 0, count: 32)
        let count = strftime(&text, text.count, "%Y-%m-%dT%H:%M:%SZ", &parts)
        return String(decoding: text.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Size in bytes of a regular file; nil: there is no such file.
    static func size(of path: String) throws -> Int64? {
        var status = stat()
        guard stat(path, &status) == 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw failure("\(path) cannot be accessed")
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw Failure(.badArchive, "\(path) is not a file; name the ledger.sqlite of a sweep")
        }
        return Int64(status.st_size)
    }

    /// The first bytes of a file, fewer if it is shorter.
    static func head(of path: String, count: Int) throws -> [UInt8] {
        let descriptor = retrying { Glibc.open(path, O_RDONLY | O_CLOEXEC) }
        guard descriptor >= 0 else { throw failure("\(path) cannot be read") }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: count)
        let got = pread(descriptor, &bytes, count, 0)
        guard got >= 0 else { throw failure("\(path) cannot be read") }
        return Array(bytes.prefix(got))
    }

    /// Makes an empty file that nobody else may read, so that SQLite's own files get the same mode.
    static func makePrivateFile(_ path: String) throws {
        let descriptor = retrying { Glibc.open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode_t(0o600)) }
        guard descriptor >= 0 else {
            throw failure("\(path) cannot be created; free space, or name another folder with --artifacts")
        }
        close(descriptor)
    }

    static func remove(_ path: String) throws {
        guard unlink(path) == 0 || errno == ENOENT else { throw failure("\(path) cannot be removed") }
    }

    /// Gives a file a second name.
    static func link(_ path: String, as other: String) throws {
        guard Glibc.link(path, other) == 0 else { throw failure("\(path) cannot be linked as \(other)") }
    }

    static func rename(_ path: String, to other: String) throws {
        guard Glibc.rename(path, other) == 0 else { throw failure("\(path) cannot be renamed to \(other)") }
    }

    /// Puts a finished file in the place of another, durably.
    static func replace(_ path: String, by temporary: String) throws {
        try synchronize(temporary)
        try rename(temporary, to: path)
        try synchronizeFolder(of: path)
    }

    static func canMakeFiles(beside path: String) -> Bool { access(folder(of: path), W_OK) == 0 }

    /// Gives a finished file its name, durably, unless something has that name.
    static func publish(_ temporary: String, as path: String) throws {
        try synchronize(temporary)
        guard Glibc.link(temporary, path) == 0 else {
            if errno == EEXIST {
                throw Failure(.storage, "\(path) exists already; resume that sweep, or launch another with --new")
            }
            throw failure("\(path) cannot be created")
        }
        try remove(temporary)
        try synchronizeFolder(of: path)
    }

    static func synchronizeFolder(of path: String) throws { try synchronize(folder(of: path)) }

    private static func synchronize(_ path: String) throws {
        let descriptor = retrying { Glibc.open(path, O_RDONLY | O_CLOEXEC) }
        guard descriptor >= 0 else { throw failure("\(path) cannot be opened") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure("\(path) cannot be made durable") }
    }

    private static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
