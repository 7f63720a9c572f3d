import CoordinatorRuntime
import Foundation
import Ledger
import Model
import Results
import SweepCore

/// Shows how a launch goes: on a terminal a bar, a line a host and the failures; else plain lines; with
/// `--output json` a JSON object a line on standard output.
final class Progress {
    private let console: Console
    private let session: Session
    private let startedAt: Nanoseconds
    private var endedAtStart = 0
    private var drawnLines = 0
    private var nextDraw: Nanoseconds = 0
    private var problems: [String: String] = [:]
    private let names: RunNames

    init(console: Console, session: Session, startedAt: Nanoseconds) {
        self.console = console
        self.session = session
        self.startedAt = startedAt
        names = RunNames(session)
    }

    func begin(_ state: SweepState) {
        endedAtStart = state.endedCount
        let verb = endedAtStart > 0 ? "going on with" : "launching"
        console.say(
            "\(verb) \(session.entry.name) (\(session.entry.identifier)): \(state.runs.count - endedAtStart) of "
                + "\(state.runs.count) runs to do on \(session.inventory.hosts.count) hosts")
        json([JSON.Member("event", .string("begin")), JSON.Member("sweep", .string(session.entry.name)),
            JSON.Member("id", .string(session.entry.identifier)), JSON.Member("runs", .integer(state.runs.count)),
            JSON.Member("ended", .integer(endedAtStart))])
    }

    func show(_ loop: borrowing CoordinatorLoop, _ records: [Record], now: Nanoseconds) {
        for record in records { tell(record, loop.state) }
        tellProblems(loop)
        guard console.output == .table, now >= nextDraw || loop.state.isFinished else { return }
        nextDraw = now + (console.isTerminal ? Timing.second / 5 : 10 * Timing.second)
        if console.isTerminal {
            draw(loop, now)
        } else if loop.state.endedCount > endedAtStart {
            console.say(summary(loop.state, now))
        }
    }

    func end(_ loop: borrowing CoordinatorLoop) {
        erase()
        let state = loop.state
        let succeeded = state.endedCount - state.notSucceededCount
        var text = "\(succeeded) of \(state.runs.count) runs succeeded"
        if state.notSucceededCount > 0 { text += ", \(state.notSucceededCount) did not" }
        let left = state.runs.count - state.endedCount
        if left > 0 { text += ", \(left) are left" }
        if state.fencedCount > 0 { text += "; \(state.fencedCount) late results were fenced" }
        if state.disagreements > 0 { text += ", \(state.disagreements) of them DISAGREE with what was merged" }
        console.say("\(text); results in \(session.entry.folder)/results.csv")
        let holding = session.inventory.hosts.indices.filter { state.isFinished && state.isHolding[$0] }
        if !holding.isEmpty {
            let names = holding.map { session.inventory.hosts[$0].name }.joined(separator: ", ")
            console.say(
                "not reached at the end: \(names); what they still keep of this sweep goes with: "
                    + "usweep resume \(session.entry.identifier)")
        }
        json([JSON.Member("event", .string("end")), JSON.Member("succeeded", .integer(succeeded)),
            JSON.Member("not_succeeded", .integer(state.notSucceededCount)), JSON.Member("left", .integer(left))])
    }

    // MARK: Lines

    private func tell(_ record: Record, _ state: SweepState) {
        switch record {
        case .attemptEnded(let report, let host, let failure?, let evidence, _, _):
            line(
                console.paint("run \(report.id.run) attempt \(report.id.attempt) \(failure.rawValue)", .red)
                    + " on \(host) (\(names.describe(report.id.run))): \(VisibleText.of(evidence, limit: 300))")
            json([JSON.Member("event", .string("attempt")), JSON.Member("run", .integer(report.id.run)),
                JSON.Member("attempt", .integer(report.id.attempt)), JSON.Member("host", .string(host)),
                JSON.Member("class", .string(failure.rawValue)), JSON.Member("evidence", .string(evidence))])
        case .runEnded(let run, let outcome, let failure, let attempt):
            if !console.isTerminal, state.runs.count <= 200 {
                let why = failure.map { " (\($0.rawValue))" } ?? ""
                line("run \(run) \(outcome.rawValue)\(why): \(names.describe(run))")
            }
            json([JSON.Member("event", .string("run")), JSON.Member("run", .integer(run)),
                JSON.Member("outcome", .string(outcome.rawValue)),
                JSON.Member("class", failure.map { .string($0.rawValue) } ?? .null),
                JSON.Member("attempt", .integer(attempt))])
        case .hostSeen(let host, _, _, let slots, _, _): line("\(host): joined with \(slots) slots")
        case .leaseVoided(_, let reason): line(console.paint("a lease is void: \(reason)", .yellow))
        case .hostRested(let host, let reason):
            line(console.paint("\(host): gets no work for now: \(VisibleText.of(reason, limit: 400))", .yellow))
        case .sweepStopped(let reason): line("stopping: \(reason)")
        case .attemptFenced(let report, let host, _):
            line("\(host): a late result of run \(report.id.run) was fenced, not merged")
        case .pinned, .leaseGranted, .attemptEnded, .runReopened, .hostReleased: break
        }
    }

    /// A host's trouble is told once, not with every try.
    private func tellProblems(_ loop: borrowing CoordinatorLoop) {
        for index in session.inventory.hosts.indices {
            let view = loop.hostView(index)
            guard problems[view.name] != view.problem else { continue }
            problems[view.name] = view.problem
            if !view.problem.isEmpty, view.standing == .away {
                line(console.paint("\(view.name): \(VisibleText.of(view.problem, limit: 600))", .yellow))
            }
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

    private func draw(_ loop: borrowing CoordinatorLoop, _ now: Nanoseconds) {
        erase()
        var lines = [bar(loop.state, now)]
        let shown = min(session.inventory.hosts.count, 16)
        for index in 0..<shown { lines.append(hostLine(loop.hostView(index))) }
        if shown < session.inventory.hosts.count {
            lines.append("  ... and \(session.inventory.hosts.count - shown) more hosts")
        }
        let width = console.width
        let cut = lines.map { VisibleText.width($0) < width ? $0 : String($0.prefix(width - 1)) }
        FileHandle.standardError.write(Data((cut.joined(separator: "\n") + "\n").utf8))
        drawnLines = lines.count
    }

    private func erase() {
        guard drawnLines > 0 else { return }
        FileHandle.standardError.write(Data("\u{1b}[\(drawnLines)A\u{1b}[J".utf8))
        drawnLines = 0
    }

    private func bar(_ state: SweepState, _ now: Nanoseconds) -> String {
        let width = 30
        let full = state.runs.isEmpty ? width : width * state.endedCount / state.runs.count
        return "[" + String(repeating: "#", count: full) + String(repeating: ".", count: width - full) + "] "
            + summary(state, now)
    }

    private func summary(_ state: SweepState, _ now: Nanoseconds) -> String {
        let percent = state.runs.isEmpty ? 100 : 100 * state.endedCount / state.runs.count
        var text = "\(state.endedCount)/\(state.runs.count) runs, \(percent) %"
        if state.notSucceededCount > 0 { text += ", \(state.notSucceededCount) not succeeded" }
        let done = state.endedCount - endedAtStart
        let elapsed = now - startedAt
        if done > 0, !state.isFinished {
            let rest = elapsed / Nanoseconds(done) * Nanoseconds(state.runs.count - state.endedCount)
            text += ", about \(DurationText.text(rest)) left"
        }
        return text + ", \(DurationText.text(elapsed)) so far"
    }

    private func hostLine(_ view: HostView) -> String {
        let slots = view.slots == 0 ? "" : " \(min(view.running, view.slots))/\(view.slots) slots busy"
        let problem = view.problem.isEmpty ? "" : ": \(VisibleText.of(view.problem, limit: 120))"
        return "  \(view.name) \(view.standing.rawValue)\(slots)\(problem)"
    }
}

/// What runs are, for people.
private final class RunNames {
    private let session: Session
    private lazy var view = try? SweepView(session.entry)

    init(_ session: Session) { self.session = session }

    func describe(_ run: RunNumber) -> String {
        guard let view, let plan = try? view.ledger.run(run)?.plan else { return "run \(run)" }
        return view.describe(plan)
    }
}

/// Spans of time for people.
enum DurationText {
    static func text(_ span: Nanoseconds) -> String {
        let seconds = max(0, span) / 1_000_000_000
        if seconds >= 86_400 { return "\(seconds / 86_400) d \(seconds % 86_400 / 3_600) h" }
        if seconds >= 3_600 { return "\(seconds / 3_600) h \(seconds % 3_600 / 60) min" }
        return seconds >= 60 ? "\(seconds / 60) min \(seconds % 60) s" : "\(seconds) s"
    }
}
