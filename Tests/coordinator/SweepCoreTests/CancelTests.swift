import Model
import Testing
@testable import SweepCore


@Suite("One run is cancelled")
struct CancelTests {
    private func asked(grace: Bool = false) -> Cluster {
        var cluster = Cluster(runs: 2, hosts: 1)
        cluster.join(0, slots: 2)
        cluster.step(.lost(host: 0, reason: "cable"))
        cluster.step(.cancel(run: 1, reason: "test"))
        #expect(cluster.count { if case .runCancelAsked(1, _) = $0 { true } else { false } } == 1)
        return cluster
    }

    @Test("while its host is away: the host is told when it is back")
    func away() {
        var cluster = asked()
        cluster.step(.cancel(run: 1, reason: "once more"))
        #expect(cluster.count { if case .runCancelAsked = $0 { true } else { false } } == 1)
        let effects = cluster.comeBack(0)
        #expect(effects.contains(.cancel(host: 0, [1])))
        cluster.step(.ended(host: 0, Cluster.ended(1, lease: 1, failure: .cancelled)))
        #expect(cluster.phase(1) == .ended(.cancelled, .cancelled))
        #expect(cluster.lease(of: 2) == 1)
    }

    @Test("and it ends so after a grace, also under the next coordinator, and though the host comes later")
    func grace() {
        var cluster = Cluster(asked().replayed)
        cluster.pass(14)
        #expect(cluster.lease(of: 1) == 1)
        cluster.pass(2)
        #expect(cluster.phase(1) == .ended(.cancelled, .cancelled))
        let effects = cluster.join(0, leases: [HeldLease(lease: 1, runs: [1, 2])])
        #expect(effects.contains(.cancel(host: 0, [1])))
        #expect(cluster.lease(of: 2) == 1, "the other run of the lease goes on")
        cluster.step(.ended(host: 0, Cluster.ended(1, lease: 1, failure: .cancelled)))
        #expect(cluster.core.state.fencedCount == 0)
    }

    @Test("and is not given to another host meanwhile; what it had reached before counts")
    func reached() {
        var cluster = asked()
        cluster.join(0, leases: [HeldLease(lease: 1, runs: [1, 2])])
        cluster.step(.ended(host: 0, Cluster.ended(1, lease: 1)))
        #expect(cluster.phase(1) == .ended(.succeeded, nil))
        #expect(cluster.core.state.cancelsAsked.isEmpty)
    }

    @Test("Nobody's time to confirm it passes while the coordinator does nothing: it slept, or its commit took long")
    func pause() {
        var cluster = Cluster(runs: 2, hosts: 1)
        cluster.join(0, slots: 2)
        cluster.step(.cancel(run: 1, reason: "test"))
        cluster.sleep(40)
        cluster.step(.heard(host: 0))
        #expect(cluster.lease(of: 1) == 1)
        cluster.step(.ended(host: 0, Cluster.ended(1, lease: 1)))
        #expect(cluster.phase(1) == .ended(.succeeded, nil), "it was faster")
    }

    @Test("A failure that would be tried again ends it")
    func failing() {
        var cluster = Cluster(runs: 1, hosts: 1)
        cluster.join(0, slots: 1)
        #expect(cluster.step(.cancel(run: 1, reason: "test")).contains(.cancel(host: 0, [1])))
        cluster.step(.ended(host: 0, Cluster.ended(1, lease: 1, failure: .hostLost)))
        #expect(cluster.phase(1) == .ended(.cancelled, .cancelled))
    }
}

@Suite("A sweep is stopped")
struct StopTests {
    @Test("What its hosts had reached counts, though they are told late: the commit of its ends may take long")
    func slowCommit() {
        var cluster = Cluster(runs: 2, hosts: 1)
        cluster.join(0)
        cluster.step(.cancel(run: nil, reason: "test"))
        cluster.sleep(40)
        cluster.step(.heard(host: 0))
        #expect(cluster.lease(of: 1) == 1)
        cluster.step(.ended(host: 0, Cluster.ended(1, lease: 1)))
        #expect(cluster.phase(1) == .ended(.succeeded, nil))
        cluster.pass(16, hearing: [0])
        #expect(cluster.phase(2) == .ended(.cancelled, .cancelled), "and the time passes all the same")
    }

    @Test("and launched again: what begins from then on is kept whoever dies, and a run that is cancelled stays so")
    func again() {
        var first = Cluster(runs: 2, hosts: 1)
        first.join(0)
        first.step(.cancel(run: nil, reason: "test"))
        var state = first.replayed
        let reopening = state.reopening
        let reason = "launched again after it was cancelled"
        #expect(reopening == [1, 2].map { .runWithdrawn(run: $0, lease: 1, reason: reason) })
        for record in reopening { state.apply(record) }
        for run in 1...2 {
            #expect(state[run].losses == 0 && !state.isSuspected(run), "nobody has died")
            #expect(state[run].phase == .waiting)
        }
        #expect(state.deathCount == 0 && state.leases.isEmpty)

        var second = Cluster(state)
        second.join(0, leases: [HeldLease(lease: 1, runs: [1, 2])])
        #expect(second.lease(of: 1) == 2)
        #expect(second.replayed.reopening.isEmpty)
        second.step(.cancel(run: 2, reason: "test"))
        second.step(.ended(host: 0, Cluster.ended(2, lease: 2, attempt: 4, failure: .cancelled)))
        #expect(second.phase(2) == .ended(.cancelled, .cancelled))
        #expect(second.replayed.reopening.isEmpty)
    }
}
