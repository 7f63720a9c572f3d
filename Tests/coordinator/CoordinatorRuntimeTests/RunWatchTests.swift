import Engines
import Model
import SweepCore
import Testing
@testable import CoordinatorRuntime

/// Who is asked how far it is, and what is made of it.
@Suite struct RunWatchTests {
    private let second: Nanoseconds = 1_000_000_000

    private func work(_ runs: ClosedRange<Int>, span: Nanoseconds = 60_000_000_000) -> [[RunningRun]] {
        [runs.map { RunningRun(id: AttemptID(run: $0, lease: 1, attempt: 1), span: span) }]
    }

    @Test("A few in a round, those first that were not asked for longest; short runs are left alone")
    func rounds() {
        var watch = RunWatch()
        #expect(watch.round(work(1...40, span: second), now: 0).isEmpty)
        let first = watch.round(work(1...40), now: second).map(\.running.run)
        let others = watch.round(work(1...40), now: 6 * second).map(\.running.run)
        #expect(first == Array(1...16) && others == Array(17...32))
        #expect(watch.round(work(1...40), now: 11 * second).map(\.running.run) == Array(33...40) + Array(1...8))
        #expect(watch.nextRound == 16 * second)
    }

    @Test("Since when a phase goes on, how long nothing new was said, and how long it took the last time")
    func stages() throws {
        var watch = RunWatch()
        _ = watch.round(work(1...2), now: 0)
        watch.saw(1, isSetup: false, RunPhase("booting", detail: "1"), now: 10 * second)
        watch.saw(1, isSetup: false, RunPhase("booting", detail: "2"), now: 20 * second)
        watch.saw(1, isSetup: false, RunPhase("booting", detail: "2"), now: 30 * second)
        let stage = try #require(watch.stage(of: 1, isSetup: false, now: 50 * second))
        #expect(stage.span == 40 * second && stage.quiet == 30 * second && stage.usual == nil)
        watch.saw(1, isSetup: false, RunPhase("measuring"), now: 70 * second)
        watch.saw(2, isSetup: false, RunPhase("booting"), now: 80 * second)
        #expect(watch.stage(of: 2, isSetup: false, now: 81 * second)?.usual == 60 * second)
        #expect(watch.stage(of: 2, isSetup: true, now: 81 * second)?.usual == nil, "setups take another time")
        #expect(watch.stage(of: 1, isSetup: false, now: 81 * second)?.span == 11 * second)
    }

    @Test("What does not run any more is forgotten")
    func ends() {
        var watch = RunWatch()
        watch.saw(1, isSetup: false, RunPhase("booting"), now: 0)
        _ = watch.round(work(2...3), now: second)
        #expect(watch.stage(of: 1, isSetup: false, now: second) == nil)
    }
}
