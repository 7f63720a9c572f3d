import ArgumentParser
import CoordinatorRuntime
import Formats
import Foundation
import Model
import Sessions
import SweepFiles

struct CheckpointCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "checkpoint",
        abstract: "Manage the checkpoints that sweeps share: list, show, verify, add, export, import, remove.",
        discussion: """
            A sweep finds a checkpoint by what it was made from, so a guest is booted and warmed once. Checkpoints of \
            \(CheckpointAddition.engines.joined(separator: " and ")) that were made elsewhere can be added, and named \
            in sweep files: checkpoint: NAME. All of them are kept in ~/.cache/usweep/checkpoints; pieces that they \
            have in common are stored once, and sent to a host once.
            """,
        subcommands: [
            CheckpointListCommand.self, CheckpointShowCommand.self, CheckpointVerifyCommand.self,
            CheckpointAddCommand.self, CheckpointExportCommand.self, CheckpointImportCommand.self,
            CheckpointRemoveCommand.self,
        ])
}

/// Which checkpoints are meant.
struct CheckpointArgument: ParsableArguments {
    @Argument(help: ArgumentHelp(
        "NAME (all its workloads), NAME/WORKLOAD, or 4 or more digits of a digest.", valueName: "checkpoint"))
    var checkpoint: String

    func all() throws -> [CheckpointBundle] { try CheckpointChoice().find(checkpoint) }

    func one() throws -> CheckpointBundle {
        let found = try all()
        guard found.count == 1, let bundle = found.first else {
            let name = checkpoint.split(separator: "/").first.map(String.init) ?? checkpoint
            let choices = PeopleText.list(found.map { "\(name)/\($0.workload)" }, atMost: 8)
            throw Failure(
                .usage, "'\(Names.shown(checkpoint))' means \(PeopleText.count(found.count, "checkpoint")); choose one "
                    + "of: \(choices)")
        }
        return bundle
    }
}

/// What a checkpoint is to be called.
struct CheckpointName: ParsableArguments {
    @Option(name: .long, help: "Name that sweeps use for it; the same one for all workloads.")
    var name: String?

    func check() throws {
        guard let name, !Names.isPlain(name) || name == "setup" else { return }
        throw Failure(
            .usage, "'\(Names.shown(name))' cannot be the name of a checkpoint; use letters, digits and - _ .")
    }
}

struct CheckpointListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the checkpoints that are here.",
        discussion: """
            SIZE: its files, as the engine reads them. OWN: disk space that removing it would free. HOSTS: which have \
            it in their working folders; sweeps copy it there when they need it.

            EXAMPLES
              usweep checkpoint list
              usweep checkpoint list --hosts                 hosts of the last sweep
              usweep checkpoint list --hosts -i lab.yaml
              usweep checkpoint list --output json

            EXIT STATUS
              75 if a host could not be reached
            """)

    @Flag(name: .long, help: "Ask hosts which checkpoints they have.")
    var hosts = false

    @Option(
        name: [.short, .long],
        help: ArgumentHelp("Inventory of these hosts (default: that of the last sweep).", valueName: "file"),
        completion: .file(extensions: ["yaml"]))
    var inventory: String?

    @OptionGroup var common: CommonOptions

    func run() throws {
        let views = try CheckpointViews()
        let bundles = try Caches.checkpoints.bundles()
        let holders = try holders(bundles)
        switch common.output {
        case .json: try Console.print(try views.document(bundles, among: bundles, holders).encoded)
        case .table: try Console.write(Array(try views.table(bundles, holders).utf8))
        case .quiet: break
        }
        try holders?.check()
    }

    /// nil: nobody wants to know.
    private func holders(_ bundles: [CheckpointBundle]) throws -> CheckpointHolders? {
        let named = try inventory.map { try HostConnections.inventory(path: Paths.absolute($0)) }
        guard hosts || named != nil else { return nil }
        return try CheckpointHolders(
            of: bundles, Caches.checkpoints, on: named ?? common.artifactsFolder.inventoryOfLastSweep())
    }
}

struct CheckpointShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show what a checkpoint was made from, by whom, and its files.",
        discussion: """
            EXAMPLES
              usweep checkpoint show skylake-warm/fibonacci-go
              usweep checkpoint show 91f0c2
            """)

    @OptionGroup var argument: CheckpointArgument
    @OptionGroup var common: CommonOptions

    func run() throws {
        let found = try argument.all()
        let all = try Caches.checkpoints.bundles()
        let views = try CheckpointViews()
        switch common.output {
        case .json: try Console.print(try views.document(found, among: all).encoded)
        case .table:
            for (index, bundle) in found.enumerated() {
                if index > 0 { try Console.print("") }
                for line in try views.lines(bundle, among: all) { try Console.print(line) }
            }
        case .quiet: break
        }
    }
}

struct CheckpointVerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Check all files of checkpoints against their digests.",
        discussion: """
            EXAMPLES
              usweep checkpoint verify                   all of them
              usweep checkpoint verify skylake-warm
            """)

    @Argument(help: ArgumentHelp("Name, NAME/WORKLOAD, or digest (default: all).", valueName: "checkpoint"))
    var checkpoints: [String] = []

    @OptionGroup var common: CommonOptions

    func run() throws {
        let choice = try CheckpointChoice()
        let all = try Caches.checkpoints.bundles()
        let found = checkpoints.isEmpty ? all : try checkpoints.flatMap { try choice.find($0) }
        let views = try CheckpointViews()
        var damaged: [CheckpointBundle] = []
        var checked: [JSON] = []
        for bundle in found {
            let problems = try views.problems(bundle)
            if !problems.isEmpty { damaged.append(bundle) }
            checked.append(bundle.document(problems: problems))
            guard common.output == .table else { continue }
            let shown = "\(bundle.checkpoint.short)  \(bundle.workload)"
            for line in problems.isEmpty ? ["ok"] : problems { try Console.print("\(shown)  \(line)") }
        }
        if common.output == .json {
            try Console.print(
                JSON.object([JSON.Member("version", .integer(1)), JSON.Member("checkpoints", .array(checked))]).encoded)
        }
        if found.isEmpty { common.console.say("no checkpoints") }
        guard !damaged.isEmpty else { return }
        let removals = damaged.map { "usweep checkpoint remove \($0.checkpoint.short)" }
        throw Failure(
            .badArchive, "\(damaged.count) of \(PeopleText.count(found.count, "checkpoint")) damaged. Sweeps make "
                + "theirs again; those that you added must be added again. Remove them: "
                + removals.joined(separator: "; "))
    }
}

struct CheckpointAddCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Add a checkpoint that is a folder on this machine.",
        discussion: """
            These checkpoints can be added: those of \(CheckpointAddition.engines.joined(separator: ", ")). With gem5, \
            FOLDER contains m5.cpt, or WORKLOAD/m5.cpt, or WORKLOAD/cpt.warm/m5.cpt (as vSwarm-u writes them). What \
            the checkpoint was made from is read from its record.json; if there is none, give --kernel and --disk, or \
            a sweep's kernel and disk cannot be compared with the checkpoint's.

            EXAMPLES
              usweep checkpoint add results/fibonacci-go/cpt.warm --name skylake-warm
              usweep checkpoint add results --name vswarm --kernel vmlinux --disk disk.img
            """)

    @Argument(
        help: ArgumentHelp("Folder of the checkpoint, or of several.", valueName: "folder"), completion: .directory)
    var folder: String

    @OptionGroup var naming: CheckpointName

    @Option(
        name: .long,
        help: "Its workload, or which one in FOLDER to add (default: from record.json, else the folder's name).")
    var workload: String?

    @Option(name: .long, help: ArgumentHelp("Kernel with which it was made.", valueName: "file"), completion: .file())
    var kernel: String?

    @Option(name: .long, help: ArgumentHelp("Disk with which it was made.", valueName: "file"), completion: .file())
    var disk: String?

    @OptionGroup var common: CommonOptions

    func run() throws {
        try naming.check()
        let options = CheckpointAddition.Options(
            workload: workload, name: naming.name, kernel: kernel.map(Paths.absolute), disk: disk.map(Paths.absolute))
        for added in try CheckpointAddition(options).add(Paths.absolute(folder)) {
            let bundle = added.bundle
            common.console.say(
                "added \(bundle.checkpoint.short) of '\(bundle.workload)', \(PeopleText.size(bundle.size))")
            if !added.unknown.isEmpty {
                let unknown = PeopleText.list(added.unknown, atMost: 8)
                let advice = added.hasRecord
                    ? "its record.json does not have this" : "add it again with --kernel FILE and --disk FILE"
                common.console.say(
                    "warning: not known: \(unknown). Whether it fits a sweep cannot be checked; \(advice)")
            }
        }
    }
}

struct CheckpointExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write a checkpoint to one file, for another machine.",
        discussion: """
            EXAMPLES
              usweep checkpoint export skylake-warm/fibonacci-go --to fibonacci-go.tar
            """)

    @OptionGroup var argument: CheckpointArgument

    @Option(name: .long, help: ArgumentHelp("File to write.", valueName: "file"), completion: .file())
    var to: String

    @OptionGroup var common: CommonOptions

    func run() throws {
        let bundle = try argument.one()
        try CheckpointArchive().write(bundle, to: try Paths.file(to))
        common.console.say("wrote \(to): \(bundle.checkpoint.short) of '\(bundle.workload)'")
    }
}

struct CheckpointImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Import a checkpoint that 'usweep checkpoint export' wrote.",
        discussion: """
            The archive is checked in full before anything is stored. Sweeps with the same engine binary, guest, \
            workload and warm-up then use it: import archives only from people whose results you trust.

            EXAMPLES
              usweep checkpoint import fibonacci-go.tar
              usweep checkpoint import fibonacci-go.tar --name skylake-warm
            """)

    @Argument(help: ArgumentHelp("File to read.", valueName: "file"), completion: .file())
    var file: String

    @OptionGroup var naming: CheckpointName

    @OptionGroup var common: CommonOptions

    func run() throws {
        try naming.check()
        let bundle = try CheckpointArchive().read(Paths.absolute(file))
        if let name = naming.name { try Caches.checkpoints.name(bundle, name) }
        common.console.say("imported \(bundle.checkpoint.short) of '\(bundle.workload)'")
    }
}

struct CheckpointRemoveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Remove checkpoints, and the files that no other checkpoint needs.",
        discussion: """
            Sweeps that already use a checkpoint keep their copy. Those with a name are removed only by name or digest.

            EXAMPLES
              usweep checkpoint remove skylake-warm
              usweep checkpoint remove --unused 60d      what no sweep has used for 60 days
            """)

    @Argument(help: ArgumentHelp("Name, NAME/WORKLOAD, or digest; several are possible.", valueName: "checkpoint"))
    var checkpoints: [String] = []

    @Option(
        name: .long,
        help: ArgumentHelp("Those without a name that no sweep has used for this long (60d, 12h).", valueName: "time"))
    var unused: String?

    @OptionGroup var common: CommonOptions

    func run() throws {
        guard checkpoints.isEmpty == (unused != nil) else {
            throw Failure(
                .usage, "say which checkpoints: their names or digests, or --unused TIME. See which there are: usweep "
                    + "checkpoint list")
        }
        let term = try unused.map { try Quantity.duration($0) }
        let removed = try CheckpointRemoval.remove {
            if let term { return try CheckpointRemoval.unused(for: term) }
            let choice = try CheckpointChoice()
            return try checkpoints.flatMap { try choice.find($0) }
        }
        common.console.say(
            "removed \(PeopleText.count(removed.bundles.count, "checkpoint")), \(PeopleText.size(removed.freed)) freed")
    }
}
