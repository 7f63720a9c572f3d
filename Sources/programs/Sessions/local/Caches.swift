package import CoordinatorRuntime
import Foundation
import Model
import Ports
import Storage
import SweepFiles

/// Where this user keeps what can be made again.
package enum Caches {
    /// `$XDG_CACHE_HOME/usweep`, else `~/.cache/usweep` (XDG Base Directory Specification).
    package static var folder: String {
        let environment = ProcessInfo.processInfo.environment
        if let folder = environment["XDG_CACHE_HOME"], folder.hasPrefix("/") { return "\(folder)/usweep" }
        return "\(UserHome.path)/.cache/usweep"
    }

    /// The store of checkpoints that sweeps share (``CheckpointStore``): this user's, or the one that
    /// `$USWEEP_CHECKPOINTS` names, which is a group's if the group may write to it.
    package static var checkpoints: CheckpointStore {
        let named = ProcessInfo.processInfo.environment["USWEEP_CHECKPOINTS"] ?? ""
        guard !named.isEmpty else {
            return CheckpointStore(folder: "\(folder)/checkpoints", files: LocalFiles())
        }
        let path = URL(fileURLWithPath: named).standardizedFileURL.path
        let mode = try? LocalFiles().status(path)?.mode
        return CheckpointStore(folder: path, files: LocalFiles(isForGroup: (mode ?? 0) & 0o020 != 0))
    }

    /// Whether the store that the environment names can be used at all.
    ///
    /// - Throws: ``Failure``: `usage` for a name that depends on the working folder, `missingFile` where nothing is.
    package static func checkNamedStore() throws {
        let named = ProcessInfo.processInfo.environment["USWEEP_CHECKPOINTS"] ?? ""
        if named.isEmpty { return }
        let shown = Names.shown(named)
        guard named.hasPrefix("/") else {
            throw Failure(.usage, "USWEEP_CHECKPOINTS is '\(shown)'; write a path that begins with /")
        }
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: named, isDirectory: &isFolder), isFolder.boolValue else {
            throw Failure(
                .missingFile, "USWEEP_CHECKPOINTS: there is no folder \(shown); make it: install -d -m 2770 -g GROUP "
                    + ShellWord.of(named))
        }
        guard access(named, R_OK | X_OK) == 0 else {
            throw Failure(
                .storage, "USWEEP_CHECKPOINTS: \(shown) cannot be read: Permission denied. Ask its owner to add you to "
                    + "its group, or unset USWEEP_CHECKPOINTS")
        }
    }
}
