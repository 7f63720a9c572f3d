import Formats
import GRDB
import Glibc
import Model
import Testing
@testable import Ledger

private func failure(_ body: () throws -> Void) -> Failure? {
    do {
        try body()
        return nil
    } catch {
        return error as? Failure
    }
}

@Suite struct RecordCodingTests {
    @Test(arguments: 0..<20)
    func everyRecordComesBack(_ seed: Int) throws {
        var source = RandomRecords(seed: UInt64(seed), runs: 5)
        for _ in 0..<100 {
            let record = source.next()
            let bytes = record.encoded
            #expect(try Model.Record(encoded: bytes) == record)
            for length in bytes.indices {
                #expect(throws: WireError.self) { try Model.Record(encoded: Array(bytes[..<length])) }
            }
        }
    }

    @Test func unknownVersionsAndKindsAreRefused() {
        let twice: [UInt8] = [1, 12, 4, 0, 2, 2, 6, 4, 2, 0]
        for bytes: [UInt8] in [[3, 10, 0], [2, 99, 0], [1, 99, 0], [1, 0], twice] {
            #expect(throws: WireError.self) { try Model.Record(encoded: bytes) }
        }
    }
}

@Suite struct DurabilityTests {
    @Test func theWriterSyncsEveryCommit() throws {
        let folder = try Folder()
        let ledger = try Sample.ledger(folder)
        let found = try ledger.queue.writeWithoutTransaction { try Durability($0) }
        #expect(found.journalMode == "wal")
        #expect(found.synchronous == 2)
        let header = try #require(folder.read("ledger.sqlite"))
        #expect(Array(header[68..<72]) == Array("uswp".utf8))
        #expect(Array(header[60..<64]) == [0, 0, 0, 6])
    }

    @Test func nobodyElseMayReadIt() throws {
        let folder = try Folder()
        let ledger = try Sample.ledger(folder)
        try ledger.commit([.sweepStopped(reason: "signal")])
        for name in ["ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm", "ledger.sqlite.lock"] {
            var status = stat()
            #expect(stat(folder.file(name), &status) == 0, "\(name)")
            #expect(status.st_mode & 0o777 == 0o600, "\(name)")
        }
    }

    @Test func whatWasCommittedIsThereWithoutAnyGoodbye() throws {
        let folder = try Folder()
        let copy = try Folder()
        let ledger = try Sample.ledger(folder)
        let records = [Sample.seen("h1"), Sample.granted(1, "h1", [1, 2])]
        try ledger.commit(records)
        try ledger.commit([Sample.ended(1, lease: 1, attempt: 1)])
        // The files as a crash would leave them: nothing was closed, nothing was put into the main file.
        for name in ["ledger.sqlite", "ledger.sqlite-wal"] { copy.write(name, try #require(folder.read(name))) }
        let found = try Ledger.open(copy.ledger)
        var replayed: [Model.Record] = []
        try found.forEachRecord { replayed.append($1) }
        #expect(replayed == records + [Sample.ended(1, lease: 1, attempt: 1)])
        #expect(try found.check() == [])
    }

    @Test func aTornWriteAheadLogLosesOnlyWhatWasNotCommitted() throws {
        let folder = try Folder()
        let ledger = try Sample.ledger(folder)
        try ledger.commit([.sweepStopped(reason: "first")])
        let whole = try #require(folder.read("ledger.sqlite-wal")).count
        try ledger.commit([.sweepStopped(reason: "second")])
        let log = try #require(folder.read("ledger.sqlite-wal"))
        let main = try #require(folder.read("ledger.sqlite"))
        for length in [whole, whole + 1, (whole + log.count) / 2, log.count - 1, log.count] {
            let copy = try Folder()
            copy.write("ledger.sqlite", main)
            copy.write("ledger.sqlite-wal", Array(log[..<length]))
            #expect(try Ledger.open(copy.ledger).stops() == (length == log.count ? ["first", "second"] : ["first"]))
        }
    }

    @Test func afterAFailedCommitNothingIsTaken() throws {
        let folder = try Folder()
        let ledger = try Sample.ledger(folder)
        let records: [Model.Record] = [
            .sweepStopped(reason: "x"), .runEnded(run: 1, state: .failed, failure: .spawn, attempt: 9),
        ]
        #expect(failure { try ledger.commit(records) }?.code == .internalError)
        #expect(failure { try ledger.commit([.sweepStopped(reason: "y")]) }?.cause?.contains("attempt 9") == true)
        #expect(try ledger.stops() == [])
        #expect(try ledger.check() == [])
    }

    @Test func aFullDiskIsAFailureOfStorage() throws {
        let folder = try Folder()
        let ledger = try Sample.ledger(folder)
        try ledger.queue.writeWithoutTransaction { db in
            let pages = try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0
            try db.execute(sql: "PRAGMA max_page_count = \(pages + 2)")
        }
        let long = String(repeating: "x", count: 100_000)
        let full = failure { try ledger.commit([.sweepStopped(reason: long)]) }
        #expect(full?.code == .storage)
        #expect(full?.message.contains("usweep resume") == true)
        #expect(failure { try ledger.commit([.sweepStopped(reason: "y")]) }?.code == .storage)
    }
}

@Suite struct GuardTests {
    private static let base = [Sample.seen("h1"), Sample.granted(1, "h1", [1, 2])]

    @Test(arguments: [
        [Sample.granted(2, "h9", [1])],
        [Sample.granted(1, "h1", [3])],
        [Sample.granted(2, "h1", [99])],
        [Model.Record.leaseVoided(lease: 7, reason: "")],
        [.leaseVoided(lease: 1, reason: ""), .leaseVoided(lease: 1, reason: "")],
        [Sample.ended(99, lease: 1, attempt: 1)],
        [Sample.ended(1, lease: 9, attempt: 1)],
        [Sample.ended(1, lease: 1, attempt: 1), Sample.ended(1, lease: 1, attempt: 1)],
        [.runEnded(run: 1, state: .succeeded, failure: nil, attempt: 1)],
        [
            .runEnded(run: 1, state: .cancelled, failure: .cancelled, attempt: 0),
            .runEnded(run: 1, state: .cancelled, failure: .cancelled, attempt: 0),
        ],
        [.runEnded(run: 1, state: .cancelled, failure: .cancelled, attempt: 0), Sample.granted(2, "h1", [1])],
        [.runReopened(run: 1, reason: "")],
        [.attemptFenced(Sample.report(99, lease: 1, attempt: 1), host: "h1", agrees: nil)],
    ])
    func contradictionsAreRefusedAsAWhole(_ records: [Model.Record]) throws {
        let folder = try Folder()
        let ledger = try Sample.ledger(folder)
        try ledger.commit(GuardTests.base)
        #expect(throws: Failure.self) { try ledger.commit([.sweepStopped(reason: "in the batch")] + records) }
        #expect(try ledger.stops() == [])
        #expect(try ledger.check() == [])
    }
}

@Suite struct OpeningTests {
    @Test func metadataAndRunsComeBack() throws {
        let folder = try Folder()
        do { _ = try Sample.ledger(folder) }
        let ledger = try Ledger.open(folder.ledger, sweep: Sample.metadata.sweep)
        var expected = Sample.metadata
        expected.notes.sort { $0.name < $1.name }
        #expect(try ledger.metadata() == expected)
        var runs: [PlannedRun] = []
        try ledger.forEachRun(all: true) { runs.append($0.plan) }
        #expect(runs.map(\.key) == Sample.runs(4))
        #expect(runs.map(\.run) == [1, 2, 3, 4])
        #expect(runs.map(\.place) == [0, 1, 2, 3])
        #expect(try ledger.runList() == RunList(1..<5))
    }

    @Test func aSweepIsMadeOnce() throws {
        let folder = try Folder()
        do { _ = try Sample.ledger(folder) }
        let before = folder.read("ledger.sqlite")
        #expect(failure { _ = try Sample.ledger(folder) }?.message.contains("exists already") == true)
        #expect(folder.read("ledger.sqlite") == before)
    }

    @Test func aDraftThatACrashLeftIsNoLedger() throws {
        let folder = try Folder()
        folder.write("ledger.sqlite.new", [1, 2, 3])
        folder.write("ledger.sqlite.new-journal", [1, 2, 3])
        #expect(failure { _ = try Ledger.open(folder.ledger) }?.code == .missingFile)
        #expect(try Sample.ledger(folder).check() == [])
        #expect(folder.read("ledger.sqlite.new") == nil)
    }

    @Test func runsThatContradictThemselvesMakeNoLedger() throws {
        let folder = try Folder()
        let runs = Sample.runs(2) + Sample.runs(2)
        #expect(failure { _ = try Ledger.create(folder.ledger, metadata: Sample.metadata, runs: runs) } != nil)
        #expect(folder.read("ledger.sqlite") == nil)
    }

    /// What is done to a good ledger's bytes, and what the refusal must say.
    @Test(arguments: [
        (60, [0, 0, 0, 7], "written by a newer usweep: its version is 7, and this usweep knows versions up to 6"),
        (60, [0, 0, 0, 0], "has no version"),
        (68, [0, 0, 0, 0], "a database of another program"),
        (0, Array("NOT SQL".utf8), "not a SQLite database"),
    ] as [(Int, [UInt8], String)])
    func strangeFilesStayAsTheyAre(_ offset: Int, _ patch: [UInt8], _ message: String) throws {
        let folder = try Folder()
        do { _ = try Sample.ledger(folder) }
        var bytes = try #require(folder.read("ledger.sqlite"))
        bytes.replaceSubrange(offset..<offset + patch.count, with: patch)
        folder.write("ledger.sqlite", bytes)
        for open in [{ try Ledger.open($0, sweep: nil) }, { try Ledger.read($0, sweep: nil) }] {
            let found = failure { _ = try open(folder.ledger) }
            #expect(found?.code == .badArchive)
            #expect(found?.message.contains(message) == true)
        }
        #expect(folder.read("ledger.sqlite") == bytes)
    }

    @Test(arguments: [0, 50, 100, 4096, -1])
    func cutFilesAreRefused(_ length: Int) throws {
        let folder = try Folder()
        do { _ = try Sample.ledger(folder) }
        let bytes = try #require(folder.read("ledger.sqlite"))
        folder.write("ledger.sqlite", Array(bytes[..<(length < 0 ? bytes.count + length : length)]))
        let found = failure { _ = try Ledger.open(folder.ledger) }
        #expect(found?.code == .badArchive)
        #expect(found?.message.contains("cut short") == true)
    }

    @Test func anotherSweepIsRefused() throws {
        let folder = try Folder()
        do { _ = try Sample.ledger(folder) }
        let found = failure { _ = try Ledger.open(folder.ledger, sweep: "other") }
        #expect(found?.code == .badArchive)
        #expect(found?.message.contains("belongs to the sweep 'sample $(touch x)', not to 'other'") == true)
    }

    @Test func whatIsMissingIsMissing() throws {
        let folder = try Folder()
        #expect(failure { _ = try Ledger.open(folder.ledger) }?.code == .missingFile)
        #expect(failure { _ = try Ledger.read(folder.ledger) }?.code == .missingFile)
        #expect(failure { _ = try Ledger.open(folder.path) }?.message.contains("is not a file") == true)
        let nowhere = folder.path + "/none/ledger.sqlite"
        let made = failure { _ = try Ledger.create(nowhere, metadata: Sample.metadata, runs: Sample.runs(1)) }
        #expect(made?.code == .storage)
    }

    @Test func damagedPagesAreFound() throws {
        let folder = try Folder()
        do { _ = try Sample.ledger(folder, runs: 2_000) }
        var bytes = try #require(folder.read("ledger.sqlite"))
        for page in 4..<bytes.count / 4096 { for byte in 0..<200 { bytes[page * 4096 + byte] = 0xa5 } }
        folder.write("ledger.sqlite", bytes)
        let problems: [String]
        do { problems = try Ledger.open(folder.ledger).check() } catch { problems = ["\(error)"] }
        #expect(!problems.isEmpty)
    }
}

@Suite struct LockTests {
    @Test func aSweepHasOneCoordinator() throws {
        let folder = try Folder()
        var ledger: Ledger? = try Sample.ledger(folder)
        let found = failure { _ = try Ledger.open(folder.ledger) }
        #expect(found?.code == .heldElsewhere)
        #expect(found?.code.exitStatus == 75)
        #expect(found?.message.contains("pid \(getpid()) on ") == true)
        // Reading needs no lock.
        #expect(try Ledger.read(folder.ledger).metadata().identifier == "7f3a")
        _ = ledger?.path
        ledger = nil
        #expect(throws: Never.self) { _ = try Ledger.open(folder.ledger) }
    }

    @Test func whoHoldsItCanBeSeen() throws {
        let folder = try Folder()
        #expect(Ledger.holder(folder.ledger) == .nobody)
        do {
            let ledger = try Sample.ledger(folder)
            guard case .working(getpid(), _) = Ledger.holder(folder.ledger) else {
                Issue.record("\(Ledger.holder(folder.ledger))")
                return
            }
            ledger.leave(status: 3)
        }
        // Who only takes it for a moment is not the last who worked on it.
        try Ledger.locked(folder.ledger) {}
        guard case .ended(3, _) = Ledger.holder(folder.ledger) else {
            Issue.record("\(Ledger.holder(folder.ledger))")
            return
        }
        // A number that belongs to another process by now, a number of nobody's, and another machine's.
        var name = [CChar](repeating: 0, count: 256)
        gethostname(&name, 255)
        let here = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        for line in ["pid \(getpid()) on \(here) since T start 1", "pid 4194304 on \(here) since T start 1"] {
            folder.write("ledger.sqlite.lock", Array(line.utf8))
            guard case .vanished = Ledger.holder(folder.ledger) else {
                Issue.record("\(line)")
                return
            }
        }
        folder.write("ledger.sqlite.lock", Array("pid 5 on elsewhere.example since T start 1\n".utf8))
        #expect(Ledger.holder(folder.ledger) == .elsewhere(pid: 5, host: "elsewhere.example", since: "T"))
    }

    @Test func aHolderThatIsKilledHoldsNothing() throws {
        let folder = try Folder()
        do { _ = try Sample.ledger(folder) }
        let lock = folder.ledger + ".lock"
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        posix_spawn_file_actions_addclose(&actions, ends[0])
        let script = "exec 9<>\"$1\"; flock -n 9 || exit 1; echo locked; exec sleep 600 >/dev/null"
        let texts: [String] = ["sh", "-c", script, "sh", lock]
        let words = texts.map { strdup($0) }
        var child: pid_t = 0
        #expect(posix_spawn(&child, "/bin/sh", &actions, nil, words + [nil], environ) == 0)
        posix_spawn_file_actions_destroy(&actions)
        for word in words { free(word) }
        close(ends[1])
        var answer = [UInt8](repeating: 0, count: 7)
        #expect(Glibc.read(ends[0], &answer, answer.count) == 7)
        close(ends[0])
        #expect(failure { _ = try Ledger.open(folder.ledger) }?.code == .heldElsewhere)
        kill(child, SIGKILL)
        var status: Int32 = 0
        #expect(waitpid(child, &status, 0) == child)
        #expect(throws: Never.self) { _ = try Ledger.open(folder.ledger) }
    }

    @Test func aReaderWritesNothing() throws {
        let folder = try Folder()
        let ledger = try Sample.ledger(folder)
        let reader = try Ledger.read(folder.ledger)
        #expect(failure { try reader.commit([.sweepStopped(reason: "x")]) }?.code == .internalError)
        try ledger.commit([.sweepStopped(reason: "live")])
        #expect(try reader.stops() == ["live"])
    }
}
