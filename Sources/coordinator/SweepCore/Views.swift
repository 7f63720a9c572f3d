public import Model

/// How a host stands, for showing.
public struct HostView: Sendable, Hashable {
    public enum Standing: String, Sendable, Hashable {
        case connecting, working, away, resting, refused
    }

    public var name: String
    public var standing: Standing
    /// What is wrong, if anything.
    public var problem: String
    public var slots: Int
    public var running: Int
    /// Runs handed to it that have not ended.
    public var held: Int

    public init(name: String, standing: Standing, problem: String, slots: Int, running: Int, held: Int) {
        self.name = name
        self.standing = standing
        self.problem = problem
        self.slots = slots
        self.running = running
        self.held = held
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
            case .away(_, let failures): failures == 0 && link.lastProblem.isEmpty ? .connecting : .away
            case .connecting: .connecting
            case .joined: now < link.restUntil ? .resting : .working
            case .refused: .refused
            }
        return HostView(
            name: plan.hosts[host], standing: standing, problem: link.lastProblem,
            slots: link.session?.facts.slots ?? 0, running: running, held: state.openRuns[host])
    }
}
