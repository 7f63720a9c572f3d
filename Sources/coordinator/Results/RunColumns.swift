public import Model

/// A column of `runs`: the one place where it is said what is in it. The manual's table is compared with these.
public struct RunColumn: Sendable {
    public let name: String
    public let meaning: String
    let cell: @Sendable (ProvenanceRow) -> Cell

    private init(_ name: String, _ meaning: String, _ cell: @escaping @Sendable (ProvenanceRow) -> Cell) {
        self.name = name
        self.meaning = meaning
        self.cell = cell
    }

    /// In the order of the table. The axes follow the workload.
    public static let all = beforeAxes + afterAxes

    static let beforeAxes = [
        RunColumn("run", "the run's number within the sweep") { .integer($0.run) },
        RunColumn("point", "the point's digest") { $0.point.map { .digest($0) } ?? .empty },
        RunColumn("workload", "the workload; then a column for each axis, and `checkpoint`") { .optional($0.workload) },
    ]

    static let afterAxes = [
        RunColumn("repeat", "number of the repeat of the point, from 1") { .integer($0.repetition) },
        RunColumn("outcome", "`succeeded`, `failed`, `quarantined` or `cancelled`") { .optional($0.state?.rawValue) },
        RunColumn("class", "why it did not succeed: the failure class") { .optional($0.failure?.rawValue) },
        RunColumn("host", "host of the attempt that counts") { .optional($0.host) },
        RunColumn("attempts", "number of attempts that ended") { .integer($0.attempts) },
        RunColumn("lease", "number of the lease that it ran under") { $0.lease.map { .integer($0) } ?? .empty },
        RunColumn("engine_digest", "SHA-256 of the engine's program") { $0.engine.map { .digest($0) } ?? .empty },
        RunColumn("checkpoint_digest", "digest of the checkpoint") { $0.checkpoint.map { .digest($0) } ?? .empty },
        RunColumn("forced", "what does not fit in a checkpoint that was used with `launch --force`") {
            .optional($0.forced)
        },
        RunColumn("started", "when the attempt started, UTC") { .optional($0.started.map(Instant.utc)) },
        RunColumn("wall_s", "how long the attempt took, in seconds") {
            $0.wall.map { .number(Instant.seconds($0)) } ?? .empty
        },
        RunColumn("peak_memory_bytes", "peak memory of the attempt, in bytes") {
            $0.peakMemoryBytes.map { .integer($0) } ?? .empty
        },
        RunColumn("evidence", "the reason for the class, in a sentence") {
            .optional($0.evidence.isEmpty ? nil : $0.evidence)
        },
    ]
}

/// How a run went: provenance, one row of `runs.csv`.
public struct ProvenanceRow: Sendable, Hashable {
    public var run: RunNumber
    /// nil: a setup run.
    public var point: Digest?
    public var workload: String?
    public var repetition: Int
    public var state: RunState?
    public var failure: FailureClass?
    public var host: String?
    public var attempts: Int
    public var lease: LeaseNumber?
    public var engine: Digest?
    public var checkpoint: Digest?
    public var forced: String?
    /// Wall clock, nanoseconds since 1970.
    public var started: Nanoseconds?
    public var wall: Nanoseconds?
    public var peakMemoryBytes: Int64?
    public var evidence: String

    public init(
        run: RunNumber, point: Digest?, workload: String?, repetition: Int, state: RunState?,
        failure: FailureClass? = nil, host: String? = nil, attempts: Int = 0, lease: LeaseNumber? = nil,
        engine: Digest? = nil, checkpoint: Digest? = nil, forced: String? = nil, started: Nanoseconds? = nil,
        wall: Nanoseconds? = nil, peakMemoryBytes: Int64? = nil, evidence: String = ""
    ) {
        self.run = run
        self.point = point
        self.workload = workload
        self.repetition = repetition
        self.state = state
        self.failure = failure
        self.host = host
        self.attempts = attempts
        self.lease = lease
        self.engine = engine
        self.checkpoint = checkpoint
        self.forced = forced
        self.started = started
        self.wall = wall
        self.peakMemoryBytes = peakMemoryBytes
        self.evidence = evidence
    }

    /// - Parameter values: of the axes.
    public func cells(_ values: [String]) -> [Cell] {
        RunColumn.beforeAxes.map { $0.cell(self) } + values.map { .text($0) }
            + RunColumn.afterAxes.map { $0.cell(self) }
    }
}
