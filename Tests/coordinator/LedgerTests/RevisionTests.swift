import Foundation
import GRDB
import Glibc
import Model
import Testing
@testable import Ledger

@Suite("Specifications that change")
struct RevisionTests {
    private static func point(_ name: String) -> RunKey {
        .evaluation(point: SHA256.digest(name), workload: "aes", repetition: 1)
    }

    private static func keys(_ names: String, setup: String = "s") -> [RunKey] {
        names.map { point(String($0)) } + [.setup(workload: "aes", recipe: SHA256.digest(setup))]
    }

    private static func ledger(_ folder: Folder, _ names: String) throws -> Ledger {
        let ledger = try Ledger.create(folder.ledger, metadata: Sample.metadata, runs: keys(names))
        try ledger.commit([Sample.seen("h1")])
        return ledger
    }

    /// Runs of the view, in order.
    private static func view(_ ledger: Ledger) throws -> [RunNumber] {
        var runs: [RunNumber] = []
        try ledger.forEachRun { runs.append($0.plan.run) }
        return runs
    }

    @Test("A boot keeps its run as long as the guest is the same")
    func boots() throws {
        let folder = try Folder()
        func keys(_ guests: String...) -> [RunKey] {
            RevisionTests.keys("a") + guests.map { .boot(recipe: SHA256.digest($0)) }
        }
        let ledger = try Ledger.create(folder.ledger, metadata: Sample.metadata, runs: keys("g"))
        let boot = RunKey.boot(recipe: SHA256.digest("g"))
        #expect(try ledger.run(3)?.plan == PlannedRun(run: 3, key: boot, place: 2))
        #expect(boot.pin == "booted:\(SHA256.digest("g").short)" && boot.isSetup && boot.workload == nil)
        #expect(try !ledger.compare(keys("g")).isOther)
        let change = try ledger.revise(specification: "two", runs: keys("h", "g"), madeAt: 5)
        #expect(change.newSetups == 1)
        #expect(try ledger.runList() == RunList(ranges: [1..<3, 4..<5, 3..<4]))
        #expect(try ledger.counts(ofSetups: true).map(\.count) == [3])
        #expect(try ledger.check() == [])
    }

    @Test("Points keep their run wherever they stand, new ones get new numbers, gone ones leave the view and come back")
    func revise() throws {
        let folder = try Folder()
        let ledger = try RevisionTests.ledger(folder, "abc")
        try ledger.commit([
            Sample.granted(1, "h1", [1, 2, 3, 4]), Sample.ended(1, lease: 1, attempt: 1),
            .runEnded(run: 1, state: .succeeded, failure: nil, attempt: 1),
        ])
        var expected = SpecificationChange()
        (expected.kept, expected.new, expected.gone, expected.succeeded) = (2, 1, 1, 1)
        expected.isOther = true
        let next = RevisionTests.keys("cxa")
        #expect(try ledger.compare(next) == expected)
        #expect(try ledger.revise(specification: "two", runs: next, madeAt: 5) == expected)
        #expect(try RevisionTests.view(ledger) == [3, 5, 1, 4])
        #expect(try ledger.metadata().specification == "two")
        #expect(try ledger.run(2)?.plan.place == nil)
        #expect(try ledger.run(2)?.lease == nil, "nobody holds what is gone")
        #expect(try ledger.run(3)?.lease == 1)
        #expect(try ledger.goneCount() == 1)
        #expect(try ledger.counts().map(\.count) == [2, 1])

        (expected.kept, expected.back, expected.gone, expected.new) = (1, 1, 2, 0)
        expected.succeeded = 1
        #expect(try ledger.revise(specification: "three", runs: RevisionTests.keys("ab"), madeAt: 6) == expected)
        #expect(try RevisionTests.view(ledger) == [1, 2, 4])
        #expect(try ledger.highestRun() == 5)
        #expect(try ledger.check() == [])
        try ledger.rebuild()
        #expect(try RevisionTests.view(ledger) == [1, 2, 4])
        #expect(try ledger.check() == [])
    }

    @Test("The same specification leaves no trace; another text of it is remembered")
    func same() throws {
        let folder = try Folder()
        let ledger = try RevisionTests.ledger(folder, "ab")
        let text = try ledger.metadata().specification
        #expect(try ledger.revise(specification: text, runs: RevisionTests.keys("ab"), madeAt: 5).isOther == false)
        #expect(try ledger.revise(specification: "other", runs: RevisionTests.keys("ab"), madeAt: 5).kept == 2)
        var revisions = 0
        try ledger.forEachRecord { if case .revised = $1 { revisions += 1 } }
        #expect(revisions == 1)
        #expect(try ledger.metadata().specification == "other")
    }

    @Test("A setup with another recipe is another run, with another pin; the old one comes back with its own")
    func setups() throws {
        let folder = try Folder()
        let ledger = try RevisionTests.ledger(folder, "a")
        let before = try #require(try ledger.run(2)?.plan.key.pin)
        let change = try ledger.revise(specification: "2", runs: RevisionTests.keys("b", setup: "t"), madeAt: 5)
        #expect(change.newSetups == 1)
        #expect(try RevisionTests.view(ledger) == [3, 4])
        #expect(try ledger.run(4)?.plan.key.pin != before)
        try ledger.revise(specification: "3", runs: RevisionTests.keys("a"), madeAt: 5)
        #expect(try RevisionTests.view(ledger) == [1, 2])
        var setups: [String?] = []
        try ledger.forEachSetup { setups.append($0.key.pin) }
        #expect(setups == [before])
    }

    @Test("What was cancelled is open again when its point comes back")
    func cancelled() throws {
        let folder = try Folder()
        let ledger = try RevisionTests.ledger(folder, "ab")
        try ledger.commit([
            .runEnded(run: 1, state: .cancelled, failure: .cancelled, attempt: 0),
            .runEnded(run: 2, state: .failed, failure: .timeout, attempt: 0),
        ])
        try ledger.revise(specification: "2", runs: RevisionTests.keys("c"), madeAt: 5)
        #expect(try ledger.run(1)?.state == .cancelled)
        try ledger.revise(specification: "3", runs: RevisionTests.keys("ab"), madeAt: 5)
        #expect(try ledger.run(1)?.state == nil)
        #expect(try ledger.run(2)?.state == .failed)
    }

    @Test("New pins: everything is open again, nothing of the old ones shows")
    func repinned() throws {
        let folder = try Folder()
        let ledger = try RevisionTests.ledger(folder, "ab")
        try ledger.commit([
            .pinned(name: "engine", digest: SHA256.digest("old")), Sample.granted(1, "h1", [1, 2]),
            Sample.ended(1, lease: 1, attempt: 1), .runEnded(run: 1, state: .succeeded, failure: nil, attempt: 1),
            .repinned(reason: "asked for"),
        ])
        let run = try #require(try ledger.run(1))
        #expect(run.state == nil && run.decision == nil && run.attempts == 0)
        #expect(try ledger.pins().isEmpty)
        #expect(try ledger.leases().map(\.voided) == ["asked for"])
        #expect(try ledger.attempts(of: 1).count == 1, "the evidence stays")
        try ledger.commit([
            Sample.granted(2, "h1", [1], first: 4), Sample.ended(1, lease: 2, attempt: 4, value: "7"),
            .runEnded(run: 1, state: .succeeded, failure: nil, attempt: 4),
        ])
        #expect(try ledger.run(1)?.decision?.blocks?.text == #"[{"value":7}]"#)
        #expect(try ledger.check() == [])
    }

    @Test("A clock that was set back changes nothing but what people read")
    func clock() throws {
        let folder = try Folder()
        let ledger = try RevisionTests.ledger(folder, "a")
        let day: Nanoseconds = 86_400_000_000_000
        for (attempt, time) in [(1, 2 * day), (2, day), (3, -day)] {
            let report = Sample.report(1, lease: 1, attempt: attempt, failure: .timeout)
            if attempt == 1 { try ledger.commit([Sample.granted(1, "h1", [1])]) }
            try ledger.commit([
                .attemptEnded(report, host: "h1", failure: .timeout, evidence: "", blocks: nil, endedAt: time)
            ])
        }
        try ledger.revise(specification: "2", runs: RevisionTests.keys("ab"), madeAt: -day)
        try ledger.revise(specification: "3", runs: RevisionTests.keys("b"), madeAt: -2 * day)
        #expect(try ledger.run(1)?.decision?.id.attempt == 3)
        #expect(try ledger.metadata().specification == "3")
        #expect(try ledger.check() == [])
    }

    @Test("A ledger of version 1 is brought up to date, and its setups keep their pins")
    func older() throws {
        let folder = try Folder()
        do { _ = try RevisionTests.ledger(folder, "") }
        // As version 1 made it, with a run of each kind and a record that version 2 derives more from.
        let journal = try Ledger.read(folder.ledger).journalPayloads()
        for name in ["ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm"] { Glibc.unlink(folder.file(name)) }
        let old = try DatabaseQueue(path: folder.ledger)
        try old.writeWithoutTransaction { db in
            try db.execute(sql: Schema.migrations[0])
            try db.execute(sql: "PRAGMA application_id = \(Schema.applicationID); PRAGMA user_version = 1")
            for (key, value) in [("sweep", "s"), ("identifier", "i"), ("specification", "x"), ("created", "1"),
                ("tool-version", "0")]
            {
                try db.execute(sql: "INSERT INTO meta VALUES (?, ?)", arguments: [key, value])
            }
            let point = SHA256.digest("a").data
            try db.execute(sql: "INSERT INTO plan VALUES (1, 'evaluation', 0, ?, 'aes', 1)", arguments: [point])
            try db.execute(sql: "INSERT INTO plan VALUES (2, 'setup', NULL, NULL, 'aes', 1)")
            for payload in journal {
                try db.execute(sql: "INSERT INTO journal (kind, payload) VALUES ('x', ?)", arguments: [payload])
            }
        }
        try old.close()
        #expect(try Ledger.read(folder.ledger).hosts().map(\.host) == ["h1"], "it is read as it is")
        let ledger = try Ledger.open(folder.ledger)
        #expect(try ledger.check() == [])
        #expect(try ledger.hosts().map(\.host) == ["h1"])
        #expect(try ledger.run(2)?.plan == PlannedRun(run: 2, key: .setup(workload: "aes", recipe: nil), place: 1))
        #expect(try ledger.revise(specification: "2", runs: RevisionTests.keys("ab"), madeAt: 5).newSetups == 0)
        #expect(try RevisionTests.view(ledger) == [1, 3, 2])
        let more = RevisionTests.keys("ab") + [RunKey.setup(workload: "aes", recipe: SHA256.digest("later"))]
        #expect(try ledger.revise(specification: "3", runs: more, madeAt: 6).newSetups == 1, "it stands for one alone")
        #expect(try RevisionTests.view(ledger) == [1, 3, 2, 4])
    }
}

extension Ledger {
    fileprivate func journalPayloads() throws -> [Data] {
        try queue.read { try Data.fetchAll($0, sql: "SELECT payload FROM journal ORDER BY seq") }
    }
}
