import Foundation
import Model
import Simulation
import Testing

/// What takes thousands of seeds is asked of `usweep-simulate` by `ops/test`: these run without optimization.
@Suite("The cluster by seed")
struct SimulationTests {
    @Test("A calm cluster ends")
    func calm() throws {
        let report = Simulation(try Prepared(.calm), seed: 1).run()
        #expect(report.problem == nil)
    }

    @Test("Clusters with faults of every kind end well", arguments: [1, 21])
    func standard(first: UInt64) throws {
        let prepared = try Prepared(.standard)
        for seed in first..<first + 20 {
            let report = Simulation(prepared, seed: seed).run()
            #expect(report.problem == nil, "usweep-simulate --scenario standard --seed \(seed) --trace")
        }
    }

    @Test("Each bug that can be switched on is found", arguments: Canary.allCases)
    func canary(_ canary: Canary) throws {
        let prepared = try Prepared(canary.scenario)
        let finding = (1...1_000).first { seed in
            Simulation(prepared, seed: UInt64(seed), canary: canary).run().problem != nil
        }
        #expect(finding != nil, "no seed up to 1,000 shows \(canary.rawValue)")
    }

    @Test("However long hosts and coordinator are silent, no healthy work is thrown away where no slot is idle")
    func silence() throws {
        for scenario in [Scenario.lone, .busy] {
            let prepared = try Prepared(scenario)
            for seed in 1...6 {
                let report = Simulation(prepared, seed: UInt64(seed)).run()
                #expect(report.problem == nil, "usweep-simulate --scenario \(scenario.name) --seed \(seed) --trace")
                #expect(report.thrownAway == 0)
            }
        }
    }

    @Test("Hosts that share end well whoever lies, dies or cannot be reached; and one copy spreads")
    func sharing() throws {
        for (scenario, seeds) in [(Scenario.spreading, 3), (.sharing, 12)] {
            let prepared = try Prepared(scenario)
            for seed in 1...seeds {
                let report = Simulation(prepared, seed: UInt64(seed)).run()
                #expect(report.problem == nil, "usweep-simulate --scenario \(scenario.name) --seed \(seed) --trace")
            }
        }
    }

    @Test("A host that gives wrong numbers is fenced by audits, and no other; nothing is lost, whatever dies")
    func auditing() throws {
        let prepared = try Prepared(.auditing)
        var fences = 0
        for seed in 1...20 {
            let simulation = Simulation(prepared, seed: UInt64(seed))
            let report = simulation.run()
            #expect(report.problem == nil, "usweep-simulate --scenario auditing --seed \(seed) --trace")
            fences += simulation.counts.values["record: host fenced", default: 0]
        }
        #expect(fences >= 10)
    }

    @Test("Results with an input that was damaged on a disk do not count, others do; a retry gives what they would be")
    func decaying() throws {
        let prepared = try Prepared(.decaying)
        let counts = Counts()
        for seed in 1...12 {
            let simulation = Simulation(prepared, seed: UInt64(seed))
            let outcome = simulation.run()
            #expect(outcome.problem == nil, "usweep-simulate --scenario decaying --seed \(seed) --trace")
            counts.add(simulation.counts)
        }
        #expect(counts.values["damage found", default: 0] >= 10)
        #expect(counts.values["record: input damaged", default: 0] >= 5)
        #expect(counts.values["damaged results made again", default: 0] >= 5)
    }

    @Test("Hosts that somebody else uses, too, are not overbooked, and the sweep ends")
    func crowded() throws {
        let prepared = try Prepared(.crowded)
        for seed in 1...12 {
            let report = Simulation(prepared, seed: UInt64(seed)).run()
            #expect(report.problem == nil, "usweep-simulate --scenario crowded --seed \(seed) --trace")
        }
    }

    @Test("Leases that are written beside the loop reach their hosts once, whatever dies meanwhile")
    func warmed() throws {
        let prepared = try Prepared(.warmed)
        for seed in 1...20 {
            let report = Simulation(prepared, seed: UInt64(seed)).run()
            #expect(report.problem == nil, "usweep-simulate --scenario warmed --seed \(seed) --trace")
        }
    }

    @Test("A run that kills its hosts is found, and those that died with it succeed")
    func killer() throws {
        let prepared = try Prepared(.killer)
        for seed in 1...20 {
            let report = Simulation(prepared, seed: UInt64(seed)).run()
            #expect(report.problem == nil, "usweep-simulate --scenario killer --seed \(seed) --trace")
        }
    }

    @Test("Every process may die before each of its acts", arguments: [("small", 1), ("knotty", 1), ("knotty", 2)])
    func exhaustive(name: String, seed: UInt64) throws {
        let scenario = try #require(Scenario.all.first { $0.name == name })
        let counts = Counts()
        let deaths = Exhaustive.run(try Prepared(scenario), seed: seed, counts: counts) { death, problem in
            Issue.record("\(problem): usweep-simulate --scenario \(name) --seed \(seed) --die \(death) --trace")
        }
        #expect(deaths > 400)
        #expect(counts.values["record: run ended", default: 0] >= 3 * deaths)
    }

    @Test("One seed gives one trace, byte for byte", arguments: [3, 4])
    func sameTrace(seed: UInt64) throws {
        let prepared = try Prepared(.standard)
        let traces = (1...2).map { _ in
            let trace = Trace(isOn: true)
            _ = Simulation(prepared, seed: seed, trace: trace).run()
            return trace.lines
        }
        #expect(traces[0].count > 500)
        #expect(traces[0] == traces[1])
    }

    /// Hashes are seeded anew in every process: an order that hangs on them differs here.
    @Test("One seed gives one trace in every process")
    func sameTraceInProcesses() throws {
        let arguments = ["--scenario", "standard", "--seed", "5", "--seeds", "3", "--trace"]
        let outputs = try (1...2).map { _ in try output(arguments) }
        // The two lines at the end say how fast it went, too.
        let lines = outputs.map { $0.split(separator: UInt8(ascii: "\n")).dropLast(2) }
        #expect(lines[0].count > 1_500)
        #expect(lines[0] == lines[1])
    }

    @Test("Other seeds and other deaths give other traces")
    func otherTraces() throws {
        let prepared = try Prepared(.small)
        let death = try #require(Death("h1/agent:commit:3"))
        let traces = [(1, nil), (2, nil), (1, death)].map { (seed: UInt64, death: Death?) in
            let trace = Trace(isOn: true)
            _ = Simulation(prepared, seed: seed, death: death, trace: trace).run()
            return trace.lines
        }
        #expect(Set(traces).count == 3)
    }

    @Test("What no seed met is named")
    func coverage() throws {
        let simulation = Simulation(try Prepared(.small), seed: 1)
        _ = simulation.run()
        let missing = Coverage.missing(in: simulation.counts)
        #expect(missing.contains("fault: a host reboots"))
        #expect(!missing.contains("run: leased > succeeded"))
        #expect(Set(Coverage.expected).count == Coverage.expected.count)
    }

    @Test("Slots of living hosts stay busy until nothing waits, though hosts fail", arguments: [1, 2])
    func large(seed: UInt64) throws {
        var size = LargeSize()
        (size.hosts, size.slots, size.runs, size.failuresPerHour) = (20, 16, 2_000, 0.3)
        var ticks = 0.0
        let report = try LargeCluster(size, seed: seed) {
            ticks += 0.5
            return ticks
        }.run()
        #expect(report.problem == nil)
        #expect(report.busy >= 0.97)
        #expect(report.hostFailures > 0 && report.lost > 0)
        #expect(report.untilLastWave > 3_600_000_000_000)
        #expect(report.loopSeconds == Double(report.coordinatorSteps) / 2)
        #expect(report.besideSeconds > 0)
    }

    private func output(_ arguments: [String]) throws -> Data {
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
            .deletingLastPathComponent().appendingPathComponent("usweep-simulate")
        process.arguments = arguments
        process.standardOutput = pipe
        try process.run()
        let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return data
    }
}
