import Results

/// Writes some columns of rows: as they come, or all at the end in another order, which may be that of a column that is
/// not written.
struct OrderedWriter {
    private var writer: TableWriter
    private let places: [Int]
    private let order: RowOrder
    private let isSorted: Bool
    private var kept: [(keys: RowOrder.Keys, row: [Cell])] = []

    /// - Parameters:
    ///   - places: of the columns that are written, within a row.
    ///   - isSorted: whether the order is not that in which rows come.
    init(_ writer: TableWriter, _ places: [Int], _ order: RowOrder, isSorted: Bool) {
        self.writer = writer
        self.places = places
        self.order = order
        self.isSorted = isSorted
    }

    mutating func add(_ row: [Cell]) throws {
        let written = places.map { row[$0] }
        if isSorted { kept.append((order.keys(of: row), written)) } else { try writer.add(written) }
    }

    mutating func finish() throws {
        order.sort(&kept)
        for (_, row) in kept { try writer.add(row) }
        try writer.finish()
    }
}
