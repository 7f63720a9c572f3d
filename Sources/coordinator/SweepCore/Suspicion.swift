import Model

/// How often hosts, or their supervisors, died during a run. A run that kills its host each time must be identified,
/// and runs that only died with it must not fail because of it.
///
/// After the second death a run is suspected. It is tried again after all runs that are not suspected, each time beside
/// fewer others (a quarter of the host's slots, then a sixteenth, finally alone). As soon as one run is shown to be the
/// cause (it fails after five deaths, three of them alone), those that died with it are no longer suspected. So a power
/// cut makes no run fail, and identifying a run that kills its hosts takes a number of deaths proportional to the
/// logarithm of their slots.
struct Deaths: Sendable, Hashable {
    /// The deaths that it shared with other runs of the sweep.
    var shared: [Int32] = []
    /// How often it was the only run there.
    var alone = 0
    /// The last one, shared or not.
    var last: Int32 = 0

    var count: Int { shared.count + alone }
}

extension SweepState {
    /// Deaths from which on a run is under suspicion.
    static let suspiciousDeaths = 2
    /// A run that died so often, and so often alone, is taken to be the cause.
    static let fatalDeaths = (count: 5, alone: 3)
    /// A run that so many hosts took and then fell silent, without one coming back, is given to nobody else.
    static let fatalSilences = 6

    func isSuspect(_ run: RunNumber) -> Bool { self[run].deaths.count >= SweepState.suspiciousDeaths }

    /// Whether it is proven that the run is the cause of its deaths.
    func isGuilty(_ run: RunNumber) -> Bool {
        let deaths = self[run].deaths
        return deaths.count >= SweepState.fatalDeaths.count && deaths.alone >= SweepState.fatalDeaths.alone
    }

    /// Suspects that could be handed out now, those with the fewest deaths first: no run may have more company than one
    /// before it.
    var readySuspects: [RunNumber] {
        waitingSuspects.filter { run in group(of: run).map(isPossible) ?? false }
    }

    /// The most runs that may be on a host of so many slots together with this one, itself included. A host that has
    /// it and is silent counts like one that died.
    func company(of run: RunNumber, slots: Int, silences: Int) -> Int {
        let deaths = self[run].deaths.count + silences
        guard deaths >= SweepState.suspiciousDeaths else { return .max }
        return max(1, slots >> (2 * (deaths - SweepState.suspiciousDeaths + 1)))
    }

    /// The most runs that may be on a host, because of those that are there.
    func company(on host: Int, slots: Int) -> Int {
        guard limitingRuns[host] > 0 else { return .max }
        return leasesOfHost[host].flatMap { openRuns(of: $0, host: host) }
            .reduce(.max) { min($0, company(of: $1, slots: slots, silences: olderClaims[$1]?.count ?? 0)) }
    }

    /// Whether a run has less company than a host has slots, wherever it is.
    func isLimiting(_ run: RunNumber) -> Bool {
        self[run].deaths.count + (olderClaims[run]?.count ?? 0) >= SweepState.suspiciousDeaths
    }

    // MARK: Changes

    /// To be told -1 before a run's deaths or claims change, and 1 when they have.
    mutating func count(_ run: RunNumber, limiting change: Int) {
        guard isLimiting(run) else { return }
        for claim in claims(on: run) {
            if let host = leases[claim.lease]?.host, host >= 0 { limitingRuns[host] += change }
        }
    }

    /// A host was started again: whatever it had may have been the cause. That shows here first, and perhaps only here:
    /// an agent whose host died right after an attempt's start need not know of that start.
    mutating func noteReboot(of host: Int) {
        noteDeath(of: host)
        for run in leasesOfHost[host].flatMap({ openRuns(of: $0, host: host) }) where !isOver(run) {
            noteDeath(of: run, host: host)
        }
    }

    private mutating func noteDeath(of host: Int) {
        deathCount += 1
        deathOfHost[host] = deathCount
        leaseOfDeath[host] = nextLease
        companyOfDeath[host] = openRuns[host]
    }

    /// A host's death took this attempt with it. Those under leases that are older than its last death went with that.
    mutating func noteDeath(of run: RunNumber, under lease: LeaseNumber, host: Int) {
        guard host >= 0 else { return }
        if deathOfHost[host] == 0 || lease >= leaseOfDeath[host] { noteDeath(of: host) }
        noteDeath(of: run, host: host)
    }

    private mutating func noteDeath(of run: RunNumber, host: Int) {
        guard self[run].deaths.last != deathOfHost[host] else { return }
        count(run, limiting: -1)
        runs[run - 1].deaths.last = deathOfHost[host]
        if companyOfDeath[host] == 1 {
            runs[run - 1].deaths.alone += 1
        } else {
            runs[run - 1].deaths.shared.append(deathOfHost[host])
        }
        count(run, limiting: 1)
    }

    /// A run was proven guilty: its deaths are explained, and no other's.
    mutating func acquitCompany(of guilty: RunNumber) {
        let explained = Set(self[guilty].deaths.shared)
        guard !explained.isEmpty else { return }
        for run in runs.indices.map({ $0 + 1 }) where run != guilty && !self[run].deaths.shared.isEmpty {
            let waits = self[run].phase == .waiting
            if waits { stopWaiting(run) }
            count(run, limiting: -1)
            runs[run - 1].deaths.shared.removeAll(where: explained.contains)
            count(run, limiting: 1)
            if waits { wait(run) }
        }
    }
}
