import CoordinatorRuntime
import Foundation
import Ledger
import Model
@testable import Sessions
import Storage
import SweepFiles
import Testing

/// Sweeps that were never run, with what their runs left written into ledgers and store.
@Suite("Removing sweeps", .serialized)
struct RemovalTests {
    private let folder: ArtifactsFolder
    private let store: ObjectStore

    init() throws {
        folder = ArtifactsFolder(path: "\(NSTemporaryDirectory())/usweep-removal-\(UUID().uuidString)")
        try folder.prepare()
        store = try folder.objects()
    }

    private func clean() { try? FileManager.default.removeItem(atPath: folder.path) }

    /// A sweep of one run, which left these texts and has ended.
    private func sweep(_ name: String, _ texts: [String], records: [Record] = []) throws -> ArtifactsFolder.Entry {
        let file = "\(folder.path)/sweep.yaml"
        try "sweep: \(name)\nengine: command\ncommand: [/bin/true]\naxes: {x: [1]}\n"
            .write(toFile: file, atomically: true, encoding: .utf8)
        #expect(AnyAgent.isNamed)
        let hosts = Inventory(hosts: [Model.Host(target: HostTarget(name: "lab1"))])
        let entry = try Session.create(try SweepFile.read(path: file), inventory: hosts, in: folder).entry
        let artifacts = try texts.enumerated().map { index, text in
            let digest = try store.publish(Array(text.utf8))
            return Artifact(path: "\(index).txt", digest: digest, size: Int64(text.utf8.count))
        }
        let report = AttemptReport(
            id: AttemptID(run: 1, lease: 1, attempt: 1), failure: nil, evidence: "", wallNanoseconds: 1,
            peakMemoryBytes: 1, artifacts: artifacts)
        let ledger = try Ledger.open(entry.ledger)
        try ledger.commit([
            .hostSeen(host: "lab1", bootID: "b", hostName: "h", slots: 1, memoryBytes: 1, clockOffset: 0),
            .leaseGranted(lease: 1, host: "lab1", grants: [Grant(run: 1, firstAttempt: 1, attempts: 1)]),
        ] + records + (records.isEmpty ? [
            .attemptEnded(report, host: "lab1", failure: nil, evidence: "", blocks: nil, endedAt: 1),
            .runEnded(run: 1, state: .succeeded, failure: nil, attempt: 1),
        ] : []))
        ledger.leave(status: 0)
        return entry
    }

    private func holds(_ text: String) throws -> Bool { try store.contains(SHA256.digest(text)) }

    private func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.contains("removed") }
    }

    @Test("A checkpoint that is not there is told while others add to the store, and keeps nobody out")
    func absentCheckpoint() throws {
        defer { clean() }
        let store = CheckpointStore(folder: "\(folder.path)/checkpoints", files: LocalFiles())
        let use = try ArtifactsUse.adding(to: store)
        defer { withExtendedLifetime(use) {} }
        let absent = #expect(throws: Failure.self) {
            try CheckpointRemoval.remove(from: store) { throw Failure(.missingFile, "there is no such checkpoint") }
        }
        #expect(absent?.code == .missingFile)
        let held = #expect(throws: Failure.self) { try CheckpointRemoval.remove(from: store) { [] } }
        #expect(held?.code == .heldElsewhere)
    }

    @Test("What only a removed sweep refers to goes with it; what another refers to stays")
    func shared() throws {
        defer { clean() }
        let first = try sweep("one", ["own of one", "shared"])
        _ = try sweep("two", ["own of two", "shared"])
        let use = try DiskUse(folder)
        #expect(use.shares.map(\.sweep).count == 2 && use.unreferredObjects == 0)
        #expect(use.shares.allSatisfy { $0.sharedBytes == 6 && $0.ownBytes == 10 })
        #expect(try Removal.check(first) == nil)
        try Removal.remove(first, from: folder)
        let deleted = try Removal.collect(folder, isTrial: false)
        #expect(deleted.objects == 1 && deleted.bytes > 10)
        #expect(try !holds("own of one") && holds("shared") && holds("own of two"))
        #expect(try folder.entries().map(\.name) == ["two"] && names().isEmpty)
    }

    @Test("A sweep that somebody works on, or whose runs go on, is not removed")
    func busy() throws {
        defer { clean() }
        let held = try sweep("held", ["x"])
        let ledger = try Ledger.open(held.ledger)
        let working = #expect(throws: Failure.self) { try Removal.check(held) }
        #expect(working?.code == .heldElsewhere)
        #expect(throws: Failure.self) { try Removal.remove(held, from: folder) }
        withExtendedLifetime(ledger) {}
        let open = try sweep("open", [], records: [.hostPaused(host: "lab1", reason: "r")])
        let failure = #expect(throws: Failure.self) { try Removal.check(open) }
        #expect(failure?.code == .heldElsewhere, "as where a coordinator works on it")
        #expect(failure?.description.contains("usweep cancel \(open.identifier)") == true)
        #expect(try folder.entries().count == 2)
    }

    @Test("While a sweep adds files, none is deleted, and what is left is collected later")
    func atWork() throws {
        defer { clean() }
        let first = try sweep("one", ["own of one"])
        _ = try store.publish(Array("of no sweep".utf8))
        do {
            let use = try ArtifactsUse.adding(to: folder)
            try Removal.remove(first, from: folder)
            #expect(throws: Failure.self) { try Removal.collect(folder, isTrial: false) }
            withExtendedLifetime(use) {}
        }
        #expect(try holds("own of one") && folder.entries().isEmpty && names().count == 1)
        let trial = try Removal.collect(folder, isTrial: true)
        #expect(try trial.objects == 2 && holds("own of one"))
        #expect(try Removal.collect(folder, isTrial: false).bytes == trial.bytes)
        #expect(try !holds("own of one") && !holds("of no sweep") && names().isEmpty)
        let left = try FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/objects")
        #expect(left.allSatisfy { $0.count > 2 }, "no empty folder is left: \(left)")
        // And one that went comes back.
        _ = try store.publish(Array("own of one".utf8))
        #expect(try holds("own of one"))
    }

    @Test("While somebody deletes, no sweep begins")
    func deleting() throws {
        defer { clean() }
        let use = try #require(try ArtifactsUse.deleting(in: try folder.objects()))
        let failure = #expect(throws: Failure.self) { try sweep("one", []) }
        #expect(failure?.code == .heldElsewhere)
        withExtendedLifetime(use) {}
    }

    @Test("What a pinned record names is kept, and nothing is deleted where a ledger cannot be read")
    func pins() throws {
        defer { clean() }
        let part = try store.publish(Array("part of a checkpoint".utf8))
        let record = try store.publish(Array("{\"files\":[\"\(part)\"]}".utf8))
        let entry = try sweep("one", ["x"])
        do {
            let ledger = try Ledger.open(entry.ledger)
            try ledger.commit([.pinned(name: "checkpoint:w", digest: record)])
            ledger.leave(status: 0)
        }
        #expect(try Removal.collect(folder, isTrial: false).objects == 0)
        try Data("no ledger".utf8).write(to: URL(fileURLWithPath: entry.ledger))
        let unreadable = #expect(throws: Failure.self) { try Removal.collect(folder, isTrial: false) }
        #expect(unreadable?.description.contains("usweep doctor --ledger --repair \(entry.identifier)") == true)
        #expect(try Removal.check(entry)?.contains("cannot be cancelled without it") == true)
        // A ledger that is not to be seen at all is as good as one that cannot be read.
        try FileManager.default.moveItem(atPath: entry.ledger, toPath: "\(folder.path)/aside")
        #expect(throws: Failure.self) { try Removal.collect(folder, isTrial: false) }
        try FileManager.default.moveItem(atPath: "\(folder.path)/aside", toPath: entry.ledger)
        #expect(try store.contains(part))
        try Removal.remove(entry, from: folder)
        _ = try Removal.collect(folder, isTrial: false)
        #expect(try !store.contains(part))
    }

    @Test("Launches that were killed before there was a ledger, and people's own folders, do not stop gc")
    func abandoned() throws {
        defer { clean() }
        _ = try store.publish(Array("of no sweep".utf8))
        func make(_ name: String, _ files: [String]) throws {
            try FileManager.default.createDirectory(
                atPath: "\(folder.path)/\(name)", withIntermediateDirectories: true)
            for file in files { try Data("x".utf8).write(to: URL(filePath: "\(folder.path)/\(name)/\(file)")) }
        }
        try make("study-abcdefgh", ["ledger.sqlite.lock", "ledger.sqlite.new", "ledger.sqlite.new-journal"])
        try make("my-analysis", ["notebook.ipynb"])
        try Data("x".utf8).write(to: URL(filePath: "\(folder.path)/notes-bcdefghj"))
        #expect(try Removal.collect(folder, isTrial: true).objects == 1)
        #expect(try Removal.collect(folder, isTrial: false).objects == 1)
        let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(left.contains("my-analysis") && left.contains("notes-bcdefghj") && !left.contains("study-abcdefgh"))
        // Where a disk may be mounted, and where a ledger was.
        for files in [[], ["ledger.sqlite.lock"], ["ledger.sqlite.lock", "ledger.sqlite.new", "results.csv"]] {
            try make("lost-abcdefgh", files)
            #expect(throws: Failure.self) { try Removal.collect(folder, isTrial: false) }
            try FileManager.default.removeItem(atPath: "\(folder.path)/lost-abcdefgh")
        }
    }
}
