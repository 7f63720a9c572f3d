import Glibc

/// Bytes that wait until the other side of a socket takes them. Never waits itself.
struct SendQueue {
    private var out: [UInt8] = []
    private var sent = 0

    var unsentCount: Int { out.count - sent }

    mutating func add(_ bytes: [UInt8]) { out += bytes }

    /// Gives the socket what it takes.
    ///
    /// - Parameters:
    ///   - mayConnect: whether its connection may still begin.
    ///   - isSocket: false: it may be a pipe; this process ignores SIGPIPE.
    /// - Returns: false: the socket is broken.
    mutating func flush(to descriptor: Int32, mayConnect: Bool = false, isSocket: Bool = true) -> Bool {
        defer { shrink() }
        while unsentCount > 0 {
            let count = out.withUnsafeBytes { buffer in
                let start = buffer.baseAddress! + sent
                return isSocket
                    ? send(descriptor, start, unsentCount, Int32(MSG_NOSIGNAL)) : write(descriptor, start, unsentCount)
            }
            if count > 0 {
                sent += count
            } else if errno == EAGAIN || mayConnect && errno == ENOTCONN {
                return true
            } else if errno != EINTR {
                return false
            }
        }
        return true
    }

    /// What was sent takes no memory for long.
    private mutating func shrink() {
        if sent == out.count {
            out.removeAll(keepingCapacity: out.capacity < 1 << 20)
            sent = 0
        } else if sent > 1 << 20 {
            out.removeFirst(sent)
            sent = 0
        }
    }
}
