import Engines
import Ledger
package import Model

/// How long what is left of a sweep takes, by what runs took before.
package struct TimeEstimate {
    /// Runs that a launch would begin, setups among them.
    package private(set) var runCount = 0
    /// How many of them nothing is known of.
    package private(set) var unknownCount = 0
    /// Time on one host for one run after the other, of those that something is known of.
    package private(set) var work: Nanoseconds = 0
    /// How many runs go on at a time on all hosts; nil: nobody knows.
    package private(set) var room: Int?
    /// The sweep whose runs tell; nil: none does.
    package private(set) var basis: String?
    private var longest: Nanoseconds = 0

    /// Ledgers that are looked into, the newest first.
    private static let mostLedgers = 20

    init(_ specification: Specification, _ inventory: Inventory?, _ earlier: EarlierLaunch?, in folder: ArtifactsFolder)
        throws
    {
        let sweep = specification.sweep
        let others = ((try? folder.entries()) ?? []).filter { $0.fullName != earlier?.entry.fullName }
        let entries = (earlier.map { [$0.entry] } ?? []) + others.prefix(TimeEstimate.mostLedgers)
        let ledgers = entries.compactMap { entry in
            (try? Ledger.read(entry.ledger, sweep: entry.name)).map { (entry: entry, ledger: $0) }
        }
        let pending = try TimeEstimate.pending(specification, earlier).filter { $0.count > 0 }
        var means: [(mean: Nanoseconds, entry: ArtifactsFolder.Entry)?] = pending.map { _ in nil }
        // Each ledger is read once, and none when all is known.
        for (entry, ledger) in ledgers where means.contains(where: { $0 == nil }) {
            guard let before = try? Document.sweep(try ledger.metadata().specification),
                before.engine == sweep.engine, let walls = try? ledger.meanWalls()
            else { continue }
            for (index, (isSetup, workload, _)) in pending.enumerated()
            where means[index] == nil && (workload != nil || isSetup || entry.name == sweep.name) {
                means[index] = walls.first { $0.isSetup == isSetup && $0.workload == workload }.map { ($0.mean, entry) }
            }
        }
        for ((_, _, count), known) in zip(pending, means) {
            runCount += count
            guard let known else {
                unknownCount += count
                continue
            }
            basis = basis ?? known.entry.fullName
            longest = max(longest, known.mean)
            let (product, isOver) = known.mean.multipliedReportingOverflow(by: Int64(count))
            work = work.addingCapped(isOver ? .max : product)
        }
        room = inventory.flatMap { inventory in
            let slots = inventory.hosts.map { host in
                (host, host.slots ?? ledgers.lazy.compactMap { TimeEstimate.slots(host.name, $0.ledger) }.first)
            }
            guard !slots.isEmpty, slots.allSatisfy({ $0.1 != nil }) else { return nil }
            return slots.reduce(0) { $0 + sweep.needs.room(slots: $1.1 ?? 0, resources: $1.0.resources) }
        }
    }

    private static func slots(_ host: String, _ ledger: Ledger) -> Int? {
        (try? ledger.hosts())?.first { $0.host == host }?.slots
    }

    /// What has not ended, by kind and workload.
    private static func pending(
        _ specification: Specification, _ earlier: EarlierLaunch?
    ) throws -> [(isSetup: Bool, workload: String?, count: Int)] {
        let (sweep, points) = (specification.sweep, specification.points)
        let workloads: [String?] = sweep.workloads.isEmpty ? [nil] : sweep.workloads
        let all = points.count / workloads.count * sweep.measure.repeats
        var counts = [Int](repeating: all, count: workloads.count)
        var setups = specification.engine.boots.map { _ in String?.none } + specification.engine.setups
        if let earlier {
            let ledger = try Ledger.read(earlier.entry.ledger, sweep: sweep.name)
            try ledger.forEachRun(of: specification.keys) { place, run in
                if run.state != nil, all > 0 { counts[place / all] -= 1 }
            }
            // Which of them have ended is not looked at: they take about as long.
            let ended = try ledger.counts(ofSetups: true).filter { $0.state != nil }.reduce(0) { $0 + $1.count }
            setups.removeFirst(min(ended, setups.count))
        }
        let known = setups.map { (isSetup: true, workload: $0, count: 1) }
        return known + zip(workloads, counts).map { (isSetup: false, workload: $0, count: $1) }
    }

    /// Wall time of all of it; nil: nobody knows.
    package var span: Nanoseconds? {
        guard let room, room > 0, runCount > unknownCount else { return nil }
        return max(longest, work / Int64(room))
    }

    /// For people; nil: nothing is left to do.
    ///
    /// - Parameter launch: the command that would do it.
    package func line(_ launch: String) -> String? {
        guard runCount > 0 else { return nil }
        guard runCount > unknownCount, let basis else {
            return "unknown, as no such run has ended yet; try a few points first: \(launch) --dry-run 3"
        }
        let count = runCount - unknownCount
        let each = PeopleText.span(work / Int64(max(1, count)))
        let unknown = unknownCount == 0 ? "" : "; nothing is known of \(PeopleText.count(unknownCount, "more run"))"
        let why = "\(PeopleText.count(count, "run")) of \(each) each, as in \(basis)\(unknown)"
        guard let span, let room else { return "about \(PeopleText.span(work)) on one slot: \(why)" }
        return "about \(PeopleText.span(span)), \(PeopleText.count(room, "run")) at a time: \(why)"
    }

    package var document: JSON {
        func seconds(_ span: Nanoseconds) -> JSON { .integer((span + 500_000_000) / 1_000_000_000) }
        return .object([
            JSON.Member("runs", .integer(Int64(runCount))), JSON.Member("unknown_runs", .integer(Int64(unknownCount))),
            JSON.Member("work_s", seconds(work)), JSON.Member("wall_s", span.map(seconds) ?? .null),
            JSON.Member("at_a_time", room.map { .integer(Int64($0)) } ?? .null),
            JSON.Member("basis", basis.map { .string($0) } ?? .null),
        ])
    }
}
