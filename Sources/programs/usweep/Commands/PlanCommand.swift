import ArgumentParser
import Engines
import Foundation
import Ledger
import Model
import Sessions
import SweepFiles

struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Show what a sweep would run; start nothing.",
        discussion: """
            Where a sweep of that name was launched before, it is compared with the file: what stays, what is new, \
            what is gone.

            EXAMPLES
              usweep plan sweeps/quickstart.yaml
              usweep plan study.yaml -i lab.yaml --points      every point, too
              usweep plan study.yaml -i lab.yaml --bind        asks a host's gem5 whether all parameters exist
            """)

    @Argument(help: ArgumentHelp("The sweep file.", valueName: "sweep"), completion: .file(extensions: ["yaml"]))
    var sweep: String

    @Option(
        name: [.short, .long], help: ArgumentHelp("The inventory file.", valueName: "file"),
        completion: .file(extensions: ["yaml"]))
    var inventory: String?

    @Flag(name: .long, help: "List every point with its digest.")
    var points = false

    @Flag(name: .long, help: "Ask one host's gem5 whether it takes every parameter and every value.")
    var bind = false

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if bind, inventory == nil { throw ValidationError("--bind asks a host: name the inventory with -i.") }
    }

    func run() throws {
        let sweep = try SweepFile.read(path: Paths.absolute(self.sweep))
        let inventory = try inventory.map { try HostConnections.inventory(path: Paths.absolute($0)) }
        let specification = try Specification(sweep)
        let (engine, points) = (specification.engine, specification.points)
        let staged = engine.inputs.reduce(Int64(0)) { $0 + $1.size }
        let entry = try common.artifactsFolder.newest(named: sweep.name)
        let existing = try entry.map { try EarlierLaunch($0, specification, in: common.artifactsFolder) }
        if common.output == .json {
            let document = document(sweep, points, inventory, staged: staged, existing)
            try Console.print(document.encoded)
            return try checkBinding(specification, inventory)
        }
        var lines = ["sweep       \(sweep.name) (engine \(sweep.engine))"]
        if !sweep.workloads.isEmpty { lines.append("workloads   \(sweep.workloads.joined(separator: ", "))") }
        for axis in sweep.allAxes { lines.append("axis        \(axis.name): \(axis.values.joined(separator: ", "))") }
        lines.append("points      \(points.count)")
        lines.append("runs        \(points.count * sweep.measure.repeats) and \(engine.setups.count) setups")
        lines.append("to stage    \(ByteText.text(staged)) a host")
        if let inventory { lines.append("hosts       \(inventory.hosts.map(\.name).joined(separator: ", "))") }
        if let existing { lines += existing.lines }
        try Console.print(lines.joined(separator: "\n"))
        if self.points { try list(points) }
        try checkBinding(specification, inventory)
    }

    private func checkBinding(_ specification: Specification, _ inventory: Inventory?) throws {
        guard bind, let inventory else { return }
        let binding = try Binding(specification, inventory)
        let problems = try binding.problems(HostConnections.transport(for: inventory))
        guard problems.isEmpty else {
            let lines = problems.map { "  \($0.axis): \($0.value): \($0.message)" }.joined(separator: "\n")
            throw Failure(
                .badSpecification, "the \(specification.sweep.engine) of \(binding.hostName) does not take:\n\(lines)")
        }
        common.console.say("the \(specification.sweep.engine) of \(binding.hostName) takes every parameter and value")
    }

    private func list(_ points: Points) throws {
        for index in 0..<points.count {
            let assignments = points.assignments(index).map { "\($0.axis)=\($0.value)" }.joined(separator: " ")
            let workload = points.workload(index).map { "\($0) " } ?? ""
            try Console.print("\(points.digest(index).short)  \(workload)\(assignments)")
        }
    }

    private func document(
        _ sweep: Sweep, _ points: Points, _ inventory: Inventory?, staged: Int64, _ existing: EarlierLaunch?
    ) -> JSON {
        .object([
            JSON.Member("version", .integer(1)), JSON.Member("sweep", .string(sweep.name)),
            JSON.Member("engine", .string(sweep.engine)),
            JSON.Member("workloads", .array(sweep.workloads.map { .string($0) })),
            JSON.Member(
                "axes",
                .object(sweep.allAxes.map { JSON.Member($0.name, .array($0.values.map { .string($0) })) })),
            JSON.Member("points", .integer(points.count)),
            JSON.Member("runs", .integer(points.count * sweep.measure.repeats)),
            JSON.Member("done", .integer(existing?.change.succeeded ?? 0)),
            JSON.Member("existing", existing?.document ?? .null), JSON.Member("staged_bytes", .integer(staged)),
            JSON.Member("hosts", .array((inventory?.hosts ?? []).map { .string($0.name) })),
        ])
    }
}
