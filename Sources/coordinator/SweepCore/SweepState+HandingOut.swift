public import Model

extension SweepState {
    /// Runs that could be handed out now, to any host.
    package var readyCount: Int {
        plan.groups.indices.reduce(0) { count, group in
            let ready = waitingCounts[group] - suspectCounts[group]
            return ready > 0 && isPossible(plan.groups[group]) ? count + ready : count
        }
    }

    /// Takes up to `count` ready runs for `host`, in order. Runs that failed on this very host are passed over while
    /// others could take them on which they did not; they keep their place.
    ///
    /// - Parameters:
    ///   - bounds: how long runs may take that the host begins.
    ///   - isUsable: whether a host can take runs.
    mutating func take(
        _ count: Int, for host: Int, within bounds: LengthBounds, isUsable: (_ host: Int) -> Bool
    ) -> [RunNumber] {
        var taken: [RunNumber] = []
        guard count > 0 else { return taken }
        // Apart, as long as the rest is looked at.
        var ready = ReadyRuns()
        swap(&ready, &self.ready)
        ready.take(most: bounds.mostRank, shortestFirst: bounds.probes > 0) { run in
            if taken.count == count { return .stop }
            let isOther = isBetterElsewhere(run, than: host, isUsable) || isLonger(run, than: bounds.most)
            if isOther, self[run].phase == .waiting { return .leave }
            runs[run - 1].isQueued = false
            guard self[run].phase == .waiting, !isSuspect(run) else { return .drop }
            taken.append(run)
            return .take
        }
        swap(&ready, &self.ready)
        return taken
    }

    /// Whether a run that could be handed out is predicted to take no longer than that, in octaves; nil: however long.
    func hasReady(within most: Double?) -> Bool {
        guard let most else { return readyCount > 0 }
        return ready.contains(most: ReadyRuns.Rank.of(octaves: most)) { run in
            self[run].phase == .waiting && !isSuspect(run) && !isLonger(run, than: most)
        }
    }

    private func isLonger(_ run: RunNumber, than most: Double?) -> Bool {
        guard let most, let octaves = times.octaves(run, group: Int(self[run].group)) else { return false }
        return octaves > most
    }

    private func isBetterElsewhere(_ run: RunNumber, than host: Int, _ isUsable: (Int) -> Bool) -> Bool {
        guard let failed = failedOn[run], failed.contains(host) else { return false }
        return plan.hosts.indices.contains { !failed.contains($0) && isUsable($0) }
    }

    /// What a lease on these runs grants. Where there are `others`, the last attempt is left to one of them.
    func grants(on runs: [RunNumber], others: Bool) -> [Grant] {
        runs.map { run in
            let left = plan.maximumFailures - self[run].failures - (others ? 1 : 0)
            let allowed = plan.agentRetries ? max(1, left) : 1
            return Grant(run: run, firstAttempt: self[run].nextAttempt, attempts: allowed)
        }
    }

    /// What opens the runs again that a stop cancelled, for a sweep that is resumed after all. What hosts still hold
    /// they were told to cancel: it is not waited for, and none of them has died. Without a stop, what runs need that
    /// were added since.
    public var reopening: [Record] {
        guard stopReason != nil else { return neededAgain }
        let reason = "launched again after it was cancelled"
        return leases.keys.sorted().flatMap { lease in
            (leases[lease]?.runs ?? []).filter { claim(of: lease, on: $0) != nil }
                .map { Record.runWithdrawn(run: $0, lease: lease, reason: reason) }
        }
            + runs.indices.compactMap { index in
                guard isCurrent(index + 1), case .ended(.cancelled, _) = runs[index].phase else { return nil }
                return .runReopened(run: index + 1, reason: reason)
            }
    }

    /// Setups and boots that were cancelled as nobody needed them any more, for runs that came since. Where somebody
    /// cancelled the setup itself nothing waits for it: its points ended with it.
    private var neededAgain: [Record] {
        guard !makers.isEmpty else { return [] }
        var awaited = Set(plan.groups.compactMap { group in
            group.runs.contains { isCurrent($0) && self[$0].phase == .waiting } ? group.requires : nil
        })
        // Setups come before their boots.
        return makers.reversed().compactMap { maker in
            guard awaited.contains(maker.pin), pins[maker.pin] == nil, wasCancelled(maker.run) else { return nil }
            if let boot = group(of: maker.run)?.requires { awaited.insert(boot) }
            return .runReopened(run: maker.run, reason: "runs that need it were added since it was cancelled")
        }
    }

    // MARK: Waiting runs

    /// What failed before goes first: a long sweep should not end with its troubles.
    mutating func enqueue(_ run: RunNumber, _ group: Int) {
        guard !self[run].isQueued, isPossible(plan.groups[group]) else { return }
        runs[run - 1].isQueued = true
        ready.prepend(run, rank: plan.groups[group].provides == nil ? ReadyRuns.Rank.again : ReadyRuns.Rank.setup)
    }

    mutating func queueEverything() {
        (ready, unordered) = (ReadyRuns(), [])
        waitingCounts = plan.groups.map(\.runs.count)
        (waitingSuspects, suspectCounts) = ([], plan.groups.map { _ in 0 })
        for index in runs.indices { runs[index].isQueued = false }
        for index in plan.groups.indices { queue(index) }
    }

    /// A group became possible: ``order()`` queues its runs.
    mutating func queue(_ group: Int) { if isPossible(plan.groups[group]) { unordered.append(group) } }

    mutating func wait(_ run: RunNumber) {
        runs[run - 1].phase = .waiting
        count(run, waiting: 1)
        guard isCurrent(run) else { return }
        if isSuspect(run) {
            waitingSuspects.insert(run, at: place(ofSuspect: run))
            suspectCounts[Int(self[run].group)] += 1
        } else {
            enqueue(run, Int(self[run].group))
        }
    }

    /// A run that waited is handed out, or has ended.
    mutating func stopWaiting(_ run: RunNumber) {
        count(run, waiting: -1)
        guard isSuspect(run) else { return }
        let place = place(ofSuspect: run)
        guard place < waitingSuspects.count, waitingSuspects[place] == run else { return }
        waitingSuspects.remove(at: place)
        suspectCounts[Int(self[run].group)] -= 1
    }

    /// Where a run stands, or would stand, among ``waitingSuspects``.
    private func place(ofSuspect run: RunNumber) -> Int {
        let rank = (self[run].deaths.count, run)
        var places = 0..<waitingSuspects.count
        while !places.isEmpty {
            let middle = places.lowerBound + places.count / 2
            let other = waitingSuspects[middle]
            places = (self[other].deaths.count, other) < rank
                ? middle + 1..<places.upperBound : places.lowerBound..<middle
        }
        return places.lowerBound
    }

    private mutating func count(_ run: RunNumber, waiting change: Int) {
        if isCurrent(run) { waitingCounts[Int(self[run].group)] += change }
    }
}

/// A run that makes a checkpoint, with the groups that wait for it.
struct Maker: Sendable {
    var run: RunNumber
    /// The pin that it provides.
    var pin: String
    /// The groups that require it.
    var dependents: [Int]
    /// Whether only setups do.
    var isBoot: Bool

    /// Those of a plan, the last first: what is required comes later in it.
    static func all(_ groups: [Plan.Group]) -> [Maker] {
        var dependents: [String: [Int]] = [:]
        for (index, group) in groups.enumerated() {
            if let pin = group.requires { dependents[pin, default: []].append(index) }
        }
        return groups.reversed().compactMap { group in
            guard let pin = group.provides, let run = group.runs.first else { return nil }
            let those = dependents[pin] ?? []
            let isBoot = !those.isEmpty && those.allSatisfy { groups[$0].provides != nil }
            return Maker(run: run, pin: pin, dependents: those, isBoot: isBoot)
        }
    }
}
