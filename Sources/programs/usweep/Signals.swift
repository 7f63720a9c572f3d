import CSystem
import CoordinatorRuntime
import Foundation
import Sessions
import Synchronization

/// Turns signals into items of the inbox: SIGINT, SIGTERM and SIGHUP interrupt, SIGUSR1 says that another `usweep`
/// left a request.
final class Signals: Sendable {
    /// The handlers write the signal's number here; nothing else is safe in one.
    private static let pipe: (read: Int32, write: Int32) = {
        var ends: [Int32] = [-1, -1]
        _ = sys_pipe(&ends)
        for end in ends { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
        return (ends[0], ends[1])
    }()

    private let lastSignal = Atomic<Int32>(0)

    /// Only a person at a keyboard can think again.
    var allowsSecondThoughts: Bool { lastSignal.load(ordering: .relaxed) == SIGINT }

    /// From here on signals wait to be delivered.
    init() {
        _ = Signals.pipe
        for number in [SIGINT, SIGTERM, SIGHUP, SIGUSR1] {
            signal(number) { number in
                var byte = UInt8(truncatingIfNeeded: number)
                _ = write(Signals.pipe.write, &byte, 1)
            }
        }
    }

    func deliver(to inbox: Inbox, _ requests: Requests) {
        let thread = Thread { [self] in
            var descriptor = pollfd(fd: Signals.pipe.read, events: Int16(POLLIN), revents: 0)
            while true {
                _ = poll(&descriptor, 1, -1)
                var byte: UInt8 = 0
                while read(Signals.pipe.read, &byte, 1) == 1 { handle(Int32(byte), inbox, requests) }
            }
        }
        thread.start()
    }

    private func handle(_ number: Int32, _ inbox: Inbox, _ requests: Requests) {
        if number == SIGUSR1 {
            for request in requests.take() { inbox.put(.request(request)) }
        } else {
            lastSignal.store(number, ordering: .relaxed)
            inbox.put(.request(.interrupt(byKey: number == SIGINT)))
        }
    }
}
