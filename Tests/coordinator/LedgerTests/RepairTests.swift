import GRDB
import Glibc
import Model
import TestKit
import Testing
@testable import Ledger

@Suite("Damaged ledgers")
struct RepairTests {
    private static let sweep = Sample.metadata.sweep
    private static let page = 4_096

    /// A closed ledger of so many records, with a copy made after some of them.
    private static func ledger(_ folder: Folder, records: Int, copiedAfter copied: Int?) throws {
        let ledger = try Sample.ledger(folder)
        for number in 0..<records {
            if number == copied { try ledger.backUp() }
            try ledger.commit([record(number)])
        }
        if records == copied { try ledger.backUp() }
    }

    private static func record(_ number: Int) -> Model.Record {
        .sweepStopped(reason: "record-\(number)-" + String(repeating: "x", count: 500))
    }

    /// What the journal of the ledger, which must be sound, holds.
    private static func records(_ folder: Folder) throws -> [Model.Record] {
        let ledger = try Ledger.open(folder.ledger, sweep: sweep)
        #expect(try ledger.check() == [])
        var records: [Model.Record] = []
        try ledger.forEachRecord { records.append($1) }
        return records
    }

    private static func isRestored(_ record: Model.Record?) -> Bool {
        if case .restored = record { true } else { false }
    }

    /// Overwrites the page that holds a text.
    private static func damage(_ folder: Folder, at text: String) throws {
        var bytes = try #require(folder.read("ledger.sqlite"))
        let wanted = Array(text.utf8)
        var index = 0
        while index + wanted.count < bytes.count, !bytes[index...].starts(with: wanted) { index += 1 }
        try #require(index + wanted.count < bytes.count)
        let start = index / page * page
        for byte in start..<start + page { bytes[byte] = 0xa5 }
        folder.write("ledger.sqlite", bytes)
    }

    /// Changes a text wherever it is in the file, into one of the same length.
    private static func garble(_ folder: Folder, _ text: String, into other: String) throws {
        var bytes = try #require(folder.read("ledger.sqlite"))
        let (wanted, others) = (Array(text.utf8), Array(other.utf8))
        try #require(wanted.count == others.count)
        var found = 0
        for index in bytes.indices.dropLast(wanted.count) where bytes[index] == wanted[0] {
            guard bytes[index...].starts(with: wanted) else { continue }
            bytes.replaceSubrange(index..<index + wanted.count, with: others)
            found += 1
        }
        try #require(found > 0)
        folder.write("ledger.sqlite", bytes)
    }

    /// What is in a ledger beside its journal and what follows from that.
    private static func given(_ ledger: Ledger) throws -> [Row] {
        try ledger.queue.read { db in
            try Row.fetchAll(db, sql: "SELECT key, value FROM meta ORDER BY key")
                + Row.fetchAll(db, sql: "SELECT * FROM plan ORDER BY run")
        }
    }

    @Test("What is damaged and still a text never wins over the copy; a note that is newer than the copy is kept")
    func texts() throws {
        let folder = try Folder()
        let newer = #"{"hosts":["lab2"]}"#
        do {
            let ledger = try Sample.ledger(folder)
            for number in 0..<60 { try ledger.commit([Self.record(number)]) }
            try ledger.backUp()
            try ledger.note(EnvironmentVariable("inventory", newer))
            for number in 60..<100 { try ledger.commit([Self.record(number)]) }
        }
        try Self.garble(folder, "axes: {x: [1, 2]}", into: "axes: {x: [7, 2]}")
        try Self.garble(folder, "DROP TABLE", into: "DROP FABLE")
        try Self.garble(folder, "record-30-", into: "record-33-")
        try Self.damage(folder, at: "record-80-")
        _ = try Ledger.repair(folder.ledger, sweep: Self.sweep)
        var expected = Sample.metadata
        expected.notes = [Sample.metadata.notes[1], EnvironmentVariable("inventory", newer)]
        for name in ["ledger.sqlite", "ledger.backup.sqlite"] {
            #expect(try Ledger.read(folder.file(name)).metadata() == expected, "\(name)")
        }
        let records = try Self.records(folder)
        #expect(records.count > 70 && records.dropLast() == (0..<records.count - 1).map(Self.record)[...])
    }

    @Test("A repair that is killed while the damaged ledger is put aside loses no commit of its log", arguments: 0...8)
    func killed(after steps: Int) throws {
        let (origin, folder) = (try Folder(), try Folder())
        let ledger = try Sample.ledger(origin)
        for number in 0..<40 { try ledger.commit([Self.record(number)]) }
        // While it is open, its log has what the ledger itself does not.
        for name in ["ledger.sqlite", "ledger.sqlite-wal"] { folder.write(name, try #require(origin.read(name))) }
        try #require(folder.read("ledger.sqlite-wal")?.isEmpty == false)
        let all = try AsideFiles.steps(folder.ledger, to: try AsideFiles.free(folder.ledger))
        try #require(all.count == 8)
        for step in all.prefix(steps) { try step() }
        _ = try Ledger.repair(folder.ledger, sweep: Self.sweep)
        let records = try Self.records(folder).filter { !Self.isRestored($0) }
        #expect(records == (0..<40).map(Self.record))
        _ = ledger.path
    }

    @Test("Wrong tables are written anew; what there was is kept; a sound ledger is left alone")
    func tables() throws {
        let folder = try Folder()
        try Self.ledger(folder, records: 5, copiedAfter: nil)
        #expect(try Ledger.repair(folder.ledger, sweep: Self.sweep)[0].contains("nothing was changed"))
        do {
            let ledger = try Ledger.open(folder.ledger)
            try ledger.queue.writeWithoutTransaction { try $0.execute(sql: "DELETE FROM stops WHERE seq = 2") }
        }
        let done = try Ledger.repair(folder.ledger, sweep: Self.sweep)
        #expect(done[0].contains("5 records") && done[1].contains("ledger.damaged-1.sqlite"))
        #expect(try Self.records(folder) == (0..<5).map(Self.record))
        #expect(try Ledger.read(folder.file("ledger.damaged-1.sqlite")).stops().count == 4)
    }

    @Test("A gap in the journal that the copy has is bridged; one that it has not ends it there")
    func gaps() throws {
        let folder = try Folder()
        try Self.ledger(folder, records: 100, copiedAfter: 60)
        try Self.damage(folder, at: "record-30-")
        let done = try Ledger.repair(folder.ledger, sweep: Self.sweep)
        #expect(done[0].contains(" 100 records "))
        let all = try Self.records(folder)
        #expect(all.dropLast() == (0..<100).map(Self.record)[...])
        #expect(Self.isRestored(all.last))
        #expect(folder.read("ledger.damaged-1.sqlite") != nil)

        try Self.damage(folder, at: "record-80-")
        let copy = try #require(folder.read("ledger.backup.sqlite"))
        #expect(copy.count > 40_000)
        _ = try Ledger.repair(folder.ledger, sweep: Self.sweep)
        #expect(try Self.records(folder).count == 102, "the copy is renewed when a ledger was repaired")

        unlink(folder.file("ledger.backup.sqlite"))
        try Self.damage(folder, at: "record-80-")
        _ = try Ledger.repair(folder.ledger, sweep: Self.sweep)
        let rest = try Self.records(folder)
        #expect(rest.count > 50 && rest.count <= 82)
        #expect(rest.dropLast() == (0..<rest.count - 1).map(Self.record)[...])
    }

    @Test("A file that is cut, no database, another's, or gone is replaced by what the copy has", arguments: 0..<4)
    func replaced(how: Int) throws {
        let folder = try Folder()
        try Self.ledger(folder, records: 40, copiedAfter: 20)
        let bytes = try #require(folder.read("ledger.sqlite"))
        switch how {
        case 0: folder.write("ledger.sqlite", Array(bytes[..<(bytes.count / 2)]))
        case 1: folder.write("ledger.sqlite", Array("nothing of the kind".utf8))
        case 2:
            let other = try Folder()
            var metadata = Sample.metadata
            metadata.sweep = "another"
            do { _ = try Ledger.create(other.ledger, metadata: metadata, runs: Sample.runs(2)) }
            folder.write("ledger.sqlite", try #require(other.read("ledger.sqlite")))
        default: unlink(folder.ledger)
        }
        let found = #expect(throws: Failure.self) { _ = try Ledger.open(folder.ledger, sweep: Self.sweep) }
        let part = how == 2 ? "belongs to the sweep 'another'" : "doctor --ledger --repair"
        #expect(found?.message.contains(part) == true)
        _ = try Ledger.repair(folder.ledger, sweep: Self.sweep)
        let records = try Self.records(folder)
        #expect(records.count >= 21 && records.count <= 41)
        #expect(records.dropLast() == (0..<records.count - 1).map(Self.record)[...])
        #expect(Self.isRestored(records.last))
        #expect((folder.read("ledger.damaged-1.sqlite") == nil) == (how == 3))
    }

    @Test("Where nothing can be read, and of a newer program, nothing is touched")
    func refused() throws {
        let folder = try Folder()
        try Self.ledger(folder, records: 3, copiedAfter: nil)
        var bytes = try #require(folder.read("ledger.sqlite"))
        folder.write("ledger.sqlite", Array("nothing of the kind".utf8))
        let nothing = #expect(throws: Failure.self) { _ = try Ledger.repair(folder.ledger, sweep: Self.sweep) }
        #expect(nothing?.code == .badArchive && nothing?.message.contains("--new") == true)
        #expect(folder.read("ledger.sqlite") == Array("nothing of the kind".utf8))
        bytes[63] = 99
        folder.write("ledger.sqlite", bytes)
        let newer = #expect(throws: Failure.self) { _ = try Ledger.repair(folder.ledger, sweep: Self.sweep) }
        #expect(newer?.message.contains("newer usweep") == true)
        #expect(folder.read("ledger.sqlite") == bytes)
    }

    @Test("Nobody repairs what a coordinator holds")
    func held() throws {
        let folder = try Folder()
        let ledger = try Sample.ledger(folder)
        let found = #expect(throws: Failure.self) { _ = try Ledger.repair(folder.ledger, sweep: Self.sweep) }
        #expect(found?.code == .heldElsewhere)
        _ = ledger.path
    }

    @Test("A copy is private, is not made twice, and is never made of broken pages")
    func copies() throws {
        let folder = try Folder()
        do {
            let ledger = try Sample.ledger(folder)
            for number in 0..<50 { try ledger.commit([Self.record(number)]) }
            try ledger.backUp()
        }
        var before = stat()
        #expect(stat(folder.file("ledger.backup.sqlite"), &before) == 0)
        #expect(before.st_mode & 0o777 == 0o600)
        #expect(try Ledger.read(folder.file("ledger.backup.sqlite")).recordCount() == 50)
        do { try Ledger.open(folder.ledger).backUp() }
        var after = stat()
        #expect(stat(folder.file("ledger.backup.sqlite"), &after) == 0 && after.st_ino == before.st_ino)
        try Self.damage(folder, at: "record-10-")
        do {
            let ledger = try Ledger.open(folder.ledger)
            try ledger.commit([Self.record(50)])
            #expect(throws: Failure.self) { try ledger.backUp() }
        }
        #expect(stat(folder.file("ledger.backup.sqlite"), &after) == 0 && after.st_ino == before.st_ino)
        #expect(folder.read("ledger.backup.sqlite.new") == nil)
    }

    @Test("Whatever is broken, a repair gives a beginning of the journal or says that it cannot", arguments: 0..<20)
    func anything(seed: Int) throws {
        var chance = Chance(seed: UInt64(seed))
        let folder = try Folder()
        var source = RandomRecords(seed: UInt64(seed), runs: 6)
        let written = (0..<300).map { _ in source.next() }
        let given: [Row]
        do {
            let ledger = try Sample.ledger(folder, runs: 6)
            given = try Self.given(ledger)
            try ledger.commit(Array(written[..<100]))
            try ledger.backUp()
            try ledger.commit(Array(written[100...]))
        }
        var bytes = try #require(folder.read("ledger.sqlite"))
        if seed % 4 == 0 { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &chance)) }
        for _ in 0..<Int.random(in: 1...5, using: &chance) where !bytes.isEmpty {
            let start = Int.random(in: 0..<bytes.count, using: &chance)
            let length = Int.random(in: 1...3_000, using: &chance)
            for byte in start..<min(start + length, bytes.count) {
                bytes[byte] = UInt8.random(in: 0...255, using: &chance)
            }
        }
        folder.write("ledger.sqlite", bytes)
        _ = try Ledger.repair(folder.ledger, sweep: Self.sweep)
        #expect(try Self.given(try Ledger.read(folder.ledger)) == given)
        var records = try Self.records(folder)
        if Self.isRestored(records.last), records.last != written.last { records.removeLast() }
        #expect(records.count >= 100, "the copy has as much")
        #expect(records[...] == written[..<records.count])
    }
}
