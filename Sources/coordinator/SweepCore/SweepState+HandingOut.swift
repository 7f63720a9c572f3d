import DequeModule
public import Model

extension SweepState {
    /// Runs that could be handed out now, to any host.
    package var readyCount: Int {
        zip(plan.groups, waitingCounts).reduce(0) { $0 + (isPossible($1.0) ? $1.1 : 0) } - readySuspects.count
    }

    /// Takes up to `count` ready runs off the queues for `host`, in order. Runs that had trouble on this very host
    /// are passed over while `others` could take them; they keep their place.
    mutating func take(_ count: Int, for host: Int, others: Bool) -> [RunNumber] {
        var taken: [RunNumber] = []
        for index in handOutOrder where taken.count < count && waitingCounts[index] > 0 {
            guard isPossible(plan.groups[index]) else { continue }
            var passed: [RunNumber] = []
            while taken.count < count, passed.count < 64, let run = queues[index].popFirst() {
                runs[run - 1].isQueued = false
                guard self[run].phase == .waiting, !isSuspect(run) else { continue }
                if others, Int(self[run].avoid) == host { passed.append(run) } else { taken.append(run) }
            }
            for run in passed.reversed() { enqueue(run, index) }
        }
        return taken
    }

    /// What a lease on these runs grants.
    func grants(on runs: [RunNumber]) -> [Grant] {
        runs.map { run in
            let allowed = plan.agentRetries ? max(1, plan.maximumFailures - self[run].failures) : 1
            return Grant(run: run, firstAttempt: self[run].nextAttempt, attempts: allowed)
        }
    }

    /// What opens the runs again that a stop cancelled, for a sweep that is resumed after all. What hosts still hold
    /// they were told to cancel: it is not waited for.
    public var reopening: [Record] {
        guard stopReason != nil else { return [] }
        let reason = "launched again after it was cancelled"
        return leases.keys.sorted().map { .leaseVoided(lease: $0, reason: reason) }
            + runs.indices.compactMap { index in
                guard isCurrent(index + 1), case .ended(.cancelled, _) = runs[index].phase else { return nil }
                return .runReopened(run: index + 1, reason: reason)
            }
    }

    // MARK: Queues

    /// What failed before goes first: a long sweep should not end with its troubles.
    mutating func enqueue(_ run: RunNumber, _ group: Int) {
        guard !self[run].isQueued else { return }
        runs[run - 1].isQueued = true
        queues[group].prepend(run)
    }

    mutating func queueEverything() {
        queues = plan.groups.map { Deque($0.runs) }
        waitingCounts = plan.groups.map(\.runs.count)
        waitingSuspects = []
        for index in runs.indices { runs[index].isQueued = runs[index].group >= 0 }
    }

    mutating func wait(_ run: RunNumber) {
        runs[run - 1].phase = .waiting
        count(run, waiting: 1)
        guard isCurrent(run) else { return }
        if isSuspect(run) { waitingSuspects.append(run) } else { enqueue(run, Int(self[run].group)) }
    }

    /// A run that waited is handed out, or has ended.
    mutating func stopWaiting(_ run: RunNumber) {
        count(run, waiting: -1)
        if isSuspect(run) { waitingSuspects.removeAll { $0 == run } }
    }

    private mutating func count(_ run: RunNumber, waiting change: Int) {
        if isCurrent(run) { waitingCounts[Int(self[run].group)] += change }
    }
}
