import CoordinatorRuntime
import Engines
public import Model
import SweepCore

/// What is simulated: the cluster, the sweep, and what may go wrong.
public struct Scenario: Sendable {
    public var name: String
    public var hosts: Int
    public var points: Int
    public var slots: Int
    public var hostMemory: Int64 = 8 << 30
    public var memoryPerRun: Int64?
    enum Fates {
        case healthy
        /// One run in four has another one than a healthy one.
        case some
        /// One run kills its hosts, the others are healthy.
        case oneKiller
        /// Each run has the next one.
        case all
    }

    /// How long programs run on average; each seed takes one of them.
    public var durations: [Nanoseconds]
    /// Which fates runs have.
    var fates: Fates
    /// How many faults, at most.
    var faults: Int
    /// Which; nil: all.
    var kinds: [Fault]?
    /// Until when faults begin.
    var faultsUntil: Nanoseconds
    /// After how many failures in a row the sweep is paused; nil: never.
    var stopAfter: Int?
    /// In how much time the sweep has to end when nothing goes wrong any more.
    var patience: Nanoseconds
    /// What a run takes of its host, and what each host has a few of.
    var needs = RunNeeds()
    var resources: [CountedResource] = []
    /// Whether idle slots begin runs a second time; then each host is slower than the one before.
    var hasSecondStarts = false
    /// Every so many-th run is audited; 0: none is.
    var auditedEvery = 0
    /// Whether one of the hosts gives wrong numbers.
    var hasLiar = false
    /// Whether another user's agent is on each host as well.
    var hasNeighbours = false
    /// How often hosts read again what they keep; nil: never.
    var scrubRound: Nanoseconds?
    /// Whether somebody retries what a damaged input quarantined, until nothing is.
    var retriesDamaged = false
    /// Large inputs of all runs, which hosts give to one another; 0: there are none, and hosts do not.
    var sharedInputs = 0
    /// Whether runs start from a checkpoint, which one more run makes, and have so many inputs that these go as a list:
    /// then leases are written beside the loop.
    var hasLongGrants = false

    /// 3 hosts, 20 points, faults of every kind.
    public static let standard = Scenario(
        name: "standard", hosts: 3, points: 20, slots: 2, memoryPerRun: 3 << 30,
        durations: [200_000_000, 2 * Timing.second, 8 * Timing.second, 8 * Timing.second], fates: .some, faults: 12,
        faultsUntil: 90 * Timing.second, stopAfter: 2, patience: 12_000 * Timing.second)

    /// The same without faults.
    public static let calm = Scenario(
        name: "calm", hosts: 3, points: 20, slots: 2, memoryPerRun: 3 << 30, durations: [8 * Timing.second],
        fates: .healthy, faults: 0, faultsUntil: 0, patience: 600 * Timing.second)

    /// 2 hosts, 3 points, nothing goes wrong but what is asked for.
    public static let small = Scenario(
        name: "small", hosts: 2, points: 3, slots: 1, durations: [4 * Timing.second], fates: .healthy, faults: 0,
        faultsUntil: 0, patience: 600 * Timing.second)

    /// The same with programs that fail, hang and fork: four seeds in a row have every fate.
    public static let knotty = Scenario(
        name: "knotty", hosts: 2, points: 3, slots: 1, durations: [4 * Timing.second], fates: .all, faults: 0,
        faultsUntil: 0, patience: 1_200 * Timing.second)

    /// What makes hosts silent that are well.
    private static let silences: [Fault] = [
        .linkIsCut, .coordinatorStandsStill, .hostLocks, .networkStalls, .connectionBreaks, .coordinatorDies,
        .agentDies,
        .cancelRun,
    ]

    /// 1 host: nobody else could do its runs.
    public static let lone = Scenario(
        name: "lone", hosts: 1, points: 6, slots: 2, durations: [90 * Timing.second], fates: .healthy, faults: 8,
        kinds: silences, faultsUntil: 300 * Timing.second, patience: 20_000 * Timing.second)

    /// 3 hosts that have more to do than the silences last.
    public static let busy = Scenario(
        name: "busy", hosts: 3, points: 60, slots: 2, durations: [90 * Timing.second], fates: .healthy, faults: 8,
        kinds: silences, faultsUntil: 300 * Timing.second, patience: 20_000 * Timing.second)

    /// 3 hosts, most of whose slots have nothing to do.
    public static let idle = Scenario(
        name: "idle", hosts: 3, points: 3, slots: 2, durations: [400 * Timing.second], fates: .healthy, faults: 8,
        kinds: silences, faultsUntil: 300 * Timing.second, patience: 20_000 * Timing.second)

    /// The standard one with hosts that have room for less than their slots, by what a run takes.
    public static let narrow = Scenario(
        name: "narrow", hosts: 3, points: 20, slots: 7, memoryPerRun: 1 << 30,
        durations: [200_000_000, 2 * Timing.second, 8 * Timing.second], fates: .some, faults: 12,
        faultsUntil: 90 * Timing.second, patience: 12_000 * Timing.second,
        needs: RunNeeds(cores: 2, resources: [CountedResource("gpu", 1)]), resources: [CountedResource("gpu", 2)])

    /// 2 hosts, one run that kills them.
    public static let killer = Scenario(
        name: "killer", hosts: 2, points: 12, slots: 4, durations: [8 * Timing.second], fates: .oneKiller, faults: 2,
        kinds: [.connectionBreaks, .coordinatorDies, .agentDies], faultsUntil: 60 * Timing.second,
        patience: 12_000 * Timing.second)

    /// 2 hosts that lose what they wrote, and coordinators that die.
    public static let forgetful = Scenario(
        name: "forgetful", hosts: 2, points: 20, slots: 2,
        durations: [200_000_000, 2 * Timing.second, 8 * Timing.second], fates: .some, faults: 40,
        kinds: [.hostIsCleaned, .hostReboots, .supervisorDies, .connectionBreaks, .coordinatorDies, .programIsKilled],
        faultsUntil: 90 * Timing.second, patience: 12_000 * Timing.second)

    /// 4 hosts that share their inputs, some of which lie, cannot be reached, or die.
    public static let sharing = Scenario(
        name: "sharing", hosts: 4, points: 12, slots: 1, durations: [200_000_000, 2 * Timing.second], fates: .healthy,
        faults: 12,
        kinds: [
            .peersLie, .peersVanish, .agentDies, .hostReboots, .connectionBreaks, .coordinatorDies, .hostDiskFills,
            .networkStalls, .hostIsRenewed, .hostIsCleaned,
        ], faultsUntil: 30 * Timing.second, patience: 4_000 * Timing.second, sharedInputs: 6)

    /// 5 hosts that share their inputs, and nothing goes wrong.
    public static let spreading = Scenario(
        name: "spreading", hosts: 5, points: 10, slots: 1, durations: [2 * Timing.second], fates: .healthy, faults: 0,
        faultsUntil: 0, patience: 600 * Timing.second, sharedInputs: 8)

    /// 4 hosts, each slower than the one before, whose idle slots begin runs a second time; some runs fail.
    public static let tail = Scenario(
        name: "tail", hosts: 4, points: 24, slots: 2, durations: [10 * Timing.second], fates: .some, faults: 8,
        kinds: silences + [.hostReboots, .programIsKilled, .supervisorDies, .hostSickens],
        faultsUntil: 200 * Timing.second,
        patience: 12_000 * Timing.second, hasSecondStarts: true)

    /// 3 hosts on which somebody else runs things, too.
    public static let crowded = Scenario(
        name: "crowded", hosts: 3, points: 30, slots: 4, durations: [2 * Timing.second, 8 * Timing.second],
        fates: .some, faults: 8, kinds: silences + [.hostReboots, .supervisorDies, .programIsKilled],
        faultsUntil: 90 * Timing.second, patience: 12_000 * Timing.second, hasNeighbours: true)

    /// 4 hosts, one of which gives wrong numbers, and audits.
    public static let auditing = Scenario(
        name: "auditing", hosts: 4, points: 24, slots: 2,
        durations: [200_000_000, 2 * Timing.second, 8 * Timing.second], fates: .healthy, faults: 8,
        kinds: silences + [
            .hostReboots, .programIsKilled, .supervisorDies, .hostIsCleaned, .retry, .coordinatorHostCrashes,
        ], faultsUntil: 60 * Timing.second, patience: 12_000 * Timing.second, auditedEvery: 4, hasLiar: true)

    /// 3 hosts on whose disks inputs are damaged, and that read them again; what was made with them is done again.
    public static let decaying = Scenario(
        name: "decaying", hosts: 3, points: 36, slots: 2, durations: [2 * Timing.second, 8 * Timing.second],
        fates: .healthy, faults: 20,
        kinds: Array(repeating: .inputIsDamaged, count: 6) + [
            .agentDies, .coordinatorDies, .coordinatorHostCrashes, .supervisorDies, .connectionBreaks, .hostReboots,
            .retry,
        ], faultsUntil: 40 * Timing.second, patience: 12_000 * Timing.second, scrubRound: 10 * Timing.second,
        retriesDamaged: true, sharedInputs: 3)

    /// 3 hosts whose leases are written beside the loop, and what makes them void meanwhile.
    public static let warmed = Scenario(
        name: "warmed", hosts: 3, points: 20, slots: 2, durations: [200_000_000, 2 * Timing.second, 8 * Timing.second],
        fates: .healthy, faults: 12,
        kinds: silences + [.retry, .coordinatorHostCrashes, .hostReboots, .supervisorDies],
        faultsUntil: 60 * Timing.second, patience: 12_000 * Timing.second, hasLongGrants: true)

    public static let all = [
        standard, calm, small, knotty, lone, busy, idle, narrow, killer, forgetful, sharing, spreading, tail, crowded,
        auditing, decaying, warmed,
    ]

    var timing: Timing { Timing() }
}

/// What a scenario gives a coordinator to work on; made once, used for every seed.
public struct Prepared: @unchecked Sendable {
    let scenario: Scenario
    let setting: Setting
    let plan: Plan
    let inputs: [[UInt8]]

    public init(_ scenario: Scenario) throws {
        self.scenario = scenario
        let script = Array("#!/bin/sh\n".utf8) + [UInt8](repeating: 35, count: 700)
        let large = Prepared.large(scenario.sharedInputs)
        inputs = [script] + large
        var sweep = Sweep(
            name: "simulated", engine: "command",
            settings: .object([
                JSON.Member("command", .array([.string("./run.sh"), .string("{x}")])),
                JSON.Member("results", .string("results.json")),
            ]))
        sweep.axes = [Axis(name: "x", values: (1...scenario.points).map(String.init))]
        sweep.metrics = ["value"]
        sweep.limits.job = JobLimits(
            time: max(200 * Timing.second, 10 * (scenario.durations.max() ?? 0)), stall: 60 * Timing.second,
            memoryBytes: scenario.memoryPerRun)
        sweep.inputs = [
            InputFile(
                path: "run.sh", source: "/none", digest: SHA256.digest(script), size: Int64(script.count),
                isExecutable: true)
        ]
        sweep.inputs += large.enumerated().map { number, bytes in
            InputFile(
                path: "large\(number)", source: "/none", digest: SHA256.digest(bytes), size: Int64(bytes.count),
                isExecutable: false)
        }
        sweep.needs = scenario.needs
        if scenario.hasLongGrants {
            sweep.workloads = [WarmedEngine.workload]
            Prepared.addLinks(to: script, &sweep)
        }
        let engine: any Engine = scenario.hasLongGrants ? WarmedEngine(sweep) : CommandEngine(sweep)
        let hosts = (1...scenario.hosts).map { number in
            var host = Host(
                target: HostTarget(name: "h\(number)"), slots: scenario.slots, memoryBytes: scenario.hostMemory)
            host.resources = scenario.resources
            if scenario.sharedInputs > 0 { host.sharing = HostSharing(address: "192.0.2.\(number)") }
            return host
        }
        var groups = [Plan.Group(runs: 1..<scenario.points + 1)]
        var setups: [Setting.Setup] = []
        if scenario.hasLongGrants {
            let pin = "checkpoint:\(WarmedEngine.workload)"
            setups = [Setting.Setup(WarmedEngine.setup, pin: pin)]
            groups[0].requires = pin
            groups.append(Plan.Group(runs: scenario.points + 1..<scenario.points + 2, provides: pin))
        }
        var plan = Plan(
            groups: groups, hosts: hosts.map(\.name),
            maximumFailures: sweep.attempts, agentRetries: engine.descriptor.agentRetries,
            stopAfter: scenario.stopAfter,
            memory: scenario.memoryPerRun.map { .fixed($0) } ?? .uncounted,
            pinsEngine: engine.descriptor.binary != nil, timing: scenario.timing)
        plan.needs = scenario.needs
        plan.hasSecondStarts = scenario.hasSecondStarts
        if scenario.auditedEvery > 0 {
            plan.audited = Set(stride(from: 1, through: scenario.points, by: scenario.auditedEvery))
        }
        plan.resources = hosts.map(\.resources)
        self.plan = plan
        setting = Setting(
            sweepID: "simulated-1", hosts: hosts, agentBinary: Array("agent".utf8), engine: engine,
            points: try Points(sweep, recipe: sweep.recipe), sweep: sweep,
            runs: RunList(1..<scenario.points + 1 + setups.count), setups: setups, timing: scenario.timing,
            checkpoints: nil, holder: "simulated",
            sharingKey: [UInt8](repeating: 1, count: 32))
    }

    /// The same file under so many long names that a job does not hold them.
    private static func addLinks(to script: [UInt8], _ sweep: inout Sweep) {
        sweep.inputs += (0..<80).map { number in
            InputFile(
                path: "\(String(repeating: "long", count: 40))-\(number)", source: "/none",
                digest: SHA256.digest(script), size: Int64(script.count), isExecutable: false)
        }
    }

    /// Files of some pieces each.
    private static func large(_ count: Int) -> [[UInt8]] {
        var chance = Chance(seed: 11, stream: 12)
        return (0..<count).map { _ in
            (0..<chance.within(100_000...300_000)).map { _ in UInt8(truncatingIfNeeded: chance.next()) }
        }
    }
}
