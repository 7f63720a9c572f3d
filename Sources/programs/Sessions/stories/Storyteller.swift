import CoordinatorRuntime
import Ledger
import Model
import SweepCore

/// Gathers what the ledger knows.
struct Storyteller {
    let view: SweepView
    var ledger: Ledger { view.ledger }

    init(_ view: SweepView) { self.view = view }

    func story(of run: RunStatus) throws -> RunStory {
        let number = run.plan.run
        let leases = try ledger.leases(of: number)
        var story = RunStory(
            name: "\(view.entry.identifier)/\(number)", option: view.entry.artifacts.option,
            description: view.describe(run.plan), state: run.state, failure: run.failure, isGone: run.plan.place == nil,
            attempts: try ledger.attempts(of: number).map { RunStory.AttemptStory($0) },
            stale: try ledger.staleAttempt(of: number),
            voidLeases: leases.compactMap { lease in
                lease.voided.map { RunStory.VoidLease(host: lease.host, reason: $0) }
            },
            late: try ledger.fencedAttempts(of: number).map {
                RunStory.Late(host: $0.host, failure: $0.failure, agrees: $0.agrees)
            },
            reopenings: try ledger.reopenings(of: number), wait: try wait(run))
        story.launch = LaunchFiles(try ledger.metadata()).launch(in: view.entry.artifacts)
        story.overtaken = try ledger.overtakenAttempts(of: number).map {
            RunStory.Overtaken(
                number: $0.attempt, host: $0.host, winner: $0.winner, winnerHost: $0.winnerHost, endedAt: $0.endedAt)
        }
        try tellAudits(of: run, &story)
        if run.failure == .inputDamaged {
            let found = try ledger.damagedInputs().last { $0.runs.contains(run.plan.run) }
            story.auditNotes += found.map { ["It succeeded on \($0.host), but later \($0.finding)."] } ?? []
        }
        // An engine that takes such parameters starts from checkpoints.
        if !run.plan.key.isSetup { story.remarks = view.sweep.restoreRemarks(axes: view.points.axes) }
        story.notes = forced(run.plan.key) + (try view.notes(of: run))
        return story
    }

    private func forced(_ key: RunKey) -> [String] {
        guard !key.isSetup, let forced = view.sweep.forced(key.workload) else { return [] }
        return ["It starts from a checkpoint that does not fit and was forced: \(forced)."]
    }

    private func tellAudits(of run: RunStatus, _ story: inout RunStory) throws {
        let audits = try ledger.audits(of: run.plan.run)
        story.audits = audits.map {
            RunStory.Audited(attempt: RunStory.AttemptStory($0.attempt), agrees: $0.comparison?.agrees)
        }
        let fenced = try ledger.hosts().filter { $0.fenceReason != nil }
        if !audits.isEmpty, let (verdict, hosts) = run.audit(audits, fenced: fenced.map(\.host)) {
            story.auditNotes.append("Its audit: \(verdict.sentence(hosts)).")
        }
        if run.failure == .hostFenced, let host = fenced.first(where: { $0.host == run.host }) {
            story.auditNotes.append(
                PeopleText.sentence("\(host.host), which produced its result, is fenced: \(host.fenceReason ?? "")"))
        }
    }

    private func wait(_ run: RunStatus) throws -> RunStory.Wait? {
        guard run.state == nil, run.plan.place != nil else { return nil }
        switch Ledger.holder(view.entry.ledger) {
        case .working(let pid, _) where CoordinatorSilence.isStopped(pid) && run.lease == nil: return .stopped(pid: pid)
        case .working, .elsewhere: break
        case .ended, .vanished, .nobody:
            if run.lease == nil, try ledger.isPaused() { return .paused }
            return .coordinator(lastEnd: try view.lastEnd(), host: run.lease == nil ? nil : run.host)
        }
        if run.lease != nil, let host = run.host { return at(host, run.plan.run) }
        if let maker = try missingMaker(run.plan) { return .setup(run: maker) }
        // What has work now may have been given none before.
        let busy = try ledger.openRuns().map(\.host)
        let idle = try ledger.hosts().filter { !busy.contains($0.host) }
        func problems(_ hosts: [HostStatus]) -> [RunStory.VoidLease] {
            hosts.compactMap { host in host.pauseReason.map { RunStory.VoidLease(host: host.host, reason: $0) } }
        }
        // What the hosts offer for now is on no record.
        let paused = (Requests(entry: view.entry).live()?.hosts ?? []).map(\.view).filter {
            $0.standing == .paused && !$0.problem.isEmpty
        }
        let told = problems(idle.filter { !$0.isRefused }).filter { told in !paused.contains { $0.name == told.host } }
        return .room(
            problems: told + paused.map { RunStory.VoidLease(host: $0.name, reason: $0.problem) },
            refused: problems(idle.filter(\.isRefused)))
    }

    private func at(_ host: String, _ run: RunNumber) -> RunStory.Wait {
        guard let live = Requests(entry: view.entry).live() else { return .leased(host: host, waits: nil) }
        for host in live.hosts {
            if let found = host.work.first(where: { $0.run == run }) { return .running(host: host.view.name, found) }
        }
        return .leased(host: host, waits: live.more == 0 ? true : nil)
    }

    /// The run that has not made yet what this one starts from; nil: there is none, or it cannot be told.
    private func missingMaker(_ run: PlannedRun) throws -> RunNumber? {
        let pins = try ledger.pins().map(\.name)
        var missing: [RunNumber] = []
        try ledger.forEachSetup { maker in
            guard let pin = maker.key.pin, !pins.contains(pin) else { return }
            switch (run.key, maker.key) {
            case (.evaluation, .setup)
            where run.key.workload == maker.key.workload && view.checkpoint(of: run) == view.checkpoint(of: maker):
                missing.append(maker.run)
            case (.setup, .boot) where try ledger.run(maker.run)?.state == nil: missing.append(maker.run)
            default: break
            }
        }
        return missing.count == 1 ? missing[0] : nil
    }

    /// nil: the sweep does not know it.
    func story(ofHost name: String) throws -> HostStory? {
        guard try hostNames().contains(name) else { return nil }
        let host = try ledger.hosts().first { $0.host == name }
        var facts: HostStory.Facts?
        if let host, let slots = host.slots {
            facts = HostStory.Facts(
                hostName: host.hostName ?? name, slots: slots, memoryBytes: host.memoryBytes ?? 0,
                clockOffset: host.clockOffset ?? 0)
        }
        var story = HostStory(
            name: name, facts: facts, open: try ledger.openRuns().first { $0.host == name }?.runs ?? 0,
            ended: try ledger.attemptCounts(on: name).map { HostStory.Ended(failure: $0.failure, count: $0.count) },
            pauses: try ledger.pauses(of: name), refusals: try ledger.refusals(of: name),
            voidLeases: try ledger.voidedLeases(of: name), late: try ledger.fencedCount(on: name))
        story.damages = try ledger.damagedInputs().filter { $0.host == name }
        story.fence = host?.fenceReason
        story.fencedRuns = try ledger.fencedRuns(of: name)
        story.retry = view.entry.command("retry --class \(FailureClass.hostFenced.rawValue)")
        return story
    }

    /// Why the last coordinator ended before everything was done, as a sentence; none where there is nothing to say.
    func lastEnd() throws -> [String] {
        try view.lastEnd().map { ["The last coordinator ended: \($0.replacing("\n", with: "; "))"] } ?? []
    }

    /// Those of the inventory that the sweep was last launched with, and those that the ledger heard of before.
    func hostNames() throws -> [String] {
        let listed = try inventory()?.hosts.map(\.name) ?? []
        return listed + (try ledger.hosts().map(\.host).filter { !listed.contains($0) })
    }

    /// That the sweep was last launched with.
    func inventory() throws -> Inventory? {
        let metadata = try ledger.metadata()
        guard metadata.notes.contains(where: { $0.name == Document.inventoryNote }) else { return nil }
        return try Document.inventory(of: metadata)
    }
}
