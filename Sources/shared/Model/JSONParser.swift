extension JSON {
    /// Parses one document and nothing after it but white space.
    ///
    /// - Throws: ``Failure`` (`badMessage`) with line and column.
    public init(parsing text: some StringProtocol) throws {
        try self.init(parsing: Array(text.utf8))
    }

    /// Parses UTF-8. Nesting is limited to 64, so that hostile input cannot exhaust the stack.
    ///
    /// - Parameters:
    ///   - file: the name that messages begin with, as in `results.json:1:7: NaN is not valid JSON`.
    ///   - line: the line of the file on which the bytes begin.
    public init(parsing bytes: [UInt8], file: String? = nil, line: Int = 1) throws {
        var parser = JSONParser(bytes)
        do throws(JSONParser.Problem) {
            self = try parser.document()
        } catch {
            let before = bytes[..<min(error.position, bytes.count)]
            let found = before.count { $0 == 0x0a } + line
            // Bytes that go on with a character are in its column.
            let column = before[(before.lastIndex(of: 0x0a).map { $0 + 1 } ?? 0)...].count { $0 & 0xc0 != 0x80 } + 1
            let place = file.map { "\($0):\(found):\(column)" } ?? "JSON, line \(found), column \(column)"
            throw Failure(.badMessage, "\(place): \(error.message)")
        }
    }
}

/// A recursive-descent parser over bytes.
private struct JSONParser {
    /// What is wrong, and at which byte.
    struct Problem: Error {
        var position: Int
        var message: String
    }

    private static let maximumDepth = 64
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func document() throws(Problem) -> JSON {
        let value = try value(depth: 0)
        skipSpace()
        guard position < bytes.count else { return value }
        let isAnother = peek == UInt8(ascii: "{") || peek == UInt8(ascii: "[")
        throw problem(
            isAnother
                ? "another document follows the first; write them as one list, [{...}, {...}]"
                : "something follows the end of the document")
    }

    private mutating func value(depth: Int) throws(Problem) -> JSON {
        guard depth < JSONParser.maximumDepth else { throw problem("nested more than \(JSONParser.maximumDepth) deep") }
        skipSpace()
        switch peek {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case .none: throw problem("the document is cut short: it ends where a value was expected")
        case .some: return try literal()
        }
    }

    private mutating func object(depth: Int) throws(Problem) -> JSON {
        position += 1
        var members: [JSON.Member] = []
        var names: Set<String> = []
        skipSpace()
        if take(UInt8(ascii: "}")) { return .object([]) }
        while true {
            skipSpace()
            let start = position
            guard peek == UInt8(ascii: "\"") else { throw noKey() }
            let name = try string()
            guard names.insert(name).inserted else {
                throw Problem(position: start, message: "duplicate key '\(VisibleText.of(name, limit: 80))'")
            }
            skipSpace()
            guard take(UInt8(ascii: ":")) else { throw problem("':' was expected after the key") }
            members.append(JSON.Member(name, try value(depth: depth + 1)))
            skipSpace()
            if take(UInt8(ascii: "}")) { return .object(members) }
            try takeComma("}")
        }
    }

    private mutating func array(depth: Int) throws(Problem) -> JSON {
        position += 1
        var elements: [JSON] = []
        skipSpace()
        if take(UInt8(ascii: "]")) { return .array([]) }
        while true {
            elements.append(try value(depth: depth + 1))
            skipSpace()
            if take(UInt8(ascii: "]")) { return .array(elements) }
            try takeComma("]")
        }
    }

    /// - Parameter end: what may stand there instead.
    private mutating func takeComma(_ end: Character) throws(Problem) {
        let comma = position
        guard take(UInt8(ascii: ",")) else {
            let isCut = peek == nil
            throw problem(isCut ? "the document is cut short: '\(end)' is missing" : "',' or '\(end)' was expected")
        }
        skipSpace()
        guard peek == end.asciiValue else { return }
        throw Problem(position: comma, message: "a comma before '\(end)' is not valid JSON; remove it")
    }

    private mutating func noKey() -> Problem {
        if peek == nil { return problem("the document is cut short: a key was expected") }
        let word = word()
        if word.hasPrefix("'") { return problem(JSONParser.singleQuotes) }
        return problem(word.isEmpty ? "a key in double quotes was expected" : "the key \(word) is not in double quotes")
    }

    // MARK: Strings

    private mutating func string() throws(Problem) -> String {
        position += 1
        var text: [UInt8] = []
        while let byte = peek {
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let string = String(validating: text, as: UTF8.self) else {
                    throw problem("a text that is not UTF-8; save the file as UTF-8")
                }
                return string
            case UInt8(ascii: "\\"): text.append(contentsOf: try escape())
            case 0..<0x20:
                position -= 1
                throw problem("a text with a control character or a line break in it; write it as an escape (\\n)")
            default: text.append(byte)
            }
        }
        throw problem("the document is cut short within a text")
    }

    private mutating func escape() throws(Problem) -> [UInt8] {
        guard let byte = peek else { throw problem("the document is cut short within a text") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "b"): return [8]
        case UInt8(ascii: "f"): return [12]
        case UInt8(ascii: "n"): return [10]
        case UInt8(ascii: "r"): return [13]
        case UInt8(ascii: "t"): return [9]
        case UInt8(ascii: "u"): return Array(String(Character(try unicodeScalar())).utf8)
        default: throw problem("an unknown escape; write '\\\\' for a backslash")
        }
    }

    private mutating func unicodeScalar() throws(Problem) -> Unicode.Scalar {
        let first = try codeUnit()
        guard first & 0xfc00 == 0xd800 else {
            guard let scalar = Unicode.Scalar(first) else { throw problem("half of a surrogate pair") }
            return scalar
        }
        guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else { throw problem("half of a surrogate pair") }
        let second = try codeUnit()
        guard second & 0xfc00 == 0xdc00,
            let scalar = Unicode.Scalar(0x10000 + (first & 0x3ff) << 10 + second & 0x3ff)
        else { throw problem("half of a surrogate pair") }
        return scalar
    }

    private mutating func codeUnit() throws(Problem) -> UInt32 {
        guard bytes.count - position >= 4,
            bytes[position..<position + 4].allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
            let value = UInt32(String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16)
        else { throw problem("four hexadecimal digits were expected") }
        position += 4
        return value
    }

    // MARK: Numbers and words

    /// A number, or a word: whatever stands up to the next sign of JSON.
    private mutating func literal() throws(Problem) -> JSON {
        let start = position
        while let byte = peek, !JSONParser.ends(byte) { position += 1 }
        let token = bytes[start..<position]
        if JSONParser.isNumber(token) { return .number(String(decoding: token, as: UTF8.self)) }
        switch String(decoding: token, as: UTF8.self) {
        case "true": return .bool(true)
        case "false": return .bool(false)
        case "null": return .null
        case let text:
            position = start
            throw problem(JSONParser.complaint(text))
        }
    }

    private static let singleQuotes = "a text in single quotes is not valid JSON; write double quotes"

    private static func complaint(_ text: String) -> String {
        if text.hasPrefix("'") { return singleQuotes }
        if text.hasPrefix("\u{feff}") { return "a byte-order mark is not valid JSON; save the file without it" }
        if text.isEmpty { return "a value was expected" }
        let hint =
            switch text {
            case "True", "False": "; write \(text.lowercased())"
            case "None", "undefined": "; write null"
            default: ""
            }
        return "\(VisibleText.of(text, limit: 40)) is not valid JSON\(hint)"
    }

    private static func ends(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x20, 0x0a, 0x0d, 0x09, UInt8(ascii: ","), UInt8(ascii: ":"), UInt8(ascii: "]"), UInt8(ascii: "}"),
            UInt8(ascii: "["), UInt8(ascii: "{"), UInt8(ascii: "\""):
            true
        default: false
        }
    }

    private static func isNumber(_ token: ArraySlice<UInt8>) -> Bool {
        var rest = token
        func digits() -> Int {
            let count = rest.prefix { 0x30...0x39 ~= $0 }.count
            rest = rest.dropFirst(count)
            return count
        }
        if rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
        let leading = rest.first
        let whole = digits()
        guard whole > 0, leading != UInt8(ascii: "0") || whole == 1 else { return false }
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            guard digits() > 0 else { return false }
        }
        if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") {
            rest = rest.dropFirst()
            if rest.first == UInt8(ascii: "+") || rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
            guard digits() > 0 else { return false }
        }
        return rest.isEmpty
    }

    // MARK: Bytes

    /// What stands here up to the next sign of JSON, fit for a message. Takes nothing.
    private func word() -> String {
        VisibleText.of(String(decoding: bytes[position...].prefix { !JSONParser.ends($0) }, as: UTF8.self), limit: 40)
    }

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        position += 1
        return true
    }

    private mutating func skipSpace() {
        while let byte = peek, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { position += 1 }
    }

    private func problem(_ message: String) -> Problem { Problem(position: position, message: message) }
}
