import Foundation
package import Model

/// Arguments of a command that are files beside the sweep file, and not among its inputs: runs will not find them.
package enum MissingInputs {
    /// - Parameter file: the sweep file, an absolute path.
    /// - Returns: what to write; nil: nothing is missing. It can also be chance, so nothing is refused.
    package static func remark(_ sweep: Sweep, file: String) -> String? {
        let folder = URL(fileURLWithPath: file).deletingLastPathComponent()
        let known = sweep.inputs.map(\.path)
        let words = sweep.settings["command"]?.elements?.compactMap(\.text) ?? []
        let missing = words.dropFirst().filter { word in
            guard RelativePath.isSafe(word), !word.hasPrefix("-"), !known.contains(word),
                word != sweep.settings["results"]?.text
            else { return false }
            var isFolder: ObjCBool = false
            let path = folder.appending(path: word).path
            return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && !isFolder.boolValue
        }
        guard let first = missing.first else { return nil }
        let list = missing.map(Names.shown).joined(separator: ", ")
        return "\(Names.shown(first)) is a file beside the sweep file, but not one of its inputs, so runs will not "
            + "have it; write inputs: [\(list)]"
    }
}
