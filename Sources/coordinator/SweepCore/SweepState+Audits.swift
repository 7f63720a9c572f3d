public import Model

/// The audit of one run: the numbers of the other hosts that ran it again, and their failures.
struct Audit: Sendable {
    var opinions: [AuditOpinion] = []
    /// Hosts on which it failed: they cannot tell.
    var failedOn: [String] = []
    /// Attempts that ended through no fault of the run.
    var losses = 0
}

/// Audits: succeeded runs that are run again on other hosts. Such an attempt has a lease like any other, but does not
/// change the state of its run.
extension SweepState {
    /// nil: there is no result to audit.
    public func verdict(on run: RunNumber) -> AuditVerdict? {
        guard let host = countedHost(of: run) else { return nil }
        return AuditVerdict(counted: host, audits[run]?.opinions ?? [])
    }

    /// The host that gave the result of a run; nil: there is none that counts.
    package func countedHost(of run: RunNumber) -> String? {
        guard case .ended(.succeeded, _) = self[run].phase, self[run].giver >= 0 else { return nil }
        return givers[Int(self[run].giver)]
    }

    /// Whether an attempt audits its run.
    package func isAudit(_ id: AttemptID) -> Bool { auditClaims[id.run]?.lease == id.lease }

    /// The hosts that cannot audit a run: those that have done it already.
    func asked(about run: RunNumber) -> [String] {
        let audit = audits[run] ?? Audit()
        return [countedHost(of: run)].compactMap { $0 } + audit.opinions.map(\.host) + audit.failedOn
    }

    /// Evaluations whose result a host gave.
    func results(of host: String) -> RunList {
        var found = RunList()
        for run in 1..<runs.count + 1 where countedHost(of: run) == host && group(of: run)?.provides == nil {
            found.append(run)
        }
        return found
    }

    // MARK: Changes

    /// To be told when a run's end, or what other hosts made of it, has changed.
    mutating func noteAudit(of run: RunNumber) {
        guard !plan.audited.isEmpty else { return }
        openAudits.remove(run)
        outvotedAudits.remove(run)
        fickleAudits.remove(run)
        guard plan.audited.contains(run), isCurrent(run), let verdict = verdict(on: run) else { return }
        switch verdict {
        case .open: if !isGivenUp(run) { openAudits.insert(run) }
        case .outvoted: outvotedAudits.insert(run)
        case .notDeterministic: fickleAudits.insert(run)
        case .identical: break
        }
    }

    private func isGivenUp(_ run: RunNumber) -> Bool {
        guard let audit = audits[run] else { return false }
        return audit.failedOn.count >= plan.maximumFailures || audit.losses >= SweepState.maximumLosses
    }

    mutating func note(giver host: String, of run: RunNumber) {
        if let index = hostIndex[host] { return runs[run - 1].giver = Int32(index) }
        let place = givers.dropFirst(plan.hosts.count).firstIndex(of: host) ?? givers.count
        if place == givers.count { givers.append(host) }
        runs[run - 1].giver = Int32(place)
    }

    mutating func grantAudits(_ lease: LeaseNumber, host: String, _ grants: [Grant]) {
        open(lease, host: host, grants)
        for grant in grants {
            dropAudit(of: grant.run)
            let attempts = grant.firstAttempt..<grant.firstAttempt + grant.attempts
            auditClaims[grant.run] = Claim(lease: lease, attempts: attempts)
            count(grant.run, limiting: 1)
            runs[grant.run - 1].nextAttempt = attempts.upperBound
        }
    }

    mutating func recordAudit(
        _ report: AttemptReport, host: String, _ failure: FailureClass?, _ comparison: AuditComparison?
    ) {
        let run = report.id.run
        earlierAttempts[run, default: []].append(report.id.attempt)
        if isAudit(report.id) { dropAudit(of: run) }
        if let comparison {
            audits[run, default: Audit()].opinions.append(AuditOpinion(host: host, comparison: comparison))
        } else if failure?.remedy == .retryUncounted {
            audits[run, default: Audit()].losses += 1
        } else if failure != .cancelled {
            audits[run, default: Audit()].failedOn.append(host)
        }
        noteAudit(of: run)
    }

    /// Nobody audits the run any more.
    mutating func dropAudit(of run: RunNumber) {
        guard let claim = auditClaims[run] else { return }
        count(run, limiting: -1)
        auditClaims[run] = nil
        release(claim.lease)
    }

    /// What other hosts made of the run was about another result.
    mutating func forgetAudit(of run: RunNumber) {
        dropAudit(of: run)
        audits[run] = nil
        runs[run - 1].giver = -1
        noteAudit(of: run)
    }

    mutating func forgetAudits() {
        (audits, openAudits, outvotedAudits, fickleAudits, fencedHosts) = ([:], [], [], [], [:])
    }

    /// The results of a host count no more, nor does what it made of others'.
    mutating func fence(_ host: String, _ reason: String, _ results: RunList) {
        fencedHosts[host] = reason
        quarantine(results, .hostFenced)
        for run in audits.keys.sorted() {
            audits[run]?.opinions.removeAll { $0.host == host }
            noteAudit(of: run)
        }
    }
}
