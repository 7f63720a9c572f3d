public import ArgumentParser
public import Model
import Sessions

extension FailureClass: ExpressibleByArgument {}

struct RetryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry",
        abstract: "Try again what has failed or is quarantined, then go on like resume.",
        discussion: """
            A setup that failed is tried again with the runs that wait for its checkpoint. What has succeeded is \
            left alone.

            EXAMPLES
              usweep retry                        all that failed in the last sweep
              usweep retry study --class timeout
              usweep retry study/3 study/7        these runs
              usweep retry 3 7 --detach           these runs of the last sweep
            """)

    @Argument(help: ArgumentHelp("A sweep, and runs: ID/NUMBER, or numbers.", valueName: "id|run"))
    var targets: [String] = []

    @Option(
        name: .customLong("class"), help: ArgumentHelp("Only what failed so; any number of times.", valueName: "class"))
    var classes: [FailureClass] = []

    @OptionGroup var coordinator: CoordinatorOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        let folder = common.artifactsFolder
        let (id, runs) = try chosen()
        let retry = Session.Retry(runs: runs, classes: classes)
        try coordinator.run(common) {
            try Session.resume(
                try folder.find(id), in: folder, Session.Resumption(retry: retry), say: common.console.say)
        }
    }

    /// One sweep, and the numbers of runs of it.
    private func chosen() throws -> (id: String, runs: [RunNumber]) {
        var sweeps: [String] = []
        var runs: [RunNumber] = []
        for target in targets {
            let parts = target.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
            let number = RunNumber(parts.last ?? "")
            if let number, number > 0, parts.count <= 2 {
                runs.append(number)
                if parts.count == 2 { sweeps.append(parts[0]) }
            } else {
                sweeps.append(target)
            }
        }
        guard Set(sweeps).count <= 1 else {
            throw Failure(.usage, "one sweep at a time: \(Set(sweeps).sorted().joined(separator: " and ")) are two")
        }
        return (sweeps.first ?? "last", runs)
    }
}
