import ArgumentParser
import Model
import Results
import Sessions

/// Which engine is asked about.
struct EngineOptions: ParsableArguments {
    @Option(
        name: .long, help: ArgumentHelp("Only this engine (default: all).", valueName: "name"),
        completion: Completions.engines)
    var engine: String?

    @Option(
        name: .long, help: ArgumentHelp("For this modelled machine (default: the engine's own).", valueName: "name"),
        completion: Completions.systems)
    var system: String?

    func print(
        _ name: String, _ columns: [String], of references: [EngineReference]? = nil,
        _ rows: (EngineReference) -> [[Cell]], _ common: CommonOptions
    ) throws {
        let format = common.output == .json ? TableWriter.Format.json : .table
        var writer = TableWriter(format, name: name, columns: columns) { try Console.write($0) }
        for reference in try references ?? self.references() {
            for row in rows(reference) { try writer.add(row) }
        }
        try writer.finish()
    }

    func references() throws -> [EngineReference] { try EngineReference.find(engine: engine, system: system) }
}

struct AxesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "axes",
        abstract: "List what the axes of a sweep can vary: unit, default, values, meaning.",
        discussion: """
            An axis '*' stands for every name that is not listed. An empty default depends on the system. With --bind, \
            only axes and values that the simulator of one host accepts are listed; standard error says what it does \
            not accept, and why.

            EXAMPLES
              usweep axes --engine qemu
              usweep axes --engine gem5 --system skylake
              usweep axes --engine gem5 --bind -i lab.yaml --host lab1
            """)

    @Flag(name: .long, help: "List only those that one host's simulator has.")
    var bind = false

    @Option(
        name: [.short, .long], help: ArgumentHelp("With --bind: the inventory file.", valueName: "file"),
        completion: .file(extensions: ["yaml"]))
    var inventory: String?

    @Option(
        name: .long, help: ArgumentHelp("With --bind: the host (default: the first with it).", valueName: "name"))
    var host: String?

    @OptionGroup var engine: EngineOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if bind, inventory == nil { throw ValidationError("--bind asks a host: name the inventory with -i.") }
        if !bind, inventory != nil || host != nil { throw ValidationError("-i and --host need --bind.") }
    }

    func run() throws {
        var references = try engine.references()
        if bind, let inventory {
            let hosts = try HostConnections.inventory(path: Paths.absolute(inventory))
            references = try references.filter { engine.engine != nil || !$0.trials.isEmpty }.map { try ask($0, hosts) }
        }
        try engine.print("axes", EngineReference.axisColumns, of: references, \.axisRows, common)
    }

    private func ask(_ reference: EngineReference, _ inventory: Inventory) throws -> EngineReference {
        let binding = try Binding(reference, inventory, host: host)
        let problems = try binding.problems(HostConnections.transport(for: inventory))
        for problem in problems {
            common.console.say("\(binding.hostName) does not take \(problem.axis)=\(problem.value): \(problem.message)")
        }
        return reference.without(problems)
    }
}

struct MetricsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "metrics",
        abstract: "List what a sweep can measure: unit, formula, meaning.",
        discussion: """
            A metric without a formula is counted by the simulator. A sweep file can define others under 'define'.

            EXAMPLES
              usweep metrics --engine gem5
              usweep metrics --output json
            """)

    @OptionGroup var engine: EngineOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        let references = try engine.references()
        try engine.print("metrics", EngineReference.metricColumns, of: references, \.metricRows, common)
        for untold in references.compactMap(\.untold) { common.console.say(untold) }
    }
}

struct WorkloadsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "workloads",
        abstract: "List the workloads that a sweep can name: those that exist here, and those that can be built.",
        discussion: """
            The same as 'usweep workload list'.

            EXAMPLES
              usweep workloads
              usweep workloads --output json
            """)

    @OptionGroup var common: CommonOptions

    func run() throws { try WorkloadListCommand.list(common) }
}
