import Model

/// The names of columns as an option has them: separated by commas, as in the head of a CSV file, so that a name with a
/// comma stands in quotes.
public enum ColumnList {
    /// - Parameter option: the one that has them.
    /// - Returns: the names, without those that are empty.
    /// - Throws: ``Failure`` (`usage`) for quotes that do not fit together.
    public static func names(_ text: String, option: String = "--columns") throws -> [String] {
        var parser = CSVParser(Array(text.utf8))
        var names: [String] = []
        do throws(CSVParser.Problem) {
            while let record = try parser.next() { names += record.fields }
        } catch {
            throw Failure(
                .usage, "\(option) \(Names.shown(text)): \(error.message); write a name with a comma in quotes, as in: "
                    + "\(option) 'run,\"a,b\"'")
        }
        return names.filter { !$0.isEmpty }
    }
}
