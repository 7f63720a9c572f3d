import Foundation
import Model
package import SweepFiles

/// The workloads of an artifacts folder.
package struct WorkloadStore: Sendable {
    package let shelf: WorkloadShelf

    /// `$USWEEP_WORKLOADS`, else `workloads` in the artifacts folder.
    package init(in folder: ArtifactsFolder) {
        let named = ProcessInfo.processInfo.environment["USWEEP_WORKLOADS"] ?? ""
        let path = named.hasPrefix("/") ? named : "\(folder.path)/workloads"
        shelf = WorkloadShelf(path: path) { (try? WorkloadCatalogue().manifests()) ?? [] }
    }

    /// What was added.
    package struct Added {
        package var record: WorkloadRecord
        /// Whether there was another of that name before.
        package var replaces: Bool
        /// Devices that the image had, and that the disk has not.
        package var devices: Int
    }

    /// Makes the disk of a workload and keeps it here, in place of one of the same name.
    ///
    /// - Parameters:
    ///   - text: a folder with workload.yaml and image/, an OCI layout, an archive or `docker://...`, as written.
    ///   - path: the same, absolute.
    ///   - manifest: the folder of workload.yaml, where it is not `path`.
    ///   - limit: most bytes that the images may have, unpacked.
    package func add(_ text: String, path: String, manifest: String?, limit: Int64) throws -> Added {
        let scratch = try makeScratch()
        defer { WorkloadStore.remove(scratch) }
        let source = try ImageSource(text, path: path, manifest: manifest, scratch: scratch, limit: limit)
        var maker = WorkloadMaker(source, scratch: scratch, limit: limit)
        let made = "\(scratch)/made"
        let record = try maker.make(made)
        let replaces = try publish(made, as: shelf.folder(of: record.manifest.name))
        return Added(record: record, replaces: replaces, devices: maker.devices)
    }

    /// - Throws: ``Failure`` (`missingFile`) where it is not here.
    package func remove(_ name: String) throws {
        guard shelf.names.contains(name) else {
            throw Failure(.missingFile, "there is no workload '\(Names.shown(name))' in \(shelf.path)")
        }
        let scratch = try makeScratch()
        defer { WorkloadStore.remove(scratch) }
        guard rename(shelf.folder(of: name), "\(scratch)/gone") == 0 else {
            throw Failure(
                .storage, "\(shelf.folder(of: name)) cannot be removed", cause: String(cString: strerror(errno)))
        }
    }

    /// The new folder is there whole or not at all: one that is killed between the two steps leaves the old one in a
    /// folder that the next `add` removes, and the workload has to be added again.
    private func publish(_ made: String, as target: String) throws -> Bool {
        let old = "\(made).old"
        let replaces = rename(target, old) == 0
        guard rename(made, target) == 0 else {
            let reason = String(cString: strerror(errno))
            if replaces { rename(old, target) }
            throw Failure(.storage, "\(target) cannot be written", cause: reason)
        }
        return replaces
    }

    // MARK: Scratch

    private static let scratchPrefix = ".making-"

    private func makeScratch() throws -> String {
        let path = "\(shelf.path)/\(WorkloadStore.scratchPrefix)\(getpid())"
        do {
            try FileManager.default.createDirectory(atPath: shelf.path, withIntermediateDirectories: true)
            for name in try FileManager.default.contentsOfDirectory(atPath: shelf.path) {
                guard name.hasPrefix(WorkloadStore.scratchPrefix),
                    let owner = pid_t(name.dropFirst(WorkloadStore.scratchPrefix.count)),
                    owner == getpid() || kill(owner, 0) != 0 && errno == ESRCH
                else { continue }
                WorkloadStore.remove("\(shelf.path)/\(name)")
            }
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        } catch {
            throw Failure(.storage, "\(shelf.path) cannot be written", cause: SystemReason.of(error))
        }
        return path
    }

    /// Folders of images may not be writable. Where there is much to remove, which can take minutes on a file system
    /// that tells its disk of each file's blocks (`discard`), that goes on after this program.
    private static func remove(_ path: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = [
            "-c", #"rm -rf -- "$1" 2>/dev/null || { chmod -R u+rwX -- "$1"; rm -rf -- "$1"; }"#, "sh", path,
        ]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        let ended = DispatchSemaphore(value: 0)
        process.terminationHandler = { _ in ended.signal() }
        guard (try? process.run()) != nil else { return }
        _ = ended.wait(timeout: .now() + .seconds(3))
    }
}
