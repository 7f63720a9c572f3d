import Model
import Ports
import Testing
@testable import AgentCore


@Suite("The supervisor's decisions")
struct SupervisorTests {
    private static let second: Nanoseconds = 1_000_000_000

    private func launch(memory: Int64 = 0, time: Nanoseconds? = nil) -> Launch {
        Launch(arguments: ["/bin/true"], environment: [], folder: "/w", timeLimit: time, memoryBytes: memory)
    }

    private func core(slots: Int = 2, memory: Int64 = 100) -> SupervisorCore {
        var core = SupervisorCore()
        _ = core.handle(.capacity(slots: slots, memoryBytes: memory), now: 1)
        return core
    }

    private func queue(_ core: inout SupervisorCore, _ run: RunNumber, _ launch: Launch) {
        _ = core.handle(.start(key(run), launch), now: 1)
    }

    /// Everything that may start now.
    private func start(_ core: inout SupervisorCore, now: Nanoseconds = 1) -> [RunNumber] {
        var runs: [RunNumber] = []
        while let next = core.takeNext(now: now) { runs.append(next.key.id.run) }
        return runs
    }

    @Test("No more run than there are slots; the next starts when one ends")
    func slots() {
        var core = core()
        for run in 1...4 { queue(&core, run, launch()) }
        #expect(start(&core) == [1, 2])
        #expect(start(&core) == [])
        _ = core.ended(key(1), ProcessExit(cause: .status(0)), now: 2)
        #expect(start(&core) == [3])
        _ = core.handle(.capacity(slots: 3, memoryBytes: 100), now: 2)
        #expect(start(&core) == [4])
    }

    private func launch(_ slots: Int, gpus: Int = 0, of capacity: Int = 2) -> Launch {
        var launch = launch()
        launch.slots = slots
        if gpus > 0 { launch.shares = [ResourceShare(name: "gpu", count: gpus, capacity: capacity)] }
        return launch
    }

    @Test("What programs take of the slots is added up; a large one is waited for, and runs alone where it must")
    func cores() {
        var core = core(slots: 4)
        queue(&core, 1, launch(3))
        queue(&core, 2, launch(2))
        queue(&core, 3, launch(1))
        #expect(start(&core) == [1], "3 fits, but is behind 2")
        _ = core.ended(key(1), ProcessExit(cause: .status(0)), now: 2)
        #expect(start(&core) == [2, 3])
        queue(&core, 4, launch(9))
        #expect(start(&core) == [])
        for run in 2...3 { _ = core.ended(key(run), ProcessExit(cause: .status(0)), now: 3) }
        #expect(start(&core) == [4])
        #expect(start(&core) == [])
    }

    @Test("What the host has a few of is counted over all sweeps; who needs none of it is not kept waiting")
    func resources() {
        var core = core(slots: 9)
        func other(_ run: RunNumber) -> AttemptKey {
            AttemptKey(sweep: "other", id: AttemptID(run: run, lease: 1, attempt: 1))
        }
        for run in 1...3 { queue(&core, run, launch(1, gpus: 1)) }
        _ = core.handle(.start(other(1), launch(1, gpus: 2)), now: 1)
        _ = core.handle(.start(other(2), launch(1)), now: 1)
        _ = core.handle(.start(AttemptKey(sweep: "third", id: other(1).id), launch(1)), now: 1)
        var begun: [AttemptKey] = []
        while let next = core.takeNext(now: 1) { begun.append(next.key) }
        #expect(begun.map(\.sweep) == [key(1).sweep, "third"], "the other one waits for both, and nobody takes one")
        _ = core.ended(key(1), ProcessExit(cause: .status(0)), now: 2)
        begun = []
        while let next = core.takeNext(now: 2) { begun.append(next.key) }
        #expect(begun == [other(1), other(2)])
        _ = core.ended(other(1), ProcessExit(cause: .status(0)), now: 3)
        #expect(start(&core, now: 3) == [2, 3])
    }

    @Test("What was taken and could not be started waits before all others, as if nothing had been")
    func putBack() {
        var core = core(slots: 1)
        for run in 1...2 { queue(&core, run, launch(memory: 60)) }
        #expect(start(&core) == [1])
        core.putBack(key(1))
        #expect(core.running.isEmpty)
        #expect(core.inventory.map(\.state) == [.queued, .queued])
        #expect(core.snapshot(bootID: "b") == [.began(bootID: "b")], "none of them has begun")
        #expect(start(&core, now: 5) == [1])
        core.putBack(key(2))
        _ = core.ended(key(1), ProcessExit(cause: .status(0)), now: 6)
        #expect(start(&core) == [2])
        _ = core.ended(key(2), ProcessExit(cause: .status(0)), now: 7)
        #expect(core.isIdle)
    }

    @Test("A run may ask for all the memory that there can be: it runs alone, and sums stay sums")
    func allMemory() {
        var core = core(slots: 3)
        queue(&core, 1, launch(memory: 40))
        queue(&core, 2, launch(memory: .max))
        queue(&core, 3, launch(memory: .max))
        #expect(start(&core) == [1])
        _ = core.ended(key(1), ProcessExit(cause: .status(0)), now: 2)
        #expect(start(&core) == [2])
        _ = core.ended(key(2), ProcessExit(cause: .status(0)), now: 2)
        #expect(start(&core) == [3])
    }

    @Test("A sweep takes no more than its own slots, and all of them whatever another does")
    func slotsOfSweeps() {
        var core = SupervisorCore()
        let sweeps = [SweepSlots(sweep: "s1", slots: 4), SweepSlots(sweep: "s2", slots: 1)]
        _ = core.handle(.capacity(slots: 8, memoryBytes: 100, sweeps: sweeps), now: 1)
        for run in 1...6 { _ = core.handle(.start(key(run), launch()), now: 1) }
        for run in 1...3 { _ = core.handle(.start(key(run, sweep: "s2"), launch()), now: 1) }
        var taken: [String: Int] = [:]
        while let next = core.takeNext(now: 1) { taken[next.key.sweep, default: 0] += 1 }
        #expect(taken == ["s1": 4, "s2": 1])
        _ = core.ended(key(1, sweep: "s2"), ProcessExit(cause: .status(0)), now: 2)
        #expect(core.takeNext(now: 2)?.key == key(2, sweep: "s2"))
        #expect(core.takeNext(now: 2) == nil)
    }

    @Test("Where the host has fewer slots than all sweeps want, none waits for the end of another")
    func fairness() {
        var core = SupervisorCore()
        _ = core.handle(.capacity(slots: 2, memoryBytes: 100), now: 1)
        for run in 1...9 { _ = core.handle(.start(key(run), launch()), now: 1) }
        _ = core.handle(.start(key(1, sweep: "s2"), launch()), now: 1)
        #expect(core.takeNext(now: 1)?.key == key(1))
        #expect(core.takeNext(now: 1)?.key == key(1, sweep: "s2"))
    }

    @Test("The sweep with the highest priority is served first, and nothing starts of one that has no slots for now")
    func priorities() {
        var core = SupervisorCore()
        func shares(_ first: Int) -> [SweepSlots] {
            [
                SweepSlots(sweep: "s1", slots: first), SweepSlots(sweep: "s2", slots: 3, priority: 2),
                SweepSlots(sweep: "s3", slots: 3),
            ]
        }
        _ = core.handle(.capacity(slots: 3, memoryBytes: 100, sweeps: shares(0)), now: 1)
        for run in 1...4 {
            for sweep in ["s1", "s2", "s3"] { _ = core.handle(.start(key(run, sweep: sweep), launch()), now: 1) }
        }
        func next() -> AttemptKey? { core.takeNext(now: 1)?.key }
        #expect([next(), next(), next()] == (1...3).map { key($0, sweep: "s2") })
        #expect(next() == nil)
        for run in 1...2 { _ = core.ended(key(run, sweep: "s2"), ProcessExit(cause: .status(0)), now: 2) }
        #expect([next(), next()] == [key(4, sweep: "s2"), key(1, sweep: "s3")])
        _ = core.handle(.capacity(slots: 5, memoryBytes: 100, sweeps: shares(3)), now: 3)
        #expect([next(), next()] == [key(1), key(2, sweep: "s3")], "in turn, as both have the same")
        _ = core.handle(.capacity(slots: 0, memoryBytes: 100, sweeps: shares(3)), now: 4)
        for key in core.running { _ = core.ended(key, ProcessExit(cause: .status(0)), now: 4) }
        #expect(next() == nil && !core.isIdle)
    }

    @Test("A program that is bound has its processors until it ends")
    func binding() {
        var core = SupervisorCore(cores: (0..<2).map { ProcessorCore(processors: [$0], node: 0) })
        _ = core.handle(.capacity(slots: 3, memoryBytes: 100), now: 1)
        var bound = launch()
        bound.binding = .core
        queue(&core, 1, launch())
        #expect(start(&core) == [1] && core.processors(of: key(1)).isEmpty && !core.bindsPrograms)
        for run in 2...3 { queue(&core, run, bound) }
        #expect(start(&core) == [2, 3] && core.bindsPrograms)
        #expect([2, 3].map { core.processors(of: key($0)) } == [[0], [1]])
        _ = core.ended(key(2), ProcessExit(cause: .status(0)), now: 2)
        #expect(core.processors(of: key(2)).isEmpty)
        queue(&core, 4, bound)
        #expect(start(&core) == [4] && core.processors(of: key(4)) == [0])
        core.putBack(key(4))
        #expect(start(&core) == [4] && core.processors(of: key(4)) == [0])
    }

    @Test("When a program started is told with its end, also by the journal")
    func startTime() {
        var core = core()
        queue(&core, 1, launch())
        _ = core.takeNext(now: 5, wall: 1_700)
        let records = core.snapshot(bootID: "b")
        #expect(records.contains(.started(key(1), at: 1_700)))
        #expect(core.ended(key(1), ProcessExit(cause: .status(0)), now: 9).startedAt == 1_700)
        var again = SupervisorCore()
        for record in records { again.apply(record) }
        #expect(again.ended(key(1), ProcessExit(cause: .supervisorLost), now: 9).startedAt == 1_700)
    }

    @Test("No more memory is given than there is; a large one is not passed for ever, and alone it may have all")
    func memory() {
        var core = core(slots: 4, memory: 100)
        for (run, bytes) in zip(1...5, [60, 50, 1, 500, 1]) { queue(&core, run, launch(memory: Int64(bytes))) }
        #expect(start(&core) == [1], "the second waits, and the third behind it")
        _ = core.ended(key(1), ProcessExit(cause: .status(0)), now: 2)
        #expect(start(&core) == [2, 3])
        _ = core.ended(key(2), ProcessExit(cause: .status(0)), now: 2)
        #expect(start(&core) == [])
        _ = core.ended(key(3), ProcessExit(cause: .status(0)), now: 2)
        #expect(start(&core) == [4])
        _ = core.ended(key(4), ProcessExit(cause: .status(0)), now: 2)
        #expect(start(&core) == [5])
    }

    @Test("A start that comes twice runs once, also when it has ended already")
    func twice() {
        var core = core()
        queue(&core, 1, launch())
        queue(&core, 1, launch())
        #expect(start(&core) == [1])
        queue(&core, 1, launch())
        _ = core.ended(key(1), ProcessExit(cause: .status(0)), now: 2)
        queue(&core, 1, launch())
        #expect(start(&core) == [])
        #expect(core.handle(.forget([key(1), key(2)]), now: 3).records == [.forgotten([key(1)])])
        #expect(core.inventory.isEmpty)
    }

    @Test("The time limit: SIGTERM, and SIGKILL until it is gone; it says that it was the limit")
    func timeLimit() {
        var core = core()
        queue(&core, 1, launch(time: 5 * Self.second))
        queue(&core, 2, launch())
        #expect(start(&core, now: 10) == [1, 2])
        #expect(core.nextDeadline == 10 + 5 * Self.second)
        #expect(core.signals(now: 9 + 5 * Self.second).isEmpty)
        let due = 10 + 5 * Self.second
        #expect(core.signals(now: due) == [.init(key: key(1), isFinal: false)])
        #expect(core.nextDeadline == due + SupervisorCore.patience)
        #expect(core.signals(now: due + SupervisorCore.patience - 1).isEmpty)
        for round in 1...3 as ClosedRange<Nanoseconds> {
            #expect(core.signals(now: due + round * SupervisorCore.patience) == [.init(key: key(1), isFinal: true)])
        }
        let kept = core.ended(key(1), ProcessExit(cause: .signal(9)), now: due + 1)
        #expect(kept.kill == .timeout && kept.wallNanoseconds == 5 * Self.second + 1)
        #expect(core.ended(key(2), ProcessExit(cause: .status(0)), now: due).kill == .none)
    }

    @Test("A limit of centuries is no limit, and no crash")
    func endlessLimit() {
        var core = core()
        queue(&core, 1, launch(time: .max))
        #expect(start(&core, now: .max / 2) == [1])
        #expect(core.signals(now: .max).isEmpty)
        #expect(core.nextDeadline == .max)
    }

    @Test("Killing what waits needs no signal; what runs gets one, once; the first reason stands")
    func kill() {
        var core = core(slots: 1)
        queue(&core, 1, launch(time: Self.second))
        queue(&core, 2, launch())
        #expect(start(&core) == [1])
        let waiting = core.handle(.kill(key(2), .cancelled), now: 5)
        #expect(waiting.signals.isEmpty && waiting.records.count == 1)
        #expect(core.handle(.kill(key(1), .cancelled), now: 5).signals == [.init(key: key(1), isFinal: false)])
        #expect(core.handle(.kill(key(1), .revoked), now: 6).signals.isEmpty)
        #expect(core.handle(.kill(key(3), .revoked), now: 6).signals.isEmpty)
        #expect(core.ended(key(1), ProcessExit(cause: .signal(15)), now: 7).kill == .cancelled)
        #expect(start(&core) == [], "the one that waited is over")
        #expect(core.inventory.count == 2 && core.isIdle)
    }

    @Test("Told to stop, it goes when nothing runs, and stays if somebody needs it after all")
    func stop() {
        var core = core()
        queue(&core, 1, launch())
        #expect(start(&core) == [1])
        _ = core.handle(.stop, now: 2)
        #expect(!core.shallStop)
        queue(&core, 2, launch())
        #expect(start(&core) == [], "it would keep it here")
        _ = core.ended(key(1), ProcessExit(cause: .status(0)), now: 3)
        #expect(core.shallStop)
        _ = core.handle(.capacity(slots: 1, memoryBytes: 1), now: 4)
        #expect(!core.shallStop)
        #expect(start(&core) == [2])
    }

    @Test("Its journal says again what ran and what ended; who ran without an end is found")
    func journal() {
        var core = core()
        for run in 1...3 { queue(&core, run, launch()) }
        #expect(start(&core) == [1, 2])
        let exit = core.ended(key(1), ProcessExit(cause: .status(3)), now: 9)
        var again = SupervisorCore()
        for record in core.snapshot(bootID: "b") { again.apply(record) }
        let ended = SupervisedAttempt(key: key(1), state: .ended(exit))
        #expect(again.inventory == [ended, SupervisedAttempt(key: key(2), state: .running)])
        #expect(again.running == [key(2)])
        let lost = again.ended(key(2), ProcessExit(cause: .supervisorLost), now: 10)
        #expect(lost.cause == .supervisorLost && lost.wallNanoseconds == 0)
        again.apply(.forgotten([key(1)]))
        #expect(again.inventory == [SupervisedAttempt(key: key(2), state: .ended(lost))])
    }
}

@Suite("What an end means")
struct DiagnosisTests {
    private func verdict(
        _ cause: ProcessExit.Cause, _ kill: ProcessExit.Kill = .none, free: Int64 = .max, oom: Bool = false,
        tail: String = ""
    ) -> Diagnosis {
        let exit = ProcessExit(cause: cause, kill: kill, freeBytes: free, memoryRanOut: oom)
        return Diagnosis(exit, errorTail: Array(tail.utf8), limits: JobLimits(time: 7_000_000_000))
    }

    @Test("Classes")
    func classes() {
        #expect(verdict(.status(0)).failure == nil)
        #expect(verdict(.status(0), free: 0).failure == nil)
        #expect(verdict(.status(3)).failure == .exitNonzero)
        #expect(verdict(.status(3), free: 100).failure == .diskFull)
        #expect(verdict(.status(3), tail: "cp: x: No space left on device\n").failure == .diskFull)
        #expect(verdict(.status(3), tail: "cp: x: Disk quota exceeded\n").failure == .diskFull)
        #expect(verdict(.signal(11)).failure == .simulatorCrash)
        #expect(verdict(.signal(9)).failure == .simulatorCrash)
        #expect(verdict(.signal(9), oom: true).failure == .outOfMemory)
        #expect(verdict(.status(137), oom: true).failure == .outOfMemory, "a script tells so of what it started")
        #expect(verdict(.status(137)).failure == .exitNonzero)
        for tail in [
            "terminate called after throwing an instance of 'std::bad_alloc'\n  what():  std::bad_alloc\nAborted\n",
            "numpy._core._exceptions._ArrayMemoryError: Unable to allocate 74.5 GiB\n", "MemoryError\n",
            "sh: 1: Cannot allocate memory\n",
        ] {
            #expect(verdict(.status(134), tail: tail).failure == .outOfMemory, "\(tail)")
            #expect(verdict(.status(0), tail: tail).failure == nil)
        }
        #expect(verdict(.signal(9), .timeout, oom: true).failure == .timeout)
        #expect(verdict(.status(0), .timeout).failure == .timeout, "it was told to end, and did")
        #expect(verdict(.signal(15), .cancelled).failure == .cancelled)
        #expect(verdict(.signal(15), .revoked).failure == .supervisorLost)
        #expect(verdict(.supervisorLost).failure == .supervisorLost)
        #expect(verdict(.hostLost).failure == .hostLost)
        #expect(verdict(.notStarted(step: "exec", reason: "gone")).failure == .spawn)
        #expect(verdict(.notStarted(step: "wait", reason: "x"), .cancelled).failure == .cancelled)
        #expect(verdict(.notStarted(step: "wait", reason: "x"), .revoked).failure == .supervisorLost)
    }

    @Test("Evidence quotes the last line that says something, and nothing that a terminal would obey")
    func evidence() {
        #expect(verdict(.status(2)).evidence == "exit status 2")
        #expect(verdict(.signal(15), .timeout).evidence == "it was still running after 7 s (limits: time)")
        #expect(
            verdict(.status(2), tail: "first\nlast \u{1b}[31mword\u{7}\n \n").evidence
                == "exit status 2; standard error ends with \"last \\u{1b}[31mword\\u{7}\"")
        let long = verdict(.status(2), tail: String(repeating: "a", count: 4_000)).evidence
        #expect(long.utf8.count < 600)
        #expect(verdict(.status(3), free: 100).evidence == "exit status 3, 100 B free when it ended")
        #expect(verdict(.signal(11)).evidence == "the program crashed: signal 11 (SIGSEGV)")
        #expect(verdict(.signal(15)).evidence == "signal 15, which usweep did not send")
    }
}
