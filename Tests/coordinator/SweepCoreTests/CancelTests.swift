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

@Suite("All points of a setup are cancelled")
struct CancelledSetupTests {
    /// Runs 1 and 2 need setup 5, runs 3 and 4 setup 6, which need boot 7.
    private func cluster(joining: Bool = true) -> Cluster {
        var cluster = Cluster(runs: 4, hosts: 1, setups: ["a", "b"], boot: "boot")
        if joining { cluster.join(0, slots: 2) }
        return cluster
    }

    private func cancel(_ runs: RunNumber..., in cluster: inout Cluster) -> [Effect] {
        var effects: [Effect] = []
        for run in runs { effects += cluster.step(.cancel(run: run, reason: "test")) }
        return effects
    }

    private func isCancelled(_ run: RunNumber, in cluster: Cluster) -> Bool {
        cluster.phase(run) == .ended(.cancelled, .cancelled)
    }

    /// Whether host 0 hears that it need not go on with a run.
    private static func isToldToEnd(_ run: RunNumber, by effects: [Effect], _ held: [HeldLease]) -> Bool {
        effects.contains { effect in
            switch effect {
            case .cancel(0, let runs): runs.contains(run)
            case .revoke(0, let leases): held.contains { leases.contains($0.lease) && $0.runs.contains(run) }
            default: false
            }
        }
    }

    @Test("A setup that waits ends with the last of them, and not before")
    func waiting() {
        var cluster = cluster(joining: false)
        _ = cancel(1, in: &cluster)
        #expect(cluster.phase(5) == .waiting)
        _ = cancel(2, in: &cluster)
        #expect(isCancelled(5, in: cluster))
        #expect(cluster.phase(6) == .waiting && cluster.phase(7) == .waiting, "the others need these")
    }

    @Test("One that runs is ended on its host, and the host's slot is free for others")
    func running() {
        var cluster = cluster()
        #expect(cluster.lease(of: 7) != nil)
        cluster.step(.ended(host: 0, Cluster.ended(7, lease: 1, provides: SHA256.digest("booted"))))
        #expect(cluster.lease(of: 5) != nil && cluster.lease(of: 6) != nil)
        let held = cluster.held(by: 0)
        let effects = cancel(1, 2, in: &cluster)
        #expect(isCancelled(5, in: cluster))
        #expect(CancelledSetupTests.isToldToEnd(5, by: effects, held))
        #expect(cluster.lease(of: 6) != nil)
        // It was faster: kept as evidence, and nothing begins because of it.
        let lease = cluster.core.state.nextLeaseNumber - 1
        cluster.step(.ended(host: 0, Cluster.ended(5, lease: lease, provides: SHA256.digest("warm"))))
        #expect(isCancelled(5, in: cluster) && isCancelled(1, in: cluster))
        #expect(cluster.core.state.pins["a"] == nil)
    }

    @Test("A boot that runs ends in the same step when all points are cancelled, and the sweep with it")
    func boot() {
        var cluster = cluster()
        _ = cancel(1, 2, 3, in: &cluster)
        #expect(cluster.lease(of: 7) != nil)
        let effects = cancel(4, in: &cluster)
        for run in 5...7 { #expect(isCancelled(run, in: cluster), "run \(run)") }
        #expect(effects.ending == .complete(allSucceeded: false))
    }

    @Test("Under the next coordinator it ends at once, and a host that is back is told to end it")
    func nextCoordinator() {
        var first = cluster()
        first.step(.ended(host: 0, Cluster.ended(7, lease: 1, provides: SHA256.digest("booted"))))
        let held = first.held(by: 0)
        first.step(.lost(host: 0, reason: "cable"))
        _ = cancel(1, 2, in: &first)
        #expect(isCancelled(5, in: first))
        var second = Cluster(first.replayed)
        let effects = second.join(0, leases: held)
        #expect(isCancelled(5, in: second))
        #expect(CancelledSetupTests.isToldToEnd(5, by: effects, held))
    }

    @Test("What is kept of a stop's grace is a setup's, too: whoever launches again has its checkpoint")
    func stop() {
        var cluster = Cluster(runs: 2, hosts: 1, setups: ["a"])
        cluster.join(0)
        cluster.step(.cancel(run: nil, reason: "test"))
        #expect(cluster.lease(of: 3) == 1)
        cluster.step(.ended(host: 0, Cluster.ended(3, lease: 1, provides: SHA256.digest("warm"))))
        #expect(cluster.core.state.pins["a"] != nil)
    }

    @Test("One point of it that is asked for again brings its setup back, and no other point")
    func again() {
        var cluster = cluster()
        _ = cancel(1, 2, 3, 4, in: &cluster)
        #expect(cluster.replayed.reopening([2]) == [2, 5, 7])
        #expect(cluster.replayed.reopening([5]) == [1, 2, 5, 7])
    }

    @Test("Points that are added since bring their setup and its boot back, and are not cancelled with these")
    func added() {
        var cluster = cluster()
        _ = cancel(1, 2, 3, 4, in: &cluster)
        var state = cluster.replayed
        #expect(state.reopening.isEmpty)
        state.apply(.runReopened(run: 1, reason: "as one that is new"))
        let reason = "runs that need it were added since it was cancelled"
        let reopening = state.reopening
        #expect(reopening == [5, 7].map { .runReopened(run: $0, reason: reason) })
        for record in reopening { state.apply(record) }
        var next = Cluster(state)
        next.join(0)
        #expect(next.phase(1) == .waiting && next.phase(5) == .waiting && next.lease(of: 7) != nil)
        #expect(isCancelled(2, in: next) && isCancelled(6, in: next))
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
