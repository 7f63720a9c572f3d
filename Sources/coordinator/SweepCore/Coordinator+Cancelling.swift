import Model

/// Cancelling. Waiting runs end at once. Runs on a host end when the host confirms it, or after a grace period; a host
/// that is unreachable is told when it comes back.
extension Coordinator {
    mutating func cancel(_ run: RunNumber?, _ reason: String, _ now: Nanoseconds, _ records: inout [Record]) {
        if let run {
            guard state.isCurrent(run) else { return }
            if case .leased = state[run].phase, cancels[run] == nil, !faults.contains(.forgetsCancels) {
                decide(.runCancelAsked(run: run, reason: reason), &records)
                cancels[run] = now + plan.timing.cancelGrace
            }
            cancel(run, &records)
            return
        }
        if state.stopReason == nil { decide(.sweepStopped(reason: reason), &records) }
        // Who cancels after an interruption wants what hosts keep to be deleted, and waits for that.
        isInterrupted = false
        cancelDeadline = cancelDeadline ?? now + plan.timing.cancelGrace
        for group in plan.groups { for run in group.runs { cancel(run, &records) } }
    }

    private mutating func cancel(_ run: RunNumber, _ records: inout [Record]) {
        if case .waiting = state[run].phase { decideEnd(run, .cancelled, .cancelled, &records) }
        for claim in state.claims(on: run) {
            let host = host(of: claim)
            guard host >= 0, links[host].joined != nil else { continue }
            links[host].joined?.toCancel.append(run)
            news.insert(host)
        }
    }

    /// Whether nobody wants the run any more.
    func isCancelled(_ run: RunNumber) -> Bool {
        if !state.isCurrent(run) || cancelDeadline != nil || state.cancelsAsked.contains(run) { return true }
        return if case .ended(.cancelled, _) = state[run].phase { true } else { false }
    }

    /// Hosts that could not confirm in time are told when they come back.
    mutating func endCancelled(_ now: Nanoseconds, _ records: inout [Record]) {
        for run in cancels.keys.sorted() where state[run].phase == .waiting || now >= cancels[run] ?? .max {
            if !state.isOver(run) { decideEnd(run, .cancelled, .cancelled, &records) }
            cancels[run] = nil
        }
        guard let cancelDeadline, now >= cancelDeadline, !state.isFinished else { return }
        for run in plan.groups.flatMap(\.runs) where !state.isOver(run) {
            decideEnd(run, .cancelled, .cancelled, &records)
        }
    }
}
