import Model

// What tests and the simulation look at.

extension SweepState {
    /// Runs that wait to be handed out.
    package var waitingCount: Int { waitingCounts.reduce(0, +) }

    /// All that decides anything, as text: equal for a state and for one that replayed its records.
    package var digest: [String] {
        var lines = runs.enumerated().map { index, run in
            "\(index + 1): \(text(run.phase)) next \(run.nextAttempt) last \(run.lastAttempt) failures \(run.failures) "
                + "losses \(run.losses) avoid \(run.avoid) result \(run.result.map { String($0, radix: 16) } ?? "-")"
        }
        lines += pins.keys.sorted().map { "pin \($0) \(pins[$0]?.short ?? "")" }
        for lease in leases.keys.sorted() {
            lines.append("lease \(lease) host \(leases[lease]?.host ?? -1) open \(leases[lease]?.open ?? 0)")
        }
        lines.append("ended \(endedCount) not well \(notSucceededCount) fenced \(fencedCount) at odds \(disagreements)")
        lines.append("next \(nextLease) of hosts \(leasesOfHost) open \(openRuns) waiting \(waitingCounts)")
        lines.append("stopped \(stopReason ?? "-") holding \(isHolding)")
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
}
