public import ArgumentParser
public import Model
import Sessions

extension FailureClass: ExpressibleByArgument {}

struct RetryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry",
        abstract: "Run again what failed or is quarantined, then continue like resume.",
        discussion: """
            Runs what was launched: after a change of the sweep file or of an input use 'usweep launch'. A setup \
            that failed is run again with the runs that wait for its checkpoint. Runs that succeeded are not touched; \
            nor are cancelled runs, unless they are named or --class cancelled is given.

            EXAMPLES
              usweep retry                        all that failed in the last sweep
              usweep retry study --class timeout
              usweep retry study/3 study/7        these runs
              usweep retry 3 7 --detach           these runs of the last sweep
              usweep retry --where l2.size=1MiB   what failed there
            """)

    @Argument(
        help: ArgumentHelp("A sweep, or runs of one: NUMBER, ID/NUMBER, or a point's digest.", valueName: "id|run"),
        completion: Completions.sweepsAndRuns)
    var targets: [String] = []

    @OptionGroup var condition: ConditionOptions

    @Option(
        name: .customLong("class"),
        help: ArgumentHelp("Only failures of this class; may be repeated.", valueName: "class"))
    var classes: [FailureClass] = []

    @OptionGroup var coordinator: CoordinatorOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        let folder = common.artifactsFolder
        let choice = try RunChoice(targets, where: condition.conditions, in: folder)
        condition.tell(choice, common.console)
        for change in try LaunchFiles.changes(of: choice.entry, options: " --retry") { common.console.say(change) }
        let retry = Session.Retry(choice, classes: classes)
        try coordinator.run(common) {
            try Session.resume(choice.entry, in: folder, Session.Resumption(retry: retry), say: common.console.say)
        }
    }
}
