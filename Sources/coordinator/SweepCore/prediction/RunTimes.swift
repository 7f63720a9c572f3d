public import Model

/// The times of runs that succeeded, and the predictions for other runs that follow from them.
package struct RunTimes: Sendable {
    /// A run that succeeded, with its time.
    struct Sample: Sendable {
        var octaves: Double
        /// 0: of this sweep.
        var origin: Int32 = 0
        var host: Int32
        var group: Int32
        /// -1: of another sweep, or none.
        var point: Int32 = -1
        /// Of other sweeps' runs; those of this one follow from the point.
        var levels: [Int] = []
    }

    private let traits: RunTraits?
    private let groupCount: Int
    private let hostCount: Int
    private var history: [Sample]
    /// The first of each group and of each value of an axis: what the others forget.
    private var firsts: [Sample] = []
    private var isSeen: [[Bool]]
    /// The last ones, in a ring.
    private var recent: [Sample] = []
    /// Runs that have not ended and took longer than was predicted, with how long they are expected to take by now.
    /// What ends first is short: without these, a workload whose runs all take long would be taken for a short one.
    private var overdue: [(run: RunNumber, sample: Sample)] = []
    /// Per host, how many runs have succeeded there, of earlier sweeps as well.
    private var endedOnHost: [Int]
    /// How many there were of this sweep.
    package private(set) var count = 0
    /// How many runs tell something.
    var evidence: Int { count + overdue.count }
    /// At which ``evidence`` it is worth to look again.
    private var nextFit = 1
    package private(set) var fit: RunTimeFit?

    private static let mostRecent = 1_024
    private static let mostHistory = 512
    /// With many values it is no news any more that there is another one.
    private static let mostEagerFits = 256

    init(plan: Plan) {
        traits = plan.traits
        groupCount = plan.groups.count
        hostCount = plan.hosts.count
        history = plan.history.suffix(RunTimes.mostHistory).map { past in
            Sample(
                octaves: Octaves.of(past.wall), origin: Int32(past.origin), host: Int32(past.host),
                group: Int32(past.group), levels: past.levels)
        }
        endedOnHost = plan.hosts.map { _ in 0 }
        for past in plan.history where endedOnHost.indices ~= past.host { endedOnHost[past.host] += 1 }
        isSeen = (plan.traits?.levelCounts ?? []).map { Array(repeating: false, count: $0) }
        isSeen.append(Array(repeating: false, count: plan.groups.count))
        if !history.isEmpty { nextFit = 0 }
    }

    /// - Parameters:
    ///   - group: of the plan; less than 0: the specification no longer has the run.
    ///   - host: -1: it is not in the inventory.
    mutating func note(_ run: RunNumber, group: Int, host: Int, wall: Nanoseconds) {
        guard group >= 0 else { return }
        let sample = sample(run, group: group, host: host, wall: wall)
        if endedOnHost.indices ~= host { endedOnHost[host] += 1 }
        if !overdue.isEmpty { overdue.removeAll { $0.run == run } }
        if isFirst(sample) {
            firsts.append(sample)
            // What shows something new may change everything.
            if firsts.count <= RunTimes.mostEagerFits { nextFit = min(nextFit, count + 1) }
        } else if recent.count < RunTimes.mostRecent {
            recent.append(sample)
        } else {
            recent[count % RunTimes.mostRecent] = sample
        }
        count += 1
    }

    private func sample(_ run: RunNumber, group: Int, host: Int, wall: Nanoseconds) -> Sample {
        let point = traits?.point(of: run) ?? -1
        return Sample(octaves: Octaves.of(wall), host: Int32(host), group: Int32(group), point: Int32(point))
    }

    /// - Parameter attempts: all that are overdue now. They tell something until this is called again, or they end.
    mutating func note(overdue attempts: some Sequence<(attempt: AttemptUnderWay, group: Int)>) {
        overdue = attempts.filter { $0.group >= 0 }.map { attempt, group in
            let run = attempt.place.run
            return (run, sample(run, group: group, host: attempt.host, wall: attempt.span))
        }
    }

    private mutating func isFirst(_ sample: Sample) -> Bool {
        var isFirst = false
        for (factor, level) in (levels(of: sample) + [Int(sample.group)]).enumerated() where level >= 0 {
            if !isSeen[factor][level] { (isSeen[factor][level], isFirst) = (true, true) }
        }
        return isFirst
    }

    private func levels(of sample: Sample) -> [Int] {
        guard let traits else { return [] }
        if sample.point < 0 {
            return sample.levels.isEmpty ? traits.levelCounts.map { _ in -1 } : sample.levels
        }
        return traits.levelCounts.indices.map { traits.level(ofPoint: Int(sample.point), axis: $0) }
    }

    /// Works out anew what follows from what ended or is overdue, where enough came since: an eighth more, or hundreds.
    ///
    /// - Returns: whether it did.
    mutating func refit() -> Bool {
        guard evidence >= nextFit else { return false }
        nextFit = evidence + max(1, min(evidence / 8, RunTimes.mostRecent / 2))
        // By then this sweep knows better.
        if recent.count == RunTimes.mostRecent { history = [] }
        let samples = history + firsts + recent + overdue.map(\.sample)
        guard !samples.isEmpty else { return false }
        let origins = Int(history.reduce(0) { max($0, $1.origin) }) + 1
        fit = RunTimeFit(
            samples.map(\.octaves), groups: groupCount, hosts: hostCount, axes: traits?.levelCounts ?? [],
            origins: origins, hasRepeats: traits?.hasRepeats ?? false,
            rows: samples.map { sample in
                RunTimeFit.Row(
                    origin: Int(sample.origin), host: Int(sample.host), group: Int(sample.group),
                    point: Int(sample.point), levels: levels(of: sample))
            })
        return true
    }

    // MARK: What is predicted

    /// The binary logarithm of the nanoseconds that a run takes on a host as fast as most; nil: nothing is known.
    func octaves(_ run: RunNumber, group: Int) -> Double? {
        guard let fit else { return nil }
        return octaves(fit, point(of: run), group: group)
    }

    private func octaves(_ fit: RunTimeFit, _ point: Int?, group: Int) -> Double {
        fit.base + fit.offset(ofGroup: group, point: point) { point, axis in
            traits?.level(ofPoint: point, axis: axis) ?? -1
        }
    }

    func point(of run: RunNumber) -> Int? { traits?.point(of: run) }

    /// How many runs have shown how fast a host is.
    func endedCount(on host: Int) -> Int { endedOnHost[host] }

    /// How much longer than most a host takes, in octaves.
    func slowness(of host: Int) -> Double { fit?.slowness(of: host) ?? 0 }

    /// - Parameter host: -1: one as fast as most.
    func prediction(_ run: RunNumber, group: Int, host: Int) -> RunPrediction? {
        length(run, group: group)?.prediction(slowness: slowness(of: host))
    }

    /// How long a run takes, whatever the host; nil: nothing is known.
    func length(_ run: RunNumber, group: Int) -> RunLength? {
        guard let fit else { return nil }
        let point = point(of: run)
        let octaves = octaves(fit, point, group: group)
        let doubt = doubt(fit, point, group: group)
        return RunLength(expected: octaves, low: octaves + fit.low - doubt, high: octaves + fit.high + doubt)
    }

    private func doubt(_ fit: RunTimeFit, _ point: Int?, group: Int) -> Double {
        fit.doubt(ofGroup: group) { axis in point.flatMap { traits?.level(ofPoint: $0, axis: axis) } ?? -1 }
    }

    /// Whether other hosts have shown how long such runs take: three at least that have the workload, and three for
    /// each value that makes a difference. Looks at all that is kept.
    func isKnown(_ run: RunNumber, group: Int, elsewhereThan host: Int) -> Bool {
        guard let fit else { return false }
        let others = (history + firsts + recent).filter { $0.host != host }
        guard others.count(where: { $0.group == group }) >= 3 else { return false }
        guard let traits, let point = point(of: run) else { return true }
        return traits.levelCounts.indices.allSatisfy { axis in
            let level = traits.level(ofPoint: point, axis: axis)
            return fit.isFlat(axis: axis) || others.count { levels(of: $0)[axis] == level } >= 3
        }
    }

    /// Of the axes' values that a run has, those of which no run has ended yet: places in ``levelCount``.
    func unseenLevels(ofPoint point: Int) -> [Int] {
        guard let traits else { return [] }
        var found: [Int] = []
        var start = 0
        for (axis, count) in traits.levelCounts.enumerated() {
            let level = traits.level(ofPoint: point, axis: axis)
            if !isSeen[axis][level] { found.append(start + level) }
            start += count
        }
        return found
    }

    /// Whether a run of a group has ended.
    func hasEnded(group: Int) -> Bool { isSeen.last?[group] ?? false }

    /// How many values the axes have together.
    var levelCount: Int { traits?.levelCounts.reduce(0, +) ?? 0 }
    /// Whether there are values of which no run has ended yet.
    var hasUnseenLevels: Bool { isSeen.dropLast().contains { $0.contains(false) } }
}

/// The predicted time of a run on a host of usual speed, in octaves: hosts differ by a factor.
struct RunLength: Sendable {
    var expected: Double
    /// Four of five runs take no less than the one and no more than the other.
    var low: Double
    var high: Double

    func prediction(slowness: Double) -> RunPrediction {
        RunPrediction(
            expected: Octaves.span(expected + slowness), low: Octaves.span(low + slowness),
            high: Octaves.span(high + slowness))
    }
}

/// The predicted time of a run on a certain host, with an interval.
public struct RunPrediction: Sendable, Hashable {
    public var expected: Nanoseconds
    /// Four of five runs take no less than the one and no more than the other.
    public var low: Nanoseconds
    public var high: Nanoseconds
}
