import Model
import Testing
@testable import SweepCore

@Suite("Runs that would end last are begun a second time")
struct SecondStartTests {
    private static let second = Timing.second

    /// Two hosts of one slot, the second four times as fast, and what each takes is known; run 1 is on the slow one,
    /// and nothing waits.
    private func cluster(isOn: Bool = true) -> Cluster {
        var plan = Plan(groups: [Plan.Group(runs: 1..<3)], hosts: ["slow", "fast"])
        plan.hasSecondStarts = isOn
        plan.history = (0..<60).map { index in
            PastRun(
                group: 0, levels: [], host: index % 2, origin: 1,
                wall: (index % 2 == 0 ? 400 : 100) * Self.second)
        }
        var cluster = Cluster(SweepState(plan: plan))
        cluster.join(0, slots: 1)
        cluster.step(.started(host: 0, [AttemptID(run: 1, lease: 1, attempt: 1)]))
        cluster.join(1, slots: 1)
        cluster.step(.caughtUp(host: 0), .caughtUp(host: 1))
        return cluster
    }

    private func doubled() -> Cluster {
        var cluster = cluster()
        cluster.step(.ended(host: 1, Cluster.ended(2, lease: 2, wall: 100 * Self.second)))
        return cluster
    }

    @Test("An idle host that would end it earlier by far gets it as well; both go on")
    func begins() {
        var cluster = doubled()
        cluster.pass(1, hearing: [0, 1])
        #expect(cluster.core.state.claims(on: 1).map(\.lease) == [1, 3])
        #expect(cluster.core.state.isDoubled(1) && cluster.replayed.isDoubled(1))
        let effects = cluster.step()
        #expect(effects.granted(to: 1) == [1])
        cluster.pass(60, hearing: [0, 1])
        #expect(cluster.core.state.claims(on: 1).count == 2, "neither is told to stop before one ends")
        #expect(cluster.count { if case .secondStart = $0 { true } else { false } } == 1)
    }

    @Test("Not where it is switched off, a run waits, or the other host gains too little")
    func doesNot() {
        var off = cluster(isOn: false)
        off.step(.ended(host: 1, Cluster.ended(2, lease: 2, wall: 100 * Self.second)))
        off.pass(2, hearing: [0, 1])
        #expect(off.core.state.claims(on: 1).count == 1)
        var late = cluster()
        late.pass(290, hearing: [0, 1])
        late.step(.ended(host: 1, Cluster.ended(2, lease: 2, wall: 100 * Self.second)))
        late.pass(2, hearing: [0, 1])
        #expect(late.core.state.claims(on: 1).count == 1, "110 s more there, 100 s here")
        var busy = cluster()
        busy.pass(5, hearing: [0, 1])
        #expect(busy.core.state.claims(on: 1).count == 1, "the fast host has a run")
    }

    @Test("The more attempts are under way, the more seldom all of them are looked at")
    func interval() {
        var cluster = Cluster(runs: 3_000, hosts: 1)
        let started = cluster.join(0, slots: 3_000).flatMap { effect -> [AttemptID] in
            guard case .grant(_, let lease, let grants) = effect else { return [] }
            return grants.map { AttemptID(run: $0.run, lease: lease, attempt: $0.firstAttempt) }
        }
        cluster.step(.started(host: 0, Array(started.prefix(100))))
        #expect(cluster.core.lookInterval == Self.second)
        cluster.step(.started(host: 0, started))
        #expect(cluster.core.lookInterval == 15 * Self.second + 5_000_000)
    }

    @Test("The first result counts, the other attempt is ended; where it had ended, too, both are compared")
    func firstCounts() {
        var cluster = doubled()
        cluster.pass(1, hearing: [0, 1])
        let effects = cluster.step(.ended(host: 1, Cluster.ended(1, lease: 3, attempt: 3)))
        #expect(cluster.phase(1) == .ended(.succeeded, nil))
        #expect(effects.contains { if case .revoke(0, [1]) = $0 { true } else { false } })
        cluster.step(.ended(host: 0, Cluster.ended(1, lease: 1, attempt: 1)))
        #expect(cluster.core.state.fencedCount == 1 && cluster.core.state.disagreements == 0)
        #expect(cluster.core.state.endedCount == 2)
        #expect(cluster.replayed.digest == cluster.core.state.digest)
    }

    @Test("What fails of the two costs the run nothing, whatever the class", arguments: [0, 1])
    func failsAlone(host: Int) {
        for failure in [FailureClass.timeout, .exitNonzero, .spawn, .simulatorFatal] {
            var cluster = doubled()
            cluster.pass(1, hearing: [0, 1])
            let (lease, attempt) = host == 0 ? (1, 2) : (3, 3)
            cluster.step(.ended(host: host, Cluster.ended(1, lease: lease, attempt: attempt, failure: failure)))
            #expect(cluster.core.state.claims(on: 1).map(\.lease) == [host == 0 ? 3 : 1])
            #expect(cluster.core.state[1].failures == 0)
            // The other one decides, as if it were alone.
            let (other, last) = host == 0 ? (3, 3) : (1, 2)
            cluster.step(
                .ended(host: 1 - host, Cluster.ended(1, lease: other, attempt: last, failure: .simulatorFatal)))
            #expect(cluster.phase(1) == .ended(.failed, .simulatorFatal))
            #expect(cluster.core.state[1].failures == 1)
        }
    }

    @Test("A coordinator that comes after it lets both go on")
    func resumed() {
        var before = doubled()
        before.pass(1, hearing: [0, 1])
        var cluster = Cluster(before.replayed)
        for host in 0...1 { cluster.comeBack(host, slots: 1) }
        cluster.pass(30, hearing: [0, 1])
        #expect(cluster.core.state.claims(on: 1).map(\.lease) == [1, 3])
    }

    /// What a test may see of which hosts were looked at.
    private struct Looks: Sequence, IteratorProtocol {
        final class Count { var looked = 0 }

        let count = Count()
        var rest: ArraySlice<Taker>

        mutating func next() -> Taker? {
            guard let taker = rest.popFirst() else { return nil }
            count.looked += 1
            return taker
        }
    }

    @Test("Of a thousand hosts on which nothing is gained one is looked at; of others, those up to the first that does")
    func looks() throws {
        let cluster = cluster()
        let length = try #require(cluster.core.state.times.length(1, group: 0))
        let attempt = AttemptUnderWay(
            place: AttemptPlace(run: 1, lease: 1), host: 0, length: length, elapsed: 0, rest: 130 * Self.second)
        let equal = Looks(rest: (1...1_000).map { Taker(host: $0, slowness: 0, most: .infinity) }[...])
        #expect(cluster.core.bestHost(for: attempt, among: equal) == nil)
        #expect(equal.count.looked == 1)
        let long = AttemptUnderWay(
            place: attempt.place, host: 3, length: length, elapsed: 0, rest: 4_000 * Self.second)
        let mixed = Looks(
            rest: (1...1_000).map { Taker(host: $0, slowness: 0, most: $0 < 3 ? 1 : .infinity) }[...])
        let choice = cluster.core.bestHost(for: long, among: mixed)
        #expect(choice?.host == 4, "two have to go before, the third has it")
        #expect(mixed.count.looked == 4)
    }

    @Test("One that takes far longer than predicted is begun elsewhere, as its host may be the cause")
    func overdue() {
        var plan = Plan(groups: [Plan.Group(runs: 1..<3)], hosts: ["a", "b"])
        plan.hasSecondStarts = true
        plan.history = (0..<60).map {
            PastRun(group: 0, levels: [], host: $0 % 2, origin: 1, wall: 100 * Self.second)
        }
        var cluster = Cluster(SweepState(plan: plan))
        cluster.join(0, slots: 1)
        cluster.step(.started(host: 0, [AttemptID(run: 1, lease: 1, attempt: 1)]))
        cluster.join(1, slots: 1)
        cluster.step(.ended(host: 1, Cluster.ended(2, lease: 2, wall: 100 * Self.second)))
        cluster.pass(120, hearing: [0, 1])
        #expect(cluster.core.state.claims(on: 1).count == 1, "within a quarter of its interval")
        cluster.pass(20, hearing: [0, 1])
        #expect(cluster.core.state.claims(on: 1).count == 2)
    }
}
