import Foundation
import GRDB
import Formats
import Ledger
import Model
import Results
import SweepCore
@testable import Sessions
import Testing

/// A ledger in which something is out of range, by damage or by hand: whoever reads it says so, or shows what is there.
@Suite("A ledger with numbers out of range")
final class DamagedLedgerTests {
    private let folder: ArtifactsFolder
    private let entry: ArtifactsFolder.Entry

    private var path: String { entry.ledger }

    /// Of two points with two repeats each, with something in every table.
    init() throws {
        #expect(AnyAgent.isNamed)
        folder = ArtifactsFolder(path: NSTemporaryDirectory() + "usweep-damaged-\(UUID().uuidString)")
        try folder.prepare()
        var sweep = Sweep(
            name: "study", engine: "command",
            settings: .object([JSON.Member("command", .array([.string("/bin/true"), .string("{x}")]))]))
        sweep.axes = [Axis(name: "x", values: ["1", "2"])]
        sweep.measure.repeats = 2
        let inventory = Inventory(hosts: [Host(target: HostTarget(name: "lab1", transport: "local"))])
        entry = try Session.create(sweep, inventory: inventory, in: folder).entry
        try Ledger.open(entry.ledger).commit(DamagedLedgerTests.records)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder.path) }

    private static let records: [Model.Record] = {
        func report(_ run: RunNumber, _ lease: LeaseNumber) -> AttemptReport {
            AttemptReport(
                id: AttemptID(run: run, lease: lease, attempt: 1), wallNanoseconds: 5,
                artifacts: [Artifact(path: "results.json", digest: SHA256.digest("a"), size: 1)])
        }
        return [
            .hostSeen(
                host: "lab1", bootID: "b", hostName: "n", slots: 4, memoryBytes: 1 << 30,
                clockOffset: 5_000_000_000),
            .leaseGranted(
                lease: 1, host: "lab1", grants: (1...3).map { Grant(run: $0, firstAttempt: 1, attempts: 3) }),
            .leaseGranted(lease: 2, host: "lab1", grants: [Grant(run: 3, firstAttempt: 4, attempts: 3)]),
            .attemptEnded(
                report(1, 1), host: "lab1", failure: nil, evidence: "", blocks: ResultText("[{\"value\":1}]"),
                endedAt: 9),
            .runEnded(run: 1, state: .succeeded, failure: nil, attempt: 1),
            .attemptEnded(
                report(2, 1), host: "lab1", failure: .timeout, evidence: "late", blocks: nil, endedAt: 9),
            .runEnded(run: 2, state: .failed, failure: .timeout, attempt: 1),
            .attemptFenced(report(3, 1), host: "lab1", agrees: nil), .runCancelAsked(run: 3, reason: "r"),
            .hostPaused(host: "lab1", reason: "r"), .sweepStopped(reason: "r"),
            .revised(Revision(
                number: 2, specification: sweepText, runs: RunList(ranges: [3..<5, 1..<3]) ?? RunList(), madeAt: 1)),
        ]
    }()

    private static let sweepText = """
        {"version":2,"name":"study","engine":"command","settings":{"command":["/bin/true","{x}"]},\
        "axes":[{"name":"x","values":["2","1"]}],"measure":{"warm":0,"invocations":1,"repeats":2},\
        "limits":{"job":{}},"attempts":3}
        """

    private func edit(_ body: (Database) throws -> Void) throws {
        let queue = try DatabaseQueue(path: path)
        try queue.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON")
            try body(db)
        }
        try queue.close()
    }

    /// What everything that is asked of a ledger gives, by question; nil: it is refused, which is as good as an answer.
    private func answers() -> [String: String?] {
        var answers: [String: String?] = [:]
        func ask(_ question: String, _ answer: () throws -> String) {
            do {
                answers[question] = .some(try answer())
            } catch let failure as Failure {
                answers[question] = .some(nil)
                // A run that the plan does not have is missing.
                #expect([.badArchive, .missingFile].contains(failure.code), "\(question): \(failure)")
            } catch {
                Issue.record("\(question): \(error)")
            }
        }
        ask("status") {
            let status = try SweepStatus(entry)
            return "\(status.counts) \(status.hosts) \(status.stop ?? "") \(status.late) \(status.troubles)"
        }
        for table in Table.allCases {
            ask("results --table \(table)") {
                let view = try SweepView(entry)
                var bytes: [UInt8] = []
                try view.write(table, .csv, selection: try Selection(axes: view.points.axes)) { bytes += $0 }
                return String(decoding: bytes, as: UTF8.self)
            }
        }
        for target in ["1", "2", "3", "lab1"] {
            ask("explain \(target)") { "\(try Explanation(of: target, in: folder).sentences)" }
        }
        ask("doctor") { "\(try Ledger.read(path).check())" }
        ask("resume") {
            let state = try Session.resume(entry, in: folder) { _ in }.state
            return "\((1...4).map { state[$0].phase })"
        }
        return answers
    }

    @Test("As it is, it can be read and resumed")
    func intact() throws {
        #expect(try SweepStatus(entry).counts.count == 3)
        #expect(try Ledger.read(path).check() == [])
        let session = try Session.resume(entry, in: folder) { _ in }
        #expect(session.state.runs.count == 4)
    }

    @Test("Whatever number stands in a table, it is refused, or what is shown otherwise is said to be damaged")
    func tables() throws {
        let original = try Data(contentsOf: URL(fileURLWithPath: path))
        let intact = answers()
        #expect(intact["doctor"] == "[]" && intact.values.allSatisfy { $0 != nil })
        var columns: [(table: String, column: String)] = []
        try edit { db in
            for table in try String.fetchAll(db, sql: "SELECT name FROM sqlite_master WHERE type = 'table'") {
                for row in try Row.fetchAll(db, sql: "PRAGMA table_info(\(table))") where row["type"] == "INTEGER" {
                    columns.append((table, row["name"]))
                }
            }
        }
        var edits = 0
        for (table, column) in columns {
            for number in [Int64.min, -1, 0, 1 << 40, .max] {
                for suffix in ["-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) }
                try original.write(to: URL(fileURLWithPath: path))
                try edit { db in
                    // Where it would not be the only one of its kind, another row is tried, or none.
                    let update = "UPDATE OR IGNORE \(table) SET \(column) = ?"
                    try db.execute(sql: update, arguments: [number])
                    edits += db.changesCount > 0 ? 1 : 0
                }
                let found = answers()
                guard found["doctor"] == "[]" else { continue }
                // What the plan says is nowhere else, so that it is shown as it is.
                for (question, answer) in found where answer != nil && answer != intact[question] {
                    let isShown = table == "plan" && answer?.contains("\(number)") == true
                    #expect(isShown, "\(table).\(column) = \(number), and \(question) says \(answer ?? "")")
                }
            }
        }
        #expect(edits > 100, "\(edits)")
    }

    private func payload(_ sequence: Int64, _ record: Model.Record) throws {
        try edit { db in
            let bytes = Data(record.encoded)
            try db.execute(sql: "UPDATE journal SET payload = ? WHERE seq = ?", arguments: [bytes, sequence])
        }
    }

    @Test("A record of a run that the sweep does not have is named, with what to do, which helps")
    func record() throws {
        try payload(9, .runCancelAsked(run: 99, reason: "by hand"))
        let failure = #expect(throws: Failure.self) { try Session.resume(entry, in: folder) { _ in } }
        #expect(failure?.code == .badArchive && failure?.code.exitStatus == 74)
        #expect(failure?.message.contains("\(path) is damaged; repair it") == true)
        #expect(failure?.cause == "record 9: it is about run 99, and the sweep has runs 1 to 4")
        #expect(try Ledger.read(path).check() != [])
        let done = try Ledger.repair(path, sweep: "study")
        #expect(done.contains { $0.contains("from the 8 records of its journal that could be read") }, "\(done)")
        #expect(try Session.resume(entry, in: folder) { _ in }.state.runs.count == 4)
    }

    @Test("A number that changed on the disk is seen before anybody relies on it; what is printed puts it right")
    func changedNumber() throws {
        try edit { try $0.execute(sql: "UPDATE attempts SET blocks = '[{\"value\":7}]' WHERE run = 1") }
        #expect(try SweepStatus(entry).counts.count == 3, "what shows no numbers is not held up")
        let asked: [() throws -> Void] = [
            { _ = try SweepView(self.entry, checksNumbers: true) },
            { _ = try Session.resume(self.entry, in: self.folder) { _ in } },
            { _ = try SweepsComparison(self.entry.fullName, self.entry.fullName, in: self.folder) },
        ]
        for ask in asked {
            let failure = #expect(throws: Failure.self) { try ask() }
            #expect(failure?.code == .badArchive)
            let command = ": usweep doctor --ledger --repair \(entry.identifier) --artifacts '"
            #expect(failure?.message.contains(command) == true, "\(failure?.message ?? "")")
            #expect(failure?.cause == "what its tables say of attempt 1 of run 1 is not what its journal says")
        }
        _ = try entry.repairLedger()
        #expect(try SweepView(entry, checksNumbers: true).ledger.check() == [])
        try edit { try $0.execute(sql: "DELETE FROM attempts WHERE run = 2") }
        let failure = #expect(throws: Failure.self) { try SweepView(self.entry, checksNumbers: true) }
        #expect(failure?.cause == "its tables have 1 attempt, and its journal 2")
    }

    @Test("A plan with a gap, runs beyond it, and another number of runs than the sweep has")
    func plan() throws {
        let original = try Data(contentsOf: URL(fileURLWithPath: path))
        func refused(_ sql: String) throws -> Failure? {
            try original.write(to: URL(fileURLWithPath: path))
            try edit { try $0.execute(sql: sql) }
            return #expect(throws: Failure.self, "\(sql)") { try Session.resume(entry, in: folder) { _ in } }
        }
        let gap = try refused("UPDATE plan SET run = 1000000000000 WHERE run = 4")
        #expect(gap?.cause == "the table 'plan' has 4 rows, numbered from 1 to 1000000000000")
        // One range: from run 3 on, 100 of them.
        let beyond = try refused("UPDATE revisions SET runs = X'0106C801'")
        #expect(beyond?.cause == "the table 'revisions' names runs that the table 'plan' does not have")
        let fewer = try refused("UPDATE revisions SET runs = X'010206'")
        #expect(fewer?.message.contains("the ledger has 3 runs, but the sweep in it has 4") == true)
        for error in [gap, beyond, fewer] { #expect(error?.code == .badArchive) }
    }
}
