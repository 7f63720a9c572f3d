import GRDB
import Model
import Testing
@testable import Ledger

@Suite struct DerivationTests {
    @Test func aSweepAsItGoes() throws {
        let folder = try Folder()
        let ledger = try Sample.ledger(folder)
        try ledger.commit([
            Sample.seen("h1"), .pinned(name: "engine", digest: SHA256.digest("e")), Sample.granted(1, "h1", [1, 2]),
            Sample.ended(1, lease: 1, attempt: 1, failure: .exitNonzero), Sample.ended(1, lease: 1, attempt: 2),
            .runEnded(run: 1, state: .succeeded, failure: nil, attempt: 2),
        ])
        try ledger.commit([
            .leaseVoided(lease: 1, reason: "silent"), Sample.seen("h2"), Sample.granted(2, "h2", [2, 3], first: 4),
            Sample.ended(2, lease: 2, attempt: 4, host: "h2", failure: .timeout),
            .runEnded(run: 2, state: .failed, failure: .timeout, attempt: 4),
            .attemptFenced(Sample.report(2, lease: 1, attempt: 1), host: "h1", agrees: false),
            .hostPaused(host: "h1", reason: "silent"), .hostReleased(host: "h1"), .sweepStopped(reason: "signal"),
            .hostPaused(host: "h3", reason: "no disk"), .hostRefused(host: "h3", reason: "another engine"),
            .hostRefused(host: "h4", reason: "no engine"), .hostPaused(host: "h4", reason: "no disk"),
        ])
        let first = try #require(try ledger.run(1))
        #expect(first.state == .succeeded)
        #expect(first.attempts == 2)
        #expect(first.lease == 1)
        #expect(first.host == "h1")
        #expect(first.decision?.id == AttemptID(run: 1, lease: 1, attempt: 2))
        #expect(first.decision?.blocks?.text == #"[{"value":1.50}]"#)
        #expect(try ledger.attempts(of: 1).map(\.failure) == [.exitNonzero, nil])
        #expect(try ledger.artifacts(of: 1, attempt: 2).map(\.path) == ["a", "b/$(touch x)"])
        let second = try #require(try ledger.run(2))
        #expect(second.state == .failed)
        #expect(second.failure == .timeout)
        #expect(second.host == "h2")
        #expect(try ledger.fencedAttempts(of: 2).map(\.agrees) == [false])
        let third = try #require(try ledger.run(3))
        #expect(third.state == nil)
        #expect(third.lease == 2)
        #expect(third.decision == nil)
        #expect(try ledger.run(99) == nil)
        #expect(
            try ledger.counts() == [
                RunCount(state: nil, failure: nil, count: 2), RunCount(state: .failed, failure: .timeout, count: 1),
            ])
        let hosts = try ledger.hosts()
        #expect(hosts.map(\.pauseReason) == ["silent", nil, "another engine", "no disk"])
        #expect(hosts.map(\.isRefused) == [false, false, true, false], "the last counts")
        #expect(try ledger.pauses(of: "h3") == ["no disk"] && ledger.refusals(of: "h3") == ["another engine"])
        #expect(try ledger.pauses(ofAny: ["h1", "h4"]) == ["silent", "no engine", "no disk"])
        #expect(try ledger.leases().map(\.voided) == ["silent", nil])
        #expect(try ledger.pins().map(\.digest) == [SHA256.digest("e")])
        #expect(try ledger.stops() == ["signal"])
        var objects: [Digest] = []
        try ledger.forEachObject { objects.append($0) }
        #expect(Set(objects) == Set(["1", "2", "a", "e"].map { SHA256.digest($0) }))
        // What a repair needs is known where a table is damaged.
        try DatabaseQueue(path: folder.ledger).write {
            try $0.execute(sql: "UPDATE artifacts SET digest = zeroblob(32)")
        }
        var found: Set<Digest> = []
        try ledger.forEachObject { found.insert($0) }
        #expect(found.isSuperset(of: objects))
    }

    @Test("Audits are kept beside the attempts; the results of a fenced host stay with theirs, and count no more")
    func audits() throws {
        let folder = try Folder()
        let ledger = try Sample.ledger(folder)
        let numbers = AuditComparison(numbers: SHA256.digest("2"), counted: SHA256.digest("1"))
        try ledger.commit([
            Sample.seen("h1"), Sample.seen("h2"), Sample.granted(1, "h1", [2, 3]),
            Sample.ended(2, lease: 1, attempt: 1),
            .runEnded(run: 2, state: .succeeded, failure: nil, attempt: 1),
            .auditGranted(lease: 2, host: "h2", grants: [Grant(run: 2, firstAttempt: 4, attempts: 1)]),
            .auditEnded(
                Sample.report(2, lease: 2, attempt: 4), host: "h2", failure: nil, evidence: "1 of 1 values differ",
                comparison: numbers, endedAt: 20),
        ])
        let run = try #require(try ledger.run(2))
        #expect(run.attempts == 1 && run.host == "h1" && run.decision?.id.attempt == 1)
        #expect(try ledger.attempts(of: 2).map(\.id.attempt) == [1])
        let audit = try #require(try ledger.audits(of: 2).first)
        #expect(audit.comparison == numbers && audit.attempt.host == "h2")
        #expect(audit.attempt.evidence == "1 of 1 values differ")
        #expect(try ledger.artifacts(of: 2, attempt: 4).count == 2, "gc leaves what it left")
        var audited: [Bool] = []
        try ledger.forEachAttempt { audited.append($1) }
        #expect(audited == [false, true])

        let runs = RunList(2..<3)
        try ledger.commit([.hostFenced(host: "h1", reason: "run 2 differs", runs: runs)])
        let fenced = try #require(try ledger.run(2))
        #expect(fenced.state == .quarantined && fenced.failure == .hostFenced)
        #expect(fenced.decision?.blocks != nil, "nothing of it is lost")
        #expect(try ledger.hosts().map(\.fenceReason) == ["run 2 differs", nil])
        #expect(try ledger.fencedRuns(of: "h1") == [2])

        try ledger.commit([.runReopened(run: 2, reason: "retry")])
        #expect(try ledger.run(2)?.decision?.id.attempt == 1, "an audit is nobody's last attempt")
        try ledger.commit([
            Sample.granted(3, "h2", [2], first: 5), Sample.ended(2, lease: 3, attempt: 5, host: "h2"),
            .runEnded(run: 2, state: .succeeded, failure: nil, attempt: 5),
        ])
        #expect(try ledger.audits(of: 2).isEmpty, "it was about another result")
        #expect(try ledger.run(2)?.attempts == 2)
        try ledger.commit([.repinned(reason: "repaired")])
        #expect(try ledger.hosts().map(\.fenceReason) == [nil, nil])
        #expect(try ledger.check() == [])
        #expect(throws: Failure.self) { try ledger.commit([.hostFenced(host: "h1", reason: "again", runs: runs)]) }
    }

    @Test("Results that had a damaged input are found by the times of their attempts, kept, and count no more")
    func damages() throws {
        let folder = try Folder()
        let ledger = try Sample.ledger(folder)
        try ledger.commit([
            Sample.seen("h1"), Sample.seen("h2"), Sample.granted(1, "h1", [2, 3]), Sample.granted(2, "h2", [4]),
            Sample.ended(2, lease: 1, attempt: 1), .runEnded(run: 2, state: .succeeded, failure: nil, attempt: 1),
            Sample.ended(3, lease: 1, attempt: 1, failure: .timeout),
            .runEnded(run: 3, state: .failed, failure: .timeout, attempt: 1),
            Sample.ended(4, lease: 2, attempt: 1, host: "h2"),
            .runEnded(run: 4, state: .succeeded, failure: nil, attempt: 1),
        ])
        let decision = try #require(try ledger.run(2)?.decision)
        let (began, ended) = (decision.endedAt - decision.wall, decision.endedAt)
        #expect(try ledger.results(of: "h1", from: ended, until: ended + 5) == [2])
        #expect(try ledger.results(of: "h1", from: 0, until: began) == [2])
        #expect(try ledger.results(of: "h1", from: ended + 1, until: ended + 5) == [], "it had ended before")
        #expect(try ledger.results(of: "h1", from: 0, until: began - 1) == [], "it began afterwards")

        let found = DamagedInput(
            host: "h1", path: "disk.img", damage: ObjectDamage(digest: SHA256.digest("d"), wholeAt: 3, foundAt: 30),
            runs: RunList(2..<3), makers: RunList(1..<2))
        try ledger.commit([.inputDamaged(found)])
        #expect(try ledger.damagedInputs() == [found])
        let run = try #require(try ledger.run(2))
        #expect(run.state == .quarantined && run.failure == .inputDamaged && run.decision?.blocks != nil)
        #expect(try ledger.runs(quarantinedFor: .inputDamaged) == [2])
        #expect(try ledger.results(of: "h1", from: 0, until: 100) == [], "it is no news any more")
        #expect(try ledger.check() == [])
        try ledger.commit([.repinned(reason: "repaired")])
        #expect(try ledger.damagedInputs() == [] && ledger.check() == [])
        #expect(throws: Failure.self) { try ledger.commit([.inputDamaged(found)]) }
    }

    @Test("Of two attempts that ran at the same time, the one that was ended is named, whichever it was")
    func overtaken() throws {
        let folder = try Folder()
        let ledger = try Sample.ledger(folder)
        func doubled(_ run: RunNumber, lease: LeaseNumber) -> [Model.Record] {
            [
                Sample.granted(lease, "h1", [run]), .secondStart(run: run, lease: lease + 1, reason: "slow"),
                Sample.granted(lease + 1, "h2", [run], first: 4),
            ]
        }
        try ledger.commit([Sample.seen("h1"), Sample.seen("h2")] + doubled(2, lease: 1) + doubled(3, lease: 3))
        #expect(try ledger.overtakenAttempts().isEmpty)
        try ledger.commit(
            [
                Sample.ended(2, lease: 2, attempt: 4, host: "h2"),
                .runEnded(run: 2, state: .succeeded, failure: nil, attempt: 4),
                Sample.ended(3, lease: 3, attempt: 1), .runEnded(run: 3, state: .succeeded, failure: nil, attempt: 1),
            ] + doubled(4, lease: 5) + [
                Sample.ended(4, lease: 6, attempt: 4, host: "h2", failure: .timeout),
                Sample.ended(4, lease: 5, attempt: 1), .runEnded(run: 4, state: .succeeded, failure: nil, attempt: 1),
            ])
        let first = OvertakenAttempt(run: 2, attempt: 1, host: "h1", winner: 4, winnerHost: "h2", endedAt: 10)
        let second = OvertakenAttempt(run: 3, attempt: 4, host: "h2", winner: 1, winnerHost: "h1", endedAt: 10)
        #expect(try ledger.overtakenAttempts() == [first, second], "run 4's other attempt failed by itself")
        #expect(try ledger.overtakenAttempts(of: 3) == [second])
        // It came to an end all the same, before it was told: that is on record by itself.
        try ledger.commit([.attemptFenced(Sample.report(2, lease: 1, attempt: 1), host: "h1", agrees: true)])
        #expect(try ledger.overtakenAttempts() == [second])
    }

    @Test(arguments: 0..<25)
    func theTablesAreWhatTheJournalGives(_ seed: Int) throws {
        let folder = try Folder()
        let ledger = try Sample.ledger(folder, runs: 6)
        var source = RandomRecords(seed: UInt64(seed), runs: 6)
        var all: [Model.Record] = []
        for size in [1, 50, 3, 100, 46] {
            let batch = (0..<size).map { _ in source.next() }
            try ledger.commit(batch)
            all += batch
        }
        #expect(try ledger.check() == [])
        var runs: [RunStatus] = []
        try ledger.forEachRun(all: true) { runs.append($0) }
        #expect(Set(runs.filter { $0.plan.place != nil }.map(\.plan.run)) == source.places)
        #expect(runs.map(\.state) == source.states)
        #expect(runs.map(\.failure) == source.failures)
        #expect(runs.map(\.attempts) == source.attempts)
        var replayed: [Model.Record] = []
        try ledger.forEachRecord { replayed.append($1) }
        #expect(replayed == all)
        let before = try DerivationTests.tables(ledger)
        try ledger.rebuild()
        #expect(try DerivationTests.tables(ledger) == before)
    }

    /// Each change to a derived table or the journal has to be seen by `check`, and repaired by `rebuild` where it can.
    @Test(arguments: [
        ("UPDATE runs SET state = 'succeeded' WHERE run = 2", true),
        ("UPDATE attempts SET evidence = 'nothing happened'", true),
        ("DELETE FROM artifacts WHERE path = 'a'", true),
        ("INSERT INTO stops VALUES (1000, 'x')", true),
        ("UPDATE attempts SET blocks = NULL", true),
        ("DELETE FROM journal WHERE seq = 1", false),
        ("UPDATE journal SET payload = x'0100' WHERE seq = 2", false),
        ("UPDATE journal SET payload = x'020a00' WHERE seq = 2", false),
    ])
    func checkSeesWhatWasChanged(_ sql: String, _ canBeRepaired: Bool) throws {
        let folder = try Folder()
        let ledger = try Sample.ledger(folder)
        try ledger.commit([
            Sample.seen("h1"), Sample.granted(1, "h1", [1]), Sample.ended(1, lease: 1, attempt: 1),
        ])
        #expect(try ledger.check() == [])
        try ledger.queue.writeWithoutTransaction { try $0.execute(sql: sql) }
        #expect(try ledger.check().count == 1)
        if canBeRepaired {
            try ledger.rebuild()
            #expect(try ledger.check() == [])
        } else {
            #expect(throws: Failure.self) { try ledger.rebuild() }
        }
    }

    private static func tables(_ ledger: Ledger) throws -> [[Row]] {
        try ledger.queue.read { db in
            try Schema.derived.map { try Row.fetchAll(db, sql: "SELECT * FROM \($0.table) ORDER BY \($0.key)") }
        }
    }
}
