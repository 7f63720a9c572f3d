import Model
import SweepCore

/// Lengths of runs, and the parameters that they have.
public struct ScheduleTrace: Sendable {
    public var name: String
    let points: Points
    /// Seconds on a host of speed 1, a run each, in the order of the points.
    public let lengths: [Double]
    /// Per run, what of its length follows from its values, by which runs are put into order; nil: unknown.
    var foreseeable: [Double]?

    /// - Parameter length: of a point, by the places of its values.
    init(_ name: String, axes: [Axis], length: (_ values: [Int]) -> Double) throws {
        var sweep = Sweep(name: "trace", engine: "command")
        sweep.axes = axes
        let points = try Points(sweep, recipe: "")
        self.name = name
        self.points = points
        lengths = ScheduleTrace.levels(points).map(length)
    }

    /// Per run, the places of its values.
    var levels: [[Int]] { ScheduleTrace.levels(points) }

    private static func levels(_ points: Points) -> [[Int]] {
        (0..<points.count).map { point in points.axes.indices.map { points.level(point, axis: $0) } }
    }

    /// The same runs as a file of other axes and orders of their values would have them, and so many times as long.
    /// Which run comes when decides much where runs are few, and is nobody's merit.
    public func rearranged(seed: UInt64, times factor: Double) throws -> ScheduleTrace {
        var chance = Chance(seed: seed, stream: 79)
        let order = chance.shuffled(points.axes.indices)
        let values = order.map { chance.shuffled(points.values(ofAxis: $0).indices) }
        let axes = zip(order, values).map { axis, places in
            Axis(name: points.axes[axis], values: places.map { points.values(ofAxis: axis)[$0] })
        }
        let known = Dictionary(zip(levels, lengths), uniquingKeysWith: { first, _ in first })
        return try ScheduleTrace(name, axes: axes) { levels in
            var places = levels
            for (place, axis) in order.enumerated() { places[axis] = values[place][levels[place]] }
            return factor * (known[places] ?? 0)
        }
    }

    /// A recorded sweep as CSV: a column for each axis, and `wall_s`, the last. Each combination of values stands there
    /// once.
    ///
    /// - Throws: ``Failure`` (`badArchive`) for anything else.
    public init(_ name: String, csv: String) throws {
        let rows = csv.split(whereSeparator: \.isNewline).map { $0.split(separator: ",").map(String.init) }
        guard let titles = rows.first, titles.count > 1, titles.last == "wall_s",
            rows.allSatisfy({ $0.count == titles.count })
        else { throw Failure(.badArchive, "\(name): the trace is not a table of axes and, as the last column, wall_s") }
        var walls: [[Int]: Double] = [:]
        var axes = titles.dropLast().map { Axis(name: $0, values: []) }
        for row in rows.dropFirst() {
            let place = axes.indices.map { axis -> Int in
                if let known = axes[axis].values.firstIndex(of: row[axis]) { return known }
                axes[axis].values.append(row[axis])
                return axes[axis].values.count - 1
            }
            walls[place] = Double(row[titles.count - 1])
        }
        guard walls.count == rows.count - 1, walls.count == axes.reduce(1, { $0 * $1.values.count }) else {
            throw Failure(.badArchive, "\(name): the trace must have each combination of values once, with a number")
        }
        try self.init(name, axes: axes) { walls[$0] ?? 0 }
    }
}

/// A host of a schedule.
public struct ScheduleHost: Sendable {
    public enum Sickness: Sendable {
        /// All that it is given fails within a second.
        case fails
        /// From the third run on, all takes so many times as long.
        case slows(Double)
    }

    public var speed: Double
    public var slots: Int
    public var sickness: Sickness?

    public init(speed: Double, slots: Int, sickness: Sickness? = nil) {
        (self.speed, self.slots, self.sickness) = (speed, slots, sickness)
    }

    /// 20 hosts of three speeds.
    public static func threeSpeeds(slots: Int) -> [ScheduleHost] {
        (0..<20).map { ScheduleHost(speed: [1, 0.7, 0.5][$0 % 3], slots: slots) }
    }
}

/// A sweep of known lengths, scheduled by the coordinator's core on hosts that are told of by events alone: no network,
/// no agent, no fault.
public struct ScheduleTrial {
    public struct Measurements {
        /// When the last run ended, in seconds.
        public var end = 0.0
        /// By how much predictions missed that were made when runs began, in octaves, without sign, sorted.
        public var misses: [Double] = []
        /// Of these, the part that lay in its interval.
        public var covered = 0.0
        public var secondStarts = 0
        public var notSucceeded = 0
    }

    private struct Attempt {
        var id: AttemptID
        /// The last that the host may begin by itself.
        var last: AttemptNumber
        var host: Int
        var end: Nanoseconds
        var start: Nanoseconds
        var failure: FailureClass?
    }

    private let trace: ScheduleTrace
    private let hosts: [ScheduleHost]
    private var core: Coordinator
    private var now: Nanoseconds = 0
    private var queues: [[(id: AttemptID, last: AttemptNumber)]]
    private var counts: [Int]
    private var running: [Attempt] = []
    private var predictions: [AttemptID: RunPrediction] = [:]
    private var news: [Event] = []
    private var measured = Measurements()
    private var inside = 0
    /// How often the coordinator looks at the clock, beside when something ends.
    private let interval: Nanoseconds

    /// - Parameter hasHistory: whether an earlier sweep had every second of the runs, as an edited sweep has it.
    public init(_ trace: ScheduleTrace, on hosts: [ScheduleHost], hasHistory: Bool = false) {
        self.trace = trace
        self.hosts = hosts
        let runs = RunList(1..<trace.lengths.count + 1)
        var plan = Plan(groups: [Plan.Group(runs: runs)], hosts: hosts.indices.map { "h\($0)" })
        plan.traits = RunTraits(points: trace.points, repeats: 1, runs: runs)
        plan.hasSecondStarts = true
        if hasHistory { plan.history = ScheduleTrial.history(trace, on: hosts) }
        // Hosts are there all the time.
        plan.timing.leaseTerm = .max / 4
        plan.timing.longestTurn = .max / 4
        interval = Nanoseconds(ScheduleBaseline.lowerBound(trace.lengths, on: hosts) * 1e9 / 1_000)
        core = Coordinator(state: SweepState(plan: plan), now: 0)
        queues = hosts.map { _ in [] }
        counts = hosts.map { _ in 0 }
    }

    /// One host after the other had a run.
    private static func history(_ trace: ScheduleTrace, on hosts: [ScheduleHost]) -> [PastRun] {
        let levels = trace.levels
        return stride(from: 0, to: trace.lengths.count, by: 2).map { run in
            let host = run / 2 % hosts.count
            let wall = Nanoseconds(trace.lengths[run] / hosts[host].speed * 1e9)
            return PastRun(group: 0, levels: levels[run], host: host, origin: 1, wall: wall)
        }
    }

    public mutating func run() -> Measurements {
        for (index, host) in hosts.enumerated() {
            let arrival = Arrival(
                bootID: "b\(index)", hostName: "h\(index)", workdir: "/w", slots: host.slots, memoryBytes: 1 << 40)
            news += [.joined(host: index, arrival), .caughtUp(host: index)]
        }
        while !core.state.isFinished {
            step()
            let next = running.map(\.end).min() ?? .max
            now = min(next, now + interval)
            endAttempts()
        }
        measured.end = Double(now) / 1e9
        measured.misses.sort()
        measured.covered = Double(inside) / Double(max(1, measured.misses.count))
        measured.notSucceeded = core.state.notSucceededCount
        return measured
    }

    private mutating func step() {
        for event in news { note(core.handle(event, now: now)) }
        news = []
        note(core.tick(now: now))
        for effect in core.effects(now: now) { perform(effect) }
        for host in hosts.indices { begin(host) }
    }

    private mutating func note(_ records: [Record]) {
        for case .secondStart in records { measured.secondStarts += 1 }
    }

    // MARK: Hosts

    private mutating func perform(_ effect: Effect) {
        switch effect {
        case .grant(let host, let lease, let grants):
            for grant in grants {
                let id = AttemptID(run: grant.run, lease: lease, attempt: grant.firstAttempt)
                queues[host].append((id, grant.firstAttempt + grant.attempts - 1))
            }
        case .revoke(let host, let leases): drop(host) { leases.contains($0.lease) }
        case .cancel(let host, let runs): drop(host) { runs.contains($0.run) }
        case .connect, .disconnect, .acknowledge, .release, .finish: break
        }
    }

    private mutating func drop(_ host: Int, _ isMeant: (AttemptID) -> Bool) {
        queues[host].removeAll { isMeant($0.id) }
        running.removeAll { $0.host == host && isMeant($0.id) }
    }

    private mutating func begin(_ host: Int) {
        while !queues[host].isEmpty, running.count(where: { $0.host == host }) < hosts[host].slots {
            let (id, last) = queues[host].removeFirst()
            counts[host] += 1
            var length = trace.lengths[id.run - 1] / hosts[host].speed
            var failure: FailureClass?
            switch hosts[host].sickness {
            case .fails: (length, failure) = (1, .exitNonzero)
            case .slows(let times) where counts[host] > 2: length *= times
            case .slows, nil: break
            }
            predictions[id] = core.state.prediction(id.run, host: host)
            let end = now + max(1, Nanoseconds(length * 1e9))
            running.append(Attempt(id: id, last: last, host: host, end: end, start: now, failure: failure))
            news.append(.started(host: host, [id]))
        }
    }

    private mutating func endAttempts() {
        for attempt in running where attempt.end <= now {
            let wall = attempt.end - attempt.start
            let report = AttemptReport(id: attempt.id, failure: attempt.failure, wallNanoseconds: wall)
            if attempt.failure == nil {
                compare(attempt.id, wall)
            } else if attempt.id.attempt < attempt.last {
                var next = attempt.id
                next.attempt += 1
                queues[attempt.host].insert((next, attempt.last), at: 0)
            }
            news.append(
                .ended(
                    host: attempt.host,
                    Judged(report: report, failure: attempt.failure, evidence: "", blocks: ResultText("[]"))))
        }
        running.removeAll { $0.end <= now }
        step()
    }

    private mutating func compare(_ id: AttemptID, _ wall: Nanoseconds) {
        guard let prediction = predictions.removeValue(forKey: id) else { return }
        measured.misses.append(abs(Libm.log(Double(wall) / Double(prediction.expected)) / Libm.log(2)))
        if prediction.low...prediction.high ~= wall { inside += 1 }
    }
}
