package import CoordinatorRuntime
import Foundation
import Ports
import Storage

/// Where this user keeps what can be made again.
package enum Caches {
    /// `$XDG_CACHE_HOME/usweep`, else `~/.cache/usweep` (XDG Base Directory Specification).
    package static var folder: String {
        let environment = ProcessInfo.processInfo.environment
        if let folder = environment["XDG_CACHE_HOME"], folder.hasPrefix("/") { return "\(folder)/usweep" }
        return "\(NSHomeDirectory())/.cache/usweep"
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
}
