import Glibc

/// Waits for descriptors, as poll(2) does.
struct Poll {
    private var set: [pollfd] = []

    mutating func add(_ descriptor: Int32, reads: Bool, writes: Bool = false) {
        set.append(pollfd(fd: descriptor, events: Int16((reads ? POLLIN : 0) | (writes ? POLLOUT : 0)), revents: 0))
    }

    /// - Parameter nanoseconds: nil: for ever.
    mutating func wait(_ nanoseconds: Int64?) {
        let milliseconds = nanoseconds.map { Int32(clamping: max(0, ($0 + 999_999) / 1_000_000)) } ?? -1
        while poll(&set, nfds_t(set.count), milliseconds) < 0, errno == EINTR {}
    }

    func isReady(_ descriptor: Int32) -> Bool { set.contains { $0.fd == descriptor && $0.revents != 0 } }

    func isReadable(_ descriptor: Int32) -> Bool {
        set.contains { $0.fd == descriptor && $0.revents & Int16(POLLIN | POLLHUP | POLLERR) != 0 }
    }
}
