/// A reader of CSV as RFC 4180 has it, and of what else is written under that name and cannot be misread: lines that
/// end in CRLF, LF or CR, and white space around fields.
struct CSVParser {
    struct Record: Equatable {
        /// Of its first character, from 1.
        var line: Int
        var fields: [String]
    }

    /// What is wrong, and in which line.
    struct Problem: Error, Equatable {
        var line: Int
        var message: String
    }

    private let bytes: [UInt8]
    private var position = 0
    private var line = 1

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The next record; nil at the end. Lines with nothing on them are left out.
    mutating func next() throws(Problem) -> Record? {
        while position < bytes.count, takeLineEnd() {}
        guard position < bytes.count else { return nil }
        var record = Record(line: line, fields: [])
        while true {
            record.fields.append(try field())
            if position == bytes.count || takeLineEnd() { return record }
            // What ends a field is a comma, the end of the line, or the end of the file.
            position += 1
        }
    }

    private mutating func field() throws(Problem) -> String {
        skipSpace()
        if position < bytes.count, bytes[position] == UInt8(ascii: "\"") { return try quotedField() }
        let start = position
        while position < bytes.count, bytes[position] != UInt8(ascii: ","), !isLineEnd {
            if bytes[position] == UInt8(ascii: "\"") {
                let advice = "put the field in quotes, and write this one twice"
                throw problem("a quote in a field without quotes; \(advice)")
            }
            position += 1
        }
        var end = position
        while end > start, CSVParser.isSpace(bytes[end - 1]) { end -= 1 }
        return try text(Array(bytes[start..<end]))
    }

    private mutating func skipSpace() {
        while position < bytes.count, CSVParser.isSpace(bytes[position]) { position += 1 }
    }

    /// A tab may separate columns: it is left for the message about that.
    private static func isSpace(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") }

    private mutating func quotedField() throws(Problem) -> String {
        let opening = line
        position += 1
        var content: [UInt8] = []
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            if byte == UInt8(ascii: "\n") { line += 1 }
            guard byte == UInt8(ascii: "\"") else {
                content.append(byte)
                continue
            }
            if position < bytes.count, bytes[position] == UInt8(ascii: "\"") {
                content.append(byte)
                position += 1
                continue
            }
            skipSpace()
            guard position == bytes.count || bytes[position] == UInt8(ascii: ",") || isLineEnd else {
                throw problem("text follows the closing quote of a field; a quote within a field is written twice")
            }
            return try text(content)
        }
        throw Problem(line: opening, message: "a quote is opened and never closed")
    }

    private var isLineEnd: Bool {
        bytes[position] == UInt8(ascii: "\n") || bytes[position] == UInt8(ascii: "\r")
    }

    private mutating func takeLineEnd() -> Bool {
        guard isLineEnd else { return false }
        let isPair =
            bytes[position] == UInt8(ascii: "\r") && position + 1 < bytes.count
            && bytes[position + 1] == UInt8(ascii: "\n")
        position += isPair ? 2 : 1
        line += 1
        return true
    }

    private func text(_ content: [UInt8]) throws(Problem) -> String {
        guard let text = String(validating: content, as: UTF8.self) else {
            throw problem("not UTF-8; save the file as UTF-8")
        }
        return text
    }

    private func problem(_ message: String) -> Problem { Problem(line: line, message: message) }
}
