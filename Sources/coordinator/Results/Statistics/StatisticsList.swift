public import Model

/// Lists the statistics of files as a table, complete blocks only, in the order of the files: what is said of a file,
/// the number of the block, the statistic's name, its value.
public struct StatisticsList: StatisticsVisitor {
    public static let columns = ["file", "block", "statistic", "value"]

    private let patterns: GlobSet
    private let sink: ([UInt8]) throws -> Void
    /// nil: CSV, by hand: files have millions of lines, and a cell each would cost more than reading them.
    private var table: TableWriter?
    private var lead: [Cell] = []
    /// The same as text, with the block's number.
    private var prefix: [UInt8] = []
    private var lines: [UInt8] = []
    private var rows: [[Cell]] = []
    private var block = 0
    private var failure: (any Error)?

    /// - Parameters:
    ///   - columns: what is said of a file, then three more.
    ///   - patterns: only names that match one of them; none: all.
    ///   - sink: is given the text, a block or some tens of kilobytes at a time.
    public init(
        _ format: TableWriter.Format, columns: [String] = StatisticsList.columns, patterns: [Glob],
        sink: @escaping ([UInt8]) throws -> Void
    ) throws {
        self.patterns = GlobSet(patterns)
        self.sink = sink
        switch format {
        case .csv: try sink(TableWriter.csvLine(columns))
        case .json, .jsonl, .table: table = TableWriter(format, name: "statistics", columns: columns, sink: sink)
        }
    }

    /// What follows is of another file.
    public mutating func begin(file: String) { begin(lead: [.text(file)]) }

    /// What follows is of another file, of which this is said.
    public mutating func begin(lead: [Cell]) { self.lead = lead }

    /// - Throws: what the sink threw since the last call.
    public mutating func check() throws {
        if let failure { throw failure }
    }

    public mutating func finish() throws {
        try check()
        try table?.finish()
    }

    // MARK: Visits

    public mutating func begin(block: Int) {
        self.block = block
        lines.removeAll(keepingCapacity: true)
        rows.removeAll(keepingCapacity: true)
        guard table == nil else { return }
        prefix = TableWriter.csvLine((lead + [.integer(block)]).map(\.text))
        prefix[prefix.count - 1] = UInt8(ascii: ",")
    }

    public mutating func statistic(_ name: RawSpan, _ text: RawSpan, _ value: Double) {
        guard patterns.isEmpty || patterns.matches(name) else { return }
        if table == nil { addLine(name, text) } else { rows.append(row(name, text)) }
    }

    public mutating func end(block: Int) {
        guard failure == nil else { return }
        do {
            for row in rows { try table?.add(row) }
            if !lines.isEmpty { try sink(lines) }
        } catch {
            failure = error
        }
    }

    private mutating func addLine(_ name: RawSpan, _ text: RawSpan) {
        lines.append(contentsOf: prefix)
        if name.offset(of: UInt8(ascii: "\""), from: 0) < name.byteCount
            || name.offset(of: UInt8(ascii: ","), from: 0) < name.byteCount
        {
            lines.append(contentsOf: TableWriter.csvField(name.text))
        } else {
            name.withUnsafeBytes { lines.append(contentsOf: $0) }
        }
        lines.append(UInt8(ascii: ","))
        text.withUnsafeBytes { lines.append(contentsOf: $0) }
        lines.append(.newline)
    }

    private func row(_ name: RawSpan, _ text: RawSpan) -> [Cell] {
        let value = Number.canonical(text.text).map { Cell.number($0) } ?? .text(text.text)
        return lead + [.integer(block), .text(name.text), value]
    }
}

extension RawSpan {
    package var text: String { withUnsafeBytes { String(decoding: $0, as: UTF8.self) } }
}
