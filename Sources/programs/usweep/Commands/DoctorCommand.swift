import ArgumentParser
import Foundation
import Ledger
import Model
import Ports
import Results
import Sessions
import SweepFiles
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
        if let inventory { try checkHosts(try InventoryFile.read(path: Paths.absolute(inventory))) }
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

    private func checkHosts(_ inventory: Inventory) throws {
        let all = inventory.hosts.indices
        var ordered = ask(inventory, Array(all)) { host, transport, _ in HostExamination(host, transport) }
        // For a host to notice that the login has ended, and to do what it then does.
        let wait = UInt32(2)
        let plain = all.filter { ordered[$0].detached != nil }
        if !plain.isEmpty { sleep(wait) }
        let survived = ask(inventory, plain) { [ordered] in ordered[$2].hasSurvived($0, $1) }
        let killed = zip(plain, survived).filter { !$1 }.map(\.0)
        for (index, lives) in zip(plain, survived) where lives { ordered[index].noteSurvival(.plainly) }
        let started = ask(inventory, killed) { [ordered] in ordered[$2].startedByManager($0, $1) }
        for (index, examination) in zip(killed, started) { ordered[index] = examination }
        if !killed.isEmpty { sleep(wait) }
        let outlived = ask(inventory, killed) { [ordered] in ordered[$2].hasSurvived($0, $1) }
        for (index, lives) in zip(killed, outlived) { ordered[index].noteSurvival(lives ? .byManager : .never) }
        var badCount = 0
        if common.output == .json {
            try Console.print(
                JSON.object([
                    JSON.Member("version", .integer(1)), JSON.Member("hosts", .array(ordered.map(\.document))),
                ]).encoded)
        }
        for examination in ordered {
            if !examination.isUsable { badCount += 1 }
            if common.output == .table { try show(examination) }
        }
        if badCount > 0 { throw Failure(.noHost, "\(badCount) of \(ordered.count) hosts cannot be used") }
    }

    /// Asks some hosts at once, over connections that nothing keeps open after this.
    private func ask<Answer: Sendable>(
        _ inventory: Inventory, _ hosts: [Int],
        _ question: @Sendable (Model.Host, any Transport, _ index: Int) -> Answer
    ) -> [Answer] {
        let transports = Transports.all(inventory)
        let answers = Mutex<[Int: Answer]>([:])
        // Each question mostly waits for its host; GCD keeps them apart from Swift's own pool.
        DispatchQueue.concurrentPerform(iterations: hosts.count) { place in
            let host = inventory.hosts[hosts[place]]
            let answer = question(host, transports(host.target.method), hosts[place])
            answers.withLock { $0[place] = answer }
        }
        return answers.withLock { answers in hosts.indices.compactMap { answers[$0] } }
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
