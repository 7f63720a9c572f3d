import Ports

/// One stream to one command.
final class ExecStream: LinkUser {
    private enum Phase {
        case waiting
        case opening
        case starting(SSHChannel)
        case running(SSHChannel)
        case closing(SSHChannel)
        case ended
    }

    let id: UInt64
    private let command: String
    private let observer: @Sendable (SSHWayEvent) -> Void
    private let timeouts: SSHSettings.Timeouts
    var label: String
    private var phase = Phase.waiting
    private var outbound: ByteQueue
    var isPaused = false
    private(set) var deadline: ContinuousClock.Instant?

    init(
        id: UInt64, label: String, command: String, timeouts: SSHSettings.Timeouts, unsent: UnsentCount,
        observer: @escaping @Sendable (SSHWayEvent) -> Void
    ) {
        self.id = id
        self.label = label
        self.command = command
        self.timeouts = timeouts
        outbound = ByteQueue(unsent: unsent)
        self.observer = observer
    }

    var isEnded: Bool { if case .ended = phase { true } else { false } }
    var isWaiting: Bool { if case .waiting = phase { true } else { false } }
    var isOpening: Bool { if case .opening = phase { true } else { false } }

    func send(_ bytes: [UInt8]) {
        if !isEnded { outbound.append(bytes) }
    }

    /// Ends the stream and tells so, once.
    func finish(_ end: StreamEnd) {
        guard !isEnded else { return }
        phase = .ended
        deadline = nil
        outbound.removeAll()
        observer(.stream(.closed(end)))
    }

    func linkEnded(_ end: LinkEnd) {
        guard let obstacle = end.obstacle, !isEnded else { return finish(end.end) }
        phase = .ended
        deadline = nil
        outbound.removeAll()
        observer(.beyond(obstacle, end.end))
    }

    func advance(_ session: SSHSession, now: ContinuousClock.Instant) -> UserState {
        while true {
            if let deadline, now >= deadline { return expired() }
            switch phase {
            case .waiting:
                phase = .opening
                deadline = now + timeouts.open
            case .opening:
                switch session.openSession() {
                case .wouldBlock: return .alive
                case .failed(let failure): return failed(failure, "the host opened no channel")
                case .done(let channel): phase = .starting(channel)
                }
            case .starting(let channel):
                switch channel.start(command) {
                case .wouldBlock: return .alive
                case .failed(let failure): return failed(failure, "the host did not start the command")
                case .done:
                    deadline = nil
                    phase = .running(channel)
                    observer(.stream(.opened))
                }
            case .running(let channel):
                if let state = run(channel, session) { return state }
                if isEnded { return .done }
                guard channel.isAtEnd else { return .alive }
                phase = .closing(channel)
                deadline = now + timeouts.open
            case .closing(let channel):
                switch channel.close() {
                case .wouldBlock: return .alive
                case .failed(let failure): return failed(failure, "the connection broke")
                case .done: return ended(channel)
                }
            case .ended: return .done
            }
        }
    }

    /// Moves bytes both ways. Nil: nothing went wrong.
    private func run(_ channel: SSHChannel, _ session: SSHSession) -> UserState? {
        while !outbound.isEmpty, session.buffers.outbound.count < outboundLimit {
            switch outbound.withFront({ channel.write($0) }) {
            case .done(let count): outbound.drop(count)
            case .wouldBlock: return receive(channel)
            case .failed(let failure):
                // A command that reads no more may still have something to say, and an exit status.
                if channel.isAtEnd || failure.code == ExecStream.channelClosed {
                    outbound.removeAll()
                } else {
                    return failed(failure, "the connection broke")
                }
            }
            if isEnded { return .done }
        }
        return receive(channel)
    }

    private func receive(_ channel: SSHChannel) -> UserState? {
        // The channel's window fills, and the host waits.
        guard !isPaused else { return nil }
        for number: Int32 in [0, 1] {
            while !isEnded {
                var wasBlocked = false
                var failure: LibraryFailure?
                let bytes = [UInt8](unsafeUninitializedCapacity: 65536) { room, count in
                    switch channel.read(number, into: UnsafeMutableRawBufferPointer(room)) {
                    case .done(let got): count = got
                    case .wouldBlock: wasBlocked = true
                    case .failed(let what): failure = what
                    }
                }
                if let failure { return failed(failure, "the connection broke") }
                if wasBlocked || bytes.isEmpty { break }
                observer(.stream(number == 0 ? .received(bytes) : .diagnostic(bytes)))
            }
        }
        return nil
    }

    private func ended(_ channel: SSHChannel) -> UserState {
        if let signal = channel.exitSignal {
            finish(
                StreamEnd(
                    kind: .commandEnded(status: nil), message: "\(label): the command was ended by signal \(signal)."))
        } else {
            let status = channel.exitStatus
            finish(
                StreamEnd(
                    kind: .commandEnded(status: status), message: "\(label): the command ended with status \(status)."))
        }
        return .done
    }

    private func expired() -> UserState {
        let what = isOpening ? "the host opened no channel" : "the host did not start or end the command"
        let end = StreamEnd(kind: .unreachable, message: "\(label): \(what) within \(timeouts.open).")
        return .linkFailed(end)
    }

    private static let channelClosed: Int32 = -26

    private func failed(_ failure: LibraryFailure, _ what: String) -> UserState {
        let end = StreamEnd(kind: .unreachable, message: "\(label): \(what) (\(failure.text)).")
        switch phase {
        case .opening where failure.code == ExecStream.channelFailure:
            finish(end)
            return .done
        case .starting where failure.code == ExecStream.channelRequestDenied:
            finish(end)
            return .done
        case .waiting, .opening, .starting, .running, .closing, .ended: return .linkFailed(end)
        }
    }

    private static let channelFailure: Int32 = -21
    private static let channelRequestDenied: Int32 = -22
}
