import AgentCore
import CoordinatorRuntime
import Model
import SweepCore

/// Watches everything and says what must not be.
final class Checker {
    private let prepared: Prepared
    private let seed: UInt64
    private let world: World
    weak var simulation: Simulation?
    private(set) var problem: String?

    init(_ prepared: Prepared, seed: UInt64, world: World) {
        self.prepared = prepared
        self.seed = seed
        self.world = world
    }

    func fail(_ what: String) {
        guard problem == nil else { return }
        problem = what
        world.say("checker", "WRONG: \(what)")
    }

    func committed(_ records: [Record]) {}
    func coordinatorStepped(_ loop: borrowing CoordinatorLoop) {}
    func coordinatorEnds(_ loop: CoordinatorLoop, whole: Bool) {}
    func agentStepped(_ host: SimulatedHost, _ life: Life, _ core: AgentCore, _ events: [AgentEvent]) {}
    func supervisorStepped(_ host: SimulatedHost, _ core: SupervisorCore) {}
    func programStarted(_ host: SimulatedHost, _ program: Programs.Program) {}
    func programLeft(_ host: SimulatedHost, _ program: Programs.Program, value: String) {}
    func finish() {}
}
