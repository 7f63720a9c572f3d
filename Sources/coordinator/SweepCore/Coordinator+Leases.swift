import Model

/// Which hosts get which runs.
extension Coordinator {
    /// How many runs wait to be handed out: those that any host may have, and suspected ones that may run beside few
    /// others only.
    struct Waiting: Sendable, Hashable {
        var ready = 0
        var suspects = 0
    }

    private var waiting: Waiting {
        pause == nil ? Waiting(ready: state.readyCount, suspects: state.waitingSuspects.count) : Waiting()
    }

    /// Gives what waits to hosts that have room for it.
    ///
    /// Room comes to be where there is news. All hosts, of which there may be a thousand, are looked at only where
    /// other runs wait than were left over, and now and then, as the pause of a host ends by time alone.
    mutating func fillHosts(_ now: Nanoseconds, _ records: inout [Record]) {
        let waiting = waiting
        defer { leftWaiting = self.waiting }
        guard waiting != Waiting() else { return }
        let looksAtAll = waiting != leftWaiting || now >= nextFilling
        if looksAtAll { nextFilling = now + Timing.second }
        let hosts = (looksAtAll ? Array(links.indices) : news.sorted()).filter { isUsable($0, now) }
        if hosts.isEmpty { return }
        startCritical(on: hosts, now, &records)
        grantLeases(to: hosts, now, &records)
    }

    /// Gives every one of these usable hosts that has room a new lease.
    ///
    /// Work is handed out on demand, in shards as large as a host will finish in ``Timing/workAhead``, so that a
    /// fast host gets more; and towards the end no more than its share, so that all end together.
    private mutating func grantLeases(to hosts: [Int], _ now: Nanoseconds, _ records: inout [Record]) {
        var ready = state.readyCount
        let aheadPerSlot = aheadPerSlot
        // Of all hosts. Not looked at where runs take long: these are not handed out ahead.
        let allSlots = aheadPerSlot > 0 ? usableSlots(now) : 0
        let fenced = Set(state.fencedHosts.isEmpty ? [] : links.indices.filter { isFenced($0) })
        for host in hosts where ready > 0 {
            let slots = allowedSlots(of: host)
            let company = state.company(on: host, slots: slots)
            let share = (ready * slots + allSlots - 1) / max(1, allSlots)
            let ahead = company == .max ? min(ahead(slots: slots, perSlot: aheadPerSlot), share) : 0
            var room = min(slots, company) + ahead - state.openRuns[host]
            // Small top-ups are not worth a commit while the host has enough to do.
            guard room > 0, state.openRuns[host] < slots || room * 4 >= ahead else { continue }
            while room > 0 {
                var bounds = bounds(for: host, now)
                bounds.probes = probes(on: host, ready: ready)
                let most = bounds.probes > 0 ? bounds.probes : Coordinator.longestShard
                let runs = state.take(
                    min(room, most), for: host, within: bounds,
                    isUsable: { [links] in links[$0].isUsable(now) && !fenced.contains($0) })
                if runs.isEmpty { break }
                grant(state.grants(on: runs, others: hasOthers(host)), to: host, &records)
                (room, ready) = (room - runs.count, ready - runs.count)
            }
        }
        if ready <= 0 { grantSuspects(to: hosts, &records) }
    }

    /// How many runs that are as short as possible a host begins with. Before it is seen how fast the hosts are, the
    /// longest runs are as likely begun on a slow one as on a fast one, and little makes up for that later. Fast hosts
    /// are through with them first, and get the longest.
    ///
    /// Only while many runs wait: short ones are also what slots are filled up with at the end. And not on a host that
    /// has to go: its longest runs fit in its first hours only, and the next job may be on another machine.
    private func probes(on host: Int, ready: Int) -> Int {
        guard state.times.fit != nil, links.count > 1, links[host].ends == nil,
            ready > max(3 * state.runCount / 10, 4 * links.count)
        else { return 0 }
        return max(0, Coordinator.probes - state.times.endedCount(on: host) - state.openRuns[host])
    }

    /// Two runs of the same predicted time often differ by half: what fewer show of a host is mostly chance.
    private static let probes = 8

    private func usableSlots(_ now: Nanoseconds) -> Int {
        links.indices.reduce(0) { isUsable($1, now) ? $0 + allowedSlots(of: $1) : $0 }
    }

    /// Runs under suspicion come last, in no more company than each of them may have.
    private mutating func grantSuspects(to hosts: [Int], _ records: inout [Record]) {
        guard !state.waitingSuspects.isEmpty else { return }
        var ready = state.readySuspects[...]
        for host in hosts where !ready.isEmpty {
            let slots = allowedSlots(of: host)
            var company = min(slots, state.company(on: host, slots: slots))
            var runs: [RunNumber] = []
            while let run = ready.first {
                company = min(company, state.company(of: run, slots: slots, silences: 0))
                // Those behind it may have no more company than it.
                guard state.openRuns[host] + runs.count < company else { break }
                runs.append(run)
                ready.removeFirst()
            }
            if !runs.isEmpty { grant(state.grants(on: runs, others: hasOthers(host)), to: host, &records) }
        }
    }

    mutating func grant(_ grants: [Grant], to host: Int, _ records: inout [Record]) {
        let lease = state.nextLease
        decide(.leaseGranted(lease: lease, host: plan.hosts[host], grants: grants), &records)
        links[host].unseen.insert(lease)
        news.insert(host)
        forgetBeginnings()
    }

    /// The most runs under one lease.
    static let longestShard = 512

    /// Whether another host may do what this one cannot, now or later.
    private func hasOthers(_ host: Int) -> Bool {
        links.indices.contains { $0 != host && !links[$0].isRefused && !isFenced($0) }
    }

    /// How many more runs a host may have just now.
    func room(on host: Int) -> Int {
        let slots = allowedSlots(of: host)
        return min(slots, state.company(on: host, slots: slots)) - state.openRuns[host]
    }

    /// How many runs a host may hold beyond its slots.
    func ahead(slots: Int) -> Int { ahead(slots: slots, perSlot: aheadPerSlot) }

    private func ahead(slots: Int, perSlot: Int) -> Int { min(slots * perSlot, Coordinator.longestShard - 1) }

    private var aheadPerSlot: Int {
        guard var wall = state.meanWall, wall <= plan.timing.workAhead else { return 0 }
        // What comes next may take far longer than what came first.
        if let fit = state.times.fit {
            wall = max(wall, Octaves.span((state.ready.longest ?? fit.base) + fit.high))
        }
        return Int(plan.timing.workAhead / max(wall, Timing.second / 10_000))
    }

    // MARK: Silent hosts

    /// Gives runs whose hosts have been silent for long to slots that have nothing better to do.
    ///
    /// Each has a lease of its own, and its first one stays in force: whichever host gives the result first counts,
    /// and what both gave is compared.
    mutating func giveAway(_ now: Nanoseconds, _ records: inout [Record]) {
        guard now >= nextGiveAway else { return }
        nextGiveAway = now + Timing.second
        guard state.readyCount == 0 else { return }
        let available = available(now)
        if available.isEmpty { return }
        var free = links.indices.filter { isUsable($0, now) && state.openRuns[$0] < allowedSlots(of: $0) }
        if free.isEmpty { return }
        for (run, silences) in available {
            guard silences < SweepState.fatalSilences else {
                decideEnd(run, .failed, .hostLost, &records)
                continue
            }
            let place = free.firstIndex { host in
                let slots = allowedSlots(of: host)
                let company = min(
                    slots, state.company(on: host, slots: slots),
                    state.company(of: run, slots: slots, silences: silences))
                return state.openRuns[host] < company
            }
            guard let place else { continue }
            let host = free[place]
            let lease = state.nextLease
            let attempt = state[run].nextAttempt
            grant(state.grants(on: [run], others: false), to: host, &records)
            begun[AttemptPlace(run: run, lease: lease)] = Beginning(attempt: attempt - 1, time: now)
            if state.openRuns[host] >= allowedSlots(of: host) { free.remove(at: place) }
            if free.isEmpty { return }
        }
    }

    /// Runs that can be given away now, with how many hosts have them.
    private func available(_ now: Nanoseconds) -> [(run: RunNumber, silences: Int)] {
        var runs: [(run: RunNumber, silences: Int)] = []
        for lease in silentLeases(now) {
            for run in state.leases[lease]?.runs ?? [] {
                // Runs with several claims are met once, with the newest.
                guard case .leased(lease, _) = state[run].phase, state.isCurrent(run), !isCancelled(run) else {
                    continue
                }
                let claims = state.claims(on: run)
                if claims.allSatisfy({ isAvailable(run, $0, now) }) { runs.append((run, claims.count)) }
            }
        }
        return runs
    }

    private func silentLeases(_ now: Nanoseconds) -> [LeaseNumber] {
        links.indices.filter { links[$0].isRefused || silence(of: $0, now).map { $0 > plan.timing.leaseTerm } ?? false }
            .flatMap { state.leasesOfHost[$0] } + state.strayLeases
    }

    func isAvailable(_ run: RunNumber, _ claim: Claim, _ now: Nanoseconds) -> Bool {
        let host = host(of: claim)
        // Nothing of such a host is heard of again before somebody acts.
        if host >= 0, links[host].isRefused { return true }
        guard let silence = silence(of: host, now) else { return false }
        return silence > patience(run, claim, lastHeard: now - silence)
    }

    /// How long the host that has a run must be silent before another one begins it as well.
    ///
    /// As long as the attempt had taken when its host was last heard of, for that is what would be done again; and as
    /// long as it then still needed, by what others took, for until then it is the one that ends first if it lives.
    /// So at most as much time is lost by waiting as by not waiting. Not less than a host takes to be started again;
    /// not more than ``Timing/longestSilence``, after which few come back.
    func patience(_ run: RunNumber, _ claim: Claim, lastHeard: Nanoseconds) -> Nanoseconds {
        let timing = plan.timing
        let begun = begun[AttemptPlace(run: run, lease: claim.lease)]
        // Of what was granted in this life it is known that it had not begun.
        let done = begun.map { max(0, lastHeard - $0.time) } ?? (claim.lease < firstLeaseOfLife ? nil : 0)
        guard let expected = state.meanWall else {
            // Of what was granted before this coordinator began, nothing is known but that.
            return min(timing.longestSilence, max(timing.shortestSilence, done ?? timing.longestSilence))
        }
        let rest = max(0, expected - (done ?? 0))
        return min(timing.longestSilence, max(timing.shortestSilence, done ?? expected, rest))
    }
}
