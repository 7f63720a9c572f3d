import CSystem
import Glibc
import Model
import Storage

/// A program that the gateway has started: its input and output over a socket, its complaints over another one.
struct GatewayChild {
    let pid: Int32
    /// Its standard input and output; -1: closed.
    private(set) var stream: Int32
    /// Its standard error; -1: closed.
    private(set) var complaints: Int32
    private var input = SendQueue()
    private(set) var isInputEnding = false
    /// The end of what it said on standard error.
    private(set) var said: [UInt8] = []

    private static let longestComplaint = 4_096

    /// - Parameter diesWithParent: false: when this process ends, its input does.
    /// - Throws: ``SpawnProblem``.
    init(
        _ arguments: [String], extraEnvironment: [String] = [], diesWithParent: Bool = true
    ) throws(SpawnProblem) {
        var outer: [Int32] = [-1, -1]
        var inner: [Int32] = [-1, -1]
        for index in 0..<2 {
            var pair: [Int32] = [-1, -1]
            let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
            guard socketpair(AF_UNIX, type, 0, &pair) == 0 else {
                for descriptor in outer + inner where descriptor >= 0 { close(descriptor) }
                throw SpawnProblem(step: "socketpair", reason: SystemText.of(errno))
            }
            outer[index] = pair[0]
            inner[index] = fcntl(pair[1], F_DUPFD_CLOEXEC, 64)
            close(pair[1])
            _ = sys_nonblocking(outer[index])
        }
        defer { for descriptor in inner where descriptor >= 0 { close(descriptor) } }
        let descriptors = [inner[0], inner[0], inner[1]]
        do throws(SpawnProblem) {
            pid = try Spawn.start(arguments, environment: Spawn.environment + extraEnvironment, folder: "/") {
                start, step in
                descriptors.withUnsafeBufferPointer { buffer in
                    start.pointee.descriptors = buffer.baseAddress
                    start.pointee.descriptor_count = 3
                    start.pointee.dies_with_parent = diesWithParent ? 1 : 0
                    return sys_spawn(start, step)
                }
            }
        } catch {
            for descriptor in outer { close(descriptor) }
            throw error
        }
        (stream, complaints) = (outer[0], outer[1])
    }

    var unsentCount: Int { input.unsentCount }

    func add(to set: inout Poll, reads: Bool) {
        // poll(2) tells of a closed socket also where nothing is asked, again and again.
        if stream >= 0, reads || input.unsentCount > 0 {
            set.add(stream, reads: reads, writes: input.unsentCount > 0)
        }
        if complaints >= 0 { set.add(complaints, reads: true) }
    }

    mutating func send(_ bytes: [UInt8]) {
        guard !isInputEnding else { return }
        input.add(bytes)
    }

    /// Its standard input ends behind what was given to it.
    mutating func endInput() { isInputEnding = true }

    /// Writes what it takes. Returns how many bytes it took.
    mutating func flush() -> Int {
        guard stream >= 0 else { return 0 }
        let before = input.unsentCount
        // What it no longer takes is of no use to anybody.
        if !input.flush(to: stream) { input = SendQueue() }
        if isInputEnding, input.unsentCount == 0 { shutdown(stream, Int32(SHUT_WR)) }
        return before - input.unsentCount
    }

    /// What it wrote, at most so much; nil: nothing more comes.
    mutating func read(atMost room: Int) -> [UInt8]? {
        guard stream >= 0 else { return nil }
        guard let bytes = GatewayChild.take(stream, room) else {
            close(stream)
            stream = -1
            return nil
        }
        return bytes
    }

    /// Takes in what it says on standard error.
    mutating func hear() {
        guard complaints >= 0 else { return }
        guard let bytes = GatewayChild.take(complaints, 16 * 1_024) else {
            close(complaints)
            complaints = -1
            return
        }
        said = (said + bytes).suffix(GatewayChild.longestComplaint)
    }

    /// Whether standard error has news.
    func complains(_ set: Poll) -> Bool { complaints >= 0 && set.isReadable(complaints) }
    func hasOutput(_ set: Poll) -> Bool { stream >= 0 && set.isReadable(stream) }

    /// What it left in its sockets when it ended.
    mutating func drain() -> [UInt8] {
        var all: [UInt8] = []
        while let bytes = read(atMost: 256 * 1_024), !bytes.isEmpty { all += bytes }
        let before = said.count
        hear()
        if said.count > before { hear() }
        return all
    }

    mutating func closeAll() {
        if stream >= 0 { close(stream) }
        if complaints >= 0 { close(complaints) }
        (stream, complaints) = (-1, -1)
    }

    /// nil: the end. Empty: nothing now.
    private static func take(_ descriptor: Int32, _ room: Int) -> [UInt8]? {
        var count = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: max(1, room)) { buffer, filled in
            repeat {
                count = recv(descriptor, buffer.baseAddress!, buffer.count, 0)
            } while count < 0 && errno == EINTR
            filled = max(0, count)
        }
        if count > 0 { return bytes }
        return count < 0 && errno == EAGAIN ? [] : nil
    }
}
