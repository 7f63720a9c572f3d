import Engines
import Model

enum Bench {
    static let usage = "usage: usweep-bench expand POINTS | recipe | statistics FILE | agent OUTCOMES WORKDIR "
        + "| ledger PATH RUNS BATCH | pack FOLDER FILE... | schedule TRACE.csv"

    static func run(_ arguments: [String]) throws {
        switch arguments.first {
        case "expand":
            guard arguments.count == 2, let points = Int(arguments[1]), 1...Points.limit ~= points else {
                throw Failure(.usage, "\(usage), from 1 to \(Points.limit)")
            }
            try expand(points)
        case "recipe": print(try sweep.recipe, terminator: "")
        case "statistics":
            guard arguments.count == 2 else { throw Failure(.usage, usage) }
            try StatisticsBench.run(arguments[1])
        case "agent":
            guard arguments.count == 3 else { throw Failure(.usage, usage) }
            var agent = try AgentBench(outcomes: arguments[1], workdir: arguments[2])
            try agent.run()
        case "ledger":
            guard arguments.count == 4 else { throw Failure(.usage, usage) }
            try LedgerBench.run(arguments[1], runs: arguments[2], batch: arguments[3])
        case "pack":
            guard arguments.count > 2 else { throw Failure(.usage, usage) }
            try PackingBench.run(Array(arguments[2...]), folder: arguments[1])
        case "schedule":
            guard arguments.count == 2 else { throw Failure(.usage, usage) }
            try ScheduleBench.run(arguments[1])
        default: throw Failure(.usage, usage)
        }
    }

    /// What the points of ``expand(_:)`` have in common.
    static var sweep: Sweep {
        Sweep(
            name: "bench", engine: "command",
            settings: .object([JSON.Member("command", .array([.string("true")]))]))
    }

    /// Expands a grid of six axes, the last long enough for about so many points.
    ///
    /// The digest printed is over all digests in their order, so that nothing can be left out.
    static func expand(_ target: Int) throws {
        var sweep = sweep
        sweep.axes = [
            Axis(name: "l1d.size", values: ["16KiB", "32KiB", "48KiB", "64KiB"]),
            Axis(name: "l2.size", values: ["256KiB", "512KiB", "1MiB", "2MiB", "4MiB"]),
            Axis(name: "branch-predictor", values: ["bimodal", "gshare", "tournament", "tage", "perceptron"]),
            Axis(name: "core.rob", values: (1...10).map { String($0 * 32) }),
            Axis(name: "core.width", values: (1...10).map(String.init)),
        ]
        let others = sweep.axes.reduce(1) { $0 * $1.values.count }
        sweep.axes.append(Axis(name: "seed", values: (1...max(1, target / others)).map(String.init)))
        let points = try Points(sweep, recipe: sweep.recipe)
        var hash = SHA256()
        for index in 0..<points.count { hash.update(points.digest(index).bytes) }
        print(#"{"points": \#(points.count), "digest": "\#(hash.finish().hex)"}"#)
    }
}
