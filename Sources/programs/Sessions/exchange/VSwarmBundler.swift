import Engines
import Foundation
import Model
import SweepFiles

/// Makes bundles: checkpoints of gem5 with the record of what they were made of.
struct VSwarmBundler {
    let kernel: Digest
    let disk: Digest

    /// - Throws: ``Gem5Import/Misfit`` for a checkpoint that cannot be used; ``Failure`` (`storage`).
    func write(_ workload: String, from source: String, to target: String) throws -> Gem5Import.Bundle {
        let files = try LocalInput.folder(source, at: "") { $0 != Gem5Import.recordName }
        let manager = FileManager.default
        guard let state = try LocalInput.contents("\(source)/m5.cpt", atMost: Gem5Import.longestState) else {
            throw Failure(.storage, "\(source)/m5.cpt cannot be read")
        }
        let bundle = try Gem5Import.bundle(workload, state: state, files, kernel: kernel, disk: disk)
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
        try AtomicFile.write("\(target)/\(Gem5Import.recordName)") { try $0(bundle.record) }
        return bundle
    }
}
