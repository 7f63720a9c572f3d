package import CoordinatorRuntime
import DequeModule
import Foundation

/// The workshop of a coordinator at work: some threads of its own.
package final class WorkThreads: Workshop, @unchecked Sendable {
    private typealias Work = @Sendable () throws -> Finished

    private let inbox: Inbox
    // Touched only while `condition` is locked.
    private let condition = NSCondition()
    /// What waits, by lane; a lane that is being worked on has an entry too.
    private var lanes: [Lane: Deque<Work>] = [:]
    /// Lanes with work that nobody works on.
    private var ready = Deque<Lane>()
    private var isStopped = false

    /// - Parameter count: how much is done at a time, at least 1.
    package init(_ inbox: Inbox, count: Int = WorkThreads.usualCount) {
        self.inbox = inbox
        for _ in 0..<count {
            let thread = Thread { [self] in work() }
            thread.name = "workshop"
            thread.start()
        }
    }

    /// Judging is bound by the processor, and the agent of this very machine may need it for runs.
    package static var usualCount: Int { max(2, min(8, ProcessInfo.processInfo.activeProcessorCount / 2)) }

    package func hand(in lane: Lane, _ work: @escaping @Sendable () throws -> Finished) {
        condition.withLock {
            if lanes[lane]?.append(work) == nil {
                lanes[lane] = [work]
                ready.append(lane)
                condition.signal()
            }
        }
    }

    /// Ends the threads after what they are doing now, without waiting for it; what waits is never done.
    package func stop() {
        condition.withLock {
            isStopped = true
            condition.broadcast()
        }
    }

    private func work() {
        while let (lane, work) = next() {
            let result = Result { try work() }
            inbox.put(.finished(result))
            finish(lane)
        }
    }

    private func next() -> (Lane, Work)? {
        condition.withLock {
            while true {
                if isStopped { return nil }
                if let lane = ready.popFirst(), let work = lanes[lane]?.popFirst() { return (lane, work) }
                condition.wait()
            }
        }
    }

    private func finish(_ lane: Lane) {
        condition.withLock {
            if lanes[lane]?.isEmpty ?? true {
                lanes[lane] = nil
            } else {
                ready.append(lane)
                condition.signal()
            }
        }
    }
}
