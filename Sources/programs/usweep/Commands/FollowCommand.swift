import ArgumentParser
import Foundation
import Ledger
import Model
import Sessions
import SweepCore

struct FollowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "follow",
        abstract: "Watch a sweep that another process runs, until it ends.",
        discussion: """
            Shows what `launch` shows, and ends with the status that the coordinator ended with. Ctrl-C ends the \
            watching only.

            EXAMPLES
              usweep follow                          the last sweep
              usweep follow study --output json      an event a line
            """)

    @OptionGroup var sweep: SweepArgument
    @OptionGroup var common: CommonOptions

    func run() throws {
        let entry = try common.artifactsFolder.find(sweep.id)
        let source = try LedgerSource(entry)
        let time = SystemTime()
        let progress = Progress(console: common.console, entry: entry, startedAt: time.monotonic())
        progress.begin(source, verb: "following")
        while true {
            // Asked first: whatever was committed before it ended is then seen.
            let holder = Ledger.holder(entry.ledger)
            let records = try source.refresh()
            progress.show(source, records, now: time.monotonic())
            if let status = try end(holder, source.standing) {
                progress.end(source)
                if let said = status.message { common.console.say(said) }
                if status.code != 0 { throw ExitCode(status.code) }
                return
            }
            usleep(200_000)
        }
    }

    /// nil: it goes on.
    private func end(_ holder: LedgerHolder, _ standing: Standing) throws -> (code: Int32, message: String?)? {
        let all: Int32 = standing.notSucceeded == 0 ? 0 : ExitStatus.someRunsFailed
        let complete: Int32? = standing.left > 0 ? nil : all
        switch holder {
        case .working: return nil
        case .elsewhere: return complete.map { ($0, nil) }
        case .ended(let status, _):
            let hint = standing.left > 0 ? "its coordinator has ended; go on with: usweep resume" : nil
            return (status, hint)
        case .vanished(let pid, _, _):
            if let complete { return (complete, nil) }
            return (
                ExitStatus.interrupted,
                "its coordinator (pid \(pid)) is gone without a word; what is done is kept, go on with: usweep resume"
            )
        case .nobody:
            return (complete ?? ExitStatus.interrupted, "no coordinator works on it; go on with: usweep resume")
        }
    }
}
