/// All deaths of a scenario, each in a simulation of its own.
public enum Exhaustive {
    /// - Parameter wrong: told what went wrong after which death.
    /// - Returns: how many deaths there were.
    public static func run(
        _ prepared: Prepared, seed: UInt64, counts: Counts, wrong: (Death, String) -> Void
    ) -> Int {
        var deaths = 0
        for process in ["coordinator", "h1/agent", "h1/supervisor", "h2/agent", "h2/supervisor"] {
            for act in Death.Act.allCases {
                for takesMachine in [false, true] {
                    deaths += run(prepared, seed, counts, wrong) {
                        Death(process: process, act: act, number: $0, takesMachine: takesMachine)
                    }
                }
            }
        }
        return deaths
    }

    /// Until the process has no such act any more.
    private static func run(
        _ prepared: Prepared, _ seed: UInt64, _ counts: Counts, _ wrong: (Death, String) -> Void,
        death: (Int) -> Death
    ) -> Int {
        var number = 0
        while true {
            number += 1
            let simulation = Simulation(prepared, seed: seed, death: death(number))
            let report = simulation.run()
            counts.add(simulation.counts)
            if let problem = report.problem { wrong(death(number), problem) }
            if !report.hasDied { return number - 1 }
        }
    }
}
