public import Model

/// The coordinator's decisions: a synchronous machine that is told events and answers with records, which the shell
/// commits before it asks what to do.
///
/// Two halves. ``state`` is what the ledger knows; only ``apply(_:)`` changes it. The rest is about this process's
/// streams to the hosts and is gone with it: after a crash, hosts say what they have, and the difference between
/// that and the state is worked out again.
public struct Coordinator: Sendable {
    /// What this process knows of one host.
    struct Link: Sendable {
        enum Phase: Sendable {
            /// Not connected; another try is due at that time, after so many in a row that failed.
            case away(until: Nanoseconds, failures: Int)
            case connecting(failures: Int)
            case joined(Session)
            /// It stays out of this sweep until somebody acts.
            case refused(String)
        }

        /// One stream that is up.
        struct Session: Sendable {
            var facts: HostFacts
            var engineIsRight: Bool
            /// Leases that the agent is known to have, or was sent.
            var told: Set<LeaseNumber>
            var unacknowledged: [AttemptID] = []
            var toRevoke: [LeaseNumber] = []
            var toCancel: [RunNumber] = []
            /// Whether the agent was told that the sweep has ended.
            var isReleased = false
        }

        var phase: Phase = .away(until: .min, failures: 0)
        var lastHeard: Nanoseconds
        var lastProblem = ""
        /// Attempts in a row that failed for a reason that may lie in the host.
        var troubles = 0
        var restUntil: Nanoseconds = .min
        /// How many runs it can do at a time; 0 unless it is joined, with the right engine.
        var slots = 0
        /// A refused host's stream has been ended.
        var isDisconnected = false

        var session: Session? {
            get { if case .joined(let session) = phase { session } else { nil } }
            set { if let newValue { phase = .joined(newValue) } }
        }
    }

    public internal(set) var state: SweepState
    var links: [Link]
    /// Per host, whether something changed since it was last looked at what to tell it: with a thousand hosts, most
    /// have nothing to hear after most steps.
    var hasNews: [Bool]
    /// What the links' slots were last reckoned with.
    private var memoryOfSlots: Int64?
    /// An exponential mean of how long successful attempts take; nil: none ended yet.
    var meanWall: Nanoseconds?
    let startedAt: Nanoseconds
    var lastJoined: Nanoseconds
    var everJoined = false
    var isInterrupted = false
    var isOutOfTime = false
    var cancelDeadline: Nanoseconds?
    /// Only the simulation turns this off, to see that it would notice.
    package var isFencing = true
    /// When the last run had ended.
    var finishedAt: Nanoseconds?

    /// - Parameter state: fresh, or what the ledger's records add up to.
    public init(state: SweepState, now: Nanoseconds) {
        self.state = state
        links = state.plan.hosts.map { _ in Link(lastHeard: now) }
        hasNews = links.map { _ in true }
        startedAt = now
        lastJoined = now
    }

    var plan: Plan { state.plan }

    /// Takes in one event. The records are applied already; they must be committed before ``effects(now:)`` is asked.
    public mutating func handle(_ event: Event, now: Nanoseconds) -> [Record] {
        var records: [Record] = []
        switch event {
        case .joined(let host, let facts): join(host, facts, now, &records)
        case .heard(let host): links[host].lastHeard = now
        case .engineFound(let host, let digest): checkEngine(host, digest, &records)
        case .refused(let host, let reason): refuse(host, reason, &records)
        case .lost(let host, let reason): lose(host, reason, now)
        case .ended(let host, let judged):
            links[host].lastHeard = now
            end(host, judged, now, &records)
        case .released(let host):
            links[host].lastHeard = now
            if state.isFinished, state.isHolding[host] { decide(.hostReleased(host: plan.hosts[host]), &records) }
        case .provided(let pin, let digest): provide(pin, digest, attempt: 0, &records)
        case .cancel(let run, let reason): cancel(run, reason, now, &records)
        case .interrupted: isInterrupted = true
        }
        noteNews(of: event)
        return records
    }

    private mutating func noteNews(of event: Event) {
        switch event {
        case .joined(let host, _), .engineFound(let host, _), .refused(let host, _), .lost(let host, _),
            .ended(let host, _), .released(let host):
            hasNews[host] = true
        case .heard, .provided, .cancel, .interrupted: break
        }
    }

    mutating func noteNewsOfAll() { for host in hasNews.indices { hasNews[host] = true } }

    /// What time alone brings about (leases that run out, limits), and new leases for whoever has room. Called
    /// once after the events of a batch; its records belong to the same commit.
    public mutating func tick(now: Nanoseconds) -> [Record] {
        var records: [Record] = []
        expireLeases(now, &records)
        if let limit = plan.timing.sweep, now - startedAt >= limit, !isOutOfTime, !state.isFinished {
            isOutOfTime = true
            cancel(nil, "the sweep's own time limit has passed", now, &records)
        }
        if let deadline = cancelDeadline, now >= deadline { endCancelled(&records) }
        failDependents(&records)
        // A sweep that was stopped and is resumed goes on, also where nothing had been cancelled before.
        if !isInterrupted, cancelDeadline == nil { grantLeases(now, &records) }
        if state.isFinished != (finishedAt != nil) { noteNewsOfAll() }
        finishedAt = state.isFinished ? finishedAt ?? now : nil
        return records
    }

    /// Applies a record that was decided here.
    mutating func decide(_ record: Record, _ records: inout [Record]) {
        state.apply(record)
        records.append(record)
        guard case .attemptEnded = record, state.memoryPerRun != memoryOfSlots else { return }
        memoryOfSlots = state.memoryPerRun
        for host in links.indices { setSlots(of: host) }
    }

    // MARK: Hosts

    private mutating func join(_ host: Int, _ facts: HostFacts, _ now: Nanoseconds, _ records: inout [Record]) {
        for (other, link) in links.enumerated() where other != host {
            guard let twin = link.session?.facts, twin.bootID == facts.bootID, twin.hostName == facts.hostName,
                twin.workdir == facts.workdir
            else { continue }
            let reason = "it is the same machine as '\(plan.hosts[other])', which is in the inventory too"
            return refuse(host, reason, &records)
        }
        links[host].lastHeard = now
        links[host].lastProblem = ""
        lastJoined = now
        everJoined = true
        decide(
            .hostSeen(
                host: plan.hosts[host], bootID: facts.bootID, hostName: facts.hostName, slots: facts.slots,
                memoryBytes: facts.memoryBytes, clockOffset: facts.clockOffset), &records)
        var session = Link.Session(facts: facts, engineIsRight: !plan.pinsEngine, told: [])
        for held in facts.leases {
            let open = state.openRuns(of: held.lease, host: host)
            if open.isEmpty { session.toRevoke.append(held.lease) }
            // A grant that was cut in two by a lost connection is sent again; what the agent has of it does no harm.
            if Set(held.runs).isSuperset(of: open) { session.told.insert(held.lease) }
        }
        session.toCancel = facts.leases.flatMap(\.runs).filter { state.runs.indices ~= $0 - 1 && isCancelled($0) }
        links[host].session = session
        setSlots(of: host)
        // A lease on record that the agent does not have never reached it, or was lost with its disk.
        for lease in state.leasesOfHost[host] where !facts.leases.contains(where: { $0.lease == lease }) {
            decide(.leaseVoided(lease: lease, reason: "the agent does not have it"), &records)
        }
    }

    private func isCancelled(_ run: RunNumber) -> Bool {
        if !state.isCurrent(run) { return true }
        return if case .ended(.cancelled, _) = state[run].phase { true } else { cancelDeadline != nil }
    }

    private mutating func checkEngine(_ host: Int, _ digest: Digest, _ records: inout [Record]) {
        guard let pinned = state.pins["engine"] else {
            decide(.pinned(name: "engine", digest: digest), &records)
            links[host].session?.engineIsRight = true
            return setSlots(of: host)
        }
        if pinned == digest {
            links[host].session?.engineIsRight = true
            setSlots(of: host)
        } else {
            refuse(
                host,
                "its engine binary (\(digest.short)) is not the one that this sweep began with (\(pinned.short)); "
                    + "results of two engines are not mixed: put the old one back, or launch with --repin to do "
                    + "everything again", &records)
        }
    }

    /// Slots, less what memory forbids.
    private mutating func setSlots(of host: Int) {
        guard let session = links[host].session, session.engineIsRight else { return }
        let facts = session.facts
        guard let memory = state.memoryPerRun, memory > 0 else {
            links[host].slots = facts.slots
            return
        }
        let fitting = Int(facts.memoryBytes / memory)
        // A guess keeps no host out: its agent runs one at a time, whatever it takes.
        let isGuess = if case .learned = plan.memory { true } else { false }
        links[host].slots = min(facts.slots, isGuess ? max(1, fitting) : fitting)
    }

    private mutating func refuse(_ host: Int, _ reason: String, _ records: inout [Record]) {
        links[host].phase = .refused(reason)
        links[host].slots = 0
        links[host].lastProblem = reason
        decide(.hostRested(host: plan.hosts[host], reason: reason), &records)
        for lease in state.leasesOfHost[host] { decide(.leaseVoided(lease: lease, reason: reason), &records) }
    }

    private mutating func lose(_ host: Int, _ reason: String, _ now: Nanoseconds) {
        let failures: Int
        switch links[host].phase {
        case .refused: return
        case .joined: failures = 0
        case .connecting(let before): failures = before + 1
        case .away(_, let before): failures = before
        }
        links[host].lastProblem = reason
        links[host].slots = 0
        let pause = plan.timing.firstPause << Nanoseconds(min(failures, 16))
        links[host].phase = .away(until: now + min(pause, plan.timing.longestPause), failures: failures)
    }

    private mutating func expireLeases(_ now: Nanoseconds, _ records: inout [Record]) {
        for host in links.indices where now - links[host].lastHeard > plan.timing.leaseTerm {
            hasNews[host] = true
            if links[host].session != nil { lose(host, "nothing was heard from it for a lease's term", now) }
            for lease in state.leasesOfHost[host] {
                decide(.leaseVoided(lease: lease, reason: "the host was silent for longer than the lease"), &records)
            }
        }
    }

    // MARK: Ends of attempts

    private mutating func end(_ host: Int, _ judged: Judged, _ now: Nanoseconds, _ records: inout [Record]) {
        let id = judged.report.id
        guard state.runs.indices ~= id.run - 1 else {
            return refuse(host, "it reports a run that does not exist", &records)
        }
        links[host].session?.unacknowledged.append(id)
        guard isInForce(id, host) else { return fence(host, judged, &records) }
        guard id.attempt > state[id.run].lastAttempt else { return }
        decide(
            .attemptEnded(
                judged.report, host: plan.hosts[host], failure: judged.failure, evidence: judged.evidence,
                blocks: judged.blocks, endedAt: judged.endedAt), &records)
        noteHealth(host, judged, now, &records)
        settle(id, judged, &records)
    }

    /// Whether a host may speak for this attempt: it holds the lease, and the attempt's number is the lease's.
    private func isInForce(_ id: AttemptID, _ host: Int) -> Bool {
        switch state[id.run].phase {
        case .leased(id.lease, let attempts):
            return attempts.contains(id.attempt) && state.leases[id.lease]?.host == host
        case .leased, .waiting: return !isFencing
        case .ended: return false
        }
    }

    /// Decides what an attempt's end means for its run.
    private mutating func settle(_ id: AttemptID, _ judged: Judged, _ records: inout [Record]) {
        let run = state[id.run]
        guard let failure = judged.failure else {
            decide(.runEnded(run: id.run, state: .succeeded, failure: nil, attempt: id.attempt), &records)
            if let pin = state.group(of: id.run)?.provides, let digest = judged.provides {
                provide(pin, digest, attempt: id.attempt, &records)
            }
            return
        }
        let isFinal =
            switch failure.remedy {
            case .giveUp: true
            case .retryAnywhere, .retryElsewhere: run.failures >= plan.maximumFailures
            case .retryUncounted: run.losses >= SweepState.maximumLosses
            }
        if isFinal || cancelDeadline != nil {
            let final = isFinal ? failure : .cancelled
            decide(.runEnded(run: id.run, state: final.finalState, failure: final, attempt: id.attempt), &records)
        }
    }

    /// What comes under a void lease, or twice, is compared and kept, never merged.
    private mutating func fence(_ host: Int, _ judged: Judged, _ records: inout [Record]) {
        let id = judged.report.id
        // The end of what was ended because nobody wants it any more is no evidence of anything.
        if judged.failure == .cancelled, !state.isCurrent(id.run) { return }
        var agrees: Bool?
        // Results of other pins may well differ.
        let isComparable = judged.failure == nil && id.lease >= state.firstLeaseOfPins
        if isComparable, let merged = state[id.run].result, let blocks = judged.blocks {
            agrees = blocks.digest.beginning == merged
        }
        decide(.attemptFenced(judged.report, host: plan.hosts[host], agrees: agrees), &records)
    }

    private mutating func provide(
        _ pin: String, _ digest: Digest, attempt: AttemptNumber, _ records: inout [Record]
    ) {
        if state.pins[pin] == nil { decide(.pinned(name: pin, digest: digest), &records) }
        for group in plan.groups where group.provides == pin {
            for run in group.runs where state[run].phase == .waiting {
                decide(.runEnded(run: run, state: .succeeded, failure: nil, attempt: attempt), &records)
            }
        }
    }

    /// Three failures in a row that may lie in the host, on runs of any kind, and it rests.
    private mutating func noteHealth(
        _ host: Int, _ judged: Judged, _ now: Nanoseconds, _ records: inout [Record]
    ) {
        guard let failure = judged.failure else {
            links[host].troubles = 0
            let wall = judged.report.wallNanoseconds
            meanWall = meanWall.map { $0 + (wall - $0) / 8 } ?? wall
            return
        }
        guard failure.remedy == .retryElsewhere || failure.remedy == .retryUncounted else { return }
        links[host].troubles += 1
        guard links[host].troubles >= 3 || failure == .diskFull else { return }
        links[host].troubles = 0
        links[host].restUntil = now + plan.timing.rest
        decide(.hostRested(host: plan.hosts[host], reason: "\(failure.rawValue): \(judged.evidence)"), &records)
    }

    /// Runs whose setup failed can never start.
    private mutating func failDependents(_ records: inout [Record]) {
        for setup in plan.groups {
            guard let pin = setup.provides, state.pins[pin] == nil, let run = setup.runs.first,
                case .ended(_, let failure) = state[run].phase
            else { continue }
            for group in plan.groups where group.requires == pin {
                for run in group.runs where state[run].phase == .waiting {
                    let why = failure ?? .contractBroken
                    decide(.runEnded(run: run, state: why.finalState, failure: why, attempt: 0), &records)
                }
            }
        }
    }

    // MARK: Cancelling

    private mutating func cancel(_ run: RunNumber?, _ reason: String, _ now: Nanoseconds, _ records: inout [Record]) {
        if let run {
            guard state.isCurrent(run) else { return }
            cancel(run, &records)
            return
        }
        if state.stopReason == nil { decide(.sweepStopped(reason: reason), &records) }
        cancelDeadline = cancelDeadline ?? now + plan.timing.cancelGrace
        for group in plan.groups { for run in group.runs { cancel(run, &records) } }
    }

    private mutating func cancel(_ run: RunNumber, _ records: inout [Record]) {
        switch state[run].phase {
        case .ended: break
        case .waiting: decide(.runEnded(run: run, state: .cancelled, failure: .cancelled, attempt: 0), &records)
        case .leased(let lease, _):
            guard let host = state.leases[lease]?.host, host >= 0, links[host].session != nil else { break }
            links[host].session?.toCancel.append(run)
            hasNews[host] = true
        }
    }

    /// Hosts that could not confirm in time are told when they come back.
    private mutating func endCancelled(_ records: inout [Record]) {
        for run in plan.groups.flatMap(\.runs) {
            if case .ended = state[run].phase { continue }
            decide(.runEnded(run: run, state: .cancelled, failure: .cancelled, attempt: 0), &records)
        }
    }
}

extension SweepState {
    /// Losses through no fault of a run after which it is given up all the same: something is wrong everywhere.
    static let maximumLosses = 20

    /// How far numbers jump after a ledger was mended: beyond all that can have been given out by what was lost, so
    /// that an agent that still has such leases or attempts can be told from one that has new ones.
    static let skippedLeases = 1_000_000
    static let skippedAttempts = 1_000
}
