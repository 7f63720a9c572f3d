import Model
import Testing
@testable import SweepCore


/// A coordinator without a network: events in, records and effects out. Everything that it decides is checked against
/// a second state that only replays the records.
struct Cluster {
    var core: Coordinator
    private(set) var replayed: SweepState
    private(set) var records: [Record] = []
    private(set) var now: Nanoseconds = 0
    /// Whether agents answer at once that they keep nothing.
    var agentsRelease = true

    init(
        runs: Int, hosts: Int = 2, agentRetries: Bool = true, failures: Int = 3, setups: [String] = [],
        boot: String? = nil, stopAfter: Int? = nil, memory: MemoryRule = .uncounted, pinsEngine: Bool = false,
        timing: Timing = Timing()
    ) {
        var groups: [Plan.Group] = []
        if setups.isEmpty {
            groups = [Plan.Group(runs: 1..<runs + 1)]
        } else {
            let each = runs / setups.count
            for (index, name) in setups.enumerated() {
                groups.append(Plan.Group(runs: index * each + 1..<(index + 1) * each + 1, requires: name))
            }
            for (index, name) in setups.enumerated() {
                let run = each * setups.count + index + 1
                groups.append(Plan.Group(runs: run..<run + 1, requires: boot, provides: name))
            }
            if let boot {
                let run = (each + 1) * setups.count + 1
                groups.append(Plan.Group(runs: run..<run + 1, provides: boot))
            }
        }
        let plan = Plan(
            groups: groups, hosts: (0..<hosts).map { "h\($0)" }, maximumFailures: failures,
            agentRetries: agentRetries, stopAfter: stopAfter, memory: memory, pinsEngine: pinsEngine, timing: timing)
        self.init(SweepState(plan: plan))
    }

    init(_ state: SweepState, keepsGoing: Bool = false) {
        core = Coordinator(state: state, keepsGoing: keepsGoing, now: 0)
        replayed = state
    }

    /// One turn of the loop.
    @discardableResult
    mutating func step(_ events: Event...) -> [Effect] {
        var decided: [Record] = []
        for event in events { decided += core.handle(event, now: now) }
        decided += core.tick(now: now)
        note(decided)
        var effects = core.effects(now: now)
        // The core looks only at hosts of which it knows that something changed: no other has anything to hear.
        var other = core
        other.noteNewsOfAll()
        let rest = other.effects(now: now).filter { if case .finish = $0 { false } else { true } }
        #expect(rest.isEmpty)
        checkCounts()
        if agentsRelease {
            for host in effects.released { effects += step(.released(host: host)) }
        }
        return effects
    }

    /// What is counted as it changes is what counting gives.
    private func checkCounts() {
        let state = core.state
        for host in state.limitingRuns.indices {
            let open = state.leasesOfHost[host].flatMap { state.openRuns(of: $0, host: host) }
            #expect(state.limitingRuns[host] == open.count { state.isLimiting($0) })
        }
        let suspects = state.runs.indices.map { $0 + 1 }.filter { run in
            state[run].phase == .waiting && state.isCurrent(run) && state.isSuspect(run)
        }
        #expect(state.waitingSuspects == suspects.sorted {
            (state[$0].deaths.count, $0) < (state[$1].deaths.count, $1)
        })
        #expect(state.contested == Set(state.olderClaims.keys.filter { !state.isDoubled($0) }))
        for group in state.suspectCounts.indices {
            #expect(state.suspectCounts[group] == suspects.count { Int(state[$0].group) == group })
        }
    }

    private mutating func note(_ decided: [Record]) {
        for record in decided { replayed.apply(record) }
        records += decided
    }

    /// Time passes, in which the coordinator looks at the clock and hears of some hosts, and does nothing yet.
    mutating func pass(_ seconds: Int64, hearing hosts: [Int] = []) {
        for _ in 0..<seconds {
            now += Timing.second
            for host in hosts { note(core.handle(.heard(host: host), now: now)) }
            note(core.tick(now: now))
        }
    }

    /// Time passes in which the coordinator does not run.
    mutating func sleep(_ seconds: Int64) { now += seconds * Timing.second }

    func count(_ isMeant: (Record) -> Bool) -> Int { records.count(where: isMeant) }

    /// Leases that ended before their runs did.
    var voidCount: Int { count { if case .leaseVoided = $0 { true } else { false } } }

    static func facts(
        _ host: Int, slots: Int = 2, leases: [HeldLease] = [], boot: String? = nil, workdir: String = "/w"
    ) -> Arrival {
        Arrival(
            bootID: boot ?? "boot\(host)", hostName: boot ?? "host\(host)", workdir: workdir, slots: slots,
            memoryBytes: 1 << 34, leases: leases)
    }

    @discardableResult
    mutating func join(_ host: Int, slots: Int = 2, leases: [HeldLease] = []) -> [Effect] {
        step(.joined(host: host, Cluster.facts(host, slots: slots, leases: leases)))
    }

    /// An attempt's end. `seen` is what the agent said, `failure` what the judgement made of it.
    static func ended(
        _ run: RunNumber, lease: LeaseNumber, attempt: AttemptNumber = 1, seen: FailureClass? = nil,
        failure: FailureClass? = nil, value: String = "1", provides: Digest? = nil,
        wall: Nanoseconds = 10 * Timing.second, peak: Int64 = 0
    ) -> Judged {
        let report = AttemptReport(
            id: AttemptID(run: run, lease: lease, attempt: attempt), failure: seen ?? failure, wallNanoseconds: wall,
            peakMemoryBytes: peak)
        let blocks = ResultText("[{\"value\":\(value)}]")
        return Judged(
            report: report, failure: failure, evidence: failure?.rawValue ?? "",
            blocks: failure == nil ? blocks : nil, provides: provides)
    }

    func phase(_ run: RunNumber) -> SweepState.Run.Phase { core.state[run].phase }

    /// What an agent says that has everything which it was granted.
    func held(by host: Int) -> [HeldLease] {
        core.state.leasesOfHost[host].map { HeldLease(lease: $0, runs: core.state.openRuns(of: $0, host: host)) }
    }

    /// A host comes back as it was, and has told what it had to tell.
    @discardableResult
    mutating func comeBack(_ host: Int, slots: Int = 2) -> [Effect] {
        join(host, slots: slots, leases: held(by: host)) + step(.caughtUp(host: host))
    }

    func lease(of run: RunNumber) -> LeaseNumber? {
        if case .leased(let lease, _) = phase(run) { lease } else { nil }
    }
}

extension [Effect] {
    /// Runs granted to a host.
    func granted(to host: Int) -> [RunNumber] {
        flatMap { effect -> [RunNumber] in
            if case .grant(host, _, let grants) = effect { grants.map(\.run) } else { [] }
        }
    }

    var ending: Ending? {
        for case .finish(let ending) in self { return ending }
        return nil
    }

    /// Hosts that are told that the sweep has ended.
    var released: [Int] {
        compactMap { effect in
            if case .release(let host) = effect { host } else { nil }
        }
    }

    func acknowledged(on host: Int) -> [AttemptID] {
        flatMap { effect -> [AttemptID] in
            if case .acknowledge(host, let attempts) = effect { attempts } else { [] }
        }
    }
}
