import Model
import Testing
@testable import SweepCore

@Suite("Results that were made with a damaged input")
struct DamageTests {
    private func found(_ host: String, runs: Range<RunNumber>, makers: Range<RunNumber>? = nil) -> DamagedInput {
        DamagedInput(
            host: host, path: "disk.img", damage: ObjectDamage(digest: SHA256.digest("d"), wholeAt: 1, foundAt: 2),
            runs: RunList(runs), makers: makers.map { RunList($0) } ?? RunList())
    }

    private func cluster() -> Cluster {
        let plan = Plan(groups: [Plan.Group(runs: 1..<4)], hosts: ["h0", "h1"])
        var cluster = Cluster(SweepState(plan: plan))
        for host in 0..<2 {
            cluster.join(host, slots: 1)
            cluster.step(.caughtUp(host: host))
        }
        return cluster
    }

    @Test("They count no more, those of other hosts and those that are not in yet do, and it is told once")
    func quarantined() {
        var cluster = cluster()
        for host in 0..<2 { cluster.step(.ended(host: host, Cluster.ended(host + 1, lease: host + 1))) }
        cluster.step(.damageFound(host: 0, found("h0", runs: 1..<4)))
        #expect(cluster.phase(1) == .ended(.quarantined, .inputDamaged))
        #expect(cluster.phase(2) == .ended(.succeeded, nil))
        #expect(cluster.core.state.notSucceededCount == 1)
        let before = cluster.core.state.digest
        cluster.step(.damageFound(host: 0, found("h0", runs: 1..<4)))
        #expect(cluster.core.state.digest == before)
        #expect(cluster.replayed.digest == before)
    }

    @Test("What made a checkpoint with it keeps its result, and is named once")
    func makers() {
        var cluster = cluster()
        cluster.step(.ended(host: 0, Cluster.ended(1, lease: 1)))
        let told = cluster.core.handle(
            .damageFound(host: 0, found("h0", runs: 2..<3, makers: 1..<2)), now: cluster.now)
        #expect(told == [.inputDamaged(DamagedInput(
            host: "h0", path: "disk.img", damage: ObjectDamage(digest: SHA256.digest("d"), wholeAt: 1, foundAt: 2),
            runs: RunList(), makers: RunList(1..<2)))])
        #expect(cluster.phase(1) == .ended(.succeeded, nil))
        let again = cluster.core.handle(
            .damageFound(host: 0, found("h0", runs: 2..<3, makers: 1..<2)), now: cluster.now)
        #expect(again == [])
    }
}
