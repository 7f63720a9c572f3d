import ArgumentParser
import Model
import Sessions

struct PullCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pull",
        abstract: "Lay out the artifacts of all runs as plain folders.",
        discussion: """
            Each run has a folder, such as DIR/3-aes-python-l2.size=1MiB, with the files of the attempt that counts, \
            and the run's parameters in point.json; DIR/runs.csv says how each run went. The files are copies, so you \
            can change them. Pulling again adds new files, and removes files of earlier pulls that the sweep no longer \
            has, such as those of an old pin; your own files are kept.

            With --layout vswarm, DIR/<function>/ contains stats.txt, config.ini, config.json, gem5.log and the \
            console of a gem5 run that succeeded, as vSwarm-u's notebooks read them; if a function has several runs, \
            DIR/<parameters>/<function>/.

            EXAMPLES
              usweep pull --to artifacts-of-study
              usweep pull study --to results --layout vswarm
            """)

    @OptionGroup var sweep: SweepArgument

    @Option(name: .long, help: ArgumentHelp("The folder; created if it does not exist.", valueName: "dir"))
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
