import Engines
import Foundation
import Model
import SweepFiles

/// Makes bundles: checkpoints with the record of what they were made of.
struct VSwarmBundler {
    let study: any StudyImport
    let kernel: Digest
    let disk: Digest

    private var folders: any CheckpointFolders { study.folders }

    /// - Throws: ``UnusableCheckpoint``; ``Failure`` (`storage`).
    func write(_ workload: String, from source: String, to target: String) throws -> ImportedCheckpoint {
        let files = try LocalInput.folder(source, at: "") { $0 != folders.record.name }
        let manager = FileManager.default
        let statePath = "\(source)/\(folders.state.name)"
        guard let state = try LocalInput.contents(statePath, atMost: folders.state.longest) else {
            throw Failure(.storage, "\(statePath) cannot be read")
        }
        let bundle = try study.bundle(workload, state: state, files, kernel: kernel, disk: disk)
        try NewFolder.make(target)
        do {
            for file in files {
                // What an import that was broken off left there may be half a file.
                let place = "\(target)/\(file.path)"
                if manager.fileExists(atPath: place) { try manager.removeItem(atPath: place) }
                let real = URL(fileURLWithPath: file.source).resolvingSymlinksInPath().path
                if link(real, place) != 0 { try manager.copyItem(atPath: real, toPath: place) }
            }
        } catch {
            throw Failure(.storage, "\(target) cannot be written", cause: SystemReason.of(error))
        }
        try AtomicFile.write("\(target)/\(folders.record.name)") { try $0(bundle.record) }
        return bundle
    }
}
