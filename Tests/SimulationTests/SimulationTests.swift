import Model
import Simulation
import Testing

@Suite("The cluster by seed")
struct SimulationTests {
    @Test("A calm cluster ends")
    func calm() throws {
        let outcome = Simulation(try Prepared(.calm), seed: 1).run()
        #expect(outcome.problem == nil)
    }
}
