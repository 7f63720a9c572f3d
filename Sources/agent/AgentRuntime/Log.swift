import Glibc
import Model

/// Lines of text in `agent.log`, which is standard error of a detached agent. What peers sent is shown with its
/// hidden characters escaped.
enum Log {
    private static let maximumBytes = 1 << 20

    static func write(_ message: StaticString, _ values: String...) { write(message, values) }

    static func write(_ message: StaticString, _ values: [String]) {
        var time = Glibc.time(nil)
        var parts = tm()
        gmtime_r(&time, &parts)
        var line = "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))T\(two(parts.tm_hour)):"
        line += "\(two(parts.tm_min)):\(two(parts.tm_sec))Z \(getpid()) \(message)"
        for value in values { line += " " + VisibleText.of(value, limit: 2_000) }
        line += "\n"
        var status = stat()
        // Only where it is the log: a file of this agent's own, opened for appending.
        if fstat(2, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size > maximumBytes { ftruncate(2, 0) }
        _ = Array(line.utf8).withUnsafeBytes { Glibc.write(2, $0.baseAddress!, $0.count) }
    }

    /// Goes on in a new file where the old one was removed.
    static func reopen(_ path: String) {
        var status = stat()
        guard fstat(2, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_nlink == 0 else { return }
        let fresh = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard fresh >= 0 else { return }
        dup2(fresh, 1)
        dup2(fresh, 2)
        close(fresh)
    }

    private static func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
