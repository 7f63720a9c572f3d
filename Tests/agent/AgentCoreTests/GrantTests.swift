import Formats
import Model
import Ports
import Testing
@testable import AgentCore


@Suite("Who works on a sweep")
struct HolderTests {
    private let second: Nanoseconds = 1_000_000_000

    /// The first coordinator is connected and has said who it is.
    private func rig() -> Rig {
        var rig = Rig()
        rig.say(.holder("anna@one:/a"))
        return rig
    }

    @Test("A copy of its ledger is refused as long as the first is heard, and told who works on it")
    func copy() {
        var rig = rig()
        rig.grant(1, entry(1))
        rig.now += 2 * second
        let greeted = rig.hello(2)
        #expect(greeted.greetings == [[HeldLease(lease: 1, runs: [1])]] && greeted.drops.isEmpty)
        #expect(rig.say(.revoke([1]), on: 2).isEmpty, "it has not said who it is")
        let refused = rig.say(.holder("anna@two:/b"), on: 2)
        #expect(refused.drops == [2])
        let reason = "anna@one:/a is working on this sweep, and was last heard from 2 s ago"
        #expect(refused.refusals.first?.hasPrefix(reason) ?? false)
        rig.queue(key(1))
        rig.tell(.started([key(1)]))
        rig.end(key(1))
        #expect(rig.collect(key(1)).outcomes.count == 1, "the first is served as before")
    }

    @Test("The same one on a new connection takes over at once, and hears what it has not acknowledged")
    func same() {
        var rig = rig()
        rig.grant(1, entry(1))
        rig.complete(key(1))
        rig.hello(2)
        let taken = rig.say(.holder("anna@one:/a"), on: 2)
        #expect(taken.drops == [1] && taken.outcomes.map(\.id) == [key(1).id])
    }

    /// The same coordinator comes again, after its inventory was edited, while its first connection looks alive.
    private func edited(_ rig: inout Rig, _ hello: CoordinatorHello) -> [AgentEffect] {
        rig.tell(.connected(2), .message(2, .hello(hello)))
        return rig.say(.holder("anna@one:/a"), on: 2)
    }

    @Test("What it says of the host on a new connection holds from then on, and is durable")
    func contextOfTheNewOne() throws {
        var rig = rig()
        let hello = CoordinatorHello(sweep: "s1", leaseTerm: 80 * second, slots: 3, enginePath: "/new/gem5.opt")
        let taken = edited(&rig, hello)
        #expect(taken.drops == [1] && taken.greetings.isEmpty, "it was greeted before")
        #expect(rig.core.slots(of: "s1") == 3)
        let records = rig.journal.compactMap { if case .context("s1", let context) = $0 { context } else { nil } }
        #expect(records.last == SweepContext(enginePath: "/new/gem5.opt", slots: 3))
        var job = job()
        job.arguments = [.engine]
        rig.grant(2, entry(1, job), on: 2)
        let effects = rig.tell(.prepared(key(1, lease: 2)))
        let launches = effects.compactMap { if case .supervise(.start(_, let launch)) = $0 { launch } else { nil } }
        #expect(launches.map(\.arguments) == [["/new/gem5.opt"]])
    }

    @Test("A setup text that it brings is tried before anything begins with it; one that fails refuses the host")
    func setupOfTheNewOne() {
        for problem in [nil, "the setup of this host fails: module: not found"] {
            var rig = rig()
            let hello = CoordinatorHello(sweep: "s1", leaseTerm: 80 * second, slots: 1, setup: "module load gcc")
            let taken = edited(&rig, hello)
            #expect(taken.contains(.trySetup(sweep: "s1", "module load gcc")))
            #expect(rig.grant(2, entry(1), on: 2).prepared.isEmpty)
            let tried = rig.tell(.setupTried(sweep: "s1", problem: problem))
            #expect(tried.greetings.isEmpty)
            #expect(tried.prepared == (problem == nil ? [key(1, lease: 2)] : []))
            #expect(tried.refusals == (problem.map { [$0] } ?? []))
        }
    }

    @Test("One that was not heard for a while is replaced, and so is one that is gone")
    func silent() {
        var rig = rig()
        rig.now += 31 * second
        #expect(rig.hello(2).drops == [1])
        rig.say(.holder("anna@two:/b"), on: 2)
        rig.tell(.disconnected(2))
        #expect(rig.hello(3).refusals.isEmpty)
        #expect(rig.say(.holder("anna@one:/a"), on: 3).refusals.isEmpty)
    }
}

@Suite("Grants, retries and acknowledgements")
struct GrantTests {
    @Test("A grant is durable before anything of it is done; the same once more does nothing")
    func accepts() {
        var rig = Rig()
        let effects = rig.grant(1, entry(1), entry(2))
        #expect(effects.prepared == [key(1), key(2)])
        let accepted: [AgentRecord] = (1...2).map { .accepted(sweep: "s1", lease: 1, entry($0)) }
        #expect(Array(rig.journal.suffix(2)) == accepted)
        let durable = rig.journal
        #expect(rig.grant(1, entry(1), entry(2)).isEmpty)
        #expect(rig.journal == durable)
    }

    @Test("A grant that came too late, or again after its end was acknowledged, starts nothing")
    func late() {
        var rig = Rig()
        rig.grant(1, entry(1, first: 3))
        #expect(rig.complete(key(1, 3)).outcomes.map(\.id) == [key(1, 3).id])
        rig.say(.acknowledge([key(1, 3).id]))
        #expect(rig.grant(1, entry(1, first: 3)).isEmpty)
        #expect(rig.grant(2, entry(1, first: 2)).isEmpty)
        #expect(rig.grant(2, entry(1, first: 4)).prepared == [key(1, 4, lease: 2)])
    }

    @Test("The same, after a restart")
    func lateAfterRestart() {
        var rig = Rig()
        rig.grant(1, entry(1))
        rig.complete(key(1))
        rig.say(.acknowledge([key(1).id]))
        rig.restart()
        rig.hello(2)
        #expect(rig.grant(1, entry(1), on: 2).isEmpty)
    }

    @Test("A job that no frame holds is reported and never kept")
    func tooLarge() {
        var rig = Rig()
        let large = Job(arguments: [.text(String(repeating: "a", count: 100_000))])
        let effects = rig.grant(1, entry(1, large))
        #expect(effects.outcomes.map(\.failure) == [.contractBroken])
        #expect(effects.prepared.isEmpty && rig.core.isIdle)
        #expect(!rig.journal.contains { if case .accepted = $0 { true } else { false } })
    }

    @Test("An older lease goes first, then the order of the grant")
    func order() {
        var rig = Rig(connected: false)
        rig.hello(1)
        #expect(rig.grant(2, entry(9), entry(4)).isEmpty, "without a supervisor nothing is prepared")
        rig.grant(1, entry(7))
        #expect(rig.tell(.supervisorReady([])).prepared == [key(7), key(9, lease: 2), key(4, lease: 2)])
    }

    @Test("No more is prepared than the supervisor needs, and what follows comes as ends come")
    func window() {
        var rig = Rig(slots: 1)
        let entries = (1...100).map { entry($0) }
        let effects = rig.say(.grant(Shard(lease: 1, entries: entries)))
        #expect(effects.prepared.count == rig.core.window)
        rig.run(key(1))
        #expect(rig.end(key(1)).prepared == [key(rig.core.window + 1)])
    }

    @Test(
        "It retries alone, within the numbers that were reserved, what may go better",
        arguments: FailureClass.allCases)
    func retries(failure: FailureClass) {
        var rig = Rig()
        rig.grant(1, entry(1, first: 4, attempts: 3))
        var effects = rig.complete(key(1, 4), failure)
        #expect(effects.outcomes.map(\.id.attempt) == [4])
        guard failure.remedy == .retryAnywhere else {
            #expect(effects.prepared.isEmpty)
            return
        }
        #expect(effects.prepared == [key(1, 5)])
        #expect(rig.complete(key(1, 5), failure).prepared == [key(1, 6)])
        effects = rig.complete(key(1, 6), failure)
        #expect(effects.outcomes.map(\.id.attempt) == [6] && effects.prepared.isEmpty)
    }

    @Test("Success ends the run though attempts are left")
    func success() {
        var rig = Rig()
        rig.grant(1, entry(1, attempts: 3))
        rig.complete(key(1), .exitNonzero)
        let effects = rig.complete(key(1, 2))
        #expect(effects.outcomes.map(\.failure) == [nil] && effects.prepared.isEmpty)
    }

    @Test("Only what was acknowledged is deleted, and forgotten by the supervisor")
    func acknowledged() {
        var rig = Rig()
        rig.grant(1, entry(1, attempts: 2), entry(2))
        rig.complete(key(1), .exitNonzero)
        rig.complete(key(2))
        #expect(rig.say(.acknowledge([key(3).id, key(1, 2).id])).discarded.isEmpty, "neither has an outcome")
        var effects = rig.say(.acknowledge([key(1).id]))
        #expect(effects.discarded == [key(1)] && effects.forgotten == [key(1)])
        #expect(rig.say(.acknowledge([key(1).id])).isEmpty)
        rig.complete(key(1, 2))
        effects = rig.say(.acknowledge([key(1, 2).id, key(2).id]))
        #expect(effects.discarded == [key(1, 2), key(2)])
        #expect(rig.core.isIdle)
        #expect(rig.hello(2).greetings == [[]])
    }

    @Test("A later attempt may be acknowledged first: the earlier one is kept until it is, over a restart too")
    func acknowledgedOutOfTurn() {
        var rig = Rig()
        rig.grant(1, entry(1, attempts: 3))
        rig.complete(key(1), .exitNonzero)
        rig.complete(key(1, 2))
        #expect(rig.say(.acknowledge([key(1, 2).id])).discarded == [key(1, 2)])
        #expect(!rig.core.isIdle)
        let exit = ProcessExit(cause: .status(1))
        for isCompacted in [false, true] {
            if isCompacted { rig.journal = rig.core.snapshot }
            let effects = rig.restart([SupervisedAttempt(key: key(1), state: .ended(exit))])
            #expect(effects.prepared.isEmpty, "the run is over")
            #expect(effects.contains(.collect(key(1), exit, job())))
            rig.collect(key(1), .exitNonzero)
        }
        #expect(rig.hello(2).outcomes.map(\.id) == [key(1).id])
        #expect(rig.say(.acknowledge([key(1).id]), on: 2).discarded == [key(1)])
        #expect(rig.core.isIdle)
    }

    @Test("Whoever connects again is told what is held, and every outcome that was not acknowledged")
    func reconnect() {
        var rig = Rig()
        rig.grant(3, entry(1, attempts: 2), entry(2))
        rig.grant(4, entry(5))
        rig.complete(key(1, lease: 3), .exitNonzero)
        rig.complete(key(2, lease: 3))
        rig.say(.acknowledge([key(2, lease: 3).id]))
        rig.tell(.disconnected(1))
        #expect(rig.complete(key(5, lease: 4)).outcomes.isEmpty, "nobody listens")
        let effects = rig.hello(2)
        #expect(effects.greetings == [[HeldLease(lease: 3, runs: [1]), HeldLease(lease: 4, runs: [5])]])
        #expect(effects.outcomes.map(\.id) == [key(1, lease: 3).id, key(5, lease: 4).id])
        rig.say(.acknowledge(effects.outcomes.map(\.id)), on: 2)
        #expect(rig.hello(3).outcomes.isEmpty)
    }

    @Test("A second connection for a sweep takes the place of the first")
    func replaced() {
        var rig = Rig()
        rig.grant(1, entry(1))
        #expect(rig.hello(2).drops == [1])
        #expect(rig.say(.grant(Shard(lease: 2, entries: [entry(2)])), on: 1).isEmpty)
        let effects = rig.complete(key(1))
        #expect(effects.contains(.send(2, .outcome(AttemptReport(id: key(1).id)))))
    }

    @Test("Two sweeps at once: in turn, apart, each to its own coordinator")
    func twoSweeps() {
        var rig = Rig(connected: false)
        rig.hello(1, "s1")
        rig.hello(2, "s2")
        rig.grant(1, entry(1), entry(2), on: 1)
        rig.grant(1, entry(1), entry(2), on: 2)
        let effects = rig.tell(.supervisorReady([]))
        #expect(effects.prepared == [key(1), key(1, sweep: "s2"), key(2), key(2, sweep: "s2")])
        #expect(
            rig.complete(key(1, sweep: "s2")).contains(.send(2, .outcome(AttemptReport(id: key(1).id)))))
        #expect(rig.say(.acknowledge([key(1).id]), on: 1).isEmpty, "of this sweep nothing has ended")
        #expect(rig.say(.acknowledge([key(1).id]), on: 2).discarded == [key(1, sweep: "s2")])
        rig.tell(.disconnected(2))
        #expect(rig.complete(key(1)).contains(.send(1, .outcome(AttemptReport(id: key(1).id)))))
        #expect(rig.say(.revoke([1]), on: 1).killed == [])
        rig.run(key(2, sweep: "s2"))
        #expect(rig.core.runningAttempts == [key(2, sweep: "s2")])
    }

    @Test("Who does not begin well is refused")
    func hellos() {
        var rig = Rig(connected: false)
        rig.tell(.connected(1))
        #expect(rig.say(.heartbeat).drops == [1])
        #expect(rig.grant(1, entry(1)).isEmpty, "it is known no more")
        func hello(_ versions: ClosedRange<Int>, _ sweep: String, setup: String = "") -> CoordinatorMessage {
            .hello(
                CoordinatorHello(
                    oldest: versions.lowerBound, current: versions.upperBound, sweep: sweep, leaseTerm: 1,
                    setup: setup))
        }
        let long = String(repeating: "a", count: 20_000)
        let bad = [
            hello(WireVersion.current + 1...WireVersion.current + 3, "s1"), hello(0...WireVersion.oldest - 1, "s1"),
            hello(1...1, ".."), hello(1...1, "a/b"), hello(1...1, ""), hello(1...1, "s1", setup: long),
        ]
        for (index, message) in bad.enumerated() {
            rig.tell(.connected(index + 2))
            let effects = rig.say(message, on: index + 2)
            #expect(effects.drops == [index + 2] && effects.refusals.count == 1)
        }
        rig.hello(20)
        #expect(rig.say(hello(1...1, "s1"), on: 20).drops == [20])
        #expect(rig.core.sweeps.count == 1)
    }

    @Test("A heartbeat every quarter of the lease's term, and at once")
    func heartbeats() {
        var rig = Rig(connected: false)
        func beats(_ effects: [AgentEffect]) -> Int {
            effects.count { if case .heartbeat = $0 { true } else { false } }
        }
        #expect(beats(rig.hello(1)) == 1)
        #expect(rig.core.nextDeadline == rig.now + 10_000_000_000)
        rig.now += 9_999_999_999
        #expect(beats(rig.tell(.timer)) == 0)
        rig.now += 1
        #expect(beats(rig.tell(.timer)) == 1)
        rig.tell(.disconnected(1))
        #expect(rig.core.nextDeadline == nil)
    }
}
