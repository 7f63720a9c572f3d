import ArgumentParser
import Sessions

struct CancelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel",
        abstract: "Cancel a sweep or one run, with or without a coordinator at work.",
        discussion: """
            Runs that go on are ended on their hosts; what succeeded is kept. Launching the sweep again takes \
            up what was cancelled.

            EXAMPLES
              usweep cancel              the last sweep
              usweep cancel 3            run 3 of the last sweep
              usweep cancel study/3      run 3 of another
            """)

    @Argument(help: ArgumentHelp("A sweep; or a run: NUMBER, ID/NUMBER.", valueName: "id|run"))
    var target = "last"

    @OptionGroup var common: CommonOptions

    func run() throws {
        common.console.say(
            try Cancellation.cancel(target, in: common.artifactsFolder, say: common.console.say))
    }
}
