import ArgumentParser
import CoordinatorRuntime
import Model
import Sessions
import SweepCore

/// A coordinator in this process, in front of somebody.
enum Foreground {
    /// Runs what `open` gives to its end, with live progress.
    ///
    /// - Parameter tellEnd: told the exit status, however it ends.
    static func run(
        _ common: CommonOptions, keepsGoing: Bool = false, readyDescriptor: Int32? = nil,
        tellEnd: (ArtifactsFolder.Entry, Int32) -> Void = { _, _ in }, open: () throws -> Session
    ) throws -> (SessionEnding, ArtifactsFolder.Entry) {
        // Before anybody can see that this process holds the sweep: who then asks it something must not kill it.
        let signals = Signals()
        let session = try open()
        if let readyDescriptor { Detached.sayReady(on: readyDescriptor) }
        let inbox = Inbox()
        signals.deliver(to: inbox, Requests(entry: session.entry))
        let progress = Progress(console: common.console, entry: session.entry, startedAt: SystemTime().monotonic())
        defer { progress.close() }
        let ending: SessionEnding
        do {
            ending = try session.run(progress, inbox, keepsGoing: keepsGoing) { signals.allowsSecondThoughts }
        } catch {
            tellEnd(session.entry, ExitStatus.of(error))
            throw error
        }
        tellEnd(session.entry, ending.exitStatus)
        return (ending, session.entry)
    }

    /// Ends with the documented status.
    static func leave(_ ending: SessionEnding, _ entry: ArtifactsFolder.Entry, _ console: Console) throws {
        let resume = entry.command("resume")
        switch ending {
        case .complete: break
        case .auditDiffers: console.say("hosts produced different numbers; the differences are listed above")
        case .auditUndone(let count):
            throw Failure(
                .noHost, "all runs have succeeded, but \(PeopleText.count(count, "point")) could not be audited: no "
                    + "other host could be used, or the run failed there ('usweep explain RUN'). Try again when "
                    + "another host can be used: \(resume)")
        case .paused(let series):
            console.say(
                "paused: the last \(PeopleText.count(series.count, "run")) failed with the same class "
                    + "(\(series.failure.rawValue)), so no more runs were started")
        case .outOfTime:
            console.say("the sweep's time limit (limits.sweep) has passed; all results are kept. Continue: \(resume)")
        case .noHost(let reason):
            throw Failure(
                .noHost, "no host can be used; all results are kept. Continue when this is fixed: "
                    + "\(LaunchFiles.again(entry) ?? resume)\n\(reason)")
        case .interrupted: console.say("interrupted; all results are kept. Continue: \(resume)")
        }
        if ending.exitStatus != 0 { throw ExitCode(ending.exitStatus) }
    }
}
