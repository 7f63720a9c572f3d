import Model
import Testing
@testable import SweepCore


@Suite("A sweep whose runs fail alike is paused")
struct PauseTests {
    /// One host with `slots`, whose runs fail or succeed as they are told to, each at its only attempt.
    private func cluster(runs: Int = 10, slots: Int = 1, after count: Int? = 3) -> Cluster {
        var cluster = Cluster(runs: runs, hosts: 1, failures: 1, stopAfter: count)
        cluster.join(0, slots: slots)
        return cluster
    }

    /// Ends a run that the host has.
    @discardableResult
    private func end(_ run: RunNumber, _ failure: FailureClass?, _ cluster: inout Cluster) -> [Effect] {
        guard let lease = cluster.lease(of: run) else {
            Issue.record("run \(run) is not leased")
            return []
        }
        return cluster.step(.ended(host: 0, Cluster.ended(run, lease: lease, failure: failure)))
    }

    @Test("after as many as the sweep says; what is left is not begun, also by the next coordinator")
    func after() {
        var cluster = cluster()
        end(1, .timeout, &cluster)
        end(2, .timeout, &cluster)
        let ending = end(3, .timeout, &cluster).ending
        #expect(ending == .paused(FailureSeries(failure: .timeout, count: 3)))
        #expect(cluster.phase(4) == .waiting)
        var next = Cluster(cluster.replayed)
        #expect(next.join(0, slots: 1).ending == ending)
        #expect(next.phase(4) == .waiting)
    }

    @Test("after three where nothing could be started, unless a run has succeeded before")
    func nothingStarts() {
        var cluster = cluster(after: 10)
        for run in 1...2 { #expect(end(run, .spawn, &cluster).ending == nil) }
        #expect(end(3, .spawn, &cluster).ending == .paused(FailureSeries(failure: .spawn, count: 3)))
        var other = self.cluster(after: 10)
        end(1, nil, &other)
        for run in 2...4 { #expect(end(run, .spawn, &other).ending == nil) }
        #expect(other.core.pause == nil)
        // A host that has not joined yet may have the program.
        var two = Cluster(runs: 10, hosts: 2, failures: 1, stopAfter: 10)
        two.join(0, slots: 1)
        for run in 1...3 { end(run, .spawn, &two) }
        #expect(two.core.pause == nil)
    }

    @Test("but goes on where a run that was under way succeeds")
    func success() {
        var cluster = cluster(slots: 2)
        for run in [1, 3, 4] { end(run, .timeout, &cluster) }
        #expect(cluster.core.pause?.count == 3)
        #expect(cluster.phase(5) == .waiting)
        #expect(end(2, nil, &cluster).ending == nil)
        #expect(cluster.lease(of: 5) != nil && cluster.lease(of: 6) != nil)
    }

    @Test("waits for what is under way before it ends")
    func waits() {
        var cluster = cluster(slots: 2)
        for run in [1, 3] { #expect(end(run, .timeout, &cluster).ending == nil) }
        #expect(end(4, .timeout, &cluster).ending == nil)
        #expect(end(2, .timeout, &cluster).ending == .paused(FailureSeries(failure: .timeout, count: 4)))
    }

    @Test("not for failures of different classes, nor where runs between them succeed")
    func mixed() {
        var cluster = cluster()
        for (run, failure) in [
            (1, .timeout), (2, .timeout), (3, .guestPanic), (4, .timeout), (5, .timeout), (6, nil), (7, .timeout),
            (8, .timeout),
        ] as [(RunNumber, FailureClass?)] {
            #expect(end(run, failure, &cluster).ending == nil)
        }
        #expect(cluster.lease(of: 9) != nil)
    }

    @Test("not where nothing was said, and not where somebody wants to go on")
    func never() {
        var silent = cluster(after: nil)
        for run in 1...9 { #expect(end(run, .timeout, &silent).ending == nil) }
        var paused = cluster()
        for run in 1...3 { end(run, .timeout, &paused) }
        var goesOn = Cluster(paused.replayed, keepsGoing: true)
        goesOn.join(0, slots: 1)
        #expect(goesOn.lease(of: 4) != nil)
    }

    @Test("and goes on once what failed is tried again, or the file was edited")
    func again() {
        var paused = cluster()
        for run in 1...3 { end(run, .timeout, &paused) }
        let runs = paused.core.state.plan.groups[0].runs
        let edited = Revision(number: 2, specification: "", runs: runs, madeAt: 0)
        for record in [Record.runReopened(run: 1, reason: "test"), .revised(edited)] {
            var state = paused.replayed
            state.apply(record)
            var next = Cluster(state)
            #expect(next.join(0, slots: 1).ending == nil)
            #expect(!next.core.state.leases.isEmpty)
        }
    }

    @Test("Runs that never start, since their setup failed, do not count")
    func dependents() {
        var cluster = Cluster(runs: 8, hosts: 1, failures: 1, setups: ["a", "b"], stopAfter: 3)
        cluster.join(0, slots: 1)
        end(9, .timeout, &cluster)
        #expect(cluster.phase(1) == .ended(.failed, .timeout))
        #expect(cluster.lease(of: 10) != nil)
    }
}
