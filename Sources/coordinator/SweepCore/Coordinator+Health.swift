import Model

/// How well a host does by what it was given. A host that keeps failing gets nothing for a while; then one run, and
/// with a result of that it is taken back. Each time that this fails the while is twice as long.
struct HostHealth: Sendable {
    /// Attempts in a row that failed for a reason that lies in the host, as far as their class tells.
    var troubles = 0
    /// Runs in a row that failed for a reason that may lie in them or in the host, and on no other host.
    var strikes: [RunNumber] = []
    /// Runs in a row that took far longer than predicted.
    var slowRuns = 0
    /// How often in a row it rested.
    var rests = 0
    var restUntil: Nanoseconds = .min
    /// Whether it gets one run only, as it rested before.
    var isOnTrial = false

    static let most = 3

    mutating func recover() { self = HostHealth() }
}

extension Coordinator {
    func isUsable(_ host: Int, _ now: Nanoseconds) -> Bool {
        let link = links[host]
        return link.slots > 0 && link.closed == nil && now >= link.health.restUntil && (link.ends ?? .max) > now
    }

    /// How many runs a host may have at a time, for now.
    func allowedSlots(of host: Int) -> Int {
        links[host].health.isOnTrial ? min(1, links[host].slots) : links[host].slots
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
        guard let failure = judged.failure else {
            return noteSuccess(host, run, judged.report.wallNanoseconds, prediction, now, &records)
        }
        switch failure.remedy {
        case .giveUp: break
        case .retryAnywhere: noteStrike(host, run, "\(failure.rawValue): \(judged.evidence)", now, &records)
        case .retryElsewhere, .retryUncounted:
            if failure.isDeathOfHost, !isNews { return }
            noteTrouble(host, "\(failure.rawValue): \(judged.evidence)", atOnce: failure == .diskFull, now, &records)
        }
    }

    mutating func noteTrouble(
        _ host: Int, _ reason: String, atOnce: Bool = false, _ now: Nanoseconds, _ records: inout [Record]
    ) {
        links[host].health.troubles += 1
        if links[host].health.troubles >= HostHealth.most || atOnce || links[host].health.isOnTrial {
            rest(host, reason, now, &records)
        }
    }

    /// A failure tells of the host only where the same run does not fail on others, and these do well.
    private mutating func noteStrike(
        _ host: Int, _ run: RunNumber, _ reason: String, _ now: Nanoseconds, _ records: inout [Record]
    ) {
        let others = (state.failedOn[run] ?? []).filter { $0 != host }
        for other in others { acquit(other, of: run, now) }
        guard others.isEmpty else { return }
        if !links[host].health.strikes.contains(run) { links[host].health.strikes.append(run) }
        let isAlone = links.indices.contains { $0 != host && links[$0].hasSucceeded }
        guard isAlone, links[host].health.strikes.count >= HostHealth.most || links[host].health.isOnTrial else {
            return
        }
        rest(host, "it fails what no other host has failed: \(reason)", now, &records)
    }

    /// The run fails elsewhere, too: it is the run.
    private mutating func acquit(_ host: Int, of run: RunNumber, _ now: Nanoseconds) {
        guard links.indices ~= host, links[host].health.strikes.contains(run) else { return }
        links[host].health.strikes.removeAll { $0 == run }
        guard links[host].health.strikes.count < HostHealth.most, links[host].health.troubles == 0,
            links[host].health.slowRuns == 0
        else { return }
        links[host].health.restUntil = min(links[host].health.restUntil, now)
    }

    private mutating func noteSuccess(
        _ host: Int, _ run: RunNumber, _ wall: Nanoseconds, _ prediction: RunPrediction?, _ now: Nanoseconds,
        _ records: inout [Record]
    ) {
        links[host].hasSucceeded = true
        guard let prediction, wall / HostHealth.slowFactor >= prediction.high else {
            return links[host].health.recover()
        }
        links[host].health.troubles = 0
        links[host].health.slowRuns += 1
        if links[host].health.slowRuns >= HostHealth.most || links[host].health.isOnTrial {
            let (took, should) = (PeopleText.span(wall), PeopleText.span(prediction.expected))
            let reason = "its runs take far longer than predicted: run \(run) \(took) instead of \(should)"
            rest(host, reason, now, &records)
        }
    }

    private mutating func rest(_ host: Int, _ reason: String, _ now: Nanoseconds, _ records: inout [Record]) {
        // What was under way meanwhile tells nothing new.
        guard now >= links[host].health.restUntil else { return }
        let rests = links[host].health.rests
        links[host].health.troubles = 0
        links[host].health.restUntil = now + plan.timing.rest << Nanoseconds(min(rests, 4))
        links[host].health.rests = rests + 1
        links[host].health.isOnTrial = !faults.contains(.trustsTheSick)
        decide(.hostRested(host: plan.hosts[host], reason: reason), &records)
    }
}

extension HostHealth {
    /// How many times longer than the upper bound of what is predicted a run must take to tell of its host.
    static let slowFactor: Nanoseconds = 2
}
