import ArgumentParser
import Model
import Sessions

struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Say in sentences what became of a run or a host, and what to do.",
        discussion: """
            From the ledger's evidence: what happened, on which host, what was tried, why it waits.

            EXAMPLES
              usweep explain 3              run 3 of the last sweep
              usweep explain study/3
              usweep explain node07         a host of the last sweep
              usweep explain study/node07
            """)

    @Argument(
        help: ArgumentHelp("A run or a host of the last sweep, or after ID and '/' of another.", valueName: "run|host"))
    var target: String

    @Flag(name: .long, help: "Take a number for the name of a host, not of a run.")
    var host = false

    @OptionGroup var common: CommonOptions

    func run() throws {
        let explanation = try Explanation(of: target, isHost: host, in: common.artifactsFolder)
        try Console.print(
            common.output == .json
                ? explanation.document.encoded : explanation.sentences.joined(separator: "\n"))
    }
}
