import Engines
import Formats
import Foundation
import Model
import Ports
import Results
import Storage
import SweepCore
import Testing
@testable import CoordinatorRuntime

@Suite("Beside the loop")
struct WorkshopTests {
    @Test("While results are judged the loop goes on; nothing is committed or acknowledged before")
    func waits() throws {
        let bench = try Bench(runs: 2)
        bench.workshop.isOpen = false
        try bench.run(until: { bench.workshop.lanes.count >= 2 })
        bench.host.say(.heartbeat(HostLoad(running: 1, waiting: 0, freeBytes: 1)))
        try bench.run(until: { bench.loop.hostView(0).running == 1 })
        #expect(bench.ledger.ends.isEmpty && bench.host.acknowledged.isEmpty)
        bench.workshop.isOpen = true
        #expect(try bench.run() == .complete(allSucceeded: true))
        #expect(Set(bench.host.acknowledged.map(\.run)) == [1, 2])
    }

    @Test("The attempts of a run end in the order in which they came, whatever takes longer")
    func order() throws {
        let bench = try Bench()
        let large = [UInt8](repeating: 7, count: 300_000)
        let digest = SHA256.digest(large)
        bench.host.part = { host, message in
            guard case .grant(let shard) = message else { return false }
            host.files[digest] = large
            let lost = AttemptID(run: 1, lease: shard.lease, attempt: 1)
            host.say(
                .outcome(
                    AttemptReport(
                        id: lost, failure: .exitNonzero, evidence: "status 1",
                        artifacts: [Artifact(path: "core", digest: digest, size: Int64(large.count))])))
            host.succeed(AttemptID(run: 1, lease: shard.lease, attempt: 2), Array("{\"value\": 1}".utf8))
            return true
        }
        bench.workshop.isOpen = false
        // The second's file is here long before the first's.
        for _ in 0..<50 {
            try bench.step()
            bench.workshop.finish { $0 != .object(digest) }
        }
        #expect(bench.ledger.ends.isEmpty)
        bench.workshop.isOpen = true
        #expect(try bench.run() == .complete(allSucceeded: true))
        #expect(bench.ledger.ends.map(\.id.attempt) == [1, 2])
    }

    @Test("A host that is gone when its result was judged: the result is merged all the same")
    func hostGone() throws {
        let bench = try Bench()
        bench.workshop.isOpen = false
        // Looked at, fetched, and about to be judged.
        try bench.run(until: {
            bench.workshop.finish { $0 != .run(1) || bench.host.reads.isEmpty }
            return !bench.host.reads.isEmpty && bench.workshop.lanes == [.run(1)]
        })
        bench.host.breakOff()
        try bench.step()
        bench.workshop.isOpen = true
        try bench.run(until: { !bench.ledger.ends.isEmpty })
        #expect(bench.ledger.ends.map(\.failure) == [nil])
    }

    @Test("An error of this machine's disk ends the loop, as a commit that fails does")
    func diskError() throws {
        let bench = try Bench()
        bench.workshop.isOpen = false
        try bench.run(until: { bench.workshop.lanes == [.run(1)] })
        bench.workshop.forget()
        let error = FilesError(errorNumber: 5, path: "/objects/ab", operation: "read", reason: "Input/output error")
        bench.inbox.put(.finished(.failure(error)))
        #expect(throws: error) { try bench.run() }
        #expect(bench.host.acknowledged.isEmpty)
    }

    @Test("A host that asks for more pieces than any agent would is dropped, and nothing more is read for it")
    func tooManyReads() throws {
        let input = [UInt8](repeating: 1, count: 1_000)
        let bench = try Bench(inputs: [("data", input)])
        let range = ObjectRange(digest: SHA256.digest(input), offset: 0, length: 10)
        bench.host.part = { host, message in
            guard case .grant = message else { return false }
            for _ in 0...HostLimits.reads { host.say(.want(range)) }
            return true
        }
        bench.workshop.isOpen = false
        try bench.run(until: { !bench.problem().isEmpty })
        #expect(bench.problem().contains("more than 256 pieces"))
        bench.workshop.isOpen = true
        try bench.step()
        #expect(bench.host.pieces.isEmpty)
    }

    @Test("What a host reports is counted until it is settled, and more than any agent reports is refused")
    func reportedBytes() throws {
        #expect(HostLimits.tooManyOutcomes(HostLimits.outcomes, bytes: HostLimits.outcomeBytes) == nil)
        let many = HostLimits.tooManyOutcomes(HostLimits.outcomes + 1, bytes: 0)
        #expect(many?.code == .badMessage && many?.message.contains("more than 50000 outcomes") == true)
        let large = HostLimits.tooManyOutcomes(1, bytes: HostLimits.outcomeBytes + 1)
        #expect(large?.code == .badMessage && large?.message.contains("outcomes of more than 256") == true)

        let artifact = Artifact(path: String(repeating: "a", count: 100), digest: SHA256.digest("a"), size: 10)
        let evidence = String(repeating: "e", count: 100_000)
        let reports = (1...2).map {
            AttemptReport(id: AttemptID(run: $0, lease: 1, attempt: 1), evidence: evidence, artifacts: [artifact])
        }
        var looks = HostLink.Looks()
        for report in reports { looks.add(report) }
        #expect(looks.count == 2 && looks.bytes > 200_000)
        for report in reports { looks.remove(report) }
        #expect(looks.count == 0 && looks.bytes == 0)

        var transfers = Transfers()
        for report in reports { #expect(try transfers.begin(report, StoredParts()) == nil) }
        #expect(transfers.pendingBytes > 200_000)
        _ = transfers.requests()
        let bytes = ObjectBytes(digest: artifact.digest, offset: 0, bytes: [UInt8](repeating: 0, count: 10))
        let piece = try transfers.receive(bytes)
        #expect(transfers.wrote(try #require(piece.write), .whole).count == 2)
        #expect(transfers.pendingBytes == 0 && transfers.pendingCount == 0)
    }

    @Test("The more hosts, the less is on its way from each")
    func window() throws {
        var transfers = Transfers()
        let artifact = Artifact(path: "a", digest: SHA256.digest("a"), size: 10 << 20)
        let id = AttemptID(run: 1, lease: 1, attempt: 1)
        #expect(try transfers.begin(AttemptReport(id: id, artifacts: [artifact]), StoredParts()) == nil)
        #expect(transfers.requests(window: 64 << 10).count == 1)
        #expect(transfers.requests(window: 64 << 10).isEmpty)
    }

    @Test("A cache that cannot be used is said once, and stops nothing")
    func brokenCache() throws {
        let folder = "\(NSTemporaryDirectory())usweep-cache-\(UUID().uuidString.prefix(8))"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Data("a file where a folder should be".utf8).write(to: URL(fileURLWithPath: folder))
        let cache = CheckpointStore(folder: "\(folder)/checkpoints", files: LocalFiles())
        let bench = try Bench(runs: 2, engine: SetupEngine(), cache: cache)
        var said: [String] = []
        bench.loop.warn = { said.append($0) }
        #expect(try bench.run() == .complete(allSucceeded: true))
        #expect(bench.ledger.ends.count == 3)
        #expect(said.count == 1)
        #expect(said.first?.hasPrefix("the checkpoint of 'w' is not kept for later sweeps: \(folder)/") == true)
    }

    @Test("A checkpoint that an earlier sweep made is used before its setup is handed out")
    func cache() throws {
        let folder = "\(NSTemporaryDirectory())usweep-cache-\(UUID().uuidString.prefix(8))"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let cache = CheckpointStore(folder: folder, files: LocalFiles())
        for setups in [1, 0] {
            let bench = try Bench(runs: 2, engine: SetupEngine(), cache: cache)
            #expect(try bench.run() == .complete(allSucceeded: true))
            #expect(bench.ledger.ends.count == 2 + setups)
            #expect(bench.host.grants.flatMap(\.entries).count { $0.run == 3 } == setups)
        }
    }
}

/// An engine with one workload, whose setup leaves `results.json` for a checkpoint.
struct SetupEngine: Engine {
    struct Descriptor: EngineDescriptor {
        let name = "setup"
        let meaning = "an engine with a setup"
        var binary: EngineBinary? { EngineBinary(defaultPath: "/bin/engine") }
        func engine(for sweep: Sweep, _ machine: any LaunchingMachine) throws -> any Engine { SetupEngine() }
    }

    var descriptor: any EngineDescriptor { Descriptor() }
    let inputs: [InputFile] = []
    let pinnedFiles: [InputFile] = []
    let setups = ["w"]

    func files(
        ofCheckpoint checkpoint: Digest, madeBy maker: EngineTask, read: (Digest) throws -> [UInt8]
    ) throws -> [CheckpointFile] { [CheckpointFile(path: "checkpoint", digest: checkpoint)] }

    func job(for task: EngineTask, points: Points, checkpoint: [Job.Input]) throws -> Job {
        Job(arguments: [.engine], inputs: checkpoint)
    }

    func judge(
        _ task: EngineTask, _ points: Points, _ report: AttemptReport, _ files: EvidenceFiles
    ) throws -> EngineVerdict {
        if case .setup = task { return EngineVerdict(failure: nil, provides: report.artifacts[0].digest) }
        return EngineVerdict(failure: nil)
    }

    func checkpointKey(_ workload: String, checkpoint: Int) -> String { "w" }
}
