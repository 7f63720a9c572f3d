import Glibc
import Ports

/// One child and its stream. Belongs to the driver's thread.
final class ChildStream {
    let id: UInt64
    private let task: ChildTask
    private let process: pid_t
    private let observer: @Sendable (StreamEvent) -> Void
    private var marker: [UInt8]?
    private var input: Descriptor?
    private var output: Descriptor?
    private var errors: Descriptor?
    private var outbound: ByteQueue
    /// What it said last on its standard error, to tell why it ended.
    private var messages: [UInt8] = []
    private var exit: ExitCode?
    private var openDeadline: ContinuousClock.Instant?
    private let lastDeadline: ContinuousClock.Instant?
    private var isOpen = false
    var isPaused = false
    private(set) var isEnded = false

    private static let mostMessages = 16384
    private static let mostPerTurn = 1 << 20

    init(
        id: UInt64, task: ChildTask, child: Child, unsent: UnsentCount, now: ContinuousClock.Instant,
        observer: @escaping @Sendable (StreamEvent) -> Void
    ) {
        self.id = id
        self.task = task
        self.observer = observer
        outbound = ByteQueue(unsent: unsent)
        process = child.process
        (input, output, errors) = (child.input, child.output, child.errors)
        marker = task.marker.map { Array($0.utf8) + [10] }
        openDeadline = task.marker == nil ? nil : task.openTimeout.map { now + $0 }
        lastDeadline = task.lifetime.map { now + $0 }
    }

    /// The process, while it has not been reaped.
    var living: pid_t? { exit == nil ? process : nil }

    func send(_ bytes: [UInt8]) { outbound.append(bytes) }

    func closeHere() { end(StreamEnd(kind: .closedHere, message: "\(task.label): closed from this side.")) }

    func exited(_ exit: ExitCode) { self.exit = exit }

    /// There is no thread left to wait for its end.
    func failToWait(_ code: Int32) { end(.notStarted(code)) }

    private func end(_ cause: ChildEnding.Cause) {
        let text = String(decoding: messages, as: UTF8.self)
        end(task.explain(ChildEnding(cause: cause, wasOpen: isOpen, messages: text)))
    }

    private func end(_ end: StreamEnd) {
        guard !isEnded else { return }
        isEnded = true
        (input, output, errors) = (nil, nil, nil)
        outbound.removeAll()
        observer(.closed(end))
    }

    func advance(now: ContinuousClock.Instant) {
        guard !isEnded else { return }
        if task.marker == nil { opened() }
        write()
        if !isPaused { hearAll() }
        if let due = nextDeadline, now >= due { return end(.late) }
        guard let exit, output == nil, errors == nil else { return }
        // Over a connection that the user shares, `ssh` marks nothing: a status of the command's own is the proof.
        if let status = exit.status, status != 255 { opened() }
        end(.ended(exit))
    }

    /// Errors first: the mark that it is open stands there before anything comes from the command.
    private func hearAll() {
        errors = read(errors) { hear($0) }
        output = read(output) { bytes in
            opened()
            if !isEnded { observer(.received(bytes)) }
        }
    }

    private var nextDeadline: ContinuousClock.Instant? {
        [openDeadline, lastDeadline].compactMap { $0 }.min()
    }

    private func opened() {
        guard !isOpen, !isEnded else { return }
        isOpen = true
        openDeadline = nil
        observer(.opened)
    }

    private func write() {
        guard let input, !outbound.isEmpty else { return }
        if case .failed = input.write(from: &outbound) {
            // The command reads no more; it may still have something to say.
            self.input = nil
            outbound.removeAll()
        }
    }

    private func hear(_ bytes: [UInt8]) {
        messages.append(contentsOf: bytes)
        if isOpen {
            observer(.diagnostic(bytes))
        } else if let marker, let place = ChildStream.find(marker, in: messages, last: bytes.count) {
            let rest = Array(messages[(place + marker.count)...])
            messages = rest
            self.marker = nil
            opened()
            if !rest.isEmpty, !isEnded { observer(.diagnostic(rest)) }
        }
        if messages.count > ChildStream.mostMessages {
            messages.removeFirst(messages.count - ChildStream.mostMessages / 2)
        }
    }

    /// - Parameter last: how many bytes at the end are new: it is not wholly among those before.
    private static func find(_ needle: [UInt8], in bytes: [UInt8], last: Int) -> Int? {
        guard bytes.count >= needle.count else { return nil }
        let first = max(0, bytes.count - last - needle.count + 1)
        return (first...max(first, bytes.count - needle.count)).first { bytes[$0...].starts(with: needle) }
    }

    /// Reads what is there. Returns nil when nothing more will come.
    private func read(_ source: Descriptor?, _ take: ([UInt8]) -> Void) -> Descriptor? {
        guard let source, !isEnded else { return nil }
        var total = 0
        while total < ChildStream.mostPerTurn, !isEnded {
            var result = IOResult.wouldBlock
            let bytes = [UInt8](unsafeUninitializedCapacity: 65536) { room, count in
                result = source.read(into: UnsafeMutableRawBufferPointer(room))
                if case .moved(let got) = result { count = got }
            }
            switch result {
            case .moved(let count):
                total += count
                take(bytes)
            case .wouldBlock: return source
            case .end, .failed: return nil
            }
        }
        return isEnded ? nil : source
    }

    func addInterest(to wait: inout PollWait) {
        if let output, !isPaused { wait.add(output.number, POLLIN) }
        if let errors, !isPaused { wait.add(errors.number, POLLIN) }
        if let input, !outbound.isEmpty { wait.add(input.number, POLLOUT) }
        wait.add(nextDeadline)
    }
}
