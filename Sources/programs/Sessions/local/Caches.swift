import Foundation

/// Where this user keeps what can be made again.
package enum Caches {
    /// `$XDG_CACHE_HOME/usweep`, else `~/.cache/usweep` (XDG Base Directory Specification).
    package static var folder: String {
        let environment = ProcessInfo.processInfo.environment
        if let folder = environment["XDG_CACHE_HOME"], folder.hasPrefix("/") { return "\(folder)/usweep" }
        return "\(NSHomeDirectory())/.cache/usweep"
    }
}
