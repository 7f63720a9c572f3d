import DequeModule
public import Model

/// What is true of a sweep: the sum of its records, and nothing else. Replaying the ledger's journal gives the same
/// value as living through it.
public struct SweepState: Sendable {
    /// One run. The machine's states, and what moves between them:
    ///
    ///     waiting -- leaseGranted --> leased -- runEnded --> ended -- runReopened --> waiting
    ///        ^                          |
    ///        +-- leaseVoided, or an attempt that ended for good without ending the run
    ///
    /// A run that the specification no longer has keeps its phase, but is neither handed out nor counted.
    public struct Run: Sendable {
        public enum Phase: Sendable, Hashable {
            /// To be handed out (if its group is possible).
            case waiting
            /// An agent has it. `attempts` are the numbers that the lease reserves.
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
        /// The last host on which it failed for a reason that may lie in the host; -1: none.
        var avoid: Int32 = -1
        /// The beginning of the digest of the result that was merged: a sweep has millions of these.
        var result: UInt64?
        /// Whether it has an entry in its group's queue. The entry may be stale: who takes it looks at the phase.
        var isQueued = false
        /// Its group in the plan; -1: none, the specification no longer has it.
        var group: Int32 = -1
    }

    /// A lease that is not over: its host, and its runs that have not ended.
    struct Lease: Sendable {
        var host: Int
        /// All that it was granted.
        var runs: [RunNumber]
        /// How many of them are still under it.
        var open: Int
    }

    public let plan: Plan
    /// By number, those included that the specification no longer has.
    public private(set) var runs: [Run]
    /// How many runs the specification has; of these, the next two.
    public let runCount: Int
    public private(set) var pins: [String: Digest] = [:]
    public private(set) var endedCount = 0
    public private(set) var notSucceededCount = 0
    public private(set) var fencedCount = 0
    public private(set) var disagreements = 0
    public private(set) var stopReason: String?
    /// The most memory that an attempt took, in bytes; 0: there was none yet.
    private var evaluationPeak: Int64 = 0
    private var setupPeak: Int64 = 0
    private(set) var nextLease: LeaseNumber = 1
    /// Leases before this one were granted under pins that are void.
    private(set) var firstLeaseOfPins: LeaseNumber = 1
    private(set) var leases: [LeaseNumber: Lease] = [:]
    /// Per host, the leases that are not over, ascending, and the runs under them.
    private(set) var leasesOfHost: [[LeaseNumber]]
    private(set) var openRuns: [Int]
    /// Per host, whether its agent may keep something of this sweep: it was granted runs, and did not confirm since
    /// that nothing is left of them.
    public private(set) var isHolding: [Bool]
    /// Runs that may be waiting, a queue a group.
    private var queues: [Deque<RunNumber>]
    private(set) var waitingCounts: [Int]
    private let hostIndex: [String: Int]
    /// Groups in the order in which they are handed out: setups first, so that what waits for them can begin.
    private let handOutOrder: [Int]
    private let hasSetups: Bool

    public init(plan: Plan) {
        self.plan = plan
        runs = Array(repeating: Run(), count: plan.highestRun)
        runCount = plan.runCount
        leasesOfHost = Array(repeating: [], count: plan.hosts.count)
        openRuns = Array(repeating: 0, count: plan.hosts.count)
        isHolding = Array(repeating: false, count: plan.hosts.count)
        queues = []
        waitingCounts = []
        let groups = plan.groups
        hasSetups = groups.contains { $0.provides != nil }
        handOutOrder =
            groups.indices.filter { groups[$0].provides != nil } + groups.indices.filter { groups[$0].provides == nil }
        hostIndex = Dictionary(plan.hosts.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        for (index, group) in groups.enumerated() {
            for range in group.runs.ranges { for run in range { runs[run - 1].group = Int32(index) } }
        }
        queueEverything()
    }

    public subscript(run: RunNumber) -> Run { runs[run - 1] }

    public var isFinished: Bool { endedCount == runCount }

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
            return peak == 0 ? firstGuess : peak + peak / 4
        }
    }

    /// Whether the runs of a group can start.
    func isPossible(_ group: Plan.Group) -> Bool { group.requires.map { pins[$0] != nil } ?? true }

    /// Runs that could be handed out now.
    var readyCount: Int {
        zip(plan.groups, waitingCounts).reduce(0) { $0 + (isPossible($1.0) ? $1.1 : 0) }
    }

    // MARK: Handing out

    /// Takes up to `count` ready runs off the queues for `host`, in order. Runs that had trouble on this very host
    /// are passed over while `others` could take them; they keep their place.
    mutating func take(_ count: Int, for host: Int, others: Bool) -> [RunNumber] {
        var taken: [RunNumber] = []
        for index in handOutOrder where taken.count < count && waitingCounts[index] > 0 {
            guard isPossible(plan.groups[index]) else { continue }
            var passed: [RunNumber] = []
            while taken.count < count, passed.count < 64, let run = queues[index].popFirst() {
                runs[run - 1].isQueued = false
                guard self[run].phase == .waiting else { continue }
                if others, Int(self[run].avoid) == host { passed.append(run) } else { taken.append(run) }
            }
            for run in passed.reversed() { enqueue(run, index) }
        }
        return taken
    }

    /// What opens the runs again that a stop cancelled, for a sweep that is resumed after all. What hosts still hold
    /// they were told to cancel: it is not waited for.
    public var reopening: [Record] {
        guard stopReason != nil else { return [] }
        let reason = "launched again after it was cancelled"
        return leases.keys.sorted().map { .leaseVoided(lease: $0, reason: reason) }
            + runs.indices.compactMap { index in
                guard isCurrent(index + 1), case .ended(.cancelled, _) = runs[index].phase else { return nil }
                return .runReopened(run: index + 1, reason: reason)
            }
    }

    // MARK: Records

    /// Adds a record. Every record has one meaning, whenever it is read.
    public mutating func apply(_ record: Record) {
        switch record {
        case .hostSeen, .hostRested: break
        case .pinned(let name, let digest): pins[name] = digest
        case .leaseGranted(let lease, let host, let grants): grant(lease, host: host, grants)
        case .leaseVoided(let lease, _): void(lease)
        case .attemptEnded(let report, let host, let failure, _, let blocks, _):
            recordAttempt(report, host: host, failure: failure, blocks: blocks)
        case .attemptFenced(_, _, let agrees):
            fencedCount += 1
            if agrees == false { disagreements += 1 }
        case .runEnded(let run, let state, let failure, _): end(run, state, failure)
        case .runReopened(let run, _): reopen(run)
        case .hostReleased(let host): if let index = hostIndex[host] { isHolding[index] = false }
        case .sweepStopped(let reason): stopReason = reason
        case .revised(let revision): revise(revision)
        case .repinned: repin()
        case .restored: restore()
        }
    }

    private mutating func grant(_ lease: LeaseNumber, host: String, _ grants: [Grant]) {
        nextLease = max(nextLease, lease + 1)
        // A host that left the inventory since keeps its lease in the ledger only.
        let index = hostIndex[host] ?? -1
        for grant in grants {
            count(grant.run, waiting: -1)
            let attempts = grant.firstAttempt..<grant.firstAttempt + grant.attempts
            runs[grant.run - 1].phase = .leased(lease, attempts: attempts)
            runs[grant.run - 1].nextAttempt = attempts.upperBound
        }
        leases[lease] = Lease(host: index, runs: grants.map(\.run), open: grants.count)
        guard index >= 0 else { return }
        leasesOfHost[index].append(lease)
        isHolding[index] = true
        openRuns[index] += grants.count
    }

    private mutating func void(_ lease: LeaseNumber) {
        for run in leases[lease]?.runs ?? [] {
            guard case .leased(lease, _) = self[run].phase else { continue }
            runs[run - 1].losses += 1
            wait(run)
            release(lease)
        }
        close(lease)
    }

    private mutating func recordAttempt(
        _ report: AttemptReport, host: String, failure: FailureClass?, blocks: ResultText?
    ) {
        let run = report.id.run
        runs[run - 1].lastAttempt = max(self[run].lastAttempt, report.id.attempt)
        if group(of: run)?.provides == nil {
            evaluationPeak = max(evaluationPeak, report.peakMemoryBytes)
        } else {
            setupPeak = max(setupPeak, report.peakMemoryBytes)
        }
        guard let failure else {
            runs[run - 1].result = blocks?.digest.beginning
            return
        }
        if failure.remedy == .retryUncounted { runs[run - 1].losses += 1 } else { runs[run - 1].failures += 1 }
        if failure.remedy == .retryElsewhere { runs[run - 1].avoid = Int32(hostIndex[host] ?? -1) }
        guard case .leased(let lease, let attempts) = self[run].phase else { return }
        let agentGoesOn = report.failure?.remedy == .retryAnywhere && report.id.attempt + 1 < attempts.upperBound
        if !agentGoesOn {
            wait(run)
            release(lease)
        }
    }

    private mutating func end(_ run: RunNumber, _ state: RunState, _ failure: FailureClass?) {
        switch self[run].phase {
        case .ended: return
        case .waiting: count(run, waiting: -1)
        case .leased(let lease, _): release(lease)
        }
        runs[run - 1].phase = .ended(state, failure)
        count(run, ended: 1, state)
    }

    private mutating func reopen(_ run: RunNumber) {
        guard case .ended(let state, _) = self[run].phase else { return }
        count(run, ended: -1, state)
        runs[run - 1].failures = 0
        runs[run - 1].losses = 0
        runs[run - 1].result = nil
        stopReason = nil
        wait(run)
    }

    private mutating func wait(_ run: RunNumber) {
        runs[run - 1].phase = .waiting
        count(run, waiting: 1)
        if isCurrent(run) { enqueue(run, Int(self[run].group)) }
    }

    private mutating func count(_ run: RunNumber, waiting change: Int) {
        if isCurrent(run) { waitingCounts[Int(self[run].group)] += change }
    }

    private mutating func count(_ run: RunNumber, ended change: Int, _ state: RunState) {
        guard isCurrent(run) else { return }
        endedCount += change
        if state != .succeeded { notSucceededCount += change }
    }

    /// What failed before goes first: a long sweep should not end with its troubles.
    private mutating func enqueue(_ run: RunNumber, _ group: Int) {
        guard !self[run].isQueued else { return }
        runs[run - 1].isQueued = true
        queues[group].prepend(run)
    }

    private mutating func queueEverything() {
        queues = plan.groups.map { Deque($0.runs) }
        waitingCounts = plan.groups.map(\.runs.count)
        for index in runs.indices { runs[index].isQueued = runs[index].group >= 0 }
    }

    // MARK: Records about all runs

    /// Takes from their leases the runs that the specification no longer has.
    private mutating func revise(_ revision: Revision) {
        let places = RunPlaces(revision.runs)
        for lease in leases.keys.sorted() {
            for run in leases[lease]?.runs ?? [] where places.place(of: run) == nil {
                guard case .leased(lease, _) = self[run].phase else { continue }
                wait(run)
                release(lease)
            }
        }
    }

    private mutating func repin() {
        voidAllLeases()
        for index in runs.indices {
            runs[index].phase = .waiting
            runs[index].failures = 0
            runs[index].losses = 0
            runs[index].avoid = -1
            runs[index].result = nil
        }
        (endedCount, notSucceededCount) = (0, 0)
        pins = [:]
        stopReason = nil
        firstLeaseOfPins = nextLease
        queueEverything()
    }

    private mutating func restore() {
        voidAllLeases()
        nextLease += SweepState.skippedLeases
        // Which of them were granted something is among what may be lacking.
        for host in isHolding.indices { isHolding[host] = true }
        for index in runs.indices { runs[index].nextAttempt += SweepState.skippedAttempts }
    }

    private mutating func voidAllLeases() {
        for lease in leases.keys.sorted() {
            for run in leases[lease]?.runs ?? [] {
                guard case .leased(lease, _) = self[run].phase else { continue }
                wait(run)
            }
            close(lease)
        }
    }

    /// One run of the lease is no longer under it.
    private mutating func release(_ lease: LeaseNumber) {
        guard let entry = leases[lease] else { return }
        leases[lease]?.open -= 1
        if entry.host >= 0 { openRuns[entry.host] -= 1 }
        if entry.open == 1 { close(lease) }
    }

    /// With the last lease of a host, no run of it is open.
    private mutating func close(_ lease: LeaseNumber) {
        guard let entry = leases.removeValue(forKey: lease), entry.host >= 0 else { return }
        leasesOfHost[entry.host].removeAll { $0 == lease }
        if leasesOfHost[entry.host].isEmpty { openRuns[entry.host] = 0 }
    }
}
