import Model
import Testing
@testable import SweepCore

@Suite("Runs that are done once more on another host, to compare")
struct AuditTests {
    /// Hosts of one slot each, and one run each; the first is audited, and has ended on h0.
    private func cluster(hosts: Int = 3, runs: Int? = nil, audited: Set<RunNumber> = [1]) -> Cluster {
        var plan = Plan(groups: [Plan.Group(runs: 1..<(runs ?? hosts) + 1)], hosts: (0..<hosts).map { "h\($0)" })
        plan.audited = audited
        var cluster = Cluster(SweepState(plan: plan))
        for host in 0..<hosts {
            cluster.join(host, slots: 1)
            cluster.step(.caughtUp(host: host))
        }
        return cluster
    }

    /// The run that a host audits, with the lease.
    private func audit(_ cluster: Cluster, on host: Int) -> AttemptID? {
        for case .auditGranted(let lease, "h\(host)", let grants) in cluster.records.reversed() {
            guard let grant = grants.first, cluster.core.state.auditClaims[grant.run]?.lease == lease else { continue }
            return AttemptID(run: grant.run, lease: lease, attempt: grant.firstAttempt)
        }
        return nil
    }

    private func judged(_ id: AttemptID, gives value: String, counted: String = "1") -> Judged {
        var judged = Cluster.ended(id.run, lease: id.lease, attempt: id.attempt, value: value)
        judged.comparison = AuditComparison(numbers: SHA256.digest(value), counted: SHA256.digest(counted))
        return judged
    }

    /// Runs 1 to 3 succeed on h0 to h2, in this order.
    private func ended() -> Cluster {
        var cluster = cluster()
        for host in 0..<3 { cluster.step(.ended(host: host, Cluster.ended(host + 1, lease: host + 1))) }
        return cluster
    }

    @Test("It is begun on another host as soon as that has room, and the sweep waits for it")
    func begins() throws {
        var cluster = cluster()
        let first = cluster.step(.ended(host: 0, Cluster.ended(1, lease: 1)))
        #expect(first.granted(to: 0).isEmpty, "the host that gave the result is not asked")
        let second = cluster.step(.ended(host: 1, Cluster.ended(2, lease: 2)))
        #expect(second.granted(to: 1) == [1])
        #expect(cluster.phase(1) == .ended(.succeeded, nil))
        let third = cluster.step(.ended(host: 2, Cluster.ended(3, lease: 3)))
        #expect(third.ending == nil && cluster.core.state.isFinished)
        let id = try #require(audit(cluster, on: 1))
        let last = cluster.step(.ended(host: 1, judged(id, gives: "1")))
        #expect(last.acknowledged(on: 1) == [id] && last.ending == .complete(allSucceeded: true))
        #expect(cluster.core.state.verdict(on: 1) == .identical)
        #expect(cluster.core.state.fencedHosts.isEmpty && cluster.core.state[1].failures == 0)
        #expect(cluster.replayed.digest == cluster.core.state.digest)
    }

    @Test("A sweep that has ended does not wait for a host on trial, which is given no audit")
    func trial() {
        var cluster = cluster(hosts: 2)
        cluster.step(.ended(host: 1, Cluster.ended(2, lease: 2)))
        cluster.core.links[1].health.isOnTrial = true
        let last = cluster.step(.ended(host: 0, Cluster.ended(1, lease: 1)))
        #expect(audit(cluster, on: 1) == nil && last.ending == .complete(allSucceeded: true))
    }

    @Test("Audits go before runs that wait")
    func goesFirst() {
        var cluster = cluster(hosts: 2, runs: 6)
        cluster.step(.ended(host: 0, Cluster.ended(1, lease: 1)))
        let effects = cluster.step(.ended(host: 1, Cluster.ended(2, lease: 2)))
        #expect(effects.granted(to: 1).first == 1)
    }

    @Test("A third host decides: the one that is outvoted is fenced, and its results count no more")
    func thirdDecides() throws {
        var cluster = ended()
        let second = try #require(audit(cluster, on: 1))
        cluster.step(.ended(host: 1, judged(second, gives: "2")))
        let third = try #require(audit(cluster, on: 2))
        cluster.step(.ended(host: 2, judged(third, gives: "2")))
        #expect(Set(cluster.core.state.fencedHosts.keys) == ["h0"])
        #expect(cluster.phase(1) == .ended(.quarantined, .hostFenced))
        #expect(cluster.phase(2) == .ended(.succeeded, nil) && cluster.core.state.notSucceededCount == 1)
        let reason = cluster.core.state.fencedHosts["h0"] ?? ""
        #expect(reason == "run 1 gave different numbers on h0 than on h1 and h2")
        #expect(cluster.replayed.digest == cluster.core.state.digest)
    }

    @Test("It may be the audit's host that is wrong: then its own results count no more, and the audited one does")
    func auditorIsWrong() throws {
        var cluster = ended()
        let second = try #require(audit(cluster, on: 1))
        cluster.step(.ended(host: 1, judged(second, gives: "2")))
        let third = try #require(audit(cluster, on: 2))
        let effects = cluster.step(.ended(host: 2, judged(third, gives: "1")))
        #expect(Set(cluster.core.state.fencedHosts.keys) == ["h1"])
        #expect(cluster.phase(1) == .ended(.succeeded, nil) && cluster.core.state.verdict(on: 1) == .identical)
        #expect(cluster.phase(2) == .ended(.quarantined, .hostFenced))
        #expect(effects.ending == .complete(allSucceeded: false))
    }

    @Test("A fenced host gets nothing more, loses what it runs, and stays out; a retry goes elsewhere")
    func staysOut() throws {
        var cluster = cluster(hosts: 3, runs: 9)
        for host in 0..<3 { cluster.step(.ended(host: host, Cluster.ended(host + 1, lease: host + 1))) }
        let second = try #require(audit(cluster, on: 1))
        cluster.step(.ended(host: 1, judged(second, gives: "2")))
        // h2 is at a run; what it is given next is the audit.
        let lease = try #require(cluster.core.state.leasesOfHost[2].first)
        let run = try #require(cluster.core.state.openRuns(of: lease, host: 2).first)
        cluster.step(.ended(host: 2, Cluster.ended(run, lease: lease)))
        let third = try #require(audit(cluster, on: 2))
        #expect(cluster.core.state.openRunCount(on: "h0") > 0)
        let effects = cluster.step(.ended(host: 2, judged(third, gives: "2")))
        #expect(cluster.core.state.openRunCount(on: "h0") == 0)
        #expect(effects.contains { if case .revoke(0, _) = $0 { true } else { false } })
        #expect(effects.granted(to: 0).isEmpty && cluster.core.view(of: 0, running: 0, now: 0).standing == .refused)

        let opening = cluster.replayed.reopening([1])
        #expect(opening == [1])
        var state = cluster.replayed
        state.apply(.runReopened(run: 1, reason: "retry"))
        #expect(state.verdict(on: 1) == nil, "what others made of the old result says nothing of the next")
        var next = Cluster(state)
        for host in 0..<3 { next.comeBack(host, slots: 1) }
        next.pass(2, hearing: [0, 1, 2])
        #expect(next.core.state.openRunCount(on: "h0") == 0)
        state.apply(.repinned(reason: "repaired"))
        #expect(state.fencedHosts.isEmpty)
    }

    @Test("Two hosts that differ do not tell who is wrong: nothing is fenced, and nobody is waited for")
    func twoHosts() throws {
        var cluster = cluster(hosts: 2)
        for host in 0..<2 { cluster.step(.ended(host: host, Cluster.ended(host + 1, lease: host + 1))) }
        let second = try #require(audit(cluster, on: 1))
        let effects = cluster.step(.ended(host: 1, judged(second, gives: "2")))
        #expect(effects.ending == .complete(allSucceeded: true))
        #expect(cluster.core.state.verdict(on: 1) == .open && cluster.core.state.fencedHosts.isEmpty)
        // A third one that comes later decides.
        var plan = cluster.core.state.plan
        plan.hosts.append("h2")
        var state = SweepState(plan: plan)
        for record in cluster.records { state.apply(record) }
        var next = Cluster(state)
        #expect(next.step().ending == nil)
        next.join(2, slots: 1)
        #expect(audit(next, on: 2)?.run == 1)
    }

    @Test("Three results: it is not deterministic, and no difference fences anybody any more")
    func notDeterministic() throws {
        var cluster = ended()
        for host in 1...2 {
            let id = try #require(audit(cluster, on: host))
            cluster.step(.ended(host: host, judged(id, gives: "\(host + 1)")))
        }
        #expect(cluster.core.state.verdict(on: 1) == .notDeterministic)
        #expect(cluster.core.state.fencedHosts.isEmpty)
        // Launched again with a larger share: of run 2, h1 has given another number than the others.
        var plan = cluster.core.state.plan
        plan.audited = [1, 2]
        var state = SweepState(plan: plan)
        for record in cluster.records { state.apply(record) }
        var next = Cluster(state)
        for host in 0..<3 { next.comeBack(host, slots: 1) }
        for host in [0, 2] {
            let id = try #require(audit(next, on: host))
            next.step(.ended(host: host, judged(id, gives: "2")))
        }
        #expect(next.core.state.verdict(on: 2) == .outvoted("h1"))
        #expect(next.core.state.fencedHosts.isEmpty && next.core.state.notSucceededCount == 0)
        #expect(next.step().ending == .complete(allSucceeded: true))
    }

    @Test("What fails on one host is tried on the next, and costs its run nothing")
    func fails() throws {
        var cluster = ended()
        let second = try #require(audit(cluster, on: 1))
        cluster.step(
            .ended(
                host: 1,
                Cluster.ended(second.run, lease: second.lease, attempt: second.attempt, failure: .exitNonzero)))
        let third = try #require(audit(cluster, on: 2))
        let effects = cluster.step(
            .ended(host: 2, Cluster.ended(third.run, lease: third.lease, attempt: third.attempt, failure: .timeout)))
        #expect(cluster.phase(1) == .ended(.succeeded, nil) && cluster.core.state[1].failures == 0)
        #expect(effects.ending == .complete(allSucceeded: true), "no other host is left")
        #expect(cluster.core.state.verdict(on: 1) == .open)
    }

    @Test("One that was interrupted goes on; what a host that was silent for long should audit another one does")
    func interrupted() throws {
        var cluster = ended()
        let second = try #require(audit(cluster, on: 1))
        #expect(cluster.step(.interrupted).ending == .interrupted)
        var next = Cluster(cluster.replayed)
        for host in [0, 1] { next.comeBack(host, slots: 1) }
        #expect(next.core.state.auditClaims[1]?.lease == second.lease)
        next.comeBack(2, slots: 1)
        next.step(.lost(host: 1, reason: "cut"))
        next.pass(59, hearing: [0, 2])
        #expect(next.core.state.auditClaims[1]?.lease == second.lease)
        next.pass(3_700, hearing: [0, 2])
        #expect(audit(next, on: 2)?.run == 1)
        // What comes late is kept, and decides nothing.
        next.join(1, slots: 1)
        next.step(.ended(host: 1, judged(second, gives: "2")))
        #expect(next.core.state.fencedCount == 1 && next.core.state.audits[1]?.opinions.isEmpty ?? true)
    }

    @Test("At the end nobody is waited for who cannot be reached")
    func unreachable() {
        var plan = Plan(groups: [Plan.Group(runs: 1..<2)], hosts: ["h0", "h1"])
        plan.audited = [1]
        var cluster = Cluster(SweepState(plan: plan))
        cluster.join(0, slots: 1)
        #expect(cluster.step(.ended(host: 0, Cluster.ended(1, lease: 1))).ending == nil)
        cluster.pass(70, hearing: [0])
        #expect(cluster.step().ending == .complete(allSucceeded: true))
        #expect(cluster.core.state.verdict(on: 1) == .open)
    }

    @Test("A cancelled sweep ends its audits, and launched again it goes on with them")
    func cancelled() throws {
        var cluster = ended()
        let second = try #require(audit(cluster, on: 1))
        let effects = cluster.step(.cancel(run: nil, reason: "asked for"))
        #expect(effects.contains { if case .revoke(1, [second.lease]) = $0 { true } else { false } })
        #expect(effects.ending == .complete(allSucceeded: true))
        var next = Cluster(cluster.replayed)
        next.join(1, slots: 1)
        next.step()
        #expect(audit(next, on: 1)?.run == 1)
    }

    @Test("Verdicts: two agree against one; numbers under an edited contract are not held against older ones")
    func verdicts() {
        func opinion(_ host: String, _ value: String, counted: String = "1") -> AuditOpinion {
            AuditOpinion(
                host: host,
                comparison: AuditComparison(numbers: SHA256.digest(value), counted: SHA256.digest(counted)))
        }
        #expect(AuditVerdict(counted: "a", []) == .open)
        #expect(AuditVerdict(counted: "a", [opinion("b", "1")]) == .identical)
        #expect(AuditVerdict(counted: "a", [opinion("b", "2")]) == .open)
        #expect(AuditVerdict(counted: "a", [opinion("b", "2"), opinion("c", "2")]) == .outvoted("a"))
        #expect(AuditVerdict(counted: "a", [opinion("b", "2"), opinion("c", "1")]) == .outvoted("b"))
        #expect(AuditVerdict(counted: "a", [opinion("b", "2"), opinion("c", "3")]) == .notDeterministic)
        let edited = [opinion("b", "2"), opinion("c", "5", counted: "5")]
        #expect(AuditVerdict(counted: "a", edited) == .identical)
    }
}
