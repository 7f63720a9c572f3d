import Model
import Testing
@testable import SweepCore


/// Hosts have 16 GiB and 8 slots.
@Suite("Memory on the hosts")
struct MemoryTests {
    private func granted(_ memory: MemoryRule) -> Int {
        var cluster = Cluster(runs: 40, hosts: 1, agentRetries: false, memory: memory)
        return cluster.join(0, slots: 8).granted(to: 0).count
    }

    @Test("No more runs than fit")
    func fixed() {
        #expect(granted(.uncounted) == 8)
        #expect(granted(.fixed(4 << 30)) == 4)
        #expect(granted(.fixed(17 << 30)) == 0)
    }

    @Test("A guess that fits nowhere keeps no host out")
    func guess() {
        #expect(granted(.learned(firstGuess: 4 << 30)) == 4)
        #expect(granted(.learned(firstGuess: 64 << 30)) == 1)
    }

    @Test("What runs took is learned: more runs at a time, and fewer")
    func learned() {
        var cluster = Cluster(runs: 40, hosts: 1, agentRetries: false, memory: .learned(firstGuess: 4 << 30))
        cluster.join(0, slots: 8)
        #expect(cluster.core.state.memoryBytes(of: 1) == 4 << 30)
        // A quarter more than 2 GiB: six fit.
        cluster.step(.ended(host: 0, Cluster.ended(1, lease: 1, wall: 1_000 * Timing.second, peak: 2 << 30)))
        #expect(cluster.core.state.memoryBytes(of: 2) == 5 << 29)
        #expect(cluster.core.state.openRuns[0] == 6)
        #expect(cluster.replayed.memoryBytes(of: 2) == 5 << 29)
        // Less than before teaches nothing, more does.
        cluster.step(.ended(host: 0, Cluster.ended(2, lease: 1, wall: 1_000 * Timing.second, peak: 1 << 30)))
        #expect(cluster.core.state.memoryBytes(of: 3) == 5 << 29)
        cluster.step(.ended(host: 0, Cluster.ended(3, lease: 1, wall: 1_000 * Timing.second, peak: 8 << 30)))
        #expect(cluster.core.state.memoryBytes(of: 4) == 10 << 30)
    }

    @Test("Where no host has the memory that a run needs, the sweep ends and says so, instead of waiting for ever")
    func nowhere() {
        var cluster = Cluster(runs: 4, hosts: 2, memory: .fixed(17 << 30))
        cluster.join(0)
        let effects = cluster.join(1)
        let endings = effects.compactMap { if case .finish(let ending) = $0 { ending } else { nil } }
        guard case .noHost(let reason) = endings.first else {
            Issue.record("\(effects)")
            return
        }
        #expect(reason.contains("h1: a run needs 17 GiB of memory (limits.memory), and it has 16 GiB for runs"))
    }

    @Test("An attempt that is said to have taken all the memory that there can be does no harm")
    func everything() {
        var cluster = Cluster(runs: 4, hosts: 1, agentRetries: false, memory: .learned(firstGuess: 4 << 30))
        cluster.join(0)
        cluster.step(.ended(host: 0, Cluster.ended(1, lease: 1, peak: .max)))
        #expect(cluster.core.state.memoryBytes(of: 2) == .max && cluster.core.state.openRuns[0] == 1)
    }

    @Test("No host gets more runs than its agent could name in one message")
    func slots() {
        var cluster = Cluster(runs: 40_000, hosts: 1, agentRetries: false)
        cluster.join(0, slots: 1 << 20)
        for _ in 0..<40 { cluster.step() }
        #expect(cluster.core.state.openRuns[0] == Coordinator.mostSlots)
    }

    @Test("Setups and evaluations are of two kinds")
    func kinds() {
        var cluster = Cluster(
            runs: 4, hosts: 1, agentRetries: false, setups: ["a"], memory: .learned(firstGuess: 4 << 30))
        cluster.join(0)
        let digest = SHA256.digest("checkpoint")
        cluster.step(.ended(host: 0, Cluster.ended(5, lease: 1, provides: digest, peak: 1 << 30)))
        #expect(cluster.core.state.memoryBytes(of: 5) == 5 << 28)
        #expect(cluster.core.state.memoryBytes(of: 1) == 4 << 30)
    }
}
