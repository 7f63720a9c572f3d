public import Model

/// Host lists as files (`inventory/*.yaml`).
public enum InventoryFile {
    /// Reads and checks an inventory; ranges are expanded, defaults filled in.
    ///
    /// - Parameter path: as the user typed it; messages show it so. Relative paths in the file start at its folder.
    /// - Throws: ``Failure`` as ``SweepFile/read(path:)``.
    public static func read(path: String) throws -> Inventory {
        try parse(Folder.text(path, shown: path), file: path, folder: Folder.parent(of: path))
    }

    /// The same from text.
    ///
    /// - Parameters:
    ///   - file: the name that messages show.
    ///   - folder: where relative paths start.
    public static func parse(_ text: String, file: String, folder: String) throws -> Inventory {
        let problems = Problems(file: file)
        let root = try YAMLValue.parse(text, file: file)
        let inventory = InventoryReader(read: FieldReader(problems: problems), folder: Folder(folder)).inventory(root)
        try problems.check()
        guard let inventory else { throw Failure(.internalError, "\(file): refused without a reason") }
        return inventory
    }
}
