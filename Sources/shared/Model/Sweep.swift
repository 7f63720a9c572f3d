/// A sweep specification after parsing and checking: what a user wrote, with the source text of every value.
public struct Sweep: Sendable, Hashable {
    public var name: String
    /// The name of the simulator behind it. Which there are, only the engines' own registry knows.
    public var engine: String
    /// What the engine's own keys say, as an object with a member for each that the file has; only the engine reads it.
    public var settings: JSON
    /// Names of workloads in the order of the file; empty where the engine does without.
    public var workloads: [String]
    /// Those of the workloads that are container images (the engine's guest has the others), and of workloads that the
    /// engine's own keys name.
    public var images: [WorkloadImage]
    /// The grid, in the order of the file.
    public var axes: [Axis]
    /// Groups of axes that go together; all axes of a group have the same number of values.
    public var zips: [[Axis]]
    /// Assignments that leave out every point which matches all of one.
    public var exclude: [[Assignment]]
    /// Points beside the grid; each names every axis.
    public var include: [[Assignment]]
    public var measure: Measure
    public var limits: SweepLimits
    public var inputs: [InputFile]
    /// Added to the environment of every run's program; values can have names in braces.
    public var environment: [EnvironmentVariable]
    /// Attempts allowed for a run, at least 1.
    public var attempts: Int
    /// Whether runs that would end last are begun a second time on hosts that have nothing else to do.
    public var hasSecondStarts = true
    /// Among sweeps of the same user on a host, the highest is served first; those of the same divide the slots.
    public var priority = 0
    /// Metrics that must be present and finite.
    public var metrics: [String]
    /// Metrics of the user's own, as expressions over counters.
    public var definitions: [MetricDefinition]
    /// Only hosts that have all of these get its runs; empty: all hosts.
    public var hostLabels: [String]
    /// What a run takes of its host, beside memory.
    public var needs: RunNeeds
    /// What of the files of its runs comes back; of its setups everything does.
    public var artifacts: ArtifactRule
    /// Checkpoints that are used although they do not fit. Their points are others than those of checkpoints that do.
    public var forced: [ForcedCheckpoint] = []
    /// How many runs in a row may fail alike, none succeeding, before the sweep is paused; nil: any number.
    public var stopAfter: Int?

    /// ``stopAfter`` where nobody said anything else: enough to be no accident, and not yet a lost night.
    public static let usualStopAfter = 10

    public init(name: String, engine: String, settings: JSON = .object([])) {
        self.name = name
        self.engine = engine
        self.settings = settings
        workloads = []
        images = []
        axes = []
        zips = []
        exclude = []
        include = []
        measure = Measure()
        limits = SweepLimits()
        inputs = []
        environment = []
        attempts = 3
        metrics = []
        definitions = []
        hostLabels = []
        needs = RunNeeds()
        artifacts = ArtifactRule()
        stopAfter = Sweep.usualStopAfter
    }

    /// All axes in column order: the grid's, then those of the zips.
    public var allAxes: [Axis] { axes + zips.flatMap { $0 } }

    /// Without which no result is accepted: the metrics that are asked for, then those that the sweep defines, then the
    /// one that says how long is measured.
    public var requiredMetrics: [String] {
        (definitions.map(\.name) + (measure.until.map { [$0.metric] } ?? [])).reduce(into: metrics) { names, name in
            if !names.contains(name) { names.append(name) }
        }
    }
}

/// A metric of the user's own.
public struct MetricDefinition: Sendable, Hashable {
    public var name: String
    public var expression: String

    public init(name: String, expression: String) {
        self.name = name
        self.expression = expression
    }
}

/// One parameter that the sweep varies.
public struct Axis: Sendable, Hashable {
    public var name: String
    /// Source texts, at least one; all different, but in a zip, where only the combinations have to be.
    public var values: [String]

    public init(name: String, values: [String]) {
        self.name = name
        self.values = values
    }
}

/// An axis and one value for it.
public struct Assignment: Sendable, Hashable {
    public var axis: String
    public var value: String

    public init(axis: String, value: String) {
        self.axis = axis
        self.value = value
    }
}

/// What is measured of each point.
public struct Measure: Sendable, Hashable {
    /// Invocations after the restore that are not measured.
    public var warm: Int
    /// Invocations measured, one statistics block each; the most, where ``until`` may end a run before.
    public var invocations: Int
    /// What ends a run before all invocations were measured; nil: nothing.
    public var until: Precision?
    /// Runs of each point.
    public var repeats: Int
    /// Invocations of the setup phase, before the checkpoint; nil: ``usualSetup``.
    public var setupInvocations: Int?
    /// Of a sweep with several checkpoints as samples of the guest's history: after how many invocations of the guest
    /// each is taken, ascending. Every point is evaluated from each. Empty: there is one, after those of the setup.
    public var checkpoints: [Int] = []

    public init(
        warm: Int = 0, invocations: Int = 1, repeats: Int = 1, setupInvocations: Int? = nil, until: Precision? = nil
    ) {
        self.warm = warm
        self.invocations = invocations
        self.repeats = repeats
        self.setupInvocations = setupInvocations
        self.until = until
    }

    /// Where nobody said anything else, and the engine makes checkpoints.
    public static let usualSetup = 20
    /// Each is a setup of every workload, and all points once more.
    public static let mostCheckpoints = 64

    /// After how many invocations the checkpoint is taken that a sweep with a single one has.
    public var usualAge: Int { setupInvocations ?? Measure.usualSetup }
    /// After how many invocations of the guest checkpoints are taken, at least one.
    public var ages: [Int] { checkpoints.isEmpty ? [usualAge] : checkpoints }
}

/// How well a metric is to be known.
public struct Precision: Sendable, Hashable {
    public var metric: String
    /// How far its interval may reach to either side of its value, in millionths of that.
    public var interval: Int64
    /// Of the interval, in millionths.
    public var confidence: Int64

    public init(metric: String, interval: Int64, confidence: Int64 = Precision.usualConfidence) {
        self.metric = metric
        self.interval = interval
        self.confidence = confidence
    }

    public static let usualConfidence: Int64 = 950_000
}

/// Limits of a sweep and of each of its runs.
public struct SweepLimits: Sendable, Hashable {
    public var job: JobLimits
    /// Wall time of the whole sweep; nil: none.
    public var sweep: Nanoseconds?

    public init(job: JobLimits = JobLimits(), sweep: Nanoseconds? = nil) {
        self.job = job
        self.sweep = sweep
    }
}

/// A file that runs need, read and digested when the sweep is planned.
public struct InputFile: Sendable, Hashable {
    /// Where it stands in an attempt's folder.
    public var path: String
    /// Where it is on this machine, absolute.
    public var source: String
    public var digest: Digest
    public var size: Int64
    public var isExecutable: Bool
    /// The values of axes, and of `workload`, whose points need it; empty: all do.
    public var only: [Assignment]

    public init(
        path: String, source: String, digest: Digest, size: Int64, isExecutable: Bool, only: [Assignment] = []
    ) {
        self.only = only
        self.path = path
        self.source = source
        self.digest = digest
        self.size = size
        self.isExecutable = isExecutable
    }
}
