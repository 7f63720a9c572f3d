import CoordinatorRuntime
import Engines
import Model
import Ports
import Storage
import SweepCore

/// One life of a coordinator: the real loop, stepped by the simulation.
final class CoordinatorInstance {
    let life: Life
    let loop: CoordinatorLoop
    let inbox = Inbox()
    private unowned let simulation: Simulation
    private var alarm: Alarm?
    /// Until when it is stopped.
    private(set) var standsUntil: Nanoseconds = 0

    init(_ simulation: Simulation, life: Life) throws {
        self.simulation = simulation
        self.life = life
        let world = simulation.world
        let wake = Wake()
        let prepared = simulation.prepared
        let files = SimulatedFiles(simulation.disk, life: life, world: world, who: "coordinator")
        let store = try ObjectStore(root: "/objects", files: files)
        var staged: [InputFile] = []
        for (index, input) in prepared.inputs.enumerated() {
            // A quarter stages them while hosts fetch them.
            if simulation.seed % 4 == 3 {
                staged.append(try CoordinatorInstance.lay(input, "/input-\(index)", files))
                continue
            }
            let digest = try store.publish(input)
            // Half of all clusters get their inputs in packs.
            guard simulation.seed.isMultiple(of: 2) else { continue }
            _ = try Packer.pack(digest, at: store.path(digest), files, into: store, bases: [])
        }
        var state = SweepState(plan: prepared.plan)
        for record in simulation.ledger.records.dropLast(simulation.canary == .forgetRecord ? 1 : 0) {
            state.apply(record)
        }
        let held = HeldLedger(
            simulation.ledger, life: life, world: world, watch: simulation.checker, canary: simulation.canary)
        try CoordinatorInstance.reopen(state.reopening, &state, held)
        if simulation.isRetryAsked {
            let failed = (1...state.runs.count).filter { run in
                if case .ended(let how, _) = state[run].phase { how == .failed || how == .quarantined } else { false }
            }
            let records = state.reopening(failed).map { Record.runReopened(run: $0, reason: "asked for") }
            try CoordinatorInstance.reopen(records, &state, held)
            try CoordinatorInstance.judgeAgain(simulation, &state, store, held)
            simulation.isRetryAsked = false
        }
        let time = SimulatedTime(simulation)
        let transport = SimulatedTransport(network: simulation.network, life: life) { wake.action() }
        var core = Coordinator(state: state, keepsGoing: simulation.keepsGoing, now: time.monotonic())
        simulation.checker.begins(keepsGoing: simulation.keepsGoing)
        simulation.keepsGoing = false
        core.faults = simulation.canary?.faults ?? []
        let chance = Chance(seed: simulation.seed, stream: 5_000 + UInt64(simulation.lives))
        let workshop = SimulatedWorkshop(
            inbox, life: life, world: world, chance: chance, wake: { wake.action() },
            died: { [unowned simulation] in simulation.coordinatorDied("dies beside its loop") })
        loop = CoordinatorLoop(
            core: core, setting: prepared.setting, ledger: held,
            store: store, transport: transport, inbox: inbox, workshop: workshop, time: time)
        loop.stage(staged) { _ = try store.publish(file: $0.source) }
        loop.countedNumbers = { held.counted($0) }
        loop.results = { held.results(of: $0, from: $1, until: $2) }
        loop.asksDeadPeers = simulation.canary == .askDeadPeers
        loop.observer = { [checker = simulation.checker] loop, _ in checker.coordinatorStepped(loop) }
        alarm = Alarm(world, ring: { [self] in step() }, spins: { simulation.checker.fail("the coordinator spins") })
        wake.action = { [unowned self] in self.wake() }
    }

    private static func lay(_ input: [UInt8], _ path: String, _ files: SimulatedFiles) throws -> InputFile {
        let file = try files.open(path, .update)
        defer { files.close(file) }
        try files.write(file, at: 0, input)
        return InputFile(
            path: "input", source: path, digest: SHA256.digest(input), size: Int64(input.count), isExecutable: false)
    }

    /// Holds all results against the specification once more, as after an edit: their evidence must be there, whatever
    /// died meanwhile, and say what it said.
    private static func judgeAgain(
        _ simulation: Simulation, _ state: inout SweepState, _ store: ObjectStore, _ ledger: HeldLedger
    ) throws {
        var reports: [RunNumber: AttemptReport] = [:]
        for case .attemptEnded(let report, _, nil, _, _, _) in simulation.ledger.records {
            reports[report.id.run] = report
        }
        var records: [Record] = []
        for run in reports.keys.sorted() {
            guard case .ended(.succeeded, _) = state[run].phase, let report = reports[run] else { continue }
            if simulation.canary == .loseEvidence { for file in report.artifacts { try store.remove(file.digest) } }
            switch try simulation.prepared.setting.judgeAgain(report, store) {
            case nil: break
            case .lost(let path, let how): simulation.checker.fail("\(path) of \(Describe.id(report.id)) \(how)")
            case .verdict(let verdict):
                records.append(
                    .judgedAgain(
                        report.id, failure: verdict.failure, evidence: verdict.evidence, blocks: verdict.blocks))
            }
        }
        try reopen(records, &state, ledger)
    }

    private static func reopen(_ records: [Record], _ state: inout SweepState, _ ledger: HeldLedger) throws {
        if !records.isEmpty { try ledger.commit(records) }
        for record in records { state.apply(record) }
    }

    /// So that transports can be made before there is something to wake.
    private final class Wake: @unchecked Sendable {
        var action: () -> Void = {}
    }

    func wake() { alarm?.set(after: 100_000) }

    func ask(_ request: Inbox.Request) {
        inbox.put(.request(request))
        wake()
    }

    /// The process is stopped, as by SIGSTOP: what hosts send waits in the kernel's buffers.
    func standStill(for time: Nanoseconds) {
        standsUntil = max(standsUntil, simulation.world.now + time)
        let slack = 5_000_000
        for host in simulation.network.hosts {
            simulation.network.hold(host.index, .toCoordinator, for: standsUntil - simulation.world.now + Int64(slack))
        }
    }

    private func step() {
        let still = standsUntil - simulation.world.now
        guard still <= 0 else {
            alarm?.set(after: still)
            return
        }
        do {
            let ending = try loop.turn(inbox.take(timeout: 0))
            if !life.isAlive {
                simulation.coordinatorDied("dies", inStep: true)
            } else if let ending {
                simulation.coordinatorEnded(ending)
            } else {
                let now = simulation.monotonic
                let due = min(loop.core.nextDeadline(now: now), loop.fanoutDeadline(now: now) ?? .max)
                alarm?.set(after: max(due - now, 100_000))
            }
        } catch {
            simulation.coordinatorDied(life.isAlive ? "ends by an error: \(error)" : "dies", inStep: true)
        }
    }

    func end() {
        life.end()
        alarm?.stop()
        alarm = nil
    }
}

/// The clocks of the coordinator's machine.
final class SimulatedTime: TimeSource, @unchecked Sendable {
    private unowned let simulation: Simulation

    init(_ simulation: Simulation) { self.simulation = simulation }

    func monotonic() -> Nanoseconds { simulation.monotonic }
    func wall() -> Nanoseconds { simulation.world.now + simulation.wallOffset }
}
