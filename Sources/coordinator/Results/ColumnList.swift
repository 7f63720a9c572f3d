import Model

/// The names of columns as an option has them: separated by commas, as in the head of a CSV file, so that a name with a
/// comma stands in quotes.
public enum ColumnList {
    /// - Returns: the names, without those that are empty.
    /// - Throws: ``Failure`` (`usage`) for quotes that do not fit together.
    public static func names(_ text: String) throws -> [String] {
        var parser = CSVParser(Array(text.utf8))
        var names: [String] = []
        do throws(CSVParser.Problem) {
            while let record = try parser.next() { names += record.fields }
        } catch {
            throw Failure(
                .usage, "--columns \(Names.shown(text)): \(error.message); write a name with a comma in quotes, as in: "
                    + "--columns 'run,\"a,b\"'")
        }
        return names.filter { !$0.isEmpty }
    }
}
