import CoordinatorRuntime
import Engines
public import Model
import Ports
import Storage
import SweepCore

/// How large a cluster and its sweep are.
public struct LargeSize: Sendable {
    public var hosts = 1_000
    public var slots = 64
    public var runs = 1_000_000
    /// Lengths of runs are lognormal: half of them are shorter than this.
    public var medianLength: Nanoseconds = 600 * Timing.second
    /// The standard deviation of the lengths' natural logarithm.
    public var spread = 0.5
    /// The part of the hosts that loses its power in an hour.
    public var failuresPerHour = 0.01
    /// For how long a host is down then.
    public var downTime: Nanoseconds = 600 * Timing.second

    public init() {}
}

/// What came of a large sweep.
public struct LargeReport: Sendable {
    /// What was wrong; nil: every run was merged once, and succeeded.
    public var problem: String?
    /// Of the slots of living hosts, the part that was busy from the start of the command until nothing waited any
    /// more, averaged over that time.
    public var busy: Double
    /// How long that was, and how long the whole sweep took.
    public var untilLastWave: Nanoseconds
    public var virtualTime: Nanoseconds
    public var hostFailures: Int
    /// Attempts that were lost with their hosts.
    public var lost: Int
    public var coordinatorSteps: Int
    public var records: Int
    /// The processor's time that the coordinator's loop took, in seconds, and that of its longest step.
    public var loopSeconds: Double
    public var longestStep: Double
    /// What it took beside its loop, in seconds: looking for artifacts, judging.
    public var besideSeconds: Double
}

/// Many hosts and a sweep that takes hours, for seeing whether slots stay busy and what the coordinator costs.
///
/// Real: the coordinator with its loop, links, bootstrap, messages, transfers and judgement, and on each host the
/// agent's core and the supervisor's core, which speak with the coordinator in frames. Modelled: the network (a
/// constant delay a host), the ledger (nothing is kept but what has to be counted; a commit takes the time that
/// `ops/bench/ledger` demands of the real one), the files of the hosts (what is written is there at once and survives
/// a reboot), and the programs (a time; the same result from all, so that the coordinator keeps one object). There
/// are no faults but hosts that lose their power, of which nobody is told.
public final class LargeCluster {
    let size: LargeSize
    let seed: UInt64
    let world = World(trace: Trace(isOn: false))
    private var chance: Chance
    private let ledger: TallyLedger
    private let inbox = Inbox()
    private let workshop = LargeWorkshop()
    private let loop: CoordinatorLoop
    /// What a step puts on its way to hosts, with the delay: the network's time is not the coordinator's.
    private var leaving: [(delay: Nanoseconds, action: () -> Void)] = []
    private(set) var hosts: [LargeHost] = []
    private var alarm: Alarm?
    private let readClock: () -> Double
    private var report = LargeReport(
        problem: nil, busy: 0, untilLastWave: 0, virtualTime: 0, hostFailures: 0, lost: 0, coordinatorSteps: 0,
        records: 0, loopSeconds: 0, longestStep: 0, besideSeconds: 0)
    private var ending: Ending?
    private var busyUntil: Nanoseconds = 0
    private var meter: SlotMeter
    static let result = Array("{\"value\": 1}\n".utf8)

    /// What the ledger takes for a batch and for each of its records (5,000 a second).
    private static let commitTime: Nanoseconds = 5_000_000
    private static let recordTime: Nanoseconds = 200_000

    /// - Parameter readClock: the processor's time that this process has taken, in seconds.
    public init(_ size: LargeSize, seed: UInt64, readClock: @escaping () -> Double) throws {
        self.size = size
        self.seed = seed
        self.readClock = readClock
        chance = Chance(seed: seed, stream: 1)
        meter = SlotMeter(slots: size.slots, living: size.hosts)
        ledger = TallyLedger(runs: size.runs)
        var sweep = Sweep(
            name: "large", engine: "command",
            settings: .object([
                JSON.Member("command", .array([.string("./run.sh"), .string("{x}")])),
                JSON.Member("results", .string("results.json")),
            ]))
        sweep.axes = [Axis(name: "x", values: (1...size.runs).map(String.init))]
        sweep.metrics = ["value"]
        let inventory = (1...size.hosts).map { number in
            Host(target: HostTarget(name: "h\(number)"), slots: size.slots, memoryBytes: 256 << 30)
        }
        let engine = CommandEngine(sweep)
        var plan = Plan(
            groups: [Plan.Group(runs: 1..<size.runs + 1)], hosts: inventory.map(\.name),
            maximumFailures: sweep.attempts, agentRetries: engine.descriptor.agentRetries,
            pinsEngine: engine.descriptor.binary != nil)
        plan.hasSecondStarts = sweep.hasSecondStarts
        let setting = Setting(
            sweepID: "large-1", hosts: inventory, agentBinary: Array("agent".utf8), engine: engine,
            points: try Points(sweep, recipe: sweep.recipe), sweep: sweep, runs: RunList(1..<size.runs + 1),
            setups: [], timing: plan.timing, checkpoints: nil)
        let files = SimulatedFiles(
            Disk(seed: seed, stream: 9), life: Life(role: Role(name: "coordinator", death: nil)), world: world,
            who: "coordinator")
        let store = try ObjectStore(root: "/objects", files: files)
        _ = try store.publish(LargeCluster.result)
        let network = LargeTransport()
        loop = CoordinatorLoop(
            core: Coordinator(state: SweepState(plan: plan), now: 0), setting: setting, ledger: ledger, store: store,
            transport: network, inbox: inbox, workshop: workshop,
            time: LargeTime(world: world))
        hosts = (0..<size.hosts).map { LargeHost($0, self) }
        network.cluster = self
    }

    public func run() -> LargeReport {
        alarm = Alarm(world, ring: { [unowned self] in step() }, spins: {})
        for host in hosts { planFailure(of: host) }
        wake()
        while ending == nil, report.problem == nil, world.step(before: 100 * 86_400 * Timing.second) {}
        report.virtualTime = world.now
        report.busy = meter.busyPart
        report.records = ledger.count
        if report.problem == nil { report.problem = ledger.problem ?? wrongEnding }
        world.clear()
        return report
    }

    private var wrongEnding: String? {
        if ending != .complete(allSucceeded: true) { return "the sweep ended otherwise: \(String(describing: ending))" }
        return ledger.succeededCount == size.runs ? nil : "\(ledger.succeededCount) of \(size.runs) runs succeeded"
    }

    // MARK: The coordinator

    func put(_ event: StreamEvent, _ observer: (StreamEvent) -> Void) {
        observer(event)
        wake()
    }

    private func wake() { alarm?.set(after: max(100_000, busyUntil - world.now)) }

    func leave(after delay: Nanoseconds, _ action: @escaping () -> Void) { leaving.append((delay, action)) }

    private func step() {
        let before = (clock: readClock(), records: ledger.count)
        do {
            ending = try loop.turn(inbox.take(timeout: 0))
        } catch {
            report.problem = "\(error)"
        }
        let end = readClock()
        report.loopSeconds += end - before.clock
        report.longestStep = max(report.longestStep, end - before.clock)
        report.coordinatorSteps += 1
        if workshop.hasWork {
            workshop.work(for: inbox)
            report.besideSeconds += readClock() - end
            wake()
        }
        for (delay, action) in leaving { world.after(delay, action) }
        leaving.removeAll(keepingCapacity: true)
        let records = ledger.count - before.records
        if records > 0 { busyUntil = world.now + LargeCluster.commitTime + Int64(records) * LargeCluster.recordTime }
        if meter.isOn, loop.core.state.readyCount == 0 {
            meter.stop(world.now)
            report.untilLastWave = world.now
        }
        let deadline = max(loop.core.nextDeadline(now: world.now), busyUntil)
        alarm?.set(after: max(deadline - world.now, 100_000))
    }

    // MARK: Hosts

    private func planFailure(of host: LargeHost) {
        guard size.failuresPerHour > 0 else { return }
        let hours = -Libm.log(1 - chance.unit()) / size.failuresPerHour
        let delay = Nanoseconds(min(hours, 100_000) * 3_600e9)
        world.after(delay) { [unowned self] in
            report.hostFailures += 1
            report.lost += host.runningCount
            meter.change(world.now, running: -host.runningCount, living: -1)
            host.fail()
            world.after(size.downTime) { [unowned self] in
                meter.change(world.now, living: 1)
                host.boot()
                planFailure(of: host)
            }
        }
    }

    func programsChanged(by count: Int) { meter.change(world.now, running: count) }

    /// The same for all attempts at a run.
    func length(of run: RunNumber) -> Nanoseconds {
        var chance = Chance(seed: seed, stream: 1_000 + UInt64(run))
        return Nanoseconds(Double(size.medianLength) * Libm.exp(size.spread * chance.normal()))
    }
}

/// How many of the slots of living hosts are busy, over time.
private struct SlotMeter {
    private let slots: Int
    private var living: Int
    private var running = 0
    private var since: Nanoseconds = 0
    private var busy = 0.0
    private var all = 0.0
    private(set) var isOn = true

    init(slots: Int, living: Int) {
        self.slots = slots
        self.living = living
    }

    var busyPart: Double { all > 0 ? busy / all : 0 }

    mutating func change(_ now: Nanoseconds, running: Int = 0, living: Int = 0) {
        add(now)
        self.running += running
        self.living += living
    }

    mutating func stop(_ now: Nanoseconds) {
        add(now)
        isOn = false
    }

    private mutating func add(_ now: Nanoseconds) {
        guard isOn else { return }
        busy += Double(now - since) * Double(running)
        all += Double(now - since) * Double(living * slots)
        since = now
    }
}

/// Keeps of the records only what has to be known at the end.
private final class TallyLedger: LedgerStore, @unchecked Sendable {
    private var hasSucceeded: [Bool]
    private(set) var succeededCount = 0
    private(set) var count = 0
    private(set) var problem: String?

    init(runs: Int) { hasSucceeded = Array(repeating: false, count: runs + 1) }

    func commit(_ records: [Record]) throws {
        count += records.count
        for case .runEnded(let run, let state, _, _) in records {
            if state != .succeeded { problem = problem ?? "run \(run) ended \(state.rawValue)" }
            if hasSucceeded[run] { problem = problem ?? "run \(run) was merged twice" }
            hasSucceeded[run] = true
            succeededCount += 1
        }
    }
}

/// Does what is handed in after the step, so that its time is told apart.
private final class LargeWorkshop: Workshop, @unchecked Sendable {
    private var tasks: [@Sendable () throws -> Finished] = []

    var hasWork: Bool { !tasks.isEmpty }

    func hand(in lane: Lane, _ work: @escaping @Sendable () throws -> Finished) { tasks.append(work) }

    func work(for inbox: Inbox) {
        for task in tasks { inbox.put(.finished(Result { try task() })) }
        tasks.removeAll(keepingCapacity: true)
    }
}

private final class LargeTime: TimeSource, @unchecked Sendable {
    private let world: World

    init(world: World) { self.world = world }

    // The core's beginning of time lies before its first step.
    func monotonic() -> Nanoseconds { world.now }
    func wall() -> Nanoseconds { 1_700_000_000 * Timing.second + world.now }
}
