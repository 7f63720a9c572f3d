import Glibc

/// Owns one file descriptor, non-blocking and closed on `exec`, and closes it at the end.
public final class Descriptor: Sendable {
    public let number: Int32

    /// - Parameter number: an open descriptor that nobody else closes.
    public init(owning number: Int32) {
        self.number = number
        _ = fcntl(number, F_SETFD, FD_CLOEXEC)
        _ = fcntl(number, F_SETFL, fcntl(number, F_GETFL) | O_NONBLOCK)
    }

    deinit { Glibc.close(number) }
}

/// What became of one call that must not block.
public enum IOResult: Sendable, Equatable {
    /// Bytes moved (more than none).
    case moved(Int)
    case wouldBlock
    /// The other end has no more to say.
    case end
    /// `errno`.
    case failed(Int32)
}

extension Descriptor {
    /// Reads what is there, once.
    public func read(into room: UnsafeMutableRawBufferPointer) -> IOResult {
        while true {
            let got = Glibc.read(number, room.baseAddress, room.count)
            if got > 0 { return .moved(got) }
            if got == 0 { return .end }
            if errno == EAGAIN { return .wouldBlock }
            if errno != EINTR { return .failed(errno) }
        }
    }

    /// Writes what there is room for, once. SIGPIPE is for the caller to block (poll threads do).
    public func write(_ bytes: UnsafeRawBufferPointer) -> IOResult {
        while true {
            let sent = Glibc.write(number, bytes.baseAddress, bytes.count)
            if sent >= 0 { return .moved(sent) }
            if errno == EAGAIN { return .wouldBlock }
            if errno != EINTR { return .failed(errno) }
        }
    }

    /// Writes from the queue until it is empty (`moved`) or something stops it.
    public func write(from queue: inout ByteQueue) -> IOResult {
        var total = 0
        while !queue.isEmpty {
            switch queue.withFront({ write($0) }) {
            case .moved(let count):
                queue.drop(count)
                total += count
            case .wouldBlock: return .wouldBlock
            case .end: return .end
            case .failed(let code): return .failed(code)
            }
        }
        return .moved(total)
    }
}

/// The text of an `errno` value.
public func errorText(_ code: Int32) -> String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { room in
        guard let start = room.baseAddress, strerror_r(code, start, room.count) == 0 else { return "error \(code)" }
        return String(cString: start)
    }
}
