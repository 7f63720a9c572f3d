import Formats
import Model
import Ports
import SweepCore
import Testing
@testable import CoordinatorRuntime


@Suite("The coordinator's loop")
struct LoopTests {
    @Test("Every effect comes after the commit that allows it")
    func order() throws {
        let bench = try Bench(runs: 5)
        bench.host.part = { [ledger = bench.ledger] _, message in
            switch message {
            case .grant(let shard):
                let isGranted = ledger.records.contains { record in
                    if case .leaseGranted(shard.lease, _, _) = record { true } else { false }
                }
                #expect(isGranted)
            case .acknowledge(let ids):
                for id in ids { #expect(ledger.ends.contains { $0.id == id }) }
            case .release: #expect(ledger.records.count { if case .runEnded = $0 { true } else { false } } == 5)
            case .hello, .revoke, .cancel, .read, .bytes, .packed, .probe, .tail, .heartbeat, .holder, .share,
                .cacheLimit, .terms, .elsewhere:
                break
            }
            return false
        }
        #expect(try bench.run() == .complete(allSucceeded: true))
        #expect(Set(bench.host.acknowledged.map(\.run)) == Set(1...5))
        #expect(bench.loop.state.fencedCount == 0)
    }

    @Test("A commit that fails: the loop ends there, and nothing of that step was done", arguments: 1...9)
    func commitFails(number: Int) throws {
        let bench = try Bench(runs: 5)
        bench.ledger.failing = number
        var isBroken = false
        do {
            _ = try bench.run()
        } catch is FakeLedger.Broken {
            isBroken = true
        }
        let granted = bench.ledger.records.compactMap { record -> LeaseNumber? in
            if case .leaseGranted(let lease, _, _) = record { lease } else { nil }
        }
        #expect(Set(bench.host.grants.map(\.lease)).isSubset(of: granted))
        #expect(Set(bench.host.acknowledged).isSubset(of: bench.ledger.ends.map(\.id)))
        if number <= 4 { #expect(isBroken) }
        if isBroken { #expect(bench.ledger.commits == number) }
    }

    @Test("What a host offers for now is taken from its heartbeats")
    func offers() throws {
        let bench = try Bench(runs: 6)
        try bench.run { bench.loop.hostView(0).standing == .working }
        func say(_ offer: HostOffer?) throws -> HostView {
            bench.host.say(.heartbeat(HostLoad(running: 0, waiting: 0, freeBytes: 0, offer: offer)))
            try bench.step()
            return bench.loop.hostView(0)
        }
        let less = try say(HostOffer(slots: 0, memoryBytes: 1, reason: "shared with alice"))
        #expect(less.standing == .paused && less.slots == 0 && less.problem.hasSuffix("for now: shared with alice"))
        let all = try say(nil)
        #expect(all.standing == .working && all.slots > 0 && all.problem.isEmpty)
    }

    @Test("Who speaks before his hello is dropped for good")
    func noHello() throws {
        let bench = try Bench()
        bench.host.part = { host, message in
            guard case .hello = message else { return false }
            host.say(.heartbeat(HostLoad(running: 0, waiting: 0, freeBytes: 0)))
            return true
        }
        guard case .noHost(let reason) = try bench.run() else {
            Issue.record("it went on")
            return
        }
        #expect(reason.hasPrefix("h0: ") && reason.contains("first message is not a hello"))
        #expect(bench.host.streams == 1 && bench.host.closings == 1)
    }

    @Test("Who says hello again is dropped for good, and written down once")
    func secondHello() throws {
        let bench = try Bench()
        bench.host.part = { host, message in
            guard case .grant = message else { return false }
            host.greet()
            return true
        }
        guard case .noHost(let reason) = try bench.run() else {
            Issue.record("it went on")
            return
        }
        #expect(reason.contains("sent a second hello"), "\(reason)")
        #expect(bench.ledger.records.count { if case .hostSeen = $0 { true } else { false } } == 1)
    }

    @Test("An agent of another version is dropped for good, and both versions are named", arguments: [0...0, 7...9])
    func version(_ versions: ClosedRange<Int>) throws {
        let bench = try Bench()
        bench.host.versions = versions
        guard case .noHost(let reason) = try bench.run() else {
            Issue.record("it went on")
            return
        }
        #expect(reason.contains("versions \(versions.lowerBound) to \(versions.upperBound)"))
        #expect(bench.host.grants.isEmpty && bench.host.streams == 1)
    }

    @Test("An agent that speaks more than this version too is welcome")
    func newerToo() throws {
        let bench = try Bench()
        bench.host.versions = WireVersion.oldest...WireVersion.current + 5
        #expect(try bench.run() == .complete(allSucceeded: true))
    }

    @Test("An agent of version 1 is spoken with in version 1, which refuses what it does not know")
    func olderToo() throws {
        let bench = try Bench(runs: 5, inputs: [("x", [1, 2, 3])])
        bench.host.versions = 1...1
        #expect(try bench.run() == .complete(allSucceeded: true))
        #expect(bench.host.kinds.isSubset(of: Set(1...11)))
        #expect(bench.host.kinds.isSuperset(of: [1, 2, 5, 6, 11]))
        let other = try Bench(runs: 5)
        #expect(try other.run() == .complete(allSucceeded: true))
        #expect(other.host.kinds.isSubset(of: Set([1]).union(18...27)))
    }

    /// One host at work on both runs; the sweep was interrupted. What then comes at every step, and time passes.
    private func interrupted(_ requests: [Inbox.Request]) throws -> (bench: Bench, isAsked: Bool) {
        let bench = try Bench(runs: 2)
        bench.host.part = { _, message in if case .grant = message { true } else { false } }
        try bench.run { !bench.host.grants.isEmpty }
        bench.inbox.put(.request(.interrupt(byKey: true)))
        #expect(try bench.run() == .interrupted)
        bench.loop.observer = { [time = bench.time, inbox = bench.inbox] _, _ in
            time.now += Timing.second
            inbox.put(.request(.live(token: "top")))
        }
        for request in requests { bench.inbox.put(.request(request)) }
        bench.inbox.put(.request(.live(token: "top")))
        return (bench, try bench.loop.waitForCancel(timeout: 3 * Timing.second))
    }

    @Test("After Ctrl-C those who look on, the end of the terminal and the end of one run cancel nothing else")
    func looksOn() throws {
        let (bench, isAsked) = try interrupted([
            .live(token: "status"), .tail(run: 1, path: "stdout.txt", token: "logs"), .interrupt(byKey: false),
            .cancel(run: 1, reason: "cancelled by 'usweep cancel'"),
        ])
        #expect(!isAsked)
        #expect(!bench.ledger.records.contains { if case .sweepStopped = $0 { true } else { false } })
        let asked = bench.ledger.records.compactMap { if case .runCancelAsked(let run, _) = $0 { run } else { nil } }
        #expect(asked == [1])
        #expect(bench.loop.state.openRunCount(on: "h0") == 2)
    }

    @Test("A second Ctrl-C, or a word that all are to be cancelled, cancels all", arguments: [
        Inbox.Request.interrupt(byKey: true), .cancel(run: nil, reason: "cancelled by 'usweep cancel'"),
    ])
    func cancelsAll(_ request: Inbox.Request) throws {
        let (bench, isAsked) = try interrupted([.live(token: "status"), request])
        #expect(isAsked)
        #expect(bench.ledger.records.contains { if case .sweepStopped = $0 { true } else { false } })
    }

    @Test("A host that reports more than a run may leave: none of it is fetched, and the run ends as too much output")
    func terabyte() throws {
        let bench = try Bench(runs: 1)
        bench.host.part = { host, message in
            guard case .grant(let shard) = message, let entry = shard.entries.first else { return false }
            let id = AttemptID(run: entry.run, lease: shard.lease, attempt: entry.firstAttempt)
            let artifacts = (1...2).map { number in
                Artifact(path: "huge\(number)", digest: SHA256.digest("\(number)"), size: 1 << 40)
            }
            host.say(.outcome(AttemptReport(id: id, artifacts: artifacts)))
            return true
        }
        #expect(try bench.run() == .complete(allSucceeded: false))
        #expect(bench.host.reads.isEmpty && bench.host.streams == 1)
        #expect(bench.ledger.ends.map(\.failure) == [.tooMuchOutput])
        #expect(bench.ledger.evidence.first?.contains("more than limits.output (8 GiB)") == true)
        #expect(bench.loop.state[1].phase == .ended(.failed, .tooMuchOutput))
    }

    @Test("A host's damaged input: results that had it are quarantined, also one that was being judged, by our clock")
    func damagedInput() throws {
        let input = [UInt8](repeating: 7, count: 100)
        let bench = try Bench(runs: 3, inputs: [("disk.img", input)])
        bench.loop.results = { _, from, until in from == 5 && until == 6 + Timing.second ? [1, 2] : [] }
        bench.host.part = { host, message in
            guard case .grant(let shard) = message else { return false }
            for entry in shard.entries where entry.run < 3 {
                let id = AttemptID(run: entry.run, lease: shard.lease, attempt: entry.firstAttempt)
                host.succeed(id, Array("{\"value\": 1}".utf8))
            }
            return true
        }
        func ended() -> Int { bench.ledger.ends.count }
        #expect(try bench.run(until: { ended() == 2 }) == nil)
        // A FakeHost's clock is this much ahead.
        let offset = try #require(bench.loop.links[0]?.clockOffset)
        let foundAt = 6 + Timing.second + offset
        let other = ObjectDamage(digest: SHA256.digest("other"), wholeAt: 5 + offset, foundAt: foundAt)
        let damage = ObjectDamage(digest: SHA256.digest(input), wholeAt: 5 + offset, foundAt: foundAt)
        bench.host.say(.damaged(other), .damaged(damage))
        func found() -> [DamagedInput] {
            bench.ledger.records.compactMap { if case .inputDamaged(let found) = $0 { found } else { nil } }
        }
        #expect(try bench.run(until: { !found().isEmpty }) == nil)
        #expect(found() == [
            DamagedInput(
                host: "h0", path: "disk.img", damage: damage.on(clockBehind: offset), runs: RunList(1..<3),
                makers: RunList())
        ])
        #expect(bench.loop.state[1].phase == .ended(.quarantined, .inputDamaged))
        // What succeeds only now and began before is looked at, too.
        bench.loop.results = { _, _, _ in [3] }
        bench.time.now = max(bench.time.now, 2 * Timing.second)
        let shard = try #require(bench.host.grants.first { $0.entries.contains { $0.run == 3 } })
        let wall = bench.time.now
        bench.host.succeed(
            AttemptID(run: 3, lease: shard.lease, attempt: 1), Array("{\"value\": 1}".utf8), wall: wall)
        #expect(try bench.run() == .complete(allSucceeded: false))
        #expect(found().map { Array($0.runs) } == [[1, 2], [3]])
    }

    @Test("A sweep is not complete before it is known which of its results had an input that was found damaged")
    func damagedAtTheEnd() throws {
        let input = [UInt8](repeating: 7, count: 100)
        let bench = try Bench(inputs: [("disk.img", input)])
        bench.loop.results = { _, _, _ in [1] }
        bench.host.part = { [unowned bench] host, message in
            guard case .release = message else { return false }
            bench.workshop.isOpen = false
            host.say(.damaged(ObjectDamage(digest: SHA256.digest(input), wholeAt: 5, foundAt: 6)))
            return false
        }
        var steps = 0
        func isLongReleased() -> Bool {
            if bench.loop.state.isFinished, !bench.loop.state.isHolding.contains(true) { steps += 1 }
            return steps > 8
        }
        #expect(try bench.run(until: isLongReleased) == nil)
        #expect(steps > 8 && bench.loop.state[1].phase == .ended(.succeeded, nil))
        bench.workshop.isOpen = true
        #expect(try bench.run() == .complete(allSucceeded: false))
        #expect(bench.loop.state[1].phase == .ended(.quarantined, .inputDamaged))
    }

    @Test("What a run may leave counts once where it has several names")
    func severalNames() {
        let digest = SHA256.digest("x")
        let twice = (1...2).map { Artifact(path: "\($0)", digest: digest, size: 6) }
        let report = AttemptReport(id: AttemptID(run: 1, lease: 1, attempt: 1), artifacts: twice)
        #expect(report.within(6) == report)
        #expect(report.within(5).failure == .tooMuchOutput && report.within(5).artifacts.isEmpty)
    }

    @Test("A stream that breaks off in the middle of a message is tried again, and said so")
    func tornMessage() throws {
        let bench = try Bench()
        bench.host.part = { host, message in
            guard case .grant = message, host.streams == 1 else { return false }
            host.say(bytes: ((try? AgentMessage.released.frame.encoded) ?? []).dropLast())
            host.end(StreamEnd(kind: .commandEnded(status: 0), message: "It ended."))
            return true
        }
        var problems: Set<String> = []
        bench.loop.observer = { loop, _ in problems.insert(loop.hostView(0).problem) }
        #expect(try bench.run() == .complete(allSucceeded: true))
        #expect(problems.contains { $0.contains("in the middle of a message") })
        #expect(bench.host.streams == 2)
    }

    @Test("A host that falls silent: its stream is closed, its runs go on under a new lease, also there")
    func silent() throws {
        let bench = try Bench()
        bench.host.part = { host, message in
            if case .hello = message { return false }
            if case .grant = message, host.streams == 1 { return false }
            // It reports, and then answers nothing more on this stream.
            return host.streams == 1
        }
        #expect(try bench.run() == .complete(allSucceeded: true))
        #expect(bench.host.streams == 2 && bench.host.closings == 1)
        #expect(bench.host.grants.map(\.lease) == [1, 2])
        #expect(bench.ledger.ends.map(\.id.lease) == [2])
    }

    @Test("Interrupted: nothing is closed, nothing more is granted")
    func interrupted() throws {
        let bench = try Bench(runs: 3)
        bench.host.part = { _, message in if case .grant = message { true } else { false } }
        try bench.run(until: { !bench.host.grants.isEmpty })
        bench.inbox.put(.request(.interrupt(byKey: true)))
        #expect(try bench.run() == .interrupted)
        #expect(bench.host.closings == 0)
    }

    @Test("A lease that no frame holds goes in several shards, each run once")
    func largeShards() throws {
        let bench = try Bench(runs: 4, argument: String(repeating: "n", count: 60_000))
        bench.host.part = { _, message in
            if case .grant(let shard) = message { #expect(shard.entries.count == 1) }
            return false
        }
        #expect(try bench.run() == .complete(allSucceeded: true))
        #expect(bench.host.grants.flatMap(\.entries).map(\.run).sorted() == [1, 2, 3, 4])
    }
}
