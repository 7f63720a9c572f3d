package import CoordinatorRuntime
import Engines
package import Formats
import Foundation
import Model
import Storage
import SweepFiles

/// Takes gem5 checkpoints that are folders on this machine into the store: those of this project's scripts, which have
/// a record, and those of others, as vSwarm-u's, of which only that is known which is said here.
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

    private let store: CheckpointStore
    private let options: Options

    package init(_ options: Options, _ store: CheckpointStore = Caches.checkpoints) {
        self.options = options
        self.store = store
    }

    /// - Parameter path: a checkpoint's folder, or one with a folder for each workload (`W/m5.cpt`,
    ///   `W/cpt.warm/m5.cpt`).
    package func add(_ path: String) throws -> [Added] {
        let use = try ArtifactsUse.adding(to: store)
        defer { withExtendedLifetime(use) {} }
        return try folders(path).map { try add($0.folder, $0.workload) }
    }

    private func folders(_ path: String) throws -> [(folder: String, workload: String)] {
        func isCheckpoint(_ folder: String) -> Bool { FileManager.default.fileExists(atPath: "\(folder)/m5.cpt") }
        if isCheckpoint(path) { return [(path, options.workload ?? CheckpointAddition.workload(of: path))] }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path))?.sorted() ?? []
        // The folder is a workload's, or gem5's own, and not one of workloads.
        let own = names.filter { $0.hasPrefix("cpt.") && isCheckpoint("\(path)/\($0)") }
        guard own.count < 2 else {
            throw Failure(
                .usage, "\(path) has several checkpoints: "
                    + PeopleText.list(own.map { VisibleText.of($0, limit: 80) }, atMost: 20)
                    + "; name the folder of one of them")
        }
        if let name = own.first {
            let folder = "\(path)/\(name)"
            return [(folder, options.workload ?? CheckpointAddition.workload(of: folder))]
        }
        let found = names.compactMap { name -> (folder: String, workload: String)? in
            let folder = ["\(path)/\(name)", "\(path)/\(name)/cpt.warm"].first(where: isCheckpoint)
            return folder.map { ($0, name) }
        }.filter { options.workload == nil || $0.workload == options.workload }
        let all = names.filter { isCheckpoint("\(path)/\($0)") || isCheckpoint("\(path)/\($0)/cpt.warm") }
        if let workload = options.workload, found.isEmpty, !all.isEmpty {
            throw Failure(
                .missingFile, "\(path) has no checkpoint of '\(Names.shown(workload))'; it has: "
                    + PeopleText.list(all.map { VisibleText.of($0, limit: 80) }, atMost: 20))
        }
        guard !found.isEmpty else {
            throw Failure(
                .missingFile, "there is no gem5 checkpoint in \(path): neither m5.cpt nor a folder for each workload "
                    + "that has it")
        }
        return found
    }

    /// Scripts call the folder of a workload's checkpoint `cpt.warm`, or by a time, and its parent by the workload.
    private static func workload(of path: String) -> String {
        let parts = path.split(separator: "/").filter { $0 != "." }.map(String.init)
        let last = parts.last ?? ""
        return last.hasPrefix("cpt.") && parts.count > 1 ? parts[parts.count - 2] : last
    }

    private func add(_ folder: String, _ workload: String) throws -> Added {
        guard Names.isPlain(workload) else {
            throw Failure(
                .usage, "'\(Names.shown(workload))' cannot be a workload's name; say which it is of: --workload NAME")
        }
        let all = try LocalInput.folder(folder, at: "")
        guard let state = try LocalInput.contents("\(folder)/m5.cpt", atMost: Gem5Import.longestState) else {
            throw Failure(.storage, "\(folder)/m5.cpt cannot be read")
        }
        let files = all.filter { $0.path != Gem5Import.recordName }
        let recordPath = "\(folder)/\(Gem5Import.recordName)"
        var record = try LocalInput.contents(recordPath, atMost: Gem5Import.longestRecord)
        let hasRecord = record != nil
        guard !hasRecord || (options.kernel == nil && options.disk == nil) else {
            throw Failure(
                .usage, "\(folder)/\(Gem5Import.recordName) says what the checkpoint was made from; leave out --kernel "
                    + "and --disk")
        }
        if record == nil {
            guard options.workload != nil || (workload != "m5out" && !workload.hasPrefix("cpt.")) else {
                throw Failure(
                    .usage, "the name of the folder \(folder) does not say which workload's checkpoint it is; say it: "
                        + "--workload NAME")
            }
            record = try made(folder, workload, state, files)
        }
        guard let record else { throw Failure(.internalError, "a checkpoint without its record") }
        let facts = try Gem5Import.facts(record, files)
        guard facts.workload == workload || options.workload == nil else {
            throw Failure(
                .usage, "the checkpoint in \(folder) is of the workload '\(Names.shown(facts.workload))', as its "
                    + "record says; leave out --workload")
        }
        guard Names.isPlain(facts.workload) else {
            throw Failure(
                .badData, "\(folder)/\(Gem5Import.recordName) names the workload '\(Names.shown(facts.workload))'; "
                    + "that cannot be a workload's name, so the record is not one that usweep wrote")
        }
        let objects = try store.objects()
        let digest = try objects.publish(record)
        let bundle = CheckpointBundle(
            checkpoint: digest, engine: "gem5", binary: nil, workload: facts.workload, madeAt: nil,
            madeBy: "unknown; added from \(folder)", madeFrom: facts.lines,
            files: files.map { Artifact(path: $0.path, digest: $0.digest, size: $0.size) }
                + [Artifact(path: Gem5Import.recordName, digest: digest, size: Int64(record.count))])
        try store.withExchange(UUID().uuidString) { folder in
            let staged = try ObjectStore(root: folder, files: LocalFiles())
            for file in files {
                try staged.publish(file: file.source, as: file.digest) { try LocalInput.isUnchanged(file) }
            }
            _ = try staged.take(digest, from: objects)
            try store.add(bundle, from: staged)
        }
        if let name = options.name { try store.name(bundle, name) }
        return Added(bundle: bundle, unknown: facts.unknown, hasRecord: hasRecord)
    }

    /// A record for a checkpoint that has none.
    private func made(
        _ folder: String, _ workload: String, _ state: [UInt8], _ files: [InputFile]
    ) throws -> [UInt8] {
        func digest(_ path: String?) throws -> Digest? { try path.map { try LocalInput.file($0, at: "file").digest } }
        do {
            return try Gem5Import.bundle(
                workload, state: state, files, kernel: try digest(options.kernel), disk: try digest(options.disk)
            ).record
        } catch let misfit as Gem5Import.Misfit {
            throw Failure(.badData, "the checkpoint in \(folder) cannot be used: \(misfit.why)")
        }
    }
}
