public import Model

/// Pilots: hosts that exist only while a job of a Slurm cluster runs for them.
///
/// Unlike the runs of a silent host, the runs of a job that is over have certainly ended. They can be given to other
/// hosts at once, and this is not counted as a failure of the runs.
extension Coordinator {
    /// What the end of a pilot's job means for the runs that it had.
    public enum PilotEnd: Sendable, Hashable {
        /// Nothing: it was preempted, cancelled, or had nothing to do.
        case blameless
        /// It was ended after so many nanoseconds because its time was over: a run that had all of it needs more.
        case walltime(Nanoseconds)
        /// Perhaps one of them did it: it ran out of memory, or its node died.
        case doubtful
    }

    mutating func endPilot(
        _ host: Int, _ end: PilotEnd, _ reason: String, _ now: Nanoseconds, _ records: inout [Record]
    ) {
        for lease in state.leasesOfHost[host] {
            let open = state.openRuns(of: lease, host: host)
            if case .walltime(let span) = end { endTooLong(host, open, lease, span, reason, now, &records) }
            if end == .doubtful {
                let told = "\(plan.hosts[host]): \(reason)"
                if !open.isEmpty { decide(.leaseVoided(lease: lease, reason: told), &records) }
            } else {
                for run in open where state.claim(of: lease, on: run) != nil {
                    decide(
                        .runWithdrawn(run: run, lease: lease, reason: "\(plan.hosts[host]): \(reason)"), &records)
                }
            }
            for run in open { begun[AttemptPlace(run: run, lease: lease)] = nil }
        }
        // What is left in its folder goes with the sweep's.
        if state.isHolding[host] { decide(.hostReleased(host: plan.hosts[host]), &records) }
        links[host].ends = nil
        links[host].usableSince = nil
        links[host].unseen = []
        // The next job may be on another node: what was wrong with this one says nothing of it.
        links[host].health.recover()
        if links[host].isRefused {
            links[host].phase = .away(until: now, failures: 0)
            links[host].isDisconnected = false
        }
        links[host].breaks = 0
        lose(host, reason, now)
        links[host].isQueued = true
        noteNewsOfAll()
    }

    /// A run that had a whole job and was not done would need another one for ever.
    ///
    /// It had one if it began as soon as the pilot could run things: when the end was noticed tells nothing, as the
    /// gateway may have been away. After a coordinator's restart the pilot's age is not known, so that half of the
    /// job's time is asked for, too.
    private mutating func endTooLong(
        _ host: Int, _ runs: [RunNumber], _ lease: LeaseNumber, _ span: Nanoseconds, _ reason: String,
        _ now: Nanoseconds, _ records: inout [Record]
    ) {
        guard let since = links[host].usableSince else { return }
        for run in runs where !state.isOver(run) {
            guard let beginning = begun[AttemptPlace(run: run, lease: lease)], state.claims(on: run).count == 1
            else { continue }
            let had = min(span, min(now, links[host].ends ?? now) - beginning.time)
            guard beginning.time - since <= span / 10, had >= span / 2 else { continue }
            let told = "\(plan.hosts[host]): \(reason); the run had \(PeopleText.span(had)) of the job's "
                + "\(PeopleText.span(span)) and did not finish; raise 'time' of the cluster"
            decide(.runWithdrawn(run: run, lease: lease, reason: told), &records)
            decideEnd(run, .failed, .timeout, &records)
        }
    }

    /// The job of a pilot waits: that is nobody's silence.
    mutating func notePilotWaits(_ host: Int, _ reason: String, _ now: Nanoseconds) {
        lastProgress = now
        links[host].mayGetJob = true
        guard links[host].joined == nil, !links[host].isRefused else { return }
        links[host].lastProblem = reason
        links[host].isQueued = true
    }

    /// Whether a host that goes at some time can have another run before, as far as one can tell. What it is not given
    /// for other reasons (it failed there, a faster host is to have it) is no question of time.
    public func hasTime(_ host: Int, now: Nanoseconds) -> Bool {
        guard links[host].ends != nil, wantsHosts, isUsable(host, now), room(on: host) > 0 else { return true }
        return state.readyCount == 0 || state.hasReady(within: bounds(for: host, now).most)
    }

    /// Whether runs that wait are handed out now.
    public var wantsHosts: Bool { !isInterrupted && cancelDeadline == nil && pause == nil && !state.isFinished }

    /// Why a host stays out of the sweep; nil: it does not.
    public func refusal(of host: Int) -> String? {
        if case .refused(let reason) = links[host].phase { reason } else { nil }
    }

    /// How many runs a host was given that have not ended.
    public func heldRuns(on host: Int) -> Int { state.openRuns[host] }

    /// How many runs a host can have at a time; 0: it is not there.
    public func slots(of host: Int) -> Int { links[host].slots }
}
