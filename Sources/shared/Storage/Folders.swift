public import Ports

/// Folders that several processes may make at the same time.
extension Files {
    /// Makes a folder where there is none.
    public func ensureFolder(_ path: String) throws(FilesError) {
        do throws(FilesError) {
            try makeFolder(path)
        } catch {
            if !error.isAlreadyThere { throw error }
        }
    }

    /// Makes those of a folder and all above it that are missing.
    ///
    /// - Returns: those that were missing, from the top. They outlive a crash when the folders that they are in are
    ///   synced.
    @discardableResult
    public func ensureFolders(_ path: String) throws(FilesError) -> [String] {
        var missing: [String] = []
        var folder = ""
        for part in path.split(separator: "/") {
            folder += "/\(part)"
            guard try status(folder) == nil else { continue }
            try ensureFolder(folder)
            missing.append(folder)
        }
        return missing
    }
}
