import Model
import TestKit
import Testing
@testable import SweepCore

@Suite("Sweeps whose specification or pins change")
struct RevisionTests {
    private static func plan(_ lists: [RunList], highest: RunNumber) -> Plan {
        Plan(groups: lists.map { Plan.Group(runs: $0) }, highestRun: highest, hosts: ["h0", "h1"])
    }

    private static func list(_ runs: [RunNumber]) -> RunList {
        var list = RunList()
        for run in runs { list.append(run) }
        return list
    }

    private static func revised(_ number: Int, _ runs: [RunNumber]) -> Record {
        .revised(Revision(number: number, specification: "", runs: list(runs), madeAt: 0))
    }

    /// A coordinator that begins from records, and its first answer to host 0's joining with these leases.
    private static func begin(
        _ plan: Plan, _ records: [Record], held: [HeldLease]
    ) -> (core: Coordinator, effects: [Effect]) {
        var state = SweepState(plan: plan)
        for record in records { state.apply(record) }
        var core = Coordinator(state: state, now: 0)
        _ = core.effects(now: 0)
        _ = core.handle(.joined(host: 0, Cluster.facts(0, slots: 8, leases: held)), now: 0)
        _ = core.tick(now: 0)
        return (core, core.effects(now: 0))
    }

    @Test("What runs for a point that is gone is ended; the rest of its lease is adopted")
    func gone() {
        var cluster = Cluster(runs: 4, hosts: 2)
        cluster.join(0, slots: 4)
        cluster.step(.ended(host: 0, Cluster.ended(1, lease: 1)))
        let records = cluster.records + [RevisionTests.revised(2, [5, 2, 1])]
        let plan = RevisionTests.plan([RevisionTests.list([5, 2, 1])], highest: 5)
        var (core, effects) = RevisionTests.begin(plan, records, held: [HeldLease(lease: 1, runs: [2, 3, 4])])
        #expect(effects.contains(.cancel(host: 0, [3, 4])))
        #expect(effects.granted(to: 0) == [5], "run 2 goes on under its lease")
        #expect(core.state.runCount == 3 && core.state.endedCount == 1)
        let before = core.handle(.ended(host: 0, Cluster.ended(3, lease: 1, failure: .cancelled)), now: 0)
        #expect(before.isEmpty, "nobody wants to know how it ended")
        let late = core.handle(.ended(host: 0, Cluster.ended(4, lease: 1)), now: 0)
        #expect(late.count == 1 && core.state.fencedCount == 1)
        for run in [2, 5] {
            _ = core.handle(.ended(host: 0, Cluster.ended(run, lease: run == 2 ? 1 : 2)), now: 0)
        }
        #expect(core.state.isFinished && core.state.notSucceededCount == 0)
    }

    @Test("A lease on nothing but what is gone is revoked")
    func revoked() {
        var cluster = Cluster(runs: 2, hosts: 1)
        cluster.join(0, slots: 1)
        let records = cluster.records + [RevisionTests.revised(2, [2])]
        let plan = RevisionTests.plan([RevisionTests.list([2])], highest: 2)
        let (_, effects) = RevisionTests.begin(plan, records, held: [HeldLease(lease: 1, runs: [1])])
        #expect(effects.contains(.revoke(host: 0, [1])))
        #expect(effects.granted(to: 0) == [2])
    }

    @Test("A point that comes back has what it had")
    func back() {
        var cluster = Cluster(runs: 2, hosts: 1)
        cluster.join(0, slots: 2)
        cluster.step(.ended(host: 0, Cluster.ended(1, lease: 1)))
        let records = cluster.records + [RevisionTests.revised(2, [3]), RevisionTests.revised(3, [2, 1])]
        var state = SweepState(plan: RevisionTests.plan([RevisionTests.list([2, 1])], highest: 3))
        for record in records { state.apply(record) }
        #expect(state[1].phase == .ended(.succeeded, nil))
        #expect(state[2].phase == .waiting && state[2].nextAttempt == 4)
        #expect(state.endedCount == 1 && state.readyCount == 1)
        #expect(state.openRuns == [0, 0])
    }

    @Test("New pins: all is done again under new leases; what comes of the old ones is fenced and not compared")
    func repinned() {
        var cluster = Cluster(runs: 2, hosts: 1, pinsEngine: true)
        cluster.join(0, slots: 1)
        cluster.step(.engineFound(host: 0, digest: SHA256.digest("old")))
        cluster.step(.ended(host: 0, Cluster.ended(1, lease: 1)))
        #expect(cluster.lease(of: 2) == 2)
        var state = SweepState(plan: cluster.core.state.plan)
        for record in cluster.records + [.repinned(reason: "asked for")] { state.apply(record) }
        #expect(state.endedCount == 0 && state.readyCount == 2 && state.pins.isEmpty)
        var core = Coordinator(state: state, now: 0)
        let held = [HeldLease(lease: 2, runs: [2])]
        _ = core.handle(.joined(host: 0, Cluster.facts(0, slots: 2, leases: held)), now: 0)
        _ = core.handle(.engineFound(host: 0, digest: SHA256.digest("new")), now: 0)
        _ = core.tick(now: 0)
        let effects = core.effects(now: 0)
        #expect(effects.contains(.revoke(host: 0, [2])))
        #expect(effects.granted(to: 0) == [1, 2])
        _ = core.handle(.ended(host: 0, Cluster.ended(2, lease: 3, attempt: 4, value: "7")), now: 0)
        _ = core.handle(.ended(host: 0, Cluster.ended(2, lease: 2, attempt: 1)), now: 0)
        #expect(core.state.fencedCount == 1 && core.state.disagreements == 0)
    }

    @Test("New pins: on which hosts a run failed under the old ones is forgotten")
    func repinnedFailure() throws {
        var cluster = Cluster(runs: 1, hosts: 3, agentRetries: false, failures: 9)
        for host in 0...1 {
            cluster.join(host)
            let claim = try #require(cluster.core.state.claims(on: 1).first)
            cluster.step(
                .ended(
                    host: host,
                    Cluster.ended(
                        1, lease: claim.lease, attempt: claim.attempts.lowerBound, failure: .exitNonzero)),
                .lost(host: host, reason: "cable"))
        }
        var state = cluster.replayed
        #expect(state.failedItselfOn[1] == [0, 1])
        state.apply(.repinned(reason: "asked for"))
        var second = Cluster(state)
        second.join(2)
        let claim = try #require(second.core.state.claims(on: 1).first)
        second.step(
            .ended(
                host: 2,
                Cluster.ended(1, lease: claim.lease, attempt: claim.attempts.lowerBound, failure: .exitNonzero)))
        #expect(second.core.state[1].failures == 1)
        #expect(second.core.state.failedItselfOn[1] == [2])
        if case .ended = second.phase(1) { Issue.record("one failure ended it") }
    }

    @Test("What is tried again takes its setup with it, and a setup what waited for it")
    func reopening() {
        var cluster = Cluster(runs: 4, hosts: 1, setups: ["checkpoint:a", "checkpoint:b"])
        cluster.join(0, slots: 4)
        cluster.step(.ended(host: 0, Cluster.ended(6, lease: 1, provides: SHA256.digest("cpt"))))
        cluster.step(.ended(host: 0, Cluster.ended(5, lease: 1, failure: .contractBroken)))
        cluster.step(.ended(host: 0, Cluster.ended(3, lease: 2, failure: .timeout)))
        let state = cluster.core.state
        #expect(state.reopening([1]) == [1, 2, 5])
        #expect(state.reopening([5]) == [1, 2, 5])
        #expect(state.reopening([3]) == [3], "its checkpoint is there")
        #expect(state.reopening([6, 4]) == [], "one succeeded, the other has not ended")
        #expect(state.reopening([3, 2, 77]) == [1, 2, 3, 5])
    }

    @Test("After a ledger was repaired no number is given out that an agent may have")
    func restored() {
        var cluster = Cluster(runs: 1, hosts: 1)
        cluster.join(0, slots: 1)
        let plan = cluster.core.state.plan
        let (core, effects) = RevisionTests.begin(
            plan, cluster.records + [.restored(reason: "repaired")], held: [HeldLease(lease: 7, runs: [1])])
        #expect(effects.contains(.revoke(host: 0, [7])))
        #expect(effects.granted(to: 0) == [1])
        guard case .leased(let lease, let attempts) = core.state[1].phase else {
            Issue.record("it was not handed out")
            return
        }
        #expect(lease > 1_000 && attempts.lowerBound > 100)
    }

    @Test("Any course of revisions: counts and queues are what the current runs make", arguments: UInt64(1)...100)
    func anything(seed: UInt64) {
        var random = Chance(seed: seed)
        var cluster = Cluster(runs: 8, hosts: 3)
        var records: [Record] = []
        var highest = 8
        for number in 2...6 {
            for _ in 0..<Int.random(in: 0..<60, using: &random) { cluster.disturb(&random) }
            records += cluster.records
            if Int.random(in: 0..<4, using: &random) == 0 { records.append(.repinned(reason: "")) }
            highest += Int.random(in: 0..<3, using: &random)
            let runs = (1...highest).filter { _ in Bool.random(using: &random) }.shuffled(using: &random)
            let middle = Int.random(in: 0...runs.count, using: &random)
            records.append(RevisionTests.revised(number, runs))
            let lists = [RevisionTests.list(Array(runs[..<middle])), RevisionTests.list(Array(runs[middle...]))]
            cluster = Cluster(
                Plan(groups: lists.map { Plan.Group(runs: $0) }, highestRun: highest, hosts: ["h0", "h1", "h2"]),
                records)
            let state = cluster.core.state
            let phases = runs.map { state[$0].phase }
            #expect(state.readyCount + state.readySuspects.count == phases.count { $0 == .waiting })
            #expect(state.endedCount == phases.count { if case .ended = $0 { true } else { false } })
            #expect(state.openRuns.reduce(0, +) == runs.reduce(0) { $0 + state.claims(on: $1).count })
        }
        cluster.calm()
        let isFinished = cluster.core.state.isFinished
        #expect(isFinished)
        #expect(cluster.core.state.openRuns.allSatisfy { $0 == 0 })
    }
}

extension Cluster {
    /// A cluster whose coordinator begins from what another left.
    fileprivate init(_ plan: Plan, _ records: [Record]) {
        var state = SweepState(plan: plan)
        for record in records { state.apply(record) }
        self.init(state)
    }
}
