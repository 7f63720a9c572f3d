import Glibc

/// What happens outside of this process.
public enum Outside {
    /// Waits until a condition holds. It is looked at as soon as something changes in a folder, and ten times a second
    /// besides: the kernel tells nobody of the end of a process that is not a child, nor of what changes further below.
    ///
    /// - Parameters:
    ///   - folder: it may be made only later, and again.
    ///   - seconds: how long it is waited for.
    /// - Returns: whether it holds.
    public static func eventually(
        in folder: String, within seconds: Int = 120, _ condition: () throws -> Bool
    ) rethrows -> Bool {
        let news = inotify_init1(Int32(IN_CLOEXEC) | Int32(IN_NONBLOCK))
        defer { close(news) }
        let changes = [IN_CREATE, IN_MODIFY, IN_MOVED_TO, IN_DELETE].reduce(UInt32(0)) { $0 | UInt32($1) }
        let deadline = now() + seconds
        while true {
            // Before the look: what changes after it is news.
            inotify_add_watch(news, folder, changes)
            if try condition() { return true }
            guard now() < deadline else { return false }
            wait(for: news)
        }
    }

    private static func wait(for news: Int32) {
        var entry = pollfd(fd: news, events: Int16(POLLIN), revents: 0)
        poll(&entry, 1, 100)
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while read(news, &buffer, buffer.count) > 0 {}
    }

    private static func now() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec
    }
}
