import Formats
import Foundation
import GRDB
public import Model

// What explains how a run or a host fared.

extension Ledger {
    /// The leases that a run was ever under, by number.
    public func leases(of run: RunNumber) throws -> [LeaseStatus] {
        try reading { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT l.lease, l.host, l.voided FROM grants g JOIN leases l ON l.lease = g.lease
                    WHERE g.run = ? ORDER BY l.lease
                    """, arguments: [run]
            ).map { try LeaseStatus(lease: $0.value(0), host: $0.value(1), voided: $0.value(2)) }
        }
    }

    /// Why a run was opened again, each time, in order.
    public func reopenings(of run: RunNumber) throws -> [String] {
        try strings("SELECT reason FROM remarks WHERE run = ? ORDER BY seq", [run])
    }

    /// The last attempt of a run that was made under pins that are void; 0: none was.
    public func staleAttempt(of run: RunNumber) throws -> AttemptNumber {
        try reading { db in
            try Int.fetchOne(db, sql: "SELECT stale FROM runs WHERE run = ?", arguments: [run]) ?? 0
        }
    }

    /// Why a host was given no work for a while, each time, in order.
    public func pauses(of host: String) throws -> [String] {
        try strings("SELECT reason FROM remarks WHERE host = ? AND kind <> 'host-refused' ORDER BY seq", [host])
    }

    /// Why a host was given no work any more, each time that a coordinator was at work, in order.
    public func refusals(of host: String) throws -> [String] {
        try strings("SELECT reason FROM remarks WHERE host = ? AND kind = 'host-refused' ORDER BY seq", [host])
    }

    /// Why any of these hosts was given no work, each time, in order.
    public func pauses(ofAny hosts: [String]) throws -> [String] {
        let places = hosts.map { _ in "?" }.joined(separator: ", ")
        return try strings(
            "SELECT reason FROM remarks WHERE host IN (\(places)) ORDER BY seq", StatementArguments(hosts))
    }

    /// Why a host's leases became void, in order.
    public func voidedLeases(of host: String) throws -> [String] {
        try strings("SELECT voided FROM leases WHERE host = ? AND voided IS NOT NULL ORDER BY lease", [host])
    }

    /// How many attempts ended on a host, by class (nil: they succeeded), the most frequent first.
    public func attemptCounts(on host: String) throws -> [(failure: FailureClass?, count: Int)] {
        try reading { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT class, count(*) FROM attempts WHERE host = ? GROUP BY class ORDER BY count(*) DESC, class
                    """, arguments: [host]
            ).map { try (failure: self.failureClass($0.value(0)), count: $0.value(1)) }
        }
    }

    /// The audits of what counts of a run, or of all runs, by run and attempt.
    public func audits(of run: RunNumber? = nil) throws -> [AuditAttempt] {
        try reading { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT \(RunRow.attemptColumns), u.numbers, u.counted FROM audits u
                    JOIN attempts a ON a.run = u.run AND a.attempt = u.attempt JOIN runs r ON r.run = u.run
                    WHERE u.attempt > r.stale AND u.attempt > r.attempt AND (?1 IS NULL OR u.run = ?1)
                    ORDER BY u.run, u.attempt
                    """, arguments: [run]
            ).compactMap { row in
                guard let attempt = try RunRow(row, self).attempt() else { return nil }
                let (numbers, counted): (Data?, Data?) = try (row.value("numbers"), row.value("counted"))
                guard let numbers, let counted else { return AuditAttempt(attempt: attempt, comparison: nil) }
                let comparison = try AuditComparison(numbers: self.digest(numbers), counted: self.digest(counted))
                return AuditAttempt(attempt: attempt, comparison: comparison)
            }
        }
    }

    /// Runs of the specification whose results count no more because this host gave them, by number.
    public func fencedRuns(of host: String) throws -> [RunNumber] {
        try reading { db in
            try Int.fetchAll(
                db,
                sql: """
                    SELECT run FROM runs WHERE state = 'quarantined' AND class = ? AND host = ? AND place IS NOT NULL
                    ORDER BY run
                    """, arguments: [FailureClass.hostFenced.rawValue, host])
        }
    }

    /// Runs of the specification whose results count no more for this reason, by number.
    public func runs(quarantinedFor failure: FailureClass) throws -> [RunNumber] {
        try reading { db in
            try Int.fetchAll(
                db,
                sql: """
                    SELECT run FROM runs WHERE state = 'quarantined' AND class = ? AND place IS NOT NULL ORDER BY run
                    """, arguments: [failure.rawValue])
        }
    }

    /// Inputs that hosts found damaged, in the order in which that was noted.
    public func damagedInputs() throws -> [DamagedInput] {
        try reading { db in
            try Row.fetchAll(
                db, sql: "SELECT host, path, digest, whole_ns, found_ns, runs, makers FROM damages ORDER BY seq"
            ).map { row in
                DamagedInput(
                    host: try row.value(0), path: try row.value(1),
                    damage: ObjectDamage(
                        digest: try self.digest(try row.value(2)), wholeAt: try row.value(3),
                        foundAt: try row.value(4)),
                    runs: try self.runs(try row.value(5)), makers: try self.runs(try row.value(6)))
            }
        }
    }

    private func runs(_ packed: Data) throws -> RunList {
        do {
            return try RunList(packed: Array(packed)[...])
        } catch {
            throw damaged("a list of runs cannot be read")
        }
    }

    /// Runs that a host did and that succeeded, if they ran at some time between the two, in nanoseconds since 1970.
    public func results(of host: String, from start: Nanoseconds, until end: Nanoseconds) throws -> [RunNumber] {
        try reading { db in
            try Int.fetchAll(
                db,
                sql: """
                    SELECT r.run FROM runs r JOIN attempts a ON a.run = r.run AND a.attempt = r.attempt
                    WHERE r.state = 'succeeded' AND a.host = ? AND a.ended_ns >= ? AND a.ended_ns - a.wall_ns <= ?
                    ORDER BY r.run
                    """, arguments: [host, start, end])
        }
    }

    /// How many outcomes a host reported under void leases.
    public func fencedCount(on host: String) throws -> Int {
        try reading { db in
            try Int.fetchOne(db, sql: "SELECT count(*) FROM fenced WHERE host = ?", arguments: [host]) ?? 0
        }
    }

    private func strings(_ sql: String, _ arguments: StatementArguments) throws -> [String] {
        try reading { db in try String.fetchAll(db, sql: sql, arguments: arguments) }
    }
}
