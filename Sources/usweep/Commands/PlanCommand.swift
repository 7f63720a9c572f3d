import ArgumentParser
import Engines
import Foundation
import Model
import SweepFiles

struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Show what a sweep would run; start nothing.",
        discussion: """
            EXAMPLES
              usweep plan sweeps/quickstart.yaml
              usweep plan study.yaml -i lab.yaml --points      every point, too
            """)

    @Argument(help: ArgumentHelp("The sweep file.", valueName: "sweep"), completion: .file(extensions: ["yaml"]))
    var sweep: String

    @Option(
        name: [.short, .long], help: ArgumentHelp("The inventory file.", valueName: "file"),
        completion: .file(extensions: ["yaml"]))
    var inventory: String?

    @Flag(name: .long, help: "List every point with its digest.")
    var points = false

    @OptionGroup var common: CommonOptions

    func run() throws {
        let sweep = try SweepFile.read(path: Paths.absolute(self.sweep))
        let inventory = try inventory.map { try InventoryFile.read(path: Paths.absolute($0)) }
        let engine = try EngineChoice.engine(for: sweep)
        let points = try Points(sweep, recipe: sweep.recipe)
        let staged = engine.inputs.reduce(Int64(0)) { $0 + $1.size }
        let entry = try common.artifactsFolder.newest(named: sweep.name)
        let done = try entry.map { try SweepView($0).succeededCount } ?? 0
        if common.output == .json {
            return try Console.print(document(sweep, points, inventory, staged: staged, done: done).encoded)
        }
        var lines = ["sweep       \(sweep.name) (engine \(sweep.engine.rawValue))"]
        if !sweep.workloads.isEmpty { lines.append("workloads   \(sweep.workloads.joined(separator: ", "))") }
        for axis in sweep.allAxes { lines.append("axis        \(axis.name): \(axis.values.joined(separator: ", "))") }
        lines.append("points      \(points.count)")
        lines.append("runs        \(points.count * sweep.measure.repeats) and \(engine.setups.count) setups")
        lines.append("to stage    \(ByteText.text(staged)) a host")
        if let inventory { lines.append("hosts       \(inventory.hosts.map(\.name).joined(separator: ", "))") }
        if let entry { lines.append("done        \(done) runs, in \(entry.folder); launching goes on there") }
        try Console.print(lines.joined(separator: "\n"))
        if self.points { try list(points) }
    }

    private func list(_ points: Points) throws {
        for index in 0..<points.count {
            let assignments = points.assignments(index).map { "\($0.axis)=\($0.value)" }.joined(separator: " ")
            let workload = points.workload(index).map { "\($0) " } ?? ""
            try Console.print("\(points.digest(index).short)  \(workload)\(assignments)")
        }
    }

    private func document(
        _ sweep: Sweep, _ points: Points, _ inventory: Inventory?, staged: Int64, done: Int
    ) -> JSON {
        .object([
            JSON.Member("version", .integer(1)), JSON.Member("sweep", .string(sweep.name)),
            JSON.Member("engine", .string(sweep.engine.rawValue)),
            JSON.Member("workloads", .array(sweep.workloads.map { .string($0) })),
            JSON.Member(
                "axes",
                .object(sweep.allAxes.map { JSON.Member($0.name, .array($0.values.map { .string($0) })) })),
            JSON.Member("points", .integer(points.count)),
            JSON.Member("runs", .integer(points.count * sweep.measure.repeats)),
            JSON.Member("done", .integer(done)), JSON.Member("staged_bytes", .integer(staged)),
            JSON.Member("hosts", .array((inventory?.hosts ?? []).map { .string($0.name) })),
        ])
    }
}

/// Sizes for people.
enum ByteText {
    static func text(_ bytes: Int64) -> String {
        var value = Double(bytes)
        for unit in ["B", "KiB", "MiB", "GiB"] {
            if value < 1_024 { return unit == "B" ? "\(bytes) B" : String(format: "%.1f \(unit)", value) }
            value /= 1_024
        }
        return String(format: "%.1f TiB", value)
    }
}
