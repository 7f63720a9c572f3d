import Figures
import Ledger
import Model
import Results

/// How a sweep went: what ran where and when, what failed and was tried again, and how long it took.
struct ReportCourse {
    /// Failures of one class.
    struct Failures {
        var failure: FailureClass
        var attempts = 0
        /// Runs that ended with it.
        var runs = 0
    }

    private(set) var timeline: Timeline
    private(set) var failures: [Failures]
    /// Attempts that were ended because the other one of their run succeeded first.
    let overtaken: [OvertakenAttempt]
    private(set) var attempts = 0
    /// Of all attempts together.
    private(set) var busy: Nanoseconds = 0
    /// Runs that ended after more than one attempt.
    private(set) var retried = 0
    private var last: (run: RunNumber, attempts: Int) = (0, 0)
    private var places: [String: Int]
    /// By host, in seconds, of attempts that succeeded.
    private var walls: [[Double]]

    init(_ view: SweepView, _ status: SweepStatus) throws {
        let names = status.hosts.map(\.host)
        timeline = Timeline(hosts: names, spans: [])
        places = Dictionary(names.enumerated().map { ($0.element, $0.offset) }, uniquingKeysWith: { first, _ in first })
        walls = Array(repeating: [], count: names.count)
        failures = FailureClass.allCases.map { Failures(failure: $0) }
        for count in status.counts + status.setups {
            guard let failure = count.failure, let place = failures.firstIndex(where: { $0.failure == failure })
            else { continue }
            failures[place].runs += count.count
        }
        overtaken = try view.ledger.overtakenAttempts(atMost: ReportCourse.mostOvertaken)
        try view.ledger.forEachAttempt { add($0, isAudit: $1) }
        failures.removeAll { $0.attempts == 0 && $0.runs == 0 }
    }

    /// Of more, the first.
    private static let mostOvertaken = 200

    private mutating func add(_ attempt: AttemptStatus, isAudit: Bool) {
        attempts += 1
        busy = busy.addingCapped(max(0, attempt.wall))
        // Their numbers say nothing: each grant begins with a new one, and leaves out those that its agent did not use.
        if !isAudit {
            last = (attempt.id.run, attempt.id.run == last.run ? last.attempts + 1 : 1)
            if last.attempts == 2 { retried += 1 }
        }
        if let failure = attempt.failure, let place = failures.firstIndex(where: { $0.failure == failure }) {
            failures[place].attempts += 1
        }
        guard let host = places[attempt.host] else { return }
        if attempt.failure == nil { walls[host].append(Double(attempt.wall) / 1e9) }
        let outcome = ReportCourse.outcome(attempt.failure)
        // Of more attempts than are drawn one by one, no text is ever seen.
        let isShown = timeline.spans.count < Timeline.mostSpans
        timeline.spans.append(
            Timeline.Span(
                host: host, start: attempt.endedAt.subtractingCapped(attempt.wall), end: attempt.endedAt,
                outcome: outcome,
                text: isShown ? ReportCourse.text(attempt, outcome, isAudit: isAudit) : ""))
    }

    private static func text(_ attempt: AttemptStatus, _ outcome: RunState, isAudit: Bool) -> String {
        "run \(attempt.id.run), \(isAudit ? "audit, " : "")attempt \(attempt.id.attempt): "
            + "\(attempt.failure?.rawValue ?? outcome.rawValue), "
            + PeopleText.span(attempt.wall)
    }

    private static func outcome(_ failure: FailureClass?) -> RunState {
        switch failure?.finalState {
        case nil, .succeeded: .succeeded
        case .failed: .failed
        case .quarantined: .quarantined
        case .cancelled: .cancelled
        }
    }

    /// How long attempts took that succeeded, by host; nil: none did.
    var times: Figure? {
        let shown = walls.indices.filter { !walls[$0].isEmpty }.prefix(Timeline.mostHosts)
        guard !shown.isEmpty else { return nil }
        let marks = shown.enumerated().map { place, host in
            let spread = FigureSpread(sorted: walls[host].sorted())
            return FigureMark(
                category: place, series: 0, value: spread?.median, spread: spread, count: walls[host].count)
        }
        return Figure(
            .box, x: FigureAxis("host"), y: FigureAxis("time of an attempt", unit: "seconds"),
            categories: shown.map { FigureCategory(timeline.hosts[$0]) }, panels: [FigurePanel(marks: marks)],
            notes: ["Attempts that succeeded: quartiles and median; whiskers within 1.5 box lengths."])
    }
}
