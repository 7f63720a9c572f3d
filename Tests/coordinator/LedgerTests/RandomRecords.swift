import Model
import TestKit

/// Records in any order that a coordinator could give them, and what the runs must come to.
struct RandomRecords {
    private struct Run {
        var state: RunState?
        var failure: FailureClass?
        var attempts: [AttemptNumber] = []
        /// By attempt.
        var leases: [AttemptNumber: LeaseNumber] = [:]
        /// The attempt that decided; 0: none.
        var decision = 0
        var next = 1
    }

    private var chance: Chance
    private var runs: [Run]
    private var hosts: [String] = []
    private var leases: [(host: String, isVoid: Bool)] = []
    private var revisions = 1
    private var order: [RunNumber]
    /// Which runs have a place.
    var places: Set<RunNumber> { Set(order) }

    init(seed: UInt64, runs count: Int) {
        chance = Chance(seed: seed)
        runs = Array(repeating: Run(), count: count)
        order = Array(1...count)
    }

    /// States by run, from run 1.
    var states: [RunState?] { runs.map(\.state) }
    var failures: [FailureClass?] { runs.map(\.failure) }
    var attempts: [Int] { runs.map(\.attempts.count) }

    mutating func next() -> Model.Record {
        while true {
            if let record = candidate() { return record }
        }
    }

    private mutating func candidate() -> Model.Record? {
        switch Int.random(in: 0..<22, using: &chance) {
        case 0:
            let host = "h\(Int.random(in: 0..<4, using: &chance))"
            if !hosts.contains(host) { hosts.append(host) }
            return Sample.seen(host)
        case 1: return .pinned(name: "engine", digest: SHA256.digest("\(chance.next())"))
        case 2...5: return grant()
        case 6: return void()
        case 7...12: return end()
        case 13: return fence()
        case 14...16: return decide()
        case 17: return reopen()
        case 18:
            let (reason, isRefused) = ("\(chance.next())", Bool.random(using: &chance))
            return hosts.randomElement(using: &chance).map { host in
                isRefused ? .hostRefused(host: host, reason: reason) : .hostPaused(host: host, reason: reason)
            }
        case 19: return unusual()
        case 20: return judgeAgain()
        default: return .sweepStopped(reason: "signal")
        }
    }

    /// What concerns all runs.
    private mutating func unusual() -> Model.Record {
        switch Int.random(in: 0..<6, using: &chance) {
        case 0:
            for run in runs.indices { (runs[run].state, runs[run].failure, runs[run].attempts) = (nil, nil, []) }
            for lease in leases.indices { leases[lease].isVoid = true }
            return .repinned(reason: "\(chance.next())")
        case 1:
            for lease in leases.indices { leases[lease].isVoid = true }
            return .restored(reason: "\(chance.next())")
        default:
            revisions += 1
            order = (1...runs.count).filter { _ in Int.random(in: 0..<4, using: &chance) > 0 }.shuffled(using: &chance)
            var list = RunList()
            for run in order { list.append(run) }
            return .revised(
                Revision(number: revisions, specification: "\(revisions)", runs: list, madeAt: Int64(revisions)))
        }
    }

    private mutating func run(where fits: (Run) -> Bool) -> RunNumber? {
        runs.indices.filter { fits(runs[$0]) }.randomElement(using: &chance).map { $0 + 1 }
    }

    private mutating func grant() -> Model.Record? {
        guard let host = hosts.randomElement(using: &chance), let run = run(where: { $0.state == nil }) else {
            return nil
        }
        leases.append((host, false))
        defer { runs[run - 1].next += 3 }
        return Sample.granted(leases.count, host, [run], first: runs[run - 1].next)
    }

    private mutating func void() -> Model.Record? {
        let holding = leases.indices.filter { !leases[$0].isVoid }
        guard let index = holding.randomElement(using: &chance) else { return nil }
        leases[index].isVoid = true
        return .leaseVoided(lease: index + 1, reason: "gone")
    }

    private mutating func end() -> Model.Record? {
        guard let index = leases.indices.randomElement(using: &chance), let run = run(where: { $0.state == nil }) else {
            return nil
        }
        runs[run - 1].next += 1
        let attempt = runs[run - 1].next
        runs[run - 1].attempts.append(attempt)
        runs[run - 1].leases[attempt] = index + 1
        let failure = Bool.random(using: &chance) ? FailureClass.allCases.randomElement(using: &chance) : nil
        return Sample.ended(run, lease: index + 1, attempt: attempt, host: leases[index].host, failure: failure)
    }

    private mutating func fence() -> Model.Record? {
        guard let index = leases.indices.randomElement(using: &chance) else { return nil }
        let run = Int.random(in: 1...runs.count, using: &chance)
        let report = Sample.report(run, lease: index + 1, attempt: 1)
        let agrees: Bool? = [nil, true, false].randomElement(using: &chance) ?? nil
        return .attemptFenced(report, host: leases[index].host, agrees: agrees)
    }

    private mutating func decide() -> Model.Record? {
        guard let run = run(where: { $0.state == nil }),
            let state = RunState.allCases.randomElement(using: &chance)
        else { return nil }
        let attempt = runs[run - 1].attempts.randomElement(using: &chance) ?? 0
        let failure: FailureClass? = state == .succeeded ? nil : .timeout
        runs[run - 1].state = state
        runs[run - 1].failure = failure
        runs[run - 1].decision = attempt
        return .runEnded(run: run, state: state, failure: failure, attempt: attempt)
    }

    private mutating func judgeAgain() -> Model.Record? {
        guard let run = run(where: { $0.state != nil && $0.decision > 0 }) else { return nil }
        let (attempt, isGood) = (runs[run - 1].decision, Bool.random(using: &chance))
        guard let lease = runs[run - 1].leases[attempt] else { return nil }
        runs[run - 1].state = isGood ? .succeeded : .quarantined
        runs[run - 1].failure = isGood ? nil : .contractBroken
        return .judgedAgain(
            AttemptID(run: run, lease: lease, attempt: attempt), failure: runs[run - 1].failure, evidence: "now",
            blocks: isGood ? ResultText("[{\"value\":7}]") : nil)
    }

    private mutating func reopen() -> Model.Record? {
        guard let run = run(where: { $0.state != nil }) else { return nil }
        runs[run - 1].state = nil
        runs[run - 1].failure = nil
        return .runReopened(run: run, reason: "asked for")
    }
}
