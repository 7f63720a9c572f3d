import ArgumentParser
import Model
import Sessions

struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Explain what happened to a run or a host, and what to do.",
        discussion: """
            Shows what happened and on which hosts, what was tried, why the run failed or waits, and what to do next.

            EXAMPLES
              usweep explain 3              run 3 of the last sweep
              usweep explain study/3
              usweep explain node07         a host of the last sweep
              usweep explain study/node07
              usweep explain --where outcome=failed --where 'l2.size>1MiB'
            """)

    @Argument(
        help: ArgumentHelp(
            "A run, a host or a point's digest of the last sweep, or after ID and '/' of another; with --where a "
                + "sweep.",
            valueName: "run|host"),
        completion: Completions.runsAndHosts)
    var target: String?

    @OptionGroup var condition: ConditionOptions

    @Flag(name: .long, help: "A number is the name of a host, not of a run.")
    var host = false

    @OptionGroup var common: CommonOptions

    func run() throws {
        let explanation = try explanation()
        try Console.print(
            common.output == .json
                ? explanation.document.encoded : explanation.sentences.joined(separator: "\n"))
    }

    private func explanation() throws -> Explanation {
        let folder = common.artifactsFolder
        if target == nil, condition.conditions.isEmpty {
            throw Failure(.usage, "name a run or a host, as in 'usweep explain 3', or choose runs by --where")
        }
        guard condition.conditions.isEmpty, let target else {
            let choice = try RunChoice(target.map { [$0] } ?? [], where: condition.conditions, in: folder)
            condition.tell(choice, common.console)
            return try Explanation(of: choice)
        }
        return try Explanation(of: target, isHost: host, in: folder)
    }
}
