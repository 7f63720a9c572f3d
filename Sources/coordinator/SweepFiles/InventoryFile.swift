public import Model

/// Host lists as files (`inventory/*.yaml`).
public enum InventoryFile {
    /// Reads and checks an inventory; ranges are expanded, defaults filled in.
    ///
    /// - Parameters:
    ///   - path: as the user typed it; messages show it so. Relative paths in the file start at its folder.
    ///   - transports: the ways to reach hosts; the first is for hosts that name none.
    /// - Throws: ``Failure`` as ``SweepFile/read(path:)``.
    public static func read(path: String, transports: [TransportFormat]) throws -> Inventory {
        let text = try Folder.text(path, shown: path)
        return try parse(text, file: path, folder: Folder.parent(of: path), transports: transports)
    }

    /// The same from text.
    ///
    /// - Parameters:
    ///   - file: the name that messages show.
    ///   - folder: where relative paths start.
    public static func parse(
        _ text: String, file: String, folder: String, transports: [TransportFormat]
    ) throws -> Inventory {
        let problems = Problems(file: file)
        let root = try YAMLValue.parse(text, file: file)
        if root.has("sweep", butNot: ["defaults"]) {
            throw Failure(
                .badSpecification, "\(file) is a sweep file (it has 'sweep'), but an inventory was expected; pass it "
                    + "without -i: usweep plan \(file) -i INVENTORY")
        }
        let read = FieldReader(problems: problems)
        let reader = InventoryReader(read: read, folder: Folder(folder), transports: transports)
        let inventory = reader.inventory(root)
        try problems.check()
        guard let inventory else { throw Failure(.internalError, "\(file): refused without a reason") }
        return inventory
    }
}
