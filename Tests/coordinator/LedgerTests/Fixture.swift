import Glibc
import Model
@testable import Ledger

/// A folder of a test's own, which goes when the test does.
final class Folder: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/ledger-tests-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure(.storage, "no folder") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        chmod(path, 0o700)
        guard let folder = opendir(path) else { return }
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            unlink(path + "/" + name)
        }
        closedir(folder)
        rmdir(path)
    }

    var ledger: String { path + "/ledger.sqlite" }

    func file(_ name: String) -> String { path + "/" + name }

    func read(_ name: String) -> [UInt8]? {
        guard let file = fopen(file(name), "r") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        while case let byte = fgetc(file), byte != EOF { bytes.append(UInt8(truncatingIfNeeded: byte)) }
        return bytes
    }

    func write(_ name: String, _ bytes: [UInt8]) {
        guard let file = fopen(file(name), "w") else { return }
        fwrite(bytes, 1, bytes.count, file)
        fclose(file)
    }
}

enum Sample {
    static let metadata = LedgerMetadata(
        sweep: "sample $(touch x)", identifier: "7f3a", specification: "sweep: sample\naxes: {x: [1, 2]}\n",
        created: 1_700_000_000_000_000_000, toolVersion: "0.1",
        notes: [EnvironmentVariable("inventory", "here"), EnvironmentVariable("b", "'; DROP TABLE runs; --")])

    /// The first makes a checkpoint, the others evaluate.
    static func runs(_ count: Int, from first: Int = 1) -> [RunKey] {
        (first..<first + count).map { run in
            if run == 1 { return .setup(workload: "aes", recipe: SHA256.digest("setup")) }
            return .evaluation(point: SHA256.digest("point \(run)"), workload: "aes", repetition: 1)
        }
    }

    static func ledger(_ folder: Folder, runs count: Int = 4) throws -> Ledger {
        try Ledger.create(folder.ledger, metadata: metadata, runs: runs(count))
    }

    static func seen(_ host: String) -> Model.Record {
        .hostSeen(host: host, bootID: "b", hostName: "n", slots: 2, memoryBytes: 1 << 33, clockOffset: -5)
    }

    static func granted(
        _ lease: LeaseNumber, _ host: String, _ runs: [RunNumber], first: AttemptNumber = 1
    ) -> Model.Record {
        .leaseGranted(
            lease: lease, host: host, grants: runs.map { Grant(run: $0, firstAttempt: first, attempts: 3) })
    }

    static func report(
        _ run: RunNumber, lease: LeaseNumber, attempt: AttemptNumber, failure: FailureClass? = nil
    ) -> AttemptReport {
        AttemptReport(
            id: AttemptID(run: run, lease: lease, attempt: attempt), failure: failure, evidence: "why",
            wallNanoseconds: 2_000_000_000, peakMemoryBytes: 4096,
            artifacts: [
                Artifact(path: "b/$(touch x)", digest: SHA256.digest("\(run)"), size: 1),
                Artifact(path: "a", digest: SHA256.digest("a"), size: 2),
            ])
    }

    static func ended(
        _ run: RunNumber, lease: LeaseNumber, attempt: AttemptNumber, host: String = "h1",
        failure: FailureClass? = nil, value: String = "1.50"
    ) -> Model.Record {
        .attemptEnded(
            report(run, lease: lease, attempt: attempt, failure: failure), host: host, failure: failure,
            evidence: failure == nil ? "" : "why",
            blocks: failure == nil ? ResultText("[{\"value\":\(value)}]") : nil, endedAt: 10)
    }
}
