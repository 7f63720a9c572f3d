public import Model

/// An input of the coordinator's core. Hosts are given by their index in the plan. Large contents have types of their
/// own, so that most events stay small.
public enum Event: Sendable {
    /// Something moves on the way to a host whose agent did not say hello yet.
    case progress(host: Int)
    /// The stream to a host is up and its agent said hello.
    indirect case joined(host: Int, Arrival)
    /// Anything at all came from the host's agent.
    case heard(host: Int)
    /// The host's agent has sent all that it had kept when it joined.
    case caughtUp(host: Int)
    /// What the engine's binary is on a host.
    case engineFound(host: Int, digest: Digest)
    /// The host does not let us in, or asks for what we do not have.
    case loginRefused(host: Int, reason: String)
    /// The host must not be used for this sweep before somebody acts: its key is not the one on record, say.
    case refused(host: Int, reason: String)
    /// The stream ended, or never came up.
    case lost(host: Int, reason: String)
    /// These attempts began.
    case started(host: Int, [AttemptID])
    /// An attempt ended; its artifacts are on their way here.
    case reported(host: Int, AttemptID)
    /// An attempt ended; its artifacts are stored here, and it was judged.
    indirect case ended(host: Int, Judged)
    /// The host found an input damaged on its disk, and these runs had it there while it may have been.
    indirect case damageFound(host: Int, DamagedInput)
    /// The host's agent keeps nothing of this sweep, which has ended.
    case released(host: Int)
    /// The host goes at that time, on this process's clock; nil: it stays. Runs that would end later are not begun.
    case leaves(host: Int, at: Nanoseconds?)
    /// The job that a host's agent ran in is over, with all that it ran.
    case pilotEnded(host: Int, Coordinator.PilotEnd, reason: String)
    /// The job that a host's agent is to run in waits.
    case pilotWaits(host: Int, reason: String)
    /// No job comes any more for a host's agent to run in.
    case pilotGivenUp(host: Int, reason: String)
    /// Nothing is begun on the host for now, for a reason that people are told; nil: it may be used again.
    case closed(host: Int, reason: String?)
    /// What the sweep may have of a host for now, as others use it, too; nil: all that it has.
    case offered(host: Int, HostOffer?)
    /// A pin is known without a run: a checkpoint that an earlier sweep made.
    case provided(pin: String, digest: Digest)
    /// Somebody wants the sweep, or one run, cancelled.
    case cancel(run: RunNumber?, reason: String)
    /// Ctrl-C and the like: stop handing out, leave what runs.
    case interrupted
}

/// What a host reports about itself when it joins.
public struct Arrival: Sendable, Hashable {
    public var bootID: String
    public var hostName: String
    /// Distinguishes two agents on one machine from one machine that is listed twice.
    public var workdir: String
    public var slots: Int
    public var memoryBytes: Int64
    /// Its clock less ours, for people.
    public var clockOffset: Nanoseconds
    /// The leases of this sweep that its agent holds.
    public var leases: [HeldLease]

    public init(
        bootID: String, hostName: String, workdir: String, slots: Int, memoryBytes: Int64,
        clockOffset: Nanoseconds = 0, leases: [HeldLease] = []
    ) {
        self.bootID = bootID
        self.hostName = hostName
        self.workdir = workdir
        self.slots = slots
        self.memoryBytes = memoryBytes
        self.clockOffset = clockOffset
        self.leases = leases
    }
}

/// An attempt that ended, with the judgement of its evidence.
public struct Judged: Sendable, Hashable {
    public var report: AttemptReport
    /// After the run contract: nil means that the evidence is complete.
    public var failure: FailureClass?
    public var evidence: String
    /// The statistics, if the contract was kept.
    public var blocks: ResultText?
    /// What the pin that the run provides is, if it provides one.
    public var provides: Digest?
    /// Of an audit: its numbers, and those that count.
    public var comparison: AuditComparison?
    /// Nanoseconds since 1970.
    public var endedAt: Nanoseconds

    public init(
        report: AttemptReport, failure: FailureClass?, evidence: String, blocks: ResultText? = nil,
        provides: Digest? = nil, comparison: AuditComparison? = nil, endedAt: Nanoseconds = 0
    ) {
        self.comparison = comparison
        self.report = report
        self.failure = failure
        self.evidence = evidence
        self.blocks = blocks
        self.provides = provides
        self.endedAt = endedAt
    }
}

/// What the shell is asked to do: always the difference between what should be, according to the ledger, and what hosts
/// have been told, so that a repeated, lost or late effect does no harm.
public enum Effect: Sendable, Hashable {
    case connect(host: Int)
    /// Ends the stream and says why.
    case disconnect(host: Int, reason: String)
    case grant(host: Int, lease: LeaseNumber, [Grant])
    case revoke(host: Int, [LeaseNumber])
    case cancel(host: Int, [RunNumber])
    case acknowledge(host: Int, [AttemptID])
    /// Tells a host that the sweep has ended.
    case release(host: Int)
    /// Nothing is left to do.
    case finish(Ending)
}

/// How a coordinator's work ended.
public enum Ending: Sendable, Hashable {
    /// Every run has its final state.
    case complete(allSucceeded: Bool)
    /// The sweep's own limit passed.
    case outOfTime
    /// No host can take work, for the reasons given.
    case noHost(reason: String)
    /// So many runs failed alike that the rest was not begun.
    case paused(FailureSeries)
    /// Somebody stopped the coordinator; hosts go on.
    case interrupted
}
