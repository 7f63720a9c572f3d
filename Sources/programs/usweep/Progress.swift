import CoordinatorRuntime
import Foundation
import Ledger
import Model
import Sessions
import SweepCore

/// Shows how a sweep goes: on a terminal a bar, a line a host and the failures; else plain lines; with
/// `--output json` a JSON object a line on standard output.
final class Progress: SessionObserver {
    private let console: Console
    private let entry: ArtifactsFolder.Entry
    private let startedAt: Nanoseconds
    private var endedAtStart = 0
    /// How wide each line of the live view is that stands on the screen.
    private var drawn: [Int] = []
    private var nextDraw: Nanoseconds = 0
    private var pace = PlainPace()
    private var news: HostNews
    /// Hosts that were said to be silent.
    private var silent: Set<String> = []
    private var isPaused = false
    /// Whether somebody may still read what goes to standard output. A coordinator goes on where nobody does.
    var isRead: Bool { writer.isRead(STDOUT_FILENO) }
    /// Whether it was said that the coordinator does not answer.
    private var isUnanswered = false
    private let names: RunNames
    private let writer = ConsoleWriter()

    init(console: Console, entry: ArtifactsFolder.Entry, startedAt: Nanoseconds) {
        self.console = console
        self.entry = entry
        self.startedAt = startedAt
        names = RunNames(entry)
        news = HostNews(in: entry.artifacts)
    }

    /// A line for people, unless they asked for quiet.
    func say(_ text: String) {
        if console.output != .quiet { put(text + "\n") }
    }

    /// Waits until all that was said is written: before anybody else writes.
    func close() { writer.end() }

    private func put(_ text: String) { writer.put(Array(text.utf8), on: STDERR_FILENO) }

    func begin(_ source: some ProgressSource, goesOn: Bool) {
        begin(source, verb: goesOn ? "resuming" : "launching")
    }

    /// - Parameter verb: what this process does with the sweep.
    func begin(_ source: some ProgressSource, verb: String) {
        let standing = source.standing
        endedAtStart = standing.ended
        pace = PlainPace(told: standing.ended)
        say(
            "\(verb) \(entry.name) (\(entry.identifier)): \(standing.left) of "
                + "\(PeopleText.count(standing.runs, "run")) left, on \(PeopleText.count(source.hostCount, "host"))")
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
        tellPause(source.pause)
        tellSilence(source.silence)
        for index in 0..<source.hostCount {
            let view = source.host(index)
            tellSilence(view)
            news.note(view)
        }
        for text in news.take(now: now) { line(text) }
        guard console.output == .table else { return }
        if console.isTerminal {
            guard now >= nextDraw, !writer.isBehind else { return }
            nextDraw = now + Timing.second / 5
            draw(source, source.standing, now)
        } else if pace.tells(source.standing, now: now) {
            say(summary(source, now) + under(source.work() ?? []))
        }
    }

    func end(_ status: SweepStatus) {
        erase()
        say("results: \(entry.folder)/results.csv")
        say(status.conclusion)
        for sentence in status.audit?.labelled ?? [] { say(sentence) }
        let all = status.counts + status.setups
        let succeeded = all.filter { $0.state == .succeeded }.reduce(0) { $0 + $1.count }
        let left = all.filter { $0.state == nil }.reduce(0) { $0 + $1.count }
        json([JSON.Member("event", .string("end")), JSON.Member("succeeded", .integer(succeeded)),
            JSON.Member("not_succeeded", .integer(all.reduce(0) { $0 + $1.count } - succeeded - left)),
            JSON.Member("left", .integer(left))])
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
        case .runEnded(let run, let state, let failure, let attempt):
            if !console.isTerminal, runs <= 200 {
                let why = failure.map { " (\($0.rawValue))" } ?? ""
                line("run \(run) \(state.rawValue)\(why): \(names.describe(run))")
            }
            json([JSON.Member("event", .string("run")), JSON.Member("run", .integer(run)),
                JSON.Member("outcome", .string(state.rawValue)),
                JSON.Member("class", failure.map { .string($0.rawValue) } ?? .null),
                JSON.Member("attempt", .integer(attempt))])
        case .hostSeen(let host, _, _, let slots, _, _): news.joined(host, slots: slots)
        case .leaseVoided(let lease, let reason):
            line(console.paint("lease \(lease) has ended: \(VisibleText.of(reason, limit: 400))", .yellow))
        case .runAdopted(let run, _, let reason):
            line("run \(run) was on two hosts, and one of them continues it: \(reason)")
        case .secondStart(let run, _, let reason): line("run \(run) is started a second time, \(reason)")
        case .auditEnded(let report, let host, let failure, let evidence, let comparison, _):
            if comparison?.agrees != true {
                let how = comparison == nil ? failure?.rawValue ?? "not compared" : "other numbers"
                line(
                    console.paint("audit of run \(report.id.run) on \(host): \(how)", .yellow)
                        + " (\(names.describe(report.id.run))): \(VisibleText.of(evidence, limit: 300))")
            }
            json([JSON.Member("event", .string("audit")), JSON.Member("run", .integer(report.id.run)),
                JSON.Member("attempt", .integer(report.id.attempt)), JSON.Member("host", .string(host)),
                JSON.Member("agrees", comparison.map { .bool($0.agrees) } ?? .null),
                JSON.Member("evidence", .string(evidence))])
        case .hostFenced(let host, let reason, let runs):
            // Why is told as news of the host.
            if !runs.isEmpty {
                let count = PeopleText.count(runs.count, "run")
                line(console.paint("\(host): its results are quarantined (\(count))", .red))
            }
            json([JSON.Member("event", .string("fenced")), JSON.Member("host", .string(host)),
                JSON.Member("reason", .string(reason)),
                JSON.Member("runs", .array(runs.map { .integer($0) }))])
        case .inputDamaged(let found):
            let count = PeopleText.count(found.runs.count, "run")
            let results = found.runs.isEmpty ? nil : "results that had it there are quarantined (\(count))"
            line(console.paint(found.sentence(results), .red))
            json([JSON.Member("event", .string("damaged")), JSON.Member("host", .string(found.host)),
                JSON.Member("path", .string(found.path)), JSON.Member("digest", .string(found.damage.digest.hex)),
                JSON.Member("runs", .array(found.runs.map { .integer($0) })),
                JSON.Member("makers", .array(found.makers.map { .integer($0) }))])
        case .hostPaused(let host, let reason): news.paused(host, reason)
        case .hostRefused(let host, let reason): news.refused(host, reason)
        case .sweepStopped(let reason): line("stopping: \(reason)")
        case .attemptFenced(let report, let host, _):
            line("\(host): a late result of run \(report.id.run) is kept, but not merged")
        case .pinned, .leaseGranted, .auditGranted, .leaseMoved, .runWithdrawn, .runCancelAsked, .attemptEnded,
            .runReopened, .judgedAgain, .hostReleased, .revised, .repinned, .restored:
            break
        }
    }

    private func tellPause(_ pause: FailureSeries?) {
        guard let series = pause else { return isPaused = false }
        guard !isPaused else { return }
        isPaused = true
        line(
            console.paint(
                "\(PeopleText.count(series.count, "run")) in a row failed with the same class "
                    + "(\(series.failure.rawValue)): no more runs are started, running ones continue", .yellow))
    }

    private func tellSilence(_ silence: CoordinatorSilence?) {
        guard (silence != nil) != isUnanswered else { return }
        isUnanswered.toggle()
        line(silence.map { console.paint($0.sentence, .yellow) } ?? "the coordinator answers again")
    }

    private func tellSilence(_ view: HostView) {
        if let text = SilenceText.sentence(view) {
            if silent.insert(view.name).inserted { line(console.paint(text, .yellow)) }
        } else if silent.remove(view.name) != nil, view.standing == .working {
            line("\(view.name) is back; its runs continue")
        }
    }

    private func line(_ text: String) {
        guard console.output == .table else { return }
        erase()
        put(text + "\n")
    }

    private func json(_ members: [JSON.Member]) {
        guard console.output == .json, isRead else { return }
        let line = JSON.object([JSON.Member("version", .integer(1))] + members).encoded + "\n"
        writer.put(Array(line.utf8), on: STDOUT_FILENO)
    }

    // MARK: The live view

    private func draw(_ source: some ProgressSource, _ standing: Standing, _ now: Nanoseconds) {
        erase()
        let (width, height) = console.size
        var lines = [bar(source, standing, now)]
        let work = source.work()
        // The bar, a line for those that have no room, and the one on which the cursor stays.
        let room = max(1, min(16, height - 3))
        let views = (0..<source.hostCount).map { source.host($0) }
        let shown = views.count <= room ? views.count : room
        for (index, view) in views.prefix(shown).enumerated() {
            lines.append(hostLine(view, work.flatMap { $0.indices.contains(index) ? $0[index] : nil }))
        }
        if shown < views.count { lines.append("  and \(HostCounts(views.dropFirst(shown)).text)") }
        let cut = lines.map { VisibleText.cut($0, columns: width - 1) }
        put(cut.joined(separator: "\n") + "\n")
        drawn = cut.map(VisibleText.width)
    }

    /// Takes the live view away, also where its lines were broken since, because the window became narrower.
    private func erase() {
        guard !drawn.isEmpty else { return }
        let width = console.size.width
        let rows = drawn.reduce(0) { $0 + max(1, ($1 + width - 1) / width) }
        put("\u{1b}[\(rows)A\r\u{1b}[J")
        drawn = []
    }

    private func bar(_ source: some ProgressSource, _ standing: Standing, _ now: Nanoseconds) -> String {
        let columns = console.size.width
        // A narrow window has room for the words alone.
        if columns < 60 { return summary(source, now) }
        let width = min(30, columns / 4)
        let full = standing.runs == 0 ? width : width * standing.ended / standing.runs
        return "[" + String(repeating: "#", count: full) + String(repeating: ".", count: width - full) + "] "
            + summary(source, now)
    }

    private func summary(_ source: some ProgressSource, _ now: Nanoseconds) -> String {
        let standing = source.standing
        let percent = standing.runs == 0 ? 100 : 100 * standing.ended / standing.runs
        var text = "\(standing.ended) of \(PeopleText.count(standing.runs, "run")), \(percent) %"
        if standing.notSucceeded > 0 { text += ", \(standing.notSucceeded) not succeeded" }
        let done = standing.ended - endedAtStart
        let elapsed = now - startedAt
        if standing.left > 0, let left = source.timeLeft {
            text += ", \(left.sentence)"
        } else if done > 0, standing.left > 0 {
            let rest = elapsed / Nanoseconds(done) * Nanoseconds(standing.left)
            text += ", about \(PeopleText.span(rest)) left"
        }
        return text + ", \(PeopleText.span(elapsed)) so far"
    }

    /// What has been running for longest, on whichever host.
    private func under(_ work: [[LiveRun]]) -> String {
        let all = work.flatMap { $0 }.sorted { $0.span > $1.span }
        return all.isEmpty ? "" : "; running: \(list(all))"
    }

    private func list(_ runs: [LiveRun]) -> String {
        let shown = runs.prefix(3).map { $0.sentence(names.describe($0.run)) }
        return shown.joined(separator: "; ") + (runs.count > 3 ? "; and \(runs.count - 3) more" : "")
    }

    /// - Parameter work: nil: what it is at is not known.
    private func hostLine(_ view: HostView, _ work: [LiveRun]?) -> String {
        if let silence = SilenceText.sentence(view) { return "  \(silence)" }
        let problem = view.problem.isEmpty ? "" : ": \(VisibleText.of(view.problem, limit: 120))"
        let runs = work.map { $0.isEmpty ? "" : ": \(list($0))" } ?? ""
        let standing =
            view.standing == .working ? view.slotsText(own: work?.count) + runs : view.standing.word
        return "  \(view.name)  \(standing)\(problem)"
    }
}

/// When plain lines say how far a sweep is: at most once in ten seconds, and what was said last, such as that nothing
/// has ended yet, again only after two minutes, to show that it is still at work; never again that all is done.
struct PlainPace {
    private var told: Int
    private var next: Nanoseconds = 0
    private var again: Nanoseconds?

    /// - Parameter told: how many runs had ended when that was last said.
    init(told: Int = 0) { self.told = told }

    /// Whether a line is due, which is then taken as said.
    mutating func tells(_ standing: @autoclosure () -> Standing, now: Nanoseconds) -> Bool {
        guard now >= next else { return false }
        next = now + 10 * Timing.second
        let standing = standing()
        let due = again ?? now + 120 * Timing.second
        again = due
        guard standing.ended != told || now >= due && standing.left > 0 else { return false }
        told = standing.ended
        again = now + 120 * Timing.second
        return true
    }
}
