import Foundation
import GRDB
import Model

/// A SQLite file with plain tables, for others to read. It has its name only when it is complete.
public final class TableFile {
    /// A field.
    public enum Value: Sendable, Hashable {
        case null
        case text(String)
        /// In JSON's grammar.
        case number(String)
        /// A number where all of its column are, as people write them, and else a text.
        case setting(String)
    }

    private let path: String
    private let temporary: String
    private let queue: DatabaseQueue

    /// - Throws: ``Failure`` (`storage`).
    public init(_ path: String) throws {
        self.path = path
        temporary = PartFile.path(for: path)
        do {
            for suffix in ["", "-journal"] { try SystemCall.remove(temporary + suffix) }
            queue = try DatabaseQueue(path: temporary)
            // Nobody sees the file before it is complete, and one that is not is thrown away.
            try queue.writeWithoutTransaction { db in
                try db.execute(sql: "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF")
            }
        } catch {
            throw TableFile.failure(path, error)
        }
    }

    deinit {
        try? queue.close()
        try? SystemCall.remove(temporary)
    }

    /// Adds a table. Each column has the type that holds all its values as they are: see ``ColumnType``.
    ///
    /// - Parameters:
    ///   - columns: names that differ only by case, which SQLite would take for one, get a number behind them.
    ///   - fill: is given a function that adds a row, with a value for each column. Called more than once, the first
    ///     time only to learn the types.
    public func add(
        _ table: String, columns: [String], fill: ((_ row: [Value]) throws -> Void) throws -> Void
    ) throws {
        guard columns.count <= TableFile.mostColumns else {
            throw Failure(
                .usage, "the table '\(table)' has more columns than SQLite takes (\(TableFile.mostColumns)): "
                    + "choose some with --metric, or another --format")
        }
        do {
            var found = columns.map { _ in ColumnType.Found() }
            try fill { row in for (column, value) in row.enumerated() { found[column].add(value) } }
            // Where something came in the meantime that has another type, all is written anew.
            while !(try write(table, columns, &found, fill)) {}
        } catch {
            throw TableFile.failure(path, error)
        }
    }

    /// A column of a view: numbers that stand for the texts of another column.
    public struct NumberColumn: Sendable {
        var name: String
        var column: String
        var numbers: [(text: String, number: Value)]

        public init(name: String, beside column: String, numbers: [(text: String, number: Value)]) {
            self.name = name
            self.column = column
            self.numbers = numbers
        }
    }

    /// Adds a view that has all columns of a table, and some more.
    ///
    /// - Parameter columns: those of the table, as they were given to ``add(_:columns:fill:)``.
    public func addView(_ view: String, of table: String, columns: [String], _ more: [NumberColumn]) throws {
        if more.isEmpty { return }
        let names = Dictionary(zip(columns, TableFile.distinct(columns)), uniquingKeysWith: { first, _ in first })
        let all = TableFile.distinct(columns + more.map(\.name)).suffix(more.count)
        let expressions = zip(more, all).map { column, name in
            let cases = column.numbers.map { text, number in
                "WHEN \(TableFile.literal(.text(text))) THEN \(TableFile.literal(number))"
            }
            let source = TableFile.quoted(names[column.column] ?? column.column)
            return "CASE \(source) \(cases.joined(separator: " ")) END AS \(TableFile.quoted(name))"
        }
        let text = "CREATE VIEW \(TableFile.quoted(view)) AS SELECT *, \(expressions.joined(separator: ", ")) "
            + "FROM \(TableFile.quoted(table))"
        do {
            try queue.writeWithoutTransaction { try $0.execute(sql: text) }
        } catch {
            throw TableFile.failure(path, error)
        }
    }

    private static func literal(_ value: Value) -> String {
        switch value {
        case .null: "NULL"
        case .number(let text): text
        case .text(let text), .setting(let text): "'\(text.replacingOccurrences(of: "'", with: "''"))'"
        }
    }

    /// False: values have other types than were found before, and nothing was written.
    private func write(
        _ table: String, _ columns: [String], _ found: inout [ColumnType.Found],
        _ fill: ((_ row: [Value]) throws -> Void) throws -> Void
    ) throws -> Bool {
        let types = found.map(\.type)
        try queue.writeWithoutTransaction { db in
            try db.inTransaction {
                let names = zip(TableFile.distinct(columns), types).map { "\(TableFile.quoted($0)) \($1.rawValue)" }
                try db.execute(sql: "CREATE TABLE \(TableFile.quoted(table)) (\(names.joined(separator: ", ")))")
                let marks = Array(repeating: "?", count: columns.count).joined(separator: ", ")
                let insert = try db.makeStatement(sql: "INSERT INTO \(TableFile.quoted(table)) VALUES (\(marks))")
                try fill { row in
                    for (column, value) in row.enumerated() { found[column].add(value) }
                    try insert.execute(arguments: StatementArguments(zip(row, types).map { $1.stored($0) }))
                }
                return .commit
            }
            if found.map(\.type) != types { try db.execute(sql: "DROP TABLE \(TableFile.quoted(table))") }
        }
        return found.map(\.type) == types
    }

    /// Gives the file its name, in place of what has it.
    public func finish() throws {
        do {
            try queue.close()
            try SystemCall.replace(path, by: temporary)
        } catch {
            throw TableFile.failure(path, error)
        }
    }

    /// SQLite's own limit (SQLITE_MAX_COLUMN).
    private static let mostColumns = 2_000

    private static func distinct(_ names: [String]) -> [String] {
        var taken: Set<String> = []
        return names.map { name in
            var candidate = name
            var number = 1
            while !taken.insert(candidate.lowercased()).inserted {
                number += 1
                candidate = "\(name).\(number)"
            }
            return candidate
        }
    }

    private static func quoted(_ name: String) -> String { "\"\(name.replacingOccurrences(of: "\"", with: "\"\""))\"" }

    private static func failure(_ path: String, _ error: any Error) -> Failure {
        (error as? Failure)
            ?? Failure(
                .storage, "\(path) cannot be written; see that the disk has space and the folder is there",
                cause: "\(error)")
    }
}
