import CoordinatorRuntime
import Foundation
import Ledger
import Model
import Results
import Sessions
import SweepCore

/// Shows how a sweep goes: on a terminal a bar, a line a host and the failures; else plain lines; with
/// `--output json` a JSON object a line on standard output.
final class Progress: SessionObserver {
    private let console: Console
    private let entry: ArtifactsFolder.Entry
    private let startedAt: Nanoseconds
    private var endedAtStart = 0
    private var drawnLines = 0
    private var nextDraw: Nanoseconds = 0
    private var pace = PlainPace()
    private var problems: [String: String] = [:]
    /// Hosts that were said to be silent.
    private var silent: Set<String> = []
    private let names: RunNames

    init(console: Console, entry: ArtifactsFolder.Entry, startedAt: Nanoseconds) {
        self.console = console
        self.entry = entry
        self.startedAt = startedAt
        names = RunNames(entry)
    }

    func say(_ text: String) { console.say(text) }

    func begin(_ source: some ProgressSource, goesOn: Bool) {
        begin(source, verb: goesOn ? "going on with" : "launching")
    }

    /// - Parameter verb: what this process does with the sweep.
    func begin(_ source: some ProgressSource, verb: String) {
        let standing = source.standing
        endedAtStart = standing.ended
        pace = PlainPace(told: standing.ended)
        console.say(
            "\(verb) \(entry.name) (\(entry.identifier)): \(standing.left) of \(standing.runs) runs to do on "
                + "\(source.hostCount) hosts")
        json([JSON.Member("event", .string("begin")), JSON.Member("sweep", .string(entry.name)),
            JSON.Member("id", .string(entry.identifier)), JSON.Member("runs", .integer(standing.runs)),
            JSON.Member("ended", .integer(standing.ended))])
    }

    func show(_ source: some ProgressSource, _ records: [Record], now: Nanoseconds) {
        // Only where few runs are shown one by one is it asked for with every step.
        if !records.isEmpty {
            let runs = source.standing.runs
            for record in records { tell(record, runs: runs) }
        }
        tellProblems(source)
        guard console.output == .table else { return }
        if console.isTerminal {
            guard now >= nextDraw else { return }
            nextDraw = now + Timing.second / 5
            draw(source, source.standing, now)
        } else if pace.tells(source.standing.ended, now: now) {
            console.say(summary(source.standing, now))
        }
    }

    func end(_ source: some ProgressSource) {
        erase()
        let standing = source.standing
        let succeeded = standing.ended - standing.notSucceeded
        var text = "\(succeeded) of \(standing.runs) runs succeeded"
        if standing.notSucceeded > 0 { text += ", \(standing.notSucceeded) did not" }
        if standing.left > 0 { text += ", \(standing.left) are left" }
        if standing.fenced > 0 { text += "; \(standing.fenced) late results were fenced" }
        if standing.disagreements > 0 {
            text += ", \(standing.disagreements) of them DISAGREE with what was merged"
        }
        console.say("\(text); results in \(entry.folder)/results.csv")
        json([JSON.Member("event", .string("end")), JSON.Member("succeeded", .integer(succeeded)),
            JSON.Member("not_succeeded", .integer(standing.notSucceeded)),
            JSON.Member("left", .integer(standing.left))])
    }

    // MARK: Lines

    private func tell(_ record: Record, runs: Int) {
        switch record {
        case .attemptEnded(let report, let host, let failure?, let evidence, _, _):
            line(
                console.paint("run \(report.id.run) attempt \(report.id.attempt) \(failure.rawValue)", .red)
                    + " on \(host) (\(names.describe(report.id.run))): \(VisibleText.of(evidence, limit: 300))")
            json([JSON.Member("event", .string("attempt")), JSON.Member("run", .integer(report.id.run)),
                JSON.Member("attempt", .integer(report.id.attempt)), JSON.Member("host", .string(host)),
                JSON.Member("class", .string(failure.rawValue)), JSON.Member("evidence", .string(evidence))])
        case .runEnded(let run, let outcome, let failure, let attempt):
            if !console.isTerminal, runs <= 200 {
                let why = failure.map { " (\($0.rawValue))" } ?? ""
                line("run \(run) \(outcome.rawValue)\(why): \(names.describe(run))")
            }
            json([JSON.Member("event", .string("run")), JSON.Member("run", .integer(run)),
                JSON.Member("outcome", .string(outcome.rawValue)),
                JSON.Member("class", failure.map { .string($0.rawValue) } ?? .null),
                JSON.Member("attempt", .integer(attempt))])
        case .hostSeen(let host, _, _, let slots, _, _): line("\(host): joined with \(slots) slots")
        case .leaseVoided(let lease, let reason): line(console.paint("lease \(lease) has ended: \(reason)", .yellow))
        case .runAdopted(let run, _, let reason): line("run \(run) was on two hosts, one goes on with it: \(reason)")
        case .hostRested(let host, let reason):
            line(console.paint("\(host): gets no work for now: \(VisibleText.of(reason, limit: 400))", .yellow))
        case .sweepStopped(let reason): line("stopping: \(reason)")
        case .attemptFenced(let report, let host, _):
            line("\(host): a late result of run \(report.id.run) was fenced, not merged")
        case .pinned, .leaseGranted, .leaseMoved, .runCancelAsked, .attemptEnded, .runReopened, .judgedAgain,
            .hostReleased, .revised, .repinned, .restored:
            break
        }
    }

    /// A host's trouble is told once, not with every try.
    private func tellProblems(_ source: some ProgressSource) {
        for index in 0..<source.hostCount {
            let view = source.host(index)
            tellSilence(view)
            guard problems[view.name] != view.problem else { continue }
            problems[view.name] = view.problem
            if !view.problem.isEmpty, view.standing == .away {
                line(console.paint("\(view.name): \(VisibleText.of(view.problem, limit: 600))", .yellow))
            }
        }
    }

    private func tellSilence(_ view: HostView) {
        if let text = SilenceText.sentence(view) {
            if silent.insert(view.name).inserted { line(console.paint(text, .yellow)) }
        } else if silent.remove(view.name) != nil, view.standing == .working {
            line("\(view.name) is back; what it had goes on")
        }
    }

    private func line(_ text: String) {
        guard console.output == .table else { return }
        erase()
        Console.note(text)
    }

    private func json(_ members: [JSON.Member]) {
        guard console.output == .json else { return }
        try? Console.print(JSON.object([JSON.Member("version", .integer(1))] + members).encoded)
    }

    // MARK: The live view

    private func draw(_ source: some ProgressSource, _ standing: Standing, _ now: Nanoseconds) {
        erase()
        var lines = [bar(standing, now)]
        let shown = min(source.hostCount, 16)
        for index in 0..<shown { lines.append(hostLine(source.host(index))) }
        if shown < source.hostCount { lines.append("  ... and \(source.hostCount - shown) more hosts") }
        let width = console.width
        let cut = lines.map { VisibleText.width($0) < width ? $0 : String($0.prefix(width - 1)) }
        Console.note(cut.joined(separator: "\n"))
        drawnLines = lines.count
    }

    private func erase() {
        guard drawnLines > 0 else { return }
        Console.complain(bytes: Array("\u{1b}[\(drawnLines)A\u{1b}[J".utf8))
        drawnLines = 0
    }

    private func bar(_ standing: Standing, _ now: Nanoseconds) -> String {
        let width = 30
        let full = standing.runs == 0 ? width : width * standing.ended / standing.runs
        return "[" + String(repeating: "#", count: full) + String(repeating: ".", count: width - full) + "] "
            + summary(standing, now)
    }

    private func summary(_ standing: Standing, _ now: Nanoseconds) -> String {
        let percent = standing.runs == 0 ? 100 : 100 * standing.ended / standing.runs
        var text = "\(standing.ended)/\(standing.runs) runs, \(percent) %"
        if standing.notSucceeded > 0 { text += ", \(standing.notSucceeded) not succeeded" }
        let done = standing.ended - endedAtStart
        let elapsed = now - startedAt
        if done > 0, standing.left > 0 {
            let rest = elapsed / Nanoseconds(done) * Nanoseconds(standing.left)
            text += ", about \(DurationText.text(rest)) left"
        }
        return text + ", \(DurationText.text(elapsed)) so far"
    }

    private func hostLine(_ view: HostView) -> String {
        let slots = view.slots == 0 ? "" : " \(min(view.running, view.slots))/\(view.slots) slots busy"
        if let silence = SilenceText.sentence(view) { return "  \(silence)" }
        let problem = view.problem.isEmpty ? "" : ": \(VisibleText.of(view.problem, limit: 120))"
        return "  \(view.name) \(view.standing.rawValue)\(slots)\(problem)"
    }
}

/// When plain lines say how far a sweep is: at most once in ten seconds, and never again what was said last, such as
/// that all is done while hosts still tidy up.
struct PlainPace {
    private var told: Int
    private var next: Nanoseconds = 0

    /// - Parameter told: how many runs had ended when that was last said.
    init(told: Int = 0) { self.told = told }

    /// Whether a line is due, which is then taken as said.
    mutating func tells(_ ended: @autoclosure () -> Int, now: Nanoseconds) -> Bool {
        guard now >= next else { return false }
        next = now + 10 * Timing.second
        let ended = ended()
        defer { told = ended }
        return ended != told
    }
}
