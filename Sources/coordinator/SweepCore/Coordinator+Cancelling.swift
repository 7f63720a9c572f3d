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

    /// Setups whose points were all cancelled, and boots whose setups were: nobody needs what they make. They end at
    /// once, also where a host that is away has them: nothing that it still reaches is of use to this sweep.
    ///
    /// Not where the whole sweep is cancelled: what hosts reach within the grace counts for whoever launches it again.
    mutating func cancelMakers(_ records: inout [Record]) {
        guard cancelDeadline == nil else { return }
        // Setups come before their boots here, so that a boot ends in the same commit.
        for maker in state.makers.reversed() where state.pins[maker.pin] == nil && isForNobody(maker) {
            switch state[maker.run].phase {
            // A boot that nobody has begun ends as one that was not needed (settleDependents).
            case .waiting: if !maker.isBoot { cancel(maker, &records) }
            case .leased: cancel(maker, &records)
            case .ended: break
            }
        }
    }

    /// With the reason on record, for people.
    private mutating func cancel(_ maker: Maker, _ records: inout [Record]) {
        let reason = "all runs that needed \(maker.isBoot ? "its guest" : "its checkpoint") were cancelled"
        decide(.runCancelAsked(run: maker.run, reason: reason), &records)
        decideEnd(maker.run, .cancelled, .cancelled, &records)
    }

    /// Whether no run waits for what a run makes, because somebody cancelled them.
    private func isForNobody(_ maker: Maker) -> Bool {
        guard !state.isOver(maker.run), !isAwaited(maker) else { return false }
        return maker.dependents.contains { group in plan.groups[group].runs.contains { state.wasCancelled($0) } }
    }

    /// Whether nobody wants the run any more.
    func isCancelled(_ run: RunNumber) -> Bool {
        if !state.isCurrent(run) || cancelDeadline != nil || state.cancelsAsked.contains(run) { return true }
        return state.wasCancelled(run)
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
