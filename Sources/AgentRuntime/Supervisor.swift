import AgentCore
import AgentJournal
import CAgent
import Glibc
import LocalFiles
import Model
import Ports
import Wire

/// The process between agent and simulators: it starts them, sees them end, and writes that down.
///
/// The next program starts before the end of the last one is durable: a second thread syncs the journal for all ends
/// that came meanwhile, and only then does the agent hear of them.
final class Supervisor {
    private let workdir: Workdir
    private let environment: [String]
    private var core = SupervisorCore()
    private var tree = ProcessTree()
    private var journal: AgentJournal
    private let bootID: String
    private let syncer: OpaquePointer
    private let signals: Int32
    private let listener: Int32
    private var agent: Stream?
    private var idleSince: Int64
    private var memoryKills: Int64

    /// Records not yet written, ends not yet durable, with the ticket that makes them so.
    private var unwritten: [Frame] = []
    private var undurable: [(ticket: UInt64, attempt: SupervisedAttempt)] = []
    private var started: [AttemptKey] = []
    /// CPU time and clock of programs that showed no progress for half of their limit.
    private var halfway: [AttemptKey: (cpu: Int64, time: Int64)] = [:]
    private var ticket: UInt64 = 0
    private var served: UInt64 = 0
    private var mustRewrite = false
    private var retryAt: Int64?
    private var sizeAfterRewrite: Int64 = 0

    /// How long it stays with nothing to do and nobody asking.
    private static let idleTime: Int64 = 60_000_000_000

    /// - Throws: ``Failure`` or ``FilesError`` for a journal or socket that cannot be had.
    init(_ workdir: Workdir) throws {
        self.workdir = workdir
        bootID = Machine.bootID
        environment = Spawn.environment
        signals = ca_signal_descriptor()
        guard signals >= 0, let syncer = ca_syncer_start(), ca_become_subreaper() == 0 else {
            throw Failure(.internalError, "signals, threads or orphans cannot be had", cause: SystemText.of(errno))
        }
        self.syncer = syncer
        let opened = try AgentJournal.open(folder: workdir.root, name: "supervisor.journal", files: LocalFiles())
        journal = opened.journal
        if opened.tornBytes > 0 { Log.write("supervisor journal: unfinished bytes cut off:", "\(opened.tornBytes)") }
        idleSince = Machine.now
        memoryKills = ProcessTree.memoryKills
        listener = ca_listen(workdir.supervisorSocket)
        guard listener >= 0 else {
            throw Failure(.storage, "no socket at \(workdir.supervisorSocket)", cause: SystemText.of(errno))
        }
        try recover(opened.frames)
    }

    /// What ran when the last supervisor ended is lost, and what is left of it is killed.
    private func recover(_ frames: [Frame]) throws {
        var lastBoot = bootID
        for frame in frames {
            let record = try SupervisorRecord(frame)
            if case .began(let boot) = record { lastBoot = boot }
            core.apply(record)
        }
        let cause: ProcessExit.Cause = lastBoot == bootID ? .supervisorLost : .hostLost
        if cause == .supervisorLost {
            for key in core.running { ProcessTree.killAll(below: "\(workdir.attempts)/\(key.folder)/") }
        }
        for key in core.running { _ = core.ended(key, ProcessExit(cause: cause), now: Machine.now) }
        try journal.rewrite(core.snapshot(bootID: bootID).map(\.frame))
        sizeAfterRewrite = journal.size
    }

    func run() {
        while !(core.shallStop && undurable.isEmpty && agent.map({ $0.unsentCount == 0 }) ?? true) {
            var set = Poll()
            set.add(signals, reads: true)
            set.add(listener, reads: true)
            set.add(ca_syncer_descriptor(syncer), reads: true)
            if let agent { set.add(agent.descriptor, reads: true, writes: agent.unsentCount > 0) }
            set.wait(timeout)
            if set.isReadable(signals) {
                while ca_next_signal(signals) > 0 {}
                reap()
            } else if tree.nextDeadline != nil {
                reap()
            }
            if let agent, set.isReady(agent.descriptor) { listen(to: agent) }
            if set.isReadable(listener) { accept() }
            startAll()
            for signal in core.signals(now: Machine.now) { send(signal) }
            watchProgress()
            write()
            if set.isReadable(ca_syncer_descriptor(syncer)) { synced() }
            report()
            if agent != nil || !core.isIdle || !core.holdsNothing { idleSince = Machine.now }
            if Machine.now - idleSince > Supervisor.idleTime { return }
        }
    }

    private var timeout: Int64? {
        let now = Machine.now
        var due = core.nextDeadline
        if let retryAt { due = min(due ?? retryAt, retryAt) }
        if let patience = tree.nextDeadline { due = min(due ?? patience, patience) }
        if agent == nil, core.isIdle, core.holdsNothing {
            let end = idleSince + Supervisor.idleTime + 1_000_000
            due = min(due ?? end, end)
        }
        return due.map { max(0, $0 - now) }
    }

    // MARK: Programs

    private func startAll() {
        while let (key, launch) = core.takeNext(now: Machine.now) {
            unwritten.append(SupervisorRecord.started(key).frame)
            write()
            do throws(Spawn.Problem) {
                let pid = try Spawn.start(
                    launch.arguments,
                    environment: environment + launch.environment.map { "\($0.name)=\($0.value)" },
                    folder: launch.folder, output: "\(launch.folder)/stdout.txt",
                    errorOutput: "\(launch.folder)/stderr.txt", diesWithParent: true)
                tree.started(key, pid: pid, folder: launch.folder)
                started.append(key)
            } catch {
                ended(key, ProcessExit(cause: .notStarted(step: error.step, reason: error.reason)))
            }
        }
    }

    private func reap() {
        let ends = tree.reap(now: Machine.now)
        for end in ends {
            let isKill = end.cause == .signal(9)
            var exit = ProcessExit(
                cause: end.cause, cpuNanoseconds: end.cpuNanoseconds, peakMemoryBytes: end.peakMemoryBytes,
                freeBytes: end.cause == .status(0) ? .max : ca_free_bytes(end.folder))
            if isKill {
                let kills = ProcessTree.memoryKills
                exit.memoryRanOut = kills > memoryKills
                memoryKills = kills
            }
            ended(end.key, exit)
        }
    }

    private func ended(_ key: AttemptKey, _ exit: ProcessExit) {
        halfway[key] = nil
        let kept = core.ended(key, exit, now: Machine.now)
        record(.ended(key, kept), [SupervisedAttempt(key: key, state: .ended(kept))])
    }

    private func record(_ record: SupervisorRecord, _ ends: [SupervisedAttempt] = []) {
        unwritten.append(record.frame)
        for end in ends { undurable.append((ticket + 1, end)) }
    }

    // MARK: Progress

    private func watchProgress() {
        for key in core.looks(now: Machine.now) {
            guard let folder = core.launch(of: key)?.folder else { continue }
            var mark = ca_mark()
            ca_mark_tree(folder, &mark)
            switch core.looked(key, mark.value, now: Machine.now) {
            case .progress: halfway[key] = nil
            case .nothingNew: break
            case .halfway: halfway[key] = (tree.cpuNanoseconds(of: key), Machine.now)
            case .stalled:
                for signal in core.stop(stalled: key, note: note(of: key, &mark), now: Machine.now) { send(signal) }
            }
        }
    }

    /// What a stalled program was seen to do: kept, as nobody can ask it later.
    private func note(of key: AttemptKey, _ mark: inout ca_mark) -> String {
        let newest = withUnsafePointer(to: &mark.file) { pointer in
            pointer.withMemoryRebound(to: CChar.self, capacity: 512) { String(cString: $0) }
        }
        var parts = newest.isEmpty ? [] : ["the last was \"\(newest)\""]
        if let (cpu, time) = halfway[key] {
            let (used, span) = (tree.cpuNanoseconds(of: key) - cpu, max(1, Machine.now - time))
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
        tree.signal(signal.key, isFinal: signal.isFinal, now: Machine.now)
    }

    // MARK: The journal

    /// Writes what is to be recorded, and asks the second thread to make it durable if it is idle.
    private func write() {
        if let retryAt, Machine.now < retryAt { return }
        do throws(FilesError) {
            if mustRewrite || (journal.size > 1 << 20 && journal.size > 4 * sizeAfterRewrite) {
                ca_syncer_settle(syncer)
                try journal.rewrite(core.snapshot(bootID: bootID).map(\.frame))
                sizeAfterRewrite = journal.size
                mustRewrite = false
            } else {
                try journal.append(unwritten)
            }
            unwritten.removeAll(keepingCapacity: true)
            retryAt = nil
        } catch {
            if retryAt == nil { Log.write("supervisor journal cannot be written:", error.description) }
            mustRewrite = true
            retryAt = Machine.now + 1_000_000_000
            return
        }
        if let last = undurable.last, served == ticket, last.ticket > ticket {
            ticket += 1
            ca_syncer_request(syncer, journal.file.number, ticket)
        }
    }

    private func synced() {
        var error: Int32 = 0
        let now = ca_syncer_served(syncer, &error)
        guard error == 0 else {
            Log.write("supervisor journal cannot be made durable:", SystemText.of(error))
            // What a failed sync left is unknown: only a new file says anything.
            mustRewrite = true
            retryAt = Machine.now + 1_000_000_000
            served = now
            for index in undurable.indices { undurable[index].ticket = ticket + 1 }
            return
        }
        served = now
        write()
    }

    // MARK: The agent

    private func accept() {
        let descriptor = ca_accept(listener)
        guard descriptor >= 0 else { return }
        var user: UInt32 = 0
        guard ca_peer_user(descriptor, &user) == 0, user == getuid() else {
            close(descriptor)
            return
        }
        agent?.close()
        let stream = Stream(descriptor: descriptor)
        agent = stream
        started.removeAll()
        let undurableKeys = Set(undurable.map(\.attempt.key))
        let held = core.inventory.map { attempt in
            undurableKeys.contains(attempt.key) ? SupervisedAttempt(key: attempt.key, state: .running) : attempt
        }
        for start in stride(from: 0, to: held.count, by: 200) {
            let part = Array(held[start..<min(start + 200, held.count)])
            stream.send(SupervisorReport.inventory(part, isLast: false).frame)
        }
        stream.send(SupervisorReport.inventory([], isLast: true).frame)
        stream.flush()
    }

    private func listen(to stream: Stream) {
        do throws(WireError) {
            for frame in try stream.receive() {
                let (signals, records) = core.handle(try SupervisorCommand(frame), now: Machine.now)
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
            Log.write("supervisor: the agent's stream is dropped:", error.message)
            dropAgent()
            return
        }
        if stream.isBroken { dropAgent() }
    }

    private func dropAgent() {
        agent?.close()
        agent = nil
        idleSince = Machine.now
    }

    private func report() {
        var durable: [SupervisedAttempt] = []
        while let first = undurable.first, first.ticket <= served {
            durable.append(first.attempt)
            undurable.removeFirst()
        }
        guard let agent else { return }
        if !started.isEmpty {
            agent.send(SupervisorReport.started(started).frame)
            started.removeAll(keepingCapacity: true)
        }
        for start in stride(from: 0, to: durable.count, by: 200) {
            agent.send(SupervisorReport.ended(Array(durable[start..<min(start + 200, durable.count)])).frame)
        }
        agent.flush()
        if agent.isBroken { dropAgent() }
    }
}
