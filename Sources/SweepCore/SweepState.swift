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
        var avoid = -1
        /// The digest of the result that was merged.
        var result: Digest?
        /// Whether it has an entry in its group's queue. The entry may be stale: who takes it looks at the phase.
        var isQueued = true
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
    public private(set) var runs: [Run]
    public private(set) var pins: [String: Digest] = [:]
    public private(set) var endedCount = 0
    public private(set) var notSucceededCount = 0
    public private(set) var fencedCount = 0
    public private(set) var disagreements = 0
    public private(set) var stopReason: String?
    private(set) var nextLease: LeaseNumber = 1
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

    public init(plan: Plan) {
        self.plan = plan
        runs = Array(repeating: Run(), count: plan.runCount)
        leasesOfHost = Array(repeating: [], count: plan.hosts.count)
        openRuns = Array(repeating: 0, count: plan.hosts.count)
        isHolding = Array(repeating: false, count: plan.hosts.count)
        queues = plan.groups.map { Deque($0.runs) }
        waitingCounts = plan.groups.map(\.runs.count)
        let groups = plan.groups
        handOutOrder =
            groups.indices.filter { groups[$0].provides != nil } + groups.indices.filter { groups[$0].provides == nil }
        hostIndex = Dictionary(plan.hosts.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    }

    public subscript(run: RunNumber) -> Run { runs[run - 1] }

    public var isFinished: Bool { endedCount == runs.count }

    /// Whether the runs of a group can start.
    func isPossible(_ group: Plan.Group) -> Bool { group.requires.map { pins[$0] != nil } ?? true }

    /// Runs that could be handed out now.
    var readyCount: Int {
        zip(plan.groups, waitingCounts).reduce(0) { $0 + (isPossible($1.0) ? $1.1 : 0) }
    }

    func group(of run: RunNumber) -> Int {
        var (low, high) = (0, plan.groups.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if plan.groups[middle].runs.lowerBound <= run { low = middle } else { high = middle }
        }
        return low
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
                if others, self[run].avoid == host { passed.append(run) } else { taken.append(run) }
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
                guard case .ended(.cancelled, _) = runs[index].phase else { return nil }
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
        }
    }

    private mutating func grant(_ lease: LeaseNumber, host: String, _ grants: [Grant]) {
        nextLease = max(nextLease, lease + 1)
        // A host that left the inventory since keeps its lease in the ledger only.
        let index = hostIndex[host] ?? -1
        for grant in grants {
            waitingCounts[group(of: grant.run)] -= 1
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

    private mutating func recordAttempt(_ report: AttemptReport, host: String, failure: FailureClass?, blocks: JSON?) {
        let run = report.id.run
        runs[run - 1].lastAttempt = max(self[run].lastAttempt, report.id.attempt)
        guard let failure else {
            runs[run - 1].result = blocks.map { SHA256.digest($0.encoded) }
            return
        }
        if failure.remedy == .retryUncounted { runs[run - 1].losses += 1 } else { runs[run - 1].failures += 1 }
        if failure.remedy == .retryElsewhere { runs[run - 1].avoid = hostIndex[host] ?? -1 }
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
        case .waiting: waitingCounts[group(of: run)] -= 1
        case .leased(let lease, _): release(lease)
        }
        runs[run - 1].phase = .ended(state, failure)
        endedCount += 1
        if state != .succeeded { notSucceededCount += 1 }
    }

    private mutating func reopen(_ run: RunNumber) {
        guard case .ended(let state, _) = self[run].phase else { return }
        endedCount -= 1
        if state != .succeeded { notSucceededCount -= 1 }
        runs[run - 1].failures = 0
        runs[run - 1].losses = 0
        runs[run - 1].result = nil
        stopReason = nil
        wait(run)
    }

    private mutating func wait(_ run: RunNumber) {
        let index = group(of: run)
        runs[run - 1].phase = .waiting
        waitingCounts[index] += 1
        enqueue(run, index)
    }

    /// What failed before goes first: a long sweep should not end with its troubles.
    private mutating func enqueue(_ run: RunNumber, _ group: Int) {
        guard !self[run].isQueued else { return }
        runs[run - 1].isQueued = true
        queues[group].prepend(run)
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
