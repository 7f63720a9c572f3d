import Figures
import Model
import Results

/// The rows of a report by columns, as JSON that its page reads: words are written once and numbered, so that a
/// hundred thousand rows stay small.
struct ReportTable {
    private enum Content {
        case words(ReportWords)
        /// JSON numbers with commas between them.
        case numbers(String)
    }

    private struct Column {
        var name: String
        var unit: String?
        var content: Content
    }

    /// More digits than that nobody reads; the files have all of them.
    private static let digits = 7
    private var columns: [Column]
    private(set) var count = 0

    /// - Parameter columns: with the units of those that are numbers; in the order in which rows have them.
    init(_ columns: [(name: String, unit: String?, isNumber: Bool)]) {
        self.columns = columns.map {
            Column(name: $0.name, unit: $0.unit, content: $0.isNumber ? .numbers("") : .words(ReportWords()))
        }
    }

    /// - Parameter cells: one a column.
    mutating func add(_ cells: [Cell]) {
        for (index, cell) in cells.enumerated() {
            switch columns[index].content {
            case .words(var words):
                // Not two owners of it at once: it would be copied for every row.
                columns[index].content = .numbers("")
                words.add(cell.text)
                columns[index].content = .words(words)
            case .numbers(var text):
                columns[index].content = .numbers("")
                if count > 0 { text += "," }
                text += ReportTable.number(cell.text)
                columns[index].content = .numbers(text)
            }
        }
        count += 1
    }

    private static func number(_ text: String) -> String {
        if text.isEmpty { return "null" }
        guard text.utf8.count > digits + 2, let value = Number.finite(text) else { return text }
        return Number.render(rounded(value))
    }

    /// To so many significant digits.
    private static func rounded(_ value: Double) -> Double {
        guard value.magnitude >= 1e-9, value.magnitude < 1e15 else { return value }
        var (scale, size) = (1.0, value.magnitude)
        while size < 1_000_000 { (scale, size) = (scale * 10, size * 10) }
        return (value * scale).rounded() / scale
    }

    /// `{"rows": N, "columns": [{"name", "unit"?, "numbers": [...]} or {"name", "words": [...], "amounts"?, "codes":
    /// [...]}]}`, with nothing in it that could end a script.
    var text: String {
        var out = "{\"rows\":\(count),\"columns\":["
        for (index, column) in columns.enumerated() {
            if index > 0 { out += "," }
            out += "{\"name\":\(ReportTable.quoted(column.name))"
            if let unit = column.unit { out += ",\"unit\":\(ReportTable.quoted(unit))" }
            switch column.content {
            case .numbers(let numbers): out += ",\"numbers\":[\(numbers)]}"
            case .words(let words): out += ",\(words.text)}"
            }
        }
        return out + "]}"
    }

    static func quoted(_ text: String) -> String {
        var out = ""
        JSON.write(text, to: &out)
        return out.replacing("<", with: "\\u003c")
    }
}

/// The words of a column, each once, and which of them each row has.
struct ReportWords {
    private var words: [String] = []
    private var places: [String: Int] = [:]
    private var codes = ""

    mutating func add(_ word: String) {
        let place = places[word] ?? words.count
        if place == words.count {
            places[word] = place
            words.append(word)
        }
        if !codes.isEmpty { codes += "," }
        codes += String(place)
    }

    var text: String {
        let shown = words.map { ReportTable.quoted(VisibleText.of($0)) }.joined(separator: ",")
        let amounts = words.map { AxisOrder.amount(of: $0) }
        let isMeasure = !words.isEmpty && amounts.allSatisfy { $0 != nil }
        let sorted = isMeasure ? ",\"amounts\":[\(amounts.map { Number.render($0 ?? 0) }.joined(separator: ","))]" : ""
        return "\"words\":[\(shown)]\(sorted),\"codes\":[\(codes)]"
    }
}
