public import Model

extension Coordinator {
    /// What is to be done now. Ask only after everything handled so far is committed.
    public mutating func effects(now: Nanoseconds) -> [Effect] {
        var effects: [Effect] = []
        for host in links.indices where hasNews[host] {
            hasNews[host] = false
            switch links[host].phase {
            case .away(let until, let failures): connect(host, until, failures, now, &effects)
            case .connecting: break
            case .refused(let reason): disconnect(host, reason, &effects)
            case .joined: tell(host, &effects)
            }
        }
        if let ending = ending(now: now) { effects.append(.finish(ending)) }
        return effects
    }

    /// When ``tick(now:)`` has to be called at the latest, if no event comes before.
    public func nextDeadline(now: Nanoseconds) -> Nanoseconds {
        var next = now + Timing.second
        // Hosts that are away always have news.
        for host in links.indices where hasNews[host] {
            if case .away(let until, _) = links[host].phase, until > now { next = min(next, until) }
        }
        for deadline in [cancelDeadline, finishedAt.map { $0 + plan.timing.releaseGrace }] {
            if let deadline, deadline > now { next = min(next, deadline) }
        }
        return next
    }

    private mutating func connect(
        _ host: Int, _ until: Nanoseconds, _ failures: Int, _ now: Nanoseconds, _ effects: inout [Effect]
    ) {
        guard now >= until, !isInterrupted, !state.isFinished || state.isHolding[host] else {
            hasNews[host] = true
            return
        }
        links[host].phase = .connecting(failures: failures)
        effects.append(.connect(host: host))
    }

    private mutating func disconnect(_ host: Int, _ reason: String, _ effects: inout [Effect]) {
        guard !links[host].isDisconnected else { return }
        links[host].isDisconnected = true
        effects.append(.disconnect(host: host, reason: reason))
    }

    /// The difference between what the ledger wants of a host and what its agent was told.
    private mutating func tell(_ host: Int, _ effects: inout [Effect]) {
        guard var session = links[host].session else { return }
        let active = state.leasesOfHost[host]
        for lease in active where session.told.insert(lease).inserted {
            effects.append(.grant(host: host, lease: lease, state.grants(of: lease)))
        }
        if session.told.count > 2 * active.count + 16 { session.told.formIntersection(active) }
        if !session.unacknowledged.isEmpty {
            effects.append(.acknowledge(host: host, session.unacknowledged))
            session.unacknowledged = []
        }
        if !session.toRevoke.isEmpty {
            effects.append(.revoke(host: host, session.toRevoke))
            session.toRevoke = []
        }
        if !session.toCancel.isEmpty {
            effects.append(.cancel(host: host, session.toCancel))
            session.toCancel = []
        }
        if state.isFinished, state.isHolding[host], !session.isReleased {
            effects.append(.release(host: host))
            session.isReleased = true
        }
        links[host].session = session
    }

    // MARK: The end

    private func ending(now: Nanoseconds) -> Ending? {
        if state.isFinished {
            guard isInterrupted || links.indices.allSatisfy({ isReleased($0, now) }) else { return nil }
            return isOutOfTime ? .outOfTime : .complete(allSucceeded: state.notSucceededCount == 0)
        }
        if isInterrupted, cancelDeadline == nil { return .interrupted }
        return noHost(now: now)
    }

    /// Whether a host need not be waited for at the end: it keeps nothing, or cannot be told now. What such a host
    /// keeps it deletes when the sweep is resumed and it can be reached.
    private func isReleased(_ host: Int, _ now: Nanoseconds) -> Bool {
        guard state.isHolding[host], let finishedAt, now - finishedAt < plan.timing.releaseGrace else {
            return !state.isHolding[host] || finishedAt != nil
        }
        return switch links[host].phase {
        case .away(_, let failures): failures > 0
        case .connecting(let failures): failures > 0
        case .joined: false
        case .refused: true
        }
    }

    private func noHost(now: Nanoseconds) -> Ending? {
        let patience = everJoined ? plan.timing.patience : plan.timing.patienceAtStart
        let isPatient = now - lastJoined < patience
        for link in links {
            switch link.phase {
            case .joined: return nil
            case .connecting: if isPatient { return nil }
            case .away(_, let failures): if isPatient || failures < 3 { return nil }
            case .refused: break
            }
        }
        let reasons = zip(plan.hosts, links).map { "\($0): \($1.lastProblem)" }
        return .noHost(reason: reasons.joined(separator: "\n"))
    }

    // MARK: Leases

    /// Gives every host that has room a new lease.
    ///
    /// Work is handed out on demand, in shards as large as a host will finish in ``Timing/workAhead``, so that a
    /// fast host gets more; and towards the end no more than its share, so that all end together.
    mutating func grantLeases(_ now: Nanoseconds, _ records: inout [Record]) {
        var ready = state.readyCount
        guard ready > 0 else { return }
        let usable = links.indices.filter { isUsable($0, now) }
        let allSlots = usable.reduce(0) { $0 + links[$1].slots }
        for host in usable where ready > 0 {
            let slots = links[host].slots
            let share = (ready * slots + allSlots - 1) / max(1, allSlots)
            let ahead = min(ahead(slots: slots), share)
            let room = slots + ahead - state.openRuns[host]
            // Small top-ups are not worth a commit while the host has enough to do.
            guard room > 0, state.openRuns[host] < slots || room * 4 >= ahead else { continue }
            let runs = state.take(min(room, Coordinator.longestShard), for: host, others: usable.count > 1)
            guard !runs.isEmpty else { continue }
            let grants = runs.map { run in
                let allowed = plan.agentRetries ? max(1, plan.maximumFailures - state[run].failures) : 1
                return Grant(run: run, firstAttempt: state[run].nextAttempt, attempts: allowed)
            }
            decide(.leaseGranted(lease: state.nextLease, host: plan.hosts[host], grants: grants), &records)
            hasNews[host] = true
            ready -= runs.count
        }
    }

    /// The most runs under one lease.
    static let longestShard = 512

    private func isUsable(_ host: Int, _ now: Nanoseconds) -> Bool {
        links[host].slots > 0 && now >= links[host].restUntil
    }

    /// How many runs a host may hold beyond its slots.
    private func ahead(slots: Int) -> Int {
        guard let meanWall else { return 0 }
        let perSlot = plan.timing.workAhead / max(meanWall, Timing.second / 10_000)
        return min(slots * Int(perSlot), Coordinator.longestShard - 1)
    }
}

extension SweepState {
    /// The runs that are still under a lease, if it is active on that host.
    func openRuns(of lease: LeaseNumber, host: Int) -> [RunNumber] {
        guard let entry = leases[lease], entry.host == host else { return [] }
        return entry.runs.filter { if case .leased(lease, _) = self[$0].phase { true } else { false } }
    }

    /// What is still granted under a lease.
    func grants(of lease: LeaseNumber) -> [Grant] {
        (leases[lease]?.runs ?? []).compactMap { run in
            guard case .leased(lease, let attempts) = self[run].phase else { return nil }
            return Grant(run: run, firstAttempt: attempts.lowerBound, attempts: attempts.count)
        }
    }
}
