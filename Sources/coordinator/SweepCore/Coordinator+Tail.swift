import Model

/// The end of a sweep: slots that have nothing else to do begin what would end last a second time, where it is
/// predicted to end earlier. The first valid result counts, and the other attempt is ended; where both end they are
/// compared, as is all work that is done twice. Whatever fails of the two, the other one decides.
extension Coordinator {
    mutating func startAgain(_ now: Nanoseconds, _ records: inout [Record]) {
        guard plan.hasSecondStarts, now >= nextSecondStart else { return }
        nextSecondStart = now + Timing.second
        guard state.readyCount == 0, pause == nil, state.times.fit != nil else { return }
        let late = underWay(now).filter { mayStartAgain($0) }.sorted {
            ($1.rest, $0.place.run) < ($0.rest, $1.place.run)
        }
        startAgain(late, now, &records)
    }

    /// Begins a second time what would be too late by the time that nothing waits any more.
    mutating func startCritical(_ now: Nanoseconds, _ records: inout [Record]) {
        guard let critical = outlook?.critical, !critical.isEmpty else { return }
        startAgain(critical.filter { mayStartAgain($0) }, now, &records)
    }

    private mutating func startAgain(
        _ attempts: [AttemptUnderWay], _ now: Nanoseconds, _ records: inout [Record]
    ) {
        var free = links.indices.filter { isUsable($0, now) && room(on: $0, now) > 0 }
        for attempt in attempts where !free.isEmpty {
            guard let choice = bestHost(for: attempt, among: free, now) else { continue }
            startAgain(attempt, on: choice.host, in: choice.span, &records)
            if room(on: choice.host, now) <= 0 { free.removeAll { $0 == choice.host } }
        }
    }

    /// Those that would end after all else if they are left where they are, though on another host they would end in
    /// time, if they are begun there now and not later: the longest first.
    func critical(_ now: Nanoseconds) -> [AttemptUnderWay] {
        guard let outlook, outlook.capacity > 0 else { return [] }
        let others = Nanoseconds(min((outlook.waiting + outlook.running) / outlook.capacity, 1e9) * 1e9)
        let usable = links.indices.filter { isUsable($0, now) }
        let late = underWay(now).filter { attempt in
            guard attempt.rest > others, mayStartAgain(attempt), let best = bestHost(for: attempt, among: usable, now)
            else { return false }
            return best.span >= others / 10 * 9
        }
        return Array(late.sorted { ($1.rest, $0.place.run) < ($0.rest, $1.place.run) }.prefix(Coordinator.mostCritical))
    }

    private static let mostCritical = 8

    /// What makes a checkpoint is not done twice: two checkpoints of one function differ.
    private func mayStartAgain(_ attempt: AttemptUnderWay) -> Bool {
        let run = attempt.place.run
        return state.isCurrent(run) && state.group(of: run)?.provides == nil && !isCancelled(run)
            && !state.isSuspect(run) && !state.startedTwice.contains(run) && state.claims(on: run).count == 1
            && links[attempt.host].joined != nil
            && links[attempt.host].joined?.underWay.contains { $0.run == run } == false
    }

    /// The host on which it would end first, if that is early enough.
    private func bestHost(
        for attempt: AttemptUnderWay, among free: [Int], _ now: Nanoseconds
    ) -> (host: Int, span: Nanoseconds)? {
        let run = attempt.place.run
        var best: (host: Int, span: Nanoseconds)?
        for host in free where host != attempt.host && state.failedOn[run]?.contains(host) != true {
            guard let prediction = state.prediction(run, host: host) else { continue }
            if let ends = links[host].ends, now + prediction.high + plan.timing.marginBeforeEnd > ends { continue }
            if prediction.expected < best?.span ?? .max { best = (host, prediction.expected) }
        }
        guard let best else { return nil }
        let gain = attempt.rest - best.span
        return gain >= max(best.span / 4, plan.timing.leastGain) ? best : nil
    }

    private mutating func startAgain(
        _ attempt: AttemptUnderWay, on host: Int, in span: Nanoseconds, _ records: inout [Record]
    ) {
        let (run, lease) = (attempt.place.run, state.nextLease)
        let reason = "on \(plan.hosts[host]), where it was predicted to take \(PeopleText.span(span)); on "
            + "\(plan.hosts[attempt.host]) it would have taken \(PeopleText.span(attempt.rest)) more"
        decide(.secondStart(run: run, lease: lease, reason: reason), &records)
        grant([Grant(run: run, firstAttempt: state[run].nextAttempt, attempts: 1)], to: host, &records)
    }
}

extension SweepState {
    /// Whether a run was begun a second time on purpose, and both attempts go on.
    func isDoubled(_ run: RunNumber) -> Bool {
        guard let older = olderClaims[run], !older.isEmpty else { return false }
        return claims(on: run).contains { secondStarts.contains($0.lease) }
    }
}
