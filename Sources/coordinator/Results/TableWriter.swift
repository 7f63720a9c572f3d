public import Model

/// What stands in one field of a table.
public enum Cell: Sendable, Hashable {
    case empty
    case text(String)
    /// In JSON's grammar; written as it is.
    case number(String)
    /// In full in files, short where people read.
    case digest(Digest)

    public static func integer(_ value: some BinaryInteger) -> Cell { .number(String(value)) }

    public static func optional(_ text: String?) -> Cell { text.map { .text($0) } ?? .empty }

    /// The field's text in a file.
    public var text: String {
        switch self {
        case .empty: ""
        case .text(let text), .number(let text): text
        case .digest(let digest): digest.hex
        }
    }
}

/// Writes the rows of a table one by one. CSV and JSON take the same memory however many there are; the aligned
/// text, which needs all of a column to know its width, keeps what it was given until it is finished.
public struct TableWriter {
    public enum Format: String, Sendable, Hashable, CaseIterable {
        /// RFC 4180 with a header, but LF as the end of a line, which tools of Unix expect.
        case csv
        /// `{"version": 1, "table": ..., "columns": [...], "rows": [{column: value}]}`; empty fields are null.
        case json
        /// JSON lines: an object a row, for `pandas.read_json(lines=True)` and `duckdb`.
        case jsonl
        /// For the terminal: columns aligned, hidden characters made visible.
        case table
    }

    private static let chunk = 64 * 1024
    private let format: Format
    private let columns: [String]
    private let sink: ([UInt8]) throws -> Void
    private var pending: [UInt8] = []
    private var kept: [[Cell]] = []
    private var count = 0

    /// - Parameter sink: is given some tens of kilobytes at a time.
    public init(
        _ format: Format, name: String, columns: [String], sink: @escaping ([UInt8]) throws -> Void
    ) {
        self.format = format
        self.columns = columns
        self.sink = sink
        switch format {
        case .csv: putCSV(columns.map { .text($0) })
        case .json:
            let names = JSON.array(columns.map { .string($0) }).encoded
            put("{\"version\":1,\"table\":\(JSON.string(name).encoded),\"columns\":\(names),\"rows\":[")
        case .jsonl: break
        case .table: kept.append(columns.map { .text($0) })
        }
    }

    /// - Parameter cells: as many as there are columns.
    public mutating func add(_ cells: [Cell]) throws {
        guard cells.count == columns.count else {
            throw Failure(.internalError, "a row has \(cells.count) fields, and its table \(columns.count)")
        }
        switch format {
        case .csv: putCSV(cells)
        case .json:
            put(count == 0 ? "\n" : ",\n")
            putJSON(cells)
        case .jsonl:
            putJSON(cells)
            put("\n")
        case .table: kept.append(cells)
        }
        count += 1
        if pending.count >= TableWriter.chunk { try flush() }
    }

    /// Writes what is left. Nothing may be added after it.
    public mutating func finish() throws {
        switch format {
        case .csv, .jsonl: break
        case .json: put(count == 0 ? "]}\n" : "\n]}\n")
        case .table: putAligned()
        }
        try flush()
    }

    private mutating func flush() throws {
        if pending.isEmpty { return }
        try sink(pending)
        pending.removeAll(keepingCapacity: true)
    }

    private mutating func put(_ text: String) { pending.append(contentsOf: text.utf8) }

    private mutating func putCSV(_ cells: [Cell]) {
        // A line with one empty field would be an empty line, which readers leave out.
        if cells.count == 1, cells[0].text.isEmpty { put("\"\"") }
        for (index, cell) in cells.enumerated() {
            if index > 0 { pending.append(UInt8(ascii: ",")) }
            pending.append(contentsOf: TableWriter.csvField(cell.text))
        }
        pending.append(UInt8(ascii: "\n"))
    }

    /// A line of CSV with its end.
    static func csvLine(_ fields: [String]) -> [UInt8] {
        Array(fields.map { csvField($0) }.joined(separator: [UInt8(ascii: ",")])) + [UInt8(ascii: "\n")]
    }

    /// A field of CSV, quoted where it must be.
    static func csvField(_ text: String) -> [UInt8] {
        let isPlain = text.utf8.allSatisfy {
            $0 != UInt8(ascii: ",") && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r")
        }
        if isPlain { return Array(text.utf8) }
        var field = [UInt8(ascii: "\"")]
        for byte in text.utf8 {
            if byte == UInt8(ascii: "\"") { field.append(byte) }
            field.append(byte)
        }
        field.append(UInt8(ascii: "\""))
        return field
    }

    private mutating func putJSON(_ cells: [Cell]) {
        let members = zip(columns, cells).map { name, cell in
            switch cell {
            case .empty: JSON.Member(name, .null)
            case .number(let text): JSON.Member(name, .number(text))
            case .text, .digest: JSON.Member(name, .string(cell.text))
            }
        }
        put(JSON.object(members).encoded)
    }

    private mutating func putAligned() {
        var shown = kept.map { $0.map(TableWriter.show) }
        kept = []
        let numeric = columns.indices.map { column in
            shown.dropFirst().contains { $0[column].isNumber }
                && shown.dropFirst().allSatisfy { $0[column].isNumber || $0[column].text == "-" }
        }
        for column in columns.indices where numeric[column] { TableWriter.alignPoints(&shown, column) }
        let widths = columns.indices.map { column in shown.reduce(0) { max($0, VisibleText.width($1[column].text)) } }
        for row in shown {
            var line = ""
            for column in columns.indices {
                let text = row[column].text
                let padding = String(repeating: " ", count: widths[column] - VisibleText.width(text))
                if column > 0 { line += "  " }
                line += numeric[column] ? padding + text : text + padding
            }
            while line.last == " " { line.removeLast() }
            put(line + "\n")
        }
    }

    /// Gives all numbers of a column as much room behind the place of their point.
    private static func alignPoints(_ rows: inout [[(text: String, isNumber: Bool)]], _ column: Int) {
        let tails = rows.map { row -> Int in
            let text = row[column].text
            return row[column].isNumber ? text.utf8.count - text.utf8.prefix { $0 != UInt8(ascii: ".") }.count : 0
        }
        let longest = tails.max() ?? 0
        for (index, tail) in tails.enumerated() where rows[index][column].isNumber {
            rows[index][column].text += String(repeating: " ", count: longest - tail)
        }
    }

    private static func show(_ cell: Cell) -> (text: String, isNumber: Bool) {
        switch cell {
        case .empty: ("-", false)
        case .text(let text): (VisibleText.of(text), false)
        case .number(let text): (ShortNumber.text(VisibleText.of(text)), true)
        case .digest(let digest): (digest.short, false)
        }
    }
}
