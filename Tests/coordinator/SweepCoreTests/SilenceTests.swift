import Model
import Testing
@testable import SweepCore


@Suite("A silent host is not a dead run")
struct SilenceTests {
    @Test("The only host is silent for longer than a lease's term: nothing ends, and its runs go on when it is back")
    func loneHost() {
        var cluster = Cluster(runs: 4, hosts: 1)
        cluster.join(0)
        cluster.pass(31)
        #expect(cluster.core.phase(of: 0) == .away)
        cluster.pass(600)
        let back = cluster.comeBack(0)
        #expect(!back.contains { if case .revoke = $0 { true } else { false } })
        #expect(back.granted(to: 0).isEmpty)
        #expect(cluster.voidCount == 0)
        cluster.step(.ended(host: 0, Cluster.ended(1, lease: 1)))
        #expect(cluster.phase(1) == .ended(.succeeded, nil))
        #expect(cluster.core.state[1].lastAttempt == 1 && cluster.core.state.fencedCount == 0)
    }

    @Test("A host whose lease's term had passed joins with that lease: it is not told to give anything up")
    func expired() {
        var cluster = Cluster(runs: 1, hosts: 2)
        cluster.join(0, slots: 1)
        cluster.step(.lost(host: 0, reason: "cable"))
        cluster.pass(3_000)
        let effects = cluster.comeBack(0, slots: 1)
        #expect(!effects.contains { if case .revoke = $0 { true } else { false } })
        #expect(cluster.lease(of: 1) == 1)
    }

    @Test("A host that joins and breaks is reached more and more seldom, and not waited for without end")
    func breaks() {
        var cluster = Cluster(runs: 1, hosts: 1)
        var joins = 0
        var ending: Ending?
        for _ in 0..<2 * 3_600 where ending == nil {
            cluster.pass(1)
            var effects = cluster.step()
            if effects.contains(.connect(host: 0)) {
                joins += 1
                effects += cluster.join(0)
                effects += cluster.step(.lost(host: 0, reason: "its agent crashed"))
            }
            ending = effects.ending
        }
        #expect(ending == .noHost(reason: "h0: its agent crashed"))
        #expect(joins < 80, "\(joins) in \(cluster.now / Timing.second) s")
    }

    @Test("A host whose stream broke after a while, or was bad for a while, is reached again at once")
    func breaksSeldom() {
        var cluster = Cluster(runs: 1, hosts: 1)
        for _ in 0..<5 {
            cluster.join(0)
            cluster.step(.lost(host: 0, reason: "it crashed"))
            cluster.pass(60)
            #expect(cluster.step() == [.connect(host: 0)])
        }
        cluster.comeBack(0)
        cluster.pass(40, hearing: [0])
        cluster.step(.lost(host: 0, reason: "cable"))
        cluster.pass(1)
        #expect(cluster.step() == [.connect(host: 0)])
    }

    @Test("Coordinators that die between a grant's commit and its sending cost no run anything, however often")
    func unsent() {
        var cluster = Cluster(runs: 1, hosts: 1)
        for life in 1...10 {
            cluster.join(0, slots: 1)
            #expect(cluster.lease(of: 1) == life, "a new lease each time, so that no attempt's number comes twice")
            #expect(cluster.core.state[1].losses == 0 && !cluster.core.state.isSuspected(1))
            cluster = Cluster(cluster.core.state)
        }
    }

    @Test("A run that is on its way back to a host that had it before is not done there twice")
    func grantedAgain() {
        var cluster = Cluster(runs: 2, hosts: 1)
        cluster.join(0)
        var state = cluster.core.state
        state.apply(.runWithdrawn(run: 1, lease: 1, reason: "its host died again while it was running beside others"))
        state.apply(
            .leaseGranted(lease: 2, host: "h0", grants: [Grant(run: 1, firstAttempt: 9, attempts: 1)]))
        var next = Cluster(state)
        // The cancellation of the first was lost with the connection, and so was the second lease.
        let effects = next.join(0, leases: [HeldLease(lease: 1, runs: [1, 2])])
        #expect(effects.contains { if case .cancel(0, [1]) = $0 { true } else { false } })
    }

    @Test("While other hosts have work, nothing is given away; a host with nothing to do gets it after a while")
    func givenAway() {
        var cluster = Cluster(runs: 3, hosts: 2)
        cluster.join(0, slots: 1)
        cluster.step(.started(host: 0, [AttemptID(run: 1, lease: 1, attempt: 1)]))
        cluster.pass(100, hearing: [0])
        cluster.step(.lost(host: 0, reason: "cable"))
        cluster.join(1, slots: 1)
        cluster.pass(300, hearing: [1])
        #expect(cluster.lease(of: 1) == 1, "host 1 is busy")
        cluster.step(.ended(host: 1, Cluster.ended(2, lease: 2)))
        #expect(cluster.lease(of: 1) == 1, "run 3 waits")
        cluster.step(.ended(host: 1, Cluster.ended(3, lease: 3)))
        cluster.pass(1, hearing: [1])
        #expect(cluster.step().granted(to: 1) == [1])
        #expect(cluster.core.state.claims(on: 1).map(\.lease) == [1, 4])
        #expect(cluster.replayed.claims(on: 1).map(\.lease) == [1, 4])
    }

    @Test("Patience is as long as the attempt had taken, or had yet to take, within bounds")
    func patience() {
        var cluster = Cluster(runs: 2, hosts: 2)
        let timing = Timing()
        cluster.join(0, slots: 2)
        let claim = cluster.core.state.claims(on: 1)[0]
        let patience = { (cluster: Cluster, lastHeard: Nanoseconds) in
            cluster.core.patience(1, claim, lastHeard: lastHeard * Timing.second)
        }
        #expect(patience(cluster, 0) == timing.shortestSilence, "it had not begun")
        #expect(patience(Cluster(cluster.replayed), 0) == timing.longestSilence, "nothing is known of it")
        cluster.step(.started(host: 0, [AttemptID(run: 1, lease: 1, attempt: 1)]))
        #expect(patience(cluster, 0) == timing.shortestSilence)
        #expect(patience(cluster, 500) == 500 * Timing.second)
        #expect(patience(cluster, 500_000) == timing.longestSilence)
        cluster.step(.ended(host: 0, Cluster.ended(2, lease: 1, wall: 900 * Timing.second)))
        #expect(patience(cluster, 100) == 800 * Timing.second, "it needs 800 s more")
        #expect(patience(cluster, 700) == 700 * Timing.second)
    }

    @Test("Of two that have a run, the one that has begun it goes on, whichever was sent it first")
    func sentFirst() {
        var cluster = Cluster(runs: 1, hosts: 2)
        cluster.join(0, slots: 1)
        cluster.step(.lost(host: 0, reason: "cable"))
        cluster.join(1, slots: 1)
        cluster.step(.caughtUp(host: 1))
        cluster.pass(62, hearing: [1])
        #expect(cluster.step().granted(to: 1) == [1])
        // Host 1 can be heard, but nothing reaches it.
        cluster.comeBack(0, slots: 1)
        cluster.step(.started(host: 0, [AttemptID(run: 1, lease: 1, attempt: 1)]))
        cluster.pass(11, hearing: [0, 1])
        #expect(cluster.core.state.claims(on: 1).map(\.lease) == [1])
    }

    /// Run 1 on host 0, which is silent, and after a while on host 1 as well.
    private func shared() -> Cluster {
        var cluster = Cluster(runs: 1, hosts: 2)
        cluster.join(0, slots: 1)
        cluster.step(.started(host: 0, [AttemptID(run: 1, lease: 1, attempt: 1)]))
        cluster.step(.lost(host: 0, reason: "cable"))
        cluster.join(1, slots: 1)
        cluster.step(.caughtUp(host: 1))
        cluster.pass(59, hearing: [1])
        #expect(cluster.step().granted(to: 1).isEmpty)
        cluster.pass(2, hearing: [1])
        #expect(cluster.step().granted(to: 1) == [1])
        cluster.step(.started(host: 1, [AttemptID(run: 1, lease: 2, attempt: 4)]))
        return cluster
    }

    @Test("Back while another host has the run: the one that began first goes on, the other is ended")
    func elder() {
        var cluster = shared()
        let joined = cluster.join(0, slots: 1, leases: [HeldLease(lease: 1, runs: [1])])
        #expect(joined.allSatisfy { if case .revoke = $0 { false } else { true } }, "it may have ended meanwhile")
        cluster.step(.caughtUp(host: 0))
        cluster.pass(9, hearing: [0, 1])
        #expect(cluster.core.state.claims(on: 1).count == 2, "it has to look through what it has")
        cluster.pass(1, hearing: [0, 1])
        #expect(cluster.step().contains(.revoke(host: 1, [2])))
        #expect(cluster.lease(of: 1) == 1)
        #expect(cluster.step(.ended(host: 0, Cluster.ended(1, lease: 1))).ending == .complete(allSucceeded: true))
        #expect(cluster.core.state.fencedCount == 0)
    }

    @Test("Back with a result: it counts, and what the other host gives is compared")
    func ended() {
        var cluster = shared()
        cluster.join(0, slots: 1, leases: [HeldLease(lease: 1, runs: [1])])
        cluster.step(.reported(host: 0, AttemptID(run: 1, lease: 1, attempt: 1)), .caughtUp(host: 0))
        cluster.pass(30, hearing: [0, 1])
        #expect(cluster.step().isEmpty, "its files are on their way")
        let end = cluster.step(.ended(host: 0, Cluster.ended(1, lease: 1)))
        #expect(end.contains(.revoke(host: 1, [2])))
        #expect(cluster.phase(1) == .ended(.succeeded, nil))
        cluster.step(.ended(host: 1, Cluster.ended(1, lease: 2, attempt: 4, value: "7")))
        #expect(cluster.core.state.fencedCount == 1 && cluster.core.state.disagreements == 1)
        #expect(cluster.count { if case .runEnded = $0 { true } else { false } } == 1)
    }

    @Test("Back with a failure: the other host goes on")
    func failed() {
        var cluster = shared()
        cluster.join(0, slots: 1, leases: [HeldLease(lease: 1, runs: [1])])
        let effects = cluster.step(
            .ended(host: 0, Cluster.ended(1, lease: 1, failure: .hostLost)), .caughtUp(host: 0))
        #expect(!effects.contains { if case .revoke(1, _) = $0 { true } else { false } })
        #expect(cluster.lease(of: 1) == 2)
        cluster.step(.ended(host: 1, Cluster.ended(1, lease: 2, attempt: 4)))
        #expect(cluster.phase(1) == .ended(.succeeded, nil))
    }

    @Test("The first result counts though the first host is still away; that host is told when it is back")
    func younger() {
        var cluster = shared()
        cluster.agentsRelease = false
        cluster.step(.ended(host: 1, Cluster.ended(1, lease: 2, attempt: 4)))
        #expect(cluster.phase(1) == .ended(.succeeded, nil))
        let effects = cluster.join(0, slots: 1, leases: [HeldLease(lease: 1, runs: [1])])
        #expect(effects.contains(.revoke(host: 0, [1])))
        cluster.step(.ended(host: 0, Cluster.ended(1, lease: 1)))
        #expect(cluster.core.state.fencedCount == 1 && cluster.core.state.disagreements == 0)
    }

    @Test("After a restart of the coordinator it is still the older lease that goes on")
    func restarted() {
        let before = shared()
        var cluster = Cluster(before.replayed)
        cluster.join(1, slots: 1, leases: [HeldLease(lease: 2, runs: [1])])
        cluster.step(.caughtUp(host: 1))
        cluster.join(0, slots: 1, leases: [HeldLease(lease: 1, runs: [1])])
        cluster.step(.caughtUp(host: 0))
        cluster.pass(10, hearing: [0, 1])
        #expect(cluster.step().contains(.revoke(host: 1, [2])))
        #expect(cluster.lease(of: 1) == 1)
    }

    @Test("A host that was started again goes on with nothing that another one has")
    func rebooted() {
        var cluster = shared()
        let held = [HeldLease(lease: 1, runs: [1])]
        cluster.step(.joined(host: 0, Cluster.facts(0, slots: 1, leases: held, boot: "another")))
        cluster.step(.caughtUp(host: 0))
        cluster.pass(10, hearing: [0, 1])
        #expect(cluster.step().contains(.revoke(host: 0, [1])))
        #expect(cluster.lease(of: 1) == 2)
    }

    @Test("A host that never had the run does not take it from one that has")
    func neverHad() {
        var cluster = shared()
        cluster.join(0, slots: 1)
        #expect(cluster.lease(of: 1) == 2)
        #expect(cluster.core.state.claims(on: 1).count == 1)
    }

    @Test("A coordinator that was stopped for minutes takes nobody for silent", arguments: [40, 600])
    func stopped(seconds: Int64) {
        var cluster = Cluster(runs: 2, hosts: 2)
        cluster.join(0, slots: 1)
        cluster.sleep(seconds)
        #expect(cluster.step().isEmpty)
        #expect(cluster.core.phase(of: 0) == .joined)
        cluster.step(.heard(host: 0))
        cluster.pass(29)
        #expect(cluster.core.phase(of: 0) == .joined)
        cluster.pass(3)
        #expect(cluster.core.phase(of: 0) == .away)
    }

    @Test("A login that is refused is tried again where the host was joined before, also before this coordinator began")
    func loginRefused() {
        var cluster = Cluster(runs: 1, hosts: 2)
        cluster.step()
        cluster.step(.loginRefused(host: 1, reason: "never"))
        #expect(cluster.core.phase(of: 1) == .refused)
        cluster.join(0, slots: 1)
        cluster.step(.lost(host: 0, reason: "closed"))
        cluster.step(.loginRefused(host: 0, reason: "the account service is away"))
        #expect(cluster.core.phase(of: 0) == .away)
        #expect(cluster.lease(of: 1) == 1)
        var again = Cluster(cluster.replayed)
        again.step()
        again.step(.loginRefused(host: 0, reason: "the account service is away"))
        #expect(again.core.phase(of: 0) == .away)
        again.pass(3)
        #expect(again.step().contains(.connect(host: 0)))
    }

    @Test("A host key that is not the one on record is final, and ends no run")
    func refused() {
        var cluster = Cluster(runs: 1, hosts: 1)
        cluster.join(0, slots: 1)
        cluster.step(.lost(host: 0, reason: "closed"))
        let effects = cluster.step(.refused(host: 0, reason: "another key"))
        #expect(effects.ending == .noHost(reason: "h0: another key"))
        #expect(cluster.lease(of: 1) == 1 && cluster.voidCount == 0)
    }

    @Test("What a host has that is left alone for good goes to the next slot that has nothing else to do")
    func refusedBesideAnother() {
        var cluster = Cluster(runs: 3, hosts: 2)
        cluster.join(0, slots: 2)
        cluster.step(.started(host: 0, [AttemptID(run: 1, lease: 1, attempt: 1)]))
        cluster.join(1, slots: 1)
        cluster.step(.refused(host: 0, reason: "it broke the protocol"))
        cluster.pass(2, hearing: [1])
        #expect(cluster.lease(of: 1) == 1, "host 1 is busy")
        cluster.step(.ended(host: 1, Cluster.ended(3, lease: 2)))
        cluster.pass(1, hearing: [1])
        #expect(cluster.step().granted(to: 1) == [1])
        #expect(cluster.core.state.claims(on: 1).map(\.lease) == [1, 3] && cluster.voidCount == 0)
    }

    @Test("As long as something moves on the way to a host, it is waited for")
    func progress() {
        var cluster = Cluster(runs: 1, hosts: 1)
        cluster.step()
        cluster.pass(50)
        cluster.step(.progress(host: 0))
        cluster.pass(50)
        for _ in 0..<4 {
            #expect(cluster.step(.lost(host: 0, reason: "too slow")).ending == nil)
            cluster.pass(1)
        }
        cluster.pass(20)
        cluster.step(.lost(host: 0, reason: "too slow"))
        cluster.pass(30)
        #expect(cluster.step().ending != nil || cluster.core.phase(of: 0) == .connecting)
    }

    @Test("Runs of a host that is no longer in the inventory go on under its new name, or are given away")
    func renamed() {
        var cluster = Cluster(runs: 2, hosts: 2)
        cluster.join(0, slots: 2)
        let plan = Plan(groups: cluster.core.state.plan.groups, hosts: ["lab", "h1"])
        var state = SweepState(plan: plan)
        for record in cluster.records { state.apply(record) }
        var renamed = Cluster(state)
        let effects = renamed.join(0, leases: [HeldLease(lease: 1, runs: [1, 2])])
        #expect(effects.allSatisfy { if case .revoke = $0 { false } else { true } })
        #expect(renamed.core.state.leasesOfHost[0] == [1] && renamed.core.state.openRuns == [2, 0])
        var gone = Cluster(state)
        gone.join(1, slots: 1)
        gone.pass(3_605, hearing: [1])
        #expect(gone.step().granted(to: 1) == [1])
    }

    @Test("A grant of which nothing shows that it arrived is sent again; a lease that the agent lost has ended")
    func rejoin() {
        var cluster = Cluster(runs: 4, hosts: 1)
        cluster.join(0, slots: 4)
        cluster.step(.lost(host: 0, reason: "cable"))
        let whole = cluster.join(0, slots: 4)
        #expect(whole.granted(to: 0) == [1, 2, 3, 4])
        #expect(cluster.lease(of: 1) == 1)
        cluster.step(.lost(host: 0, reason: "cable"))
        let partial = cluster.join(0, slots: 4, leases: [HeldLease(lease: 1, runs: [1, 2])])
        #expect(partial.granted(to: 0) == [1, 2, 3, 4])
        cluster.step(.lost(host: 0, reason: "disk"))
        let none = cluster.join(0, slots: 4)
        #expect(none.granted(to: 0).sorted() == [1, 2, 3, 4])
        #expect(cluster.lease(of: 1) == 2)
        #expect(cluster.core.state[1].failures == 0 && cluster.core.state[1].losses == 1)
    }

    @Test("A host that lost the end of its journal says again what is on record and drops the run: it is leased anew")
    func lostEnd() {
        var cluster = Cluster(runs: 1, hosts: 1)
        cluster.join(0, slots: 1)
        cluster.step(.ended(host: 0, Cluster.ended(1, lease: 1, failure: .simulatorCrash)))
        #expect(cluster.lease(of: 1) == 1, "the agent goes on with it")
        cluster.step(.ended(host: 0, Cluster.ended(1, lease: 1, failure: .simulatorCrash)))
        #expect(cluster.lease(of: 1) == 1, "it did not hear that we have it")
        let effects = cluster.step(.ended(host: 0, Cluster.ended(1, lease: 1, failure: .hostLost)))
        #expect(effects.granted(to: 0) == [1] && cluster.lease(of: 1) == 2)
        #expect(cluster.core.state[1].failures == 1 && cluster.core.state[1].losses == 0)
    }

    @Test("A coordinator that was stopped for long gives nothing away before it has asked who is there")
    func asksFirst() {
        var cluster = Cluster(runs: 1, hosts: 2)
        cluster.join(0, slots: 1)
        cluster.step(.lost(host: 0, reason: "cable"))
        cluster.join(1, slots: 1)
        cluster.pass(59, hearing: [1])
        cluster.sleep(600)
        #expect(cluster.step(.heard(host: 1)).granted(to: 1).isEmpty)
        cluster.comeBack(0, slots: 1)
        cluster.pass(90, hearing: [0, 1])
        #expect(cluster.core.state.claims(on: 1).map(\.lease) == [1])
    }

    @Test("A coordinator that was stopped for long asks at once for hosts that had not answered before")
    func hurry() {
        var cluster = Cluster(runs: 1, hosts: 1)
        cluster.join(0)
        for _ in 0..<8 {
            cluster.step(.lost(host: 0, reason: "no answer"))
            cluster.pass(70)
        }
        cluster.step(.lost(host: 0, reason: "no answer"))
        cluster.sleep(600)
        #expect(cluster.step().contains(.connect(host: 0)))
        cluster.step(.lost(host: 0, reason: "no answer"))
        cluster.pass(5)
        #expect(cluster.step().contains(.connect(host: 0)))
    }

    @Test("What is said of an attempt again is acknowledged and counts nowhere")
    func redelivered() {
        var cluster = Cluster(runs: 2, hosts: 1)
        cluster.join(0, slots: 1)
        cluster.step(.ended(host: 0, Cluster.ended(1, lease: 1, failure: .exitNonzero)))
        cluster.step(.ended(host: 0, Cluster.ended(1, lease: 1, attempt: 2)))
        for attempt in 1...2 {
            let failure = attempt == 1 ? FailureClass.exitNonzero : nil
            let effects = cluster.step(
                .ended(host: 0, Cluster.ended(1, lease: 1, attempt: attempt, failure: failure)))
            #expect(effects.acknowledged(on: 0) == [AttemptID(run: 1, lease: 1, attempt: attempt)])
        }
        #expect(cluster.core.state.fencedCount == 0 && cluster.core.state[1].failures == 1)
    }
}
