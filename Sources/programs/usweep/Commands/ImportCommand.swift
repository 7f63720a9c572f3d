import ArgumentParser
import Model
import Sessions

struct ImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Import the files of another tool.",
        subcommands: [ImportVSwarmCommand.self])
}

struct ImportVSwarmCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vswarm",
        abstract: "Turn a working folder of vSwarm-u into a sweep file and checkpoint bundles.",
        discussion: """
            Reads functions.list, kernel, disk.img and the checkpoints below DIR, and writes sweep.yaml and \
            checkpoints/<function>/cpt.warm/ with a record of what each checkpoint was made from. Files are linked if \
            possible, otherwise copied; DIR is not changed.

            EXAMPLES
              usweep import vswarm ~/vSwarm-u/wkdir --to study
            """)

    @Argument(help: ArgumentHelp("vSwarm-u's working folder.", valueName: "dir"), completion: .directory)
    var folder: String

    @Option(name: .long, help: ArgumentHelp("Folder to write to; created if it does not exist.", valueName: "dir"))
    var to = "vswarm"

    @OptionGroup var common: CommonOptions

    func run() throws {
        let imported = try VSwarmImport(Paths.absolute(folder), to: Paths.absolute(to))
        let console = common.console
        let count = imported.functions.count
        console.say(
            "\(to)/sweep.yaml: \(PeopleText.share(count, of: count, "functions")), "
                + PeopleText.count(imported.taken.count, "checkpoint"))
        for problem in imported.left { console.say("not taken over: \(problem)") }
        if imported.taken.count < imported.functions.count { console.say("the sweep makes all checkpoints itself") }
        if let caution = imported.caution { console.say("warning: \(caution)") }
    }
}
