import GRDB
public import Model

// What can be asked of a ledger. Rows come in the order of their numbers or names.

extension Ledger {
    /// Calls `body` with every record and its place in the journal, from 1, in order.
    ///
    /// - Throws: ``Failure`` (`badArchive`) for a record that is missing or cannot be read, and what `body` throws.
    public func forEachRecord(_ body: (Int64, Model.Record) throws -> Void) throws {
        try reading { db in try Journal(db, path: self.path).forEach(body) }
    }

    /// The records after a place in the journal, in order.
    ///
    /// - Parameter last: 0: from the first on. Is moved on.
    public func records(after last: inout Int64) throws -> [Model.Record] {
        var records: [Model.Record] = []
        try reading { db in
            try Journal(db, path: self.path).forEach(after: last) { sequence, record in
                records.append(record)
                last = sequence
            }
        }
        return records
    }

    /// How many records the journal has.
    public func recordCount() throws -> Int64 {
        try reading { db in try Int64.fetchOne(db, sql: "SELECT max(seq) FROM journal") ?? 0 }
    }

    public func metadata() throws -> LedgerMetadata {
        var notes: [EnvironmentVariable] = []
        var values: [String: String] = [:]
        try reading { db in
            for row in try Row.fetchAll(db, sql: "SELECT key, value FROM meta ORDER BY key") {
                let key: String = try row.value(0)
                let value: String = try row.value(1)
                if key.hasPrefix("note:") { notes.append(EnvironmentVariable(String(key.dropFirst(5)), value)) }
                values[key] = value
            }
        }
        let latest = try reading { db in
            try String.fetchOne(db, sql: "SELECT specification FROM revisions ORDER BY seq DESC LIMIT 1")
        }
        guard let sweep = values["sweep"], let identifier = values["identifier"],
            let specification = latest ?? values["specification"], let created = values["created"].flatMap(Int64.init),
            let toolVersion = values["tool-version"]
        else { throw damaged("its table 'meta' is not complete") }
        return LedgerMetadata(
            sweep: sweep, identifier: identifier, specification: specification, created: created,
            toolVersion: toolVersion, notes: notes)
    }

    /// Calls `body` with every run of the specification as it stands, in the order of their places. Memory does not
    /// grow with their count. A commit of this same object waits until it returns; one of another process does not.
    ///
    /// - Parameter all: also those that the specification no longer has, all by number.
    public func forEachRun(all: Bool = false, _ body: (RunStatus) throws -> Void) throws {
        try reading { db in
            let order = all ? " ORDER BY p.run" : " WHERE r.place IS NOT NULL ORDER BY r.place"
            let rows = try Row.fetchCursor(db, sql: RunRow.query + order)
            while let row = try rows.next() { try body(try RunRow(row, self).status()) }
        }
    }

    /// Calls `body` with the places of evaluations in a specification and the runs that the ledger has for them.
    ///
    /// - Parameter keys: as in ``create(_:metadata:runs:)``.
    public func forEachRun(
        of keys: some Sequence<RunKey>, _ body: (_ place: Int, RunStatus) throws -> Void
    ) throws {
        try reading { db in
            let query = try db.cachedStatement(sql: RunRow.query + " WHERE p.point = ? AND p.repeat = ?")
            for (place, key) in keys.enumerated() {
                guard case .evaluation(let point, _, let repetition) = key,
                    let row = try Row.fetchOne(query, arguments: [point.data, repetition])
                else { continue }
                try body(place, try RunRow(row, self).status())
            }
        }
    }

    /// nil: there is no run of that number.
    public func run(_ number: RunNumber) throws -> RunStatus? {
        try reading { db in
            try Row.fetchOne(db, sql: RunRow.query + " WHERE p.run = ?", arguments: [number])
                .map { try RunRow($0, self).status() }
        }
    }

    /// Calls `body` with every setup of the specification, in the order of their places.
    public func forEachSetup(_ body: (PlannedRun) throws -> Void) throws {
        try reading { db in
            let rows = try Row.fetchCursor(
                db,
                sql: """
                    SELECT \(RunRow.planColumns) FROM plan p JOIN runs r ON r.run = p.run
                    WHERE p.kind = 'setup' AND r.place IS NOT NULL ORDER BY r.place
                    """)
            while let row = try rows.next() { try body(try RunRow(row, self).plan()) }
        }
    }

    /// How many runs any specification had that this one has not.
    public func goneCount() throws -> Int {
        try reading { db in try Int.fetchOne(db, sql: "SELECT count(*) FROM runs WHERE place IS NULL") ?? 0 }
    }

    /// How many evaluation runs of the specification stand where: first those that have not ended, then by state and
    /// class.
    public func counts(ofSetups: Bool = false) throws -> [RunCount] {
        try reading { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT r.state, r.class, count(*) FROM runs r JOIN plan p ON p.run = r.run
                    WHERE p.kind = ? AND r.place IS NOT NULL
                    GROUP BY r.state, r.class ORDER BY r.state <> 'open', r.state, r.class
                    """, arguments: [ofSetups ? "setup" : "evaluation"]
            ).map { row in
                try RunCount(
                    state: self.state(row.value(0)), failure: self.failureClass(row.value(1)), count: row.value(2))
            }
        }
    }

    /// The attempts of a run that ended, by number, but for its audits.
    public func attempts(of run: RunNumber) throws -> [AttemptStatus] {
        try reading { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT \(RunRow.attemptColumns) FROM attempts a
                    WHERE a.run = ? AND NOT \(RunRow.isAudit("a")) ORDER BY a.attempt
                    """, arguments: [run]
            ).compactMap { try RunRow($0, self).attempt() }
        }
    }

    /// Calls `body` with every attempt that ended, by run and number, without its result. Memory does not grow with
    /// their count.
    public func forEachAttempt(_ body: (AttemptStatus, _ isAudit: Bool) throws -> Void) throws {
        try reading { db in
            let rows = try Row.fetchCursor(
                db,
                sql: """
                    SELECT run, attempt, lease, host, class, evidence, wall_ns, peak_memory_bytes, ended_ns,
                    NULL AS blocks, \(RunRow.isAudit("a")) AS is_audit FROM attempts a ORDER BY run, attempt
                    """)
            while let row = try rows.next() {
                if let attempt = try RunRow(row, self).attempt() { try body(attempt, try row.value("is_audit")) }
            }
        }
    }

    /// The outcomes of a run that came under void leases, in the order of their coming.
    public func fencedAttempts(of run: RunNumber) throws -> [FencedAttempt] {
        try reading { db in
            try Row.fetchAll(
                db, sql: "SELECT run, lease, attempt, host, class, agrees FROM fenced WHERE run = ? ORDER BY seq",
                arguments: [run]
            ).map { row in
                try FencedAttempt(
                    id: AttemptID(run: row.value(0), lease: row.value(1), attempt: row.value(2)), host: row.value(3),
                    failure: self.failureClass(row.value(4)), agrees: row.value(5))
            }
        }
    }

    /// The attempts that ended well last, so many at most, in the order of their ends.
    public func lastSuccesses(_ count: Int) throws -> [PastAttempt] {
        try reading { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT r.place, p.kind, p.workload, a.host, a.wall_ns FROM attempts a
                    JOIN runs r ON r.run = a.run JOIN plan p ON p.run = a.run
                    WHERE a.class IS NULL AND r.place IS NOT NULL ORDER BY a.ended_ns DESC, a.run DESC LIMIT ?
                    """, arguments: [count]
            ).map { row in
                try PastAttempt(
                    place: row.value(0), isSetup: row.value(1) == "setup", workload: row.value(2),
                    host: row.value(3), wall: row.value(4))
            }.reversed()
        }
    }

    /// How many outcomes came under void leases, and how many of them gave other results than what was merged.
    public func fencedCounts() throws -> (all: Int, disagreeing: Int) {
        try reading { db in
            let row = try Row.fetchOne(db, sql: "SELECT count(*), count(*) FILTER (WHERE agrees = 0) FROM fenced")
            return (row?[0] ?? 0, row?[1] ?? 0)
        }
    }

    /// What an attempt left, by path.
    public func artifacts(of run: RunNumber, attempt: AttemptNumber) throws -> [Artifact] {
        try reading { db in
            try Row.fetchAll(
                db, sql: "SELECT path, digest, size FROM artifacts WHERE run = ? AND attempt = ? ORDER BY path",
                arguments: [run, attempt]
            ).map { try Artifact(path: $0.value(0), digest: self.digest($0.value(1)), size: $0.value(2)) }
        }
    }

    /// The digests of everything that any attempt left, and of pins, each at least once: what must not be deleted.
    public func forEachObject(_ body: (Digest) throws -> Void) throws {
        try reading { db in
            let sql = "SELECT digest FROM artifacts UNION SELECT digest FROM pins ORDER BY digest"
            let rows = try Row.fetchCursor(db, sql: sql)
            while let row = try rows.next() { try body(self.digest(row.value(0))) }
            // The tables follow from the journal: what a damaged one no longer names, a repair finds again.
            try Journal(db, path: path).forEach { _, record in try record.namedObjects.forEach(body) }
        }
    }

    public func hosts() throws -> [HostStatus] {
        try reading { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT h.host, boot_id, host_name, slots, memory_bytes, clock_offset_ns, rested,
                        coalesce(r.kind = 'host-refused', 0), fenced
                    FROM hosts h LEFT JOIN
                        (SELECT host, kind, max(seq) FROM remarks WHERE host IS NOT NULL GROUP BY host) r
                        ON r.host = h.host
                    ORDER BY h.host
                    """
            ).map { row in
                try HostStatus(
                    host: row.value(0), bootID: row.value(1), hostName: row.value(2), slots: row.value(3),
                    memoryBytes: row.value(4), clockOffset: row.value(5), pauseReason: row.value(6),
                    isRefused: row.value(7), fenceReason: row.value(8))
            }
        }
    }

    /// How many open runs are with each host that has any, by name.
    public func openRuns() throws -> [(host: String, runs: Int)] {
        try reading { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT host, count(*) FROM runs
                    WHERE state = 'open' AND lease IS NOT NULL AND place IS NOT NULL GROUP BY host ORDER BY host
                    """
            ).map { try (host: $0.value(0), runs: $0.value(1)) }
        }
    }

    public func leases() throws -> [LeaseStatus] {
        try reading { db in
            try Row.fetchAll(db, sql: "SELECT lease, host, voided FROM leases ORDER BY lease")
                .map { try LeaseStatus(lease: $0.value(0), host: $0.value(1), voided: $0.value(2)) }
        }
    }

    /// By name.
    public func pins() throws -> [(name: String, digest: Digest)] {
        try reading { db in
            try Row.fetchAll(db, sql: "SELECT name, digest FROM pins ORDER BY name")
                .map { try (name: $0.value(0), digest: self.digest($0.value(1))) }
        }
    }

    /// Why the sweep was stopped, each time, in order.
    public func stops() throws -> [String] {
        try reading { db in try String.fetchAll(db, sql: "SELECT reason FROM stops ORDER BY seq") }
    }

    /// Whether the sweep was stopped, and has not gone on since: resuming it runs also what the stop cancelled.
    public func isStopped() throws -> Bool {
        try reading { db in
            guard let stop = try Int64.fetchOne(db, sql: "SELECT max(seq) FROM stops") else { return false }
            let isOver = try Bool.fetchOne(
                db, sql: """
                    SELECT EXISTS (
                        SELECT 1 FROM journal
                        WHERE seq > ? AND kind IN ('lease-granted', 'run-reopened', 'repinned')
                    )
                    """, arguments: [stop])
            return isOver == false
        }
    }

    // MARK: Decoding

    func reading<Value>(_ body: (Database) throws -> Value) throws -> Value {
        do {
            return try queue.read(body)
        } catch {
            throw error is DatabaseError ? Failure(ledger: path, "read", error) : error
        }
    }

    /// What is thrown where it cannot be as a program left it.
    package func damaged(_ problem: String) -> Failure {
        Failure(.badArchive, "the ledger \(path) is damaged; \(LedgerFile.howToRepair(path))", cause: problem)
    }

    func state(_ name: String) throws -> RunState? {
        if name == "open" { return nil }
        guard let state = RunState(rawValue: name) else { throw damaged("an unknown state of a run") }
        return state
    }

    func failureClass(_ name: String?) throws -> FailureClass? {
        guard let name else { return nil }
        guard let known = FailureClass(rawValue: name) else { throw damaged("an unknown failure class") }
        return known
    }
}

extension Model.Record {
    /// What an attempt left, and what is pinned.
    fileprivate var namedObjects: [Digest] {
        switch self {
        case .attemptEnded(let report, _, _, _, _, _), .attemptFenced(let report, _, _),
            .auditEnded(let report, _, _, _, _, _):
            report.artifacts.map(\.digest)
        case .pinned(_, let digest): [digest]
        default: []
        }
    }
}
