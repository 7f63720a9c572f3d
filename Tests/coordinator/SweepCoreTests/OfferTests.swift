import Model
import Testing
@testable import SweepCore


@Suite("Hosts that others use, too")
struct OfferTests {
    private func offer(_ slots: Int, memory: Int64 = 1 << 34) -> HostOffer {
        HostOffer(slots: slots, memoryBytes: memory, reason: "shared with the sweeps of alice")
    }

    @Test("A host is given no more than it offers, and people are told why; what it offers again is used")
    func slots() {
        var cluster = Cluster(runs: 12, hosts: 1)
        cluster.step(.offered(host: 0, offer(3)))
        #expect(cluster.join(0, slots: 4).granted(to: 0).count == 4, "what was said before it joined is old")
        cluster.step(.offered(host: 0, offer(1)))
        var view = cluster.core.view(of: 0, running: 0, now: cluster.now)
        #expect(view.slots == 1 && view.standing == .working)
        #expect(view.problem == "1 of 4 slots for now: shared with the sweeps of alice")
        for run in 1...3 {
            #expect(cluster.step(.ended(host: 0, Cluster.ended(run, lease: 1))).granted(to: 0).isEmpty)
        }
        #expect(cluster.step(.ended(host: 0, Cluster.ended(4, lease: 1))).granted(to: 0) == [5])
        cluster.step(.offered(host: 0, offer(0)))
        view = cluster.core.view(of: 0, running: 0, now: cluster.now)
        #expect(view.slots == 0 && view.standing == .paused)
        #expect(cluster.step(.ended(host: 0, Cluster.ended(5, lease: 2))).granted(to: 0).isEmpty)
        #expect(cluster.step(.offered(host: 0, nil)).granted(to: 0) == [6, 7, 8, 9])
        #expect(cluster.core.view(of: 0, running: 0, now: cluster.now).problem.isEmpty)
    }

    @Test("What a host did not begin and has no room for any more is given to others, and costs no attempt")
    func withdrawn() {
        var cluster = Cluster(runs: 6, hosts: 2)
        cluster.join(0, slots: 4)
        cluster.step(.started(host: 0, [AttemptID(run: 1, lease: 1, attempt: 1)]))
        let effects = cluster.step(.offered(host: 0, offer(2)))
        #expect(effects.contains(.cancel(host: 0, [4, 3])))
        #expect((1...4).map { cluster.lease(of: $0) } == [1, 1, nil, nil])
        #expect(cluster.core.state[3].failures + cluster.core.state[3].losses == 0)
        #expect(Set(cluster.join(1, slots: 2).granted(to: 1)).isSubset(of: [3, 4, 5, 6]))
        // Nothing that it may have begun is taken from it.
        let none = cluster.step(.offered(host: 0, offer(0)))
        #expect(none.contains(.cancel(host: 0, [2])))
        #expect(cluster.lease(of: 1) == 1)
    }

    @Test("Alone, a host keeps what it has")
    func alone() {
        var cluster = Cluster(runs: 4, hosts: 1)
        cluster.join(0, slots: 4)
        cluster.step(.offered(host: 0, offer(1)))
        #expect((1...4).allSatisfy { cluster.lease(of: $0) == 1 })
    }

    @Test("Memory that other people take is nobody's, also where what runs need is a guess")
    func memory() {
        for memory in [MemoryRule.fixed(4 << 30), .learned(firstGuess: 4 << 30)] {
            var cluster = Cluster(runs: 20, hosts: 1, memory: memory)
            #expect(cluster.join(0, slots: 8).granted(to: 0).count == 4)
            cluster.step(.offered(host: 0, offer(8, memory: 9 << 30)))
            #expect(cluster.core.slots(of: 0) == 2)
            cluster.step(.offered(host: 0, offer(8, memory: 3 << 30)))
            #expect(cluster.core.slots(of: 0) == 0)
        }
    }
}
