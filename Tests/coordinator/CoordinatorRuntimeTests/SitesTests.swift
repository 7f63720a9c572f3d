import Formats
import Model
import SweepCore
import Testing
@testable import CoordinatorRuntime

@Suite("Sweeps on a cluster")
struct SitesTests {
    private func bench(
        _ cluster: FakeCluster, runs: Int = 40, nodes: ClosedRange<Int> = 1...4, only pilots: [Int]? = nil
    ) throws -> Bench {
        var site = SlurmSite(name: "hpc", time: 3_600 * Timing.second, nodes: nodes)
        (site.backlog, site.idle) = (4, 20 * Timing.second)
        return try Bench(runs: runs, cluster: (site, cluster), pilots: pilots)
    }

    /// Until the sweep ends; nil: it does not.
    private func run(_ bench: Bench, _ cluster: FakeCluster, turns: Int = 4_000) throws -> Ending? {
        for _ in 0..<turns {
            for _ in 0..<20 {
                if let ending = try bench.loop.turn(bench.inbox.take(timeout: 0)) { return ending }
            }
            bench.time.now += Timing.second
            cluster.turn()
        }
        return nil
    }

    @Test("An undisturbed sweep takes as many jobs as it may have, and leaves none")
    func undisturbed() throws {
        let cluster = FakeCluster(seed: 1)
        let bench = try bench(cluster)
        let ending = try run(bench, cluster)
        #expect(ending == .complete(allSucceeded: true))
        #expect(cluster.jobs.count == 4)
        #expect(cluster.liveCount == 0)
    }

    @Test(
        "Jobs end, answers get lost, the gateway dies, the queue shows too little: each run succeeds once, uncharged",
        arguments: UInt64(1)...40)
    func disturbed(_ seed: UInt64) throws {
        let cluster = FakeCluster(seed: seed)
        cluster.trouble = 1 + seed % 5
        let bench = try bench(cluster)
        let ending = try run(bench, cluster)
        #expect(ending == .complete(allSucceeded: true))
        let state = bench.loop.state
        for number in 1...40 {
            #expect(state[number].failures + state[number].losses == 0)
            let merged = bench.ledger.ends.count { $0.id.run == number && $0.failure == nil }
            #expect(merged == 1, "run \(number)")
        }
        #expect(state.disagreements == 0)
        #expect(cluster.mostLive <= 8, "jobs whose submission was not answered are found again")
        #expect(cluster.liveCount <= 1, "but one that was submitted at the last moment")
    }

    @Test("The checks above notice: deaths that a run may have caused are counted as losses")
    func notices() throws {
        var losses = 0
        for seed in UInt64(1)...10 {
            let cluster = FakeCluster(seed: seed)
            (cluster.trouble, cluster.ends) = (5, ["OUT_OF_MEMORY"])
            let bench = try bench(cluster)
            _ = try run(bench, cluster)
            for number in 1...40 { losses += bench.loop.state[number].losses }
        }
        #expect(losses > 0)
    }

    @Test("A node on which the agent refuses the sweep is left; the pilot's next job is elsewhere", arguments: [1, 4])
    func refused(nodes: Int) throws {
        let cluster = FakeCluster(seed: 7)
        cluster.uselessNode = "n1"
        let bench = try bench(cluster, nodes: 1...nodes)
        let ending = try run(bench, cluster)
        #expect(ending == .complete(allSucceeded: true))
        let useless = cluster.jobs.filter { $0.node == "n1" }
        #expect(useless.count == 1 && useless.allSatisfy { $0.state == "CANCELLED" })
        #expect(cluster.jobs.count == nodes + 1, "no job but that one was for nothing")
    }

    @Test("Of a cluster's pilots any may be used alone, under its own name")
    func onlyOne() throws {
        let cluster = FakeCluster(seed: 2)
        let bench = try bench(cluster, runs: 4, only: [3])
        let ending = try run(bench, cluster)
        #expect(ending == .complete(allSucceeded: true))
        #expect(cluster.jobs.map(\.name) == ["s-1.3"])
        #expect(cluster.folders == ["pilots/s-1/3"])
    }

    @Test("A login node that lacks something for a while, or prints without end, costs a sweep nothing but time")
    func badLogins() throws {
        let cluster = FakeCluster(seed: 1)
        (cluster.failingLogins, cluster.noisyLogins) = (2, 2)
        let bench = try bench(cluster)
        var problems: Set<String> = []
        bench.loop.observer = { loop, _ in problems.insert(loop.hostView(0).problem) }
        #expect(try run(bench, cluster) == .complete(allSucceeded: true))
        #expect(problems.contains { $0.contains("hpc: its login printed more than 1 MiB") }, "\(problems)")
        #expect(problems.contains { $0.contains("hpc: the disk is full") }, "\(problems)")
        #expect(cluster.liveCount == 0)
    }

    @Test("A login node without Slurm ends a sweep that has no other hosts, and says what to do")
    func withoutSlurm() throws {
        let cluster = FakeCluster(seed: 1)
        cluster.lacksSlurm = true
        let bench = try bench(cluster)
        guard case .noHost = try run(bench, cluster, turns: 30) else {
            Issue.record("it is asked again and again")
            return
        }
        #expect(cluster.logins == 1)
        for pilot in 0..<4 {
            #expect(bench.loop.hostView(pilot).standing == .refused)
            #expect(bench.problem(pilot).hasPrefix("hpc: login has no Slurm: there is no program squeue in the PATH"))
            #expect(bench.problem(pilot).hasSuffix("usweep doctor -i INVENTORY"))
        }
    }

    @Test("Slurm that is gone from a login node for a while is waited for")
    func slurmComesBack() throws {
        let cluster = FakeCluster(seed: 1)
        let bench = try bench(cluster)
        var problems: Set<String> = []
        bench.loop.observer = { loop, _ in problems.insert(loop.hostView(0).problem) }
        cluster.isFull = true
        #expect(try run(bench, cluster, turns: 5) == nil)
        cluster.lacksSlurm = true
        #expect(try run(bench, cluster, turns: 5) == nil)
        #expect(problems.contains("the queue of hpc cannot be read: there is no program squeue in its PATH"))
        (cluster.lacksSlurm, cluster.isFull) = (false, false)
        #expect(try run(bench, cluster) == .complete(allSucceeded: true))
    }

    @Test("A gateway that sends more than it was asked for is not heard any more")
    func overrun() throws {
        let connection = BridgedConnection(pilot: 1, observer: { _ in }, request: { _ in }, left: { _ in })
        connection.begin(1, job: "1", folder: "pilots/s/1", .srun)
        for _ in 0..<64 { try connection.receive([UInt8](repeating: 0, count: GatewayWindow.piece)) }
        connection.pause()
        #expect(throws: Failure.self) {
            for _ in 0..<64 { try connection.receive([UInt8](repeating: 0, count: GatewayWindow.piece)) }
        }
    }

    @Test("A queue in which nothing moves is waited in for a day, and Ctrl-C ends that")
    func waits() throws {
        let cluster = FakeCluster(seed: 3)
        cluster.isFull = true
        let bench = try bench(cluster)
        for _ in 0..<24 * 60 {
            for _ in 0..<3 {
                let ending = try bench.loop.turn(bench.inbox.take(timeout: 0))
                try #require(ending == nil)
            }
            bench.time.now += 50 * Timing.second
            cluster.turn()
        }
        #expect(bench.loop.hostView(0).standing == .queued)
        #expect(bench.problem() == "its job waits: the scheduler has not looked at it yet")
        bench.inbox.put(.request(.interrupt(byKey: true)))
        let ending = try bench.loop.turn(bench.inbox.take(timeout: 0))
        #expect(ending == .interrupted)
    }
}
