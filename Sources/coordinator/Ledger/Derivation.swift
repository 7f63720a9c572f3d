import Formats
import GRDB
import Model

/// What a record does to the derived tables. Every change says what it expects to find, so that memory and
/// database cannot part without anybody noticing.
struct Derivation {
    let db: Database

    init(_ db: Database) { self.db = db }

    /// - Parameter sequence: the record's place in the journal.
    /// - Throws: ``Failure`` (`internalError`) when the record contradicts the tables; `DatabaseError`.
    func apply(_ record: Model.Record, sequence: Int64) throws {
        switch record {
        case .hostSeen(let host, let bootID, let hostName, let slots, let memoryBytes, let clockOffset):
            try run(
                """
                INSERT INTO hosts (host, boot_id, host_name, slots, memory_bytes, clock_offset_ns)
                VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (host) DO UPDATE SET boot_id = excluded.boot_id,
                host_name = excluded.host_name, slots = excluded.slots, memory_bytes = excluded.memory_bytes,
                clock_offset_ns = excluded.clock_offset_ns
                """, [host, bootID, hostName, slots, memoryBytes, clockOffset])
        case .pinned(let name, let digest):
            try run(
                """
                INSERT INTO pins (name, digest) VALUES (?, ?)
                ON CONFLICT (name) DO UPDATE SET digest = excluded.digest
                """, [name, digest.data])
        case .leaseGranted(let lease, let host, let grants): try grant(lease, host, grants)
        case .auditGranted(let lease, let host, let grants): try add(lease, host, grants)
        case .leaseVoided(let lease, let reason): try void(lease, reason)
        case .leaseMoved(let lease, let host):
            try changeOne(
                "UPDATE leases SET host = ? WHERE lease = ? AND voided IS NULL", [host, lease],
                or: "lease \(lease) cannot be moved: it is void, or was never granted")
            try run("UPDATE runs SET host = ? WHERE lease = ? AND state = 'open'", [host, lease])
        case .runAdopted(let run, let lease, let reason):
            try remark(sequence, record.kind, run: run, reason)
            try changeOne(
                """
                UPDATE runs SET lease = ?2, host = (SELECT host FROM leases WHERE lease = ?2)
                WHERE run = ?1 AND state = 'open' AND EXISTS (SELECT 1 FROM grants WHERE lease = ?2 AND run = ?1)
                """, [run, lease],
                or: "run \(run) cannot go on under lease \(lease): it has ended, or was not granted")
        case .secondStart(let run, _, let reason): try remark(sequence, record.kind, run: run, reason)
        case .runWithdrawn(let run, let lease, let reason):
            try remark(sequence, record.kind, run: run, reason)
            try self.run(
                "UPDATE runs SET lease = NULL, host = NULL WHERE run = ? AND lease = ? AND state = 'open'",
                [run, lease])
        case .runCancelAsked(let run, let reason): try remark(sequence, record.kind, run: run, reason)
        case .attemptEnded(let report, let host, let failure, let evidence, let blocks, let endedAt):
            try end(report, host, failure, evidence, endedAt, blocks: blocks)
            try changeOne(
                "UPDATE runs SET attempts = attempts + 1 WHERE run = ?", [report.id.run],
                or: "there is no run \(report.id.run)")
        case .auditEnded(let report, let host, let failure, let evidence, let comparison, let endedAt):
            try end(report, host, failure, evidence, endedAt)
            try run(
                "INSERT INTO audits (run, attempt, numbers, counted) VALUES (?, ?, ?, ?)",
                [report.id.run, report.id.attempt, comparison?.numbers.data, comparison?.counted.data])
        case .attemptFenced(let report, let host, let agrees):
            try run(
                "INSERT INTO fenced (seq, run, attempt, lease, host, class, agrees) VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    sequence, report.id.run, report.id.attempt, report.id.lease, host, report.failure?.rawValue,
                    agrees,
                ])
        case .runEnded(let run, let state, let failure, let attempt): try end(run, state, failure, attempt)
        case .runReopened(let run, let reason):
            try remark(sequence, record.kind, run: run, reason)
            try changeOne(
                """
                UPDATE runs SET state = 'open', class = NULL, attempt = 0, lease = NULL, host = NULL
                WHERE run = ? AND state <> 'open'
                """, [run],
                or: "run \(run) cannot be opened again: it has not ended")
        case .judgedAgain(let id, let failure, let evidence, let blocks):
            try judge(id, failure, evidence, blocks)
        case .hostFenced(let host, let reason, let runs): try fence(host, reason, runs)
        case .inputDamaged(let found): try note(found, sequence)
        case .hostPaused(let host, let reason), .hostRefused(let host, let reason):
            try run(
                "INSERT INTO hosts (host, rested) VALUES (?, ?) ON CONFLICT (host) DO UPDATE SET rested = ?2",
                [host, reason])
            try remark(sequence, record.kind, host: host, reason)
        case .hostReleased: break
        case .sweepStopped(let reason):
            try run("INSERT INTO stops (seq, reason) VALUES (?, ?)", [sequence, reason])
        case .revised(let revision): try revise(revision, sequence)
        case .repinned(let reason):
            try remark(sequence, record.kind, reason)
            try repin(reason)
        case .restored(let reason):
            try remark(sequence, record.kind, reason)
            try voidAll(reason)
        }
    }

    private func remark(
        _ sequence: Int64, _ kind: String, run: RunNumber? = nil, host: String? = nil, _ reason: String
    ) throws {
        try self.run(
            "INSERT INTO remarks (seq, kind, run, host, reason) VALUES (?, ?, ?, ?, ?)",
            [sequence, kind, run, host, reason])
    }

    private func add(_ lease: LeaseNumber, _ host: String, _ grants: [Grant]) throws {
        try run("INSERT INTO leases (lease, host) VALUES (?, ?)", [lease, host])
        for grant in grants {
            try run(
                "INSERT INTO grants (lease, run, first_attempt, attempts) VALUES (?, ?, ?, ?)",
                [lease, grant.run, grant.firstAttempt, grant.attempts])
        }
    }

    private func grant(_ lease: LeaseNumber, _ host: String, _ grants: [Grant]) throws {
        try add(lease, host, grants)
        for grant in grants {
            try changeOne(
                "UPDATE runs SET lease = ?, host = ? WHERE run = ? AND state = 'open'", [lease, host, grant.run],
                or: "run \(grant.run) cannot be granted: it has ended")
        }
    }

    private func void(_ lease: LeaseNumber, _ reason: String) throws {
        try changeOne(
            "UPDATE leases SET voided = ? WHERE lease = ? AND voided IS NULL", [reason, lease],
            or: "lease \(lease) is void already, or was never granted")
        try run(
            """
            UPDATE runs SET lease = NULL, host = NULL
            WHERE run IN (SELECT run FROM grants WHERE lease = ?1) AND lease = ?1 AND state = 'open'
            """, [lease])
    }

    private func end(
        _ report: AttemptReport, _ host: String, _ failure: FailureClass?, _ evidence: String, _ endedAt: Nanoseconds,
        blocks: ResultText? = nil
    ) throws {
        let id = report.id
        try run(
            """
            INSERT INTO attempts (run, attempt, lease, host, class, evidence, wall_ns, peak_memory_bytes, ended_ns,
            blocks) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                id.run, id.attempt, id.lease, host, failure?.rawValue, evidence, report.wallNanoseconds,
                report.peakMemoryBytes, endedAt, blocks?.text,
            ])
        // A peer that names a path twice must not end the sweep: the first one counts.
        for artifact in report.artifacts {
            try run(
                "INSERT OR IGNORE INTO artifacts (run, attempt, path, digest, size) VALUES (?, ?, ?, ?, ?)",
                [id.run, id.attempt, artifact.path, artifact.digest.data, artifact.size])
        }
    }

    private func end(
        _ run: RunNumber, _ state: RunState, _ failure: FailureClass?, _ attempt: AttemptNumber
    ) throws {
        try changeOne(
            """
            UPDATE runs SET state = ?2, class = ?3, attempt = ?4,
            lease = coalesce((SELECT lease FROM attempts WHERE run = ?1 AND attempt = ?4), lease),
            host = coalesce((SELECT host FROM attempts WHERE run = ?1 AND attempt = ?4), host)
            WHERE run = ?1 AND state = 'open'
              AND (?4 = 0 OR EXISTS (SELECT 1 FROM attempts WHERE run = ?1 AND attempt = ?4))
            """,
            [run, state.rawValue, failure?.rawValue, attempt],
            or: "run \(run) cannot end by attempt \(attempt): it has ended already, or the attempt has not")
    }

    private func judge(_ id: AttemptID, _ failure: FailureClass?, _ evidence: String, _ blocks: ResultText?) throws {
        try changeOne(
            "UPDATE attempts SET class = ?, evidence = ?, blocks = ? WHERE run = ? AND attempt = ? AND lease = ?",
            [failure?.rawValue, evidence, blocks?.text, id.run, id.attempt, id.lease],
            or: "attempt \(id.attempt) of run \(id.run) is judged again, but never ended")
        try changeOne(
            "UPDATE runs SET state = ?, class = ? WHERE run = ? AND attempt = ? AND state <> 'open'",
            [(failure?.finalState ?? .succeeded).rawValue, failure?.rawValue, id.run, id.attempt],
            or: "run \(id.run) is judged again by attempt \(id.attempt), which did not decide it")
    }

    /// Results of a host that was fenced are kept with their attempts, and count no more.
    private func fence(_ host: String, _ reason: String, _ runs: RunList) throws {
        try run(
            "INSERT INTO hosts (host, fenced) VALUES (?1, ?2) ON CONFLICT (host) DO UPDATE SET fenced = ?2",
            [host, reason])
        try quarantine(runs, .hostFenced)
    }

    private func note(_ found: DamagedInput, _ sequence: Int64) throws {
        try run(
            """
            INSERT INTO damages (seq, host, path, digest, whole_ns, found_ns, runs, makers)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                sequence, found.host, found.path, found.damage.digest.data, found.damage.wholeAt,
                found.damage.foundAt, found.runs.packed.data, found.makers.packed.data,
            ])
        try quarantine(found.runs, .inputDamaged)
    }

    private func quarantine(_ runs: RunList, _ failure: FailureClass) throws {
        for range in runs.ranges {
            try run(
                """
                UPDATE runs SET state = 'quarantined', class = ?
                WHERE run >= ? AND run < ? AND state = 'succeeded'
                """, [failure.rawValue, range.lowerBound, range.upperBound])
            guard db.changesCount == range.count else {
                throw Failure(
                    .internalError, "a record contradicts the ledger: runs are quarantined that had not succeeded")
            }
        }
    }

    // MARK: Records about all runs

    private func revise(_ revision: Revision, _ sequence: Int64) throws {
        try run(
            "INSERT INTO revisions (seq, number, specification, runs, made_ns) VALUES (?, ?, ?, ?, ?)",
            [sequence, revision.number, revision.specification, revision.runs.packed.data, revision.madeAt])
        try run("UPDATE runs SET place = NULL WHERE place IS NOT NULL")
        var place = 0
        for range in revision.runs.ranges {
            try run(
                "UPDATE runs SET place = run + ? WHERE run >= ? AND run < ?",
                [place - range.lowerBound, range.lowerBound, range.upperBound])
            guard db.changesCount == range.count else {
                throw Failure(.internalError, "a record contradicts the ledger: a revision names runs it does not have")
            }
            place += range.count
        }
        try run(
            """
            UPDATE runs SET lease = NULL, host = NULL
            WHERE place IS NULL AND state = 'open' AND (lease IS NOT NULL OR host IS NOT NULL)
            """)
    }

    private func repin(_ reason: String) throws {
        try voidAll(reason)
        try run("DELETE FROM pins")
        try run("DELETE FROM damages")
        try run("UPDATE hosts SET fenced = NULL WHERE fenced IS NOT NULL")
        try run(
            """
            UPDATE runs SET state = 'open', class = NULL, attempts = 0, attempt = 0, lease = NULL, host = NULL,
            stale = coalesce((SELECT max(attempt) FROM attempts WHERE attempts.run = runs.run), 0)
            """)
    }

    private func voidAll(_ reason: String) throws {
        try run("UPDATE leases SET voided = ? WHERE voided IS NULL", [reason])
        try run("UPDATE runs SET lease = NULL, host = NULL WHERE state = 'open' AND lease IS NOT NULL")
    }

    private func run(_ sql: String, _ arguments: StatementArguments = []) throws {
        try db.cachedStatement(sql: sql).execute(arguments: arguments)
    }

    private func changeOne(_ sql: String, _ arguments: StatementArguments, or problem: String) throws {
        try run(sql, arguments)
        guard db.changesCount == 1 else { throw Failure(.internalError, "a record contradicts the ledger: \(problem)") }
    }
}
