import Results

/// Writes some columns of rows: as they come, or all at the end in another order, which may be that of a column that is
/// not written.
struct OrderedWriter {
    private var writer: TableWriter
    private let places: [Int]
    private let order: RowOrder
    private var kept: [(keys: RowOrder.Keys, row: [Cell])] = []

    /// - Parameter places: of the columns that are written, within a row.
    init(_ writer: TableWriter, _ places: [Int], _ order: RowOrder) {
        self.writer = writer
        self.places = places
        self.order = order
    }

    mutating func add(_ row: [Cell]) throws {
        let written = places.map { row[$0] }
        if order.isAsRowsCome { try writer.add(written) } else { kept.append((order.keys(of: row), written)) }
    }

    mutating func finish() throws {
        order.sort(&kept)
        for (_, row) in kept { try writer.add(row) }
        try writer.finish()
    }
}
