import Model

/// The order of a table's rows that somebody asked for: by one column, among equal ones by the next, and at last as
/// they were. Numbers, sizes and times go by value, and before other texts; these go by their letters and by the values
/// of the numbers in them, so that `node2` stands before `node10`. Whatever the direction, rows without a value are
/// last.
public struct RowOrder: Sendable {
    private let keys: [(place: Int, isDescending: Bool)]

    /// - Parameters:
    ///   - texts: names of columns, as ``ColumnList`` has them; with a `-` before it, the largest value is first.
    ///   - columns: those that rows have.
    /// - Throws: ``Failure`` (`usage`) for others.
    public init(_ texts: [String], columns: [String]) throws {
        keys = try texts.flatMap { try ColumnList.names($0, option: "--sort") }.map { name in
            if let place = columns.firstIndex(of: name) { return (place, false) }
            let bare = name.hasPrefix("-") ? String(name.dropFirst()) : name
            guard let place = columns.firstIndex(of: bare) else {
                throw Failure(
                    .usage, "--sort \(Names.shown(name)): no such column; \(Names.suggestion(bare, in: columns))")
            }
            return (place, bare != name)
        }
    }

    /// Whether no column was named.
    public var isAsRowsCome: Bool { keys.isEmpty }

    /// What of a row decides where it stands.
    public struct Keys: Sendable {
        fileprivate let values: [Value]
    }

    public func keys(of row: [Cell]) -> Keys { Keys(values: keys.map { Value(row[$0.place]) }) }

    /// Sorts rows by their keys.
    public func sort<Row>(_ rows: inout [(keys: Keys, row: Row)]) {
        let order = rows.indices.sorted { left, right in
            for (index, key) in keys.enumerated() {
                let (one, other) = (rows[left].keys.values[index], rows[right].keys.values[index])
                if one.isMissing != other.isMissing { return other.isMissing }
                if one < other { return !key.isDescending }
                if other < one { return key.isDescending }
            }
            return left < right
        }
        rows = order.map { rows[$0] }
    }

    /// What a field is worth.
    fileprivate enum Value: Sendable {
        case amount(Amount)
        case text([NaturalPart])
        case missing

        init(_ cell: Cell) {
            switch cell {
            case .empty: self = .missing
            case .digest(let digest): self = .text([.word(Array(digest.hex.utf8))])
            case .text(let text), .number(let text):
                self = Amount(text).map { .amount($0) } ?? .text(NaturalPart.parts(of: text))
            }
        }

        var isMissing: Bool { if case .missing = self { true } else { false } }

        static func < (left: Value, right: Value) -> Bool {
            switch (left, right) {
            case (.amount(let left), .amount(let right)): left < right
            case (.amount, .text): true
            case (.text(let left), .text(let right)): left.lexicographicallyPrecedes(right)
            case (.text, .amount), (.missing, _), (_, .missing): false
            }
        }
    }
}

/// A part of a text in natural order: a number by its value, or what stands between numbers.
private enum NaturalPart: Comparable {
    /// Without zeros at its beginning; how many these were.
    case number(digits: [UInt8], zeros: Int)
    case word([UInt8])

    static func parts(of text: String) -> [NaturalPart] {
        var rest = Array(text.utf8)[...]
        var parts: [NaturalPart] = []
        while let first = rest.first {
            let isNumber = isDigit(first)
            let part = rest.prefix { isDigit($0) == isNumber }
            rest = rest.dropFirst(part.count)
            let digits = part.drop { $0 == UInt8(ascii: "0") }
            parts.append(
                isNumber ? .number(digits: Array(digits), zeros: part.count - digits.count) : .word(Array(part)))
        }
        return parts
    }

    private static func isDigit(_ byte: UInt8) -> Bool { 0x30...0x39 ~= byte }

    static func < (left: NaturalPart, right: NaturalPart) -> Bool {
        switch (left, right) {
        case (.number(let one, let zeros), .number(let other, let others)):
            if one.count != other.count { return one.count < other.count }
            return one == other ? zeros < others : one.lexicographicallyPrecedes(other)
        case (.word(let one), .word(let other)): return one.lexicographicallyPrecedes(other)
        case (.number, .word): return true
        case (.word, .number): return false
        }
    }
}
