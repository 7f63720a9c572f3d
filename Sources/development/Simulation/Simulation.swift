import CoordinatorRuntime
public import Model
import SweepCore

/// What came of one seed.
public struct SimulationReport: Sendable {
    public var seed: UInt64
    /// What was wrong; nil: nothing.
    public var problem: String?
    public var events: Int
    public var virtualTime: Nanoseconds
    /// Whether the death that was asked for took place.
    public var hasDied = false
    /// How long healthy attempts had run that were ended because another host went on with their run.
    public var thrownAway: Nanoseconds = 0
}

/// One cluster, one sweep, one seed.
public final class Simulation {
    let prepared: Prepared
    let scenario: Scenario
    let seed: UInt64
    let canary: Canary?
    let world: World
    let network: Network
    let peering: Peering
    let disk: Disk
    let ledger = MemoryLedger()
    let checker: Checker
    var chance: Chance
    var wallOffset: Nanoseconds = 1_700_000_000 * Timing.second
    private(set) var coordinator: CoordinatorInstance?
    let coordinatorRole: Role
    private(set) var isFinished = false
    private(set) var lives = 0
    /// Since when the coordinator has been there.
    private(set) var coordinatorSince: Nanoseconds = 0
    /// The next coordinator is to open again what failed.
    var isRetryAsked = false
    /// The next coordinator is to go on however many runs in a row fail alike.
    var keepsGoing = false
    /// No faults begin any more.
    var isQuiet = false

    public init(
        _ prepared: Prepared, seed: UInt64, canary: Canary? = nil, death: Death? = nil,
        trace: Trace = Trace(isOn: false)
    ) {
        self.prepared = prepared
        self.seed = seed
        self.canary = canary
        scenario = prepared.scenario
        world = World(trace: trace)
        chance = Chance(seed: seed, stream: 1)
        network = Network(world: world, seed: seed, canary: canary)
        peering = Peering(world, seed: seed)
        disk = Disk(seed: seed, stream: 9)
        disk.canary = canary
        checker = Checker(prepared, seed: seed, world: world)
        coordinatorRole = Role(name: "coordinator", death: death)
        for index in 0..<scenario.hosts {
            network.add(
                SimulatedHost(
                    index, world: world, scenario: scenario, seed: seed, watch: checker, peering: peering,
                    canary: canary, death: death))
        }
        checker.simulation = self
    }

    public var counts: Counts { world.counts }
    public var records: [Record] { ledger.records }

    /// Runs to the end, or to the first thing that is wrong.
    public func run() -> SimulationReport {
        planFaults()
        startCoordinator()
        let limit = scenario.faultsUntil + scenario.patience
        while !isFinished, checker.problem == nil, world.step(before: limit) {}
        if !isFinished { checker.fail("the sweep has not ended long after the last fault") }
        if checker.problem == nil { settle() }
        var report = SimulationReport(
            seed: seed, problem: checker.problem, events: world.eventCount, virtualTime: world.now)
        let roles = [coordinatorRole] + network.hosts.flatMap { [$0.agentRole, $0.supervisorRole] }
        report.thrownAway = checker.promises.thrownAway
        report.hasDied = roles.contains(where: \.hasDied)
        clear()
        return report
    }

    /// After the end of the sweep, hosts get the time that idle agents take to go.
    private func settle() {
        let end = world.now + 300 * Timing.second
        while checker.problem == nil, world.step(before: end) {}
        if checker.problem == nil { checker.finish() }
    }

    private func clear() {
        coordinator?.end()
        coordinator = nil
        for host in network.hosts { host.clear() }
        network.clear()
        peering.clear()
        world.clear()
    }

    // MARK: The coordinator

    /// A clock that begins anew with each life, and that nothing turns.
    var monotonic: Nanoseconds { world.now + 1_000 * Timing.second }

    func startCoordinator() {
        guard coordinator == nil, !isFinished else { return }
        lives += 1
        coordinatorSince = world.now
        let life = Life(role: coordinatorRole)
        world.say("coordinator", "starts")
        do {
            let instance = try CoordinatorInstance(self, life: life)
            guard life.isAlive else { throw Failure(.storage, "it is dead") }
            coordinator = instance
            instance.wake()
        } catch {
            life.end()
            world.say("coordinator", "did not start: \(error)")
            takeMachine()
            startAgain(in: 2 * Timing.second)
        }
    }

    /// The coordinator's death may have been that of its machine.
    private func takeMachine() {
        guard coordinatorRole.mustTakeMachine else { return }
        coordinatorRole.mustTakeMachine = false
        world.say("coordinator", "loses its power")
        disk.crash()
    }

    private func startAgain(in delay: Nanoseconds) { world.after(delay) { [self] in startCoordinator() } }

    /// - Parameter inStep: memory may be ahead of the ledger.
    func coordinatorDied(_ how: String, inStep: Bool = false) {
        guard let instance = coordinator else { return }
        world.say("coordinator", how)
        checker.coordinatorEnds(instance.loop, whole: !inStep)
        coordinator = nil
        instance.end()
        takeMachine()
        for channel in network.channels { channel.leave() }
        startAgain(in: chance.within(200_000_000...10 * Timing.second))
    }

    func coordinatorEnded(_ ending: Ending) {
        guard let instance = coordinator else { return }
        world.say("coordinator", "ends: \(ending)")
        checker.coordinatorEnds(instance.loop, whole: true)
        coordinator = nil
        instance.end()
        for channel in network.channels { channel.leave() }
        switch ending {
        case .complete, .outOfTime:
            // What hosts keep that could not be told goes when the sweep is resumed and they can be reached.
            if instance.loop.state.isHolding.contains(true) {
                world.counts.note("hosts away at the end")
                startAgain(in: 30 * Timing.second)
            } else if scenario.retriesDamaged, instance.loop.state.hasResults(quarantinedFor: .inputDamaged) {
                world.counts.note("damaged results made again")
                isRetryAsked = true
                startAgain(in: 20 * Timing.second)
            } else {
                isFinished = true
            }
        case .paused:
            world.counts.note("paused")
            keepsGoing = true
            startAgain(in: 20 * Timing.second)
        case .noHost, .interrupted: startAgain(in: 20 * Timing.second)
        }
    }
}

extension SweepState {
    fileprivate func hasResults(quarantinedFor failure: FailureClass) -> Bool {
        runs.contains { if case .ended(.quarantined, failure) = $0.phase { true } else { false } }
    }
}
