import ArgumentParser
import CSystem
import Foundation
import Model
import Sessions
import SweepFiles

/// The program: parses its arguments, runs one command, and turns every failure into a message and an exit status.
@main
struct Usweep: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "usweep",
        abstract: "Run micro-architecture sweeps on the hosts of a lab, over SSH.",
        discussion: """
            A sweep file says what to run, an inventory where. `launch` splits the sweep into shards, hands them to \
            agents on the hosts, and merges the results; launching the same sweep again continues where it stopped.

            EXAMPLES
              usweep init study                    a sweep and an inventory to start from
              usweep doctor -i study/inventory.yaml             check the hosts
              usweep plan study/sweep.yaml                      what would run
              usweep launch study/sweep.yaml -i study/inventory.yaml
              usweep results --format csv          the merged table of the last sweep
              usweep help                          the commands and the manual's pages
              usweep help sweep-file               a page: all keys of a sweep file

            EXIT STATUS
              0 everything succeeded              66 missing file
              3 some runs did not                 74 input or output failed here
              4 compare, reproduce: it differs    75 no usable host, or in use elsewhere
              64 wrong usage                      124 the sweep's time limit
              65 wrong sweep or inventory         130 interrupted; 1 an internal error
            """,
        version: Installation.version,
        subcommands: [
            InitCommand.self, DoctorCommand.self, PlanCommand.self, LaunchCommand.self, ResumeCommand.self,
            FollowCommand.self, TopCommand.self, StatusCommand.self, LogsCommand.self, ResultsCommand.self,
            PlotCommand.self, ReportCommand.self,
            CompareCommand.self, PullCommand.self, StatsCommand.self, WorkloadCommand.self, CheckpointCommand.self,
            ImportCommand.self, ExplainCommand.self, ReproduceCommand.self,
            RetryCommand.self, CancelCommand.self, RemoveCommand.self, CollectCommand.self, DiskUseCommand.self,
            CleanCommand.self, WorkloadsCommand.self,
            AxesCommand.self, MetricsCommand.self, HelpCommand.self,
        ])

    static func main() {
        sys_fill_standard_descriptors()
        // A reader that goes away (`usweep results | head`) is an error of write(2), not the end of the program.
        signal(SIGPIPE, SIG_IGN)
        // So is a limit on the size of files (`ulimit -f`).
        signal(SIGXFSZ, SIG_IGN)
        // A request may come to whoever holds a sweep before it listens, or after: who listens takes it over.
        signal(SIGUSR1) { _ in }
        FileDigests.shared.keep(in: "\(Caches.folder)/digests")
        allowConnections()
        do {
            try checkCommand(CommandLine.arguments.dropFirst().first)
            try RepeatedOptions.check(Array(CommandLine.arguments.dropFirst()), of: Usweep.self)
            var command = try parseAsRoot()
            try command.run()
            leave(0)
        } catch {
            guard let status = status(of: error) else { exit(withMessageOf: error) }
            if let failure = ExitStatus.failure(error) { Console.complain(failure) }
            leave(status)
        }
    }

    /// A misspelt command, with the nearest one.
    private static func checkCommand(_ word: String?) throws {
        let names = configuration.subcommands.compactMap { $0.configuration.commandName }
        guard let word, !word.hasPrefix("-"), !names.contains(word) else { return }
        throw Failure(
            .usage, "'\(VisibleText.of(word, limit: 40))' is not a command; \(Names.suggestion(word, in: names))")
    }

    /// The exit status for an error; nil: the parser of arguments knows.
    private static func status(of error: any Error) -> Int32? {
        (error as? ExitCode)?.rawValue ?? ExitStatus.failure(error)?.code.exitStatus
    }

    /// Ends with what the parser of arguments says: help on standard output, a complaint on standard error.
    private static func exit(withMessageOf error: any Error) -> Never {
        let (code, message) = (exitCode(for: error), Commands.folded(fullMessage(for: error)))
        if !message.isEmpty {
            if code.isSuccess { try? Console.print(message) } else { Console.note(message) }
        }
        leave(code.rawValue)
    }

    /// Each connection takes a descriptor or a few; by default a process may have 1,024.
    private static func allowConnections() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = max(limit.rlim_cur, min(limit.rlim_max, 16_384))
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }

    /// Ends at once: the libraries' exit handlers would free what the transports' threads still use.
    static func leave(_ status: Int32) -> Never {
        fflush(nil)
        _exit(status)
    }
}
