import Glibc
import Model
import Simulation

/// `usweep-simulate`: clusters by seed. Status 1: a seed failed.
@main
enum Simulate {
    static let usage = """
        usage: usweep-simulate [--seed N] [--seeds K] [--scenario NAME] [--canary NAME] [--trace] [--counts]
                                [--require-coverage]
               usweep-simulate --die PROCESS:ACT:NUMBER[:machine] [--scenario NAME] [--seed N] [--trace]
               usweep-simulate --large [--hosts H] [--runs R] [--seed N]
               usweep-simulate --exhaustive [--scenario NAME] [--seed N] [--seeds K]
          --seed N         the first seed (1)
          --seeds K        how many (1)
          --scenario NAME  \(Scenario.all.map(\.name).joined(separator: ", ")) (standard)
          --canary NAME    switches a bug on: \(Canary.allCases.map(\.rawValue).joined(separator: ", "))
          --die DEATH      one process dies before one act: coordinator, h1/agent, h1/supervisor; commit or effect;
                           with `machine` the power goes, too
          --exhaustive     all deaths, one after the other
          --large          many hosts of 64 slots and runs of minutes: how busy they are, what the coordinator takes
          --hosts H        of a large cluster (1000)
          --runs R         of its sweep (1000000)
          --trace          prints everything that happens
          --counts         prints how often each kind of fault and transition was met
          --require-coverage
                           the same, and status 1 where one of those that the scenario standard has was never met

        """

    struct Options {
        var seed: UInt64 = 1
        var seeds: UInt64 = 1
        var scenario = Scenario.standard
        var canary: Canary?
        var death: Death?
        var isExhaustive = false
        var isTraced = false
        var isLarge = false
        var size = LargeSize()
        var showsCounts = false
        var requiresCoverage = false
    }

    static func main() {
        let options: Options
        do throws(Failure) {
            options = try parse(CommandLine.arguments.dropFirst())
        } catch {
            say("usweep-simulate: \(error.message)\n\(usage)", to: 2)
            exit(64)
        }
        do {
            exit(try run(options) ? 0 : 1)
        } catch {
            say("usweep-simulate: \(error)\n", to: 2)
            exit(1)
        }
    }

    private static func parse(_ arguments: ArraySlice<String>) throws(Failure) -> Options {
        var options = Options()
        var rest = arguments
        while let option = rest.popFirst() {
            switch option {
            case "--seed": options.seed = try number(option, rest.popFirst())
            case "--seeds": options.seeds = try number(option, rest.popFirst())
            case "--scenario":
                let name = rest.popFirst() ?? ""
                guard let found = Scenario.all.first(where: { $0.name == name }) else {
                    throw Failure(.usage, "there is no scenario '\(name)'")
                }
                options.scenario = found
            case "--canary":
                let name = rest.popFirst() ?? ""
                guard let found = Canary(rawValue: name) else {
                    throw Failure(.usage, "there is no canary '\(name)'")
                }
                options.canary = found
            case "--die":
                let text = rest.popFirst() ?? ""
                guard let death = Death(text) else { throw Failure(.usage, "'\(text)' is no death") }
                options.death = death
            case "--exhaustive": options.isExhaustive = true
            case "--large": options.isLarge = true
            case "--hosts": options.size.hosts = Int(max(1, try number(option, rest.popFirst())))
            case "--runs": options.size.runs = Int(max(1, try number(option, rest.popFirst())))
            case "--trace": options.isTraced = true
            case "--counts": options.showsCounts = true
            case "--require-coverage": (options.showsCounts, options.requiresCoverage) = (true, true)
            default: throw Failure(.usage, "unknown option \(option)")
            }
        }
        return options
    }

    private static func number(_ option: String, _ text: String?) throws(Failure) -> UInt64 {
        guard let number = text.flatMap(UInt64.init) else { throw Failure(.usage, "\(option) needs a number") }
        return number
    }

    /// False: a seed failed.
    private static func run(_ options: Options) throws -> Bool {
        if options.isLarge { return try runLarge(options) }
        let prepared = try Prepared(options.scenario)
        if options.isExhaustive { return exhaust(options, prepared) }
        let counts = Counts()
        let began = cpuTime
        var events = 0
        var failed = 0
        var longest: Nanoseconds = 0
        var thrownAway: Nanoseconds = 0
        for seed in options.seed..<options.seed + options.seeds {
            let trace = Trace(isOn: options.isTraced)
            let simulation = Simulation(
                prepared, seed: seed, canary: options.canary, death: options.death, trace: trace)
            let report = simulation.run()
            counts.add(simulation.counts)
            events += report.events
            longest = max(longest, report.virtualTime)
            thrownAway += report.thrownAway
            for line in trace.lines { say("\(line)\n", to: 1) }
            guard let problem = report.problem else { continue }
            failed += 1
            let flag = options.canary.map { " --canary \($0.rawValue)" } ?? ""
            say("seed \(seed): \(problem)\n", to: 1)
            say("  usweep-simulate --scenario \(options.scenario.name) --seed \(seed)\(flag) --trace\n", to: 1)
        }
        let spent = cpuTime - began
        if options.showsCounts {
            for (name, count) in counts.values.sorted(by: { $0.key < $1.key }) { say("\(count)\t\(name)\n", to: 1) }
        }
        let rate = Int(Double(options.seeds) / max(spent, 1e-6))
        say(
            "\(options.seeds) seeds, \(failed) failed, \(events / Int(max(1, options.seeds))) events a seed, "
                + "\(rate) seeds a second of processor time, the longest \(longest / 1_000_000_000) s\n"
                + "healthy work thrown away, where another slot had nothing else to do: "
                + "\(thrownAway / 1_000_000_000) run seconds\n",
            to: 1)
        let missing = options.requiresCoverage ? Coverage.missing(in: counts) : []
        for name in missing { say("never met: \(name)\n", to: 1) }
        return failed == 0 && missing.isEmpty
    }

    /// Every process dies before each of its acts, in a simulation of its own.
    private static func exhaust(_ options: Options, _ prepared: Prepared) -> Bool {
        var failed = 0
        let counts = Counts()
        var deaths = 0
        for seed in options.seed..<options.seed + options.seeds {
            deaths += Exhaustive.run(prepared, seed: seed, counts: counts) { death, problem in
                failed += 1
                say("\(death): \(problem)\n", to: 1)
                let scenario = options.scenario.name
                say("  usweep-simulate --scenario \(scenario) --seed \(seed) --die \(death) --trace\n", to: 1)
            }
        }
        say("\(deaths) deaths, \(failed) failed\n", to: 1)
        return failed == 0
    }

    private static func runLarge(_ options: Options) throws -> Bool {
        let (size, began) = (options.size, cpuTime)
        let report = try LargeCluster(size, seed: options.seed) { cpuTime }.run()
        let busy = String(Int(report.busy * 100_000 + 0.5))
        // A step's time has one reading of the clock in it.
        let reading = Double(report.coordinatorSteps) * clockCost
        let loop = Int(max(0, report.loopSeconds - reading) * 1e6) / size.runs
        let beside = Int(report.besideSeconds * 1e6) / size.runs
        say(
            """
            \(size.hosts) hosts of \(size.slots) slots, \(size.runs) runs, \(report.hostFailures) hosts failed, \
            \(report.lost) attempts lost with them
            slots of living hosts busy until the last wave (\(report.untilLastWave / 60_000_000_000) of \
            \(report.virtualTime / 60_000_000_000) min): \(busy.dropLast(3)).\(busy.suffix(3)) %
            the coordinator's processor time: \(loop + beside) us a run (\(loop) in its loop, \(beside) beside it), in \
            \(report.coordinatorSteps) steps with \(report.records) records, the longest of \
            \(Int(report.longestStep * 1e3)) ms; the simulation's: \(Int(cpuTime - began)) s

            """, to: 1)
        if let problem = report.problem { say("\(problem)\n", to: 1) }
        return report.problem == nil && report.busy >= 0.97
    }

    /// What it takes to know ``cpuTime``, in seconds.
    private static var clockCost: Double {
        let (began, count) = (cpuTime, 10_000)
        for _ in 0..<count { _ = cpuTime }
        return (cpuTime - began) / Double(count)
    }

    private static var cpuTime: Double {
        var time = timespec()
        // There is one thread, and its time is known faster than that of the process.
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    private static func say(_ text: String, to descriptor: Int32) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 { bytes = bytes.dropFirst(count) } else if errno != EINTR { return }
        }
    }
}
