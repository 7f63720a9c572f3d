import CSystem
import Glibc

/// What the operating system refused.
struct SystemError: Error, Equatable {
    var what: String
    var number: Int32

    init(_ what: String, _ number: Int32 = errno) {
        self.what = what
        self.number = number
    }

    var message: String { "\(what): \(String(cString: strerror(number)))" }
}

/// A file that is written from its start and closed with its owner.
final class OutputFile {
    private let path: String
    private let descriptor: Int32

    init(_ path: String) throws(SystemError) {
        self.path = path
        descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw SystemError("cannot write \(path)") }
    }

    deinit { close(descriptor) }

    func write(_ bytes: [UInt8]) throws(SystemError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw SystemError("cannot write \(path)") }
            rest = rest.dropFirst(count)
        }
    }
}

/// One end of a pair of sockets; the other end is QEMU's. What comes is cut into lines.
final class Stream {
    let descriptor: Int32
    private(set) var theirs: Int32
    private var pending: [UInt8] = []
    private(set) var isOpen = true
    private static let longestLine = 1 << 20

    init() throws(SystemError) {
        var pair: (Int32, Int32) = (-1, -1)
        let made = withUnsafeMutableBytes(of: &pair) { bytes in
            socketpair(
                AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0,
                bytes.bindMemory(to: Int32.self).baseAddress)
        }
        guard made == 0 else { throw SystemError("cannot make a pair of sockets") }
        descriptor = pair.0
        // Away from the numbers that QEMU's descriptors take.
        theirs = duplicateHigh(pair.1)
        close(pair.1)
        guard theirs >= 0 else { throw SystemError("cannot duplicate a socket") }
    }

    deinit {
        close(descriptor)
        closeTheirs()
    }

    func closeTheirs() {
        if theirs >= 0 { close(theirs) }
        theirs = -1
    }

    /// Takes what there is now. The bytes, and the lines that they complete.
    func receive() throws(SystemError) -> (bytes: [UInt8], lines: [String]) {
        let count = 65_536
        var bytes = [UInt8](repeating: 0, count: count)
        let received = bytes.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, count, Int32(MSG_DONTWAIT)) }
        if received < 0, errno == EAGAIN || errno == EINTR { return ([], []) }
        if received < 0, errno != ECONNRESET { throw SystemError("cannot read from QEMU") }
        bytes.removeLast(count - max(received, 0))
        if received <= 0 { isOpen = false }
        return (bytes, split(bytes))
    }

    private func split(_ bytes: [UInt8]) -> [String] {
        var lines: [String] = []
        for byte in bytes {
            if byte != UInt8(ascii: "\n"), pending.count < Stream.longestLine {
                pending.append(byte)
                continue
            }
            if pending.last == UInt8(ascii: "\r") { pending.removeLast() }
            lines.append(String(decoding: pending, as: UTF8.self))
            pending.removeAll(keepingCapacity: true)
        }
        if !isOpen, !pending.isEmpty {
            lines.append(String(decoding: pending, as: UTF8.self))
            pending = []
        }
        return lines
    }

    /// Commands are short and rare: the socket's buffer always has room.
    func send(_ line: String) throws(SystemError) {
        let bytes = Array("\(line)\n".utf8)
        let sent = bytes.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        // Where QEMU has gone, its exit says more.
        guard sent == bytes.count || errno == EPIPE || errno == ECONNRESET else {
            throw SystemError("cannot write to QEMU")
        }
    }
}

/// The same open file under a number of 64 or more, not inherited; -1 on failure.
func duplicateHigh(_ descriptor: Int32) -> Int32 { fcntl(descriptor, F_DUPFD_CLOEXEC, 64) }

/// Starts a program whose descriptors 0, 1, ... are those given; it dies with this thread.
func start(_ arguments: [String], environment: [String], descriptors: [Int32]) throws(SystemError) -> pid_t {
    let texts = arguments.map { strdup($0) } + [nil]
    let variables = environment.map { strdup($0) } + [nil]
    defer { (texts + variables).forEach { free($0) } }
    var step: UnsafePointer<CChar>?
    let child = texts.map { UnsafePointer($0) }.withUnsafeBufferPointer { texts in
        variables.map { UnsafePointer($0) }.withUnsafeBufferPointer { variables in
            descriptors.withUnsafeBufferPointer { descriptors in
                var start = sys_start()
                start.arguments = texts.baseAddress
                start.environment = variables.baseAddress
                start.file = texts[0]
                start.descriptors = descriptors.baseAddress
                start.descriptor_count = Int32(descriptors.count)
                start.kept_descriptor = -1
                start.dies_with_parent = 1
                return sys_spawn(&start, &step)
            }
        }
    }
    guard child > 0 else { throw SystemError("cannot start \(arguments[0])") }
    return child
}

/// A child's status as a shell gives it: 128 and the signal, where one ended it. `nil` while it runs.
func collect(_ child: pid_t, waiting: Bool) -> Int32? {
    var status: Int32 = 0
    var found: pid_t
    repeat { found = waitpid(child, &status, waiting ? 0 : WNOHANG) } while found < 0 && errno == EINTR
    guard found == child else { return nil }
    return status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f)
}
