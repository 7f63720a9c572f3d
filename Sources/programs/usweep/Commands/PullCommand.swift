import ArgumentParser
import Model
import Sessions

struct PullCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pull",
        abstract: "Lay out the artifacts of all runs as plain folders.",
        discussion: """
            A folder for each run, as DIR/3-aes-python-l2.size=1MiB, holds the files of the attempt that counts, and \
            the run's parameters in point.json; DIR/runs.csv says how each run went. Files are copies: they can be \
            changed without harm. Pulling again adds what is new, and removes what was pulled before and is no longer \
            the sweep's, such as files of an old pin; your own files stay.

            With --layout vswarm, DIR/<function>/ holds stats.txt, config.ini, config.json, gem5.log and the console \
            of a gem5 run that succeeded, as vSwarm-u's notebooks read them; where a function has several runs, \
            DIR/<parameters>/<function>/.

            EXAMPLES
              usweep pull --to artifacts-of-study
              usweep pull study --to results --layout vswarm
            """)

    @OptionGroup var sweep: SweepArgument

    @Option(name: .long, help: ArgumentHelp("The folder; made if it is missing.", valueName: "dir"))
    var to: String

    @Option(
        name: .long,
        help: ArgumentHelp("The layout of the folders.", valueName: PulledArtifacts.layouts.joined(separator: "|")))
    var layout = PulledArtifacts.plain

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if to.isEmpty { throw ValidationError("--to names a folder.") }
        if to == "-" { throw ValidationError("--to - names no folder; write ./- for one of that name.") }
    }

    func run() throws {
        let folder = common.artifactsFolder
        let target = Paths.absolute(to)
        let pulled = try PulledArtifacts(of: try folder.find(sweep.id), in: folder, to: target, layout: layout)
        common.console.say(
            "\(PeopleText.count(pulled.fileCount, "file")) of \(PeopleText.count(pulled.runCount, "run")) are in "
                + target)
    }
}
