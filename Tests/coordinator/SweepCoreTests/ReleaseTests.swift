import Model
import Testing
@testable import SweepCore


@Suite("The end of a sweep on its hosts")
struct ReleaseTests {
    private func done(hosts: Int = 2) -> (Cluster, [Effect]) {
        var cluster = Cluster(runs: hosts * 2, hosts: hosts)
        cluster.agentsRelease = false
        for host in 0..<hosts { cluster.join(host) }
        var effects: [Effect] = []
        for run in 1...hosts * 2 {
            let lease = cluster.lease(of: run) ?? 0
            let host = (0..<hosts).first { cluster.core.state.leasesOfHost[$0].contains(lease) } ?? 0
            effects = cluster.step(.ended(host: host, Cluster.ended(run, lease: lease)))
        }
        return (cluster, effects)
    }

    @Test("Hosts are told, after their last acknowledgement, and the end waits for their word")
    func told() {
        var (cluster, effects) = done()
        #expect(effects.released == [0, 1])
        #expect(effects.ending == nil)
        let (acknowledged, released) = (
            effects.lastIndex { if case .acknowledge(1, _) = $0 { true } else { false } },
            effects.firstIndex { $0 == .release(host: 1) }
        )
        #expect((acknowledged ?? .max) < (released ?? .min))
        #expect(cluster.step(.released(host: 0)).ending == nil)
        #expect(cluster.step(.heard(host: 1)).released.isEmpty)
        #expect(cluster.step(.released(host: 1)).ending == .complete(allSucceeded: true))
        #expect(cluster.core.state.isHolding == [false, false])
        #expect(cluster.replayed.isHolding == [false, false])
    }

    @Test("A host that never held anything is not told")
    func idleHost() {
        var cluster = Cluster(runs: 1)
        cluster.agentsRelease = false
        cluster.join(0)
        cluster.join(1)
        let effects = cluster.step(.ended(host: 0, Cluster.ended(1, lease: 1)))
        #expect(effects.released == [0])
    }

    @Test("A host that cannot be reached is not waited for, and one that is silent not for long")
    func away() {
        var (cluster, _) = done()
        cluster.step(.released(host: 0))
        #expect(cluster.step(.lost(host: 1, reason: "gone")).ending == nil)
        cluster.pass(2)
        #expect(cluster.step().contains(.connect(host: 1)))
        #expect(cluster.step(.lost(host: 1, reason: "refused")).ending == .complete(allSucceeded: true))
        #expect(cluster.core.state.isHolding == [false, true])

        var (silent, _) = done(hosts: 1)
        let grace = Timing().releaseGrace
        #expect(silent.core.nextDeadline(now: silent.now) <= silent.now + grace)
        silent.pass(grace / Timing.second)
        #expect(silent.step().ending == .complete(allSucceeded: true))
    }

    @Test("A sweep that is resumed after its end tells those that were not told")
    func resumed() {
        let (cluster, _) = done()
        var core = Coordinator(state: cluster.replayed, now: cluster.now)
        var records = core.tick(now: cluster.now)
        #expect(core.effects(now: cluster.now) == [.connect(host: 0), .connect(host: 1)])
        for host in 0...1 {
            records += core.handle(.joined(host: host, Cluster.facts(host)), now: cluster.now)
        }
        #expect(core.effects(now: cluster.now).released == [0, 1])
        for host in 0...1 { records += core.handle(.released(host: host), now: cluster.now) }
        #expect(records.filter { if case .hostReleased = $0 { true } else { false } }.count == 2)
        #expect(core.effects(now: cluster.now).ending == .complete(allSucceeded: true))
        var again = Coordinator(state: core.state, now: cluster.now)
        _ = again.tick(now: cluster.now)
        #expect(again.effects(now: cluster.now) == [.finish(.complete(allSucceeded: true))])
    }

    @Test("A word that comes too early changes nothing; an interrupted sweep leaves its hosts alone")
    func early() {
        var cluster = Cluster(runs: 4)
        cluster.agentsRelease = false
        cluster.join(0)
        cluster.step(.released(host: 0))
        #expect(cluster.core.state.isHolding[0])
        #expect(cluster.step(.interrupted).released.isEmpty)
    }

    @Test("A sweep that is cancelled after it was interrupted waits until its hosts have deleted what they keep")
    func cancelledAfterInterruption() {
        var cluster = Cluster(runs: 1, hosts: 1)
        cluster.agentsRelease = false
        cluster.join(0)
        #expect(cluster.step(.interrupted).ending == .interrupted)
        #expect(cluster.step(.cancel(run: nil, reason: "test")).ending == nil)
        let ended = cluster.step(.ended(host: 0, Cluster.ended(1, lease: 1, failure: .cancelled)))
        #expect(ended.released == [0] && ended.ending == nil)
        #expect(cluster.step(.released(host: 0)).ending == .complete(allSucceeded: false))
    }
}
