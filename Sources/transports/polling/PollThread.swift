import CSystem
public import Glibc
import Synchronization

/// Something that lives on a poll thread and is touched by no other.
public protocol PollClient<Message>: AnyObject {
    associatedtype Message: Sendable

    /// One turn: takes what was posted and which descriptors are ready, does what can be done without
    /// waiting, and says what to wait for.
    ///
    /// - Parameter ready: `revents` by descriptor, as `poll(2)` gives them.
    func turn(_ messages: [Message], ready: [Int32: Int16], now: ContinuousClock.Instant) -> PollWait
}

/// What a client waits for.
public struct PollWait {
    public var descriptors: [pollfd]
    /// When to come back at the latest.
    public var deadline: ContinuousClock.Instant?
    /// The client has nothing left to do, ever: the thread ends.
    public var isFinished: Bool

    public init(descriptors: [pollfd] = [], deadline: ContinuousClock.Instant? = nil, isFinished: Bool = false) {
        self.descriptors = descriptors
        self.deadline = deadline
        self.isFinished = isFinished
    }

    public mutating func add(_ descriptor: Int32, _ events: Int32) {
        descriptors.append(pollfd(fd: descriptor, events: Int16(events), revents: 0))
    }

    public mutating func add(_ time: ContinuousClock.Instant?) {
        guard let time else { return }
        deadline = deadline.map { min($0, time) } ?? time
    }
}

/// Where other threads leave messages for a poll thread. Posting never blocks and wakes the thread.
public final class Mailbox<Message: Sendable>: Sendable {
    private let messages = Mutex<[Message]>([])
    private let reader: Descriptor
    private let writer: Descriptor

    init() throws(NoThread) {
        var ends: [Int32] = [-1, -1]
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, type, 0, &ends) == 0 else { throw NoThread(code: errno) }
        reader = Descriptor(owning: ends[0])
        writer = Descriptor(owning: ends[1])
    }

    public func post(_ message: Message) {
        let wasEmpty = messages.withLock { waiting in
            waiting.append(message)
            return waiting.count == 1
        }
        // A full pipe is as good: the thread is awake or about to be.
        if wasEmpty { _ = [UInt8(1)].withUnsafeBytes { writer.write($0) } }
    }

    fileprivate var descriptor: Int32 { reader.number }

    fileprivate func take() -> [Message] {
        withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) { room in
            while case .moved(64) = reader.read(into: room) {}
        }
        return messages.withLock { waiting in
            let taken = waiting
            waiting = []
            return taken
        }
    }
}

/// A thread of its own that serves one client by `poll(2)`, apart from Swift's pool.
public enum PollThread {
    /// Starts the thread; the client is made on it and never leaves it.
    ///
    /// - Parameter makeClient: called once, on the new thread.
    /// - Returns: where to leave messages; the thread lives until its client is finished.
    /// - Throws: ``NoThread`` where the system has none left.
    public static func start<Message: Sendable>(
        _ makeClient: @escaping @Sendable (Mailbox<Message>) -> any PollClient<Message>
    ) throws(NoThread) -> Mailbox<Message> {
        let mailbox = try Mailbox<Message>()
        guard startThread({ serve(makeClient(mailbox), mailbox) }) else { throw NoThread(code: EAGAIN) }
        return mailbox
    }

    /// Runs `body` on a thread of its own, with all signals blocked, so that a broken pipe is an error there.
    ///
    /// - Returns: false when the system has no thread left.
    public static func startThread(_ body: @escaping @Sendable () -> Void) -> Bool {
        let box = Unmanaged.passRetained(ThreadBody(body))
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        var thread = pthread_t()
        var all = sigset_t()
        var before = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_SETMASK, &all, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        let code = pthread_create(&thread, &attributes, { argument in
            guard let argument else { return nil }
            Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue().body()
            return nil
        }, box.toOpaque())
        if code != 0 { box.release() }
        return code == 0
    }

    private static func serve<Message>(_ client: any PollClient<Message>, _ mailbox: Mailbox<Message>) {
        var ready: [Int32: Int16] = [:]
        while true {
            let wait = client.turn(mailbox.take(), ready: ready, now: .now)
            if wait.isFinished { return }
            var descriptors = wait.descriptors
            descriptors.append(pollfd(fd: mailbox.descriptor, events: Int16(POLLIN), revents: 0))
            let count = poll(&descriptors, nfds_t(descriptors.count), milliseconds(until: wait.deadline))
            ready.removeAll(keepingCapacity: true)
            guard count > 0 else { continue }
            for one in descriptors where one.revents != 0 { ready[one.fd] = one.revents }
        }
    }

    /// Rounded up, so that the deadline has passed when the wait ends; -1 for ever.
    private static func milliseconds(until deadline: ContinuousClock.Instant?) -> Int32 {
        guard let deadline else { return -1 }
        let (seconds, attoseconds) = (deadline - .now).components
        if seconds < 0 || attoseconds < 0 { return 0 }
        return Int32(min(seconds, 86_400)) * 1000 + Int32(attoseconds / 1_000_000_000_000_000) + 1
    }
}

/// The system has no thread left, or no file descriptor to wake one with.
public struct NoThread: Error {
    /// `errno` of the attempt.
    public var code: Int32
}

/// A poll thread that is started when something needs it, and asked to end when nothing refers to it any more.
final class ThreadOnDemand<Message: Sendable>: Sendable {
    private let started = Mutex<Mailbox<Message>?>(nil)
    private let stop: Message
    private let makeClient: @Sendable (Mailbox<Message>) -> any PollClient<Message>

    /// - Parameters:
    ///   - stop: the message that asks it to end.
    ///   - makeClient: as for ``PollThread/start(_:)``.
    init(stop: Message, _ makeClient: @escaping @Sendable (Mailbox<Message>) -> any PollClient<Message>) {
        self.stop = stop
        self.makeClient = makeClient
    }

    deinit { started.withLock { $0?.post(stop) } }

    /// - Throws: ``NoThread``; who asks again later may have one.
    func mailbox() throws(NoThread) -> Mailbox<Message> {
        try started.withLock { (started) throws(NoThread) in
            if let started { return started }
            let mailbox = try PollThread.start(makeClient)
            started = mailbox
            return mailbox
        }
    }
}

/// Carries a closure through `pthread_create`.
private final class ThreadBody: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}
