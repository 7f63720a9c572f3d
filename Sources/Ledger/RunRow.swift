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
            ELSE (SELECT max(attempt) FROM attempts WHERE run = r.run AND attempt > r.stale) END
        """

    private let row: Row
    private let ledger: Ledger

    init(_ row: Row, _ ledger: Ledger) {
        self.row = row
        self.ledger = ledger
    }

    func status() throws -> RunStatus {
        RunStatus(
            plan: try plan(), state: try ledger.state(row["state"]),
            failure: try ledger.failureClass(row["run_class"]), attempts: row["attempts"], lease: row["run_lease"],
            host: row["run_host"], decision: try attempt())
    }

    func plan() throws -> PlannedRun {
        PlannedRun(run: row["planned_run"], key: try key(), place: row["place"])
    }

    private func key() throws -> RunKey {
        let (kind, workload): (String, String?) = (row["kind"], row["workload"])
        let (point, setup): (Data?, Data?) = (row["point"], row["setup"])
        switch (kind, point, workload) {
        case ("evaluation", let point?, _):
            return .evaluation(point: try ledger.digest(point), workload: workload, repetition: row["repeat"])
        case ("setup", nil, let workload?):
            return .setup(workload: workload, recipe: try setup.map { try ledger.digest($0) })
        default: throw ledger.damaged("an unknown kind of run")
        }
    }

    func attempt() throws -> AttemptStatus? {
        guard let number = row["attempt"] as Int? else { return nil }
        let blocks: String? = row["blocks"]
        return AttemptStatus(
            id: AttemptID(run: row["run"], lease: row["lease"], attempt: number), host: row["host"],
            failure: try ledger.failureClass(row["class"]), evidence: row["evidence"], wall: row["wall_ns"],
            peakMemoryBytes: row["peak_memory_bytes"], endedAt: row["ended_ns"],
            blocks: try blocks.map { try JSON(parsing: $0) })
    }
}

extension Ledger {
    func digest(_ data: Data) throws -> Digest {
        guard let digest = Digest(bytes: data) else { throw damaged("a digest of \(data.count) bytes") }
        return digest
    }
}
