import GRDB
public import Model

extension Ledger {
    /// The runs of the specification as it is now, in the order of their places.
    public func runList() throws -> RunList { try reading { db in try PlanTable(db).runs() } }

    /// The highest number that was given to a run.
    public func highestRun() throws -> RunNumber { try reading { db in try PlanTable(db).highestRun() } }

    /// What another specification would change. Changes nothing.
    ///
    /// - Parameter keys: as in ``create(_:metadata:runs:)``.
    public func compare(_ keys: some Sequence<RunKey>) throws -> SpecificationChange {
        try reading { db in
            var comparison = try Comparison(db)
            for key in keys { _ = try comparison.add(key) }
            return try comparison.change()
        }
    }

    /// Remembers something beside the journal, in place of what it was before.
    public func note(_ note: EnvironmentVariable) throws {
        try write { db in try PlanTable(db).put("note:" + note.name, note.value) }
    }

    /// Makes another specification the sweep's: keys that any specification had before keep their run and all that it
    /// has, new ones get new numbers. One transaction, also with the records of what else follows from the change.
    ///
    /// - Parameters:
    ///   - keys: as in ``create(_:metadata:runs:)``.
    ///   - madeAt: nanoseconds since 1970.
    ///   - records: committed after the revision.
    /// - Returns: what changed; where it is nothing at all, nothing was written.
    @discardableResult
    public func revise(
        specification: String, runs keys: some Sequence<RunKey>, madeAt: Nanoseconds,
        with records: [Model.Record] = []
    ) throws -> SpecificationChange {
        let before = try metadata().specification
        var change = SpecificationChange()
        try write { db in
            var comparison = try Comparison(db)
            for key in keys {
                let (run, isNew) = try comparison.add(key)
                if isNew { try PlanTable(db).put(key, as: run) }
            }
            change = try comparison.change()
            guard change.isOther || specification != before || !records.isEmpty else { return }
            let last = try Int.fetchOne(db, sql: "SELECT max(number) FROM revisions") ?? 1
            let revision = Revision(
                number: last + 1, specification: specification, runs: comparison.runs, madeAt: madeAt)
            // What was cancelled with the rest of a sweep is wanted again with its point.
            let reopened = comparison.cancelled.map {
                Model.Record.runReopened(run: $0, reason: "its point came back into the specification")
            }
            try Journal(db, path: self.path).append([.revised(revision)] + records + reopened)
        }
        return change
    }
}

/// The runs of a specification beside those of the ledger.
private struct Comparison {
    private(set) var runs = RunList()
    /// Those that came back and had been cancelled.
    private(set) var cancelled: [RunNumber] = []
    private var counts = SpecificationChange()
    private let before: RunList
    private var next: RunNumber
    private let db: Database
    private let evaluation: Statement
    private let setup: Statement
    private let boot: Statement
    /// Setups without a recipe that stand for one of the specification.
    private var unnamed: Set<RunNumber> = []

    init(_ db: Database) throws {
        self.db = db
        before = try PlanTable(db).runs()
        next = try PlanTable(db).highestRun() + 1
        let columns = """
            SELECT p.run, r.place IS NOT NULL, r.state, p.setup IS NULL FROM plan p JOIN runs r ON r.run = p.run
            """
        evaluation = try db.cachedStatement(sql: "\(columns) WHERE p.point = ? AND p.repeat = ?")
        // A setup without a recipe is of a ledger that did not keep them: it stands for any, but for one alone.
        setup = try db.cachedStatement(
            sql: """
                \(columns) WHERE p.kind = 'setup' AND p.workload = ? AND (p.setup = ? OR p.setup IS NULL)
                ORDER BY p.setup IS NULL LIMIT 1
                """)
        boot = try db.cachedStatement(
            sql: "\(columns) WHERE p.kind = 'setup' AND p.workload IS NULL AND p.setup = ?")
    }

    /// - Returns: the key's run, a new number if there is none.
    mutating func add(_ key: RunKey) throws -> (run: RunNumber, isNew: Bool) {
        let row =
            switch key {
            case .evaluation(let point, _, let repetition):
                try Row.fetchOne(evaluation, arguments: [point.data, repetition])
            case .setup(let workload, let recipe): try row(ofSetup: workload, recipe)
            case .boot(let recipe): try Row.fetchOne(boot, arguments: [recipe.data])
            }
        guard let row else {
            if key.isSetup { counts.newSetups += 1 } else { counts.new += 1 }
            runs.append(next)
            next += 1
            return (next - 1, true)
        }
        let (run, isCurrent, state): (RunNumber, Bool, String) = try (row.value(0), row.value(1), row.value(2))
        runs.append(run)
        if !isCurrent, state == RunState.cancelled.rawValue { cancelled.append(run) }
        guard !key.isSetup else { return (run, false) }
        if isCurrent { counts.kept += 1 } else { counts.back += 1 }
        if state == RunState.succeeded.rawValue { counts.succeeded += 1 }
        return (run, false)
    }

    private mutating func row(ofSetup workload: String, _ recipe: Digest?) throws -> Row? {
        guard let row = try Row.fetchOne(setup, arguments: [workload, recipe?.data]) else { return nil }
        let (run, isUnnamed): (RunNumber, Bool) = try (row.value(0), row.value(3))
        return !isUnnamed || unnamed.insert(run).inserted ? row : nil
    }

    func change() throws -> SpecificationChange {
        guard RunList(ranges: runs.ranges) != nil else {
            throw Failure(.internalError, "a specification has one run twice")
        }
        var change = counts
        let evaluations = try Int.fetchOne(
            db,
            sql: """
                SELECT count(*) FROM runs r JOIN plan p ON p.run = r.run
                WHERE r.place IS NOT NULL AND p.kind = 'evaluation'
                """) ?? 0
        change.gone = max(0, evaluations - counts.kept)
        change.isOther = runs != before
        return change
    }
}
