/// The number of a run within its sweep, from 1: what people type.
public typealias RunNumber = Int
/// The number of an attempt within its run, from 1; never reused. Only the coordinator gives them out.
public typealias AttemptNumber = Int
/// The number of a lease within its sweep, from 1, growing.
public typealias LeaseNumber = Int
/// Whole nanoseconds on some monotonic clock; only differences mean anything.
public typealias Nanoseconds = Int64

/// The identity of one attempt (run, lease, number), by which late messages are recognised and fenced.
public struct AttemptID: Sendable, Hashable, Comparable {
    public var run: RunNumber
    public var lease: LeaseNumber
    public var attempt: AttemptNumber

    public init(run: RunNumber, lease: LeaseNumber, attempt: AttemptNumber) {
        self.run = run
        self.lease = lease
        self.attempt = attempt
    }

    public static func < (left: AttemptID, right: AttemptID) -> Bool {
        (left.run, left.attempt, left.lease) < (right.run, right.attempt, right.lease)
    }
}

/// How a run ended. The words are in ledgers and tables: a case may be renamed, its word stays.
public enum RunState: String, Sendable, Hashable, CaseIterable {
    /// Its evidence is complete and its result merged.
    case succeeded = "succeeded"
    /// No attempt gave a result, for a reason that the class names.
    case failed = "failed"
    /// It claimed success, but its evidence breaks the run contract: kept, never merged.
    case quarantined = "quarantined"
    /// Somebody cancelled it.
    case cancelled = "cancelled"
}

/// A file that an attempt left.
public struct Artifact: Sendable, Hashable {
    /// Relative to the attempt's folder, `/` between parts; checked by ``RelativePath``.
    public var path: String
    public var digest: Digest
    public var size: Int64

    public init(path: String, digest: Digest, size: Int64) {
        self.path = path
        self.digest = digest
        self.size = size
    }
}

/// What an agent reports about an attempt that has ended.
public struct AttemptReport: Sendable, Hashable {
    public var id: AttemptID
    /// nil: the program ended with status 0 and everything it left was collected. Whether that is a
    /// success is for the coordinator to judge, by the run contract.
    public var failure: FailureClass?
    /// Why, in a sentence, with the evidence quoted. Without a failure: what it left and was not collected, or empty.
    public var evidence: String
    /// Wall time, by the host's monotonic clock.
    public var wallNanoseconds: Nanoseconds
    /// The largest resident set of the program's process tree, as far as the kernel told.
    public var peakMemoryBytes: Int64
    public var artifacts: [Artifact]
    /// When its program was started, nanoseconds since 1970 on the host's clock; nil: it was not, or nobody noted it.
    public var startedAt: Nanoseconds?

    public init(
        id: AttemptID, failure: FailureClass? = nil, evidence: String = "", wallNanoseconds: Nanoseconds = 0,
        peakMemoryBytes: Int64 = 0, artifacts: [Artifact] = [], startedAt: Nanoseconds? = nil
    ) {
        self.startedAt = startedAt
        self.id = id
        self.failure = failure
        self.evidence = evidence
        self.wallNanoseconds = wallNanoseconds
        self.peakMemoryBytes = peakMemoryBytes
        self.artifacts = artifacts
    }
}
