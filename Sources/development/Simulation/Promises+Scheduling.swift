import Model
import SweepCore

/// Whether runs are begun a second time as promised, and hosts that were paused are tried with one run.
extension Promises {
    func begunAgain(_ run: RunNumber, _ lease: LeaseNumber) {
        world.counts.note("second start")
        secondStarts.insert(lease)
        let claims = state.claims(on: run)
        if claims.count != 1 { fail("run \(run) is begun a second time, and \(claims.count) hosts have it") }
    }

    /// An attempt has failed. It is not applied yet.
    func noteHalf(_ id: AttemptID) {
        let claims = state.claims(on: id.run)
        let isHalf = claims.count > 1 && claims.contains { secondStarts.contains($0.lease) }
        halfFailed[id.run] = isHalf ? id.attempt : nil
    }

    /// Whoever kills hosts may be found out while several have it.
    func checkHalf(_ run: RunNumber, _ final: RunState, _ failure: FailureClass?, by attempt: AttemptNumber) {
        let hasOther = state.claims(on: run).contains { !$0.attempts.contains(attempt) }
        guard halfFailed.removeValue(forKey: run) == attempt, hasOther, failure != .hostLost,
            failure != .supervisorLost
        else { return }
        if final == .failed || final == .quarantined {
            fail("run \(run) has ended \(final.rawValue) while another attempt that was begun on purpose goes on")
        }
    }

    /// A host was granted runs: what is reserved for all that it has is no more than its memory, but for one alone.
    func checkMemory(_ host: String) {
        guard case .learned = state.plan.memory, let memory = holder(host)?.memoryBytes else { return }
        let runs = state.openRuns(on: host)
        let reserved = runs.map { state.memoryBytes(of: $0) ?? 0 }
        let sum = reserved.reduce(0, +)
        if runs.count > 1, sum > memory { fail("\(host) is granted \(runs.count) runs of \(sum) bytes in all") }
        if runs.count > 1, let largest = reserved.max(), Int64(runs.count) * largest > memory {
            world.counts.note("small runs beside large ones")
        }
    }

    func checkTrial(_ host: String, _ count: Int) {
        guard let first = onTrial[host], count + state.openRunCount(on: host, since: first) > 1 else { return }
        fail("\(host) was paused, and gets \(count) runs before it gave a result")
    }

    /// What was under way when it was paused shows nothing.
    func endTrial(_ host: String, _ lease: LeaseNumber) {
        if let first = onTrial[host], lease >= first { onTrial[host] = nil }
    }
}
