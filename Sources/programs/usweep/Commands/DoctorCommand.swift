import ArgumentParser
import Foundation
import Ledger
import Model
import Ports
import Results
import Sessions
import Synchronization

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Check every host of an inventory, or a sweep's ledger; change nothing.",
        discussion: """
            Names what is missing and how to mend it. Exit status 75 if a host cannot be used, 74 if a ledger is \
            damaged. With --mend a damaged ledger is written anew from its journal and from the copy that is kept at \
            the end of every launch; as it was, it is kept beside it.

            EXAMPLES
              usweep doctor -i lab.yaml
              usweep doctor --ledger              the last sweep's ledger
              usweep doctor --ledger study
              usweep doctor --ledger --mend study
            """)

    @Option(
        name: [.short, .long], help: ArgumentHelp("The inventory file.", valueName: "file"),
        completion: .file(extensions: ["yaml"]))
    var inventory: String?

    @Flag(name: .long, help: "Check the ledger of a sweep.")
    var ledger = false

    @Flag(name: .long, help: "With --ledger: mend it as far as it can be.")
    var mend = false

    @OptionGroup var sweep: SweepArgument
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if inventory == nil, !ledger { throw ValidationError("Name an inventory with -i, or --ledger.") }
        if mend, !ledger { throw ValidationError("--mend is about a ledger: add --ledger.") }
    }

    func run() throws {
        if ledger { try checkLedger() }
        if let inventory { try checkHosts(try HostConnections.inventory(path: Paths.absolute(inventory))) }
    }

    private func checkLedger() throws {
        let entry = try common.artifactsFolder.find(sweep.id)
        if mend {
            for sentence in try Ledger.mend(entry.ledger, sweep: entry.name) { try Console.print(sentence) }
            return
        }
        let problems = try Ledger.read(entry.ledger, sweep: entry.name).check()
        for problem in problems { try Console.print(problem) }
        guard problems.isEmpty else {
            throw Failure(
                .badArchive, "the ledger \(entry.ledger) is damaged; mend it with: usweep doctor --ledger --mend "
                    + "\(entry.identifier)")
        }
        try Console.print("\(entry.ledger): no problem found")
    }

    /// Each host's result is shown as soon as it is there.
    private func checkHosts(_ inventory: Inventory) throws {
        let transport = HostConnections.transport(for: inventory, keepsConnections: false)
        let shown = Mutex<(any Error)?>(nil)
        let examinations = HostConnections.waiting { [self] in
            await HostExamination.all(inventory.hosts, transport) { examination in
                guard common.output == .table else { return }
                do { try show(examination) } catch { shown.withLock { $0 = error } }
            }
        }
        if let error = shown.withLock({ $0 }) { throw error }
        if common.output == .json {
            try Console.print(
                JSON.object([
                    JSON.Member("version", .integer(1)), JSON.Member("hosts", .array(examinations.map(\.document))),
                ]).encoded)
        }
        let badCount = examinations.count { !$0.isUsable }
        if badCount > 0 { throw Failure(.noHost, "\(badCount) of \(examinations.count) hosts cannot be used") }
    }

    private func show(_ examination: HostExamination) throws {
        let console = common.console
        let verdict = examination.isUsable ? console.paint("ok", .green) : console.paint("cannot be used", .red)
        try Console.print("\(examination.name): \(verdict)")
        for finding in examination.findings {
            let mark = finding.isBad ? "!" : "-"
            try Console.print("  \(mark) \(VisibleText.of(finding.text))")
        }
    }
}
