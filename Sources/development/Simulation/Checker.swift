import AgentCore
import AgentRuntime
import CoordinatorRuntime
import Formats
import Model
import Ports
import SweepCore

/// Watches everything, and says what must not be.
final class Checker {
    /// Runs that ended one after the other with one class; nil: the last one succeeded.
    private var inRow: (failure: FailureClass?, count: Int)?
    private var keepsGoing = false

    /// What a program left, for comparing it with what is merged.
    private struct Output {
        var artifacts: [String: Digest]
        var value: String
    }

    private let prepared: Prepared
    private let seed: UInt64
    private let world: World
    unowned(unsafe) var simulation: Simulation? { didSet { promises.simulation = simulation } }
    private(set) var problem: String?
    /// Per attempt, what each of its executions left: more than one only where a reboot made the first one void.
    private var outputs: [AttemptID: [Output]] = [:]
    private var starts: [AttemptKey: Set<Int>] = [:]
    /// Per host, the leases that its agent knows to be void.
    private var knownVoid: [Int: Set<LeaseNumber>] = [:]
    /// Per host, the leases and runs that its agent held when it started, though nobody wanted them any more.
    private var unwantedAtStart: [Int: Set<[Int]>] = [:]
    /// What the ledger has of each attempt.
    private var reports: [AttemptID: [Artifact]] = [:]
    /// The leases in force, with what they grant.
    private var leases: [LeaseNumber: [RunNumber: Range<AttemptNumber>]] = [:]
    let promises: Promises
    let damages: DamagedInputs
    private var merged: [RunNumber: AttemptNumber] = [:]
    private var successes: [RunNumber: Set<AttemptNumber>] = [:]
    private var runPhases: [String] = []
    private var linkPhases: [Coordinator.LinkPhase] = []
    /// Runs that somebody asked to cancel.
    var cancelled: Set<RunNumber> = []
    /// Per host, the boot in which it said that it keeps nothing.
    private var releasedIn: [Int: Int] = [:]
    /// Per host, leases and runs that its agent held when it was gone, and ends that its supervisor told of.
    private var rebooted: [Int: Set<[Int]>] = [:]
    private var toldEnds: [Int: Set<AttemptKey>] = [:]
    private var workPhases: [Int: [AttemptKey: WorkPhase]] = [:]

    init(_ prepared: Prepared, seed: UInt64, world: World) {
        self.prepared = prepared
        self.seed = seed
        self.world = world
        let failure = Failing()
        promises = Promises(prepared.plan, world: world) { failure.checker?.fail($0) }
        damages = DamagedInputs(world: world) { failure.checker?.fail($0) }
        failure.checker = self
    }

    /// So that a part can tell the whole of what it found.
    private final class Failing { unowned(unsafe) var checker: Checker? }

    func fail(_ what: String) {
        guard problem == nil else { return }
        problem = what
        world.say("checker", "WRONG: \(what)")
    }

    /// A coordinator starts.
    func begins(keepsGoing: Bool) { self.keepsGoing = keepsGoing }

    private func checkPause(_ record: Record) {
        switch record {
        case .runEnded(_, .succeeded, _, let attempt) where attempt > 0: inRow = nil
        case .runEnded(_, .failed, let failure, let attempt) where attempt > 0,
            .runEnded(_, .quarantined, let failure, let attempt) where attempt > 0:
            inRow = (failure, inRow.map { $0.failure == failure ? $0.count + 1 : 1 } ?? 1)
        case .runReopened, .judgedAgain: inRow = nil
        case .leaseGranted(_, _, let grants):
            guard let limit = prepared.plan.stopAfter, let inRow, inRow.count >= limit, !keepsGoing else { return }
            // A run that another host has already may be begun once more.
            let isNew = grants.contains { grant in !leases.values.contains { $0[grant.run] != nil } }
            if isNew { fail("runs are handed out although the last \(inRow.count) failed alike") }
        default: break
        }
    }

    // MARK: The ledger

    /// These records are durable.
    func committed(_ records: [Record]) {
        for record in records {
            world.counts.note("record: \(Describe.kind(record))")
            promises.committed(record)
            checkPause(record)
            switch record {
            case .attemptEnded(let report, _, let failure, _, let blocks, _):
                world.counts.note("outcome: \(failure?.rawValue ?? "success")")
                reports[report.id] = report.artifacts
                if leases[report.id.lease]?[report.id.run]?.contains(report.id.attempt) != true {
                    fail("attempt \(Describe.id(report.id)) counts, and its lease is not in force")
                }
                if failure == nil { merge(report, blocks) }
            case .attemptFenced(let report, _, _), .auditEnded(let report, _, _, _, _, _):
                reports[report.id] = report.artifacts
            case .hostFenced(let host, _, let runs):
                for run in runs where merged.removeValue(forKey: run) == nil {
                    fail("run \(run) is taken from \(host), and was not merged")
                }
            case .inputDamaged(let found): quarantined(found)
            case .runEnded(let run, .succeeded, _, let attempt):
                if successes[run]?.contains(attempt) != true {
                    fail("run \(run) succeeded by attempt \(attempt), which did not succeed")
                }
                if merged[run] != nil { fail("run \(run) was merged twice") }
                merged[run] = attempt
            case .runReopened(let run, _): merged[run] = nil
            case .judgedAgain(let id, let failure, _, _):
                if failure != nil { fail("\(Describe.id(id)), whose evidence is as it was, is judged otherwise") }
                if merged[id.run] != id.attempt { fail("\(Describe.id(id)) is judged again, but decided nothing") }
            case .leaseGranted(let lease, _, let grants), .auditGranted(let lease, _, let grants):
                for grant in grants {
                    leases[lease, default: [:]][grant.run] =
                        grant.firstAttempt..<grant.firstAttempt + grant.attempts
                }
            case .leaseVoided(let lease, _): leases[lease] = nil
            case .runAdopted(let run, let lease, _):
                for other in leases.keys where other != lease { leases[other]?[run] = nil }
            case .runWithdrawn(let run, let lease, _): leases[lease]?[run] = nil
            case .leaseMoved, .runCancelAsked, .secondStart: break
            case .runEnded, .hostSeen, .pinned, .hostPaused, .hostRefused, .hostReleased, .sweepStopped: break
            case .revised, .repinned, .restored: fail("a coordinator that nobody asked changes the sweep itself")
            }
        }
    }

    private func quarantined(_ found: DamagedInput) {
        var decided: [RunNumber: AttemptNumber] = [:]
        for run in found.runs {
            decided[run] = merged.removeValue(forKey: run)
            if decided[run] == nil { fail("run \(run) is quarantined for an input, and was not merged") }
        }
        guard let simulation, let host = promises.holder(found.host) else { return }
        damages.committed(found, on: host, decided: decided, offset: simulation.wallOffset)
    }

    private func merge(_ report: AttemptReport, _ blocks: ResultText?) {
        successes[report.id.run, default: []].insert(report.id.attempt)
        let found = Dictionary(report.artifacts.map { ($0.path, $0.digest) }, uniquingKeysWith: { first, _ in first })
        let isTrue = (outputs[report.id] ?? []).contains { output in
            output.artifacts == found && (blocks?.text.contains(output.value) ?? false)
        }
        if !isTrue { fail("what was merged of \(Describe.id(report.id)) is not what its program left") }
    }

    // MARK: The coordinator

    func coordinatorStepped(_ loop: borrowing CoordinatorLoop) {
        let core = loop.core
        if linkPhases.count != core.hostCount { linkPhases = (0..<core.hostCount).map { _ in .away } }
        for host in 0..<core.hostCount {
            let phase = core.phase(of: host)
            guard phase != linkPhases[host] else { continue }
            world.counts.note("link: \(linkPhases[host].rawValue) > \(phase.rawValue)")
            linkPhases[host] = phase
            if phase == .refused { promises.givenUp(prepared.plan.hosts[host]) }
        }
        if runPhases.count != core.state.runs.count { runPhases = core.state.runs.map { _ in "waiting" } }
        for (index, run) in core.state.runs.enumerated() {
            let phase = name(run.phase)
            guard phase != runPhases[index] else { continue }
            world.counts.note("run: \(runPhases[index]) > \(phase)")
            runPhases[index] = phase
        }
    }

    private func name(_ phase: SweepState.Run.Phase) -> String {
        switch phase {
        case .waiting: "waiting"
        case .leased: "leased"
        case .ended(let state, _): state.rawValue
        }
    }

    /// - Parameter whole: it did not die in the middle of a step.
    func coordinatorEnds(_ loop: CoordinatorLoop, whole: Bool) {
        checkCopies(loop)
        linkPhases = []
        promises.coordinatorEnded()
        guard whole, let simulation else { return }
        let replayed = replay(simulation)
        let lived = loop.state.digest
        for (left, right) in zip(lived, replayed) where left != right {
            fail("the journal replayed gives another state: '\(right)' instead of '\(left)'")
        }
        if lived.count != replayed.count { fail("the journal replayed gives another state") }
    }

    private func replay(_ simulation: Simulation) -> [String] {
        var state = SweepState(plan: prepared.plan)
        for record in simulation.ledger.records { state.apply(record) }
        return state.digest
    }

    // MARK: Agents

    /// What the agent took in is durable.
    func agentStepped(_ host: SimulatedHost, _ life: Life, _ core: AgentCore, _ events: [AgentEvent]) {
        guard life.isAlive else { return }
        for event in events {
            if case .damaged(let damage) = event {
                damages.found(host, damage, isOfUse: core.hasSweeps)
                simulation?.inputWasFoundDamaged(by: host)
            }
            guard case .message(_, let message) = event else { continue }
            switch message {
            case .revoke(let leases): revoked(host, leases)
            case .release: releasedIn[host.index] = host.boot
            case .grant(let shard): promises.hasHeard(of: shard.lease)
            case .acknowledge(let attempts): for attempt in attempts { acknowledged(attempt) }
            case .hello, .cancel, .read, .bytes, .packed, .probe, .tail, .heartbeat, .holder, .share, .elsewhere,
                .cacheLimit, .terms:
                break
            }
        }
        note(host, core)
    }

    /// The agent knows that these leases are void.
    func revoked(_ host: SimulatedHost, _ leases: [LeaseNumber]) {
        knownVoid[host.index, default: []].formUnion(leases)
    }

    private func acknowledged(_ id: AttemptID) {
        guard let artifacts = reports[id] else {
            // That an attempt ended which nobody wanted any more is not kept.
            if promises.isUnwanted(id) { return }
            return fail("attempt \(Describe.id(id)) was acknowledged, and the ledger does not have it")
        }
        guard let disk = simulation?.disk else { return }
        for artifact in artifacts {
            let name = artifact.digest.hex
            guard let bytes = disk.durableContent("/objects/\(name.prefix(2))/\(name)"), bytes.count == artifact.size
            else {
                return fail(
                    "attempt \(Describe.id(id)) was acknowledged, and its '\(artifact.path)' "
                        + "(\(artifact.digest.short)) would not outlive a crash")
            }
        }
    }

    /// What an agent took on is still there when it starts again after a reboot, also after one without a warning.
    func agentStarted(_ host: SimulatedHost, _ core: AgentCore) {
        var unwanted: Set<[Int]> = []
        core.forEachWork { key, _ in if promises.isUnwanted(key.id) { unwanted.insert([key.id.lease, key.id.run]) } }
        unwantedAtStart[host.index] = unwanted
        guard let before = rebooted.removeValue(forKey: host.index), !host.wasCleaned else { return }
        var found: Set<[Int]> = []
        core.forEachWork { key, _ in found.insert([key.id.lease, key.id.run]) }
        if let lost = before.subtracting(found).min(by: { $0.lexicographicallyPrecedes($1) }) {
            fail("the agent on \(host.name) has forgotten run \(lost[1]) of lease \(lost[0]) over a reboot")
        }
    }

    /// - Parameter inStep: its journal may be ahead of what was seen of it.
    func agentEnded(_ host: SimulatedHost, inStep: Bool) {
        let works = workPhases.removeValue(forKey: host.index) ?? [:]
        rebooted[host.index] = inStep ? nil : Set(works.keys.map { [$0.id.lease, $0.id.run] })
    }

    /// What a supervisor said of ends, and what it was told to forget.
    func supervisorSaid(_ host: SimulatedHost, ended keys: [AttemptKey]) {
        toldEnds[host.index, default: []].formUnion(keys)
    }

    func supervisorStarted(_ host: SimulatedHost, _ core: SupervisorCore) {
        var found: Set<AttemptKey> = []
        for attempt in core.inventory { if case .ended = attempt.state { found.insert(attempt.key) } }
        if let lost = (toldEnds[host.index] ?? []).subtracting(found).min(), !host.wasCleaned {
            fail("the supervisor on \(host.name) has forgotten that \(lost) ended")
        }
    }

    private func note(_ host: SimulatedHost, _ core: AgentCore) {
        var rest = workPhases[host.index] ?? [:]
        var after: [AttemptKey: WorkPhase] = [:]
        core.forEachWork { key, phase in
            after[key] = phase
            let old = rest.removeValue(forKey: key)
            if old != phase { world.counts.note("work: \(old?.rawValue ?? "new") > \(phase.rawValue)") }
        }
        for phase in rest.values { world.counts.note("work: \(phase.rawValue) > gone") }
        workPhases[host.index] = after
    }

    /// Its disk is another one.
    func renewed(_ host: SimulatedHost) {
        rebooted[host.index] = nil
        toldEnds[host.index] = nil
    }

    func killAsked(_ host: SimulatedHost, _ key: AttemptKey) {
        promises.killAsked(host, key, isCancelled: cancelled.contains(key.id.run))
    }

    func forgetAsked(_ host: SimulatedHost, _ keys: [AttemptKey]) { toldEnds[host.index]?.subtract(keys) }

    /// The agent asks its supervisor to start an attempt.
    func startAsked(_ host: SimulatedHost, _ key: AttemptKey) {
        if knownVoid[host.index]?.contains(key.id.lease) ?? false {
            fail("\(host.name) starts \(key) though its agent knows that the lease is void")
        }
        if unwantedAtStart[host.index]?.contains([key.id.lease, key.id.run]) ?? false {
            fail("\(host.name) starts \(key), which nobody wanted any more when its agent started")
        }
    }

    // MARK: Programs

    func programStarted(_ host: SimulatedHost, _ program: Programs.Program) {
        let isNew = starts[program.key, default: []].insert(host.index << 16 + host.boot).inserted
        if !isNew, !host.wasCleaned {
            fail("\(host.name) starts \(program.key) a second time")
        }
        checkInputs(host, program)
        let running = host.programs.all.filter(\.leads)
        if running.count > host.processors {
            fail("\(host.name) runs \(running.count) programs on \(host.processors) slots")
        }
        if let others = host.neighbours?.running, running.count + others > host.processors {
            fail("\(host.name) runs \(running.count) programs beside \(others) of another user")
        }
        let needs = prepared.scenario.needs
        if running.count > max(1, needs.room(slots: host.processors, resources: prepared.scenario.resources)) {
            fail("\(host.name) runs \(running.count) programs, and has less than they take")
        }
        let memory = running.reduce(0) { $0 + $1.launch.memoryBytes }
        if memory > host.memoryBytes, running.count > 1 { fail("\(host.name) runs programs of \(memory) bytes in all") }
    }

    /// A program sees the inputs that the sweep named, wherever they came from, but for what its host's disk damaged.
    private func checkInputs(_ host: SimulatedHost, _ program: Programs.Program) {
        var spoilt: Set<Digest> = []
        for (number, bytes) in prepared.inputs.enumerated() {
            let path = "\(program.launch.folder)/\(number == 0 ? "run.sh" : "large\(number - 1)")"
            if host.disk.names[path]?.content != bytes { spoilt.insert(SHA256.digest(bytes)) }
        }
        damages.programStarted(host, program.key, spoilt: spoilt)
    }

    /// Where nothing goes wrong, little more than one copy of the inputs leaves the coordinator.
    private func checkCopies(_ loop: CoordinatorLoop) {
        let all = prepared.inputs.dropFirst().reduce(0) { $0 + Int64($1.count) }
        guard all > 0, prepared.scenario.faults == 0 else { return }
        if loop.suppliedBytes > 2 * all { fail("\(loop.suppliedBytes) bytes of \(all) left the coordinator") }
    }

    func programLeft(_ host: SimulatedHost, _ program: Programs.Program, value: String) {
        var artifacts: [String: Digest] = [:]
        for name in ["stdout.txt", "stderr.txt", "results.json", "trace.bin"] {
            if let node = host.disk.names["\(program.launch.folder)/\(name)"] {
                artifacts[name] = SHA256.digest(node.content)
            }
        }
        outputs[program.key.id, default: []].append(Output(artifacts: artifacts, value: value))
        damages.programLeft(program.key.id)
        promises.hasLeft(host, program.key.id)
    }

    // MARK: The end

    func finish() {
        guard let simulation else { return }
        checkRuns(simulation)
        promises.checkResults()
        checkNumbers()
        checkObjects(simulation)
        for host in simulation.network.hosts {
            // What was deleted just before a reboot is there again, until the next agent starts.
            if host.boot == releasedIn[host.index] ?? host.boot { checkHost(host) }
        }
    }

    private func checkRuns(_ simulation: Simulation) {
        var state = SweepState(plan: prepared.plan)
        for record in simulation.ledger.records { state.apply(record) }
        guard state.stopReason == nil else { return }
        for number in 1...state.runs.count {
            let run = state[number]
            guard case .ended(let final, let failure) = run.phase else {
                fail("run \(number) has not ended")
                continue
            }
            let expected: RunState
            switch Programs.fate(of: number, seed: seed, scenario: prepared.scenario) {
            case .healthy, .failsTwice, .crashesOnce, .isFickle, .forks, .isStubborn, .leavesMuch: expected = .succeeded
            case .alwaysFails, .hangs, .stalls, .killsHost: expected = .failed
            case .leavesNothing: expected = .quarantined
            }
            let isExcused = run.failures >= prepared.plan.maximumFailures || run.losses >= 20
            let isFenced = failure == .hostFenced && !state.fencedHosts.isEmpty
            if final != expected, !isFenced, !(final == .failed && isExcused), !cancelled.contains(number) {
                fail("run \(number) ended \(final.rawValue) (\(failure?.rawValue ?? "-")), not \(expected.rawValue)")
            }
        }
    }

    /// What counts where inputs are damaged is what it would be if none had been.
    private func checkNumbers() {
        guard prepared.scenario.scrubRound != nil else { return }
        for id in reports.keys.sorted() where merged[id.run] == id.attempt {
            let isRight = outputs[id]?.contains { $0.value == "\(id.run)" } ?? false
            if damages.isHidden(id) {
                world.counts.note("damage not found before the end")
            } else if !isRight {
                fail("run \(id.run) counts by attempt \(id.attempt), which had a damaged input")
            }
        }
    }

    private func checkObjects(_ simulation: Simulation) {
        for id in reports.keys.sorted() {
            for artifact in reports[id] ?? [] {
                let name = artifact.digest.hex
                guard let bytes = simulation.disk.durableContent("/objects/\(name.prefix(2))/\(name)"),
                    SHA256.digest(bytes) == artifact.digest
                else {
                    fail("the object \(artifact.digest.short) of an attempt on record is missing or damaged")
                    return
                }
            }
        }
    }

    private func checkHost(_ host: SimulatedHost) {
        if let program = host.programs.all.first { fail("\(program.key) still runs on \(host.name)") }
        if host.agent != nil { fail("the agent on \(host.name) still runs") }
        if host.supervisor != nil { fail("the supervisor on \(host.name) still runs") }
        let left = host.disk.names.keys.filter { $0.hasPrefix("\(SimulatedHost.workdir.attempts)/") }.sorted()
        if let first = left.first { fail("\(left.count) files and folders are left on \(host.name): \(first)") }
    }
}
