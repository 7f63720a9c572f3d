public import Model

/// What is to be summed up of a sweep's runs.
public struct SummaryQuestion: Sendable, Hashable {
    public var metrics: [String]
    /// Axes and `workload`: runs that agree in these make up a group. nil: all of them, so that a group is a point.
    public var by: [String]?
    /// What the others are divided by: those with this value of an axis, or of `workload`.
    public var baseline: Assignment?
    /// Of the intervals: above 0 and below 1.
    public var confidence: Double
    /// Whether means get intervals; ratios always do. Drawing resamples is most of the work.
    public var hasIntervals = true

    public init(metrics: [String], by: [String]? = nil, baseline: Assignment? = nil, confidence: Double = 0.95) {
        self.metrics = metrics
        self.by = by
        self.baseline = baseline
        self.confidence = confidence
    }
}

/// How runs ended. What is missing is counted, never passed over.
public struct RunCounts: Sendable, Hashable {
    public var succeeded = 0
    public var failed = 0
    public var quarantined = 0
    public var cancelled = 0
    /// Not ended yet.
    public var unfinished = 0

    public init() {}

    public var missing: Int { failed + quarantined + cancelled + unfinished }
    public var all: Int { succeeded + missing }

    package mutating func add(_ state: RunState?) {
        switch state {
        case .succeeded: succeeded += 1
        case .failed: failed += 1
        case .quarantined: quarantined += 1
        case .cancelled: cancelled += 1
        case nil: unfinished += 1
        }
    }

    mutating func add(_ other: RunCounts) {
        succeeded += other.succeeded
        failed += other.failed
        quarantined += other.quarantined
        cancelled += other.cancelled
        unfinished += other.unfinished
    }
}

/// A metric of a group beside that of its baseline.
public struct RatioSummary: Sendable, Hashable {
    /// Of a single pair the ratio, of several their geometric mean; nil: no pair has one, or one is not above 0.
    public var ratio: Double?
    /// nil: there is nothing that varies.
    public var interval: Interval?
    /// One a pair, in the order of the points.
    public var ratios: [Double]
    /// Points without a ratio: they or their baseline have no value, or there is no such baseline.
    public var unpaired: Int
}

/// What is known of a metric in a group.
public struct MetricSummary: Sendable, Hashable {
    public var metric: String
    /// nil: there is no value.
    public var summary: Summary?
    /// What ``summary`` is of, in the order of the points, of the checkpoints, of the repeats or of the invocations.
    public var values: [Double]
    /// Of a group with several points: points that ended and have no value of this metric. Of a point: its checkpoints,
    /// its repeats, or its invocations.
    public var withoutValue: Int
    /// nil: no baseline was asked for.
    public var ratio: RatioSummary?
    /// The invocations of a point's runs that differ from the others of their run. nil: none, or it is no single point.
    public var drift: Drift?
}

/// Runs that agree in what they are grouped by.
public struct SummaryGroup: Sendable, Hashable {
    /// Values in the order of ``Summarizer/by``.
    public var key: [String]
    /// How many points it has.
    public var points: Int
    public var runs: RunCounts
    /// What makes the values differ: `invocation`, `repeat`, `checkpoint`, or the columns that points of the group
    /// differ in. Empty: there is a single value.
    public var varied: [String]
    /// Runs that gave the very same numbers count as one: how many there were of the same. 1: nothing was repeated.
    public var identicalRuns: Int
    public var metrics: [MetricSummary]
}
