package import CoordinatorRuntime
import Engines
package import Model
package import SweepCore

/// How a sweep goes at this moment, as its coordinator sees it. Other processes are told it as JSON.
package struct LiveView: Sendable, Hashable {
    package struct Host: Sendable, Hashable {
        package var view: HostView
        /// What it is at, the longest first.
        package var work: [LiveRun]
    }

    package var hosts: [Host]
    /// How long what is left takes; nil: that is not known.
    package var timeLeft: TimeLeft?
    /// Runs that are not listed, as there are too many.
    package var more: Int
    /// How long the coordinator has not answered; nil: it has. What it says itself has none.
    package var unanswered: Nanoseconds?

    /// More would make those wait who ask, and the coordinator as well.
    private static let most = 2_000

    package init(_ source: some ProgressSource) {
        let work = source.work() ?? []
        var room = LiveView.most
        var (hosts, more): ([Host], Int) = ([], 0)
        for index in 0..<source.hostCount {
            let runs = work.indices.contains(index) ? work[index] : []
            var view = source.host(index)
            view.running = view.busySlots(own: runs.count)
            hosts.append(Host(view: view, work: Array(runs.prefix(room))))
            more += max(0, runs.count - room)
            room -= min(room, runs.count)
        }
        (self.hosts, self.more) = (hosts, more)
        timeLeft = source.timeLeft
        unanswered = source.silence?.span
    }

    // MARK: JSON

    package var document: JSON {
        .object([
            JSON.Member("version", .integer(1)), JSON.Member("hosts", .array(hosts.map(\.document))),
            JSON.Member("more", .integer(more)), JSON.Member("left_s", JSON.seconds(timeLeft?.expected)),
            JSON.Member("left_low_s", JSON.seconds(timeLeft?.low)),
            JSON.Member("left_high_s", JSON.seconds(timeLeft?.high)),
            JSON.Member("unanswered_s", JSON.seconds(unanswered)),
        ])
    }

    /// - Throws: ``Failure`` (`badMessage`) for what is not such a document.
    package init(_ document: JSON) throws {
        guard document["version"]?.integer == 1, case .array(let list)? = document["hosts"] else {
            throw Failure(
                .badMessage, "the coordinator's answer cannot be read; it may be of another version of usweep")
        }
        hosts = list.map(Host.init)
        more = Int(document["more"]?.integer ?? 0)
        unanswered = document["unanswered_s"]?.nanoseconds
        timeLeft = document["left_s"]?.nanoseconds.map { expected in
            TimeLeft(
                expected: expected, low: document["left_low_s"]?.nanoseconds ?? expected,
                high: document["left_high_s"]?.nanoseconds ?? expected)
        }
    }
}

extension LiveView.Host {
    fileprivate var document: JSON {
        .object([
            JSON.Member("host", .string(view.name)), JSON.Member("standing", .string(view.standing.rawValue)),
            JSON.Member("problem", view.problem.isEmpty ? .null : .string(view.problem)),
            JSON.Member("slots", .integer(view.slots)), JSON.Member("running", .integer(view.running)),
            JSON.Member("held", .integer(view.held)), JSON.Member("silent_s", JSON.seconds(view.silence?.span)),
            JSON.Member("given_away_in_s", JSON.seconds(view.silence?.left)),
            JSON.Member("runs", .array(work.map(\.document))),
        ])
    }

    fileprivate init(_ document: JSON) {
        let number = { (name: String) in Int(document[name]?.integer ?? 0) }
        let silence = document["silent_s"]?.nanoseconds.map {
            HostView.Silence(span: $0, left: document["given_away_in_s"]?.nanoseconds)
        }
        view = HostView(
            name: document["host"]?.text ?? "",
            standing: document["standing"]?.text.flatMap(HostView.Standing.init) ?? .away,
            problem: document["problem"]?.text ?? "", slots: number("slots"), running: number("running"),
            held: number("held"), silence: silence)
        if case .array(let runs)? = document["runs"] { work = runs.map(LiveRun.init) } else { work = [] }
    }
}

extension LiveRun {
    fileprivate var document: JSON {
        .object([
            JSON.Member("run", .integer(Int(run))), JSON.Member("running_s", JSON.seconds(span)),
            JSON.Member("phase", stage.map { .string($0.phase.name) } ?? .null),
            JSON.Member("count", stage.map { .string($0.phase.count) } ?? .null),
            JSON.Member("detail", stage.map { .string($0.phase.detail) } ?? .null),
            JSON.Member("phase_s", JSON.seconds(stage?.span)), JSON.Member("usual_s", JSON.seconds(stage?.usual)),
            JSON.Member("quiet_s", JSON.seconds(stage?.quiet)),
        ])
    }

    fileprivate init(_ document: JSON) {
        let text = { (name: String) in document[name]?.text ?? "" }
        let span = { (name: String) in document[name]?.nanoseconds }
        let stage = document["phase"]?.text.map { name in
            Stage(
                phase: RunPhase(name, count: text("count"), detail: text("detail")), span: span("phase_s") ?? 0,
                quiet: span("quiet_s") ?? 0, usual: span("usual_s"))
        }
        self.init(run: RunNumber(document["run"]?.integer ?? 0), span: span("running_s") ?? 0, stage: stage)
    }
}

extension JSON {
    /// Whole seconds; null where there is no span.
    fileprivate static func seconds(_ span: Nanoseconds?) -> JSON {
        span.map { .integer(Int($0 / 1_000_000_000)) } ?? .null
    }

    fileprivate var nanoseconds: Nanoseconds? {
        integer.map { Nanoseconds(clamping: $0.multipliedReportingOverflow(by: 1_000_000_000).partialValue) }
    }
}

// MARK: Words

extension TimeLeft {
    /// As in `about 2 h 10 m left (1 h 50 m to 3 h)`.
    package var sentence: String {
        let about = "about \(PeopleText.span(expected)) left"
        let (least, most) = (PeopleText.span(low), PeopleText.span(high))
        return least == most ? about : "\(about) (\(least) to \(most))"
    }
}

extension LiveRun {
    /// As in `run 3 aes-go l2.size=1MiB, running for 4 m 0 s: invocation 2 of 5 for 40 s (last time: 50 s)`.
    ///
    /// - Parameter name: what the run is; empty: that was said before.
    package func sentence(_ name: String) -> String {
        let lead = name.isEmpty ? "" : " \(name)"
        return "run \(run)\(lead), running for \(PeopleText.span(span))" + (stage.map { ": \($0.sentence)" } ?? "")
    }
}

extension LiveRun.Stage {
    /// As in `booting for 40 s (last time: 50 s), 120 M instructions, 0.9 s simulated`.
    package var sentence: String {
        var parts: [String] = []
        if !phase.text.isEmpty {
            let usual = usual.map { " (last time: \(PeopleText.span($0)))" } ?? ""
            parts.append("\(phase.text) for \(PeopleText.span(span))\(usual)")
        }
        if !phase.detail.isEmpty { parts.append(phase.detail) }
        if quiet >= LiveRun.Stage.noticeable { parts.append("no progress for \(PeopleText.span(quiet))") }
        return parts.joined(separator: ", ")
    }

    /// Files are looked at every few seconds, and not all of them: less says nothing.
    private static let noticeable: Nanoseconds = 60_000_000_000
}
