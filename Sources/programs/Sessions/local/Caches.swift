package import CoordinatorRuntime
import Foundation
import Storage

/// Where this user keeps what can be made again.
package enum Caches {
    /// `$XDG_CACHE_HOME/usweep`, else `~/.cache/usweep` (XDG Base Directory Specification).
    package static var folder: String {
        let environment = ProcessInfo.processInfo.environment
        if let folder = environment["XDG_CACHE_HOME"], folder.hasPrefix("/") { return "\(folder)/usweep" }
        return "\(NSHomeDirectory())/.cache/usweep"
    }

    /// The store of checkpoints that sweeps share (``CheckpointStore``).
    package static var checkpoints: CheckpointStore {
        CheckpointStore(folder: "\(folder)/checkpoints", files: LocalFiles())
    }
}
