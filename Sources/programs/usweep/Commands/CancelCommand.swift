import ArgumentParser
import Sessions

struct CancelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel",
        abstract: "Cancel a sweep or some of its runs, whether or not a coordinator is running.",
        discussion: """
            Runs that are running are ended on their hosts; results are kept. 'usweep resume' continues a cancelled \
            sweep. Runs that were cancelled individually are run again with 'usweep retry --class cancelled'.

            EXAMPLES
              usweep cancel              the last sweep
              usweep cancel 3            run 3 of the last sweep
              usweep cancel study/3      run 3 of another sweep
              usweep cancel --where workload=aes-go
            """)

    @Argument(
        help: ArgumentHelp("A sweep; or runs of one: NUMBER, ID/NUMBER, or a point's digest.", valueName: "id|run"),
        completion: Completions.sweepsAndRuns)
    var targets: [String] = []

    @OptionGroup var condition: ConditionOptions

    @OptionGroup var common: CommonOptions

    func run() throws {
        let folder = common.artifactsFolder
        let choice = try RunChoice(targets, where: condition.conditions, in: folder)
        condition.tell(choice, common.console)
        common.console.say(try Cancellation.cancel(choice, in: folder))
    }
}
