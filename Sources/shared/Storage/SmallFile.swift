public import Ports

/// Files that are read and written whole.
extension Files {
    /// nil: there is none.
    public func content(_ path: String, atMost limit: Int) throws(FilesError) -> [UInt8]? {
        guard try status(path) != nil else { return nil }
        let file = try open(path, .read)
        defer { close(file) }
        return try read(file, at: 0, count: limit)
    }

    /// Writes a file that is there whole or not at all; its name is durable with its folder.
    ///
    /// - Parameter temporary: a name that nobody else uses, on the same file system.
    public func replace(_ path: String, with bytes: [UInt8], by temporary: String) throws(FilesError) {
        try removeTree(temporary)
        let file = try open(temporary, .create)
        defer { close(file) }
        try write(file, at: 0, bytes)
        // One whose sync failed reads well for now, and no later sync saves it.
        do throws(FilesError) {
            try sync(file)
        } catch {
            try? removeTree(temporary)
            throw error
        }
        try rename(temporary, to: path)
    }
}
