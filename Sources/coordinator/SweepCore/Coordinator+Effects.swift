public import Model

extension Coordinator {
    /// What is to be done now. Ask only after everything handled so far is committed.
    public mutating func effects(now: Nanoseconds) -> [Effect] {
        var effects: [Effect] = []
        // Once hosts were told that it has ended, it has.
        let isFinished = state.isFinished && (finishedAt != nil || !awaitsAudits(now))
        if isFinished != (finishedAt != nil) { noteNewsOfAll() }
        finishedAt = isFinished ? finishedAt ?? now : nil
        for host in news.sorted() {
            news.remove(host)
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
        for host in news.sorted() {
            if case .away(let until, _) = links[host].phase, until > now { next = min(next, until) }
        }
        for deadline in [cancelDeadline, cancels.values.min(), finishedAt.map { $0 + plan.timing.releaseGrace }] {
            if let deadline, deadline > now { next = min(next, deadline) }
        }
        return next
    }

    private mutating func connect(
        _ host: Int, _ until: Nanoseconds, _ failures: Int, _ now: Nanoseconds, _ effects: inout [Effect]
    ) {
        guard now >= until, !isInterrupted, finishedAt == nil || state.isHolding[host] else {
            news.insert(host)
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
        // Taken out, so that what it holds is changed where it is, and not copied.
        guard var joined = links[host].joined.take() else { return }
        defer { links[host].joined = joined }
        let active = state.leasesOfHost[host]
        if !joined.unacknowledged.isEmpty {
            effects.append(.acknowledge(host: host, joined.unacknowledged))
            joined.unacknowledged = []
        }
        if !joined.toRevoke.isEmpty {
            effects.append(.revoke(host: host, joined.toRevoke))
            joined.toRevoke = []
        }
        if !joined.toCancel.isEmpty {
            effects.append(.cancel(host: host, joined.toCancel))
            joined.toCancel = []
        }
        // Behind what ends: a run that is granted again here must not be ended with what it was before.
        for lease in active where joined.told.insert(lease).inserted {
            effects.append(.grant(host: host, lease: lease, state.grants(of: lease)))
        }
        if joined.told.count > 2 * active.count + 16 { joined.told.formIntersection(active) }
        if finishedAt != nil, state.isHolding[host], !joined.isReleased {
            effects.append(.release(host: host))
            joined.isReleased = true
        }
    }

    // MARK: The end

    private func ending(now: Nanoseconds) -> Ending? {
        if finishedAt != nil {
            guard isInterrupted || links.indices.allSatisfy({ isReleased($0, now) }) else { return nil }
            return isOutOfTime ? .outOfTime : .complete(allSucceeded: state.notSucceededCount == 0)
        }
        if isInterrupted, cancelDeadline == nil { return .interrupted }
        if cancelDeadline == nil, let pause, !state.isUnderWay { return .paused(pause) }
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
        let isPatient = now - lastProgress < patience
        for host in links.indices where !isFenced(host) {
            switch links[host].phase {
            case .joined: return nil
            case .connecting: if isPatient { return nil }
            case .away(_, let failures): if isPatient || failures + links[host].breaks < 3 { return nil }
            case .refused: if links[host].mayGetJob, isPatient { return nil }
            }
        }
        let reasons = zip(plan.hosts, links).map { host, link in
            "\(host): \(state.fencedHosts[host] ?? link.lastProblem)"
        }
        return .noHost(reason: reasons.joined(separator: "\n"))
    }
}
