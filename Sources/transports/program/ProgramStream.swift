import Glibc
import Ports

/// One child and its stream. Belongs to the driver's thread.
final class ProgramStream {
    let id: UInt64
    private let label: String
    private let process: pid_t
    private let observer: @Sendable (StreamEvent) -> Void
    private var marker: [UInt8]?
    private let isSSH: Bool
    private var input: Descriptor?
    private var output: Descriptor?
    private var errors: Descriptor?
    private var outbound = ByteQueue()
    /// What `ssh` said last, to tell why it ended.
    private var messages: [UInt8] = []
    private var exit: ExitCode?
    private var deadline: ContinuousClock.Instant?
    private var isOpen = false
    private(set) var isEnded = false

    private static let mostMessages = 16384
    private static let mostPerTurn = 1 << 20

    init(
        id: UInt64, label: String, child: Child, marker: String?, deadline: ContinuousClock.Instant,
        observer: @escaping @Sendable (StreamEvent) -> Void
    ) {
        self.id = id
        self.label = label
        self.observer = observer
        process = child.process
        (input, output, errors) = (child.input, child.output, child.errors)
        self.marker = marker.map { Array($0.utf8) + [10] }
        isSSH = marker != nil
        if isSSH { self.deadline = deadline }
    }

    /// The process, while it has not been reaped.
    var living: pid_t? { exit == nil ? process : nil }

    func send(_ bytes: [UInt8]) { outbound.append(bytes) }

    func closeHere() { end(StreamEnd(kind: .closedHere, message: "\(label): closed from this side.")) }

    func exited(_ exit: ExitCode) { self.exit = exit }

    func end(_ end: StreamEnd) {
        guard !isEnded else { return }
        isEnded = true
        (input, output, errors) = (nil, nil, nil)
        outbound.removeAll()
        observer(.closed(end))
    }

    func advance(now: ContinuousClock.Instant) {
        guard !isEnded else { return }
        if !isSSH { opened() }
        write()
        // Errors first: the mark that `ssh` is logged in stands there before anything comes from the command.
        errors = read(errors) { hear($0) }
        output = read(output) { bytes in
            opened()
            if !isEnded { observer(.received(bytes)) }
        }
        if let deadline, now >= deadline {
            let text = "\(label): ssh has not logged in in time. It says: \(String(decoding: messages, as: UTF8.self))"
            return end(StreamEnd(kind: .unreachable, message: text))
        }
        guard let exit, output == nil, errors == nil else { return }
        finish(exit)
    }

    private func finish(_ exit: ExitCode) {
        guard isSSH else { return end(Verdict.command(exit, label: label)) }
        // Over a connection that the user shares, `ssh` marks nothing: a status of the command's own is the proof.
        if let status = exit.status, status != 255 { opened() }
        let text = String(decoding: messages, as: UTF8.self)
        end(Verdict.ssh(exit, messages: text, isOpen: isOpen, label: label))
    }

    private func opened() {
        guard !isOpen, !isEnded else { return }
        isOpen = true
        deadline = nil
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
        } else if let marker, let place = ProgramStream.find(marker, in: messages) {
            let rest = Array(messages[(place + marker.count)...])
            messages = rest
            self.marker = nil
            opened()
            if !rest.isEmpty, !isEnded { observer(.diagnostic(rest)) }
        }
        if messages.count > ProgramStream.mostMessages {
            messages.removeFirst(messages.count - ProgramStream.mostMessages / 2)
        }
    }

    private static func find(_ needle: [UInt8], in bytes: [UInt8]) -> Int? {
        guard bytes.count >= needle.count else { return nil }
        return (0...(bytes.count - needle.count)).first { bytes[$0...].starts(with: needle) }
    }

    /// Reads what is there. Returns nil when nothing more will come.
    private func read(_ source: Descriptor?, _ take: ([UInt8]) -> Void) -> Descriptor? {
        guard let source, !isEnded else { return nil }
        var total = 0
        while total < ProgramStream.mostPerTurn, !isEnded {
            var attempt = Attempt.wouldBlock
            let bytes = [UInt8](unsafeUninitializedCapacity: 65536) { room, count in
                attempt = source.read(into: UnsafeMutableRawBufferPointer(room))
                if case .moved(let got) = attempt { count = got }
            }
            switch attempt {
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
        if let output { wait.add(output.number, POLLIN) }
        if let errors { wait.add(errors.number, POLLIN) }
        if let input, !outbound.isEmpty { wait.add(input.number, POLLOUT) }
        wait.add(deadline)
    }
}
