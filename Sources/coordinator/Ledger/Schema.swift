import GRDB

/// The tables of a ledger, and the numbers that say whose file it is.
///
/// `meta` and `plan` are written when a sweep is made or extended. `journal` is only ever appended to. All others
/// follow from `plan` and `journal` and are written in the journal's own transaction.
enum Schema {
    /// "usweep" squeezed into four letters, `uswp`: SQLite's `application_id`.
    static let applicationID: Int32 = 0x7573_7770
    /// SQLite's `user_version`: the number of migrations that have been applied. Also raised, by a migration that does
    /// nothing, where a kind of record is new or a field of one must be known: an older program then leaves the
    /// ledger alone instead of stumbling over it halfway.
    static let version: Int32 = 6

    /// Derived tables with the columns that order their rows.
    static let derived: [(table: String, key: String)] = [
        ("runs", "run"), ("leases", "lease"), ("grants", "lease, run"), ("attempts", "run, attempt"),
        ("artifacts", "run, attempt, path"), ("audits", "run, attempt"), ("fenced", "seq"), ("hosts", "host"),
        ("pins", "name"), ("stops", "seq"),
        ("revisions", "seq"), ("remarks", "seq"), ("damages", "seq"),
    ]

    /// Brings a database from one version to the next; the index is the version that it starts from.
    static let migrations: [String] = [first, second, third, fourth, fifth, sixth]

    /// Applies what is missing, in one transaction.
    ///
    /// - Parameter derive: writes the derived tables of an older ledger anew, where they may have grown.
    static func migrate(_ db: Database, derive: (Database) throws -> Void = { _ in }) throws {
        let current = try Int32.fetchOne(db, sql: "PRAGMA user_version") ?? 0
        guard current < version else { return }
        try db.inTransaction(.immediate) {
            for migration in migrations[Int(current)...] { try db.execute(sql: migration) }
            if current > 0 { try derive(db) }
            try db.execute(sql: "PRAGMA application_id = \(applicationID)")
            try db.execute(sql: "PRAGMA user_version = \(version)")
            return .commit
        }
    }

    private static let first = """
        CREATE TABLE meta (
            key TEXT PRIMARY KEY NOT NULL,
            value TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;

        -- The runs that the specification gives: a setup run makes a checkpoint and belongs to no point.
        CREATE TABLE plan (
            run INTEGER PRIMARY KEY NOT NULL CHECK (run > 0),
            kind TEXT NOT NULL CHECK (kind IN ('setup', 'evaluation')),
            point_index INTEGER CHECK (point_index >= 0),
            point BLOB CHECK (length(point) = 32),
            workload TEXT,
            repeat INTEGER NOT NULL CHECK (repeat > 0),
            CHECK ((kind = 'evaluation') = (point IS NOT NULL)),
            UNIQUE (point, repeat)
        ) STRICT;

        CREATE TABLE journal (
            seq INTEGER PRIMARY KEY NOT NULL CHECK (seq > 0),
            kind TEXT NOT NULL,
            payload BLOB NOT NULL
        ) STRICT;

        -- attempts: how many ended. attempt: the one that decided, 0 if none. lease, host: whose it is while it is
        -- open (NULL when that lease is void), and afterwards those of the attempt that decided.
        CREATE TABLE runs (
            run INTEGER PRIMARY KEY NOT NULL REFERENCES plan (run),
            state TEXT NOT NULL DEFAULT 'open'
                CHECK (state IN ('open', 'succeeded', 'failed', 'quarantined', 'cancelled')),
            class TEXT,
            attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
            attempt INTEGER NOT NULL DEFAULT 0 CHECK (attempt >= 0),
            lease INTEGER REFERENCES leases (lease),
            host TEXT REFERENCES hosts (host),
            CHECK (state NOT IN ('open', 'succeeded') OR class IS NULL)
        ) STRICT;

        -- The columns of a host that has only been heard of are NULL.
        CREATE TABLE hosts (
            host TEXT PRIMARY KEY NOT NULL,
            boot_id TEXT,
            host_name TEXT,
            slots INTEGER,
            memory_bytes INTEGER,
            clock_offset_ns INTEGER,
            rested TEXT
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE pins (
            name TEXT PRIMARY KEY NOT NULL,
            digest BLOB NOT NULL CHECK (length(digest) = 32)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE leases (
            lease INTEGER PRIMARY KEY NOT NULL CHECK (lease > 0),
            host TEXT NOT NULL REFERENCES hosts (host),
            voided TEXT
        ) STRICT;

        CREATE TABLE grants (
            lease INTEGER NOT NULL REFERENCES leases (lease),
            run INTEGER NOT NULL REFERENCES plan (run),
            first_attempt INTEGER NOT NULL CHECK (first_attempt > 0),
            attempts INTEGER NOT NULL CHECK (attempts > 0),
            PRIMARY KEY (lease, run)
        ) STRICT, WITHOUT ROWID;

        -- What agents measured stands as they said it: a CHECK would let a peer stop the sweep.
        -- blocks: JSON text, the metrics that the run contract accepted.
        CREATE TABLE attempts (
            run INTEGER NOT NULL REFERENCES plan (run),
            attempt INTEGER NOT NULL CHECK (attempt > 0),
            lease INTEGER NOT NULL REFERENCES leases (lease),
            host TEXT NOT NULL REFERENCES hosts (host),
            class TEXT,
            evidence TEXT NOT NULL,
            wall_ns INTEGER NOT NULL,
            peak_memory_bytes INTEGER NOT NULL,
            ended_ns INTEGER NOT NULL,
            blocks TEXT,
            PRIMARY KEY (run, attempt)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE artifacts (
            run INTEGER NOT NULL,
            attempt INTEGER NOT NULL,
            path TEXT NOT NULL,
            digest BLOB NOT NULL CHECK (length(digest) = 32),
            size INTEGER NOT NULL CHECK (size >= 0),
            PRIMARY KEY (run, attempt, path),
            FOREIGN KEY (run, attempt) REFERENCES attempts (run, attempt)
        ) STRICT, WITHOUT ROWID;

        -- What came under a void lease. agrees: 1 the same results, 0 others, NULL unknown.
        CREATE TABLE fenced (
            seq INTEGER PRIMARY KEY NOT NULL,
            run INTEGER NOT NULL REFERENCES plan (run),
            attempt INTEGER NOT NULL,
            lease INTEGER NOT NULL,
            host TEXT NOT NULL,
            class TEXT,
            agrees INTEGER CHECK (agrees IN (0, 1))
        ) STRICT;
        CREATE INDEX fenced_by_run ON fenced (run);

        CREATE TABLE stops (
            seq INTEGER PRIMARY KEY NOT NULL,
            reason TEXT NOT NULL
        ) STRICT;
        """

    /// Specifications that change, pins that change, and what explains how a run or a host fared.
    private static let second = """
        -- Where a run stands among those of the specification follows from the revisions.
        ALTER TABLE plan DROP COLUMN point_index;
        -- Of a setup: the digest of what its checkpoint depends on.
        ALTER TABLE plan ADD COLUMN setup BLOB CHECK (length(setup) = 32);
        CREATE UNIQUE INDEX plan_setups ON plan (workload, setup) WHERE kind = 'setup';

        -- place: from 0, where it stands in the specification as it is now; NULL: it is not in it any more.
        -- stale: attempts up to this one were made under pins that are void.
        ALTER TABLE runs ADD COLUMN place INTEGER CHECK (place >= 0);
        ALTER TABLE runs ADD COLUMN stale INTEGER NOT NULL DEFAULT 0 CHECK (stale >= 0);
        UPDATE runs SET place = run - 1;
        CREATE UNIQUE INDEX runs_by_place ON runs (place);

        -- Specifications after the first. runs: run numbers in the order of their places, as the journal has them.
        CREATE TABLE revisions (
            seq INTEGER PRIMARY KEY NOT NULL,
            number INTEGER NOT NULL UNIQUE,
            specification TEXT NOT NULL,
            runs BLOB NOT NULL,
            made_ns INTEGER NOT NULL
        ) STRICT;

        -- run-reopened, host-rested, host-refused, repinned, restored
        CREATE TABLE remarks (
            seq INTEGER PRIMARY KEY NOT NULL,
            kind TEXT NOT NULL,
            run INTEGER REFERENCES plan (run),
            host TEXT REFERENCES hosts (host),
            reason TEXT NOT NULL
        ) STRICT;
        """

    /// Records with fields, of version 2, follow those that are there; the tables stay as they are.
    private static let third = ""

    /// Boots: setups without a workload.
    private static let fourth = """
        CREATE UNIQUE INDEX plan_boots ON plan (setup) WHERE kind = 'setup' AND workload IS NULL;
        """

    /// Audits, and the hosts that they fenced.
    private static let fifth = """
        -- Attempts at runs that had succeeded. numbers, counted: the digests of what they gave and of what counts; NULL
        -- where there was nothing to compare.
        CREATE TABLE audits (
            run INTEGER NOT NULL,
            attempt INTEGER NOT NULL,
            numbers BLOB CHECK (length(numbers) = 32),
            counted BLOB CHECK (length(counted) = 32),
            PRIMARY KEY (run, attempt),
            FOREIGN KEY (run, attempt) REFERENCES attempts (run, attempt),
            CHECK ((numbers IS NULL) = (counted IS NULL))
        ) STRICT, WITHOUT ROWID;
        -- Why a host was fenced; NULL: it is not.
        ALTER TABLE hosts ADD COLUMN fenced TEXT;
        """

    /// Inputs that were found damaged.
    private static let sixth = """
        -- runs, makers: evaluations, and setups and boots, that had the input on this host between the two times; run
        -- numbers as the journal has them.
        CREATE TABLE damages (
            seq INTEGER PRIMARY KEY NOT NULL,
            host TEXT NOT NULL REFERENCES hosts (host),
            path TEXT NOT NULL,
            digest BLOB NOT NULL CHECK (length(digest) = 32),
            whole_ns INTEGER NOT NULL,
            found_ns INTEGER NOT NULL,
            runs BLOB NOT NULL,
            makers BLOB NOT NULL
        ) STRICT;
        """
}
