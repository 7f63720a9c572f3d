import Engines
import Foundation
import Model
import SweepFiles

/// Makes bundles: checkpoints of gem5 with the record of what they were made of.
struct VSwarmBundler {
    let kernel: Digest
    let disk: Digest

    struct Problem: Error {
        var why: String
    }

    /// - Returns: what the checkpoint is of, or why it cannot be used.
    func write(
        _ workload: String, from source: String, to target: String
    ) throws -> Result<Gem5CheckpointFacts, Problem> {
        let files = try LocalInput.folder(source, at: "") { $0 != Gem5CheckpointRecord.name }
        let manager = FileManager.default
        guard let state = manager.contents(atPath: "\(source)/m5.cpt") else {
            throw Failure(.storage, "\(source)/m5.cpt cannot be read")
        }
        let facts = Gem5CheckpointFacts(Array(state))
        if let why = facts.problem(files: files.map(\.path)) { return .failure(Problem(why: why)) }
        guard ["skylake", "two-machine"].contains(where: { Gem5Machines.of($0).sorted() == facts.machines }) else {
            let names = VisibleText.of(facts.machines.joined(separator: ", "), limit: 80)
            let why = "it is a checkpoint of \(names), which only the script that made it can restore"
            return .failure(Problem(why: why))
        }
        try VSwarmBundler.makeFolder(target)
        do {
            for file in files {
                // What an import that was broken off left there may be half a file.
                let place = "\(target)/\(file.path)"
                if manager.fileExists(atPath: place) { try manager.removeItem(atPath: place) }
                let real = URL(fileURLWithPath: file.source).resolvingSymlinksInPath().path
                if link(real, place) != 0 { try manager.copyItem(atPath: real, toPath: place) }
            }
        } catch {
            throw Failure(.storage, "\(target) cannot be written", cause: error.localizedDescription)
        }
        let record = Gem5CheckpointRecord(
            origin: .init(
                kernel: kernel, disk: disk, workload: workload, machines: facts.machines,
                memoryBytes: facts.memoryBytes, cores: facts.cores),
            files: files.map { .init(path: $0.path, digest: $0.digest, size: $0.size) })
        try AtomicFile.write("\(target)/\(Gem5CheckpointRecord.name)") {
            try $0(Array((record.document.encoded + "\n").utf8))
        }
        return .success(facts)
    }

    static func makeFolder(_ path: String) throws {
        do { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) } catch {
            throw Failure(.storage, "\(path) cannot be created", cause: error.localizedDescription)
        }
    }
}
