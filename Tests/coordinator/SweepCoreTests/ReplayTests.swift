import Model
import TestKit
import Testing
@testable import SweepCore

@Suite("Replaying the journal")
struct ReplayTests {
    /// Random hosts that come, go, fail and lie, until the sweep ends.
    @Test("gives the state that living through it gave; every run ends once", arguments: UInt64(1)...200)
    func agrees(seed: UInt64) {
        var random = Chance(seed: seed)
        var cluster = Cluster(
            runs: 12, hosts: 3, setups: seed % 2 == 0 ? ["checkpoint:a", "checkpoint:b"] : [],
            boot: seed % 4 == 0 ? "booted:x" : nil)
        for _ in 0..<4_000 where !cluster.core.state.isFinished {
            cluster.disturb(&random)
        }
        cluster.calm()
        #expect(cluster.core.state.isFinished)
        let ends = cluster.records.compactMap { if case .runEnded(let run, _, _, _) = $0 { run } else { nil } }
        #expect(ends.sorted() == Array(1...cluster.core.state.runs.count))
        for run in 1...cluster.core.state.runs.count {
            let (lived, replayed) = (cluster.core.state[run], cluster.replayed[run])
            #expect(lived.phase == replayed.phase)
            #expect(lived.nextAttempt == replayed.nextAttempt)
            #expect(lived.failures == replayed.failures && lived.losses == replayed.losses)
        }
        #expect(cluster.core.state.openRuns == cluster.replayed.openRuns)
        #expect(cluster.core.state.openRuns.allSatisfy { $0 == 0 })
        #expect(cluster.core.state.waitingCounts.allSatisfy { $0 == 0 })
    }
}

extension Cluster {
    /// One thing that happens to the cluster.
    mutating func disturb(_ random: inout Chance) {
        let host = Int.random(in: 0..<3, using: &random)
        switch Int.random(in: 0..<10, using: &random) {
        case 0: step(.lost(host: host, reason: "cable"))
        case 1: pass(Int64.random(in: 1...40, using: &random))
        case 2, 3:
            if core.links[host].joined == nil {
                let held = core.state.leasesOfHost[host].filter { _ in Bool.random(using: &random) }
                join(host, leases: held.map { HeldLease(lease: $0, runs: core.state.openRuns(of: $0, host: host)) })
            }
        default:
            let failures: [FailureClass?] = [nil, nil, nil, .exitNonzero, .diskFull, .hostLost, .timeout]
            endOne(on: host, failures.randomElement(using: &random) ?? nil, &random)
        }
    }

    /// Some run that is leased anywhere ends on `host`, rightly or not.
    private mutating func endOne(on host: Int, _ failure: FailureClass?, _ random: inout Chance) {
        guard core.links[host].joined != nil else { return }
        let leased = core.state.runs.indices.map { $0 + 1 }.filter { lease(of: $0) != nil }
        guard let run = leased.randomElement(using: &random), case .leased(let lease, let attempts) = phase(run) else {
            return
        }
        let attempt = max(attempts.lowerBound, core.state[run].lastAttempt + 1)
        let provides = failure == nil ? SHA256.digest("cpt") : nil
        let ended = Cluster.ended(run, lease: lease, attempt: attempt, failure: failure, provides: provides)
        step(.ended(host: host, ended))
    }

    /// Faults stop: one host does the rest.
    mutating func calm() {
        for _ in 0..<400 where !core.state.isFinished {
            pass(70, hearing: core.links[0].joined == nil ? [] : [0])
            if core.links[0].joined == nil { join(0, slots: 8) }
            step(.heard(host: 0))
            for run in core.state.runs.indices.map({ $0 + 1 }) {
                guard case .leased(let lease, let attempts) = phase(run),
                    core.state.leases[lease]?.host == 0
                else { continue }
                let attempt = max(attempts.lowerBound, core.state[run].lastAttempt + 1)
                step(.ended(host: 0, Cluster.ended(run, lease: lease, attempt: attempt, provides: SHA256.digest("c"))))
            }
        }
    }
}
