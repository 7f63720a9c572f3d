package import CoordinatorRuntime
import Engines
package import Formats
import Foundation
import Model
import Storage
import SweepFiles

/// Takes checkpoints that are folders on this machine into the store: those of this project's scripts, which have a
/// record, and those of others, of which only that is known which is said here.
package struct CheckpointAddition {
    package struct Options {
        /// Which of several workloads in the folder, or what the one in it is of; nil: as the folder's names say.
        package var workload: String?
        package var name: String?
        /// Files that it was made with, where it has no record.
        package var kernel: String?
        package var disk: String?

        package init(workload: String?, name: String?, kernel: String?, disk: String?) {
            self.workload = workload
            self.name = name
            self.kernel = kernel
            self.disk = disk
        }
    }

    package struct Added {
        package var bundle: CheckpointBundle
        /// As in "its kernel".
        package var unknown: [String]
        /// Whether the folder had a record.
        package var hasRecord: Bool
    }

    /// A checkpoint's folder, of an engine that knows it.
    private struct Found {
        var engine: String
        var format: any CheckpointFolders
        var folder: String
        var workload: String
    }

    private let store: CheckpointStore
    private let options: Options

    package init(_ options: Options, _ store: CheckpointStore = Caches.checkpoints) {
        self.options = options
        self.store = store
    }

    /// The engines whose checkpoints can be added.
    package static var engines: [String] { EngineRegistry.offers(\.checkpointFolders).map(\.engine) }

    /// - Parameter path: a checkpoint's folder, or one with a folder for each workload, which is the checkpoint or has
    ///   it under its usual name.
    package func add(_ path: String) throws -> [Added] {
        let use = try ArtifactsUse.adding(to: store)
        defer { withExtendedLifetime(use) {} }
        return try find(path).map { try add($0) }
    }

    // MARK: What is there

    private func find(_ path: String) throws -> [Found] {
        let offers = EngineRegistry.offers(\.checkpointFolders)
        for (engine, format) in offers {
            let folders = try folders(path, format)
            if !folders.isEmpty {
                return folders.map { Found(engine: engine, format: format, folder: $0.folder, workload: $0.workload) }
            }
        }
        throw Failure(
            .missingFile, "there is no checkpoint of \(offers.map(\.engine).joined(separator: " or ")) in \(path): "
                + "neither \(offers.map(\.offer.state.name).joined(separator: " or ")) nor a folder for each workload "
                + "that has it")
    }

    /// Empty: none of this engine is there.
    private func folders(
        _ path: String, _ format: any CheckpointFolders
    ) throws -> [(folder: String, workload: String)] {
        func isCheckpoint(_ folder: String) -> Bool {
            FileManager.default.fileExists(atPath: "\(folder)/\(format.state.name)")
        }
        if isCheckpoint(path) { return [(path, options.workload ?? workload(of: path, format))] }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path))?.sorted() ?? []
        // The folder is a workload's, or the engine's own, and not one of workloads.
        let own = names.filter { format.isCheckpointName($0) && isCheckpoint("\(path)/\($0)") }
        guard own.count < 2 else {
            throw Failure(
                .usage, "\(path) has several checkpoints: "
                    + PeopleText.list(own.map { VisibleText.of($0, limit: 80) }, atMost: 20)
                    + "; name the folder of one of them")
        }
        if let name = own.first {
            let folder = "\(path)/\(name)"
            return [(folder, options.workload ?? workload(of: folder, format))]
        }
        let all = names.compactMap { name -> (folder: String, workload: String)? in
            let folder = ["\(path)/\(name)", "\(path)/\(name)/\(format.usualName)"].first(where: isCheckpoint)
            return folder.map { ($0, name) }
        }
        let found = all.filter { options.workload == nil || $0.workload == options.workload }
        if let workload = options.workload, found.isEmpty, !all.isEmpty {
            throw Failure(
                .missingFile, "\(path) has no checkpoint of '\(Names.shown(workload))'; it has: "
                    + PeopleText.list(all.map { VisibleText.of($0.workload, limit: 80) }, atMost: 20))
        }
        return found
    }

    /// Scripts call the folder around a checkpoint's by the workload.
    private func workload(of path: String, _ format: any CheckpointFolders) -> String {
        let parts = path.split(separator: "/").filter { $0 != "." }.map(String.init)
        let last = parts.last ?? ""
        return format.isCheckpointName(last) && parts.count > 1 ? parts[parts.count - 2] : last
    }

    // MARK: Adding it

    private func add(_ found: Found) throws -> Added {
        let (folder, format) = (found.folder, found.format)
        guard Names.isPlain(found.workload) else {
            throw Failure(
                .usage, "'\(Names.shown(found.workload))' cannot be a workload's name; say which it is of: --workload "
                    + "NAME")
        }
        let recordPath = "\(folder)/\(format.record.name)"
        let files = try LocalInput.folder(folder, at: "").filter { $0.path != format.record.name }
        var record = try LocalInput.contents(recordPath, atMost: format.record.longest)
        let hasRecord = record != nil
        guard !hasRecord || (options.kernel == nil && options.disk == nil) else {
            throw Failure(
                .usage, "\(recordPath) says what the checkpoint was made from; leave out --kernel and --disk")
        }
        if record == nil { record = try newRecord(found, files) }
        guard let record else { throw Failure(.internalError, "a checkpoint without its record") }
        let facts = try format.facts(record, files)
        try check(facts.workload, found, recordPath)
        let digest = try store.objects().publish(record)
        let bundle = CheckpointBundle(
            checkpoint: digest, engine: found.engine, binary: nil, workload: facts.workload, madeAt: nil,
            madeBy: "unknown; added from \(folder)", madeFrom: facts.lines,
            files: files.map { Artifact(path: $0.path, digest: $0.digest, size: $0.size) }
                + [Artifact(path: format.record.name, digest: digest, size: Int64(record.count))])
        try keep(bundle, files)
        return Added(bundle: bundle, unknown: facts.unknown, hasRecord: hasRecord)
    }

    private func check(_ workload: String, _ found: Found, _ recordPath: String) throws {
        guard workload == found.workload || options.workload == nil else {
            throw Failure(
                .usage, "the checkpoint in \(found.folder) is of the workload '\(Names.shown(workload))', as its "
                    + "record says; leave out --workload")
        }
        guard Names.isPlain(workload) else {
            throw Failure(
                .badData, "\(recordPath) names the workload '\(Names.shown(workload))'; "
                    + "that cannot be a workload's name, so the record is not one that usweep wrote")
        }
    }

    private func keep(_ bundle: CheckpointBundle, _ files: [InputFile]) throws {
        try store.withExchange(UUID().uuidString) { folder in
            let staged = try ObjectStore(root: folder, files: LocalFiles())
            for file in files {
                try staged.publish(file: file.source, as: file.digest) { try LocalInput.isUnchanged(file) }
            }
            _ = try staged.take(bundle.checkpoint, from: store.objects())
            try store.add(bundle, from: staged)
        }
        if let name = options.name { try store.name(bundle, name) }
    }

    /// A record for a checkpoint that has none.
    private func newRecord(_ found: Found, _ files: [InputFile]) throws -> [UInt8] {
        let (folder, workload, format) = (found.folder, found.workload, found.format)
        guard options.workload != nil || !(format.isOutputName(workload) || format.isCheckpointName(workload)) else {
            throw Failure(
                .usage, "the name of the folder \(folder) does not say which workload's checkpoint it is; say it: "
                    + "--workload NAME")
        }
        let statePath = "\(folder)/\(format.state.name)"
        guard let state = try LocalInput.contents(statePath, atMost: format.state.longest) else {
            throw Failure(.storage, "\(statePath) cannot be read")
        }
        func digest(_ path: String?) throws -> Digest? { try path.map { try LocalInput.file($0, at: "file").digest } }
        let (kernel, disk) = (try digest(options.kernel), try digest(options.disk))
        do throws(UnusableCheckpoint) {
            return try format.newRecord(workload, state: state, files, kernel: kernel, disk: disk)
        } catch {
            throw Failure(.badData, "the checkpoint in \(folder) cannot be used: \(error.why)")
        }
    }
}
