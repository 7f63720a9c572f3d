/// The number of a run within its sweep, from 1: what people type.
public typealias RunNumber = Int
/// The number of an attempt within its run, from 1; never reused. Only the coordinator gives them out.
public typealias AttemptNumber = Int
/// The number of a lease within its sweep, from 1, growing.
public typealias LeaseNumber = Int
/// Whole nanoseconds on some monotonic clock; only differences mean anything.
public typealias Nanoseconds = Int64

/// The name of one attempt: what fences late messages.
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

/// Why an attempt did not succeed, with the rule of what to do about it. The words are in ledgers, journals, messages
/// and tables: a case may be renamed, its word stays.
public enum FailureClass: String, Sendable, Hashable, CaseIterable {
    /// The program could not be started, or its inputs not be staged.
    case spawn = "spawn"
    /// The program ended with a status other than 0.
    case exitNonzero = "exit-nonzero"
    /// The host was gone for longer than its lease, or was rebooted.
    case hostLost = "host-lost"
    /// The supervisor died, and the run with it.
    case supervisorLost = "supervisor-lost"
    /// The host ran out of memory.
    case outOfMemory = "out-of-memory"
    /// The host's working folder is full.
    case diskFull = "disk-full"
    /// The simulator died of a signal that nobody here sent.
    case simulatorCrash = "simulator-crash"
    /// The simulator refused to go on (`panic`, `fatal`, a wrong parameter): it would do so again.
    case simulatorFatal = "simulator-fatal"
    /// The guest's kernel panicked.
    case guestPanic = "guest-panic"
    /// The simulator makes progress, the guest does not.
    case stalledGuest = "stalled-guest"
    /// The simulator makes no progress.
    case stalledSimulator = "stalled-simulator"
    /// The time limit passed.
    case timeout = "timeout"
    /// It wrote more than its limit of output.
    case tooMuchOutput = "too-much-output"
    /// The checkpoint does not fit, or is damaged.
    case checkpointIncompatible = "checkpoint-incompatible"
    /// It ended well but the evidence is incomplete.
    case contractBroken = "contract-broken"
    /// Somebody cancelled it.
    case cancelled = "cancelled"
    /// The batch system took the machine away.
    case preempted = "preempted"

    /// What to do about a failure of this class.
    public enum Remedy: Sendable, Hashable {
        /// Try again, on the same host if need be: the agent does it alone.
        case retryAnywhere
        /// Try again, on another host if there is one: the coordinator decides.
        case retryElsewhere
        /// Try again without counting it against the run: nothing was wrong with it.
        case retryUncounted
        /// It would only happen again.
        case giveUp
    }

    public var remedy: Remedy {
        switch self {
        case .exitNonzero, .simulatorCrash, .stalledGuest, .stalledSimulator, .guestPanic: .retryAnywhere
        case .spawn, .outOfMemory, .diskFull, .checkpointIncompatible: .retryElsewhere
        case .hostLost, .supervisorLost, .preempted: .retryUncounted
        case .simulatorFatal, .timeout, .tooMuchOutput, .contractBroken, .cancelled: .giveUp
        }
    }

    /// The state of a run whose last attempt ended with this class.
    public var finalState: RunState {
        switch self {
        case .contractBroken: .quarantined
        case .cancelled: .cancelled
        case .spawn, .exitNonzero, .hostLost, .supervisorLost, .outOfMemory, .diskFull, .simulatorCrash,
            .simulatorFatal, .guestPanic, .stalledGuest, .stalledSimulator, .timeout, .tooMuchOutput,
            .checkpointIncompatible, .preempted:
            .failed
        }
    }
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

/// What an agent reports of an attempt that ended.
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
