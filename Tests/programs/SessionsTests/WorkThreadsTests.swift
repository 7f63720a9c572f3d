import CoordinatorRuntime
import Foundation
import Model
import Synchronization
import Testing
@testable import Sessions

@Suite("The workshop of threads")
struct WorkThreadsTests {
    private final class Seen: Sendable {
        let order = Mutex<[Int: [Int]]>([:])
        let busy = Mutex<Set<Int>>([])
        let clashes = Atomic(0)
    }

    @Test("Work of a lane is done in order and one at a time, and all of it tells what came of it")
    func lanes() throws {
        let inbox = Inbox()
        let threads = WorkThreads(inbox, count: 4)
        defer { threads.stop() }
        let seen = Seen()
        let (lanes, each) = (50, 40)
        for number in 0..<each {
            for lane in 0..<lanes {
                threads.hand(in: .host(lane)) {
                    if !seen.busy.withLock({ $0.insert(lane).inserted }) { seen.clashes.add(1, ordering: .relaxed) }
                    seen.order.withLock { $0[lane, default: []].append(number) }
                    _ = seen.busy.withLock { $0.remove(lane) }
                    return .nothing
                }
            }
        }
        var finished = 0
        while finished < lanes * each {
            for case .finished(.success) in inbox.take(timeout: 60_000_000_000) { finished += 1 }
        }
        #expect(seen.clashes.load(ordering: .relaxed) == 0)
        #expect(seen.order.withLock { $0.values.allSatisfy { $0 == Array(0..<each) } })
    }

    @Test("An error is told like a result, and a lane goes on after it")
    func errors() throws {
        let inbox = Inbox()
        let threads = WorkThreads(inbox, count: 1)
        defer { threads.stop() }
        threads.hand(in: .tables) { throw Failure(.storage, "no") }
        threads.hand(in: .tables) { .refused(host: 1, generation: 1, reason: "yes") }
        var items: [Inbox.Item] = []
        while items.count < 2 { items += inbox.take(timeout: 60_000_000_000) }
        guard case .finished(.failure(let error)) = items[0],
            case .finished(.success(.refused(_, _, "yes"))) = items[1]
        else {
            Issue.record("\(items)")
            return
        }
        #expect((error as? Failure)?.message == "no")
    }
}
