import Model

/// Arithmetic over counters, as users write it in a sweep file: numbers, names of counters, patterns of gem5 statistics
/// in double quotes (all that match are added up), `+ - * /` and parentheses.
///
/// Names may have points and hyphens inside, so a minus between two names needs a space on its left.
public struct MetricExpression: Sendable, Hashable {
    private indirect enum Node: Sendable, Hashable {
        case number(Double)
        case counter(String)
        case negative(Node)
        case operation(UInt8, Node, Node)
    }

    /// As it was written.
    public let text: String
    private let root: Node

    /// - Throws: ``Failure`` (`badSpecification`) that says where it goes wrong.
    public init(_ text: String) throws {
        self.text = text
        var parser = Parser(text)
        root = try parser.sum()
        try parser.finish()
    }

    /// All that it needs, once each, in the order of the text. A pattern stands in its quotes.
    public var counters: [String] {
        var names: [String] = []
        MetricExpression.collect(root, &names)
        return names
    }

    /// The patterns of statistics in it, without their quotes.
    public var patterns: [String] {
        counters.filter(MetricExpression.isPattern).map { String($0.dropFirst().dropLast()) }
    }

    /// Whether a counter's name is a pattern of statistics in quotes.
    package static func isPattern(_ name: String) -> Bool { name.hasPrefix("\"") }

    /// nil: a counter is missing, or the value is not finite, as after a division by 0.
    package func value(_ counter: (String) -> Double?) -> Double? {
        MetricExpression.evaluate(root, counter).flatMap { $0.isFinite ? $0 : nil }
    }

    private static func collect(_ node: Node, _ names: inout [String]) {
        switch node {
        case .number: break
        case .counter(let name): if !names.contains(name) { names.append(name) }
        case .negative(let inner): collect(inner, &names)
        case .operation(_, let left, let right):
            collect(left, &names)
            collect(right, &names)
        }
    }

    private static func evaluate(_ node: Node, _ counter: (String) -> Double?) -> Double? {
        switch node {
        case .number(let value): return value
        case .counter(let name): return counter(name)
        case .negative(let inner): return evaluate(inner, counter).map { -$0 }
        case .operation(let sign, let left, let right):
            guard let left = evaluate(left, counter), let right = evaluate(right, counter) else { return nil }
            switch sign {
            case UInt8(ascii: "+"): return left + right
            case UInt8(ascii: "-"): return left - right
            case UInt8(ascii: "*"): return left * right
            default: return left / right
            }
        }
    }

    /// Recursive descent: sum, product, factor.
    private struct Parser {
        private let bytes: [UInt8]
        private var place = 0
        private var depth = 0

        init(_ text: String) { bytes = Array(text.utf8) }

        private func fail(_ what: String) -> Failure {
            Failure(.badSpecification, "column \(place + 1) of the expression: \(what)")
        }

        private mutating func skipSpace() { while place < bytes.count, bytes[place] == 0x20 { place += 1 } }

        private mutating func take(_ signs: StaticString) -> UInt8? {
            skipSpace()
            guard place < bytes.count else { return nil }
            let next = bytes[place]
            guard signs.withUTF8Buffer({ $0.contains(next) }) else { return nil }
            place += 1
            return next
        }

        mutating func finish() throws {
            skipSpace()
            guard place == bytes.count else { throw fail("an operator (+ - * /) was expected") }
        }

        mutating func sum() throws -> Node {
            var node = try product()
            while let sign = take("+-") { node = .operation(sign, node, try product()) }
            return node
        }

        private mutating func product() throws -> Node {
            var node = try factor()
            while let sign = take("*/") { node = .operation(sign, node, try factor()) }
            return node
        }

        private mutating func factor() throws -> Node {
            depth += 1
            defer { depth -= 1 }
            guard depth <= 64 else { throw fail("too many parentheses") }
            if take("-") != nil { return .negative(try factor()) }
            if take("(") != nil {
                let node = try sum()
                guard take(")") != nil else { throw fail("')' was expected") }
                return node
            }
            return try operand()
        }

        private mutating func operand() throws -> Node {
            skipSpace()
            guard place < bytes.count else { throw fail("a number or a name was expected, not the end") }
            let start = place
            if bytes[start] == UInt8(ascii: "\"") {
                guard let end = bytes[(start + 1)...].firstIndex(of: UInt8(ascii: "\"")), end > start + 1 else {
                    throw fail("the pattern has no closing '\"', or is empty")
                }
                place = end + 1
                return .counter(String(decoding: bytes[start...end], as: UTF8.self))
            }
            while place < bytes.count, Parser.isWord(bytes[place]) { place += 1 }
            let word = String(decoding: bytes[start..<place], as: UTF8.self)
            guard let first = word.utf8.first else { throw fail("a number or a name was expected") }
            guard 0x30...0x39 ~= first else { return .counter(word) }
            guard let number = Double(word), number.isFinite else {
                place = start
                throw fail("'\(word)' is no number")
            }
            return .number(number)
        }

        private static func isWord(_ byte: UInt8) -> Bool {
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x80...0xff: true
            default: byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-")
                || byte == UInt8(ascii: ":")
            }
        }
    }
}
