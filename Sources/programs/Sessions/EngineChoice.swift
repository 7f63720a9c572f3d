package import Engines
import Foundation
package import Model
import Storage
import SweepFiles

/// The engine of a sweep, with the files that it needs from this machine.
package enum EngineChoice {
    package static func engine(for sweep: Sweep) throws -> any Engine {
        switch sweep.engine {
        case .command: return CommandEngine(sweep)
        case .qemu:
            guard sweep.checkpoint == .setup else {
                throw Failure(
                    .badSpecification, "engine qemu makes its checkpoints itself; write 'checkpoint: setup', or leave "
                        + "the key out")
            }
            return try QEMUEngine(sweep, guest: try qemuGuest(sweep.guest))
        case .gem5:
            return try Gem5Engine(
                sweep, guest: try gem5Guest(sweep.guest), scripts: try scripts(sweep.system),
                checkpoints: try checkpoints(sweep))
        }
    }

    // MARK: qemu

    private static func qemuGuest(_ source: GuestSource?) throws -> QEMUEngine.Guest {
        guard case .folder(let folder) = source else {
            throw Failure(.badSpecification, "engine qemu needs 'guest:', the folder that ops/guest/build made")
        }
        let manifest = try manifest(folder)
        return QEMUEngine.Guest(
            kernel: try file("vmlinuz", folder, manifest), initrd: try file("initrd.img", folder, manifest),
            plugin: try file("model.so", folder, manifest), workloads: workloads(manifest))
    }

    // MARK: gem5

    private static func gem5Guest(_ source: GuestSource?) throws -> Gem5Engine.Guest {
        let (kernel, disk) = ("guest/vmlinux", "guest/disk.img")
        switch source {
        case nil:
            throw Failure(
                .badSpecification,
                "engine gem5 needs 'guest:', the folder that 'ops/guest/build gem5' made, or {kernel: ..., disk: ...}")
        case .folder(let folder):
            let manifest = try manifest(folder)
            return Gem5Engine.Guest(
                kernel: try file("vmlinux", folder, manifest, at: kernel),
                disk: try file("disk.img", folder, manifest, at: disk), workloads: workloads(manifest))
        case .files(let kernelPath, let diskPath):
            return Gem5Engine.Guest(
                kernel: try LocalInput.file(kernelPath, at: kernel), disk: try LocalInput.file(diskPath, at: disk))
        }
    }

    /// The configuration package, where a sweep does not bring a script of its own.
    private static func scripts(_ system: SystemUnderTest) throws -> [InputFile] {
        guard case .named = system else { return [] }
        let places = Installation.places("USWEEP_GEM5_PACKAGE", beside: "share/gem5", inRepository: "ops/gem5")
        guard let folder = places.first(where: { FileManager.default.fileExists(atPath: "\($0)/run.py") }) else {
            throw Failure(
                .missingFile, "the configuration package for gem5 is not at \(places.joined(separator: " or ")); name "
                    + "its folder in USWEEP_GEM5_PACKAGE")
        }
        return try LocalInput.folder(folder, at: Gem5Engine.packageFolder) { $0.hasSuffix(".py") }
    }

    /// Checkpoints that were made elsewhere.
    private static func checkpoints(_ sweep: Sweep) throws -> [Gem5Engine.Checkpoint] {
        switch sweep.checkpoint {
        case .setup: return []
        case .bundle(let name):
            throw Failure(
                .badSpecification, "checkpoint: there is no bundle '\(name)'; write setup, or {directory: ...}")
        case .directory(let pattern):
            return try sweep.workloads.map { workload in
                let folder = pattern.replacing("{workload}", with: workload)
                let files = try LocalInput.folder(folder, at: Gem5Engine.checkpointFolder(workload))
                guard files.contains(where: { $0.path.hasSuffix("/m5.cpt") }) else {
                    throw Failure(.missingFile, "\(folder) is no checkpoint of gem5: there is no m5.cpt in it")
                }
                let record = FileManager.default.contents(atPath: "\(folder)/\(Gem5CheckpointRecord.name)")
                return Gem5Engine.Checkpoint(
                    workload: workload, files: files, record: try record.map { try Gem5CheckpointRecord(Array($0)) })
            }
        }
    }

    // MARK: What ops/guest/build left in a folder

    private static func manifest(_ folder: String) throws -> JSON {
        guard let data = FileManager.default.contents(atPath: "\(folder)/manifest.json") else {
            throw Failure(.missingFile, "there is no guest in \(folder); run ops/guest/build, or mend 'guest:'")
        }
        return try JSON(parsing: Array(data))
    }

    private static func workloads(_ manifest: JSON) -> [String] {
        manifest["workloads"]?.elements?.compactMap(\.text) ?? []
    }

    /// The digest that the manifest names; publishing it into the object store checks that it is the file's.
    private static func file(
        _ name: String, _ folder: String, _ manifest: JSON, at place: String? = nil
    ) throws -> InputFile {
        let path = "\(folder)/\(name)"
        guard let digest = manifest["files"]?[name]?.text.flatMap({ Digest(hex: $0) }),
            let size = try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int64
        else { throw Failure(.missingFile, "the guest in \(folder) is not complete; run ops/guest/build again") }
        return InputFile(path: place ?? name, source: path, digest: digest, size: size, isExecutable: false)
    }
}
