import Model

/// How well a host handles its runs. A host that keeps failing is paused: it gets no runs for some time, and then a
/// single one. If that run gives a result, the host is used again; otherwise the next pause is twice as long.
struct HostHealth: Sendable {
    /// Attempts in a row that failed for a reason that lies in the host, as far as their class tells.
    var troubles = 0
    /// Runs in a row that failed for a reason that may lie in them or in the host, and on no other host.
    var strikes: [RunNumber] = []
    /// Runs in a row that took far longer than predicted.
    var slowRuns = 0
    /// How often in a row it was paused.
    var pauses = 0
    var pausedUntil: Nanoseconds = .min
    /// Whether it gets one run only, as it was paused before.
    var isOnTrial = false
    /// What was granted before says nothing of how the host is since it was paused.
    var firstLease: LeaseNumber = 0

    static let most = 3

    mutating func recover() { self = HostHealth() }
}

extension Coordinator {
    func isUsable(_ host: Int, _ now: Nanoseconds) -> Bool { links[host].isUsable(now) && !isFenced(host) }

    /// How many runs a host may have at a time, for now: on trial, one beside those that it had before.
    func allowedSlots(of host: Int) -> Int {
        guard links[host].health.isOnTrial else { return links[host].slots }
        let first = links[host].health.firstLease
        let older = state.leasesOfHost[host].reduce(0) { $1 < first ? $0 + (state.leases[$1]?.open ?? 0) : $0 }
        return min(older + 1, links[host].slots)
    }

    /// - Parameters:
    ///   - isNews: whether it shows a death of the host that was not known. A death is one failure, however many runs
    ///     it took.
    ///   - prediction: of how long the run takes there.
    mutating func noteHealth(
        _ host: Int, _ judged: Judged, isNews: Bool, _ prediction: RunPrediction?, _ now: Nanoseconds,
        _ records: inout [Record]
    ) {
        let run = judged.report.id.run
        // What was under way when it was paused tells nothing of how it is since.
        let isOld = judged.report.id.lease < links[host].health.firstLease
        guard let failure = judged.failure else {
            links[host].hasSucceeded = true
            if isOld { return }
            return noteSuccess(host, run, judged.report.wallNanoseconds, prediction, now, &records)
        }
        switch failure.remedy {
        case .giveUp: break
        case .retryAnywhere:
            noteStrike(host, run, isOld: isOld, "\(failure.rawValue): \(judged.evidence)", now, &records)
        case .retryElsewhere, .retryUncounted:
            if failure.isDeathOfHost ? !isNews : isOld { return }
            noteTrouble(host, "\(failure.rawValue): \(judged.evidence)", atOnce: failure == .diskFull, now, &records)
        }
    }

    mutating func noteTrouble(
        _ host: Int, _ reason: String, atOnce: Bool = false, _ now: Nanoseconds, _ records: inout [Record]
    ) {
        links[host].health.troubles += 1
        if links[host].health.troubles >= HostHealth.most || atOnce || links[host].health.isOnTrial {
            pauseHost(host, reason, now, &records)
        }
    }

    /// A failure tells of the host only where the same run does not fail on others, and these do well.
    private mutating func noteStrike(
        _ host: Int, _ run: RunNumber, isOld: Bool, _ reason: String, _ now: Nanoseconds, _ records: inout [Record]
    ) {
        let others = (state.failedItselfOn[run] ?? []).filter { $0 != host }
        for other in others { acquit(other, of: run, now) }
        guard others.isEmpty else { return }
        if !links[host].health.strikes.contains(run) { links[host].health.strikes.append(run) }
        if isOld { return }
        let othersDoWell = links.indices.contains { $0 != host && links[$0].hasSucceeded }
        guard othersDoWell, links[host].health.strikes.count >= HostHealth.most || links[host].health.isOnTrial
        else { return }
        pauseHost(host, "runs fail on it that failed on no other host: \(reason)", now, &records)
    }

    /// The run fails elsewhere, too: it is the run.
    private mutating func acquit(_ host: Int, of run: RunNumber, _ now: Nanoseconds) {
        guard links.indices ~= host, links[host].health.strikes.contains(run) else { return }
        links[host].health.strikes.removeAll { $0 == run }
        guard links[host].health.strikes.count < HostHealth.most, links[host].health.troubles == 0,
            links[host].health.slowRuns == 0
        else { return }
        links[host].health.pausedUntil = min(links[host].health.pausedUntil, now)
        news.insert(host)
    }

    private mutating func noteSuccess(
        _ host: Int, _ run: RunNumber, _ wall: Nanoseconds, _ prediction: RunPrediction?, _ now: Nanoseconds,
        _ records: inout [Record]
    ) {
        guard let prediction, wall / HostHealth.slowFactor >= prediction.high,
            state.times.isKnown(run, group: Int(state[run].group), elsewhereThan: host)
        else {
            return links[host].health.recover()
        }
        links[host].health.troubles = 0
        links[host].health.slowRuns += 1
        // Slow is better than nothing.
        guard links.indices.contains(where: { $0 != host && isUsable($0, now) }) else { return }
        if links[host].health.slowRuns >= HostHealth.most || links[host].health.isOnTrial {
            let (took, should) = (PeopleText.span(wall), PeopleText.span(prediction.expected))
            let reason = "its runs take far longer than predicted, for example run \(run): \(took) instead of \(should)"
            pauseHost(host, reason, now, &records)
        }
    }

    private mutating func pauseHost(_ host: Int, _ reason: String, _ now: Nanoseconds, _ records: inout [Record]) {
        // What was under way meanwhile tells nothing new.
        guard now >= links[host].health.pausedUntil else { return }
        let pauses = links[host].health.pauses
        links[host].health.troubles = 0
        links[host].health.pausedUntil = now + plan.timing.hostPause << Nanoseconds(min(pauses, 4))
        links[host].health.pauses = pauses + 1
        links[host].health.firstLease = state.nextLease
        links[host].health.isOnTrial = !faults.contains(.trustsTheSick)
        decide(.hostPaused(host: plan.hosts[host], reason: reason), &records)
    }
}

extension HostHealth {
    /// How many times longer than the upper bound of what is predicted a run must take to tell of its host.
    static let slowFactor: Nanoseconds = 2
}
