import Foundation

/// The manual's page Formats, as the tests of the formats hold it against the code.
package enum FormatsPage {
    private static let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appending(path: "../../../Sources/programs/usweep/Documentation.docc/Formats.md").standardized

    /// The rows of the tables whose header begins with these cells, without marks of code.
    package static func rows(_ header: String...) throws -> [[String]] {
        var found: [[String]] = []
        var isWanted: Bool?
        let text = try String(contentsOf: path, encoding: .utf8)
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            guard line.hasPrefix("|") else {
                isWanted = nil
                continue
            }
            let cells = line.split(separator: "|").map {
                $0.trimmingCharacters(in: .whitespaces).replacing("`", with: "")
            }
            if let isWanted {
                if isWanted, !line.hasPrefix("|---") { found.append(cells) }
            } else {
                isWanted = cells.starts(with: header)
            }
        }
        return found
    }

    /// The version of a format, by the page's first table.
    package static func version(of format: String) throws -> Int? {
        try rows("what", "where", "version").first { $0[0] == format }.flatMap { Int($0[2]) }
    }

    /// Kinds with the numbers of their fields, of the tables with this header; the fields are in the last column. What
    /// has no fields, as it is laid out by place, says so.
    package static func kinds(_ header: String...) throws -> [Int: Set<Int>] {
        var found: [Int: Set<Int>] = [:]
        for row in try rows("kind", header[0]) {
            guard let kind = Int(row[0]), found[kind] == nil else { throw Misread(row: row.joined(separator: " | ")) }
            found[kind] = fields(row.last ?? "")
        }
        return found
    }

    /// The numbers of fields in a text as in "1 run, 2 job (1 arguments, 2 variables)": the outermost.
    package static func fields(_ text: String) -> Set<Int> {
        var depth = 0
        let outer = text.filter { character in
            if character == "(" { depth += 1 }
            if character == ")" { depth -= 1 }
            return depth == 0
        }
        return Set(outer.matches(of: #/(?:^|, |; )(\d+) /#).compactMap { Int($0.1) })
    }

    /// A row that is not as this reads it, or stands there twice.
    package struct Misread: Error {
        package var row: String
    }
}

/// Fields as the manual's page Formats describes them, read by other code than that which is tested.
package enum FieldScan {
    /// The numbers of the fields, in their order; nil: these are no fields.
    package static func numbers(_ bytes: [UInt8]) -> [Int]? {
        var rest = bytes[...]
        var numbers: [Int] = []
        while !rest.isEmpty {
            guard let key = integer(&rest), let value = integer(&rest) else { return nil }
            if key & 1 == 1 {
                guard value <= UInt64(rest.count) else { return nil }
                rest = rest.dropFirst(Int(value))
            }
            numbers.append(Int(key >> 2))
        }
        return numbers
    }

    /// In base 128, as large as the tests need them.
    private static func integer(_ rest: inout ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard let byte = rest.popFirst() else { return nil }
            value |= UInt64(byte & 0x7f) << shift
            if byte & 0x80 == 0 { return value }
        }
        return nil
    }
}
