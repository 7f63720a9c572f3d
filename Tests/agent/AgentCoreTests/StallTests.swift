import Model
import Ports
import TestKit
import Testing
@testable import AgentCore


@Suite("Programs that make no progress")
struct StallTests {
    private static let second: Nanoseconds = 1_000_000_000
    private static let limit = 8 * second

    /// Looks at a program that never changes, until it is stalled: the times of the readings.
    private func readings(_ watch: inout StallWatch, from start: Nanoseconds) -> [(StallWatch.Reading, Nanoseconds)] {
        var found: [(StallWatch.Reading, Nanoseconds)] = []
        while found.count < 10_000 {
            let now = watch.nextLook
            let reading = watch.looked(7, now: now)
            found.append((reading, now - start))
            if reading == .stalled { break }
        }
        return found
    }

    @Test("Without any change it is stalled after its limit, halfway is said once, and looks are few")
    func nothingChanges() {
        var watch = StallWatch(limit: Self.limit, now: 5)
        let found = readings(&watch, from: 5)
        #expect(found.first?.0 == .progress && found.first?.1 == 0, "the first look only shows what there is")
        #expect(found.last?.0 == .stalled && found.last?.1 == Self.limit)
        #expect(found.filter { $0.0 == .halfway }.map(\.1) == [Self.limit / 2])
        #expect(found.count == 9)
    }

    @Test("Long limits are looked at every ten seconds, short ones no oftener than ten times a second")
    func pauses() {
        var long = StallWatch(limit: 3_600 * Self.second, now: 0)
        _ = long.looked(1, now: 0)
        #expect(long.nextLook == 10 * Self.second)
        var short = StallWatch(limit: Self.second / 5, now: 0)
        _ = short.looked(1, now: 0)
        #expect(short.nextLook == Self.second / 10)
        var endless = StallWatch(limit: .max, now: 0)
        #expect(readings(&endless, from: 0).count == 10_000)
    }

    @Test(
        "Whatever changes when: never stopped earlier than the limit after the last change",
        arguments: 0..<200 as Range<UInt64>)
    func neverTooEarly(seed: UInt64) {
        var chance = Chance(seed: seed)
        var changes = [Nanoseconds(0)]
        for _ in 0..<chance.number(0...40) {
            changes.append(changes[changes.count - 1] + Nanoseconds(chance.number(1...Int(Self.limit) * 5 / 4)))
        }
        var watch = StallWatch(limit: Self.limit, now: 0)
        for _ in 0..<10_000 {
            // Looks come late as they come.
            let now = watch.nextLook + Nanoseconds(chance.number(0...10_000_000))
            let last = changes.lastIndex { $0 <= now } ?? 0
            guard watch.looked(UInt64(last), now: now) == .stalled else { continue }
            #expect(now - changes[last] >= Self.limit)
            #expect(now - changes[last] <= Self.limit * 5 / 4 + 200_000_000)
            return
        }
        Issue.record("it was never found to be stalled")
    }

    @Test("While the machine stood still, nobody could make progress")
    func gap() {
        var watch = StallWatch(limit: Self.limit, now: 0)
        _ = watch.looked(1, now: 0)
        #expect(watch.looked(1, now: 3_600 * Self.second) == .nothingNew)
        #expect(watch.idle == Self.limit / 4)
        #expect(watch.looked(1, now: 3_599 * Self.second) == .nothingNew, "a clock that goes back is no gap")
        #expect(watch.idle == Self.limit / 4)
    }

    @Test("A change begins the count anew, and halfway is said again")
    func anew() {
        var watch = StallWatch(limit: Self.limit, now: 0)
        for mark in [1, 2, 2, 1] as [UInt64] {
            for tick in 0..<5 as Range<Int64> { _ = watch.looked(mark, now: Nanoseconds(mark) + tick * Self.second) }
        }
        var other = StallWatch(limit: Self.limit, now: 0)
        var said: [StallWatch.Reading] = []
        for tick in 0..<14 as Range<Int64> { said.append(other.looked(tick < 6 ? 1 : 2, now: tick * Self.second)) }
        #expect(said.count { $0 == .progress } == 2 && said.count { $0 == .halfway } == 2)
        #expect(said.last == .nothingNew && other.idle == 7 * Self.second)
        #expect(other.looked(2, now: 14 * Self.second) == .stalled)
    }

    // MARK: The supervisor

    private func running(_ limits: [Nanoseconds?]) -> SupervisorCore {
        var core = SupervisorCore()
        _ = core.handle(.capacity(slots: 8, memoryBytes: 100), now: 1)
        for (index, limit) in limits.enumerated() {
            let launch = Launch(
                arguments: ["/bin/true"], environment: [], folder: "/w", timeLimit: nil, stallLimit: limit,
                memoryBytes: 0)
            _ = core.handle(.start(key(index + 1), launch), now: 1)
        }
        while core.takeNext(now: 1) != nil {}
        return core
    }

    @Test("Only those that asked for it are watched, and not when they are being ended anyway")
    func watched() {
        var core = running([Self.limit, nil, 3 * Self.limit])
        #expect(core.looks(now: 1) == [key(1), key(3)])
        #expect(core.nextDeadline == 1)
        #expect(core.looked(key(1), 5, now: 1) == .progress)
        #expect(core.looked(key(2), 5, now: 1) == .nothingNew)
        #expect(core.looks(now: 1) == [key(3)])
        _ = core.looked(key(3), 5, now: 1)
        #expect(core.nextDeadline == 1 + Self.limit / 8)
        #expect(core.looks(now: 1 + Self.limit / 8) == [key(1)])
        _ = core.handle(.kill(key(1), .cancelled), now: 2)
        #expect(core.looks(now: 1 + Self.limit / 8) == [])
        #expect(core.stop(key(1), .stalled, note: "too late", now: 3).isEmpty)
        #expect(core.ended(key(1), ProcessExit(cause: .signal(15)), now: 4).kill == .cancelled)
    }

    @Test("A stalled program gets SIGTERM, then SIGKILL; its end says why, and what it was doing")
    func stopped() {
        var core = running([Self.limit, Self.limit])
        var now: Nanoseconds = 1
        var reading = StallWatch.Reading.progress
        while reading != .stalled, now < 100 * Self.second {
            #expect(core.looked(key(2), UInt64(now), now: now) == .progress)
            reading = core.looked(key(1), 9, now: now)
            now += Self.second
        }
        #expect(core.stop(key(1), .stalled, note: "it dozed", now: now) == [.init(key: key(1), isFinal: false)])
        #expect(core.stop(key(1), .stalled, note: "again", now: now).isEmpty)
        let later = now + SupervisorCore.patience
        #expect(core.signals(now: later) == [.init(key: key(1), isFinal: true)])
        let exit = core.ended(key(1), ProcessExit(cause: .signal(9)), now: later)
        #expect(exit.kill == .stalled && exit.note == "it dozed")
        var again = SupervisorCore()
        for record in core.snapshot(bootID: "b") { again.apply(record) }
        #expect(again.inventory.first?.state == .ended(exit))
        #expect(core.running == [key(2)])
    }

    @Test("The class is stalled-simulator, with all that was seen; the retry table says what follows")
    func verdict() {
        let limits = JobLimits(stall: 600 * Self.second)
        for cause in [ProcessExit.Cause.signal(15), .signal(9), .status(0), .status(143)] {
            let exit = ProcessExit(cause: cause, kill: .stalled, freeBytes: 0, note: "it waits: sh (5) sleeps")
            let verdict = Diagnosis(
                exit, errorTail: Array("oh\n".utf8), outputTail: Array("a\nlast\n".utf8), limits: limits)
            #expect(verdict.failure == .stalledSimulator)
            #expect(
                verdict.evidence
                    == "none of its files changed for 10 m 0 s (limits: stall); it waits: sh (5) sleeps; "
                    + "standard output ends with \"last\"; standard error ends with \"oh\"")
        }
        #expect(FailureClass.stalledSimulator.remedy == .retryAnywhere)
        let short = ProcessExit(cause: .signal(15), kill: .stalled)
        #expect(
            Diagnosis(short, errorTail: [], limits: JobLimits(stall: 1_500_000_000)).evidence
                == "none of its files changed for 1.5 s (limits: stall)")
    }
}
