import Model

/// Arithmetic over metrics, as users write it in a sweep file: numbers, names of metrics, patterns of gem5 statistics
/// in double quotes (all that match are added up), `+ - * /` and parentheses.
///
/// Names may have points and hyphens inside, so a minus between two names needs a space on its left.
public struct MetricExpression: Sendable, Hashable {
    private indirect enum Node: Sendable, Hashable {
        case number(Sum)
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

    /// `factor` * `dividend` / `divisor`, without the factor where it is 1.
    init(factor: Int, _ dividend: String, per divisor: String) {
        let product = Node.operation(UInt8(ascii: "*"), .number(Sum(factor)), .counter(dividend))
        root = .operation(UInt8(ascii: "/"), factor == 1 ? .counter(dividend) : product, .counter(divisor))
        text = (factor == 1 ? "" : "\(factor) * ") + "\(dividend) / \(divisor)"
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

    /// Whether it says the same, however it is spaced.
    func isSame(as other: MetricExpression) -> Bool { root == other.root }

    /// Over `blocks` blocks. A metric enters as its mean, which is kept as a sum until something else is added to it:
    /// so the ratio of two counters divides their sums, to the last digit, and `l2.misses + 1` is the mean plus 1.
    ///
    /// - Parameter metric: a metric's sum over all blocks, or what does not grow with them, as the value of a formula.
    /// - Returns: nil: a metric is missing, or the value is not finite, as after a division by 0.
    package func value(blocks: Int, _ metric: (String) -> Operand<Sum>?) -> Sum? {
        value(blocks: Sum(blocks), metric)
    }

    /// The same for numbers of another kind.
    func value<Value: ExpressionValue>(blocks: Value, _ metric: (String) -> Operand<Value>?) -> Value? {
        guard let value = evaluate(root, blocks, metric)?.settled(blocks), value.isFinite else { return nil }
        return value
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

    private func evaluate<Value: ExpressionValue>(
        _ node: Node, _ blocks: Value, _ metric: (String) -> Operand<Value>?
    ) -> Operand<Value>? {
        switch node {
        case .number(let value): return .plain(Value(constant: value))
        case .counter(let name): return metric(name)
        case .negative(let inner):
            guard let inner = evaluate(inner, blocks, metric) else { return nil }
            return Operand(number: Value(constant: Sum(0)) - inner.number, degree: inner.degree)
        case .operation(let sign, let left, let right):
            guard let left = evaluate(left, blocks, metric), let right = evaluate(right, blocks, metric),
                let result = Operand(left, sign, right, blocks), result.number.isFinite
            else { return nil }
            return result
        }
    }

    /// A number on its way through an expression: `number` / blocks ^ `degree`.
    package struct Operand<Value: ExpressionValue> {
        var number: Value
        var degree: Int

        /// A metric's sum over all blocks.
        package static func sum(_ sum: Value) -> Operand { Operand(number: sum, degree: 1) }
        /// What is the same for a block and for many.
        package static func plain(_ value: Value) -> Operand { Operand(number: value, degree: 0) }

        fileprivate init(number: Value, degree: Int) {
            self.number = number
            self.degree = degree
        }

        fileprivate init?(_ left: Operand, _ sign: UInt8, _ right: Operand, _ blocks: Value) {
            switch sign {
            case UInt8(ascii: "*"): self.init(number: left.number * right.number, degree: left.degree + right.degree)
            case UInt8(ascii: "/"):
                guard let quotient = left.number / right.number else { return nil }
                self.init(number: quotient, degree: left.degree - right.degree)
            default:
                var (left, right) = (left, right)
                if left.degree != right.degree {
                    guard let first = left.settled(blocks), let second = right.settled(blocks) else { return nil }
                    (left, right) = (.plain(first), .plain(second))
                }
                let isPlus = sign == UInt8(ascii: "+")
                self.init(number: isPlus ? left.number + right.number : left.number - right.number, degree: left.degree)
            }
        }

        fileprivate func settled(_ blocks: Value) -> Value? {
            var number: Value? = number
            for _ in 0..<abs(degree) { number = number.flatMap { degree > 0 ? $0 / blocks : $0 * blocks } }
            return number
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
            guard let number = Number.canonical(word).flatMap({ Sum($0) }) else {
                place = start
                throw fail("'\(VisibleText.of(word, limit: 40))' is not a number")
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

/// What an expression can be worked out with: one exact number, or many at once.
package protocol ExpressionValue {
    init(constant: Sum)
    /// Whether it can be the value of a metric. Of many numbers that is asked of each, in the end.
    var isFinite: Bool { get }
    static func + (left: Self, right: Self) -> Self
    static func - (left: Self, right: Self) -> Self
    static func * (left: Self, right: Self) -> Self
    /// nil: the divisor is 0.
    static func / (left: Self, right: Self) -> Self?
}

extension Sum: ExpressionValue {
    package init(constant: Sum) { self = constant }
    package var isFinite: Bool { value.isFinite }
}
