import Model
package import Results

extension Contract {
    /// Engine `command`.
    ///
    /// - Parameter results: the file of the specification; CSV if it is named so; nil: none.
    package static func command(
        results: String?, requiredMetrics: [String], formulas: [MetricFormula] = [], axes: [String]
    ) -> Contract {
        let format: Format =
            switch results {
            case nil: .none
            case .some(let path) where path.lowercased().hasSuffix(".csv"): .csv(path: path)
            case .some(let path): .json(path: path)
            }
        // Its points start from no checkpoint: a number of that name is one of the program's.
        let columns = Table.fixedColumns.filter { $0 != Names.checkpoint } + axes
        return Contract(format: format, requiredMetrics: requiredMetrics, formulas: formulas, columns: columns)
    }
}
