import ArgumentParser
import Model
import Results
import Sessions

/// Which engine is asked about.
struct EngineOptions: ParsableArguments {
    @Option(
        name: .long, help: ArgumentHelp("Only of this engine (default: all).", valueName: "name"),
        completion: Completions.engines)
    var engine: String?

    @Option(
        name: .long, help: ArgumentHelp("As of this modelled machine (default: the engine's).", valueName: "name"),
        completion: Completions.systems)
    var system: String?

    func print(
        _ name: String, _ columns: [String], _ rows: (EngineReference) -> [[Cell]], _ common: CommonOptions
    ) throws {
        let format = common.output == .json ? TableWriter.Format.json : .table
        var writer = TableWriter(format, name: name, columns: columns) { try Console.write($0) }
        for reference in try EngineReference.find(engine: engine, system: system) {
            for row in rows(reference) { try writer.add(row) }
        }
        try writer.finish()
    }
}

struct AxesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "axes",
        abstract: "List what the axes of a sweep can vary: unit, default, values, meaning.",
        discussion: """
            An axis '*' stands for every name that is not listed. An empty default depends on the system.

            EXAMPLES
              usweep axes --engine qemu
              usweep axes --engine gem5 --system skylake
            """)

    @OptionGroup var engine: EngineOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        try engine.print("axes", EngineReference.axisColumns, \.axisRows, common)
    }
}

struct MetricsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "metrics",
        abstract: "List what a sweep can measure: unit, formula, meaning.",
        discussion: """
            A metric without a formula is counted. A sweep defines others under 'define'.

            EXAMPLES
              usweep metrics --engine gem5
              usweep metrics --output json
            """)

    @OptionGroup var engine: EngineOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        try engine.print("metrics", EngineReference.metricColumns, \.metricRows, common)
    }
}
