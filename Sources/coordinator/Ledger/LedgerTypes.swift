public import Model

/// Whose ledger it is.
public struct LedgerMetadata: Sendable, Hashable {
    /// The sweep's name in the specification.
    public var sweep: String
    /// The sweep's own identifier: leases and runs are numbered within it.
    public var identifier: String
    /// The specification as it was when the runs were planned; it expands to the points.
    public var specification: String
    /// Wall clock, nanoseconds since 1970.
    public var created: Nanoseconds
    /// The version of the program that made the ledger.
    public var toolVersion: String
    /// Whatever else the coordinator wants to find again, by name; names must differ.
    public var notes: [EnvironmentVariable]

    public init(
        sweep: String, identifier: String, specification: String, created: Nanoseconds, toolVersion: String,
        notes: [EnvironmentVariable] = []
    ) {
        self.sweep = sweep
        self.identifier = identifier
        self.specification = specification
        self.created = created
        self.toolVersion = toolVersion
        self.notes = notes
    }
}

/// A run as it is planned.
public struct PlannedRun: Sendable, Hashable {
    public var run: RunNumber
    public var key: RunKey
    /// Where it stands among the runs of the specification as it is now, from 0: evaluations in the order of the
    /// specification, the repeats of a point together, then setups. nil: it is not in it any more.
    public var place: Int?

    public init(run: RunNumber, key: RunKey, place: Int?) {
        self.run = run
        self.key = key
        self.place = place
    }
}

/// What another specification would make of a sweep's evaluations, or has made.
public struct SpecificationChange: Sendable, Hashable {
    /// In both.
    public var kept = 0
    /// In no specification before.
    public var new = 0
    /// Not in the one before, but in an earlier one.
    public var back = 0
    /// In the one before only.
    public var gone = 0
    /// Of those kept and those that came back, how many have succeeded.
    public var succeeded = 0
    /// Setups that no specification before had.
    public var newSetups = 0
    /// Whether the runs are other ones, or stand in another order.
    public var isOther = false

    public init() {}
}

/// A run as it stands, with what its deciding attempt gave.
public struct RunStatus: Sendable, Hashable {
    public var plan: PlannedRun
    /// nil: it has not ended.
    public var state: RunState?
    public var failure: FailureClass?
    /// How many attempts ended.
    public var attempts: Int
    /// The lease that has it and that lease's host; after an attempt decided, those of the attempt. nil: none.
    public var lease: LeaseNumber?
    public var host: String?
    /// The attempt that decided, or for a run that has not ended the last one that did; nil: none.
    public var decision: AttemptStatus?
}

/// An attempt that ended well, of a run that the specification has.
public struct PastAttempt: Sendable, Hashable {
    /// The run's place in the specification, from 0.
    public var place: Int
    public var isSetup: Bool
    public var workload: String?
    public var host: String
    public var wall: Nanoseconds
}

/// An attempt that ended, after the judgement.
public struct AttemptStatus: Sendable, Hashable {
    public var id: AttemptID
    public var host: String
    /// nil: it succeeded.
    public var failure: FailureClass?
    public var evidence: String
    public var wall: Nanoseconds
    public var peakMemoryBytes: Int64
    /// Wall clock, nanoseconds since 1970, by the coordinator.
    public var endedAt: Nanoseconds
    /// The metrics that the run contract accepted.
    public var blocks: ResultText?
}

/// An outcome that came under a void lease.
public struct FencedAttempt: Sendable, Hashable {
    public var id: AttemptID
    public var host: String
    public var failure: FailureClass?
    public var agrees: Bool?
}

/// An attempt at a run that had succeeded already, on another host.
public struct AuditAttempt: Sendable, Hashable {
    public var attempt: AttemptStatus
    /// nil: it gave nothing to compare.
    public var comparison: AuditComparison?
}

/// A host as the ledger knows it.
public struct HostStatus: Sendable, Hashable {
    public var host: String
    /// The rest is nil as long as its agent has not said hello.
    public var bootID: String?
    public var hostName: String?
    public var slots: Int?
    public var memoryBytes: Int64?
    public var clockOffset: Nanoseconds?
    /// Why it was last given no more work; nil: that never happened.
    public var pauseReason: String?
    /// Whether that was not for a while: it was refused.
    public var isRefused: Bool
    /// Why an audit fenced it; nil: none did.
    public var fenceReason: String?
}

/// A lease as the ledger knows it.
public struct LeaseStatus: Sendable, Hashable {
    public var lease: LeaseNumber
    public var host: String
    /// Why it is void; nil: it holds.
    public var voided: String?
}

/// How many runs stand where.
public struct RunCount: Sendable, Hashable {
    /// nil: not ended.
    public var state: RunState?
    public var failure: FailureClass?
    public var count: Int
}
