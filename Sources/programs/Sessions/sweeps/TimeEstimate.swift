import CoordinatorRuntime
import Engines
import Ledger
package import Model
package import SweepCore

/// How long what is left of a sweep takes, by what runs took before.
package struct TimeEstimate {
    private let forecast: Forecast
    /// How many runs go on at a time on all hosts; nil: nobody knows.
    package private(set) var room: Int?
    /// Wall time of all that something is known of; nil: nobody knows.
    package private(set) var span: TimeLeft?
    /// The same on one slot.
    private let spanOnOneSlot: TimeLeft?
    /// The sweep whose runs tell: this one's earlier launch, or the newest of others; nil: none does.
    package let basis: String?

    /// Runs that a launch would begin, setups among them.
    package var runCount: Int { forecast.runCount }
    /// How many of them nothing is known of.
    package var unknownCount: Int { forecast.unknownCount }
    /// Time on one host for one run after the other, of those that something is known of.
    package var work: Nanoseconds { forecast.work }

    init(_ specification: Specification, _ inventory: Inventory?, _ earlier: EarlierLaunch?, in folder: ArtifactsFolder)
        throws
    {
        let setups = specification.newSetups
        let count = specification.points.count * specification.sweep.measure.repeats + setups.count
        let hosts = inventory ?? Inventory(hosts: [])
        var plan = specification.plan(
            RunList(1..<count + 1), setups: setups, highestRun: count, hosts: hosts.hosts)
        let past = PastRuns(in: folder, except: nil)
        plan.history = past.like(specification, setups, hosts, plan)
        let names = plan.history.map { past.name(ofOrigin: $0.origin) }
        let own = earlier?.entry.fullName
        basis = own.flatMap { names.contains($0) ? $0 : nil } ?? names.last
        let isDone = try TimeEstimate.done(specification, earlier, count)
        forecast = Forecast(plan) { !isDone[$0 - 1] }
        spanOnOneSlot = forecast.span(slots: [1])
        let slots = hosts.hosts.map { $0.slots ?? past.slots(of: $0.name) }
        guard !slots.isEmpty, slots.allSatisfy({ $0 != nil }) else { return }
        let rooms = zip(hosts.hosts, slots).map { host, slots in
            specification.sweep.needs.room(slots: slots ?? 0, resources: host.resources)
        }
        room = rooms.reduce(0, +)
        span = forecast.span(slots: rooms)
    }

    /// Whether a run has ended, by its place in the specification.
    private static func done(
        _ specification: Specification, _ earlier: EarlierLaunch?, _ count: Int
    ) throws -> [Bool] {
        var done = Array(repeating: false, count: count)
        guard let earlier else { return done }
        let ledger = try Ledger.read(earlier.entry.ledger, sweep: specification.sweep.name)
        try ledger.forEachRun(of: specification.keys) { place, run in
            if run.state != nil { done[place] = true }
        }
        // Which setups have ended is not looked at: they take about as long.
        let ended = try ledger.counts(ofSetups: true).filter { $0.state != nil }.reduce(0) { $0 + $1.count }
        let first = specification.points.count * specification.sweep.measure.repeats
        for place in first..<min(count, first + ended) { done[place] = true }
        return done
    }

    /// For people; nil: nothing is left to do.
    ///
    /// - Parameter launch: the command that would do it.
    package func line(_ launch: String) -> String? {
        guard runCount > 0 else { return nil }
        guard runCount > unknownCount, let basis else {
            let advice = runCount > 3 ? "; try a few points first: \(launch) --try 3" : ""
            return "unknown, because no such run has ended yet\(advice)"
        }
        let count = runCount - unknownCount
        let each = PeopleText.span(work / Int64(max(1, count)))
        let unknown = unknownCount == 0 ? "" : "; no prediction for \(PeopleText.count(unknownCount, "more run"))"
        let average = count == 1 ? "" : " on average"
        let why = "\(PeopleText.count(count, "run")) of \(each)\(average), as in \(basis)\(unknown)"
        if let span, let room {
            return "\(TimeEstimate.text(span)), \(PeopleText.count(room, "run")) at a time: \(why)"
        }
        return spanOnOneSlot.map { "\(TimeEstimate.text($0)) on one slot: \(why)" }
    }

    /// As in `about 2 h 10 m (1 h 50 m to 3 h 0 m)`.
    private static func text(_ span: TimeLeft) -> String {
        let (least, most) = (PeopleText.span(span.low), PeopleText.span(span.high))
        return "about \(PeopleText.span(span.expected))" + (least == most ? "" : " (\(least) to \(most))")
    }

    package var document: JSON {
        func seconds(_ span: Nanoseconds) -> JSON { .integer((span + 500_000_000) / 1_000_000_000) }
        return .object([
            JSON.Member("runs", .integer(Int64(runCount))), JSON.Member("unknown_runs", .integer(Int64(unknownCount))),
            JSON.Member("work_s", seconds(work)), JSON.Member("wall_s", span.map { seconds($0.expected) } ?? .null),
            JSON.Member("wall_low_s", span.map { seconds($0.low) } ?? .null),
            JSON.Member("wall_high_s", span.map { seconds($0.high) } ?? .null),
            JSON.Member("at_a_time", room.map { .integer(Int64($0)) } ?? .null),
            JSON.Member("basis", basis.map { .string($0) } ?? .null),
        ])
    }
}
