import AgentCore
import AgentRuntime
import Model
import Ports
import SweepCore

/// What the simulated simulator does with a run.
enum Fate: String, CaseIterable {
    /// Leaves its result and ends with 0.
    case healthy
    /// The first two attempts end with status 1.
    case failsTwice
    case alwaysFails
    /// The first attempt dies of a signal.
    case crashesOnce
    /// Never ends by itself, and works on; the time limit ends it.
    case hangs
    /// Never ends by itself, and shows no sign of work.
    case stalls
    /// Ends with 0 and leaves no result.
    case leavesNothing
    /// Another result each time.
    case isFickle
    /// Starts a process that outlives it.
    case forks
    /// Takes no notice of SIGTERM.
    case isStubborn
    /// Leaves a large file beside its result.
    case leavesMuch
    /// Its host loses its power soon after each start.
    case killsHost

    /// What a run may be among healthy ones.
    static let ordinary = allCases.filter { $0 != .killsHost }
}

/// The simulated programs of one host.
final class Programs {
    /// One started program, with all of its processes.
    final class Program {
        let key: AttemptKey
        let launch: Launch
        let fate: Fate
        /// Its leader runs.
        var leads = true
        /// A process that it started runs on.
        var hasChild = false
        let startedAt: Nanoseconds
        var end: ProcessExit.Cause?
        /// Nobody will ever reap it.
        var isOrphan = false

        init(key: AttemptKey, launch: Launch, fate: Fate, startedAt: Nanoseconds) {
            self.startedAt = startedAt
            self.key = key
            self.launch = launch
            self.fate = fate
        }

        var runs: Bool { leads || hasChild }
    }

    unowned(unsafe) var host: SimulatedHost?
    private let seed: UInt64
    private let scenario: Scenario
    private var chance: Chance
    private let meanDuration: Nanoseconds
    /// In the order of their start.
    private(set) var all: [Program] = []
    private var executions = 0

    init(host: Int, seed: UInt64, scenario: Scenario) {
        self.seed = seed
        self.scenario = scenario
        chance = Chance(seed: seed, stream: 300 + UInt64(host))
        var shared = Chance(seed: seed, stream: 3)
        meanDuration = shared.pick(scenario.durations)
    }

    /// The same for all attempts at a run.
    static func fate(of run: RunNumber, seed: UInt64, scenario: Scenario) -> Fate {
        switch scenario.fates {
        case .healthy: return .healthy
        case .some:
            if run == killer(seed: seed, scenario: scenario, oneIn: 8) { return .killsHost }
            var chance = Chance(seed: seed, stream: 1_000 + UInt64(run))
            return chance.oneIn(4) ? chance.pick(Fate.ordinary) : .healthy
        case .oneKiller: return run == killer(seed: seed, scenario: scenario, oneIn: 1) ? .killsHost : .healthy
        case .all:
            let place = seed &* UInt64(scenario.points) &+ UInt64(run)
            return Fate.ordinary[Int(place % UInt64(Fate.ordinary.count))]
        }
    }

    /// The one run of a seed that kills its hosts, in so many seeds; 0: none does.
    private static func killer(seed: UInt64, scenario: Scenario, oneIn: Int) -> RunNumber {
        var chance = Chance(seed: seed, stream: 4)
        return chance.oneIn(oneIn) ? 1 + chance.below(scenario.points) : 0
    }

    func start(_ key: AttemptKey, _ launch: Launch) throws(SpawnProblem) {
        guard let host else { throw SpawnProblem(step: "spawn", reason: "no host") }
        if host.isSick, chance.oneIn(2) { throw SpawnProblem(step: "exec", reason: "Exec format error") }
        guard host.disk.names[launch.folder] != nil else {
            throw SpawnProblem(step: "chdir", reason: "No such file or directory")
        }
        let fate = Programs.fate(of: key.id.run, seed: seed, scenario: scenario)
        let program = Program(key: key, launch: launch, fate: fate, startedAt: host.world.now)
        all.append(program)
        executions += 1
        host.world.say(host.name, "starts \(key) (\(fate.rawValue))")
        host.world.counts.note("fate: \(fate.rawValue)")
        host.watch.programStarted(host, program)
        write(program, "stdout.txt", "attempt \(key.id.attempt) of run \(key.id.run) under \(key.id.lease)\n")
        write(program, "stderr.txt", "")
        if fate == .killsHost {
            host.world.after(chance.within(2_000_000_000...6_000_000_000)) { [self] in killHost(program) }
        } else if fate != .hangs, fate != .stalls {
            host.world.after(duration(program, host)) { [self] in finish(program) }
        }
    }

    private func killHost(_ program: Program) {
        guard program.leads, let host, let network = host.network else { return }
        host.watch.promises.hostKilled(by: program.key.id.run)
        host.reboot(downFor: chance.within(2...20) * Timing.second, network: network)
    }

    private func duration(_ program: Program, _ host: SimulatedHost) -> Nanoseconds {
        if host.isSick { return Timing.second / 10 }
        let spread = 0.25 + 3 * chance.unit() * chance.unit()
        let usual: Nanoseconds = scenario.hasSecondStarts ? Nanoseconds(1 + host.index) : 1
        return Nanoseconds(spread * Double(meanDuration)) * host.slowness * usual
    }

    @discardableResult
    private func write(_ program: Program, _ name: String, _ text: String) -> Bool {
        write(program, name, Array(text.utf8))
    }

    @discardableResult
    private func write(_ program: Program, _ name: String, _ bytes: [UInt8]) -> Bool {
        guard let host, host.disk.names[program.launch.folder] != nil else { return false }
        let path = "\(program.launch.folder)/\(name)"
        guard !host.disk.isFull || bytes.isEmpty else { return false }
        if host.disk.names[path] == nil { host.disk.add(path, Disk.Node(isFolder: false, mode: 0o600)) }
        if let node = host.disk.names[path] { host.disk.write(node, at: 0, bytes) }
        return true
    }

    // MARK: Ends

    private func finish(_ program: Program) {
        guard program.leads, let host else { return }
        if host.isSick { return end(program, .status(1)) }
        switch program.fate {
        case .failsTwice where program.key.id.attempt <= 2, .alwaysFails:
            write(program, "stderr.txt", "it does not work\n")
            return end(program, .status(1))
        case .crashesOnce where program.key.id.attempt == 1: return end(program, .signal(11))
        case .leavesNothing: return end(program, .status(0))
        case .forks: program.hasChild = true
        case .leavesMuch:
            // One in three is more than one piece of a transfer: such files take most of the processor's time.
            let run = program.key.id.run
            let size = run % 3 == 0 ? 100_000 : 5_000
            write(program, "trace.bin", [UInt8](repeating: UInt8(truncatingIfNeeded: run), count: size))
        case .healthy, .failsTwice, .crashesOnce, .hangs, .stalls, .isFickle, .isStubborn, .killsHost: break
        }
        let truth = program.fate == .isFickle ? "\(program.key.id.run).\(executions)" : "\(program.key.id.run)"
        let isWrong = host.lies || host.watch.damages.isSpoilt(program.key.id)
        let value = isWrong ? "-\(truth)" : truth
        guard write(program, "results.json", "{\"value\": \(value)}\n") else {
            write(program, "stderr.txt", "")
            return end(program, .status(1))
        }
        host.watch.programLeft(host, program, value: value)
        end(program, .status(0))
    }

    private func end(_ program: Program, _ cause: ProcessExit.Cause) {
        program.leads = false
        program.end = cause
        host?.world.say(host?.name ?? "", "\(program.key) ends: \(cause)")
        if program.isOrphan { bury() } else { host?.supervisor?.childHasEnded() }
    }

    /// A signal to the leader's session.
    func signal(_ key: AttemptKey, isFinal: Bool) {
        for program in all where program.key == key && program.leads && !program.isOrphan {
            host?.world.say(host?.name ?? "", "\(key) gets \(isFinal ? "SIGKILL" : "SIGTERM")")
            if !isFinal, program.fate == .isStubborn { continue }
            if host?.canary == .ignoreKill { continue }
            if isFinal { program.hasChild = false }
            end(program, .signal(isFinal ? 9 : 15))
        }
    }

    /// The kernel or somebody else ends one of those that run.
    func strike(_ signal: Int, memory: Bool) {
        let running = all.filter(\.leads)
        guard !running.isEmpty, let host else { return }
        if memory { host.memoryKills += 1 }
        end(chance.pick(running), .signal(signal))
    }

    /// Those whose leader ended, with what they left running killed.
    func reap() -> [(Program, ProcessExit.Cause)] {
        var ends: [(Program, ProcessExit.Cause)] = []
        for program in all where !program.isOrphan && !program.leads {
            program.hasChild = false
            if let end = program.end { ends.append((program, end)) }
        }
        all.removeAll { !$0.isOrphan && !$0.leads }
        return ends
    }

    /// The supervisor is gone: leaders die with it, what they started does not.
    func parentDied() {
        for program in all where !program.isOrphan {
            program.isOrphan = true
            if program.leads, program.fate == .forks { program.hasChild = true }
            program.leads = false
        }
        bury()
    }

    func killAll(below folder: String) {
        for program in all where "\(program.launch.folder)/".hasPrefix(folder) {
            program.hasChild = false
            if program.leads { end(program, .signal(9)) }
        }
        bury()
    }

    private func bury() { all.removeAll { $0.isOrphan && !$0.runs } }

    func clear() { all.removeAll() }
}

/// The programs as a supervisor holds them.
struct SimulatedTree: ProgramTree {
    unowned let host: SimulatedHost
    let life: Life

    var nextDeadline: Nanoseconds? { nil }

    func start(_ key: AttemptKey, _ launch: Launch, on processors: [Int]) throws(SpawnProblem) {
        guard life.act(.effect) else { throw SpawnProblem(step: "spawn", reason: "the supervisor is dead") }
        try host.programs.start(key, launch)
    }

    mutating func rest() {}

    func signal(_ key: AttemptKey, isFinal: Bool, now: Nanoseconds) {
        guard life.act(.effect) else { return }
        host.programs.signal(key, isFinal: isFinal)
    }

    func reap(now: Nanoseconds) -> [ProgramEnd] {
        guard life.isAlive else { return [] }
        return host.programs.reap().map { program, cause in
            ProgramEnd(
                key: program.key, folder: program.launch.folder, cause: cause, cpuNanoseconds: 0,
                peakMemoryBytes: 1 << 20)
        }
    }

    func killAll(below folder: String) {
        guard life.act(.effect) else { return }
        host.programs.killAll(below: folder)
    }

    mutating func measureMemory(of key: AttemptKey) {}

    func mark(of folder: String) -> FolderMark {
        let isStalled = host.programs.all.contains { $0.launch.folder == folder && $0.fate == .stalls }
        return FolderMark(value: isStalled ? 0 : UInt64(host.now), newest: "")
    }

    func cpuNanoseconds(of key: AttemptKey) -> Int64 { 0 }
    func report(of key: AttemptKey) -> String { "" }
}
