import Model
import Testing
@testable import SweepCore

@Suite("A host that fails what others do is told apart from a run that fails everywhere")
struct HealthTests {
    private static let second = Timing.second

    /// Ends what a host has, so many runs, each with all attempts that it was granted.
    private func end(_ cluster: inout Cluster, _ host: Int, _ count: Int, _ failure: FailureClass?) {
        for _ in 0..<count {
            guard let lease = cluster.core.state.leasesOfHost[host].first,
                let run = cluster.core.state.openRuns(of: lease, host: host).first,
                let claim = cluster.core.state.claim(of: lease, on: run)
            else { return }
            guard let failure else {
                cluster.step(.ended(host: host, Cluster.ended(run, lease: lease, attempt: claim.attempts.lowerBound)))
                continue
            }
            for attempt in claim.attempts {
                cluster.step(
                    .ended(host: host, Cluster.ended(run, lease: lease, attempt: attempt, failure: failure)))
            }
        }
    }

    private func pauseCount(_ cluster: Cluster) -> Int {
        cluster.count { if case .hostPaused = $0 { true } else { false } }
    }

    @Test("Three runs in a row that fail there alone: it is paused, tried with one run, and taken back with its result")
    func sickHost() {
        var cluster = Cluster(runs: 40, hosts: 2)
        cluster.join(0, slots: 3)
        cluster.join(1, slots: 3)
        end(&cluster, 1, 1, nil)
        // Two more had begun when the third failed.
        end(&cluster, 0, 5, .exitNonzero)
        #expect(pauseCount(cluster) == 1)
        #expect(cluster.core.state.openRuns[0] == 0)
        cluster.pass(61, hearing: [0, 1])
        #expect(cluster.core.state.openRuns[0] == 1, "one run to try")
        end(&cluster, 0, 1, .exitNonzero)
        #expect(pauseCount(cluster) == 2)
        cluster.pass(100, hearing: [0, 1])
        #expect(cluster.core.state.openRuns[0] == 0, "twice as long")
        cluster.pass(30, hearing: [0, 1])
        #expect(cluster.core.state.openRuns[0] == 1)
        end(&cluster, 0, 1, nil)
        #expect(cluster.core.state.openRuns[0] == 3)
    }

    @Test("What was under way when the pause began neither ends it nor passes for the run to try")
    func oldSuccess() {
        var cluster = Cluster(runs: 40, hosts: 2)
        cluster.join(0, slots: 4)
        cluster.join(1, slots: 4)
        end(&cluster, 1, 1, nil)
        end(&cluster, 0, 3, .exitNonzero)
        #expect(pauseCount(cluster) == 1)
        #expect(cluster.core.state.openRuns[0] == 3, "they go on")
        end(&cluster, 0, 1, nil)
        cluster.pass(30, hearing: [0, 1])
        #expect(cluster.core.state.openRuns[0] == 2, "nothing new")
        cluster.pass(31, hearing: [0, 1])
        #expect(cluster.core.state.openRuns[0] == 3, "one run to try")
        end(&cluster, 0, 2, nil)
        #expect(cluster.core.links[0].health.isOnTrial)
        end(&cluster, 0, 1, nil)
        #expect(!cluster.core.links[0].health.isOnTrial)
        #expect(cluster.core.state.openRuns[0] >= 4)
    }

    @Test("Its victims go elsewhere with an attempt left, and succeed")
    func victims() {
        var cluster = Cluster(runs: 4, hosts: 2)
        cluster.join(0, slots: 2)
        cluster.join(1, slots: 2)
        #expect(cluster.core.state.claims(on: 1)[0].attempts.count == 2, "the last is for another host")
        end(&cluster, 0, 2, .exitNonzero)
        end(&cluster, 1, 4, nil)
        #expect(cluster.core.state.isFinished && cluster.core.state.notSucceededCount == 0)
    }

    @Test("Runs that fail on another host as well clear the first one at once")
    func badRuns() {
        var cluster = Cluster(runs: 40, hosts: 2)
        cluster.join(0, slots: 3)
        cluster.join(1, slots: 3)
        end(&cluster, 1, 1, nil)
        end(&cluster, 0, 5, .exitNonzero)
        #expect(cluster.core.state.openRuns[0] == 0)
        // They come first on the other host as soon as it has room.
        end(&cluster, 1, 3, nil)
        end(&cluster, 1, 3, .exitNonzero)
        cluster.pass(2, hearing: [0, 1])
        #expect(cluster.core.links[0].health.strikes.count == 2)
        #expect(cluster.core.state.openRuns[0] > 0, "it is no longer paused")
    }

    @Test("Where nothing ever succeeded elsewhere, no host is blamed")
    func allFail() {
        var cluster = Cluster(runs: 40, hosts: 2)
        cluster.join(0, slots: 3)
        cluster.join(1, slots: 3)
        end(&cluster, 0, 6, .exitNonzero)
        #expect(pauseCount(cluster) == 0)
    }

    @Test("Three hosts that fail it agree: attempts that are left are not used")
    func agreement() {
        var cluster = Cluster(runs: 1, hosts: 4, agentRetries: false, failures: 100)
        for host in 0..<4 { cluster.join(host, slots: 1) }
        for _ in 0..<3 {
            guard let lease = cluster.lease(of: 1), let name = cluster.core.state.hostName(of: lease) else { break }
            let host = Int(name.dropFirst()) ?? 0
            let attempt = cluster.core.state.claims(on: 1)[0].attempts.lowerBound
            cluster.step(.ended(host: host, Cluster.ended(1, lease: lease, attempt: attempt, failure: .exitNonzero)))
        }
        #expect(cluster.phase(1) == .ended(.failed, .exitNonzero))
        #expect(cluster.core.state[1].failures == 3)
    }

    @Test("Three hosts that cannot start it say nothing of the run")
    func noAgreement() {
        var cluster = Cluster(runs: 1, hosts: 4, agentRetries: false, failures: 100)
        for host in 0..<4 { cluster.join(host, slots: 1) }
        for _ in 0..<3 {
            guard let lease = cluster.lease(of: 1), let name = cluster.core.state.hostName(of: lease) else { break }
            let host = Int(name.dropFirst()) ?? 0
            let attempt = cluster.core.state.claims(on: 1)[0].attempts.lowerBound
            cluster.step(.ended(host: host, Cluster.ended(1, lease: lease, attempt: attempt, failure: .spawn)))
        }
        #expect(cluster.core.state[1].failures == 3)
        #expect(cluster.lease(of: 1).flatMap(cluster.core.state.hostName) == "h3")
    }

    @Test("The only usable host is not paused for being slow")
    func onlyHost() {
        var plan = Plan(groups: [Plan.Group(runs: 1..<80)], hosts: ["a", "b"])
        plan.history = (0..<60).map {
            PastRun(group: 0, levels: [], host: $0 % 2, origin: 1, wall: 100 * Self.second)
        }
        var cluster = Cluster(SweepState(plan: plan))
        cluster.join(0, slots: 3)
        for seconds: Int64 in [100, 100, 100, 100, 100, 100, 1_500, 1_500, 1_500, 1_500] {
            let lease = cluster.core.state.leasesOfHost[0][0]
            let run = cluster.core.state.openRuns(of: lease, host: 0)[0]
            cluster.step(.ended(host: 0, Cluster.ended(run, lease: lease, wall: seconds * Self.second)))
        }
        #expect(cluster.core.links[0].health.slowRuns >= 3)
        #expect(pauseCount(cluster) == 0)
    }

    @Test("Runs that take far longer than predicted pause their host; the host's usual speed does not")
    func slowHost() {
        var plan = Plan(groups: [Plan.Group(runs: 1..<80)], hosts: ["a", "b"])
        plan.history = (0..<60).map {
            PastRun(group: 0, levels: [], host: $0 % 2, origin: 1, wall: ($0 % 2 == 0 ? 100 : 200) * Self.second)
        }
        var cluster = Cluster(SweepState(plan: plan))
        cluster.join(0, slots: 3)
        cluster.join(1, slots: 3)
        func take(_ host: Int, _ seconds: Int64) {
            let lease = cluster.core.state.leasesOfHost[host][0]
            let run = cluster.core.state.openRuns(of: lease, host: host)[0]
            cluster.step(.ended(host: host, Cluster.ended(run, lease: lease, wall: seconds * Self.second)))
        }
        for _ in 0..<6 { take(1, 220) }
        #expect(pauseCount(cluster) == 0)
        for _ in 0..<3 { take(0, 1_500) }
        #expect(pauseCount(cluster) == 1)
        #expect(cluster.core.view(of: 0, running: 0, now: cluster.now).standing == .paused)
    }
}
