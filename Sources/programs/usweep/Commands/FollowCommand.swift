import ArgumentParser
import Foundation
import Sessions

struct FollowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "follow",
        abstract: "Watch a sweep that another process runs, until it ends.",
        discussion: """
            Shows the same as `launch`, and ends with the exit status of the coordinator. Ctrl-C ends only this command.

            EXAMPLES
              usweep follow                          the last sweep
              usweep follow study --output json      one event per line
            """)

    @OptionGroup var sweep: SweepArgument
    @OptionGroup var common: CommonOptions

    func run() throws {
        let entry = try common.artifactsFolder.find(sweep.id)
        let source = try LedgerSource(entry)
        let time = SystemTime()
        let progress = Progress(console: common.console, entry: entry, startedAt: time.monotonic())
        defer { progress.close() }
        progress.begin(source, verb: "following")
        while true {
            let (records, ending) = try source.refresh()
            progress.show(source, records, now: time.monotonic())
            guard progress.isRead else { return }
            if let ending {
                progress.end(try SweepStatus(entry, troubles: 1))
                if let message = ending.message { progress.say(message) }
                if ending.exitStatus != 0 { throw ExitCode(ending.exitStatus) }
                return
            }
            usleep(200_000)
        }
    }
}
