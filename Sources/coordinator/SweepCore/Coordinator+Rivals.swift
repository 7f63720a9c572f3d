import Model

/// Which of several hosts continues a run that was given to a second one while the first was silent.
///
/// Nothing is decided while one of the hosts is unreachable or has not yet reported what has ended there, because a
/// complete result counts, whichever attempt began first. Of attempts that are still running, the one that began first
/// is kept: it will probably end first, and ending it would lose the most work.
extension Coordinator {
    mutating func settleRivals(_ now: Nanoseconds, _ records: inout [Record]) {
        for run in state.contested.sorted() {
            let live = state.claims(on: run).filter { isLive($0, now) }
            guard live.count > 1, !live.contains(where: { isReported(run, $0) }) else { continue }
            let order = live.sorted { left, right in
                (beginning(run, left), left.lease) < (beginning(run, right), right.lease)
            }
            let ahead = faults.contains(.adoptsTheYounger) ? order[order.count - 1] : order[0]
            adopt(run, ahead, "\(plan.hosts[host(of: ahead)]) began it first", &records)
        }
    }

    /// Whether its host is there, and had the time to look through what ended meanwhile.
    private func isLive(_ claim: Claim, _ now: Nanoseconds) -> Bool {
        let host = host(of: claim)
        guard host >= 0, let caughtUpAt = links[host].joined?.caughtUpAt else { return false }
        return now - caughtUpAt >= plan.timing.settling
    }

    private func isReported(_ run: RunNumber, _ claim: Claim) -> Bool {
        links[host(of: claim)].joined?.underWay.contains { $0.run == run && $0.lease == claim.lease } ?? false
    }

    /// What was granted in an earlier life of this process began then; what was granted in this one and was not seen
    /// to begin still waits on its host, or is on its way; and what a host had before it was started again begins anew.
    private func beginning(_ run: RunNumber, _ claim: Claim) -> Nanoseconds {
        let host = host(of: claim)
        if host >= 0, state.leases[claim.lease]?.bootID != state.bootOfHost[host] { return .max }
        let begun = begun[AttemptPlace(run: run, lease: claim.lease)]
        if let begun, begun.attempt >= claim.attempts.lowerBound { return begun.time }
        return claim.lease < firstLeaseOfLife ? .min : .max
    }

    /// One claim goes on, the others end.
    mutating func adopt(_ run: RunNumber, _ claim: Claim, _ reason: String, _ records: inout [Record]) {
        let others = state.claims(on: run).filter { $0 != claim }.map { ($0, host: host(of: $0)) }
        decide(.runAdopted(run: run, lease: claim.lease, reason: reason), &records)
        for (other, host) in others { withdraw(run, other, host) }
    }

    /// Tells a host that it need not go on with a run. One that is away is told when it joins.
    mutating func withdraw(_ run: RunNumber, _ claim: Claim, _ host: Int) {
        guard host >= 0, links[host].joined != nil, !faults.contains(.forgetsWithdrawals) else { return }
        if state.openRuns(of: claim.lease, host: host).isEmpty {
            links[host].joined?.toRevoke.append(claim.lease)
        } else {
            links[host].joined?.toCancel.append(run)
        }
        news.insert(host)
    }

    /// A host has told what had ended when it joined. Suspects that it has still, in whatever company, are tried
    /// again in the company that they may have.
    mutating func catchUp(_ host: Int, _ now: Nanoseconds, _ records: inout [Record]) {
        links[host].joined?.caughtUpAt = now
        news.insert(host)
        let slots = max(1, links[host].slots)
        guard state.openRuns[host] > state.company(on: host, slots: slots) else { return }
        for lease in state.leasesOfHost[host] {
            for run in state.openRuns(of: lease, host: host) where state.isSuspect(run) {
                guard let claim = state.claim(of: lease, on: run), !isReported(run, claim) else { continue }
                decide(
                    .runWithdrawn(
                        run: run, lease: lease, reason: "its host died again while it was running beside others"),
                    &records)
                withdraw(run, claim, host)
            }
        }
    }

    // MARK: What hosts say of their attempts

    mutating func noteStarts(_ host: Int, _ attempts: [AttemptID], _ now: Nanoseconds) {
        links[host].lastHeard = now
        for id in attempts where state.runs.indices ~= id.run - 1 && state.claim(of: id.lease, on: id.run) != nil {
            let place = AttemptPlace(run: id.run, lease: id.lease)
            links[host].unseen.remove(id.lease)
            // An agent may say it again when it joins.
            guard id.attempt > begun[place]?.attempt ?? 0 else { continue }
            begun[place] = Beginning(attempt: id.attempt, time: now)
        }
    }

    mutating func noteReport(_ host: Int, _ id: AttemptID) {
        links[host].joined?.underWay.insert(id)
        links[host].unseen.remove(id.lease)
    }

    /// Entries of attempts whose leases ended otherwise than by a report would stay for ever.
    mutating func forgetBeginnings() {
        guard begun.count > 2 * state.openRuns.reduce(0, +) + 4_096 else { return }
        begun = begun.filter { state.claim(of: $0.key.lease, on: $0.key.run) != nil }
    }
}
