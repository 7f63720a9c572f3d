import Model
import Testing
@testable import SweepCore


@Suite("The coordinator's decisions")
struct CoordinatorTests {
    @Test("Hosts are connected to while there is work, and no more after it")
    func connects() {
        var cluster = Cluster(runs: 1, hosts: 2)
        #expect(cluster.step() == [.connect(host: 0), .connect(host: 1)])
        #expect(cluster.step().isEmpty)
        let lease = cluster.join(0, slots: 1).granted(to: 0)
        #expect(lease == [1])
        let effects = cluster.step(.ended(host: 0, Cluster.ended(1, lease: 1)))
        #expect(effects.ending == .complete(allSucceeded: true))
        #expect(effects.acknowledged(on: 0) == [AttemptID(run: 1, lease: 1, attempt: 1)])
        cluster.step(.lost(host: 1, reason: "gone"))
        cluster.pass(100)
        #expect(!cluster.step().contains(.connect(host: 1)))
    }

    @Test("A host of unknown speed gets no more than its slots")
    func onDemand() {
        var cluster = Cluster(runs: 10)
        #expect(cluster.join(0, slots: 3).granted(to: 0) == [1, 2, 3])
        #expect(cluster.join(1, slots: 1).granted(to: 1) == [4])
        let next = cluster.step(.ended(host: 0, Cluster.ended(2, lease: 1)))
        #expect(next.granted(to: 0) == [5])
    }

    @Test("Short runs are handed out ahead, but towards the end each host gets its share only")
    func workAhead() {
        var cluster = Cluster(runs: 1_000)
        cluster.join(0, slots: 1)
        cluster.join(1, slots: 1)
        let many = cluster.step(.ended(host: 0, Cluster.ended(1, lease: 1, wall: Timing.second / 1_000))).granted(to: 0)
        #expect(many.count > 100 && many.count <= Coordinator.longestShard)
        let other = cluster.step(.heard(host: 1)).granted(to: 1)
        #expect(other.isEmpty || other.count <= 1_000 - many.count)
    }

    @Test("A host of very many slots gets runs for all of them at once, in leases of some hundred each")
    func manySlots() {
        var cluster = Cluster(runs: 2_000, hosts: 1)
        let effects = cluster.join(0, slots: 1_200)
        #expect(effects.granted(to: 0) == Array(1...1_200))
        #expect(cluster.core.state.leases.values.allSatisfy { $0.runs.count <= Coordinator.longestShard })
    }

    @Test("A repeated outcome is acknowledged and changes nothing")
    func duplicates() {
        var cluster = Cluster(runs: 2, hosts: 1)
        cluster.join(0, slots: 1)
        cluster.step(.ended(host: 0, Cluster.ended(1, lease: 1, failure: .exitNonzero)))
        let count = cluster.records.count
        let effects = cluster.step(.ended(host: 0, Cluster.ended(1, lease: 1, failure: .exitNonzero)))
        #expect(effects.acknowledged(on: 0).count == 1)
        #expect(cluster.records.count == count)
        #expect(cluster.core.state[1].failures == 1)
    }

    @Test("A run that fails twice and then succeeds: three attempts, one result")
    func retryOnHost() {
        var cluster = Cluster(runs: 1, hosts: 1)
        let effects = cluster.join(0, slots: 1)
        #expect(effects.contains(.grant(host: 0, lease: 1, [Grant(run: 1, firstAttempt: 1, attempts: 3)])))
        cluster.step(.ended(host: 0, Cluster.ended(1, lease: 1, attempt: 1, failure: .exitNonzero)))
        cluster.step(.ended(host: 0, Cluster.ended(1, lease: 1, attempt: 2, failure: .exitNonzero)))
        #expect(cluster.lease(of: 1) == 1)
        let end = cluster.step(.ended(host: 0, Cluster.ended(1, lease: 1, attempt: 3)))
        #expect(end.ending == .complete(allSucceeded: true))
        #expect(cluster.core.state[1].lastAttempt == 3)
    }

    @Test("Each class has its rule", arguments: FailureClass.allCases)
    func rules(failure: FailureClass) {
        var cluster = Cluster(runs: 1, hosts: 2, agentRetries: false, failures: 2)
        cluster.join(0, slots: 1)
        cluster.join(1, slots: 1)
        cluster.step(.ended(host: 0, Cluster.ended(1, lease: 1, failure: failure)))
        switch failure.remedy {
        case .giveUp: #expect(cluster.phase(1) == .ended(failure.finalState, failure))
        case .retryElsewhere:
            #expect(cluster.lease(of: 1) == 2)
            #expect(cluster.core.state.leasesOfHost[1] == [2])
        case .retryAnywhere, .retryUncounted: #expect(cluster.lease(of: 1) == 2)
        }
        #expect(cluster.core.state[1].failures == (failure.remedy == .retryUncounted ? 0 : 1))
    }

    @Test("Evaluations wait for their setup; its checkpoint is pinned")
    func setups() {
        var cluster = Cluster(runs: 4, hosts: 1, setups: ["checkpoint:a", "checkpoint:b"])
        #expect(cluster.join(0, slots: 4).granted(to: 0) == [5, 6])
        let digest = SHA256.digest("cpt")
        let next = cluster.step(.ended(host: 0, Cluster.ended(5, lease: 1, provides: digest)))
        #expect(next.granted(to: 0) == [1, 2])
        #expect(cluster.core.state.pins["checkpoint:a"] == digest)
        cluster.step(.ended(host: 0, Cluster.ended(6, lease: 1, failure: .contractBroken)))
        #expect(cluster.phase(3) == .ended(.quarantined, .contractBroken))
        #expect(cluster.phase(4) == .ended(.quarantined, .contractBroken))
    }

    @Test("A checkpoint that is known needs no setup")
    func knownCheckpoint() {
        var cluster = Cluster(runs: 2, hosts: 1, setups: ["checkpoint:a"])
        cluster.step(.provided(pin: "checkpoint:a", digest: SHA256.digest("old")))
        #expect(cluster.phase(3) == .ended(.succeeded, nil))
        #expect(cluster.join(0).granted(to: 0) == [1, 2])
    }

    @Test("Setups wait for the boot that they go on from")
    func boots() {
        var cluster = Cluster(runs: 2, hosts: 1, setups: ["checkpoint:a", "checkpoint:b"], boot: "booted:x")
        #expect(cluster.join(0, slots: 4).granted(to: 0) == [5])
        let next = cluster.step(.ended(host: 0, Cluster.ended(5, lease: 1, provides: SHA256.digest("up"))))
        #expect(next.granted(to: 0) == [3, 4])
        #expect(cluster.core.state.pins["booted:x"] == SHA256.digest("up"))
    }

    @Test("Where a boot fails, its setups and their evaluations do; to try one again is to boot again")
    func failedBoot() {
        var cluster = Cluster(runs: 2, hosts: 1, setups: ["checkpoint:a", "checkpoint:b"], boot: "booted:x")
        cluster.join(0, slots: 4)
        cluster.step(.ended(host: 0, Cluster.ended(5, lease: 1, failure: .contractBroken)))
        #expect((1...5).allSatisfy { cluster.phase($0) == cluster.phase(5) })
        #expect(cluster.core.state.isFinished)
        #expect(cluster.core.state.reopening([1]) == [1, 2, 3, 4, 5])
    }

    @Test("No guest is booted for setups that are known; one that turns up later has it booted")
    func knownBoot() {
        var cluster = Cluster(runs: 2, hosts: 1, setups: ["checkpoint:a", "checkpoint:b"], boot: "booted:x")
        cluster.step(
            .provided(pin: "checkpoint:a", digest: SHA256.digest("a")),
            .provided(pin: "checkpoint:b", digest: SHA256.digest("b")))
        #expect(cluster.phase(5) == .ended(.succeeded, nil))
        #expect(cluster.join(0, slots: 4).granted(to: 0) == [1, 2])
        // The sweep file has another workload now: run 6, whose setup is run 7.
        let groups = [
            Plan.Group(runs: 6..<7, requires: "checkpoint:c"),
            Plan.Group(runs: 7..<8, requires: "booted:x", provides: "checkpoint:c"),
            Plan.Group(runs: 5..<6, provides: "booted:x"),
        ]
        var state = SweepState(plan: Plan(groups: groups, hosts: ["h0"]))
        for record in cluster.records { state.apply(record) }
        var revised = Cluster(state)
        #expect(revised.join(0, slots: 4).granted(to: 0) == [5])
    }

    @Test("The first engine is pinned; a host with another gets nothing")
    func enginePin() {
        var cluster = Cluster(runs: 4, hosts: 2, pinsEngine: true)
        #expect(cluster.join(0).granted(to: 0).isEmpty)
        #expect(cluster.step(.engineFound(host: 0, digest: SHA256.digest("a"))).granted(to: 0) == [1, 2])
        cluster.join(1)
        let effects = cluster.step(.engineFound(host: 1, digest: SHA256.digest("b")))
        #expect(effects.contains { if case .disconnect(host: 1, _) = $0 { true } else { false } })
        #expect(effects.granted(to: 1).isEmpty)
    }

    @Test("A machine that is listed twice is one host")
    func twins() {
        var cluster = Cluster(runs: 9, hosts: 2)
        cluster.join(0)
        let effects = cluster.step(.joined(host: 1, Cluster.facts(1, boot: "boot0")), .heard(host: 0))
        #expect(effects.granted(to: 1) == [3, 4], "another name is another machine")
        var again = Cluster(runs: 9, hosts: 2)
        again.step(.joined(host: 0, Cluster.facts(0, boot: "x")))
        #expect(again.step(.joined(host: 1, Cluster.facts(1, boot: "x"))).granted(to: 1).isEmpty)
    }

    @Test("Cancelling ends what waits at once and what runs on its host's word, or after a grace")
    func cancels() {
        var cluster = Cluster(runs: 4, hosts: 1)
        cluster.join(0, slots: 2)
        let effects = cluster.step(.cancel(run: nil, reason: "test"))
        #expect(effects.contains(.cancel(host: 0, [1, 2])))
        #expect(cluster.phase(4) == .ended(.cancelled, .cancelled))
        cluster.step(.ended(host: 0, Cluster.ended(1, lease: 1, failure: .cancelled)))
        #expect(cluster.phase(1) == .ended(.cancelled, .cancelled))
        #expect(cluster.lease(of: 2) == 1)
        cluster.pass(16, hearing: [0])
        #expect(cluster.step().ending == .complete(allSucceeded: false))
    }

    @Test("A run that succeeds while it is being cancelled has succeeded")
    func cancelledTooLate() {
        var cluster = Cluster(runs: 1, hosts: 1)
        cluster.join(0)
        cluster.step(.cancel(run: nil, reason: "test"))
        #expect(cluster.step(.ended(host: 0, Cluster.ended(1, lease: 1))).ending == .complete(allSucceeded: true))
    }

    @Test("Interrupted: nothing more is handed out, hosts go on")
    func interrupts() {
        var cluster = Cluster(runs: 9, hosts: 1)
        cluster.join(0)
        let effects = cluster.step(.interrupted)
        #expect(effects.ending == .interrupted)
        #expect(effects.granted(to: 0).isEmpty)
    }

    @Test("The sweep's own limit cancels the rest")
    func timeLimit() {
        var timing = Timing()
        timing.sweep = 5 * Timing.second
        var cluster = Cluster(runs: 3, hosts: 1, timing: timing)
        cluster.join(0, slots: 1)
        cluster.pass(6, hearing: [0])
        #expect(cluster.phase(3) == .ended(.cancelled, .cancelled))
        #expect(cluster.step(.ended(host: 0, Cluster.ended(1, lease: 1, failure: .cancelled))).ending == .outOfTime)
    }

    @Test("Without any host that can be used there is an end, with the reasons")
    func noHost() {
        var cluster = Cluster(runs: 1, hosts: 2)
        cluster.step()
        cluster.step(.refused(host: 0, reason: "key"))
        for _ in 0..<20 {
            cluster.step(.lost(host: 1, reason: "no route"))
            cluster.pass(20)
            if let ending = cluster.step().ending {
                #expect(ending == .noHost(reason: "h0: key\nh1: no route"))
                return
            }
        }
        Issue.record("it never ended")
    }

    @Test("A dead host delays nobody")
    func deadHost() {
        var cluster = Cluster(runs: 2, hosts: 2)
        cluster.step()
        cluster.step(.lost(host: 0, reason: "no route"))
        cluster.join(1, slots: 2)
        let end = cluster.step(
            .ended(host: 1, Cluster.ended(1, lease: 1)), .ended(host: 1, Cluster.ended(2, lease: 1)))
        #expect(end.ending == .complete(allSucceeded: true))
    }

    @Test("A host with a full disk is paused, and its run goes elsewhere")
    func diskFull() {
        var cluster = Cluster(runs: 3, hosts: 2)
        cluster.join(0, slots: 1)
        cluster.join(1, slots: 1)
        let effects = cluster.step(.ended(host: 0, Cluster.ended(1, lease: 1, failure: .diskFull)))
        #expect(effects.granted(to: 0).isEmpty)
        let next = cluster.step(.ended(host: 1, Cluster.ended(2, lease: 2)))
        #expect(next.granted(to: 1) == [1])
        cluster.pass(61, hearing: [0, 1])
        #expect(cluster.step().granted(to: 0) == [3])
    }

    @Test("What a host is at is what was seen to begin there and not to end, the longest first")
    func work() {
        var cluster = Cluster(runs: 4, hosts: 2)
        cluster.join(0, slots: 2)
        guard let lease = cluster.lease(of: 1) else { return #expect(Bool(false), "nothing was granted") }
        func id(_ run: RunNumber) -> AttemptID { AttemptID(run: run, lease: lease, attempt: 1) }
        cluster.step(.started(host: 0, [id(2)]))
        cluster.pass(3)
        cluster.step(.started(host: 0, [id(1)]))
        cluster.pass(1)
        let second = Timing.second
        let both = [RunningRun(id: id(2), span: 4 * second), RunningRun(id: id(1), span: second)]
        #expect(cluster.core.work(now: cluster.now) == [both, []])
        cluster.step(.ended(host: 0, Cluster.ended(2, lease: lease)))
        #expect(cluster.core.work(now: cluster.now)[0].map(\.run) == [1])
    }
}
