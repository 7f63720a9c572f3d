import CoordinatorRuntime
import Foundation
import Model
import Ports
import Synchronization

/// Turns signals into items of the inbox: SIGINT, SIGTERM and SIGHUP interrupt, SIGUSR1 says that another `usweep`
/// left a request.
final class Signals: Sendable {
    /// The handlers write the signal's number here; nothing else is safe in one.
    private static let pipe: (read: Int32, write: Int32) = {
        var ends: [Int32] = [-1, -1]
        _ = Foundation.pipe(&ends)
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        return (ends[0], ends[1])
    }()

    private let lastSignal = Atomic<Int32>(0)

    /// Only a person at a keyboard can think again.
    var allowsSecondThoughts: Bool { lastSignal.load(ordering: .relaxed) == SIGINT }

    init(inbox: Inbox, requests: Requests) {
        _ = Signals.pipe
        for number in [SIGINT, SIGTERM, SIGHUP, SIGUSR1] {
            signal(number) { number in
                var byte = UInt8(truncatingIfNeeded: number)
                _ = write(Signals.pipe.write, &byte, 1)
            }
        }
        let thread = Thread { [weak self] in
            var descriptor = pollfd(fd: Signals.pipe.read, events: Int16(POLLIN), revents: 0)
            while true {
                _ = poll(&descriptor, 1, -1)
                var byte: UInt8 = 0
                while read(Signals.pipe.read, &byte, 1) == 1 {
                    guard let self else { return }
                    self.handle(Int32(byte), inbox, requests)
                }
            }
        }
        thread.start()
    }

    private func handle(_ number: Int32, _ inbox: Inbox, _ requests: Requests) {
        if number == SIGUSR1 {
            for request in requests.take() { inbox.put(.request(request)) }
        } else {
            lastSignal.store(number, ordering: .relaxed)
            inbox.put(.request(.interrupt))
        }
    }
}

/// What another `usweep` process asks of the coordinator of a sweep: a file in the sweep's folder, and SIGUSR1.
struct Requests: Sendable {
    let folder: String

    private var path: String { "\(folder)/cancel-request" }

    /// Leaves a request to cancel and wakes the coordinator.
    ///
    /// - Throws: ``Failure`` where it cannot be reached from this machine.
    func leave(run: RunNumber?) throws {
        let lock = "\(folder)/ledger.sqlite.lock"
        let words = (try? String(contentsOfFile: lock, encoding: .utf8))?.split(separator: " ") ?? []
        guard words.count >= 4, words[0] == "pid", let pid = pid_t(words[1]), pid > 1 else {
            throw Failure(.heldElsewhere, "the coordinator of this sweep has not said who it is; try again")
        }
        guard words[3] == ProcessInfo.processInfo.hostName.split(separator: ".").first.map({ $0 }) ?? ""
            || words[3] == ProcessInfo.processInfo.hostName
        else { throw Failure(.heldElsewhere, "the coordinator runs on \(words[3]); cancel it there") }
        try Data((run.map(String.init) ?? "all").utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
        guard kill(pid, SIGUSR1) == 0 else {
            throw Failure(
                .heldElsewhere, "the coordinator (pid \(pid)) cannot be told", cause: String(cString: strerror(errno)))
        }
    }

    /// Takes what was left, once.
    func take() -> [Inbox.Request] {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return [] }
        try? FileManager.default.removeItem(atPath: path)
        if text == "all" { return [.cancel(run: nil, reason: "cancelled by 'usweep cancel'")] }
        return RunNumber(text).map { [.cancel(run: $0, reason: "cancelled by 'usweep cancel'")] } ?? []
    }
}

/// The clocks of this machine.
struct SystemTime: TimeSource {
    func monotonic() -> Nanoseconds { read(CLOCK_MONOTONIC) }

    func wall() -> Nanoseconds { read(CLOCK_REALTIME) }

    private func read(_ clock: clockid_t) -> Nanoseconds {
        var now = timespec()
        clock_gettime(clock, &now)
        return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
    }
}
