package import AgentCore
import Formats
package import Model
package import Ports
import Storage

/// Between agent and simulators: starts them, sees them end, and writes that down. The step of the supervisor's
/// process, without its sockets and children; the simulation drives it as it is.
///
/// The next program starts before the end of the last one is durable: a second thread syncs the journal for all ends
/// that came meanwhile, and only then does the agent hear of them.
package final class Supervisor {
    private let workdir: Workdir
    private let host: any HostSystem
    private let files: any Files
    package private(set) var core: SupervisorCore
    private var tree: any ProgramTree
    private var journal: AgentJournal
    private let syncer: any BackgroundSync
    package private(set) var agent: (any FrameStream)?
    private var idleSince: Int64
    private var memoryKills: Int64

    /// Records not yet written, ends not yet durable, with the ticket that makes them so.
    private var unwritten: [Frame] = []
    private var undurable: [(ticket: UInt64, attempt: SupervisedAttempt)] = []
    private var started: [AttemptKey] = []
    /// CPU time and clock of programs that showed no progress for half of their limit.
    private var halfway: [AttemptKey: (cpu: Int64, time: Int64)] = [:]
    /// The folders of what runs: which each is, and when it is to be looked at.
    private var folders: [AttemptKey: (identity: UInt64, nextLook: Nanoseconds)] = [:]
    /// How long each processor had been busy when that was last looked at.
    private var processorTimes: (at: Nanoseconds, times: [Int: Nanoseconds]) = (0, [:])
    private var ticket: UInt64 = 0
    private var served: UInt64 = 0
    /// How long the journal was when it was last to be made durable.
    private var requestedSize: Int64 = 0
    private var requestedAt: Int64?
    private var mustRewrite = false
    private var retryAt: Int64?
    private var sizeAfterRewrite: Int64 = 0

    /// Ends that follow each other closely become durable together: a sync takes longer than a short program.
    private static let gathering: Nanoseconds = 20_000_000

    /// How long it stays with nothing to do and no agent.
    private static let idleTime: Int64 = 60_000_000_000

    /// - Throws: ``Failure`` or ``FilesError`` for a journal that cannot be had.
    package init(
        _ workdir: Workdir, host: any HostSystem, files: any Files, tree: any ProgramTree, syncer: any BackgroundSync
    ) throws {
        self.workdir = workdir
        self.host = host
        self.files = files
        self.tree = tree
        self.syncer = syncer
        let opened = try AgentJournal.open(folder: workdir.root, name: "supervisor.journal", files: files)
        journal = opened.journal
        if opened.tornBytes > 0 { host.log("supervisor journal: unfinished bytes cut off:", "\(opened.tornBytes)") }
        idleSince = host.now
        memoryKills = host.memoryKills
        core = SupervisorCore(cores: host.cores)
        try recover(opened.frames)
    }

    /// What ran when the last supervisor ended is lost. Whatever is left below the attempts is killed, on record or
    /// not: the journal may have been removed with what it said, and this supervisor has started nothing yet.
    private func recover(_ frames: [Frame]) throws {
        let bootID = host.bootID
        var lastBoot = bootID
        for frame in frames {
            let record = try SupervisorRecord(frame)
            if case .began(let boot) = record { lastBoot = boot }
            core.apply(record)
        }
        let cause: ProcessExit.Cause = lastBoot == bootID ? .supervisorLost : .hostLost
        if cause == .hostLost { core.hostWasLost() }
        if cause == .supervisorLost { tree.killAll(below: "\(workdir.attempts)/") }
        for key in core.running { _ = core.ended(key, ProcessExit(cause: cause), now: host.now) }
        try journal.rewrite(core.snapshot(bootID: host.bootID).map(\.frame))
        sizeAfterRewrite = journal.size
    }

    /// What the process waited for.
    package struct Seen {
        package var childEnded: Bool
        package var agentIsReady: Bool
        package var isSynced: Bool

        package init(childEnded: Bool, agentIsReady: Bool, isSynced: Bool) {
            self.childEnded = childEnded
            self.agentIsReady = agentIsReady
            self.isSynced = isSynced
        }
    }

    /// One turn.
    package func step(_ seen: Seen) {
        if seen.childEnded || tree.nextDeadline != nil { reap() }
        if let agent, seen.agentIsReady { listen(to: agent) }
        lookAtProcessors()
        startAll()
        for signal in core.signals(now: host.now) { send(signal) }
        watchFolders()
        watchProgress()
        write()
        if seen.isSynced { synced() }
        report()
        if core.isIdle { tree.rest() }
        if agent != nil || !canRest { idleSince = host.now }
    }

    /// Makes the journal again where somebody removed it, if this supervisor alone works here.
    package func lookAfterFiles() {
        guard !journal.isInPlace else { return }
        host.log("the supervisor's journal was removed, and is recreated")
        mustRewrite = true
        write()
    }

    /// Ends all that runs, and then itself.
    package func stop() {
        for key in core.running {
            for signal in core.handle(.kill(key, .revoked), now: host.now).signals { send(signal) }
        }
        _ = core.handle(.stop, now: host.now)
    }

    /// Whether the process has to end.
    package var isOver: Bool {
        if core.shallStop, undurable.isEmpty, agent?.unsentCount ?? 0 == 0 { return true }
        return host.now - idleSince > Supervisor.idleTime
    }

    /// Whether nothing is lost if the process ends: nothing runs, and the next one reads in the journal what is held.
    private var canRest: Bool { core.isIdle && unwritten.isEmpty && undurable.isEmpty && !mustRewrite }

    /// How long the process may wait before the next step; nil: until something comes.
    package var timeout: Nanoseconds? {
        let now = host.now
        var due = core.nextDeadline
        if let write = retryAt ?? nextSync { due = min(due ?? write, write) }
        if let patience = tree.nextDeadline { due = min(due ?? patience, patience) }
        if let look = folders.values.map(\.nextLook).min() { due = min(due ?? look, look) }
        if agent == nil, canRest {
            let end = idleSince + Supervisor.idleTime + 1_000_000
            due = min(due ?? end, end)
        }
        return due.map { max(0, $0 - now) }
    }

    // MARK: Programs

    /// Of a program that is not on record the next supervisor would not know, and it would be started again: none
    /// starts while the journal cannot be written.
    private func startAll() {
        while canWrite, let (key, launch) = core.takeNext(now: host.now, wall: host.wallClock) {
            unwritten.append(SupervisorRecord.started(key, at: host.wallClock).frame)
            write()
            guard canWrite else { return core.putBack(key) }
            let identity = (try? files.status(launch.folder))?.identity ?? 0
            do throws(SpawnProblem) {
                try tree.start(key, launch, on: core.processors(of: key))
                folders[key] = (identity, host.now + pause(launch))
                started.append(key)
            } catch {
                ended(key, ProcessExit(cause: .notStarted(step: error.step, reason: error.reason)))
            }
        }
    }

    /// So that programs are bound to cores that nothing else keeps busy.
    private func lookAtProcessors() {
        guard core.bindsPrograms, host.now >= processorTimes.at + 1_000_000_000 else { return }
        let (now, times) = (host.now, host.processorTimes)
        let half = (now - processorTimes.at) / 2
        let busy = times.filter { $0.value - (processorTimes.times[$0.key] ?? $0.value) > half }
        core.note(busy: Set(busy.keys))
        processorTimes = (now, times)
    }

    private func reap() {
        let ends = tree.reap(now: host.now)
        for end in ends {
            // Of a program below a script, the script tells so.
            let isKill = end.cause == .signal(9) || end.cause == .status(128 + 9)
            var exit = ProcessExit(
                cause: end.cause, cpuNanoseconds: end.cpuNanoseconds, peakMemoryBytes: end.peakMemoryBytes,
                freeBytes: end.cause == .status(0) ? .max : (try? files.freeBytes(end.folder)) ?? .max, note: end.note)
            if let state = stateOfFolder(end.key, end.folder) { exit.kill = state }
            if !end.note.isEmpty { host.log("of an attempt that ended:", "\(end.key)", end.note) }
            if isKill {
                let kills = host.memoryKills
                exit.memoryRanOut = kills > memoryKills
                memoryKills = kills
            }
            ended(end.key, exit)
        }
    }

    private func ended(_ key: AttemptKey, _ exit: ProcessExit) {
        halfway[key] = nil
        folders[key] = nil
        let kept = core.ended(key, exit, now: host.now)
        record(.ended(key, kept), [SupervisedAttempt(key: key, state: .ended(kept))])
    }

    private func record(_ record: SupervisorRecord, _ ends: [SupervisedAttempt] = []) {
        unwritten.append(record.frame)
        for end in ends { undurable.append((ticket + 1, end)) }
    }

    // MARK: Progress

    private func pause(_ launch: Launch) -> Nanoseconds {
        launch.folderLimit == nil && launch.kept == nil ? 5_000_000_000 : 1_000_000_000
    }

    /// What runs in a folder that is not there any more runs for nothing; what fills it is stopped.
    private func watchFolders() {
        for key in core.running {
            let begin = host.now
            guard let watch = folders[key], begin >= watch.nextLook, let launch = core.launch(of: key) else { continue }
            if let state = stateOfFolder(key, launch.folder) {
                end(key, state, note: "")
            } else {
                watchSize(key, launch)
            }
            // Where a look takes long, as in a folder with very many files, it is taken more seldom.
            folders[key]?.nextLook = host.now + max(pause(launch), 50 * (host.now - begin))
        }
    }

    private func watchSize(_ key: AttemptKey, _ launch: Launch) {
        guard launch.folderLimit != nil || launch.kept != nil else { return }
        let mark = tree.mark(of: launch.folder)
        if let limit = launch.folderLimit, mark.bytes > limit {
            let most = mark.largest.isEmpty ? "" : ", most of it in \(mark.largest)"
            return end(key, .tooMuchOutput, note: "its folder held \(PeopleText.size(mark.bytes))\(most)")
        }
        // To tell what is wanted of it takes longer, and is asked only where all of it would be too much.
        guard let kept = launch.kept, let most = kept.most, mark.bytes > most else { return }
        var left = LeftFiles(launch.folder, files, staged: ["point.json"], isThere: true)
        var budget = Int.max
        _ = left.list(budget: &budget)
        _ = left.keep(kept)
        guard left.bytes > most else { return }
        end(key, .tooMuchKept, note: "they held \(PeopleText.size(left.bytes)) while it ran")
    }

    private func end(_ key: AttemptKey, _ kill: ProcessExit.Kill, note: String) {
        for signal in core.stop(key, kill, note: note, now: host.now) { send(signal) }
    }

    /// Why nothing can be taken of what an attempt leaves; nil: its folder is the one that it was started in.
    private func stateOfFolder(_ key: AttemptKey, _ folder: String) -> ProcessExit.Kill? {
        guard let watch = folders[key] else { return nil }
        do throws(FilesError) {
            guard let status = try files.status(folder) else { return .folderRemoved }
            return status.kind == .folder && status.identity == watch.identity ? nil : .folderReplaced
        } catch {
            return nil
        }
    }

    private func watchProgress() {
        for key in core.looks(now: host.now) {
            guard let folder = core.launch(of: key)?.folder else { continue }
            tree.measureMemory(of: key)
            let mark = tree.mark(of: folder)
            switch core.looked(key, mark.value, now: host.now) {
            case .progress: halfway[key] = nil
            case .nothingNew: break
            case .halfway: halfway[key] = (tree.cpuNanoseconds(of: key), host.now)
            case .stalled:
                end(key, .stalled, note: note(of: key, mark))
            }
        }
    }

    /// What a stalled program was seen to do: kept, as nobody can ask it later.
    private func note(of key: AttemptKey, _ mark: FolderMark) -> String {
        var parts = mark.newest.isEmpty ? [] : ["the last was \"\(mark.newest)\""]
        if let (cpu, time) = halfway[key] {
            let (used, span) = (tree.cpuNanoseconds(of: key) - cpu, max(1, host.now - time))
            let word = used > span / 2 ? "it computes" : used > span / 50 ? "it computes little" : "it waits"
            parts.append("\(word): \(hundredths(used)) s of CPU time in the last \(hundredths(span)) s")
        }
        return (parts + [tree.report(of: key)]).joined(separator: "; ")
    }

    private func hundredths(_ span: Int64) -> String {
        let number = max(0, span) / 10_000_000
        return "\(number / 100).\(number % 100 < 10 ? "0" : "")\(number % 100)"
    }

    private func send(_ signal: SupervisorCore.Signal) {
        tree.signal(signal.key, isFinal: signal.isFinal, now: host.now)
    }

    // MARK: The journal

    private var canWrite: Bool { retryAt.map { host.now >= $0 } ?? true }

    /// Writes what is to be recorded, and asks the second thread to make it durable if it is idle.
    private func write() {
        guard canWrite else { return }
        do throws(FilesError) {
            if mustRewrite || (journal.size > 1 << 20 && journal.size > 4 * sizeAfterRewrite) {
                syncer.settle()
                try journal.rewrite(core.snapshot(bootID: host.bootID).map(\.frame))
                sizeAfterRewrite = journal.size
                mustRewrite = false
            } else {
                try journal.append(unwritten)
            }
            unwritten.removeAll(keepingCapacity: true)
            retryAt = nil
        } catch {
            if retryAt == nil { host.log("supervisor journal cannot be written:", error.description) }
            mustRewrite = true
            retryAt = host.now + 1_000_000_000
            return
        }
        if let sync = nextSync, host.now >= sync {
            ticket += 1
            requestedAt = host.now
            requestedSize = journal.size
            syncer.request(journal.file, ticket: ticket)
        }
    }

    /// When the journal is to be made durable next; nil: that is under way, or there is nothing.
    private var nextSync: Nanoseconds? {
        guard let last = undurable.last, served == ticket, last.ticket > ticket else { return nil }
        return requestedAt.map { $0 + Supervisor.gathering } ?? host.now
    }

    private func synced() {
        let (now, error) = syncer.served()
        guard error == 0 else {
            host.log("supervisor journal cannot be made durable: errno", "\(error)")
            // What a failed sync left is unknown: only a new file says anything.
            mustRewrite = true
            retryAt = host.now + 1_000_000_000
            served = now
            for index in undurable.indices { undurable[index].ticket = ticket + 1 }
            return
        }
        if now > served { journal.noteDurable(requestedSize) }
        served = now
        write()
    }

    // MARK: The agent

    /// An agent connected; it replaces the one before.
    package func accept(_ stream: any FrameStream) {
        agent?.close()
        agent = stream
        started.removeAll()
        let undurableKeys = Set(undurable.map(\.attempt.key))
        let held = core.inventory.map { attempt in
            undurableKeys.contains(attempt.key) ? SupervisedAttempt(key: attempt.key, state: .running) : attempt
        }
        for part in held.framefuls { stream.send(SupervisorReport.inventory(part, isLast: false).frame) }
        stream.send(SupervisorReport.inventory([], isLast: true).frame)
        stream.flush()
    }

    private func listen(to stream: any FrameStream) {
        do throws(WireError) {
            for frame in try stream.receive() {
                let (signals, records) = core.handle(try SupervisorCommand(frame), now: host.now)
                for signal in signals { send(signal) }
                for record in records {
                    if case .ended(let key, let exit) = record {
                        self.record(record, [SupervisedAttempt(key: key, state: .ended(exit))])
                    } else {
                        self.record(record)
                    }
                }
            }
        } catch {
            host.log("supervisor: the agent's stream is dropped:", error.message)
            dropAgent()
            return
        }
        if stream.isBroken { dropAgent() }
    }

    private func dropAgent() {
        agent?.close()
        agent = nil
        idleSince = host.now
    }

    private func report() {
        var durable: [SupervisedAttempt] = []
        while let first = undurable.first, first.ticket <= served {
            durable.append(first.attempt)
            undurable.removeFirst()
        }
        guard let agent else { return }
        for part in started.framefuls { agent.send(SupervisorReport.started(part).frame) }
        started.removeAll(keepingCapacity: true)
        for part in durable.framefuls { agent.send(SupervisorReport.ended(part).frame) }
        agent.flush()
        if agent.isBroken { dropAgent() }
    }
}
