public import Model

/// The state of a sweep: the sum of its records, and nothing else. Replaying the ledger's journal gives the same value
/// as the original course of events.
public struct SweepState: Sendable {
    /// One run. The machine's states, and what moves between them:
    ///
    ///     waiting -- leaseGranted --> leased -- runEnded --> ended -- runReopened --> waiting
    ///        ^                        |    ^
    ///        |                        +----+-- leaseGranted to a second host while the first is silent;
    ///        |                        |        runAdopted: only one of them goes on
    ///        +------------------------+-- leaseVoided, or an attempt that ended for good without ending the run,
    ///                                     where nobody else has it
    ///
    /// A run that the specification no longer has keeps its phase, but is neither handed out nor counted.
    public struct Run: Sendable {
        public enum Phase: Sendable, Hashable {
            /// To be handed out (if its group is possible).
            case waiting
            /// An agent has it. `attempts` are the numbers that the lease reserves. Where several hosts have it (all
            /// but one were silent for long), this is the newest lease; ``SweepState/claims(on:)`` has all.
            case leased(LeaseNumber, attempts: Range<AttemptNumber>)
            /// It has its final state.
            case ended(RunState, FailureClass?)
        }

        public internal(set) var phase: Phase = .waiting
        /// The next attempt number that was never given out.
        public internal(set) var nextAttempt: AttemptNumber = 1
        /// The last attempt on record.
        public internal(set) var lastAttempt: AttemptNumber = 0
        /// Attempts that count against the run.
        public internal(set) var failures = 0
        /// Attempts that ended through no fault of the run.
        public internal(set) var losses = 0
        /// How it fared when its hosts or supervisors died.
        var deaths = Deaths()
        /// The beginning of the digest of the result that was merged: a sweep has millions of these.
        var result: UInt64?
        /// Whether it has an entry in its group's queue. The entry may be stale: who takes it looks at the phase.
        var isQueued = false
        /// Its group in the plan; -1: none, the specification no longer has it.
        var group: Int32 = -1
        /// Which of ``SweepState/givers`` gave its result; -1: none did.
        var giver: Int32 = -1
    }

    /// A lease that is not over: its host, and its runs that have not ended.
    struct Lease: Sendable {
        /// -1: a host that is no longer in the inventory.
        var host: Int
        /// What the host's boot identifier was when the lease was granted.
        var bootID: String
        /// All that it was granted.
        var runs: [RunNumber]
        /// How many of them are still under it.
        var open: Int
    }

    public let plan: Plan
    /// By number, those included that the specification no longer has.
    public internal(set) var runs: [Run]
    /// How many runs the specification has; of these, the next two.
    public let runCount: Int
    public internal(set) var pins: [String: Digest] = [:]
    public internal(set) var endedCount = 0
    public internal(set) var notSucceededCount = 0
    public internal(set) var fencedCount = 0
    public internal(set) var disagreements = 0
    public internal(set) var stopReason: String?
    /// The runs that ended last, if all of them failed alike.
    public internal(set) var failuresInRow: FailureSeries?
    /// The most memory that an attempt took, in bytes; 0: there was none yet.
    var evaluationPeak: Int64 = 0
    var setupPeak: Int64 = 0
    /// An exponential mean of how long successful attempts took; nil: there was none.
    var meanWall: Nanoseconds?
    var nextLease: LeaseNumber = 1
    /// Leases before this one were granted under pins that are void.
    var firstLeaseOfPins: LeaseNumber = 1
    var leases: [LeaseNumber: Lease] = [:]
    /// Per host, the leases that are not over, ascending, and the runs under them.
    var leasesOfHost: [[LeaseNumber]]
    var openRuns: [Int]
    /// Leases that are not over, of hosts that are no longer in the inventory.
    var strayLeases: [LeaseNumber] = []
    /// Of runs that several hosts have: their claims but the newest, ascending. See ``claims(on:)``.
    var olderClaims: [RunNumber: [Claim]] = [:]
    /// Of these, the runs that were not begun a second time on purpose: one host is to go on.
    var contested: Set<RunNumber> = []
    /// Runs that somebody asked to cancel and that have not ended.
    var cancelsAsked: Set<RunNumber> = []
    /// The hosts on which each run has failed that has not ended, in the order of their failures: few have.
    var failedOn: [RunNumber: [Int]] = [:]
    /// Of these, those on which it failed for a reason that may lie in the run.
    var failedItselfOn: [RunNumber: [Int]] = [:]
    /// Attempts on record beside each run's last: few runs have any.
    var earlierAttempts: [RunNumber: [AttemptNumber]] = [:]
    var fencedAttempts: Set<AttemptID> = []
    /// Runs that wait and are under suspicion, by their deaths, then by their numbers; they stand in no queue.
    var waitingSuspects: [RunNumber] = []
    /// How many there are of each group.
    var suspectCounts: [Int]
    /// Per host, how many of its runs must not have as much company as it has slots: mostly none, and then none is
    /// looked at.
    var limitingRuns: [Int]
    /// Each death of a host, or of its supervisor, has a number; per host that of the last one; 0: it had none.
    var deathCount: Int32 = 0
    var deathOfHost: [Int32]
    /// Per host, the first lease that was granted after its last death.
    var leaseOfDeath: [LeaseNumber]
    /// Per host, how many runs it had when it last died.
    var companyOfDeath: [Int]
    /// Per host, its boot identifier when it was last seen.
    var bootOfHost: [String]
    /// Per host, whether its agent may keep something of this sweep: it was granted runs, and did not confirm since
    /// that nothing is left of them.
    public internal(set) var isHolding: [Bool]
    /// Runs of possible groups that may be waiting. Their order is nothing that is on record: it follows from
    /// ``times``.
    var ready = ReadyRuns()
    /// Groups whose runs became possible and have not been put into the order.
    var unordered: [Int] = []
    /// What the runs that are in the order show.
    var shown = ShownFirst()
    /// At which count of ended runs the order is worked out anew.
    var nextOrder = 1
    var waitingCounts: [Int]
    /// Groups that provide a pin, the last of the plan first.
    let makers: [Maker]
    let hostIndex: [String: Int]
    /// How long runs take.
    package var times: RunTimes
    /// Leases by which a run was begun a second time while its first attempt went on.
    var secondStarts: Set<LeaseNumber> = []
    /// Runs that have not ended and were begun a second time once: they are not again.
    var startedTwice: Set<RunNumber> = []
    /// The hosts that gave results: those of the plan, then others in the order of their first.
    var givers: [String]
    /// Of runs that were done again to compare.
    var audits: [RunNumber: Audit] = [:]
    /// Who does a run again just now.
    var auditClaims: [RunNumber: Claim] = [:]
    /// Runs that are to be audited and of which nothing can be said yet; those for which a host is to be fenced; those
    /// that are not deterministic.
    var openAudits: Set<RunNumber> = []
    var outvotedAudits: Set<RunNumber> = []
    var fickleAudits: Set<RunNumber> = []
    /// Hosts that get nothing more of this sweep, with why.
    public internal(set) var fencedHosts: [String: String] = [:]
    /// Setups and boots of which people were told that an input of theirs was found damaged.
    var doubtfulMakers: Set<RunNumber> = []
    private let hasSetups: Bool

    public init(plan: Plan) {
        self.plan = plan
        runs = Array(repeating: Run(), count: plan.highestRun)
        runCount = plan.runCount
        givers = plan.hosts
        leasesOfHost = Array(repeating: [], count: plan.hosts.count)
        openRuns = Array(repeating: 0, count: plan.hosts.count)
        companyOfDeath = Array(repeating: 0, count: plan.hosts.count)
        limitingRuns = Array(repeating: 0, count: plan.hosts.count)
        leaseOfDeath = Array(repeating: 0, count: plan.hosts.count)
        deathOfHost = Array(repeating: 0, count: plan.hosts.count)
        bootOfHost = Array(repeating: "", count: plan.hosts.count)
        isHolding = Array(repeating: false, count: plan.hosts.count)
        (waitingCounts, suspectCounts) = ([], [])
        times = RunTimes(plan: plan)
        let groups = plan.groups
        makers = Maker.all(groups)
        hasSetups = !makers.isEmpty
        hostIndex = Dictionary(plan.hosts.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        for (index, group) in groups.enumerated() {
            for range in group.runs.ranges { for run in range { runs[run - 1].group = Int32(index) } }
        }
        queueEverything()
    }

    public subscript(run: RunNumber) -> Run { runs[run - 1] }

    public var isFinished: Bool { endedCount == runCount }

    /// Whether any host may still be at a run.
    public var isUnderWay: Bool { leases.values.contains { $0.open > 0 } }

    /// How many runs that the specification has ended so.
    public func endedCount(_ how: RunState) -> Int {
        runs.count { if $0.group >= 0, case .ended(how, _) = $0.phase { true } else { false } }
    }

    /// Whether the specification has this run.
    public func isCurrent(_ run: RunNumber) -> Bool { runs.indices ~= run - 1 && self[run].group >= 0 }

    /// The group of a run that the specification has.
    func group(of run: RunNumber) -> Plan.Group? {
        let index = Int(self[run].group)
        return index < 0 ? nil : plan.groups[index]
    }

    /// Memory to set aside for a run, in bytes; nil: not counted.
    public func memoryBytes(of run: RunNumber) -> Int64? {
        memoryBytes(isSetup: group(of: run)?.provides != nil)
    }

    /// Of the kind that takes most: which one is handed out next is not known before, and the agents count each by
    /// itself.
    var memoryPerRun: Int64? {
        let evaluation = memoryBytes(isSetup: false)
        return hasSetups ? max(evaluation ?? 0, memoryBytes(isSetup: true) ?? 0) : evaluation
    }

    private func memoryBytes(isSetup: Bool) -> Int64? {
        switch plan.memory {
        case .uncounted: return nil
        case .fixed(let bytes): return bytes
        case .learned(let firstGuess):
            let peak = isSetup ? setupPeak : evaluationPeak
            let (sum, isOver) = peak.addingReportingOverflow(peak / 4)
            return peak == 0 ? firstGuess : isOver ? .max : sum
        }
    }

    /// Whether the runs of a group can start.
    func isPossible(_ group: Plan.Group) -> Bool { group.requires.map { pins[$0] != nil } ?? true }
}
