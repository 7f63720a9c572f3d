public import Model

/// The coordinator's decisions: a synchronous state machine that takes events and returns records. The shell commits
/// these before it asks for the effects.
///
/// It has two halves. ``state`` is what the ledger knows, and only ``apply(_:)`` changes it. The rest describes this
/// process's streams to the hosts and is lost with the process. After a crash, hosts report what they have, and the
/// difference between that and the state is computed again.
///
/// The extensions: which hosts are connected or silent (`Coordinator+Hosts`), which host gets which runs (`+Leases`),
/// which of several hosts continues a run (`+Rivals`), which runs are run again for comparison (`+Audits`), what the
/// end of an attempt means (`+Ends`), what is cancelled (`+Cancelling`), and what the hosts are told (`+Effects`).
public struct Coordinator: Sendable {
    public internal(set) var state: SweepState
    var links: [Link]
    /// Hosts of which something changed since it was last looked at what to tell them. With a thousand hosts, most have
    /// nothing to hear after most steps, and no more room than before.
    var news: Set<Int>
    /// What waited when hosts were last looked at for room, and when all of them are looked at again.
    var leftWaiting = Waiting()
    var nextFilling: Nanoseconds = .min
    /// Before then no host can have been silent for a lease's term.
    var nextSilence: Nanoseconds = .min
    /// What the links' slots were last reckoned with.
    private var memoryOfSlots: Int64?
    let startedAt: Nanoseconds
    /// When something last showed that a host can be reached: it joined, or its login goes on.
    var lastProgress: Nanoseconds
    var everJoined = false
    var isInterrupted = false
    var isOutOfTime = false
    /// ``Plan/stopAfter``; nil where somebody at the keyboard knows better.
    var stopAfter: Int?
    var cancelDeadline: Nanoseconds?
    /// By when runs that somebody asked to cancel end, whether their hosts confirm it or not.
    var cancels: [RunNumber: Nanoseconds] = [:]
    /// Bugs that only the simulation switches on, to see that it would notice.
    package var faults: Faults = []
    /// Since when it is durable that the last run has ended.
    var finishedAt: Nanoseconds?
    /// When this process was last seen to run, and until when it is known to have run all the time.
    private var lastTurn: Nanoseconds
    /// Since when hosts that are no longer in the inventory are silent.
    var straySince: Nanoseconds
    /// The attempts that were seen to begin in this life, with the time.
    var begun: [AttemptPlace: Beginning] = [:]
    /// Leases from this one on were granted in this life.
    let firstLeaseOfLife: LeaseNumber
    /// When it is next looked for runs that can be given away.
    var nextGiveAway: Nanoseconds = .min
    /// What is left, when it was last looked at; nil: nothing is known of how long runs take.
    var outlook: Outlook?
    var nextOutlook: Nanoseconds = .min
    /// When it is next looked for audits to begin, where there are many.
    var nextAudits: Nanoseconds = .min
    /// When it is next looked for runs to begin a second time.
    var nextSecondStart: Nanoseconds = .min

    /// - Parameters:
    ///   - state: fresh, or what the ledger's records add up to.
    ///   - keepsGoing: whatever fails.
    public init(state: SweepState, keepsGoing: Bool = false, now: Nanoseconds) {
        self.state = state
        stopAfter = keepsGoing ? nil : state.plan.stopAfter
        links = state.plan.hosts.map { _ in Link(lastHeard: now) }
        news = Set(links.indices)
        firstLeaseOfLife = state.nextLease
        (startedAt, lastProgress, lastTurn, straySince) = (now, now, now, now)
        for run in state.cancelsAsked { cancels[run] = now + state.plan.timing.cancelGrace }
    }

    var plan: Plan { state.plan }

    /// Takes in one event. The records are applied already; they must be committed before ``effects(now:)`` is asked.
    public mutating func handle(_ event: Event, now: Nanoseconds) -> [Record] {
        notePause(now)
        var records: [Record] = []
        switch event {
        case .progress(let host): if links[host].joined == nil, !breaksAgain(host) { lastProgress = now }
        case .joined(let host, let arrival): join(host, arrival, now, &records)
        case .heard(let host): links[host].lastHeard = now
        case .caughtUp(let host):
            links[host].lastHeard = now
            if links[host].joined?.hasCaughtUp == false { catchUp(host, now, &records) }
        case .engineFound(let host, let digest): checkEngine(host, digest, &records)
        case .loginRefused(let host, let reason): refuseLogin(host, reason, now, &records)
        case .refused(let host, let reason): refuse(host, reason, &records)
        case .lost(let host, let reason): lose(host, reason, now)
        case .started(let host, let attempts): noteStarts(host, attempts, now)
        case .reported(let host, let id): noteReport(host, id)
        case .ended(let host, let judged): end(host, judged, now, &records)
        case .damageFound(let host, let found): note(found, on: host, &records)
        case .released(let host):
            links[host].lastHeard = now
            if state.isFinished, state.isHolding[host] { decide(.hostReleased(host: plan.hosts[host]), &records) }
        case .pilotEnded(let host, let end, let reason): endPilot(host, end, reason, now, &records)
        case .pilotWaits(let host, let reason): notePilotWaits(host, reason, now)
        case .pilotGivenUp(let host, let reason):
            links[host].mayGetJob = false
            refuse(host, reason, &records)
        case .leaves(let host, let time): links[host].ends = time
        case .closed(let host, let reason): links[host].closed = reason
        case .offered(let host, let offer): take(offer: offer, of: host, &records)
        case .provided(let pin, let digest): provide(pin, digest, attempt: 0, &records)
        case .cancel(let run, let reason): cancel(run, reason, now, &records)
        case .interrupted: isInterrupted = true
        }
        noteNews(of: event)
        return records
    }

    private mutating func noteNews(of event: Event) {
        switch event {
        case .joined(let host, _), .engineFound(let host, _), .loginRefused(let host, _), .refused(let host, _),
            .lost(let host, _), .ended(let host, _), .released(let host), .pilotGivenUp(let host, _),
            .leaves(let host, _), .closed(let host, _), .offered(let host, _), .damageFound(let host, _):
            news.insert(host)
        case .progress, .heard, .caughtUp, .started, .reported, .pilotEnded, .pilotWaits, .provided, .cancel,
            .interrupted:
            break
        }
    }

    mutating func noteNewsOfAll() { news = Set(links.indices) }

    /// What time alone brings about (hosts that fall silent, limits), and new leases for whoever has room. Called
    /// once after the events of a batch; its records belong to the same commit.
    public mutating func tick(now: Nanoseconds) -> [Record] {
        notePause(now)
        var records: [Record] = []
        noteSilence(now, &records)
        if let limit = plan.timing.sweep, now - startedAt >= limit, !isOutOfTime, finishedAt == nil {
            isOutOfTime = true
            cancel(nil, "the sweep's own time limit has passed", now, &records)
        }
        endCancelled(now, &records)
        cancelMakers(&records)
        settleDependents(&records)
        settleRivals(now, &records)
        settleAudits(now, &records)
        // A sweep that was stopped and is resumed goes on, also where nothing had been cancelled before.
        if !isInterrupted, cancelDeadline == nil {
            state.order()
            lookAhead(now)
            grantAudits(now, &records)
            fillHosts(now, &records)
            giveAway(now, &records)
            startAgain(now, &records)
        }
        return records
    }

    /// Time in which this process did not run (it was stopped, its machine slept, or one step took long) is nobody's
    /// silence: what hosts said meanwhile has not been read yet.
    private mutating func notePause(_ now: Nanoseconds) {
        let pause = now - lastTurn - plan.timing.longestTurn
        lastTurn = now
        guard pause > 0, !faults.contains(.takesSleepForSilence) else { return }
        for host in links.indices {
            links[host].lastHeard += pause
            // What did not answer before may do so now: it is not left waiting for what it was then.
            links[host].breaks = 0
            switch links[host].phase {
            case .away(let until, _): links[host].phase = .away(until: min(until, now), failures: 0)
            case .connecting: links[host].phase = .connecting(failures: 0)
            case .joined: if let time = links[host].joined?.caughtUpAt { links[host].joined?.caughtUpAt = time + pause }
            case .refused: break
            }
        }
        noteNewsOfAll()
        lastProgress += pause
        straySince += pause
        // What hosts have to confirm by these, they could not: a commit may take longer than they last.
        cancelDeadline = cancelDeadline.map { $0 + pause }
        cancels = cancels.mapValues { $0 + pause }
        // It may have been set since, when the commit was done.
        finishedAt = finishedAt.map { min($0 + pause, now) }
        // Whoever can be reached answers by then.
        nextGiveAway = now + plan.timing.leaseTerm
    }

    /// Why nothing more is begun although runs are left; nil: it goes on. A success among those that still run ends it.
    public var pause: FailureSeries? {
        guard let stopAfter, let series = state.failuresInRow, !state.isFinished, !faults.contains(.forgetsPauses)
        else { return nil }
        let enough = nothingStarts ? min(stopAfter, Coordinator.enoughWithoutStart) : stopAfter
        return series.count >= enough ? series : nil
    }

    /// Runs in a row that could not be started anywhere. Hosts are paused for it themselves, so that it would take
    /// hours until more have failed.
    private static let enoughWithoutStart = 3

    /// Whether no program could be started on any host that there is, and none has ever succeeded.
    private var nothingStarts: Bool {
        state.failuresInRow?.failure == .spawn && state.times.count == 0
            && links.indices.allSatisfy { links[$0].isRefused || isFenced($0) || links[$0].health.pauses > 0 }
    }

    /// Applies a record that was decided here.
    mutating func decide(_ record: Record, _ records: inout [Record]) {
        state.apply(record)
        records.append(record)
        guard case .attemptEnded = record, state.memoryPerRun != memoryOfSlots else { return }
        memoryOfSlots = state.memoryPerRun
        for host in links.indices { setSlots(of: host) }
        noteNewsOfAll()
    }

    /// A run has its final state: whoever else has it is told to stop.
    mutating func decideEnd(
        _ run: RunNumber, _ final: RunState, _ failure: FailureClass?, attempt: AttemptNumber = 0,
        of lease: LeaseNumber? = nil, _ records: inout [Record]
    ) {
        let others = state.claims(on: run).filter { $0.lease != lease }.map { ($0, host: host(of: $0)) }
        decide(.runEnded(run: run, state: final, failure: failure, attempt: attempt), &records)
        for (claim, host) in others { withdraw(run, claim, host) }
        cancels[run] = nil
    }
}

/// A run under a lease.
struct AttemptPlace: Sendable, Hashable {
    var run: RunNumber
    var lease: LeaseNumber
}

/// When which attempt began.
struct Beginning: Sendable, Hashable {
    var attempt: AttemptNumber
    var time: Nanoseconds
}
