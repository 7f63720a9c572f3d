import Model
import Testing
@testable import SweepCore


@Suite("Runs that take their hosts with them")
struct SuspicionTests {
    /// All that runs on a host is lost with it; the host is up again at once.
    private func die(_ cluster: inout Cluster, host: Int, slots: Int, boot: Int) {
        let held = cluster.held(by: host)
        cluster.step(.lost(host: host, reason: "power"))
        cluster.step(
            .joined(host: host, Cluster.facts(host, slots: slots, leases: held, boot: "boot\(boot)")))
        for lease in held {
            for run in lease.runs {
                let attempt = cluster.core.state.claim(of: lease.lease, on: run)?.attempts.lowerBound ?? 0
                cluster.step(
                    .ended(
                        host: host,
                        Cluster.ended(run, lease: lease.lease, attempt: attempt, seen: .hostLost, failure: .hostLost)))
            }
        }
        cluster.step(.caughtUp(host: host))
    }

    private func running(_ cluster: Cluster, _ host: Int) -> [RunNumber] {
        cluster.held(by: host).flatMap(\.runs).sorted()
    }

    private func finish(_ cluster: inout Cluster, host: Int, _ run: RunNumber) {
        guard let lease = cluster.lease(of: run), let claim = cluster.core.state.claims(on: run).last else { return }
        cluster.step(.ended(host: host, Cluster.ended(run, lease: lease, attempt: claim.attempts.lowerBound)))
    }

    @Test("The guilty run ends after five deaths, and those that died with it succeed", arguments: 1...8)
    func poison(guilty: RunNumber) {
        var cluster = Cluster(runs: 8, hosts: 1, agentRetries: false)
        cluster.join(0, slots: 8)
        var deaths = 0
        for _ in 0..<400 where !cluster.core.state.isFinished {
            cluster.pass(61, hearing: [0])
            cluster.step()
            let here = running(cluster, 0)
            if here.contains(guilty) {
                deaths += 1
                die(&cluster, host: 0, slots: 8, boot: deaths)
            } else if let run = here.first {
                finish(&cluster, host: 0, run)
            }
        }
        #expect(cluster.phase(guilty) == .ended(.failed, .hostLost))
        #expect(cluster.core.state.notSucceededCount == 1)
        #expect(deaths <= 6)
        #expect(cluster.replayed.digest == cluster.core.state.digest)
    }

    @Test("What is suspected waits until nothing else does, and runs alone on a small host")
    func alone() {
        var cluster = Cluster(runs: 6, hosts: 1, agentRetries: false)
        cluster.join(0, slots: 2)
        die(&cluster, host: 0, slots: 2, boot: 1)
        #expect(running(cluster, 0) == [1, 2], "once is an accident")
        die(&cluster, host: 0, slots: 2, boot: 2)
        #expect(running(cluster, 0) == [3, 4])
        finish(&cluster, host: 0, 3)
        finish(&cluster, host: 0, 4)
        finish(&cluster, host: 0, 5)
        #expect(running(cluster, 0) == [6])
        finish(&cluster, host: 0, 6)
        let first = running(cluster, 0)
        #expect(first.count == 1)
        finish(&cluster, host: 0, first[0])
        #expect(running(cluster, 0).count == 1)
    }

    @Test("Company shrinks with each death, and one that is proven guilty frees the others")
    func company() {
        var cluster = Cluster(runs: 64, hosts: 1, agentRetries: false)
        cluster.join(0, slots: 64)
        var seen: [Int] = []
        for boot in 1...7 where cluster.core.state.notSucceededCount == 0 {
            // Run 5 is the only one that is never finished before the host dies.
            seen.append(running(cluster, 0).count)
            die(&cluster, host: 0, slots: 64, boot: boot)
            cluster.pass(61, hearing: [0])
            cluster.step()
            for _ in 0..<80 where !running(cluster, 0).contains(5) && cluster.core.state.notSucceededCount == 0 {
                guard let run = running(cluster, 0).first else { break }
                finish(&cluster, host: 0, run)
            }
        }
        #expect(seen.prefix(2) == [64, 64])
        #expect(seen.dropFirst(2).allSatisfy { $0 <= 16 })
        #expect(cluster.phase(5) == .ended(.failed, .hostLost))
        #expect((1...64).allSatisfy { $0 == 5 || !cluster.core.state.isSuspect($0) })
    }

    @Test("While no run may be the cause, no host's runs are looked at for it; nor afterwards")
    func looksNowhere() {
        var cluster = Cluster(runs: 6, hosts: 2, agentRetries: false)
        cluster.join(0, slots: 2)
        die(&cluster, host: 0, slots: 2, boot: 1)
        cluster.join(1, slots: 2)
        #expect(cluster.core.state.limitingRuns == [0, 0], "once is an accident")
        die(&cluster, host: 0, slots: 2, boot: 2)
        for run in running(cluster, 0) { finish(&cluster, host: 0, run) }
        for run in running(cluster, 1) { finish(&cluster, host: 1, run) }
        #expect(cluster.core.state.limitingRuns == [1, 1], "each alone on its host")
        finish(&cluster, host: 0, 1)
        finish(&cluster, host: 1, 2)
        #expect(cluster.core.state.limitingRuns == [0, 0])
        #expect(cluster.core.state.isFinished && cluster.core.state.notSucceededCount == 0)
    }

    @Test("Of suspects those with the fewest deaths are tried first, as many on each host as they may be")
    func order() {
        var cluster = Cluster(runs: 32, hosts: 1, agentRetries: false)
        cluster.join(0, slots: 16)
        for boot in 1...2 { die(&cluster, host: 0, slots: 16, boot: boot) }
        cluster.pass(61, hearing: [0])
        cluster.step()
        for _ in 0..<40 where !running(cluster, 0).isEmpty && cluster.core.state.readyCount > 0 {
            finish(&cluster, host: 0, running(cluster, 0)[0])
        }
        while let run = running(cluster, 0).first(where: { $0 > 16 }) { finish(&cluster, host: 0, run) }
        #expect(running(cluster, 0) == [1, 2, 3, 4])
        die(&cluster, host: 0, slots: 16, boot: 3)
        cluster.pass(300, hearing: [0])
        cluster.step()
        #expect(cluster.core.state.waitingSuspects.suffix(4) == [1, 2, 3, 4])
        #expect(running(cluster, 0).allSatisfy { 5...16 ~= $0 })
    }

    @Test("A run that hangs its hosts for good does not take the whole lab with it")
    func silent() {
        var cluster = Cluster(runs: 1, hosts: 9, agentRetries: false)
        for host in 0..<9 { cluster.join(host, slots: 4) }
        var left = Set(0..<9)
        for _ in 0..<12 where !cluster.core.state.isFinished {
            for host in left.sorted() where !running(cluster, host).isEmpty {
                cluster.step(.lost(host: host, reason: "dead"))
                left.remove(host)
            }
            cluster.pass(3_700, hearing: left.sorted())
            cluster.step()
        }
        #expect(cluster.phase(1) == .ended(.failed, .hostLost))
        #expect(left.count == 3)
    }

    @Test("A lease that its host has forgotten counts as a death when the host was started again")
    func voided() {
        var cluster = Cluster(runs: 2, hosts: 1, agentRetries: false)
        cluster.join(0, slots: 2)
        for boot in 1...2 {
            cluster.step(.lost(host: 0, reason: "power"))
            cluster.step(.joined(host: 0, Cluster.facts(0, boot: "boot\(boot)")))
        }
        #expect(cluster.core.state[1].losses == 2 && cluster.core.state.isSuspect(1))
        #expect(running(cluster, 0).count == 1)
    }

    @Test("A host's death is one failure of the host, whatever it took")
    func health() {
        var cluster = Cluster(runs: 8, hosts: 1, agentRetries: false)
        cluster.join(0, slots: 4)
        die(&cluster, host: 0, slots: 4, boot: 1)
        #expect(cluster.core.links[0].health.troubles == 1)
        #expect(running(cluster, 0).count == 4)
    }
}
