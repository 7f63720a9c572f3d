import Foundation
public import Model

/// Files of this machine as inputs of runs.
public enum LocalInput {
    /// - Parameters:
    ///   - path: where it is, absolute.
    ///   - place: where it goes, relative to an attempt's folder.
    /// - Throws: ``Failure``: `missingFile` or `storage`.
    public static func file(_ path: String, at place: String) throws -> InputFile {
        let (digest, size) = try Folder.digest(path, shown: path)
        return InputFile(path: place, source: path, digest: digest, size: size, isExecutable: false)
    }

    /// Whether a file is still the one that has this digest. A large one that is known is not read again.
    ///
    /// - Throws: ``Failure``: `missingFile` or `storage`.
    public static func isUnchanged(_ file: InputFile) throws -> Bool {
        try Folder.digest(file.source, shown: file.source).digest == file.digest
    }

    /// All plain files directly in a folder that a predicate takes, by their names.
    ///
    /// - Parameter place: the folder that they go to; empty: an attempt's folder itself.
    /// - Throws: ``Failure``: `missingFile` or `storage`.
    public static func folder(
        _ path: String, at place: String, where isWanted: (String) -> Bool = { _ in true }
    ) throws -> [InputFile] {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue else {
            throw Failure(.missingFile, "there is no folder \(path)")
        }
        return try Folder.names(path, shown: path).filter(isWanted).compactMap { name in
            var status = stat()
            guard stat("\(path)/\(name)", &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
            let below = place.isEmpty ? name : "\(place)/\(name)"
            guard RelativePath.isSafe(below) else {
                throw Failure(
                    .badSpecification, "'\(Names.shown(name))' in \(path) is not a usable name; rename the file")
            }
            return try file("\(path)/\(name)", at: below)
        }
    }
}
