import ArgumentParser
import Model
import Sessions

struct CleanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clean",
        abstract: "Remove files that usweep no longer needs on hosts.",
        discussion: """
            Removes cached inputs, agents of other versions, and files of sweeps that have ended. --all also removes \
            files of sweeps that may be resumed or belong to other artifacts folders, and the agent itself; their runs \
            are then run again. Files that a running sweep uses are kept. On a terminal it asks once; elsewhere it \
            needs --yes. If it is interrupted, type it again.

            EXAMPLES
              usweep clean lab1                   a host of the last sweep
              usweep clean 'node[01-16]' -i lab.yaml --dry-run
              usweep clean lab1 lab2 -i lab.yaml --all --yes

            EXIT STATUS
              75 if a host could not be reached, or if an agent is working there
            """)

    @Argument(
        help: ArgumentHelp("Names of hosts, as in the inventory.", valueName: "host"), completion: Completions.hosts)
    var hosts: [String]

    @Option(
        name: [.short, .long],
        help: ArgumentHelp("The inventory file (default: that of the last sweep).", valueName: "file"),
        completion: .file(extensions: ["yaml"]))
    var inventory: String?

    @Flag(name: .long, help: "Also remove files of sweeps that may be resumed, and the agent.")
    var all = false

    @Flag(name: .customLong("dry-run"), help: "Show what would be removed; remove nothing.")
    var isTrial = false

    @Flag(name: .long, help: "Do not ask.")
    var yes = false

    @OptionGroup var common: CommonOptions

    func run() throws {
        let inventory = try inventory.map { try HostConnections.inventory(path: Paths.absolute($0)) }
        let plan = try HostCleaningPlan(hosts, inventory, takesAll: all, in: common.artifactsFolder)
        for line in plan.lines { common.console.say(line) }
        guard !isTrial else {
            if common.output == .json { try show(plan, plan.uses) }
            return try HostUse.check(plan.uses)
        }
        if !yes, plan.mayRemove {
            // Of an agent that proves idle, more goes than is needed now.
            let amount = plan.totalBytes > 0 ? " (\(PeopleText.size(plan.totalBytes)))" : ""
            try Console.confirm("remove this\(amount)?", refusal: "nothing was removed")
        }
        let after = plan.run()
        if common.output == .json {
            try show(plan, after)
        } else {
            for (before, after) in zip(plan.uses, after) where after.problem == nil {
                let gone = PeopleText.size(max(0, before.totalBytes - after.totalBytes))
                common.console.say("\(after.host): \(gone) removed, \(PeopleText.size(after.totalBytes)) left")
            }
        }
        try HostUse.check(after)
        try checkAgents(after)
    }

    private func checkAgents(_ uses: [HostUse]) throws {
        let busy = uses.filter(\.isBusy).map(\.host)
        guard !busy.isEmpty else { return }
        throw Failure(
            .heldElsewhere, "an agent is working on \(PeopleText.list(busy)), so its files were kept; run this again "
                + "when its sweeps have ended. They are listed by 'usweep status --all'; one without a coordinator "
                + "is ended by 'usweep cancel ID'")
    }

    /// - Parameter now: what is on the hosts, in the order of the plan's.
    private func show(_ plan: HostCleaningPlan, _ now: [HostUse]) throws {
        let hosts = zip(plan.uses, now).map { before, now in
            let bytes = isTrial ? plan.bytes(before) : max(0, before.totalBytes - now.totalBytes)
            return JSON.object([
                JSON.Member("host", .string(now.host)), JSON.Member("problem", now.problem.map(JSON.string) ?? .null),
                JSON.Member("busy", .bool(now.isBusy)), JSON.Member("removed_bytes", .integer(bytes)),
                JSON.Member("left_bytes", .integer(now.totalBytes - (isTrial ? bytes : 0))),
            ])
        }
        try Console.print(
            JSON.object([
                JSON.Member("version", .integer(1)), JSON.Member("dry_run", .bool(isTrial)),
                JSON.Member("hosts", .array(hosts)),
            ]).encoded)
    }
}
