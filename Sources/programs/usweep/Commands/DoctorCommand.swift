import ArgumentParser
import Model
import Sessions
import Synchronization

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Check every host of an inventory, or a sweep's ledger; change nothing.",
        discussion: """
            Names what is missing and how to fix it. Exit status 75 if a host cannot be used, 74 if a ledger is \
            damaged. With --repair a damaged ledger is rebuilt from its journal and from the copy that is kept at the \
            end of every launch; the damaged file is kept as well.

            EXAMPLES
              usweep doctor -i lab.yaml
              usweep doctor --ledger              the last sweep's ledger
              usweep doctor --ledger study
              usweep doctor --ledger --repair study
            """)

    @Option(
        name: [.short, .long], help: ArgumentHelp("The inventory file.", valueName: "file"),
        completion: .file(extensions: ["yaml"]))
    var inventory: String?

    @Flag(name: .long, help: "Check the ledger of a sweep.")
    var ledger = false

    @Flag(name: .long, help: "With --ledger: repair it as far as possible.")
    var repair = false

    @OptionGroup var sweep: SweepArgument
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if inventory == nil, !ledger { throw ValidationError("Name an inventory with -i, or add --ledger.") }
        if repair, !ledger { throw ValidationError("--repair works on a ledger: add --ledger.") }
    }

    func run() throws {
        if ledger { try checkLedger() }
        if let inventory { try checkHosts(try HostConnections.inventory(path: Paths.absolute(inventory))) }
    }

    private func checkLedger() throws {
        let entry = try common.artifactsFolder.find(sweep.id)
        if repair {
            let done = try entry.repairLedger()
            switch common.output {
            case .json: return try Console.print(entry.ledgerDocument(try entry.checkLedger(), done: done).encoded)
            case .table: return try Console.print(done.joined(separator: "\n"))
            case .quiet: return
            }
        }
        let problems = try entry.checkLedger()
        switch common.output {
        case .json: try Console.print(entry.ledgerDocument(problems).encoded)
        case .quiet: break
        case .table:
            for problem in problems { try Console.print(problem) }
        }
        guard problems.isEmpty else {
            throw Failure(
                .badArchive, "the ledger of \(entry.fullName) is damaged; repair it with: "
                    + entry.command("doctor --ledger --repair"))
        }
        if common.output == .table { try Console.print("the ledger of \(entry.fullName) has no problems") }
    }

    /// Shows each host as soon as all is known of it, but those with a single trouble at the end: many may have it.
    private func checkHosts(_ inventory: Inventory) throws {
        let problem = Mutex<(any Error)?>(nil)
        let examinations = HostExamination.all(inventory) { [self] examination in
            guard common.output == .table, examination.onlyProblem == nil else { return }
            do { try show(examination) } catch { problem.withLock { $0 = error } }
        }
        if let error = problem.withLock({ $0 }) { throw error }
        if common.output == .table { try showTroubles(examinations) }
        if common.output == .json {
            try Console.print(
                JSON.object([
                    JSON.Member("version", .integer(1)), JSON.Member("hosts", .array(examinations.map(\.document))),
                ]).encoded)
        }
        let badCount = examinations.count { !$0.isUsable }
        if badCount > 0 {
            throw Failure(.noHost, "\(badCount) of \(PeopleText.count(examinations.count, "host")) cannot be used")
        }
    }

    private func showTroubles(_ examinations: [HostExamination]) throws {
        let troubles = examinations.compactMap { one in one.onlyProblem.map { (host: one.name, reason: $0) } }
        for group in HostProblems.groups(troubles) {
            if group.hosts.count == 1, let one = examinations.first(where: { $0.name == group.hosts[0] }) {
                try show(one)
            } else {
                let verdict = common.console.paint("cannot be used", .red)
                try Console.print("\(PeopleText.list(group.hosts, atMost: 16)): \(verdict)")
                try Console.print("  ! \(VisibleText.of(group.reason))")
            }
        }
    }

    private func show(_ examination: HostExamination) throws {
        let console = common.console
        let verdict = examination.isUsable ? console.paint("ok", .green) : console.paint("cannot be used", .red)
        try Console.print("\(examination.name): \(verdict)")
        for remark in examination.remarks {
            let mark = remark.isBad ? "!" : "-"
            try Console.print("  \(mark) \(VisibleText.of(remark.text))")
        }
    }
}
