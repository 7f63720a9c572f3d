import CSystem
import Glibc
import Ports
import Synchronization

/// A program to start as the far end of a stream.
struct ChildTask: Sendable {
    var program: String
    var arguments: [String]
    var environment: [String: String]
    /// How many bytes of its standard input may wait in the pipe; nil: what is usual.
    var inputRoom: Int32?
    /// The line of its standard error that says that it is open; nil: started is as good as open.
    var marker: String?
    /// How long it may take to be open.
    var openTimeout: Duration?
    /// How long it may take in all.
    var lifetime: Duration?
    /// Begins messages about it.
    var label: String
    /// Tells in the port's words why it is no more.
    var explain: @Sendable (ChildEnding) -> StreamEnd
}

/// What is known of a child's end.
struct ChildEnding: Sendable {
    enum Cause: Sendable, Equatable {
        /// `errno` of the attempt to start it.
        case notStarted(Int32)
        /// It was not open, or not done, in time.
        case late
        case ended(ExitCode)
    }

    var cause: Cause
    var wasOpen: Bool
    /// The end of what it wrote to its standard error.
    var messages: String
}

extension StreamEnd {
    static func command(_ exit: ExitCode, label: String) -> StreamEnd {
        let how = exit.status.map { "ended with status \($0)" } ?? "was ended by signal \(exit.signal ?? 0)"
        return StreamEnd(kind: .commandEnded(status: exit.status), message: "\(label): the command \(how).")
    }
}

/// Streams to child processes. One thread moves all bytes, with `poll(2)`; each child has one more that waits for its
/// end. The thread ends when neither this nor a connection is referred to any more.
final class Children: Sendable {
    private let thread = ThreadOnDemand<ChildMessage>(stop: .stop) { ChildDriver(mailbox: $0) }
    private let nextStream = Atomic<UInt64>(1)

    func start(_ task: ChildTask, observer: @escaping @Sendable (StreamEvent) -> Void) -> any Connection {
        let mailbox: Mailbox<ChildMessage>
        do throws(NoThread) {
            mailbox = try thread.mailbox()
        } catch {
            let end = task.explain(ChildEnding(cause: .notStarted(error.code), wasOpen: false, messages: ""))
            return EndedConnection(end, observer)
        }
        let stream = nextStream.wrappingAdd(1, ordering: .relaxed).oldValue
        let unsent = UnsentCount()
        mailbox.post(.start(stream, task, unsent, observer))
        return MailboxConnection(stream: stream, mailbox: mailbox, unsent: unsent, owner: self)
    }
}

/// A stream that could not even begin.
struct EndedConnection: Connection {
    init(_ end: StreamEnd, _ observer: @escaping @Sendable (StreamEvent) -> Void) {
        Task { observer(.closed(end)) }
    }

    func send(_ bytes: [UInt8]) {}
    func close() {}
}

/// What other threads tell the driver.
enum ChildMessage: StreamMessage {
    case start(UInt64, ChildTask, UnsentCount, @Sendable (StreamEvent) -> Void)
    case send(UInt64, [UInt8])
    case pause(UInt64, Bool)
    case close(UInt64)
    case exited(UInt64, ExitCode)
    case stop
}

/// Moves the bytes of all children on one thread.
final class ChildDriver: PollClient {
    private let mailbox: Mailbox<ChildMessage>
    private var streams: [ChildStream] = []
    /// Children whose stream is closed but which have not ended: killed at this time.
    private var leaving: [(id: UInt64, process: pid_t, killAt: ContinuousClock.Instant)] = []
    private var isStopped = false

    private static let grace: Duration = .seconds(2)

    init(mailbox: Mailbox<ChildMessage>) { self.mailbox = mailbox }

    func turn(_ messages: [ChildMessage], ready: [Int32: Int16], now: ContinuousClock.Instant) -> PollWait {
        for message in messages { handle(message, now: now) }
        for stream in streams {
            stream.advance(now: now)
            if stream.isEnded { retire(stream, now: now) }
        }
        streams.removeAll { $0.isEnded }
        for (index, child) in leaving.enumerated() where now >= child.killAt {
            kill(-child.process, SIGKILL)
            leaving[index].killAt = now + .seconds(3600)
        }
        var wait = PollWait()
        for stream in streams { stream.addInterest(to: &wait) }
        for child in leaving { wait.add(child.killAt) }
        wait.isFinished = isStopped && streams.isEmpty && leaving.isEmpty
        return wait
    }

    private func handle(_ message: ChildMessage, now: ContinuousClock.Instant) {
        switch message {
        case .start(let id, let task, let unsent, let observer): start(id, task, unsent, observer, now: now)
        case .send(let id, let bytes): streams.first { $0.id == id }?.send(bytes)
        case .pause(let id, let isPaused): streams.first { $0.id == id }?.isPaused = isPaused
        case .close(let id): streams.first { $0.id == id }?.closeHere()
        case .exited(let id, let exit):
            streams.first { $0.id == id }?.exited(exit)
            leaving.removeAll { $0.id == id }
        case .stop:
            isStopped = true
            for stream in streams { stream.closeHere() }
        }
    }

    private func start(
        _ id: UInt64, _ task: ChildTask, _ unsent: UnsentCount, _ observer: @escaping @Sendable (StreamEvent) -> Void,
        now: ContinuousClock.Instant
    ) {
        func notStarted(_ code: Int32) {
            observer(.closed(task.explain(ChildEnding(cause: .notStarted(code), wasOpen: false, messages: ""))))
        }
        do {
            let child = try Child(program: task.program, arguments: task.arguments, environment: task.environment)
            // Who may not have that much goes on with less.
            if let room = task.inputRoom { _ = sys_widen_pipe(child.input.number, room) }
            let stream = ChildStream(id: id, task: task, child: child, unsent: unsent, now: now, observer: observer)
            streams.append(stream)
            let mailbox = mailbox
            if !child.whenEnded({ mailbox.post(.exited(id, $0)) }) { stream.failToWait(EAGAIN) }
        } catch {
            notStarted(error.code)
        }
    }

    /// A child that did not end by itself is asked to go, then made to.
    private func retire(_ stream: ChildStream, now: ContinuousClock.Instant) {
        guard let process = stream.living else { return }
        kill(-process, SIGHUP)
        leaving.append((stream.id, process, now + ChildDriver.grace))
    }
}
