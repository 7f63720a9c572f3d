package import CoordinatorRuntime
import Ledger
package import Model
import Ports
import Storage
import SweepCore

/// Who is told how a session goes, on the thread that runs it.
package protocol SessionObserver {
    /// A sentence for people.
    func say(_ text: String)
    /// - Parameter goesOn: whether runs of the sweep had ended before.
    func begin(_ source: some ProgressSource, goesOn: Bool)
    /// After every step, with what was decided in it.
    func show(_ source: some ProgressSource, _ records: [Record], now: Nanoseconds)
    func end(_ status: SweepStatus)
}

extension Session {
    /// Runs until nothing is left to do. The exit status of the ending is also left for those who follow the sweep.
    ///
    /// - Parameters:
    ///   - inbox: interruptions and requests come through it.
    ///   - keepsGoing: however many runs in a row fail alike.
    ///   - waitsForSecondThoughts: asked after an interruption: whether somebody at a keyboard may cancel by a second
    ///     one.
    package func run(
        _ observer: some SessionObserver, _ inbox: Inbox, keepsGoing: Bool = false,
        waitsForSecondThoughts: () -> Bool
    ) throws -> SessionEnding {
        do {
            if try ledger.metadata().notes.contains(where: { $0.name == Document.endNote && !$0.value.isEmpty }) {
                try ledger.note(EnvironmentVariable(Document.endNote, ""))
            }
            let ending = try work(observer, inbox, keepsGoing, waitsForSecondThoughts)
            // Before the word of its end: who reads that finds the reason.
            if case .noHost(let reason) = ending { try ledger.note(EnvironmentVariable(Document.endNote, reason)) }
            ledger.leave(status: ending.exitStatus, isPaused: ending.isPaused)
            return ending
        } catch {
            // The disk may be what failed.
            try? ledger.note(EnvironmentVariable(Document.endNote, "\(error)"))
            ledger.leave(status: ExitStatus.of(error))
            throw error
        }
    }

    private func work(
        _ observer: some SessionObserver, _ inbox: Inbox, _ keepsGoing: Bool, _ waitsForSecondThoughts: () -> Bool
    ) throws -> SessionEnding {
        try reopenCancelled()
        let time = SystemTime()
        let goesOn = state.endedCount > 0
        let workshop = WorkThreads(inbox)
        // Tables and copies take long: no result waits for them.
        let archive = WorkThreads(inbox, count: 1)
        defer {
            workshop.stop()
            archive.stop()
        }
        let loop = try loop(inbox, workshop, keepsGoing: keepsGoing)
        let store = try folder.objects()
        loop.stage(unstaged) { try Session.put($0, into: store) }
        loop.warn = { observer.say("warning: \($0)") }
        if let problem = checkpointsProblem {
            loop.warn("checkpoints of other sweeps are not used, and this sweep's are not kept for others: \(problem)")
        }
        let hostCount = inventory.hosts.count
        observer.begin(LoopSource(loop: loop, hostCount: hostCount), goesOn: goesOn)
        let requests = Requests(entry: entry)
        loop.answer = { requests.answer($0, $1) }
        loop.isWatched = true
        loop.countedNumbers = { [ledger] run in try ledger.countedNumbers(of: run) }
        loop.results = { [ledger] in try ledger.results(of: $0, from: $1, until: $2) }
        loop.hours.secondOfDay = { time.secondOfDay($0) }
        loop.tellLive = { loop, token in
            let live = LiveView(LoopSource(loop: copy loop, hostCount: hostCount))
            requests.answer(token, Array(live.document.encoded.utf8))
        }
        requests.open()
        defer { requests.close() }
        let tables = MergedTables(entry)
        let copies = LedgerCopies(ledger, now: time.monotonic())
        loop.observer = { loop, records in
            observer.show(LoopSource(loop: copy loop, hostCount: hostCount), records, now: time.monotonic())
            tables.refresh(records, now: time.monotonic(), in: archive)
            copies.refresh(now: time.monotonic(), in: archive)
        }
        var ending = try loop.run()
        if case .interrupted = ending, waitsForSecondThoughts() {
            ending = try awaitSecondSignal(loop, observer)
        }
        if let common, common.owes, ending != .interrupted {
            observer.say(common.givingText)
            do { try common.giveAll(now: time.wall()) } catch { observer.say("warning: \(common.sentence(error))") }
        }
        try tables.write()
        var status = try SweepStatus(entry, troubles: 1)
        if case .paused = ending { status.isPaused = true }
        observer.end(status)
        if let saving = try SweepView(entry).saving() { observer.say(saving) }
        if let text = loop.sharingText { observer.say(text) }
        tellHolding(loop.state, observer)
        copies.write(observer.say)
        return SessionEnding(
            ending, problems: inventory.hosts.indices.map { loop.hostView($0) }, audit: status.audit)
    }

    /// How a run ended; nil: it has not.
    func end(of run: RunNumber) throws -> RunState? {
        try check(run)
        return if case .ended(let how, _) = state[run].phase { how } else { nil }
    }

    /// Cancels without handing anything out. For a whole sweep (nil) it reaches the hosts that still hold runs, and
    /// waits for their word; the hosts of single runs are told when the sweep goes on.
    func cancel(_ runs: [RunNumber]?) throws {
        let tables = MergedTables(entry)
        if let runs {
            try ledger.commit(
                runs.map { .runEnded(run: $0, state: .cancelled, failure: .cancelled, attempt: 0) })
        } else {
            // Hosts may ask for them until they are told.
            try Session.stage(unstaged, of: specification.sweep, folder)
            let inbox = Inbox()
            inbox.put(.request(.cancel(run: nil, reason: "cancelled by 'usweep cancel'")))
            let workshop = WorkThreads(inbox)
            defer { workshop.stop() }
            // A pause would end it before the request was read.
            let loop = try loop(inbox, workshop, keepsGoing: true)
            _ = try loop.run()
        }
        try tables.write()
    }

    private func loop(_ inbox: Inbox, _ workshop: WorkThreads, keepsGoing: Bool = false) throws -> CoordinatorLoop {
        // Given away, not shared: the state of a large sweep would be copied with its first change.
        let core = Coordinator(state: state, keepsGoing: keepsGoing, now: SystemTime().monotonic())
        state = SweepState(plan: Plan(groups: [], hosts: []))
        let store = try folder.objects()
        // A coordinator that was killed can have been making an object.
        try? store.removePartial(where: LocalFiles.isAbandoned)
        return CoordinatorLoop(
            core: core, setting: try setting(), ledger: ledger, store: store,
            transport: HostConnections.transport(for: inventory), inbox: inbox, workshop: workshop,
            time: SystemTime())
    }

    private func tellHolding(_ state: SweepState, _ observer: some SessionObserver) {
        let holding = inventory.hosts.indices.filter { state.isFinished && state.isHolding[$0] }
        if holding.isEmpty { return }
        let names = PeopleText.list(holding.map { inventory.hosts[$0].name })
        observer.say(
            "\(names) could not be reached, so the working files of this sweep are still there; remove them when the "
                + "connection is back: \(entry.command("resume"))")
    }

    /// After the first Ctrl-C there is a moment for the second, which cancels.
    private func awaitSecondSignal(_ loop: CoordinatorLoop, _ observer: some SessionObserver) throws -> Ending {
        let left = LoopSource(loop: loop, hostCount: 0).standing.left
        observer.say(
            "interrupted; running runs continue (\(PeopleText.count(left, "run")) left). Press Ctrl-C again within 3 s "
                + "to cancel them")
        guard try loop.waitForCancel(timeout: 3 * Timing.second) else { return .interrupted }
        _ = try loop.run()
        return .interrupted
    }

    /// Who launches a sweep again that was cancelled wants its runs done after all.
    private func reopenCancelled() throws {
        let records = state.reopening
        guard !records.isEmpty else { return }
        try ledger.commit(records)
        for record in records { state.apply(record) }
    }
}

extension Ledger {
    /// What the attempt gave that counts of a run; nil: there is none.
    fileprivate func countedNumbers(of run: RunNumber) throws -> GivenNumbers? {
        guard let decision = try self.run(run)?.decision, let result = decision.blocks else { return nil }
        return GivenNumbers(result: result, artifacts: try artifacts(of: run, attempt: decision.id.attempt))
    }
}
