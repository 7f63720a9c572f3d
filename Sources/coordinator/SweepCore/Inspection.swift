package import Model

// What tests and the simulation look at.

extension SweepState {
    /// Whether a run is under suspicion of killing its hosts.
    package func isSuspected(_ run: RunNumber) -> Bool { isSuspect(run) }

    /// How many runs a host has that have not ended.
    package func openRunCount(on host: String) -> Int { hostIndex[host].map { openRuns[$0] } ?? 0 }

    /// Of these, those that it was granted under a lease from `first` on.
    package func openRunCount(on host: String, since first: LeaseNumber) -> Int {
        guard let index = hostIndex[host] else { return 0 }
        return leasesOfHost[index].reduce(0) { $1 >= first ? $0 + (leases[$1]?.open ?? 0) : $0 }
    }

    /// The number of the next lease.
    package var nextLeaseNumber: LeaseNumber { nextLease }

    /// The host that holds a lease, if it is in the inventory.
    package func hostName(of lease: LeaseNumber) -> String? {
        guard let host = leases[lease]?.host, host >= 0 else { return nil }
        return plan.hosts[host]
    }

    /// All that decides anything, as text: equal for a state and for one that replayed its records.
    package var digest: [String] {
        var lines = runs.enumerated().map { index, run in
            "\(index + 1): \(text(run.phase)) next \(run.nextAttempt) last \(run.lastAttempt) failures \(run.failures) "
                + "losses \(run.losses) deaths \(run.deaths.shared) alone \(run.deaths.alone) "
                + "older \(olderClaims[index + 1, default: []].map(\.lease)) "
                + "failed on \(failedOn[index + 1, default: []]) itself \(failedItselfOn[index + 1, default: []]) "
                + "giver \(run.giver) result \(run.result.map { String($0, radix: 16) } ?? "-")"
        }
        lines += pins.keys.sorted().map { "pin \($0) \(pins[$0]?.short ?? "")" }
        for lease in leases.keys.sorted() {
            lines.append("lease \(lease) host \(leases[lease]?.host ?? -1) open \(leases[lease]?.open ?? 0)")
        }
        lines.append("ended \(endedCount) not well \(notSucceededCount) fenced \(fencedCount) at odds \(disagreements)")
        lines.append("next \(nextLease) of hosts \(leasesOfHost) open \(openRuns) waiting \(waitingCounts)")
        lines.append("cancels \(cancelsAsked.sorted()) suspects \(waitingSuspects) mean \(meanWall ?? -1)")
        lines.append("second starts \(secondStarts.sorted())")
        for run in audits.keys.sorted() {
            let audit = audits[run] ?? Audit()
            let opinions = audit.opinions.map { "\($0.host) \($0.comparison.numbers.short)" }
            lines.append("audit of \(run): \(opinions) failed on \(audit.failedOn) losses \(audit.losses)")
        }
        lines.append("audited under \(auditClaims.keys.sorted().map { "\($0): \(auditClaims[$0]?.lease ?? 0)" })")
        lines.append("audits open \(openAudits.sorted()) at odds \(outvotedAudits.sorted() + fickleAudits.sorted())")
        lines.append("fenced \(fencedHosts.keys.sorted())")
        lines.append("doubtful makers \(doubtfulMakers.sorted())")
        lines.append("stray \(strayLeases) deaths \(deathCount) \(deathOfHost) boots \(bootOfHost)")
        let series = failuresInRow.map { "\($0.count) \($0.failure.rawValue)" } ?? "none"
        lines.append("stopped \(stopReason ?? "-") holding \(isHolding) failed in a row \(series)")
        return lines
    }

    private func text(_ phase: Run.Phase) -> String {
        switch phase {
        case .waiting: "waiting"
        case .leased(let lease, let attempts): "under \(lease) from \(attempts.lowerBound) to \(attempts.upperBound)"
        case .ended(let state, let failure): "\(state.rawValue) \(failure?.rawValue ?? "-")"
        }
    }
}

extension Coordinator {
    /// Where the link to a host stands.
    package enum LinkPhase: String, CaseIterable, Sendable {
        case away, connecting, joined, refused
    }

    package func phase(of host: Int) -> LinkPhase {
        switch links[host].phase {
        case .away: .away
        case .connecting: .connecting
        case .joined: .joined
        case .refused: .refused
        }
    }

    package var hostCount: Int { links.count }

    /// Deliberate bugs for the simulation, each in a place where a promise is kept.
    package struct Faults: OptionSet, Sendable {
        package let rawValue: Int

        package init(rawValue: Int) { self.rawValue = rawValue }

        /// Whatever comes for a run counts as coming under a lease that is in force.
        package static let forgetsFencing = Faults(rawValue: 1)
        /// Hosts are taken for silent while this process itself did not run.
        package static let takesSleepForSilence = Faults(rawValue: 2)
        /// A login that is refused once ends a host's part in the sweep.
        package static let takesRefusalAsFinal = Faults(rawValue: 4)
        /// A run that kills its host is never found.
        package static let forgetsDeaths = Faults(rawValue: 8)
        /// A host that is silent for a lease's term loses its runs.
        package static let endsSilentLeases = Faults(rawValue: 16)
        /// Where two hosts have a run, the one that began last goes on.
        package static let adoptsTheYounger = Faults(rawValue: 32)
        /// A cancelled run's host is told only if it is there.
        package static let forgetsCancels = Faults(rawValue: 64)
        /// What is said of an attempt again counts again.
        package static let countsRepeats = Faults(rawValue: 128)
        /// A run that its host dropped is left to that host.
        package static let keepsDropped = Faults(rawValue: 256)
        /// A lease that never reached its host counts against its runs.
        package static let blamesUnsent = Faults(rawValue: 512)
        /// A host is not told that it need not go on with a run.
        package static let forgetsWithdrawals = Faults(rawValue: 1_024)
        /// However many runs in a row fail alike, more are begun.
        package static let forgetsPauses = Faults(rawValue: 2_048)
        /// A host that was paused gets as many runs as before.
        package static let trustsTheSick = Faults(rawValue: 4_096)
        /// Of a run that was begun a second time, the attempt that fails first decides.
        package static let countsSecondStarts = Faults(rawValue: 8_192)
        /// A host that was fenced gets runs as before.
        package static let trustsTheFenced = Faults(rawValue: 16_384)
    }
}
