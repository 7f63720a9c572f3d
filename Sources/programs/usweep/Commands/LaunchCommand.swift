import ArgumentParser
import Model
import Sessions
import SweepFiles

struct LaunchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "launch",
        abstract: "Run a sweep on the hosts of an inventory, with live progress.",
        discussion: """
            Launching a sweep of the same name again continues it. If the file was edited, only new points are run; \
            points that were removed are no longer shown, but their results are kept (`plan` shows the difference). \
            After Ctrl-C no more runs are started; a second one also cancels those that are running.

            EXAMPLES
              usweep launch sweeps/hello.yaml -i inventory/local.yaml
              usweep launch study.yaml -i lab.yaml --new --output json
              usweep launch study.yaml -i lab.yaml --detach
              usweep launch study.yaml -i lab.yaml --try 3         three points first
              usweep launch study.yaml -i lab.yaml --audit 2%      compare hosts
            """)

    @Argument(help: ArgumentHelp("The sweep file.", valueName: "sweep"), completion: .file(extensions: ["yaml"]))
    var sweep: String

    @Option(
        name: [.short, .long], help: ArgumentHelp("The inventory file (required).", valueName: "file"),
        completion: .file(extensions: ["yaml"]))
    var inventory: String

    @Flag(name: .long, help: "Start a new sweep, even if there is one of this name to continue.")
    var new = false

    @Flag(name: .long, help: "Also run again the runs that failed before.")
    var retry = false

    @Flag(name: .long, help: "Use checkpoints that do not fit; every result says so.")
    var force = false

    @Option(
        name: [.customLong("try"), .customLong("dry-run")],
        help: ArgumentHelp("Run only this many points, spread over the sweep; the next launch does the rest.",
            valueName: "points"))
    var tried: Int?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Run this share of the points again on another host and compare all numbers, as in 2% (default: none, or "
                + "what the sweep's last launch had; 0% ends it).",
            valueName: "share"))
    var audit: String?

    @OptionGroup var resumption: ResumptionOptions
    @OptionGroup var coordinator: CoordinatorOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if new, resumption.repin { throw ValidationError("A new sweep has no pins yet: leave out --repin.") }
        if new, retry { throw ValidationError("In a new sweep nothing has failed yet: leave out --retry.") }
        guard let tried else { return }
        if tried < 1 { throw ValidationError("--try takes the number of points to try, at least 1.") }
        if coordinator.detach { throw ValidationError("--try cannot be combined with --detach.") }
    }

    func run() throws {
        let files = LaunchFiles(sweep: Paths.absolute(self.sweep), inventory: Paths.absolute(self.inventory))
        let sweep = try SweepFile.read(path: Paths.absolute(self.sweep), shelf: common.shelf)
        let inventory = try HostConnections.inventory(path: Paths.absolute(self.inventory))
        for line in SweepRemarks.lines(sweep, file: Paths.absolute(self.sweep)) { common.console.say(line) }
        let audit = try audit.map { try AuditShare($0) }
        let folder = common.artifactsFolder
        try folder.prepare()
        try coordinator.run(common) {
            func create() throws -> Session {
                try Session.create(
                    sweep, inventory: inventory, files: files, in: folder, forces: force, only: tried, audit: audit)
            }
            if new { return try create() }
            var launched = Session.Resumption(
                inventory: inventory, sweep: sweep, files: files, forces: force, repins: resumption.repin,
                retry: retry ? Session.Retry() : nil, only: tried, audit: audit)
            launched.refusesCopies = true
            return try folder.takeUp(
                sweep.name, existing: { try Session.resume($0, in: folder, launched, say: common.console.say) },
                new: create)
        }
    }
}

struct ResumeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Continue an interrupted sweep: keep running runs, run missing ones.",
        discussion: """
            EXAMPLES
              usweep resume                       the last sweep, on the same hosts
              usweep resume study -i lab.yaml     on the hosts of another inventory
              usweep resume study --sweep study.yaml --repin
            """)

    @OptionGroup var sweep: SweepArgument

    @Option(
        name: [.short, .long],
        help: ArgumentHelp("Another inventory (default: that of the launch).", valueName: "file"),
        completion: .file(extensions: ["yaml"]))
    var inventory: String?

    @Option(
        name: .customLong("sweep"),
        help: ArgumentHelp("The sweep file, if it was edited since.", valueName: "file"),
        completion: .file(extensions: ["yaml"]))
    var sweepFile: String?

    @OptionGroup var resumption: ResumptionOptions
    @OptionGroup var coordinator: CoordinatorOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        let folder = common.artifactsFolder
        let entry = try folder.find(sweep.id)
        let inventory = try inventory.map { try HostConnections.inventory(path: Paths.absolute($0)) }
        let edited = try sweepFile.map { try SweepFile.read(path: Paths.absolute($0), shelf: common.shelf) }
        if let edited, edited.name != entry.name {
            throw Failure(
                .usage,
                "the file describes the sweep '\(edited.name)', not '\(entry.name)'; launch it, or name that one")
        }
        let files = LaunchFiles(
            sweep: sweepFile.map(Paths.absolute), inventory: self.inventory.map(Paths.absolute))
        let changes = try LaunchFiles.changes(
            of: entry, namesSweep: edited != nil, namesInventory: inventory != nil)
        for change in changes { common.console.say(change) }
        let resumption = Session.Resumption(
            inventory: inventory, sweep: edited, files: files, repins: resumption.repin)
        try coordinator.run(common) {
            try Session.resume(entry, in: folder, resumption, say: common.console.say)
        }
    }
}

/// Options of all commands that take up a sweep.
struct ResumptionOptions: ParsableArguments {
    @Flag(name: .long, help: "Run everything again, with the engine and the checkpoints as they are now.")
    var repin = false
}
