import Foundation
import GRDB
import Model

/// A row of the tables about runs, with its columns by name.
struct RunRow {
    static let planColumns = "p.run AS planned_run, p.kind, p.point, p.workload, p.repeat, p.setup, r.place"

    static let attemptColumns = """
        a.run, a.attempt, a.lease, a.host, a.class, a.evidence, a.wall_ns, a.peak_memory_bytes, a.ended_ns, a.blocks
        """

    /// Every planned run with where it stands and with the attempt that decided or, without one, the last under the
    /// pins that hold.
    static let query = """
        SELECT \(planColumns), r.state, r.class AS run_class, r.attempts, r.lease AS run_lease, r.host AS run_host,
        \(attemptColumns)
        FROM plan p JOIN runs r ON r.run = p.run
        LEFT JOIN attempts a ON a.run = r.run AND a.attempt = CASE WHEN r.attempt > 0 THEN r.attempt
            ELSE (SELECT max(attempt) FROM attempts t
                WHERE t.run = r.run AND t.attempt > r.stale AND NOT \(isAudit("t"))) END
        """

    /// Whether an attempt is an audit, of a table of attempts by that name.
    static func isAudit(_ table: String) -> String {
        "EXISTS (SELECT 1 FROM audits u WHERE u.run = \(table).run AND u.attempt = \(table).attempt)"
    }

    private let row: Row
    private let ledger: Ledger

    init(_ row: Row, _ ledger: Ledger) {
        self.row = row
        self.ledger = ledger
    }

    func status() throws -> RunStatus {
        try RunStatus(
            plan: plan(), state: ledger.state(row.value("state")),
            failure: ledger.failureClass(row.value("run_class")), attempts: row.value("attempts"),
            lease: row.value("run_lease"), host: row.value("run_host"), decision: attempt())
    }

    func plan() throws -> PlannedRun {
        try PlannedRun(run: row.value("planned_run"), key: key(), place: row.value("place"))
    }

    private func key() throws -> RunKey {
        let (kind, workload): (String, String?) = try (row.value("kind"), row.value("workload"))
        let (point, setup): (Data?, Data?) = try (row.value("point"), row.value("setup"))
        switch (kind, point, workload) {
        case ("evaluation", let point?, _):
            return try .evaluation(point: ledger.digest(point), workload: workload, repetition: row.value("repeat"))
        case ("setup", nil, let workload?):
            return .setup(workload: workload, recipe: try setup.map { try ledger.digest($0) })
        case ("setup", nil, nil):
            guard let setup else { throw ledger.damaged("a boot without a recipe") }
            return .boot(recipe: try ledger.digest(setup))
        default: throw ledger.damaged("an unknown kind of run")
        }
    }

    func attempt() throws -> AttemptStatus? {
        guard let number: Int = try row.value("attempt") else { return nil }
        let blocks: String? = try row.value("blocks")
        return try AttemptStatus(
            id: AttemptID(run: row.value("run"), lease: row.value("lease"), attempt: number),
            host: row.value("host"), failure: ledger.failureClass(row.value("class")),
            evidence: row.value("evidence"), wall: row.value("wall_ns"),
            peakMemoryBytes: row.value("peak_memory_bytes"), endedAt: row.value("ended_ns"),
            blocks: blocks.map { ResultText($0) })
    }
}

extension Ledger {
    func digest(_ data: Data) throws -> Digest {
        guard let digest = Digest(bytes: data) else { throw damaged("a digest of \(data.count) bytes") }
        return digest
    }
}

extension Row {
    /// A column's value. Where the subscript would end the program because the value is of another kind, this throws:
    /// a page that something wrote over can hold anything.
    func value<Value: DatabaseValueConvertible & StatementColumnConvertible>(_ index: Int) throws -> Value {
        do { return try decode(Value.self, atIndex: index) } catch { throw Row.damaged(error) }
    }

    func value<Value: DatabaseValueConvertible & StatementColumnConvertible>(_ name: String) throws -> Value {
        do { return try decode(Value.self, forColumn: name) } catch { throw Row.damaged(error) }
    }

    private static func damaged(_ error: any Error) -> Failure {
        Failure(.badArchive, "a ledger is damaged; \(LedgerFile.howToRepair)", cause: "\(error)")
    }
}
