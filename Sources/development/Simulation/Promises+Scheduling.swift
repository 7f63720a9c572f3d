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

    func checkTrial(_ host: String, _ count: Int) {
        guard let first = onTrial[host], count + state.openRunCount(on: host, since: first) > 1 else { return }
        fail("\(host) was paused, and gets \(count) runs before it gave a result")
    }

    /// What was under way when it was paused shows nothing.
    func endTrial(_ host: String, _ lease: LeaseNumber) {
        if let first = onTrial[host], lease >= first { onTrial[host] = nil }
    }
}
