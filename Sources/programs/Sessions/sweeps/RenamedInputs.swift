import Foundation
package import Model

/// Words of a command that name an input by its place here: one from outside of the sweep file's folder has only its
/// last name in a run's folder, and a host may have another file at the same place.
package enum RenamedInputs {
    /// - Parameter file: the sweep file, an absolute path.
    /// - Returns: what to write; nil: there is nothing of that kind.
    package static func remark(_ sweep: Sweep, file: String) -> String? {
        let folder = URL(fileURLWithPath: file).deletingLastPathComponent()
        let words = sweep.settings["command"]?.elements?.compactMap(\.text) ?? []
        for word in words where word.contains("/") {
            let path = (word as NSString).expandingTildeInPath
            let place = URL(fileURLWithPath: path, relativeTo: folder).standardizedFileURL.path
            let input = sweep.inputs.first { input in
                URL(fileURLWithPath: input.source).standardizedFileURL.path == place
                    && !RelativePath.isSafe(word.hasPrefix("./") ? String(word.dropFirst(2)) : word)
            }
            guard let input else { continue }
            return "\(Names.shown(word)) in the command is a path on the host, not the input, which a run has as "
                + "\(Names.shown("./\(input.path)")); write that"
        }
        return nil
    }
}
