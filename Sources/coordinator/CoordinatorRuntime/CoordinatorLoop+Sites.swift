import Model
import Ports
import SweepCore

/// Slurm clusters, whose pilots are hosts like all others to the rest of the loop.
extension CoordinatorLoop {
    /// Something came on the stream to a login node.
    func take(_ event: StreamEvent, ofSite site: Int, _ generation: Int, now: Nanoseconds) -> [Event] {
        let events = sites.take(site, generation, event, now: now)
        if sites.wantsPacking(site) {
            workshop.hand(in: .agent) { [agent = setting.agent] in
                agent.pack()
                return .nothing
            }
        }
        return events
    }

    /// Decides what jobs to submit and to end by what there is to do, after all were given what they can do.
    func actOnSites(_ now: Nanoseconds) -> [Event] {
        guard !sites.isEmpty else { return [] }
        sites.dropOverdue(now: now)
        let events = (0..<sites.count).flatMap { sites.act($0, demand(of: $0, now), now: now) }
        for problem in sites.takeProblems() { complain(problem) }
        return events
    }

    private func demand(of site: Int, _ now: Nanoseconds) -> SiteCore.Demand {
        let pilots = sites.hosts(of: site).map { host in
            SiteCore.PilotDemand(
                isJoined: links[host]?.isJoined ?? false, runs: core.heldRuns(on: host), slots: core.slots(of: host),
                hasTime: core.hasTime(host, now: now), refusal: core.refusal(of: host))
        }
        return SiteCore.Demand(ready: core.wantsHosts ? core.state.readyCount : 0, pilots: pilots)
    }

    /// The sweep is over: jobs end, and what they left on shared folders goes. Where hosts still have runs, or nobody
    /// can be reached, jobs go on.
    func finishSites(_ ending: Ending) {
        switch ending {
        case .complete, .outOfTime, .paused: break
        case .noHost, .interrupted: return
        }
        var left = Set(sites.finish())
        let deadline = time.monotonic() + CoordinatorLoop.farewell
        var isInterrupted = false
        while !left.isEmpty, !isInterrupted, time.monotonic() < deadline {
            for item in inbox.take(timeout: deadline - time.monotonic()) {
                if case .request(.interrupt) = item { isInterrupted = true }
                guard case .gateway(let site, let generation, let event) = item else { continue }
                _ = sites.take(site, generation, event, now: time.monotonic())
                if case .closed = event { left.remove(site) }
            }
        }
        for site in left.sorted() { sites.giveUp(site) }
        for problem in sites.takeProblems() { complain(problem) }
    }

    /// How long gateways have to end all jobs.
    private static let farewell: Nanoseconds = 15 * Timing.second
}
