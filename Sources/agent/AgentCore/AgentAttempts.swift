import Formats
import Model
import Ports

extension AgentCore {
    // MARK: Durable state

    /// Brings in what is durable: from ``handle(_:now:)``, or from the journal after a start.
    public mutating func apply(_ record: AgentRecord) {
        switch record {
        case .context(let name, let context):
            if sweeps[name] == nil {
                sweeps[name] = AgentSweep(context: context)
                order.append(name)
            }
            sweeps[name]?.context = context
            tellCapacity()
        case .accepted(let name, let lease, let entry): sweeps[name]?.accept(entry, lease: lease)
        case .cancelled(let name, let runs):
            for key in sweeps[name]?.works.keys.sorted() ?? [] where runs.contains(key.run) {
                sweeps[name]?.works[key]?.isCancelled = true
            }
        case .acknowledged(let name, let attempts):
            for attempt in attempts { sweeps[name]?.acknowledged(attempt) }
        case .revoked(let name, let leases):
            for key in sweeps[name]?.works.keys.sorted() ?? [] where leases.contains(key.lease) {
                sweeps[name]?.works[key] = nil
            }
        case .released(let name):
            sweeps[name] = nil
            order.removeAll { $0 == name }
            tellCapacity()
        case .over(let name, let attempts):
            for attempt in attempts {
                let id = attempt.id
                let known = sweeps[name]?.over[id.run] ?? 0
                sweeps[name]?.over[id.run] = max(known, id.attempt)
            }
        }
    }

    mutating func tellCapacity() {
        if supervisorIsReady { pending.append(.supervise(capacity)) }
    }

    /// The records that say all that the durable state says, for a journal that begins anew.
    public var snapshot: [AgentRecord] {
        var records: [AgentRecord] = []
        for name in order {
            guard let sweep = sweeps[name] else { continue }
            records.append(.context(sweep: name, sweep.context))
            // What is over would make the entries of these leases look old: they come first.
            let works = sweep.works.sorted { ($0.key.lease, $0.value.place) < ($1.key.lease, $1.value.place) }
            for (key, work) in works {
                records.append(.accepted(sweep: name, lease: key.lease, work.entry))
                if !work.acknowledged.isEmpty {
                    let taken = work.acknowledged.sorted().map { number in
                        Acknowledged(id: key.id(number), isLast: work.phase == .done && number == work.attempt)
                    }
                    records.append(.acknowledged(sweep: name, taken))
                }
                // A later grant of the same run, which is not cancelled, comes behind this.
                if work.isCancelled { records.append(.cancelled(sweep: name, [key.run])) }
            }
            let runs = sweep.over.keys.sorted()
            for start in stride(from: 0, to: runs.count, by: 2_000) {
                let part = runs[start..<min(start + 2_000, runs.count)].map { run in
                    Acknowledged(id: AttemptID(run: run, lease: 0, attempt: sweep.over[run] ?? 0), isLast: true)
                }
                records.append(.over(sweep: name, part))
            }
        }
        return records
    }

    // MARK: What the supervisor says

    mutating func supervisorReady(_ attempts: [SupervisedAttempt]) {
        supervisorIsReady = true
        tellCapacity()
        var present: Set<AttemptKey> = []
        for attempt in attempts.sorted(by: { $0.key < $1.key }) {
            present.insert(attempt.key)
            adopt(attempt)
        }
        var kept = attempts.map(\.key)
        for name in order {
            for key in sweeps[name]?.works.keys.sorted() ?? [] {
                guard let work = sweeps[name]?.works[key] else { continue }
                let current = AttemptKey(sweep: name, id: key.id(work.attempt))
                if work.phase == .queued || work.phase == .running, !present.contains(current) {
                    inFlight -= 1
                    sweeps[name]?.wait(key)
                }
                if work.phase == .preparing || work.phase == .collecting { kept.append(current) }
                kept += work.outcomes.map { AttemptKey(sweep: name, id: $0.id) }
            }
        }
        // Those that the last supervisor took with it need not be waited for.
        for key in doomed.sorted() where !present.contains(key) { letGo(key) }
        pending.append(.keepOnly(kept.sorted()))
    }

    private mutating func adopt(_ attempt: SupervisedAttempt) {
        let id = attempt.key.id
        let key = WorkKey(lease: id.lease, run: id.run)
        let name = attempt.key.sweep
        guard let work = sweeps[name]?.works[key], id.attempt <= work.lastAttempt,
            id.attempt >= work.entry.firstAttempt, !doomed.contains(attempt.key),
            !work.acknowledged.contains(id.attempt)
        else {
            dispose(attempt)
            return
        }
        guard id.attempt >= work.attempt else {
            // An earlier attempt, after which the agent went on by itself.
            if case .ended(let exit) = attempt.state, !work.outcomes.contains(where: { $0.id == id }) {
                pending.append(.collect(attempt.key, exit, full(work.entry.job)))
            }
            return
        }
        var isInFlight = work.isInFlight
        if id.attempt > work.attempt {
            // The one before may be about to be collected; this one stands elsewhere.
            if isInFlight { inFlight -= 1 }
            isInFlight = false
            sweeps[name]?.works[key]?.phase = .waiting
            sweeps[name]?.works[key]?.attempt = id.attempt
        }
        switch attempt.state {
        case .queued, .running:
            if !isInFlight { inFlight += 1 }
            sweeps[name]?.works[key]?.phase = attempt.state == .running ? .running : .queued
            if work.isCancelled { pending.append(.supervise(.kill(attempt.key, .cancelled))) }
        case .ended(let exit): ended(attempt.key, exit)
        }
    }

    private mutating func dispose(_ attempt: SupervisedAttempt) {
        switch attempt.state {
        case .queued, .running:
            doomed.insert(attempt.key)
            pending.append(.supervise(.kill(attempt.key, .revoked)))
        case .ended: letGo(attempt.key)
        }
    }

    mutating func started(_ keys: [AttemptKey]) {
        for attempt in keys {
            let key = WorkKey(lease: attempt.id.lease, run: attempt.id.run)
            guard let work = sweeps[attempt.sweep]?.works[key], work.attempt == attempt.id.attempt,
                work.phase == .queued
            else { continue }
            sweeps[attempt.sweep]?.works[key]?.phase = .running
            if sweeps[attempt.sweep]?.connection != nil { sweeps[attempt.sweep]?.started.append(attempt.id) }
        }
    }

    mutating func ended(_ attempt: AttemptKey, _ exit: ProcessExit) {
        let key = WorkKey(lease: attempt.id.lease, run: attempt.id.run)
        guard !doomed.contains(attempt), let work = sweeps[attempt.sweep]?.works[key] else {
            letGo(attempt)
            return
        }
        guard work.attempt == attempt.id.attempt, work.phase != .collecting, work.phase != .done else { return }
        if work.isInFlight { inFlight -= 1 }
        sweeps[attempt.sweep]?.works[key]?.phase = .collecting
        pending.append(.collect(attempt, exit, full(work.entry.job)))
    }

    // MARK: What the shell says

    mutating func prepared(_ attempt: AttemptKey) {
        let key = WorkKey(lease: attempt.id.lease, run: attempt.id.run)
        guard let work = sweeps[attempt.sweep]?.works[key], work.phase == .preparing,
            work.attempt == attempt.id.attempt, !doomed.contains(attempt)
        else {
            letGo(attempt)
            return
        }
        if work.isCancelled {
            cancelledBeforeStart(attempt.sweep, key)
            return
        }
        sweeps[attempt.sweep]?.works[key]?.phase = .queued
        pending.append(.supervise(.start(attempt, launch(attempt, full(work.entry.job)))))
    }

    mutating func cancelledBeforeStart(_ sweep: String, _ key: WorkKey) {
        guard let work = sweeps[sweep]?.works[key] else { return }
        finish(
            sweep, key,
            AttemptReport(id: key.id(work.attempt), failure: .cancelled, evidence: "it was cancelled before it began"))
    }

    mutating func notPrepared(_ attempt: AttemptKey, _ failure: FailureClass, _ evidence: String) {
        let key = WorkKey(lease: attempt.id.lease, run: attempt.id.run)
        guard let work = sweeps[attempt.sweep]?.works[key], work.phase == .preparing,
            work.attempt == attempt.id.attempt
        else {
            letGo(attempt)
            return
        }
        pending.append(.discard(attempt))
        finish(attempt.sweep, key, AttemptReport(id: attempt.id, failure: failure, evidence: evidence))
    }

    mutating func inputMissing(_ attempt: AttemptKey, _ digest: Digest) {
        lost(digest)
        doomed.remove(attempt)
        let key = WorkKey(lease: attempt.id.lease, run: attempt.id.run)
        pending.append(.discard(attempt))
        guard sweeps[attempt.sweep]?.works[key]?.phase == .preparing else { return }
        inFlight -= 1
        sweeps[attempt.sweep]?.wait(key)
    }

    mutating func collected(_ attempt: AttemptKey, _ report: AttemptReport) {
        let key = WorkKey(lease: attempt.id.lease, run: attempt.id.run)
        guard let work = sweeps[attempt.sweep]?.works[key] else {
            letGo(attempt)
            return
        }
        guard work.attempt == attempt.id.attempt, work.phase == .collecting else {
            // An earlier attempt, taken up after the agent's restart.
            let isKnown = work.outcomes.contains { $0.id == report.id } || work.acknowledged.contains(report.id.attempt)
            if !isKnown, attempt.id.attempt < work.attempt { tell(attempt.sweep, key, report) }
            return
        }
        finish(attempt.sweep, key, report)
    }

    /// An attempt is over: it is reported, and the next one waits if the class and the range allow it.
    private mutating func finish(_ sweep: String, _ key: WorkKey, _ report: AttemptReport) {
        guard let work = sweeps[sweep]?.works[key] else { return }
        if work.isInFlight { inFlight -= 1 }
        tell(sweep, key, report)
        if report.failure?.remedy == .retryAnywhere, !work.isCancelled, work.attempt < work.lastAttempt {
            sweeps[sweep]?.works[key]?.attempt += 1
            sweeps[sweep]?.wait(key)
        } else {
            sweeps[sweep]?.works[key]?.phase = .done
        }
    }

    private mutating func tell(_ sweep: String, _ key: WorkKey, _ report: AttemptReport) {
        sweeps[sweep]?.works[key]?.outcomes.append(report)
        guard let connection = sweeps[sweep]?.connection else { return }
        flushStarted(sweep)
        pending.append(.send(connection, .outcome(report)))
    }

    mutating func flushStarted(_ sweep: String) {
        guard let connection = sweeps[sweep]?.connection, let started = sweeps[sweep]?.started, !started.isEmpty else {
            return
        }
        pending.append(.send(connection, .started(started)))
        sweeps[sweep]?.started.removeAll()
    }
}
