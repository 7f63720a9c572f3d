public import Model

/// The state of a host, for display.
public struct HostView: Sendable, Hashable {
    public enum Standing: String, Sendable, Hashable, CaseIterable {
        /// `queued`: it is a pilot whose job does not run.
        case connecting, working, away, paused, refused, queued
    }

    public var name: String
    public var standing: Standing
    /// What is wrong, if anything.
    public var problem: String
    /// How many of the sweep's runs it has room for at a time.
    public var slots: Int
    public var running: Int
    /// Runs handed to it that have not ended.
    public var held: Int
    /// nil: it is there, or has no runs.
    public var silence: Silence?

    /// What is known about a silent host that has runs.
    public struct Silence: Sendable, Hashable {
        /// How long that has been so.
        public var span: Nanoseconds
        /// How long until its runs can be begun on other hosts as well, if those have nothing else to do; nil: there
        /// is no other host.
        public var left: Nanoseconds?

        public init(span: Nanoseconds, left: Nanoseconds?) {
            self.span = span
            self.left = left
        }
    }

    public init(
        name: String, standing: Standing, problem: String, slots: Int, running: Int, held: Int, silence: Silence? = nil
    ) {
        self.name = name
        self.standing = standing
        self.problem = problem
        self.slots = slots
        self.running = running
        self.held = held
        self.silence = silence
    }
}

/// A run that a host is running, for display.
public struct RunningRun: Sendable, Hashable {
    /// The attempt that was last seen to begin; there may be a later one under its lease.
    public var id: AttemptID
    /// Since it was seen to begin, or since its host was joined, if that was later.
    public var span: Nanoseconds

    public var run: RunNumber { id.run }

    public init(id: AttemptID, span: Nanoseconds) {
        self.id = id
        self.span = span
    }
}

extension SweepState {
    /// The host that has a run under a lease, if it is in the inventory; nil: none has it.
    public func host(of run: RunNumber) -> Int? {
        guard isCurrent(run), case .leased(let lease, _) = self[run].phase, let host = leases[lease]?.host, host >= 0
        else { return nil }
        return host
    }
}

extension Coordinator {
    /// - Parameter running: what its agent last said.
    public func view(of host: Int, running: Int, now: Nanoseconds) -> HostView {
        let link = links[host]
        let standing: HostView.Standing =
            switch link.phase {
            case .away where link.isQueued, .connecting where link.isQueued: .queued
            case .away(_, let failures): failures == 0 && link.lastProblem.isEmpty ? .connecting : .away
            case .connecting: .connecting
            case .joined where isFenced(host): .refused
            case .joined where now < link.health.pausedUntil || link.closed != nil: .paused
            case .joined: offered(by: host)?.slots == 0 ? .paused : .working
            case .refused: .refused
            }
        return HostView(
            name: plan.hosts[host], standing: standing,
            problem: fenceText(host) ?? link.closed ?? offerText(host) ?? link.lastProblem,
            slots: offered(by: host).map { plan.room(on: host, slots: $0.slots) } ?? 0, running: running,
            held: state.openRuns[host],
            silence: silenceView(of: host, now))
    }

    private func fenceText(_ host: Int) -> String? {
        state.fencedHosts[plan.hosts[host]].map { "fenced by an audit: \($0)" }
    }

    /// What each host is at, by its index in the plan, the longest first: attempts that were seen to begin and not to
    /// end.
    public func work(now: Nanoseconds) -> [[RunningRun]] {
        var work: [[RunningRun]] = Array(repeating: [], count: links.count)
        for (place, beginning) in begun {
            guard let claim = state.claim(of: place.lease, on: place.run) else { continue }
            let host = host(of: claim)
            guard host >= 0 else { continue }
            let id = AttemptID(run: place.run, lease: place.lease, attempt: beginning.attempt)
            work[host].append(RunningRun(id: id, span: now - beginning.time))
        }
        for host in work.indices { work[host].sort { ($1.span, $0.run) < ($0.span, $1.run) } }
        return work
    }

    private func silenceView(of host: Int, _ now: Nanoseconds) -> HostView.Silence? {
        guard state.openRuns[host] > 0, let span = silence(of: host, now), span > plan.timing.leaseTerm else {
            return nil
        }
        guard links.count > 1 else { return HostView.Silence(span: span, left: nil) }
        var patience = Nanoseconds.max
        for lease in state.leasesOfHost[host] {
            for run in state.openRuns(of: lease, host: host) {
                guard let claim = state.claim(of: lease, on: run) else { continue }
                patience = min(patience, self.patience(run, claim, lastHeard: now - span))
            }
        }
        return HostView.Silence(span: span, left: max(0, patience - span))
    }
}
