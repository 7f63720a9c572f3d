import Glibc
public import Model
public import Ports

/// What reaches the coordinator from outside. Any thread may put; one thread takes.
public final class Inbox: @unchecked Sendable {
    /// Something that happened.
    public enum Item: Sendable {
        /// On the stream to a host. `generation` tells a stream from those before it.
        case stream(host: Int, generation: Int, StreamEvent)
        /// On the stream to the login node of a Slurm cluster.
        case gateway(site: Int, generation: Int, StreamEvent)
        /// A signal, or a word from another `usweep` process.
        case request(Request)
        /// Something that was handed to the workshop. An error is this machine's, and ends the loop.
        case finished(Result<Finished, any Error>)
    }

    /// What people ask of a coordinator while it runs.
    public enum Request: Sendable, Hashable {
        /// Stop handing out; leave what runs.
        ///
        /// - Parameter byKey: by Ctrl-C, whose second press cancels what runs; the end of a terminal, or of a session,
        ///   is no second press.
        case interrupt(byKey: Bool)
        case cancel(run: RunNumber?, reason: String)
        /// The end of a file of a running attempt. Whoever asks is told by ``CoordinatorLoop/answer``, under `token`.
        case tail(run: RunNumber, path: String, token: String)
        /// How it goes at this moment. Whoever asks is told by ``CoordinatorLoop/tellLive``.
        case live(token: String)
    }

    // A condition variable of its own: the thread that takes waits here for hours, which no executor may do.
    // `items` is only touched under `mutex`.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var items: [Item] = []

    public init() {
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    public func put(_ item: Item) {
        pthread_mutex_lock(mutex)
        items.append(item)
        if items.count == 1 { pthread_cond_signal(condition) }
        pthread_mutex_unlock(mutex)
    }

    /// Everything that came, in order; waits up to `timeout` nanoseconds for something to come.
    package func take(timeout: Nanoseconds) -> [Item] {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        if !items.isEmpty || timeout <= 0 { return takeAll() }
        var deadline = timespec()
        clock_gettime(CLOCK_MONOTONIC, &deadline)
        let end = Int64(deadline.tv_sec) * 1_000_000_000 + Int64(deadline.tv_nsec) + max(0, timeout)
        deadline = timespec(tv_sec: Int(end / 1_000_000_000), tv_nsec: Int(end % 1_000_000_000))
        while items.isEmpty, pthread_cond_timedwait(condition, mutex, &deadline) == 0 {}
        return takeAll()
    }

    private func takeAll() -> [Item] {
        defer { items = [] }
        return items
    }
}

extension Inbox.Item {
    /// Whether somebody wants all runs cancelled, who has interrupted the sweep before. Others only look on, or want
    /// something of one run.
    var asksToCancelAll: Bool {
        switch self {
        case .request(.interrupt(let byKey)): byKey
        case .request(.cancel(let run, _)): run == nil
        case .request(.tail), .request(.live), .stream, .gateway, .finished: false
        }
    }
}
