import Formats
import Foundation
import Ledger
import Model
@testable import Sessions
import SweepFiles
import Testing

@Suite("Reproductions that are killed", .serialized)
struct ReproductionTests {
    private let folder: ArtifactsFolder
    private let hosts = Inventory(hosts: [Model.Host(target: HostTarget(name: "lab1"))])

    init() throws {
        folder = ArtifactsFolder(path: "\(NSTemporaryDirectory())/usweep-reproduction-\(UUID().uuidString)")
        try folder.prepare()
        #expect(AnyAgent.isNamed)
    }

    private func capsule() throws -> Capsule {
        let file = "\(folder.path)/sweep.yaml"
        try "sweep: one\nengine: command\ncommand: [/bin/true]\naxes: {x: [1]}\n"
            .write(toFile: file, atomically: true, encoding: .utf8)
        let sweep = try SweepFile.read(path: file)
        return Capsule(
            sweep: "one-abcdefgh", run: 1, point: SHA256.digest("point"), repetition: 1, tool: "0.1.0",
            specification: sweep, machine: MachineRecord(),
            pins: [
                Capsule.Pin(name: "engine", digest: SHA256.digest("binary")),
                Capsule.Pin(name: "checkpoint:w", digest: SHA256.digest("checkpoint")),
            ], objects: [], artifacts: [], result: ResultText("[]"))
    }

    @Test("Killed before anything was pinned, it still uses the engine and the checkpoints of its capsule")
    func pins() throws {
        defer { try? FileManager.default.removeItem(atPath: folder.path) }
        let capsule = try capsule()
        let entry = try Session.create(capsule.specification, inventory: hosts, in: folder, from: capsule).entry
        let metadata: LedgerMetadata
        var keys: [RunKey] = []
        do {
            let ledger = try Ledger.read(entry.ledger)
            #expect(try ledger.pins().map(\.name) == ["checkpoint:w", "engine"])
            metadata = try ledger.metadata()
            try ledger.forEachRun(all: true) { keys.append($0.plan.key) }
        }
        // The ledger as it is when it gets its name.
        try FileManager.default.removeItem(atPath: entry.folder)
        try FileManager.default.createDirectory(atPath: entry.folder, withIntermediateDirectories: false)
        do { _ = try Ledger.create(entry.ledger, metadata: metadata, runs: keys) }
        do { _ = try Session.resume(entry, in: folder, say: { _ in }) }
        let pins = try Ledger.read(entry.ledger).pins()
        #expect(pins.map(\.name) == ["checkpoint:w", "engine"])
        #expect(Set(pins.map(\.digest)) == Set(capsule.pins.map(\.digest)))
    }
}
