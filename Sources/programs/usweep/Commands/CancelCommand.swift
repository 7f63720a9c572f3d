import ArgumentParser
import Ledger
import Model
import Sessions

struct CancelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel",
        abstract: "Cancel a sweep or one run, also while no coordinator works on it.",
        discussion: """
            Runs that are going are ended on their hosts; what succeeded is kept. Launching the sweep again takes \
            up what was cancelled.

            EXAMPLES
              usweep cancel              the last sweep
              usweep cancel study/3      one run
            """)

    @Argument(help: ArgumentHelp("A sweep, or ID/NUMBER for one run.", valueName: "id|run"))
    var target = "last"

    @OptionGroup var common: CommonOptions

    func run() throws {
        let folder = common.artifactsFolder
        let isRun = target.contains("/") || (Int(target) != nil && (try? folder.find(target)) == nil)
        let entry: ArtifactsFolder.Entry
        var run: RunNumber?
        if isRun {
            let found = try folder.findRun(target)
            (entry, run) = (found.entry, found.run)
        } else {
            entry = try folder.find(target)
        }
        do {
            let session = try Session.resume(entry, in: folder, say: common.console.say)
            try session.cancel(run: run)
            common.console.say("cancelled \(run.map { "run \($0)" } ?? "the sweep"); what succeeded is kept")
        } catch let failure as Failure where failure.code == .heldElsewhere {
            try Requests(entry: entry).leave(cancel: run)
            common.console.say("told the coordinator to cancel \(run.map { "run \($0)" } ?? "the sweep")")
        }
    }
}
