import ArgumentParser
import Foundation
import Ledger
import Model
import Results
import Sessions

struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show where a sweep stands.",
        discussion: """
            EXAMPLES
              usweep status             the last sweep
              usweep status study       the newest of that name
              usweep status --all       every sweep in the artifacts folder
            """)

    @OptionGroup var sweep: SweepArgument

    @Flag(name: .long, help: "A line for every sweep in the artifacts folder.")
    var all = false

    @OptionGroup var common: CommonOptions

    func run() throws {
        if all {
            for entry in try common.artifactsFolder.entries() { try Console.print(try line(entry)) }
            return
        }
        let view = try SweepView(try common.artifactsFolder.find(sweep.id))
        if common.output == .json { return try Console.print(try document(view).encoded) }
        try Console.print(try text(view))
    }

    private func line(_ entry: ArtifactsFolder.Entry) throws -> String {
        let counts = try Ledger.read(entry.ledger).counts()
        let all = counts.reduce(0) { $0 + $1.count }
        let succeeded = counts.filter { $0.state == .succeeded }.reduce(0) { $0 + $1.count }
        return "\(entry.name)-\(entry.identifier)  \(succeeded)/\(all) succeeded"
    }

    private func text(_ view: SweepView) throws -> String {
        var lines = ["sweep   \(view.entry.name) (\(view.entry.identifier))", "folder  \(view.entry.folder)"]
        lines.append("work    \(HolderText.text(Ledger.holder(view.entry.ledger)))")
        for count in try view.ledger.counts() {
            let name = count.state?.rawValue ?? "not ended"
            lines.append("runs    \(count.count) \(name)\(count.failure.map { " (\($0.rawValue))" } ?? "")")
        }
        let gone = try view.ledger.goneCount()
        if gone > 0 { lines.append("runs    \(gone) gone: the sweep file no longer has them") }
        for host in try view.ledger.hosts() {
            let facts = host.slots.map { "\($0) slots, \(ByteText.text(host.memoryBytes ?? 0))" } ?? "never joined"
            let rested = host.rested.map { "; rested: \(VisibleText.of($0, limit: 200))" } ?? ""
            lines.append("host    \(host.host): \(facts)\(rested)")
        }
        for pin in try view.ledger.pins() { lines.append("pin     \(pin.name): \(pin.digest.short)") }
        for reason in try view.ledger.stops() { lines.append("stopped \(reason)") }
        try view.ledger.forEachRun { run in
            guard let state = run.state, state != .succeeded, lines.count < 200 else { return }
            lines.append(
                "\(state.rawValue)  run \(run.plan.run) (\(view.describe(run.plan))), \(run.attempts) attempts: "
                    + VisibleText.of(run.decision?.evidence ?? "", limit: 200))
        }
        return lines.joined(separator: "\n")
    }

    private func document(_ view: SweepView) throws -> JSON {
        let counts = try view.ledger.counts().map { count in
            JSON.object([
                JSON.Member("outcome", count.state.map { .string($0.rawValue) } ?? .null),
                JSON.Member("class", count.failure.map { .string($0.rawValue) } ?? .null),
                JSON.Member("runs", .integer(count.count)),
            ])
        }
        let hosts = try view.ledger.hosts().map { host in
            JSON.object([
                JSON.Member("host", .string(host.host)),
                JSON.Member("slots", host.slots.map { .integer($0) } ?? .null),
                JSON.Member("problem", host.rested.map { .string($0) } ?? .null),
            ])
        }
        return .object([
            JSON.Member("version", .integer(1)), JSON.Member("sweep", .string(view.entry.name)),
            JSON.Member("id", .string(view.entry.identifier)), JSON.Member("folder", .string(view.entry.folder)),
            JSON.Member("counts", .array(counts)), JSON.Member("gone", .integer(try view.ledger.goneCount())),
            JSON.Member("coordinator", HolderText.document(Ledger.holder(view.entry.ledger))),
            JSON.Member("hosts", .array(hosts)),
            JSON.Member(
                "pins", .object(try view.ledger.pins().map { JSON.Member($0.name, .string($0.digest.hex)) })),
        ])
    }
}

/// Who works on a sweep, for people and programs.
enum HolderText {
    static func text(_ holder: LedgerHolder) -> String {
        switch holder {
        case .working(let pid, let since): "a coordinator, pid \(pid), since \(since)"
        case .elsewhere(let pid, let host, let since): "a coordinator on \(host), pid \(pid), since \(since)"
        case .ended(let status, let at): "nobody; the last coordinator ended with status \(status) at \(at)"
        case .vanished(let pid, let host, _): "nobody; the last coordinator (pid \(pid) on \(host)) was killed"
        case .nobody: "nobody"
        }
    }

    /// null: nobody.
    static func document(_ holder: LedgerHolder) -> JSON {
        switch holder {
        case .working(let pid, let since):
            .object([JSON.Member("pid", .integer(Int(pid))), JSON.Member("since", .string(since))])
        case .elsewhere(let pid, let host, let since):
            .object([
                JSON.Member("pid", .integer(Int(pid))), JSON.Member("host", .string(host)),
                JSON.Member("since", .string(since)),
            ])
        case .ended, .vanished, .nobody: .null
        }
    }
}
