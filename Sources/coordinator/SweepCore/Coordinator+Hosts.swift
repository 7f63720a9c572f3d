import Model

/// Which hosts are connected, which are silent, and which are refused.
///
/// Silence ends nothing: a silent host keeps its leases, and continues its runs when it comes back. Only runs that were
/// given to other hosts meanwhile (`Coordinator+Leases`) are decided again.
extension Coordinator {
    mutating func join(_ host: Int, _ arrival: Arrival, _ now: Nanoseconds, _ records: inout [Record]) {
        if let twin = twin(of: host, arrival) {
            let reason = "it is the same machine as '\(plan.hosts[twin])', which is in the inventory too"
            return refuse(host, reason, &records)
        }
        links[host].lastHeard = now
        links[host].lastProblem = ""
        links[host].isQueued = false
        links[host].offer = nil
        if !breaksAgain(host) { lastProgress = now }
        everJoined = true
        let deaths = state.deathCount
        decide(
            .hostSeen(
                host: plan.hosts[host], bootID: arrival.bootID, hostName: arrival.hostName, slots: arrival.slots,
                memoryBytes: arrival.memoryBytes, clockOffset: arrival.clockOffset), &records)
        links[host].join(Link.Joined(arrival: arrival, since: now, engineIsRight: !plan.pinsEngine))
        links[host].usableSince = links[host].usableSince ?? now
        for run in state.leasesOfHost[host].flatMap({ state.openRuns(of: $0, host: host) })
        where isGuilty(run) && !state.isOver(run) {
            decideEnd(run, .failed, .hostLost, &records)
        }
        setSlots(of: host)
        if let lack = lack(of: host, arrival) { return refuse(host, lack, &records) }
        if state.deathCount != deaths, state.companyOfDeath[host] > 0 {
            noteTrouble(host, "it restarted while runs were running on it", now, &records)
        }
        for held in arrival.leases { takeUp(held, host, arrival, &records) }
        let held = Set(arrival.leases.map(\.lease))
        for lease in state.leasesOfHost[host] where !held.contains(lease) { takeUp(missing: lease, host, &records) }
    }

    private func twin(of host: Int, _ arrival: Arrival) -> Int? {
        links.indices.first { other in
            guard other != host, let twin = links[other].joined?.arrival else { return false }
            return twin.bootID == arrival.bootID && twin.hostName == arrival.hostName
                && twin.workdir == arrival.workdir
        }
    }

    /// A lease that the agent has: what is still wanted of it goes on, the rest is ended.
    private mutating func takeUp(_ held: HeldLease, _ host: Int, _ arrival: Arrival, _ records: inout [Record]) {
        links[host].unseen.remove(held.lease)
        if let entry = state.leases[held.lease], entry.host != host, entry.host < 0 || links[entry.host].joined == nil {
            decide(.leaseMoved(lease: held.lease, host: plan.hosts[host]), &records)
        }
        let open = state.openRuns(of: held.lease, host: host)
        guard !open.isEmpty else {
            links[host].joined?.toRevoke.append(held.lease)
            return
        }
        let runs = Set(held.runs)
        let missing = open.filter { !runs.contains($0) }
        leaveToOthers(missing, of: held.lease, &records)
        // A grant that was cut in two by a lost connection is sent again; what the agent has of it does no harm.
        if missing.isEmpty { links[host].joined?.told.insert(held.lease) }
        let wanted = Set(open)
        for run in held.runs where state.runs.indices ~= run - 1 {
            let isUnwanted = !wanted.contains(run) && !isClaimed(run, by: host, among: arrival.leases)
            if isUnwanted || isCancelled(run) { links[host].joined?.toCancel.append(run) }
        }
    }

    /// Whether the host has the run under a lease that its agent knows. One that it does not know yet is sent behind
    /// what ends: the run would be done twice.
    private func isClaimed(_ run: RunNumber, by host: Int, among held: [HeldLease]) -> Bool {
        state.claims(on: run).contains { claim in
            self.host(of: claim) == host && held.contains { $0.lease == claim.lease }
        }
    }

    /// A lease on record that the agent does not have never reached it, and is sent again; or was lost with its disk.
    private mutating func takeUp(missing lease: LeaseNumber, _ host: Int, _ records: inout [Record]) {
        let isSameBoot = state.leases[lease]?.bootID == state.bootOfHost[host]
        if isSameBoot, links[host].unseen.contains(lease) {
            leaveToOthers(state.openRuns(of: lease, host: host), of: lease, &records)
        } else if isSameBoot, lease < firstLeaseOfLife, !faults.contains(.blamesUnsent) {
            // The coordinator before this one may have died before it sent it: nobody is to blame, least of all a run.
            for run in state.openRuns(of: lease, host: host) {
                let reason =
                    "\(plan.hosts[host]) never received it: it was handed out just before the coordinator ended"
                decide(.runWithdrawn(run: run, lease: lease, reason: reason), &records)
            }
        } else {
            let reason = "\(plan.hosts[host]) no longer has it: its agent lost its records of this sweep"
            decide(.leaseVoided(lease: lease, reason: reason), &records)
        }
    }

    /// Runs that an agent never had are left to those who have them.
    private mutating func leaveToOthers(_ runs: [RunNumber], of lease: LeaseNumber, _ records: inout [Record]) {
        for run in runs {
            guard let other = state.claims(on: run).last(where: { $0.lease != lease }) else { continue }
            adopt(run, other, "the other host never received it", &records)
        }
    }

    mutating func checkEngine(_ host: Int, _ digest: Digest, _ records: inout [Record]) {
        guard let pinned = state.pins["engine"] else {
            decide(.pinned(name: "engine", digest: digest), &records)
            links[host].joined?.engineIsRight = true
            return setSlots(of: host)
        }
        if pinned == digest {
            links[host].joined?.engineIsRight = true
            setSlots(of: host)
        } else {
            refuse(
                host,
                "its engine binary (\(digest.short)) is not the one that this sweep began with (\(pinned.short)); "
                    + "results of two engines are not mixed: restore the old one, or launch with --repin to run "
                    + "everything again", &records)
        }
    }

    /// Slots, by what a run takes of them, less what memory and what there are few of forbid.
    mutating func setSlots(of host: Int) {
        guard let joined = links[host].joined, joined.engineIsRight else { return }
        guard let offered = offered(by: host) else { return }
        let room = min(plan.room(on: host, slots: offered.slots), Coordinator.mostSlots)
        guard let memory = state.memoryPerRun, memory > 0 else {
            links[host].slots = room
            return
        }
        let fitting = Int(offered.memoryBytes / memory)
        // A guess keeps no host out, unless other people have the memory: its agent runs one at a time, whatever it
        // takes.
        let isWhole = offered.memoryBytes == joined.arrival.memoryBytes
        let isGuess = if case .learned = plan.memory { isWhole } else { false }
        links[host].slots = min(room, isGuess ? max(1, fitting) : fitting)
    }

    /// Why a host will never have room for a run; nil: it will, or has some of this sweep from before. Where no host
    /// has, the sweep ends with that instead of waiting for ever.
    private func lack(of host: Int, _ arrival: Arrival) -> String? {
        guard state.leasesOfHost[host].isEmpty else { return nil }
        if arrival.slots < plan.needs.cores {
            let slots = PeopleText.count(plan.needs.cores, "slot")
            return "a run takes \(slots) (cores), but this host has \(arrival.slots)"
        }
        guard case .fixed(let need) = plan.memory, need > arrival.memoryBytes else { return nil }
        return "a run needs \(PeopleText.size(need)) of memory (limits.memory), and it has "
            + "\(PeopleText.size(arrival.memoryBytes)) for runs"
    }

    /// More runs on one host than any has room for: what its agent holds must fit the hello that names it.
    static let mostSlots = 16_384

    // MARK: Out

    /// A host that was in this sweep before is let in again sooner or later: an account service that is away for a
    /// minute says no to everybody. One that never was, is not asked again and again with what may lock its account.
    mutating func refuseLogin(_ host: Int, _ reason: String, _ now: Nanoseconds, _ records: inout [Record]) {
        if state.bootOfHost[host].isEmpty || faults.contains(.takesRefusalAsFinal) {
            refuse(host, reason, &records)
        } else {
            lose(host, reason, now)
        }
    }

    /// The host is left alone from here on. What it runs goes on, and is taken up when the sweep is resumed.
    mutating func refuse(_ host: Int, _ reason: String, _ records: inout [Record]) {
        links[host].phase = .refused(reason)
        links[host].slots = 0
        links[host].lastProblem = reason
        decide(.hostRefused(host: plan.hosts[host], reason: reason), &records)
    }

    mutating func lose(_ host: Int, _ reason: String, _ now: Nanoseconds) {
        let failures: Int
        switch links[host].phase {
        case .refused: return
        case .joined:
            failures = 0
            let isShort = now - (links[host].joined?.since ?? now) < plan.timing.leaseTerm
            links[host].breaks = isShort ? links[host].breaks + 1 : 0
        case .connecting(let before): failures = before + 1
        case .away(_, let before): failures = before
        }
        links[host].lastProblem = reason
        links[host].isQueued = false
        links[host].slots = 0
        // One that comes up and breaks at once, as where its agent crashes, is reached more and more seldom, too.
        let pause = plan.timing.firstPause << Nanoseconds(min(failures + max(0, links[host].breaks - 1), 16))
        links[host].phase = .away(until: now + min(pause, plan.timing.longestPause), failures: failures)
        news.insert(host)
    }

    /// Whether a host comes up and breaks again and again: that is no progress, and nothing to wait for.
    func breaksAgain(_ host: Int) -> Bool { links[host].breaks >= 3 }

    /// A stream on which nothing comes for a lease's term is taken for broken.
    mutating func noteSilence(_ now: Nanoseconds, _ records: inout [Record]) {
        guard now > nextSilence else { return }
        let term = plan.timing.leaseTerm
        // Whoever is heard of from now on can be silent for that long only after these.
        nextSilence = links.indices.reduce(now + term) { next, host in
            let end = links[host].lastHeard + term
            return end < now ? next : min(next, end)
        }
        for host in links.indices where now - links[host].lastHeard > term {
            if links[host].joined != nil {
                lose(host, "nothing was received from it for \(term / Timing.second) s", now)
            }
            guard faults.contains(.endsSilentLeases) else { continue }
            for lease in state.leasesOfHost[host] { decide(.leaseVoided(lease: lease, reason: "silent"), &records) }
        }
    }

    /// How long a host has been silent; nil: it is there. -1 stands for any that is no longer in the inventory.
    func silence(of host: Int, _ now: Nanoseconds) -> Nanoseconds? {
        if host < 0 { return now - straySince }
        return links[host].joined == nil ? now - links[host].lastHeard : nil
    }

    /// The host whose claim it is; -1: it is no longer in the inventory.
    func host(of claim: Claim) -> Int { state.leases[claim.lease]?.host ?? -1 }
}
