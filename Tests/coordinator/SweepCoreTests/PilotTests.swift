import Model
import Testing
@testable import SweepCore

@Suite("Hosts that are there while a job runs")
struct PilotTests {
    private static let reason = "job 7 was preempted on n1"

    private func working(runs: Int = 4, hosts: Int = 1) -> Cluster {
        var cluster = Cluster(runs: runs, hosts: hosts)
        cluster.step()
        cluster.join(0)
        cluster.step(.caughtUp(host: 0))
        return cluster
    }

    @Test("The end of its job gives a pilot's runs to others at once, and charges none of them", arguments: [
        Coordinator.PilotEnd.blameless, .walltime(3_600 * Timing.second),
    ])
    func blameless(_ end: Coordinator.PilotEnd) {
        var cluster = working(hosts: 2)
        #expect(cluster.core.state.openRuns[0] == 2)
        cluster.step(.pilotEnded(host: 0, end, reason: Self.reason))
        #expect(cluster.core.state.openRuns[0] == 0)
        for run in 1...4 {
            #expect(cluster.phase(run) == .waiting)
            #expect(cluster.core.state[run].failures == 0)
            #expect(cluster.core.state[run].losses == 0)
        }
        #expect(cluster.core.state.deathCount == 0)
        #expect(cluster.join(1).granted(to: 1).sorted() == [1, 2])
    }

    @Test("One that was refused is tried again with its next job, which may be on another node")
    func refused() {
        var cluster = working(hosts: 2)
        cluster.step(.refused(host: 0, reason: "its setup fails"))
        #expect(cluster.core.phase(of: 0) == .refused)
        #expect(cluster.core.refusal(of: 0) == "its setup fails")
        cluster.step(.pilotEnded(host: 0, .blameless, reason: "job 7 was cancelled"))
        #expect(cluster.core.refusal(of: 0) == nil)
        cluster.pass(2)
        #expect(cluster.step().contains(.connect(host: 0)))
        #expect(cluster.join(0).granted(to: 0).sorted() == [1, 2])
    }

    @Test("However often it happens, no run fails by it")
    func often() {
        var cluster = working()
        for number in 0..<40 {
            cluster.step(.pilotEnded(host: 0, .blameless, reason: Self.reason))
            cluster.pass(2)
            cluster.step()
            cluster.step(.joined(host: 0, Cluster.facts(0, boot: "job \(number)")))
            #expect(cluster.core.state.openRuns[0] == 2)
        }
        #expect(cluster.core.state.endedCount(.failed) == 0)
    }

    @Test("A death that a run may have caused is held against it, as on any host")
    func doubtful() {
        var cluster = working()
        cluster.step(.pilotEnded(host: 0, .doubtful, reason: "job 7 ran out of memory"))
        #expect(cluster.voidCount == 1)
        #expect(cluster.core.state[1].losses == 1)
        #expect(cluster.core.state[1].failures == 0)
    }

    @Test("A run that had nearly all of a job's time and was not done would need another job for ever")
    func tooLong() {
        var cluster = working()
        cluster.step(.started(host: 0, [AttemptID(run: 1, lease: 1, attempt: 1)]))
        cluster.pass(50, hearing: [0])
        cluster.step(.started(host: 0, [AttemptID(run: 2, lease: 1, attempt: 1)]))
        cluster.pass(10, hearing: [0])
        cluster.step(.pilotEnded(host: 0, .walltime(60 * Timing.second), reason: "job 7 reached its time limit"))
        #expect(cluster.phase(1) == .ended(.failed, .timeout))
        #expect(cluster.phase(2) == .waiting)
    }

    @Test("When an end is noticed says nothing of how long a run had")
    func noticedLate() {
        var cluster = working()
        cluster.pass(20, hearing: [0])
        cluster.step(.started(host: 0, [AttemptID(run: 1, lease: 1, attempt: 1)]))
        cluster.pass(40, hearing: [0])
        cluster.pass(300)
        cluster.step(.pilotEnded(host: 0, .walltime(60 * Timing.second), reason: "job 7 reached its time limit"))
        #expect(cluster.phase(1) == .waiting)
    }

    @Test("What an ended job's agent had reported is in no way merged under a lease that is over")
    func fences() {
        var cluster = working()
        cluster.step(.pilotEnded(host: 0, .blameless, reason: Self.reason))
        cluster.step(.ended(host: 0, Cluster.ended(1, lease: 1)))
        #expect(cluster.phase(1) == .waiting)
        #expect(cluster.core.state.fencedCount == 1)
    }

    @Test("A pilot with room whose job ends before another run would be done has no time")
    func needsTime() {
        var cluster = working(runs: 8)
        cluster.step(.leaves(host: 0, at: cluster.now + 600 * Timing.second))
        // Such runs take 10 s.
        for run in 1...2 { cluster.step(.ended(host: 0, Cluster.ended(run, lease: 1))) }
        #expect(cluster.core.state.openRuns[0] == 2)
        #expect(cluster.core.hasTime(0, now: cluster.now))
        cluster.step(.leaves(host: 0, at: cluster.now + 5 * Timing.second))
        for run in 3...8 {
            guard let lease = cluster.lease(of: run) else { continue }
            cluster.step(.ended(host: 0, Cluster.ended(run, lease: lease)))
        }
        #expect(cluster.core.state.openRuns[0] == 0)
        #expect(!cluster.core.hasTime(0, now: cluster.now))
        #expect(!cluster.core.state.hasReady(within: Octaves.of(Timing.second)))
        #expect(cluster.core.state.hasReady(within: Octaves.of(100 * Timing.second)))
        cluster.step(.leaves(host: 0, at: cluster.now + 3_600 * Timing.second))
        #expect(cluster.core.state.openRuns[0] == 2)
    }

    @Test("A queue is waited in: the sweep does not end because no host is there yet")
    func waits() {
        var cluster = Cluster(runs: 1, hosts: 1)
        cluster.step()
        for _ in 0..<100 {
            cluster.pass(30)
            #expect(cluster.step(.pilotWaits(host: 0, reason: "its job waits")).ending == nil)
        }
        let view = cluster.core.view(of: 0, running: 0, now: cluster.now)
        #expect(view.standing == .queued)
        #expect(view.problem == "its job waits")
    }
}
