package import Model

/// The right to one run that a lease gives to its host.
package struct Claim: Sendable, Hashable {
    package var lease: LeaseNumber
    package var attempts: Range<AttemptNumber>
}

extension AttemptReport {
    /// Whether the agent itself begins the run's next attempt, of those that its claim gives it.
    func agentGoesOn(in claim: Claim) -> Bool {
        failure?.remedy == .retryAnywhere && id.attempt + 1 < claim.attempts.upperBound
    }
}

/// Which hosts have claims on which run. Usually one host; several only if a run was given to another host because the
/// first was silent for long. A run that has ended is claimed only by the host that audits it.
extension SweepState {
    /// All claims on a run that are in force, the oldest first.
    package func claims(on run: RunNumber) -> [Claim] {
        guard case .leased(let lease, let attempts) = self[run].phase else {
            return auditClaims[run].map { [$0] } ?? []
        }
        return olderClaims[run, default: []] + [Claim(lease: lease, attempts: attempts)]
    }

    /// The claim that a lease gives on a run, if it is in force.
    func claim(of lease: LeaseNumber, on run: RunNumber) -> Claim? {
        if let audit = auditClaims[run], audit.lease == lease { return audit }
        guard case .leased(let newest, let attempts) = self[run].phase else { return nil }
        if newest == lease { return Claim(lease: lease, attempts: attempts) }
        return olderClaims[run]?.first { $0.lease == lease }
    }

    /// The runs that are still under a lease, if it is in force on that host.
    func openRuns(of lease: LeaseNumber, host: Int) -> [RunNumber] {
        guard let entry = leases[lease], entry.host == host else { return [] }
        return entry.runs.filter { claim(of: lease, on: $0) != nil }
    }

    /// What is still granted under a lease.
    func grants(of lease: LeaseNumber) -> [Grant] {
        (leases[lease]?.runs ?? []).compactMap { run in
            claim(of: lease, on: run).map {
                Grant(run: run, firstAttempt: $0.attempts.lowerBound, attempts: $0.attempts.count)
            }
        }
    }

    /// Whether an attempt's end is on record, as a result or as evidence.
    func isOnRecord(_ id: AttemptID) -> Bool {
        self[id.run].lastAttempt == id.attempt || fencedAttempts.contains(id)
            || earlierAttempts[id.run]?.contains(id.attempt) ?? false
    }

    // MARK: Changes

    /// Adds a claim, newer than those on the run.
    mutating func add(_ claim: Claim, on run: RunNumber) {
        count(run, limiting: -1)
        defer { claimsChanged(on: run) }
        if case .leased(let lease, let attempts) = self[run].phase {
            olderClaims[run, default: []].append(Claim(lease: lease, attempts: attempts))
        } else {
            stopWaiting(run)
        }
        runs[run - 1].phase = .leased(claim.lease, attempts: claim.attempts)
    }

    /// A claim is over. Without another one the run waits again.
    mutating func drop(_ lease: LeaseNumber, on run: RunNumber) {
        if auditClaims[run]?.lease == lease { return dropAudit(of: run) }
        guard case .leased(let newest, _) = self[run].phase, claim(of: lease, on: run) != nil else { return }
        count(run, limiting: -1)
        defer { claimsChanged(on: run) }
        release(lease)
        if newest != lease {
            olderClaims[run]?.removeAll { $0.lease == lease }
        } else if let claim = olderClaims[run]?.popLast() {
            runs[run - 1].phase = .leased(claim.lease, attempts: claim.attempts)
        } else {
            wait(run)
        }
        if olderClaims[run]?.isEmpty ?? false { olderClaims[run] = nil }
    }

    /// Ends all claims on a run; what becomes of it then is the caller's.
    mutating func dropAll(on run: RunNumber) {
        count(run, limiting: -1)
        for claim in claims(on: run) { release(claim.lease) }
        olderClaims[run] = nil
        contested.remove(run)
    }

    private mutating func claimsChanged(on run: RunNumber) {
        count(run, limiting: 1)
        if olderClaims[run] != nil, !isDoubled(run) { contested.insert(run) } else { contested.remove(run) }
    }

    /// One run of the lease is no longer under it.
    mutating func release(_ lease: LeaseNumber) {
        guard let entry = leases[lease] else { return }
        leases[lease]?.open -= 1
        if entry.host >= 0 { openRuns[entry.host] -= 1 }
        if entry.open == 1 { close(lease) }
    }

    /// With the last lease of a host, no run of it is open.
    mutating func close(_ lease: LeaseNumber) {
        guard let entry = leases.removeValue(forKey: lease) else { return }
        secondStarts.remove(lease)
        guard entry.host >= 0 else { return strayLeases.removeAll { $0 == lease } }
        leasesOfHost[entry.host].removeAll { $0 == lease }
        if leasesOfHost[entry.host].isEmpty { (openRuns[entry.host], limitingRuns[entry.host]) = (0, 0) }
    }
}
