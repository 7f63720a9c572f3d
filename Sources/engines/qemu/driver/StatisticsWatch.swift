import Glibc
import Model
import Results

/// The blocks that the model has written so far, and whether they are enough.
struct MeasuredBlocks {
    private let rule: StoppingRule
    private var blocks: [Block] = []
    private var pending: [UInt8] = []
    /// After a line that is not understood nothing is ended early: the coordinator says what is wrong with it.
    private var isLost = false

    /// A look at the metric's interval.
    struct Look: Equatable {
        /// After so many invocations.
        var number: Int
        /// How far it reaches, in millionths of the value; nil: there is none.
        var reach: Int64?
        /// Whether measuring ends.
        var isEnough: Bool
    }

    init(_ rule: StoppingRule) { self.rule = rule }

    /// - Parameter bytes: what was written since the last time.
    /// - Returns: the looks due meanwhile, none after the one that is enough.
    mutating func take(_ bytes: [UInt8]) -> [Look] {
        var looks: [Look] = []
        for byte in bytes where !isLost {
            guard byte == UInt8(ascii: "\n") else {
                pending.append(byte)
                continue
            }
            defer { pending.removeAll(keepingCapacity: true) }
            guard case .object(let members)? = try? JSON(parsing: pending) else {
                isLost = true
                return looks
            }
            blocks.append(
                Block(
                    members.compactMap { member in
                        if case .number(let value) = member.value { Metric(member.name, value) } else { nil }
                    }))
            guard StoppingRule.look(after: blocks.count - 1) == blocks.count else { continue }
            let reach = rule.reach(of: blocks).map { Int64((min($0, 1e6) * 1_000_000).rounded()) }
            looks.append(Look(number: blocks.count, reach: reach, isEnough: rule.isEnough(blocks)))
            if looks.last?.isEnough == true { break }
        }
        return looks
    }
}

/// Follows the file of statistics while QEMU writes it. The model writes each block at once when its invocation has
/// ended, and knows nothing of this.
final class StatisticsWatch {
    /// It can be read from when the file has grown.
    let descriptor: Int32
    private let file: Int32
    private var measured: MeasuredBlocks

    /// Makes the file, so that it can be watched: QEMU opens it later, and empties it.
    init(_ rule: StoppingRule) throws(SystemError) {
        measured = MeasuredBlocks(rule)
        file = open(RunFiles.statistics, O_RDONLY | O_CREAT | O_CLOEXEC, 0o600)
        descriptor = inotify_init1(Int32(IN_CLOEXEC) | Int32(IN_NONBLOCK))
        guard file >= 0, descriptor >= 0,
            inotify_add_watch(descriptor, RunFiles.statistics, UInt32(IN_MODIFY)) >= 0
        else { throw SystemError("cannot watch \(RunFiles.statistics)") }
    }

    deinit {
        if file >= 0 { close(file) }
        if descriptor >= 0 { close(descriptor) }
    }

    /// Takes what was written since the last time.
    ///
    /// - Returns: the looks at the interval that were due meanwhile.
    func take() throws(SystemError) -> [MeasuredBlocks.Look] {
        // What happened to the file is seen in the file.
        while try part(of: descriptor).count > 0 {}
        var looks: [MeasuredBlocks.Look] = []
        while looks.last?.isEnough != true {
            let bytes = try part(of: file)
            guard !bytes.isEmpty else { break }
            looks += measured.take(bytes)
        }
        return looks
    }

    /// Empty: there is no more now.
    private func part(of descriptor: Int32) throws(SystemError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = bytes.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN { return [] }
            guard count >= 0 else { throw SystemError("cannot read \(RunFiles.statistics)") }
            bytes.removeLast(bytes.count - count)
            return bytes
        }
    }
}
