import Ledger
import Model

/// The verb behind ops/bench/ledger: makes a ledger, then commits the course of a sweep in batches, and prints what it
/// took as one line of JSON.
enum LedgerBench {
    static func run(_ path: String, runs: String, batch: String) throws {
        guard let count = Int(runs), let size = Int(batch), count > 0, size > 0 else {
            throw Failure(.usage, Bench.usage)
        }
        try measure(path, runs: count, batch: size)
    }

    private static func seconds(_ body: () throws -> Void) rethrows -> Double {
        let clock = ContinuousClock()
        return try clock.measure(body) / .seconds(1)
    }

    /// Three records a run: granted, ended, decided; as many runs a batch as asked for.
    private static func batch(_ runs: Range<Int>, lease: Int) -> [Record] {
        var records: [Record] = []
        for run in runs {
            let grant = Grant(run: run, firstAttempt: 1, attempts: 3)
            records.append(.leaseGranted(lease: run, host: "h1", grants: [grant]))
            let artifacts = ["results.json", "stdout.log"].map { name in
                Artifact(path: name, digest: SHA256.digest("\(name) \(run)"), size: 100)
            }
            let report = AttemptReport(
                id: AttemptID(run: run, lease: run, attempt: 1), wallNanoseconds: 5_000_000, peakMemoryBytes: 4 << 20,
                artifacts: artifacts)
            let blocks = ResultText("[{\"value\":\(run)}]")
            records.append(
                .attemptEnded(report, host: "h1", failure: nil, evidence: "", blocks: blocks, endedAt: 1_700_000_000))
            records.append(.runEnded(run: run, state: .succeeded, failure: nil, attempt: 1))
        }
        return records
    }

    private static func measure(_ path: String, runs count: Int, batch size: Int) throws {
        let metadata = LedgerMetadata(
            sweep: "bench", identifier: "0", specification: "sweep: bench\n", created: 0, toolVersion: "bench")
        var made: Ledger?
        let creation = try seconds {
            made = try Ledger.create(
                path, metadata: metadata,
                runs: (1...count).lazy.map { .evaluation(point: SHA256.digest("\($0)"), workload: nil, repetition: 1) })
        }
        guard let ledger = made else { return }
        try ledger.commit([
            .hostSeen(host: "h1", bootID: "b", hostName: "n", slots: 2, memoryBytes: 1 << 33, clockOffset: 0)
        ])
        let commits = try seconds {
            for first in stride(from: 1, through: count, by: size) {
                try ledger.commit(batch(first..<min(first + size, count + 1), lease: first))
            }
        }
        var replayed = 0
        let replay = try seconds { try ledger.forEachRecord { _, _ in replayed += 1 } }
        var listed = 0
        let listing = try seconds { try ledger.forEachRun { _ in listed += 1 } }
        let members: [(String, String)] = [
            ("runs", "\(count)"), ("records", "\(replayed - 1)"), ("listed", "\(listed)"), ("create_s", "\(creation)"),
            ("commit_s", "\(commits)"), ("replay_s", "\(replay)"), ("list_s", "\(listing)"),
        ]
        print(JSON.object(members.map { JSON.Member($0.0, .number($0.1)) }).encoded)
    }
}
