import Model

/// Second starts at the end of a sweep: idle slots start the runs that would end last a second time, if they are
/// predicted to end earlier there. The first valid result counts, and the other attempt is ended. If both end, their
/// results are compared, as always when a run was run twice. If one of the two fails, the other one decides.
extension Coordinator {
    mutating func startAgain(_ now: Nanoseconds, _ records: inout [Record]) {
        guard plan.hasSecondStarts, now >= nextSecondStart else { return }
        nextSecondStart = now + lookInterval
        guard state.readyCount == 0, pause == nil, state.times.fit != nil else { return }
        // Until some slot is free, there is nothing to look for.
        let free = takers(now, among: links.indices, haveRoom: true)
        if free.isEmpty { return }
        let late = underWay(now).filter { bestHost(for: $0, among: free) != nil && mayStartAgain($0) }
        startAgain(late.sorted(by: AttemptUnderWay.endsLater), on: free, &records)
    }

    /// Begins a second time what would be too late by the time that nothing waits any more. On one of the fastest
    /// hosts: on others it would be too late already, and it is not begun a third time.
    mutating func startCritical(on hosts: [Int], _ now: Nanoseconds, _ records: inout [Record]) {
        guard let outlook, !outlook.critical.isEmpty else { return }
        let fast = takers(now, among: hosts, haveRoom: true).prefix {
            $0.slowness <= outlook.fastest + Coordinator.slower
        }
        startAgain(outlook.critical.filter { mayStartAgain($0) }, on: Array(fast), &records)
    }

    private mutating func startAgain(
        _ attempts: [AttemptUnderWay], on takers: [Taker], _ records: inout [Record]
    ) {
        var free = takers
        for attempt in attempts where !free.isEmpty {
            guard let choice = bestHost(for: attempt, among: free) else { continue }
            startAgain(attempt, on: choice.host, in: choice.span, &records)
            if room(on: choice.host) <= 0 { free.removeAll { $0.host == choice.host } }
        }
    }

    /// Hosts that could begin a run, the fastest first: what is looked for among them is mostly the first one.
    ///
    /// - Parameter haveRoom: whether they could begin it now.
    private func takers(_ now: Nanoseconds, among hosts: some Sequence<Int>, haveRoom: Bool) -> [Taker] {
        var takers: [Taker] = []
        for host in hosts where isUsable(host, now) && (!haveRoom || room(on: host) > 0) {
            let most = links[host].ends.map { Octaves.of($0 - now - plan.timing.marginBeforeEnd) } ?? .infinity
            takers.append(Taker(host: host, slowness: state.times.slowness(of: host), most: most))
        }
        return takers.sorted { ($0.slowness, $0.host) < ($1.slowness, $1.host) }
    }

    /// Those that would end after all else if they are left where they are, though on another host they would end in
    /// time, if they are begun there now and not later: the longest first.
    func critical(among attempts: [AttemptUnderWay], _ outlook: Outlook, _ now: Nanoseconds) -> [AttemptUnderWay] {
        guard outlook.capacity > 0 else { return [] }
        let others = Nanoseconds(min((outlook.waiting + outlook.running) / outlook.capacity, 1e9) * 1e9)
        let usable = takers(now, among: links.indices, haveRoom: false)
        let late = attempts.filter { attempt in
            guard attempt.rest > others, let best = bestHost(for: attempt, among: usable) else { return false }
            return best.span >= others / 10 * 9 && mayStartAgain(attempt)
        }
        return Array(late.sorted(by: AttemptUnderWay.endsLater).prefix(Coordinator.mostCritical))
    }

    private static let mostCritical = 8

    /// What makes a checkpoint is not done twice: two checkpoints of one function differ.
    private func mayStartAgain(_ attempt: AttemptUnderWay) -> Bool {
        let run = attempt.place.run
        return state.isCurrent(run) && !state.isOver(run) && state.group(of: run)?.provides == nil && !isCancelled(run)
            && !state.isSuspect(run) && !state.startedTwice.contains(run) && state.claims(on: run).count == 1
            && links[attempt.host].joined != nil
            && links[attempt.host].joined?.underWay.contains { $0.run == run } == false
    }

    /// The host on which it would end first, if that is early enough.
    ///
    /// - Parameter takers: the fastest first. There may be a thousand of them, for each of a thousand attempts: none is
    ///   looked at behind one on which nothing would be gained.
    func bestHost(
        for attempt: AttemptUnderWay, among takers: some Sequence<Taker>
    ) -> (host: Int, span: Nanoseconds)? {
        let run = attempt.place.run
        for taker in takers {
            // It would have to go before.
            if attempt.length.high + taker.slowness > taker.most { continue }
            let span = Octaves.span(attempt.length.expected + taker.slowness)
            guard attempt.rest - span >= max(span / 4, plan.timing.leastGain) else { return nil }
            if taker.host == attempt.host || state.failedOn[run]?.contains(taker.host) == true { continue }
            return (taker.host, span)
        }
        return nil
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

/// A host that could begin a run.
struct Taker: Sendable {
    var host: Int
    /// How much longer than most it takes, in octaves.
    var slowness: Double
    /// What must have ended there may take no longer, in octaves; infinite: however long.
    var most: Double
}

extension SweepState {
    /// Whether a run was begun a second time on purpose, and both attempts go on.
    func isDoubled(_ run: RunNumber) -> Bool {
        guard let older = olderClaims[run], !older.isEmpty else { return false }
        return claims(on: run).contains { secondStarts.contains($0.lease) }
    }
}
