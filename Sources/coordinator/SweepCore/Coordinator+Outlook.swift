public import Model

/// The time that the sweep still needs, estimated from the times of earlier runs.
public struct TimeLeft: Sendable, Hashable {
    public var expected: Nanoseconds
    /// Four of five sweeps take no less than the one and no more than the other, if nothing fails.
    public var low: Nanoseconds
    public var high: Nanoseconds

    public init(expected: Nanoseconds, low: Nanoseconds, high: Nanoseconds) {
        (self.expected, self.low, self.high) = (expected, low, high)
    }
}

/// The remaining work, as far as it matters for which host should begin which run. Amounts are in seconds on a host of
/// usual speed.
struct Outlook: Sendable {
    /// What all slots together do in a second.
    var capacity = 0.0
    /// Runs that wait.
    var waiting = 0.0
    /// What runs that are under way still take.
    var running = 0.0
    /// Of these the one that takes longest, in seconds of its own host.
    var longestRest = 0.0
    /// The longest that waits, in octaves; 0: none does.
    var longestWaiting = 0.0
    /// How much slower than most the fastest host is that stays, in octaves; infinite: no host does.
    var fastest = Double.infinity
    /// Attempts that would end after all else, and that would make the sweep end later if they were not begun on
    /// another host by now.
    var critical: [AttemptUnderWay] = []

    /// Until when all can have ended at the earliest, in seconds from now.
    var earliestEnd: Double {
        let last = longestWaiting > 0 ? Octaves.ratio(longestWaiting + (fastest.isFinite ? fastest : 0)) / 1e9 : 0
        return max((waiting + running) / max(capacity, 1e-9), longestRest, last)
    }
}

extension Coordinator {
    /// Looks at what is left, now and then.
    mutating func lookAhead(_ now: Nanoseconds) {
        guard now >= nextOutlook, state.readyCount > 0 else { return }
        nextOutlook = now + lookInterval
        guard state.times.fit != nil else { return outlook = nil }
        let attempts = underWay(now)
        noteOverdue(attempts)
        var outlook = makeOutlook(attempts, now)
        if plan.hasSecondStarts { outlook.critical = critical(among: attempts, outlook, now) }
        self.outlook = outlook
    }

    /// How long until all attempts that are under way are looked at again, and the hosts for them. A look takes some
    /// tenths of a microsecond for each, so that however many there are, no more than a ten-thousandth of the time goes
    /// into it.
    var lookInterval: Nanoseconds {
        max(Timing.second, Nanoseconds(begun.count + links.count) * (Timing.second / 200))
    }

    private mutating func noteOverdue(_ attempts: [AttemptUnderWay]) {
        // Their places are sorted, which takes less than to move them.
        let overdue = attempts.indices.filter { attempts[$0].isOverdue }
        let longest = overdue.sorted { AttemptUnderWay.endsLater(attempts[$0], attempts[$1]) }
        let grouped = longest.prefix(Coordinator.mostOverdue).map { place in
            (attempt: attempts[place], group: Int(state[attempts[place].place.run].group))
        }
        state.times.note(overdue: grouped)
    }

    private static let mostOverdue = 256

    private func makeOutlook(_ attempts: [AttemptUnderWay], _ now: Nanoseconds) -> Outlook {
        var outlook = Outlook()
        // Of each host once: there are many attempts for each.
        let speeds = links.indices.map { Octaves.ratio(-state.times.slowness(of: $0)) }
        for host in links.indices where isUsable(host, now) {
            outlook.capacity += Double(allowedSlots(of: host)) * speeds[host]
            if links[host].ends == nil { outlook.fastest = min(outlook.fastest, state.times.slowness(of: host)) }
        }
        let usual = state.times.fit?.base ?? 0
        for (rank, count) in state.ready.counts {
            let octaves = ReadyRuns.Rank.octaves(rank) ?? usual
            outlook.waiting += Octaves.ratio(octaves) / 1e9 * Double(count)
            outlook.longestWaiting = max(outlook.longestWaiting, octaves)
        }
        outlook.running = heldWork()
        for attempt in attempts {
            let rest = Double(attempt.rest) / 1e9
            outlook.running += rest * speeds[attempt.host]
            outlook.longestRest = max(outlook.longestRest, rest)
        }
        return outlook
    }

    /// Runs that hosts have and that were not seen to begin, in seconds. Where there are very many, every so many-th is
    /// looked at and stands for those after it.
    private func heldWork() -> Double {
        let held = state.leasesOfHost.joined().reduce(0) { $0 + (state.leases[$1]?.runs.count ?? 0) }
        let step = 1 + held / Coordinator.mostHeldLooks
        var (work, next) = (0.0, 0)
        for lease in state.leasesOfHost.joined() {
            let runs = state.leases[lease]?.runs ?? []
            while next < runs.count {
                work += heldWork(runs[next], lease)
                next += step
            }
            next -= runs.count
        }
        return work * Double(step)
    }

    private func heldWork(_ run: RunNumber, _ lease: LeaseNumber) -> Double {
        // The claim first: of most runs that a lease gave out it is over, and no hash is needed for that.
        guard state.claim(of: lease, on: run) != nil, begun[AttemptPlace(run: run, lease: lease)] == nil,
            let octaves = state.times.octaves(run, group: Int(state[run].group))
        else { return 0 }
        return Octaves.ratio(octaves) / 1e9
    }

    /// A thousand hosts may hold half a million runs, and a look at each takes a second's large part.
    private static let mostHeldLooks = 4_096

    /// The attempts that are at work on hosts of the inventory, in no order. Nothing where nothing is known of how long
    /// runs take.
    func underWay(_ now: Nanoseconds) -> [AttemptUnderWay] {
        let slowness = links.indices.map { state.times.slowness(of: $0) }
        var attempts: [AttemptUnderWay] = []
        attempts.reserveCapacity(begun.count)
        for (place, beginning) in begun {
            guard let claim = state.claim(of: place.lease, on: place.run) else { continue }
            let host = host(of: claim)
            guard host >= 0, let length = state.times.length(place.run, group: Int(state[place.run].group)) else {
                continue
            }
            attempts.append(
                AttemptUnderWay(
                    place: place, host: host, length: length, elapsed: max(0, now - beginning.time),
                    slowness: slowness[host]))
        }
        expectDelays(&attempts)
        return attempts
    }

    /// A host that has become slow delays all that it is at: where half of its attempts, and two at least, are beyond
    /// their interval, the others are expected to take as much longer than predicted as the median of these.
    private func expectDelays(_ attempts: inout [AttemptUnderWay]) {
        let late = attempts.indices.filter { attempts[$0].isLate }
        if late.count < 2 { return }
        var delays = links.map { _ in [Double]() }
        for attempt in late.map({ attempts[$0] }) {
            delays[attempt.host].append(Octaves.of(attempt.span) - attempt.length.expected)
        }
        var counts = links.map { _ in 0 }
        for attempt in attempts { counts[attempt.host] += 1 }
        let expected = zip(delays, counts).map { delays, count in
            delays.count >= max(2, (count + 1) / 2) ? RunTimeFit.median(delays) : 0
        }
        for place in attempts.indices where expected[attempts[place].host] > 0 {
            attempts[place].delay(slowness: expected[attempts[place].host])
        }
    }

    /// How long what is left takes; nil: nothing is known, or nothing is left.
    public func timeLeft(now: Nanoseconds) -> TimeLeft? {
        guard let fit = state.times.fit, !state.isFinished else { return nil }
        // Viewers ask as often as they like.
        let known = now < nextOutlook ? self.outlook : nil
        var outlook = known ?? makeOutlook(underWay(now), now)
        guard outlook.capacity > 0 else { return nil }
        outlook.waiting += blockedWork(usual: fit.base)
        let work = (outlook.waiting + outlook.running) / outlook.capacity
        return TimeLeft(
            seconds: outlook.earliestEnd, work: work, last: max(outlook.longestRest, outlook.earliestEnd - work),
            count: state.runCount - state.endedCount, fit)
    }

    /// Runs that wait for a setup, in seconds.
    private func blockedWork(usual: Double) -> Double {
        var work = 0.0
        for (index, group) in plan.groups.enumerated() where !state.isPossible(group) {
            let octaves = group.runs.first.flatMap { state.times.octaves($0, group: index) } ?? usual
            work += Double(state.waitingCounts[index]) * Octaves.ratio(octaves) / 1e9
        }
        return work
    }

    /// How long runs may take that a host begins: they must end before it has to go, and should end there no later than
    /// the whole sweep would if a faster host took them.
    func bounds(for host: Int, _ now: Nanoseconds) -> LengthBounds {
        var bounds = LengthBounds()
        guard let fit = state.times.fit else { return bounds }
        let slowness = state.times.slowness(of: host)
        if let end = links[host].ends {
            bounds.most = Octaves.of(end - now - plan.timing.marginBeforeEnd) - slowness - fit.high
        }
        if let outlook, slowness > outlook.fastest + Coordinator.slower {
            let end = min(outlook.earliestEnd * Coordinator.slack, 1e9) * 1e9
            bounds.sensible = Octaves.of(Nanoseconds(end)) - slowness
        }
        return bounds
    }

    /// Hosts that differ by less (a fifteenth) are taken for equally fast.
    static let slower = 0.1
    /// How much later than at the earliest a sweep may end for the sake of a slow host: predictions are not exact.
    private static let slack = 1.05
}

/// An attempt that was seen to begin.
struct AttemptUnderWay: Sendable {
    var place: AttemptPlace
    var host: Int
    var length: RunLength
    /// How long it has taken.
    var elapsed: Nanoseconds
    /// How much longer it is predicted to take.
    var rest: Nanoseconds
    /// Whether it has taken longer than was expected.
    var isOverdue = false
    /// Whether it is beyond its interval, by a quarter.
    var isLate = false

    /// How long it is predicted to take in all.
    var span: Nanoseconds { elapsed + rest }

    /// Its host makes it last that much longer, in octaves, than on one as fast as most.
    mutating func delay(slowness: Double) {
        rest = max(rest, Octaves.span(length.expected + slowness) - elapsed)
    }

    /// For sorting: what ends last comes first.
    static func endsLater(_ left: AttemptUnderWay, _ right: AttemptUnderWay) -> Bool {
        (right.rest, left.place.run) < (left.rest, right.place.run)
    }
}

extension AttemptUnderWay {
    /// One that is late is expected to take as long again: by then the prediction tells nothing.
    ///
    /// - Parameter slowness: of its host.
    init(place: AttemptPlace, host: Int, length: RunLength, elapsed: Nanoseconds, slowness: Double) {
        let expected = Octaves.span(length.expected + slowness)
        let rest = max(abs(expected - elapsed), expected / 16)
        self.init(place: place, host: host, length: length, elapsed: elapsed, rest: rest)
        // Most are not overdue: only of those that are the interval has to be worked out.
        guard elapsed > expected else { return }
        isOverdue = true
        isLate = elapsed / 5 > Octaves.span(length.high + slowness) / 4
        if isLate { self.rest = elapsed }
    }
}
