import Engines
import Formats
import Foundation
import GRDB
import Model
import TestKit
import Testing
@testable import Ledger

/// Ledgers that earlier versions left: see `Tests/support/Golden/README.md`.
@Suite("Ledgers of earlier versions")
struct GoldenTests {
    /// A copy of a golden ledger, in a folder of its own.
    private func copy(_ name: String) throws -> Folder {
        let folder = try Folder()
        folder.write("ledger.sqlite", try Golden.bytes(name))
        return folder
    }

    private func read(_ name: String) throws -> Ledger {
        let folder = try copy(name)
        defer { withExtendedLifetime(folder) {} }
        return try Ledger.read(folder.ledger)
    }

    private func records(_ ledger: Ledger) throws -> [Model.Record] {
        var records: [Model.Record] = []
        try ledger.forEachRecord { records.append($1) }
        return records
    }

    @Test("They are read as they are, without a byte of them changed", arguments: ["command", "setup"])
    func reading(name: String) throws {
        let folder = try copy("version1/\(name).sqlite")
        let ledger = try Ledger.read(folder.ledger)
        #expect(try ledger.check() == [])
        #expect(try ledger.metadata().toolVersion == "0.1.0")
        #expect(folder.read("ledger.sqlite") == (try Golden.bytes("version1/\(name).sqlite")))
        #expect(folder.read("ledger.sqlite-wal") ?? [] == [])
    }

    @Test("Every record of version 1 says what it said")
    func recordsOfVersion1() throws {
        let records = try records(try read("version1/command.sqlite"))
        #expect(records.count == 41)
        #expect(records[0] == .hostSeen(
            host: "lab1", bootID: "0c3a3a04-c289-4e65-a4e0-c8dcaf3f3b91", hostName: "vm", slots: 4,
            memoryBytes: 1 << 30, clockOffset: -212_911))
        #expect(records[1] == .leaseGranted(
            lease: 1, host: "lab1", grants: (1...4).map { Grant(run: $0, firstAttempt: 1, attempts: 2) }))
        let ended = records.compactMap { record -> AttemptStatus? in
            guard case .attemptEnded(let report, let host, let failure, let evidence, let blocks, let at) = record
            else { return nil }
            return AttemptStatus(
                id: report.id, host: host, failure: failure, evidence: evidence, wall: report.wallNanoseconds,
                peakMemoryBytes: report.peakMemoryBytes, endedAt: at, blocks: blocks)
        }
        #expect(ended.count == 14)
        #expect(ended.contains(AttemptStatus(
            id: AttemptID(run: 1, lease: 1, attempt: 1), host: "lab1", failure: nil, evidence: "", wall: 8_072_267,
            peakMemoryBytes: 5_042_176, endedAt: 1_795_678_397_088_511_265,
            blocks: ResultText("[{\"value\":1.50,\"text\":3}]"))))
        #expect(ended.contains(AttemptStatus(
            id: AttemptID(run: 4, lease: 1, attempt: 1), host: "lab1", failure: .contractBroken,
            evidence: "results.json is missing: the run ended without leaving it", wall: 2_019_984,
            peakMemoryBytes: 5_042_176, endedAt: 1_795_678_397_117_413_474, blocks: nil)))
        #expect(records.contains(.runEnded(run: 3, state: .failed, failure: .simulatorCrash, attempt: 2)))
        #expect(records.contains(.runEnded(run: 6, state: .cancelled, failure: .cancelled, attempt: 3)))
        #expect(records.contains(.leaseVoided(lease: 3, reason: "the host was silent for longer than the lease")))
        #expect(records.contains(.repinned(reason: "asked for with --repin")))
        #expect(records.contains {
            if case .attemptFenced(let report, "lab1", nil) = $0 { report.id.lease == 3 } else { false }
        })
        let revision = try #require(records.compactMap { if case .revised(let it) = $0 { it } else { nil } }.first)
        #expect(revision.number == 2 && Array(revision.runs) == [9, 1, 2, 4, 8, 10])
        let sweep = try Sweep(document: revision.specification)
        #expect(sweep.axes == [
            Axis(name: "x", values: ["good2", "good1", "exit1", "broken1", "hold3", "hold4"])
        ])
    }

    @Test("Opened for writing, they are brought up to date and go on in the records of today")
    func writing() throws {
        let folder = try copy("version1/command.sqlite")
        let before = try records(try Ledger.read(folder.ledger))
        do {
            let ledger = try Ledger.open(folder.ledger, sweep: "golden")
            #expect(try ledger.check() == [])
            try ledger.commit([.leaseVoided(lease: 7, reason: "a test")])
            let version = try ledger.queue.read { try Int32.fetchOne($0, sql: "PRAGMA user_version") }
            #expect(version == Schema.version)
        }
        let ledger = try Ledger.read(folder.ledger)
        #expect(try records(ledger) == before + [.leaseVoided(lease: 7, reason: "a test")])
        #expect(try ledger.check() == [])
    }

    @Test("The runs of a sweep with a setup, its pins and results")
    func setup() throws {
        let ledger = try read("version1/setup.sqlite")
        let pins = try ledger.pins()
        #expect(pins.map(\.name) == [
            "checkpoint:fibonacci-python:5bb5ba564f01", "engine", "guest:initrd.img", "guest:model.so", "guest:vmlinuz",
        ])
        #expect(pins.first?.digest.short == "0e3d97258a27")
        var states: [RunState?] = []
        try ledger.forEachRun { run in
            states.append(run.state)
            #expect(run.plan.key.workload == "fibonacci-python")
        }
        #expect(states == [.succeeded, .succeeded, .succeeded])
        let sweep = try Sweep(document: try ledger.metadata().specification)
        #expect(sweep.engine == "qemu" && sweep.settings["guest"] == .string("/srv/usweep/guest"))
        #expect(sweep.metrics == ["l1i.mpki", "l2.mpki"] && sweep.limits.job.time == 1_200_000_000_000)
        // The identity of a point outlives every version.
        let points = try Points(sweep, recipe: sweep.recipe)
        #expect((0..<2).map { points.digest($0).short } == ["4ece625a2e4b", "69e6b42fa96c"])
    }

    @Test("Records of version 2 are as they were when it was new, byte for byte")
    func version2() throws {
        let digest = SHA256.digest("x")
        let others: [Model.Record] = [
            .pinned(name: "engine", digest: digest), .hostPaused(host: "lab1", reason: "spawn: no such file"),
            .runReopened(run: 3, reason: "asked for"), .sweepStopped(reason: "the time limit"),
            .hostReleased(host: "lab1"), .restored(reason: "it was damaged"),
            .attemptFenced(AttemptReport(id: AttemptID(run: 1, lease: 2, attempt: 3)), host: "lab2", agrees: true),
        ]
        let all = try records(try read("version1/command.sqlite")) + others
        var writer = ByteWriter()
        for record in all { writer.put(record.encoded) }
        #expect(try Golden.recorded("version2/records", writer.bytes) == writer.bytes)
        var reader = ByteReader(try Golden.bytes("version2/records"))
        for record in all { #expect(try Model.Record(encoded: try reader.data()) == record) }
        try reader.end()
    }

    @Test("What is read of a record for its numbers alone is what the whole record says")
    func ends() throws {
        let id = AttemptID(run: 7, lease: 9, attempt: 4)
        let more: [Model.Record] = [
            .auditEnded(
                AttemptReport(id: id), host: "lab2", failure: .timeout, evidence: "", comparison: nil, endedAt: 3),
            .judgedAgain(id, failure: .contractBroken, evidence: "e", blocks: nil),
            .judgedAgain(id, failure: nil, evidence: "e", blocks: ResultText("[{\"v\":1}]")),
        ]
        var count = 0
        for record in try records(try read("version1/command.sqlite")) + more {
            let found = try EndedAttempt(encodedRecord: record.encoded)
            switch record {
            case .attemptEnded(let report, _, let failure, _, let blocks, _):
                #expect(found == EndedAttempt(id: report.id, failure: failure, blocks: blocks))
            case .auditEnded(let report, _, let failure, _, _, _):
                #expect(found == EndedAttempt(id: report.id, failure: failure, blocks: nil))
            case .judgedAgain(let id, let failure, _, let blocks):
                #expect(found == EndedAttempt(id: id, failure: failure, blocks: blocks))
            default: #expect(found == nil)
            }
            count += found == nil ? 0 : 1
        }
        #expect(count > 10)
    }

    @Test("Records of audits are as they were when they were new, byte for byte")
    func audits() throws {
        let report = AttemptReport(id: AttemptID(run: 7, lease: 9, attempt: 4), wallNanoseconds: 5)
        let numbers = AuditComparison(numbers: SHA256.digest("2"), counted: SHA256.digest("1"))
        let all: [Model.Record] = [
            .auditGranted(lease: 9, host: "lab2", grants: [Grant(run: 7, firstAttempt: 4, attempts: 1)]),
            .auditEnded(
                report, host: "lab2", failure: nil, evidence: "1 of 1 values differ", comparison: numbers, endedAt: 3),
            .auditEnded(report, host: "lab2", failure: .timeout, evidence: "", comparison: nil, endedAt: 3),
            .hostFenced(host: "lab1", reason: "run 7", runs: RunList(ranges: [7..<9, 2..<3]) ?? RunList()),
        ]
        var writer = ByteWriter()
        for record in all { writer.put(record.encoded) }
        #expect(try Golden.recorded("version2/audits", writer.bytes) == writer.bytes)
        var reader = ByteReader(try Golden.bytes("version2/audits"))
        for record in all { #expect(try Model.Record(encoded: try reader.data()) == record) }
        try reader.end()
    }

    @Test("Records of damaged inputs are as they were when they were new, byte for byte")
    func damages() throws {
        let damage = ObjectDamage(digest: SHA256.digest("disk"), wholeAt: 5, foundAt: 9)
        let all: [Model.Record] = [
            .inputDamaged(
                DamagedInput(
                    host: "lab1", path: "guest/disk.img", damage: damage,
                    runs: RunList(ranges: [7..<9, 2..<3]) ?? RunList(), makers: RunList(12..<13))),
            .inputDamaged(
                DamagedInput(host: "lab1", path: "a", damage: damage, runs: RunList(), makers: RunList(12..<14))),
        ]
        var writer = ByteWriter()
        for record in all { writer.put(record.encoded) }
        #expect(try Golden.recorded("version2/damages", writer.bytes) == writer.bytes)
        var reader = ByteReader(try Golden.bytes("version2/damages"))
        for record in all { #expect(try Model.Record(encoded: try reader.data()) == record) }
        try reader.end()
    }

    @Test("Every changed byte of a record is refused, or read as what it then says")
    func damaged() throws {
        let ledger = try read("version1/command.sqlite")
        let payloads = try ledger.queue.read { try [UInt8].fetchPayloads($0) }
        var (taken, refused) = (0, 0)
        for payload in payloads + (try records(ledger).map(\.encoded)) {
            for index in payload.indices {
                for mask in [1, 4, 0x55, 0x80, 0xff] as [UInt8] {
                    var changed = payload
                    changed[index] ^= mask
                    guard let record = try? Model.Record(encoded: changed) else {
                        refused += 1
                        continue
                    }
                    taken += 1
                    #expect(try Model.Record(encoded: record.encoded) == record)
                }
                #expect(throws: WireError.self) { try Model.Record(encoded: Array(payload[..<index])) }
            }
        }
        #expect(taken > 1_000 && refused > 1_000, "\(taken) were read, \(refused) refused")
    }

    @Test("A record of each kind has in the journal's table the name that the manual's page has for it")
    func names() throws {
        let golden = try Golden.lines(try Golden.text("kinds/records.txt"))
        for (name, bytes) in golden { #expect(try Model.Record(encoded: bytes).kind == name) }
        #expect(try FormatsPage.version(of: "ledger") == Int(Schema.version))
    }

    @Test("Ledgers of all versions between are read as they are, and taken over", arguments: [3, 4, 5])
    func between(version: Int) throws {
        let name = "version\(version)/command.sqlite"
        let folder = try copy(name)
        let before = try records(try Ledger.read(folder.ledger))
        #expect(folder.read("ledger.sqlite") == (try Golden.bytes(name)), "reading changes nothing")
        do {
            let ledger = try Ledger.open(folder.ledger, sweep: "golden")
            #expect(try ledger.check() == [])
            try ledger.commit([.sweepStopped(reason: "a test")])
            let version = try ledger.queue.read { try Int32.fetchOne($0, sql: "PRAGMA user_version") }
            #expect(version == Schema.version)
        }
        let ledger = try Ledger.read(folder.ledger)
        #expect(try records(ledger) == before + [.sweepStopped(reason: "a test")])
        #expect(try ledger.check() == [], "the tables are those that the journal gives")
    }
}

extension [UInt8] {
    fileprivate static func fetchPayloads(_ db: Database) throws -> [[UInt8]] {
        try Row.fetchAll(db, sql: "SELECT payload FROM journal ORDER BY seq").map { Array($0[0] as Data) }
    }
}
