public import Model

/// A prediction for `plan`: how long runs will take that have not begun, from the times of earlier sweeps.
public struct Forecast: Sendable {
    /// How many runs are left.
    public private(set) var runCount = 0
    /// Of how many of them nothing is known, as no run of their workload has ended.
    public private(set) var unknownCount = 0
    /// Of the others, one after the other on a host as fast as most.
    public var work: Nanoseconds { Nanoseconds(min(seconds, 1e9) * 1e9) }

    private let times: RunTimes
    private var seconds = 0.0
    private var longest = 0.0

    /// - Parameters:
    ///   - plan: with what is known of earlier runs.
    ///   - isLeft: whether a run is to be done.
    public init(_ plan: Plan, isLeft: (RunNumber) -> Bool) {
        var times = RunTimes(plan: plan)
        _ = times.refit()
        let known = Set(plan.history.map(\.group))
        for (index, group) in plan.groups.enumerated() {
            for run in group.runs where isLeft(run) {
                runCount += 1
                guard known.contains(index), let octaves = times.octaves(run, group: index) else {
                    unknownCount += 1
                    continue
                }
                let span = Octaves.ratio(octaves) / 1e9
                seconds += span
                longest = max(longest, span)
            }
        }
        self.times = times
    }

    /// How long all of it takes, as far as anything is known; nil: nothing is.
    ///
    /// - Parameter slots: how many runs each host of the plan does at a time.
    public func span(slots: [Int]) -> TimeLeft? {
        guard let fit = times.fit, runCount > unknownCount else { return nil }
        var (capacity, fastest) = (0.0, Double.infinity)
        for (host, count) in slots.enumerated() where count > 0 {
            let slowness = times.slowness(of: host)
            capacity += Double(count) * Octaves.ratio(-slowness)
            fastest = min(fastest, slowness)
        }
        guard capacity > 0 else { return nil }
        let (work, last) = (seconds / capacity, longest * Octaves.ratio(fastest))
        return TimeLeft(seconds: max(work, last), work: work, last: last, count: runCount - unknownCount, fit)
    }
}

extension TimeLeft {
    /// What single runs miss by evens out over many; what hosts and workloads miss by does not. That of a value of
    /// which nothing has ended may take most of it.
    ///
    /// - Parameters:
    ///   - work: what all slots together take, in seconds.
    ///   - last: what the longest run takes, in seconds.
    ///   - count: of runs.
    init(seconds: Double, work: Double, last: Double, count: Int, _ fit: RunTimeFit) {
        let evened = 1 / Double(max(1, count)).squareRoot() + 0.1
        let unseen = fit.doubtAboutUnseen
        func span(_ octaves: Double, _ doubt: Double) -> Nanoseconds {
            let all = max(work * Octaves.ratio(octaves * evened + doubt), last * Octaves.ratio(octaves + doubt))
            return Nanoseconds(min(all, 1e9) * 1e9)
        }
        self.init(
            expected: Nanoseconds(min(seconds, 1e9) * 1e9), low: span(fit.low, -unseen), high: span(fit.high, unseen))
    }
}
