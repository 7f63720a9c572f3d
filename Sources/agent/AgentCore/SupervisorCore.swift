import DequeModule
public import Model
public import Ports

/// What the supervisor decides: which program starts next, what is killed and when. Pure; the process around it
/// starts, signals and writes.
public struct SupervisorCore: Sendable {
    /// How long after SIGTERM follows SIGKILL.
    public static let patience: Nanoseconds = 10_000_000_000

    private enum State: Sendable {
        case queued(Launch)
        case running(Running)
        case ended(ProcessExit)
    }

    private struct Running: Sendable {
        var launch: Launch
        /// By the monotonic clock; 0: before this supervisor.
        var startedAt: Nanoseconds
        /// By the host's wall clock.
        var wallStart: Nanoseconds?
        var kill = ProcessExit.Kill.none
        /// When SIGKILL is due, once SIGTERM was sent.
        var killAt: Nanoseconds?
        /// nil: nobody asked for it.
        var watch: StallWatch?
        var note = ""

        /// A limit may be longer than the clock will ever tell.
        var timeIsUp: Nanoseconds? {
            launch.timeLimit.map { limit in
                let (end, isOver) = startedAt.addingReportingOverflow(limit)
                return isOver ? .max : end
            }
        }
    }

    /// Something to do to a running program's processes.
    public struct Signal: Sendable, Hashable {
        public var key: AttemptKey
        /// False: SIGTERM.
        public var isFinal: Bool
    }

    /// The programs of a sweep that wait, in order of arrival; some were killed meanwhile.
    private struct Line: Sendable {
        var keys: Deque<AttemptKey> = []
        var running = 0
        /// Slots that these take.
        var slots = 0
        /// Grows with every start of any sweep: the lower, the longer it is this one's turn.
        var turn = 0
    }

    private(set) var slots = 0
    private var shares: [String: SweepSlots] = [:]
    private var memoryBytes: Int64 = .max
    private var states: [AttemptKey: State] = [:]
    private var lines: [String: Line] = [:]
    /// Sweeps in the order in which they came.
    private var order: [String] = []
    /// In order of start.
    public private(set) var running: [AttemptKey] = []
    private var usedMemory: Int64 = 0
    private var usedSlots = 0
    private var turns = 0
    /// Of what hosts have a few of, by name.
    private var usedResources: [String: Int] = [:]
    private var isStopping = false
    private var coreUse: CoreUse
    private var processors: [AttemptKey: [Int]] = [:]
    /// Whether any program was to be bound to processors.
    public private(set) var bindsPrograms = false

    /// - Parameter cores: those of the machine that programs may be bound to.
    public init(cores: [ProcessorCore] = []) { coreUse = CoreUse(cores) }

    public var isIdle: Bool { running.isEmpty && lines.values.allSatisfy(\.keys.isEmpty) }
    public var shallStop: Bool { isStopping && running.isEmpty }

    /// Everything that is held, ordered by key.
    public var inventory: [SupervisedAttempt] {
        states.keys.sorted().compactMap { key in
            switch states[key] {
            case .queued: SupervisedAttempt(key: key, state: .queued)
            case .running: SupervisedAttempt(key: key, state: .running)
            case .ended(let exit): SupervisedAttempt(key: key, state: .ended(exit))
            case nil: nil
            }
        }
    }

    // MARK: From the journal

    public mutating func apply(_ record: SupervisorRecord) {
        switch record {
        case .began: break
        case .started(let key, let time):
            // What it was is in no record.
            let launch = Launch(arguments: [], environment: [], folder: "", timeLimit: nil, memoryBytes: 0)
            states[key] = .running(Running(launch: launch, startedAt: 0, wallStart: time))
            running.append(key)
            use(launch, 1)
        case .ended(let key, let exit):
            giveBack(key)
            states[key] = .ended(exit)
        case .forgotten(let keys):
            for key in keys { states[key] = nil }
        }
    }

    /// The machine was started again: what programs wrote last may be gone, also of those that ended well before.
    public mutating func hostWasLost() {
        for key in states.keys.sorted() {
            guard case .ended(var exit) = states[key], exit.cause == .status(0) else { continue }
            exit.cause = .hostLost
            states[key] = .ended(exit)
        }
    }

    /// The records that say all that this state says, for a journal that begins anew.
    public func snapshot(bootID: String) -> [SupervisorRecord] {
        var records: [SupervisorRecord] = [.began(bootID: bootID)]
        for attempt in inventory {
            switch attempt.state {
            case .queued: break
            case .running: records.append(.started(attempt.key, at: startTime(of: attempt.key)))
            case .ended(let exit): records.append(.ended(attempt.key, exit))
            }
        }
        return records
    }

    private func startTime(of key: AttemptKey) -> Nanoseconds? {
        guard case .running(let state) = states[key] else { return nil }
        return state.wallStart
    }

    // MARK: From the agent

    /// Returns what has to be signalled or recorded at once.
    public mutating func handle(
        _ command: SupervisorCommand, now: Nanoseconds
    ) -> (signals: [Signal], records: [SupervisorRecord]) {
        switch command {
        case .capacity(let slots, let memoryBytes, let sweeps):
            self.slots = max(0, slots)
            shares = [:]
            for share in sweeps { shares[share.sweep] = share }
            self.memoryBytes = memoryBytes
            isStopping = false
            return ([], [])
        case .start(let key, let launch):
            guard states[key] == nil else { return ([], []) }
            states[key] = .queued(launch)
            if launch.binding != .unbound { bindsPrograms = true }
            if lines[key.sweep] == nil {
                lines[key.sweep] = Line()
                order.append(key.sweep)
            }
            lines[key.sweep]?.keys.append(key)
            return ([], [])
        case .kill(let key, let kill): return self.kill(key, kill, now: now)
        case .forget(let keys):
            var forgotten: [AttemptKey] = []
            for key in keys {
                guard case .ended = states[key] else { continue }
                states[key] = nil
                forgotten.append(key)
            }
            return ([], forgotten.isEmpty ? [] : [.forgotten(forgotten)])
        case .stop:
            isStopping = true
            return ([], [])
        }
    }

    private mutating func kill(
        _ key: AttemptKey, _ kill: ProcessExit.Kill, now: Nanoseconds
    ) -> (signals: [Signal], records: [SupervisorRecord]) {
        switch states[key] {
        case .queued:
            let exit = ProcessExit(cause: .notStarted(step: "wait", reason: "it was ended before it began"), kill: kill)
            states[key] = .ended(exit)
            return ([], [.ended(key, exit)])
        case .running(var state):
            guard state.kill == .none else { return ([], []) }
            state.kill = kill
            state.killAt = now + SupervisorCore.patience
            states[key] = .running(state)
            return ([Signal(key: key, isFinal: false)], [])
        case .ended, nil: return ([], [])
        }
    }

    // MARK: Programs

    /// Takes the program that is to start now, if there is room: of the sweep with the highest priority that has room
    /// left of its own; of several, of the one that has the fewest running; of several of these, of the one whose last
    /// start is longest ago. The first of a sweep is waited for: a large one is not passed by small ones for ever. Only
    /// where it waits for something that others do not need (a GPU), these go on.
    ///
    /// - Parameter wall: the host's wall clock, to be kept.
    public mutating func takeNext(
        now: Nanoseconds, wall: Nanoseconds? = nil
    ) -> (key: AttemptKey, launch: Launch)? {
        guard !isStopping, usedSlots < slots, let (key, launch) = nextInLine else { return nil }
        guard running.isEmpty || usedMemory + launch.countedMemory <= memoryBytes else { return nil }
        guard running.isEmpty || usedSlots + launch.countedSlots <= slots else { return nil }
        lines[key.sweep]?.keys.removeFirst()
        lines[key.sweep]?.running += 1
        lines[key.sweep]?.slots += launch.countedSlots
        turns += 1
        lines[key.sweep]?.turn = turns
        let watch = launch.stallLimit.map { StallWatch(limit: $0, now: now) }
        states[key] = .running(Running(launch: launch, startedAt: now, wallStart: wall, watch: watch))
        running.append(key)
        use(launch, 1)
        processors[key] = coreUse.take(key, slots: launch.countedSlots, launch.binding)
        return (key, launch)
    }

    /// Those that a program is kept on which was taken; empty: any.
    public func processors(of key: AttemptKey) -> [Int] { processors[key] ?? [] }

    /// - Parameter processors: those that were busy of late.
    public mutating func note(busy processors: Set<Int>) { coreUse.note(busy: processors) }

    /// What was taken last and was not started after all waits again, before all others of its sweep.
    public mutating func putBack(_ key: AttemptKey) {
        guard case .running(let state) = states[key] else { return }
        giveBack(key)
        states[key] = .queued(state.launch)
        lines[key.sweep]?.keys.prepend(key)
    }

    private mutating func use(_ launch: Launch, _ sign: Int) {
        usedMemory += Int64(sign) * launch.countedMemory
        usedSlots += sign * launch.countedSlots
        for share in launch.shares { usedResources[share.name, default: 0] += sign * share.count }
    }

    private var nextInLine: (key: AttemptKey, launch: Launch)? {
        mutating get {
            var heads: [(rank: (Int, Int, Int), key: AttemptKey, launch: Launch)] = []
            for sweep in order {
                guard let (key, launch) = head(of: sweep), let line = lines[sweep], hasRoom(line, launch, sweep) else {
                    continue
                }
                let rank = (-(shares[sweep]?.priority ?? 0), line.running, line.turn)
                heads.insert((rank, key, launch), at: heads.firstIndex { $0.rank > rank } ?? heads.count)
            }
            order.removeAll { lines[$0] == nil }
            var awaited: Set<String> = []
            for (_, key, launch) in heads {
                if launch.shares.allSatisfy({ isFree($0) && !awaited.contains($0.name) }) { return (key, launch) }
                awaited.formUnion(launch.shares.map(\.name))
            }
            return nil
        }
    }

    /// Within what its sweep may use. A program alone has room in any but nothing.
    private func hasRoom(_ line: Line, _ launch: Launch, _ sweep: String) -> Bool {
        let share = shares[sweep]?.slots ?? slots
        return share > 0 && (line.running == 0 || line.slots + launch.countedSlots <= share)
    }

    private func isFree(_ share: ResourceShare) -> Bool {
        let used = usedResources[share.name, default: 0]
        return used == 0 || used + share.count <= share.capacity
    }

    /// What waits longest of a sweep. Lines of which nothing is left are removed.
    private mutating func head(of sweep: String) -> (key: AttemptKey, launch: Launch)? {
        while let key = lines[sweep]?.keys.first {
            if case .queued(let launch) = states[key] { return (key, launch) }
            lines[sweep]?.keys.removeFirst()
        }
        if lines[sweep]?.running == 0 { lines[sweep] = nil }
        return nil
    }

    /// All that a running program takes is free again.
    private mutating func giveBack(_ key: AttemptKey) {
        guard case .running(let state) = states[key], let index = running.firstIndex(of: key) else { return }
        running.remove(at: index)
        use(state.launch, -1)
        processors[key] = nil
        coreUse.giveBack(key)
        guard let line = lines[key.sweep] else { return }
        lines[key.sweep]?.running = max(0, line.running - 1)
        lines[key.sweep]?.slots = max(0, line.slots - state.launch.countedSlots)
    }

    /// A running program ended. Returns the end as it is kept.
    public mutating func ended(_ key: AttemptKey, _ exit: ProcessExit, now: Nanoseconds) -> ProcessExit {
        guard case .running(let state) = states[key] else { return exit }
        var exit = exit
        if state.kill != .none { exit.kill = state.kill }
        if !state.note.isEmpty { exit.note = state.note }
        if state.startedAt > 0 { exit.wallNanoseconds = now - state.startedAt }
        exit.startedAt = state.wallStart
        giveBack(key)
        states[key] = .ended(exit)
        return exit
    }

    /// What time asks for: limits that passed, patience that ended.
    public mutating func signals(now: Nanoseconds) -> [Signal] {
        var signals: [Signal] = []
        for key in running {
            guard case .running(var state) = states[key] else { continue }
            if let killAt = state.killAt {
                guard now >= killAt else { continue }
                state.killAt = now + SupervisorCore.patience
                signals.append(Signal(key: key, isFinal: true))
            } else if let end = state.timeIsUp, now >= end, end < .max {
                state.kill = .timeout
                state.killAt = now + SupervisorCore.patience
                signals.append(Signal(key: key, isFinal: false))
            } else {
                continue
            }
            states[key] = .running(state)
        }
        return signals
    }

    // MARK: Progress

    /// Programs whose folders are to be looked at now.
    public func looks(now: Nanoseconds) -> [AttemptKey] {
        running.filter { key in
            guard case .running(let state) = states[key], state.kill == .none else { return false }
            return state.watch.map { now >= $0.nextLook } ?? false
        }
    }

    /// - Parameter mark: a number that differs from the last one if anything in the folder changed.
    public mutating func looked(_ key: AttemptKey, _ mark: UInt64, now: Nanoseconds) -> StallWatch.Reading {
        guard case .running(var state) = states[key], state.kill == .none, var watch = state.watch else {
            return .nothingNew
        }
        let reading = watch.looked(mark, now: now)
        state.watch = watch
        states[key] = .running(state)
        return reading
    }

    /// Ends a program for what it was found to do.
    ///
    /// - Parameter note: what that was.
    public mutating func stop(
        _ key: AttemptKey, _ kill: ProcessExit.Kill, note: String, now: Nanoseconds
    ) -> [Signal] {
        guard case .running(var state) = states[key], state.kill == .none else { return [] }
        state.note = note
        states[key] = .running(state)
        return self.kill(key, kill, now: now).signals
    }

    /// When ``signals(now:)`` or ``looks(now:)`` has something next.
    public var nextDeadline: Nanoseconds? {
        var earliest: Nanoseconds?
        for key in running {
            guard case .running(let state) = states[key] else { continue }
            let look = state.kill == .none ? state.watch?.nextLook : nil
            for due in [state.killAt ?? state.timeIsUp, look].compactMap({ $0 }) {
                earliest = min(earliest ?? due, due)
            }
        }
        return earliest
    }

    public func launch(of key: AttemptKey) -> Launch? {
        guard case .running(let state) = states[key] else { return nil }
        return state.launch
    }
}

extension Launch {
    /// As it is added up: far more than any host has is as good as any other such number, and sums stay sums.
    fileprivate var countedSlots: Int { min(max(1, slots), 1 << 20) }
    fileprivate var countedMemory: Int64 { min(max(0, memoryBytes), 1 << 46) }
}
