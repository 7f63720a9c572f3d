import ArgumentParser
import CoordinatorRuntime
import Ledger
import Model
import Sessions
import SweepCore

struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show the progress of a sweep.",
        discussion: """
            EXAMPLES
              usweep status             the last sweep
              usweep status study       the newest of that name
              usweep status --all       every sweep in the artifacts folder
              usweep status --verbose   also what the sweep is pinned to
            """)

    @OptionGroup var sweep: SweepArgument

    @Flag(name: .long, help: "A line for every sweep in the artifacts folder.")
    var all = false

    @OptionGroup var common: CommonOptions

    func run() throws {
        guard all else {
            let status = try SweepStatus(try common.artifactsFolder.find(sweep.id))
            return try Console.print(
                common.output == .json ? status.document.encoded : lines(status).joined(separator: "\n"))
        }
        var (all, damaged): ([SweepStatus], [(entry: ArtifactsFolder.Entry, why: any Error)]) = ([], [])
        for entry in try common.artifactsFolder.entries() {
            do { all.append(try SweepStatus(entry, troubles: 0)) } catch { damaged.append((entry, error)) }
        }
        if common.output == .json {
            try Console.print(SweepStatus.document(ofAll: all).encoded)
        } else {
            for status in all {
                try Console.print("\(status.entry.fullName)  \(status.succeededCount)/\(status.runCount) succeeded")
            }
        }
        guard !damaged.isEmpty else { return }
        // One ledger that cannot be read hides no other.
        throw Failure(.storage, damaged.map { "\($0.entry.fullName): \($0.why)" }.joined(separator: "\n"))
    }

    private func lines(_ status: SweepStatus) -> [String] {
        var lines = ["sweep   \(status.entry.name) (\(status.entry.identifier))", "folder  \(status.entry.folder)"]
        lines.append("work    \(status.holder.sentence)")
        for line in status.lastEnd?.split(separator: "\n") ?? [] { lines.append("        \(line)") }
        let watch = CoordinatorWatch(status.entry)
        watch.look()
        let live = watch.view
        if let silence = watch.silence { lines.append("        \(silence.sentence)") }
        let names = RunNames(status.entry)
        for count in status.counts {
            let name = count.state?.rawValue ?? "not ended"
            lines.append("runs    \(count.count) \(name)\(count.failure.map { " (\($0.rawValue))" } ?? "")")
        }
        if status.goneCount > 0 {
            lines.append("runs    \(status.goneCount) no longer part of the sweep: results are kept, but not shown")
        }
        for count in status.setups {
            let name = count.state?.rawValue ?? "not ended"
            lines.append("setups  \(count.count) \(name)\(count.failure.map { " (\($0.rawValue))" } ?? "")")
        }
        lines += (status.audit?.sentences ?? []).map { "audit   \($0)" }
        lines += status.damage.sentences.map { "damage  \($0)" }
        if let left = live?.timeLeft { lines.append("time    \(left.sentence)") }
        for host in status.hosts {
            let facts = host.slots.map {
                "\(PeopleText.count($0, "slot")), \(PeopleText.size(host.memoryBytes ?? 0))"
            }
            let now = live?.hosts.first { $0.view.name == host.host }
            lines.append("host    \(host.host): \(facts ?? "never joined")\(trouble(of: host, now?.view))")
            lines += advice(on: host, now?.view, in: status.entry.artifacts).map { ["        \($0)"] } ?? []
            if let view = now?.view, view.standing == .working, !view.problem.isEmpty {
                lines.append("        \(VisibleText.of(view.problem, limit: 400))")
            }
            let work = now?.work ?? []
            for run in work.prefix(5) { lines.append("        \(run.sentence(names.describe(run.run)))") }
            if work.count > 5 { lines.append("        and \(work.count - 5) more: \(status.entry.command("top"))") }
        }
        lines += waiting(live).map { "queue   \($0)" }
        if common.verbose { for pin in status.pins { lines.append("pin     \(pin.name): \(pin.digest.short)") } }
        if let reason = status.stop { lines.append("stopped \(reason)") }
        for trouble in status.troubles {
            let why = trouble.evidence.isEmpty ? "" : ": \(VisibleText.of(trouble.evidence, limit: 200))"
            lines.append(
                "\(trouble.state.rawValue)  run \(trouble.run) (\(trouble.description)), "
                    + "\(PeopleText.count(trouble.attempts, "attempt"))\(why)")
        }
        return lines + ["", status.conclusion]
    }

    private func advice(on host: HostStatus, _ now: HostView?, in folder: ArtifactsFolder) -> String? {
        let isWorking = now?.standing == .working
        guard !isWorking, let reason = now?.problem ?? host.pauseReason else { return nil }
        return HostProblems.advice(reason, [host.host], in: folder)
    }

    /// What keeps a host from working now; where no coordinator tells, what kept it from working last.
    private func trouble(of host: HostStatus, _ now: HostView?) -> String {
        if let now {
            guard now.standing != .working else { return "" }
            let why = now.problem.isEmpty ? "" : ": \(VisibleText.of(now.problem, limit: 200))"
            return "; \(now.standing.word)\(why)"
        }
        if let reason = host.fenceReason { return "; fenced: \(VisibleText.of(reason, limit: 200))" }
        let what = host.isRefused ? "could not be used" : "last paused"
        return host.pauseReason.map { "; \(what): \(VisibleText.of($0, limit: 200))" } ?? ""
    }

    /// Pilots of clusters whose jobs wait, and why.
    private func waiting(_ live: LiveView?) -> [String] {
        let views = (live?.hosts ?? []).map(\.view).filter { $0.standing == .queued && !$0.problem.isEmpty }
        return HostProblems.lines(views.map { ($0.name, $0.problem) })
    }
}
