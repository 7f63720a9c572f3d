/// What the coordinator makes durable before anything is done about it. The ledger's journal holds these, in order;
/// the state of a sweep is what they add up to.
public enum Record: Sendable, Hashable {
    /// A host joined. The offset of its clock is kept for people; nothing is decided by it.
    case hostSeen(
        host: String, bootID: String, hostName: String, slots: Int, memoryBytes: Int64, clockOffset: Nanoseconds)
    /// What the recipe does not name is fixed for the sweep: `engine`, `checkpoint:<workload>`,
    /// `booted:<recipe>`.
    case pinned(name: String, digest: Digest)
    /// A host may do these runs.
    case leaseGranted(lease: LeaseNumber, host: String, grants: [Grant])
    /// It may no longer: what it still reports is fenced.
    case leaseVoided(lease: LeaseNumber, reason: String)
    /// The agent that holds the lease belongs to this host: the inventory names its machine otherwise than before.
    case leaseMoved(lease: LeaseNumber, host: String)
    /// Of several hosts that have the run, the one with this lease goes on: what the others still report of it is
    /// fenced.
    case runAdopted(run: RunNumber, lease: LeaseNumber, reason: String)
    /// The run is no longer under the lease: what its host still reports of it is fenced.
    case runWithdrawn(run: RunNumber, lease: LeaseNumber, reason: String)
    /// With this lease, which is granted next, the run is begun a second time while its first attempt goes on, as it is
    /// predicted to end earlier so; whichever ends well first counts.
    case secondStart(run: RunNumber, lease: LeaseNumber, reason: String)
    /// Somebody wants the run cancelled, and a host has it: it is told as soon as it can be reached.
    case runCancelAsked(run: RunNumber, reason: String)
    /// An attempt ended and was judged. `failure` and `evidence` are the judgement's; `blocks` is the result, if any.
    /// `endedAt` is nanoseconds since 1970 on the coordinator's clock.
    case attemptEnded(
        AttemptReport, host: String, failure: FailureClass?, evidence: String, blocks: ResultText?,
        endedAt: Nanoseconds)
    /// An attempt ended under a void lease, or after its run's result was in. Kept as evidence, never merged.
    /// `agrees`: whether it gave the same statistics as the result that was merged; nil: nothing to compare.
    case attemptFenced(AttemptReport, host: String, agrees: Bool?)
    /// A run has its final state.
    case runEnded(run: RunNumber, state: RunState, failure: FailureClass?, attempt: AttemptNumber)
    /// A run that had ended is to be done again.
    case runReopened(run: RunNumber, reason: String)
    /// The attempt that decided its run was held against another specification, by the artifacts that it had left. This
    /// is its verdict now, in place of the one before, and the run ends by it.
    case judgedAgain(AttemptID, failure: FailureClass?, evidence: String, blocks: ResultText?)
    /// A host may do these runs once more, which have succeeded on another one: an audit.
    case auditGranted(lease: LeaseNumber, host: String, grants: [Grant])
    /// An attempt at an audit ended. It counts for nothing, and is only held against the attempt that does. Without a
    /// `comparison` it gave nothing to compare; `evidence` says why, or what differs. `endedAt` as of `attemptEnded`.
    case auditEnded(
        AttemptReport, host: String, failure: FailureClass?, evidence: String, comparison: AuditComparison?,
        endedAt: Nanoseconds)
    /// The host gave other numbers than two others, which agree: it gets no more runs of the sweep, and its results,
    /// those of `runs`, are quarantined.
    case hostFenced(host: String, reason: String, runs: RunList)
    /// A host found an input damaged on its disk. The results of the runs that had it are quarantined.
    indirect case inputDamaged(DamagedInput)
    /// A host gets no work for a while.
    case hostPaused(host: String, reason: String)
    /// A host gets no work any more in this life of the coordinator.
    case hostRefused(host: String, reason: String)
    /// The sweep has ended, and the host's agent confirmed that it keeps nothing of it.
    case hostReleased(host: String)
    /// The sweep was ended before its runs were.
    case sweepStopped(reason: String)
    /// The specification changed. Its runs are these now; runs that are not among them keep what they have, but are
    /// nobody's any more.
    case revised(Revision)
    /// All pins are void, and with them every result and every lease: everything is to be done again.
    case repinned(reason: String)
    /// The ledger was repaired and may lack what was committed last: all leases are void, and numbers go on beyond any
    /// that can have been given out.
    case restored(reason: String)
}

/// A specification of a sweep after the first.
public struct Revision: Sendable, Hashable {
    /// From 2.
    public var number: Int
    /// The specification as the ledger keeps it.
    public var specification: String
    /// The evaluations in the order of the specification, the repeats of a point together, then the setups.
    public var runs: RunList
    /// Nanoseconds since 1970, for people.
    public var madeAt: Nanoseconds

    public init(number: Int, specification: String, runs: RunList, madeAt: Nanoseconds) {
        self.number = number
        self.specification = specification
        self.runs = runs
        self.madeAt = madeAt
    }
}

/// A run and the attempt numbers that a lease reserves for it.
public struct Grant: Sendable, Hashable {
    public var run: RunNumber
    public var firstAttempt: AttemptNumber
    public var attempts: Int

    public init(run: RunNumber, firstAttempt: AttemptNumber, attempts: Int) {
        self.run = run
        self.firstAttempt = firstAttempt
        self.attempts = attempts
    }
}
