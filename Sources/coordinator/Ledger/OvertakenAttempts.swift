import Formats
import Foundation
import GRDB
public import Model

/// An attempt that was ended because the other one of two that ran at the same time (a second start) succeeded first.
/// Of itself it left nothing: its agent was told to end it.
public struct OvertakenAttempt: Sendable, Hashable {
    public var run: RunNumber
    public var attempt: AttemptNumber
    public var host: String
    /// The attempt that succeeded.
    public var winner: AttemptNumber
    public var winnerHost: String
    /// When that was: wall clock, nanoseconds since 1970, by the coordinator.
    public var endedAt: Nanoseconds
}

extension Ledger {
    /// In the order of the second starts.
    ///
    /// - Parameters:
    ///   - run: nil: of all runs.
    ///   - limit: of so many second starts, the first ones.
    public func overtakenAttempts(of run: RunNumber? = nil, atMost limit: Int = 1_000) throws -> [OvertakenAttempt] {
        try reading { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT m.run, j.payload, r.lease FROM remarks m
                    JOIN runs r ON r.run = m.run JOIN journal j ON j.seq = m.seq
                    WHERE m.kind = 'second-start' AND r.state = 'succeeded' AND (?1 IS NULL OR m.run = ?1)
                    ORDER BY m.seq LIMIT ?2
                    """, arguments: [run, limit]
            ).compactMap { row in
                let payload: Data = try row.value(1)
                guard case .secondStart(_, let second, _)? = try? Model.Record(encoded: Array(payload)) else {
                    throw self.damaged("the record of a second start cannot be read")
                }
                return try self.overtaken(db, row.value(0), secondStart: second, decidedBy: row.value(2))
            }
        }
    }

    /// - Parameter decided: the lease under which the run succeeded.
    private func overtaken(
        _ db: Database, _ run: RunNumber, secondStart second: LeaseNumber, decidedBy decided: LeaseNumber?
    ) throws -> OvertakenAttempt? {
        let first = try Int.fetchOne(
            db, sql: "SELECT max(lease) FROM grants WHERE run = ? AND lease < ?", arguments: [run, second])
        guard let first, let decided, decided == first || decided == second,
            let winner = try Row.fetchOne(
                db,
                sql: """
                    SELECT attempt, host, ended_ns, wall_ns FROM attempts
                    WHERE run = ? AND lease = ? AND class IS NULL ORDER BY attempt DESC
                    """, arguments: [run, decided])
        else { return nil }
        let loser = decided == first ? second : first
        let endedAt: Nanoseconds = try winner.value(2)
        let wall: Nanoseconds = try winner.value(3)
        // What ended by itself beside the winner is on record as any other attempt.
        let row = try Row.fetchOne(
            db,
            sql: """
                SELECT g.first_attempt, l.host, max(a.attempt) FROM grants g JOIN leases l ON l.lease = g.lease
                LEFT JOIN attempts a ON a.run = g.run AND a.lease = g.lease
                WHERE g.run = ?1 AND g.lease = ?2 AND l.voided IS NULL
                AND NOT EXISTS (SELECT 1 FROM fenced f WHERE f.run = ?1 AND f.lease = ?2)
                GROUP BY g.lease HAVING max(coalesce(a.ended_ns, ?3)) <= ?3
                """, arguments: [run, loser, endedAt.subtractingCapped(max(0, wall))])
        guard let row else { return nil }
        let last: AttemptNumber? = try row.value(2)
        return OvertakenAttempt(
            run: run, attempt: try last.map { $0 + 1 } ?? row.value(0), host: try row.value(1),
            winner: try winner.value(0), winnerHost: try winner.value(1), endedAt: endedAt)
    }
}
