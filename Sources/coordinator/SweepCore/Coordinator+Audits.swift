import Model

/// Audits (`launch --audit`): some runs are run again on another host, which must produce the same numbers.
///
/// An audit is started as soon as a run has succeeded and another host has room, even before waiting runs: the later a
/// host with wrong numbers is found, the more wrong results it has produced. If two hosts differ, it is not known which
/// one is wrong; a third host decides. A host that is outvoted is fenced, unless some run has shown that results vary
/// by themselves.
extension Coordinator {
    /// Fences who is outvoted, and ends audits that nobody needs or that are with hosts which are silent for long.
    mutating func settleAudits(_ now: Nanoseconds, _ records: inout [Record]) {
        while state.fickleAudits.isEmpty, let run = state.outvotedAudits.min(),
            case .outvoted(let host)? = state.verdict(on: run)
        {
            fence(host, run, &records)
        }
        for run in state.auditClaims.keys.sorted() {
            guard let claim = state.auditClaims[run], let reason = reasonToEnd(claim, on: run, now) else { continue }
            let host = host(of: claim)
            decide(.runWithdrawn(run: run, lease: claim.lease, reason: reason), &records)
            withdraw(run, claim, host)
        }
    }

    private func reasonToEnd(_ claim: Claim, on run: RunNumber, _ now: Nanoseconds) -> String? {
        if cancelDeadline != nil { return "the sweep was stopped" }
        if !state.openAudits.contains(run) { return "its result no longer counts, or is no longer audited" }
        let host = host(of: claim)
        guard isAvailable(run, claim, now) else { return nil }
        return "\(host < 0 ? "its host" : plan.hosts[host]), which audits it, has been silent for too long"
    }

    private mutating func fence(_ host: String, _ run: RunNumber, _ records: inout [Record]) {
        let agreeing = state.asked(about: run).filter { $0 != host && state.audits[run]?.failedOn.contains($0) != true }
        var reason = "run \(run) gave different numbers on \(host) than on \(PeopleText.list(agreeing))"
        // Nobody can tell what came of them. To make them anew is to do everything anew.
        let makers = state.makers.map(\.run).filter { state.countedHost(of: $0) == host }.sorted()
        if !makers.isEmpty {
            let runs = PeopleText.list(makers.map { "run \($0)" }, atMost: 8)
            reason += "; it also made the checkpoints of \(runs), which --repin makes again"
        }
        if let index = state.hostIndex[host] {
            for lease in state.leasesOfHost[index] {
                for run in state.openRuns(of: lease, host: index) {
                    guard let claim = state.claim(of: lease, on: run) else { continue }
                    decide(.runWithdrawn(run: run, lease: lease, reason: "\(host) was fenced"), &records)
                    withdraw(run, claim, index)
                }
            }
            news.insert(index)
        }
        decide(.hostFenced(host: host, reason: reason, runs: state.results(of: host)), &records)
    }

    /// Whether a host was fenced: it gets nothing more.
    func isFenced(_ host: Int) -> Bool {
        !state.fencedHosts.isEmpty && state.fencedHosts[plan.hosts[host]] != nil && !faults.contains(.trustsTheFenced)
    }

    // MARK: Beginning them

    mutating func grantAudits(_ now: Nanoseconds, _ records: inout [Record]) {
        // There may be thousands that wait for a third host.
        let isFew = state.openAudits.count * links.count <= Coordinator.fewLooks
        guard pause == nil, !state.openAudits.isEmpty, isFew || now >= nextAudits else { return }
        nextAudits = now + Timing.second
        for run in state.openAudits.sorted() where state.auditClaims[run] == nil && !state.isSuspect(run) {
            guard let host = hostForAudit(of: run, now) else { continue }
            let grant = Grant(run: run, firstAttempt: state[run].nextAttempt, attempts: 1)
            let lease = state.nextLease
            decide(.auditGranted(lease: lease, host: plan.hosts[host], grants: [grant]), &records)
            links[host].unseen.insert(lease)
            news.insert(host)
        }
    }

    /// At hosts in a step, for all audits that wait.
    private static let fewLooks = 1_024

    /// The one with most room.
    private func hostForAudit(of run: RunNumber, _ now: Nanoseconds) -> Int? {
        let asked = state.asked(about: run)
        var best: (host: Int, room: Int)?
        for host in links.indices where isUsable(host, now) && !links[host].health.isOnTrial {
            let slots = allowedSlots(of: host)
            let room = slots + ahead(slots: slots) - state.openRuns[host]
            guard room > best?.room ?? 0, state.company(on: host, slots: slots) == .max,
                !asked.contains(plan.hosts[host]), ends(run, on: host, now)
            else { continue }
            best = (host, room)
        }
        return best?.host
    }

    /// Whether a run would end before its host has to go.
    private func ends(_ run: RunNumber, on host: Int, _ now: Nanoseconds) -> Bool {
        guard let end = links[host].ends, let prediction = state.prediction(run, host: host) else { return true }
        return prediction.high < end - now - plan.timing.marginBeforeEnd
    }

    // MARK: The end

    /// Whether an audit is under way, or one is left that a host may still do.
    func awaitsAudits(_ now: Nanoseconds) -> Bool {
        if !state.auditClaims.isEmpty { return true }
        guard !state.openAudits.isEmpty, cancelDeadline == nil else { return false }
        let hosts = links.indices.filter { mayAudit($0, now) }
        return state.openAudits.contains { run in
            let asked = state.asked(about: run)
            return !state.isSuspect(run)
                && hosts.contains { !asked.contains(plan.hosts[$0]) && ends(run, on: $0, now) }
        }
    }

    /// Whether a host has room for a run, now or soon. Nobody waits for long only to audit.
    private func mayAudit(_ host: Int, _ now: Nanoseconds) -> Bool {
        let link = links[host]
        // One on trial is given no audit, and nothing is left that would end its trial.
        guard !isFenced(host), !link.health.isOnTrial, link.closed == nil, (link.ends ?? .max) > now else {
            return false
        }
        return switch link.phase {
        case .refused: false
        case .joined: link.slots > 0 || now - (link.joined?.since ?? now) < plan.timing.patienceAtStart
        case .away, .connecting: now - link.lastHeard < plan.timing.patienceAtStart
        }
    }

    /// An attempt at an audit has ended. What it gave is never merged.
    mutating func endAudit(_ host: Int, _ judged: Judged, _ records: inout [Record]) {
        let id = judged.report.id
        decide(
            .auditEnded(
                judged.report, host: plan.hosts[host], failure: judged.failure, evidence: judged.evidence,
                comparison: judged.failure == nil ? judged.comparison : nil, endedAt: judged.endedAt), &records)
        begun[AttemptPlace(run: id.run, lease: id.lease)] = nil
        news.insert(host)
    }
}
