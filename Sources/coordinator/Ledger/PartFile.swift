import Foundation

/// The name of a file while it is written: in the folder of the one that it becomes, for a rename to be atomic, and
/// short, for that one's name may be as long as names can be.
package enum PartFile {
    package static func path(for path: String) -> String {
        let folder = (path as NSString).deletingLastPathComponent
        let name = ".part-\(ProcessInfo.processInfo.processIdentifier)-\(UInt32.random(in: .min ... .max))"
        return folder.isEmpty ? name : "\(folder)/\(name)"
    }
}
