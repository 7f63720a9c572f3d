import ArgumentParser
import Model
import Results
import Sessions
import SweepFiles

struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Show what a sweep would run; start nothing.",
        discussion: """
            If a sweep of that name was launched before, it is compared with the file: what stays, what is new, what \
            was removed.

            EXAMPLES
              usweep plan sweeps/quickstart.yaml
              # every point, too
              usweep plan study.yaml -i lab.yaml --points
              # asks a host's simulator whether all parameters exist
              usweep plan study.yaml -i lab.yaml --bind
            """)

    @Argument(help: ArgumentHelp("The sweep file.", valueName: "sweep"), completion: .file(extensions: ["yaml"]))
    var sweep: String

    @Option(
        name: [.short, .long], help: ArgumentHelp("The inventory file.", valueName: "file"),
        completion: .file(extensions: ["yaml"]))
    var inventory: String?

    @Flag(name: .long, help: "List every point with its digest.")
    var points = false

    @Flag(name: .long, help: "Ask one host's simulator whether it accepts every parameter and every value.")
    var bind = false

    @Flag(name: .long, help: "Plan with checkpoints that do not fit, as launch --force does.")
    var force = false

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if bind, inventory == nil { throw ValidationError("--bind asks a host: name the inventory with -i.") }
    }

    func run() throws {
        let sweep = try SweepFile.read(path: Paths.absolute(self.sweep), shelf: common.shelf)
        let inventory = try inventory.map { try HostConnections.inventory(path: Paths.absolute($0)) }
        let outline = try SweepOutline(sweep, inventory, in: common.artifactsFolder, forces: force)
        if common.output == .json {
            try Console.print(outline.document(withPoints: points).encoded)
        } else {
            try Console.print(lines(outline).joined(separator: "\n"))
            if points { try list(outline.points) }
        }
        for line in SweepRemarks.lines(sweep, file: Paths.absolute(self.sweep)) { common.console.say(line) }
        try checkBinding(outline.specification, outline.inventory)
    }

    private func lines(_ outline: SweepOutline) -> [String] {
        let sweep = outline.sweep
        var lines = ["sweep       \(sweep.name) (engine \(sweep.engine))"]
        if !sweep.workloads.isEmpty { lines.append("workloads   \(sweep.workloads.joined(separator: ", "))") }
        for axis in sweep.allAxes { lines.append("axis        \(axis.name): \(PlanCommand.shown(axis.values))") }
        lines.append("points      \(outline.points.count)\(PlanCommand.samples(sweep.measure, outline.points.count))")
        let boots = outline.bootCount > 0 ? " from \(PeopleText.count(outline.bootCount, "boot")) of the guest" : ""
        let setups = outline.setupCount > 0 ? " and \(PeopleText.count(outline.setupCount, "setup"))\(boots)" : ""
        lines.append("runs        \(outline.runCount)\(setups)")
        if let until = sweep.measure.until, let all = outline.invocations {
            lines.append("measured    \(until.sentence(most: sweep.measure.invocations)) in each run")
            lines.append("            \(all.lowerBound) to \(PeopleText.count(all.upperBound, "invocation")) in all")
        }
        lines += outline.checkpoints.map { "checkpoint  \($0)" }
        lines += outline.restoreRemarks.map { "restore     \($0)" }
        lines.append("to send     \(PeopleText.size(outline.stagedBytes)) per host")
        if !outline.hostNames.isEmpty { lines.append("hosts       \(PeopleText.list(outline.hostNames, atMost: 40))") }
        let launch = "usweep launch \(ShellWord.of(self.sweep)) -i \(inventory.map(ShellWord.of) ?? "INVENTORY")"
            + (force ? " --force" : "")
        if let time = outline.estimate.line(launch) { lines.append("time        \(time)") }
        return lines + (outline.earlier?.lines ?? [])
    }

    /// Of very many values the first ones and the last.
    static func shown(_ values: [String]) -> String {
        let most = 40
        // Within a list of values, one with a comma or a space would look like several.
        let values = values.map { $0.contains(where: { $0 == "," || $0 == " " }) ? "'\($0)'" : $0 }
        guard values.count > most, let last = values.last else { return values.joined(separator: ", ") }
        return "\(values.prefix(8).joined(separator: ", ")), ..., \(last) (\(values.count) values)"
    }

    /// How many of the points are the same but for the checkpoint that they start from.
    private static func samples(_ measure: Measure, _ count: Int) -> String {
        measure.checkpointsText.map { " (\(count / measure.checkpoints.count) \($0))" } ?? ""
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
}
