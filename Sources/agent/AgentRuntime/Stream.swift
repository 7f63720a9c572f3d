import CSystem
import Formats
import Glibc

/// The near end of a Unix socket that carries frames, without ever waiting.
final class Stream: FrameStream {
    let descriptor: Int32
    private var reader = FrameReader()
    private var out: [UInt8] = []
    private var sent = 0
    private(set) var isBroken = false

    init(descriptor: Int32) { self.descriptor = descriptor }

    var unsentCount: Int { out.count - sent }

    func send(_ frame: Frame) { out += frame.encoded }

    func send(bytes: [UInt8]) { out += bytes }

    /// Writes what the other side takes.
    func flush() {
        while unsentCount > 0, !isBroken {
            let count = out.withUnsafeBytes { buffer in
                Glibc.send(descriptor, buffer.baseAddress! + sent, unsentCount, Int32(MSG_NOSIGNAL))
            }
            if count > 0 {
                sent += count
            } else if errno == EAGAIN {
                break
            } else if errno != EINTR {
                isBroken = true
            }
        }
        if sent == out.count {
            out.removeAll(keepingCapacity: out.capacity < 1 << 20)
            sent = 0
        } else if sent > 1 << 20 {
            out.removeFirst(sent)
            sent = 0
        }
    }

    /// Reads what is there, up to a bound, and cuts it into frames.
    ///
    /// - Throws: ``WireError`` for bytes that are no frames; the stream is of no use after that.
    func receive() throws(WireError) -> [Frame] {
        var frames: [Frame] = []
        for _ in 0..<8 {
            var count = 0
            let bytes = [UInt8](unsafeUninitializedCapacity: 128 * 1024) { buffer, filled in
                count = recv(descriptor, buffer.baseAddress!, buffer.count, 0)
                filled = max(0, count)
            }
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN { break }
            if count <= 0 {
                isBroken = true
                break
            }
            reader.append(bytes)
            while let frame = try reader.next() { frames.append(frame) }
            if count < 128 * 1024 { break }
        }
        return frames
    }

    func close() {
        isBroken = true
        _ = Glibc.close(descriptor)
    }
}

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

/// The host's clocks and names.
enum Machine {
    /// Nanoseconds on the monotonic clock.
    static var now: Int64 { read(CLOCK_MONOTONIC) }

    /// Nanoseconds since 1970.
    static var wallClock: Int64 { read(CLOCK_REALTIME) }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    static var bootID: String { text("/proc/sys/kernel/random/boot_id") ?? "unknown" }

    static var hostName: String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, 255) == 0 else { return "unknown" }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Those that this process may use.
    static var processors: Int { max(1, Int(sys_processors())) }

    static var memoryBytes: Int64 { sys_memory_bytes() }

    /// The program that runs, absolute, also where its name was removed since.
    static var program: String {
        var buffer = [UInt8](repeating: 0, count: 4_096)
        let count = buffer.withUnsafeMutableBytes { bytes in
            readlink("/proc/self/exe", bytes.baseAddress!.assumingMemoryBound(to: CChar.self), bytes.count)
        }
        guard count > 0 else { return "/proc/self/exe" }
        return String(decoding: buffer.prefix(count), as: UTF8.self)
    }

    /// The content of a small file of the kernel's, without the white space at its end.
    static func text(_ path: String) -> String? {
        guard var bytes = bytes(path) else { return nil }
        while let last = bytes.last, last <= 0x20 { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }

    static func bytes(_ path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var content: [UInt8] = []
        while true {
            var count = 0
            let piece = [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, filled in
                count = Glibc.read(descriptor, buffer.baseAddress!, buffer.count)
                filled = max(0, count)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return count == 0 ? content : nil }
            content += piece
        }
    }
}
