import Engines
package import Ledger
package import Model
import Ports
import Results
import Storage

/// What a run left, or leaves while it goes on.
package struct RunLog {
    /// The end of a text file.
    package struct Tail {
        package let path: String
        /// Whether the file has more before it, or may still grow.
        package let isWhole: Bool
        package let bytes: [UInt8]
    }

    package let run: RunStatus
    package let description: String
    /// Those that ended, by number.
    package let attempts: [AttemptStatus]
    /// What the chosen attempt left; nil: the run is with its host, and no attempt was chosen.
    package let artifacts: [Artifact]?
    /// The texts that people look at first.
    private let texts: [String]
    private let folder: ArtifactsFolder
    private let entry: ArtifactsFolder.Entry

    /// - Parameters:
    ///   - choice: the run, and no other.
    ///   - attempt: which one; nil: what goes on now, else the last one.
    package init(_ choice: RunChoice, attempt: AttemptNumber?) throws {
        let number = try choice.single(for: "logs")
        entry = choice.entry
        folder = entry.artifacts
        let view = try SweepView(entry)
        guard let run = try view.ledger.run(number) else {
            throw Failure(
                .missingFile, "the sweep \(entry.fullName) has no run \(number); its runs are numbered 1 to "
                    + "\(try view.ledger.highestRun())")
        }
        self.run = run
        texts = ["stdout.txt", "stderr.txt"] + view.descriptor.logs
        description = view.describe(run.plan)
        attempts = try view.ledger.attempts(of: number)
        if attempt == nil, run.state == nil, run.host != nil, run.lease != nil {
            artifacts = nil
            return
        }
        guard let chosen = attempts.last(where: { $0.id.attempt == attempt ?? $0.id.attempt }) else {
            throw Failure(.missingFile, RunLog.missing(attempt, of: run, attempts, entry))
        }
        artifacts = try view.ledger.artifacts(of: number, attempt: chosen.id.attempt)
    }

    private static func missing(
        _ attempt: AttemptNumber?, of run: RunStatus, _ attempts: [AttemptStatus], _ entry: ArtifactsFolder.Entry
    ) -> String {
        let what = attempt.map { "run \(run.plan.run) has no attempt \($0)" } ?? "run \(run.plan.run) has no files yet"
        guard attempts.isEmpty else {
            return "\(what); it has \(PeopleText.list(attempts.map { String($0.id.attempt) }))"
        }
        return "\(what): no attempt of it has ended; see why: \(entry.command("explain", run: run.plan.run))"
    }

    // MARK: After its end

    /// A file of the attempt, whole, in pieces.
    package func read(_ path: String, _ sink: ([UInt8]) throws -> Void) throws {
        guard let artifact = artifacts?.first(where: { $0.path == path }) else {
            let known = artifacts?.map(\.path) ?? []
            throw Failure(
                .missingFile, "the attempt left no file '\(VisibleText.of(path, limit: 200))'; it left "
                    + (known.isEmpty ? "nothing" : PeopleText.list(known, atMost: 40)))
        }
        let store = try folder.objects()
        var offset: Int64 = 0
        while offset < artifact.size {
            let bytes = try read(artifact, at: offset, count: 1 << 20, store)
            try sink(bytes)
            offset += Int64(bytes.count)
        }
    }

    private func read(_ artifact: Artifact, at offset: Int64, count: Int, _ store: ObjectStore) throws -> [UInt8] {
        let cause: String
        do throws(FilesError) {
            let bytes = try store.read(artifact.digest, at: offset, count: count)
            if !bytes.isEmpty { return bytes }
            cause = "it is cut short"
        } catch {
            cause = "\(error)"
        }
        throw Failure(
            .badArchive, "run \(run.plan.run), \(VisibleText.of(artifact.path, limit: 200)): the object "
                + "\(artifact.digest) in \(folder.path) cannot be read; put it back from a copy, or measure again "
                + "with 'usweep launch --new'", cause: cause)
    }

    /// The ends of the texts that people look at first; empty ones are left out.
    package func tails() throws -> [Tail] {
        guard let artifacts else { return try live(texts).filter { !$0.bytes.isEmpty } }
        let store = try folder.objects()
        return try texts.compactMap { path in
            guard let artifact = artifacts.first(where: { $0.path == path }), artifact.size > 0 else { return nil }
            let start = max(0, artifact.size - RunLog.tailLength)
            let bytes = try read(artifact, at: start, count: Int(RunLog.tailLength), store)
            return Tail(path: path, isWhole: start == 0, bytes: bytes)
        }
    }

    // MARK: While it goes on

    /// The end of a file that is on the run's host.
    package func liveTail(_ path: String) throws -> Tail? { try live([path]).first }

    /// Asks the coordinator for the ends of files.
    private func live(_ paths: [String]) throws -> [Tail] {
        let (number, host) = (run.plan.run, run.host ?? "")
        switch Ledger.holder(entry.ledger) {
        case .working, .elsewhere: break
        case .ended, .vanished, .nobody:
            let place = "attempts/\(entry.fullName)/\(number).*-\(run.lease ?? 0)"
            throw Failure(
                .missingFile, "run \(number) is on \(host), but no coordinator is running to fetch its output: start "
                    + "one with '\(entry.command("resume"))', or look on \(host), in its working folder, at \(place)")
        }
        let requests = Requests(entry: entry)
        var tails: [Tail] = []
        var isAnswered = false
        for path in paths {
            guard let bytes = try requests.tail(run: number, path: path) else { continue }
            isAnswered = true
            tails.append(Tail(path: path, isWhole: false, bytes: Array(bytes.suffix(paths.count > 1 ? 4_096 : .max))))
        }
        guard isAnswered else {
            let what = paths.count == 1 ? "no file '\(paths[0])'" : "no output"
            throw Failure(
                .missingFile,
                "run \(number) has \(what) on \(host) yet; it may wait for a slot: \(entry.command("status"))")
        }
        return tails
    }

    private static let tailLength: Int64 = 4_096

    // MARK: For programs

    /// - Throws: ``Failure`` where its output cannot be read or fetched.
    package func document() throws -> JSON {
        .object([
            JSON.Member("version", .integer(1)), JSON.Member("sweep", .string(entry.name)),
            JSON.Member("id", .string(entry.identifier)), JSON.Member("run", .integer(run.plan.run)),
            JSON.Member("description", .string(description)),
            JSON.Member("outcome", run.state.map { .string($0.rawValue) } ?? .null),
            JSON.Member("class", run.failure.map { .string($0.rawValue) } ?? .null),
            JSON.Member("host", run.host.map { .string($0) } ?? .null),
            JSON.Member("attempts", .array(attempts.map(RunLog.document))),
            JSON.Member("artifacts", artifacts.map { .array($0.map(RunLog.document)) } ?? .null),
            JSON.Member("tails", .array(try tails().map(RunLog.document))),
        ])
    }

    private static func document(_ attempt: AttemptStatus) -> JSON {
        .object([
            JSON.Member("attempt", .integer(attempt.id.attempt)), JSON.Member("host", .string(attempt.host)),
            JSON.Member("class", attempt.failure.map { .string($0.rawValue) } ?? .null),
            JSON.Member("evidence", .string(attempt.evidence)),
            JSON.Member("wall_s", .number(Instant.seconds(attempt.wall))),
        ])
    }

    private static func document(_ artifact: Artifact) -> JSON {
        .object([
            JSON.Member("path", .string(artifact.path)), JSON.Member("digest", .string(artifact.digest.hex)),
            JSON.Member("bytes", .integer(artifact.size)),
        ])
    }

    private static func document(_ tail: Tail) -> JSON {
        .object([
            JSON.Member("path", .string(tail.path)), JSON.Member("is_whole", .bool(tail.isWhole)),
            JSON.Member("text", .string(String(decoding: tail.bytes, as: UTF8.self))),
        ])
    }
}
