/// Arithmetic on numbers that are text, as exact as the text allows, and the same on every machine.
package enum Number {
    /// The finite value of a number in JSON's grammar; nil for one that is too large for a `Double`.
    package static func finite(_ text: String) -> Double? {
        guard let value = Double(text), value.isFinite else { return nil }
        return value
    }

    /// A number of a CSV file in JSON's grammar, changed no more than it takes: programs write `.5`, `1.`, `+1`
    /// and `007`, which JSON does not know. nil: not a finite decimal number.
    package static func canonical(_ field: String) -> String? {
        var rest = Substring(field)
        while let last = rest.last, last == " " || last == "\t" { rest.removeLast() }
        while let first = rest.first, first == " " || first == "\t" { rest.removeFirst() }
        var text = ""
        if rest.first == "+" { rest.removeFirst() } else if rest.first == "-" { text.append(rest.removeFirst()) }
        let whole = rest.prefix(while: isDigit)
        rest.removeFirst(whole.count)
        var fraction: Substring = ""
        if rest.first == "." {
            rest.removeFirst()
            fraction = rest.prefix(while: isDigit)
            rest.removeFirst(fraction.count)
        }
        guard !whole.isEmpty || !fraction.isEmpty else { return nil }
        let significant = whole.drop { $0 == "0" }
        text += significant.isEmpty ? "0" : significant
        if !fraction.isEmpty { text += "." + fraction }
        if !rest.isEmpty {
            guard isExponent(rest) else { return nil }
            text += rest
        }
        return finite(text) == nil ? nil : text
    }

    /// The mean: a whole number if it is one, else the nearest `Double` in the fewest digits that give it back.
    /// One number is its own mean, to the last digit. nil: none, or not finite.
    package static func mean(_ texts: [String]) -> String? {
        if texts.count == 1 { return finite(texts[0]) == nil ? nil : texts[0] }
        return Sum(texts).flatMap { $0 / Sum(texts.count) }?.text
    }

    /// The shortest digits that give the value back, whole numbers without a fraction.
    package static func render(_ value: Double) -> String {
        // Also of -0, which is no other number.
        if value == 0 { return "0" }
        let text = value.description
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }

    private static func isExponent(_ text: Substring) -> Bool {
        var rest = text.dropFirst()
        guard text.first == "e" || text.first == "E" else { return false }
        if rest.first == "+" || rest.first == "-" { rest.removeFirst() }
        return !rest.isEmpty && rest.allSatisfy(isDigit)
    }

    private static func isDigit(_ character: Character) -> Bool { ("0"..."9").contains(character) && character.isASCII }
}

/// A number that is worked out: exact as long as all that goes into it is whole and it fits 128 bits, which the sum of
/// any number of 64-bit counters does; else a `Double`.
package struct Sum: Sendable, Hashable {
    package let value: Double
    /// nil: not whole, or too large.
    package let integer: Int128?

    package init(_ integer: some BinaryInteger) {
        value = Double(integer)
        self.integer = Int128(exactly: integer)
    }

    private init(_ value: Double, _ integer: Int128?) {
        self.value = integer.map(Sum.nearest) ?? value
        self.integer = integer
    }

    /// Few numbers need 128 bits, whose conversion takes long.
    private static func nearest(_ integer: Int128) -> Double {
        Int64(exactly: integer).map { Double($0) } ?? Double(integer)
    }

    /// nil: not a finite number.
    package init?(_ text: String) {
        guard let value = Number.finite(text) else { return nil }
        self.init(value, Int64(text).map { Int128($0) } ?? Int128(text))
    }

    /// Of all, in the order given. nil: no numbers, or one that is not finite.
    package init?(_ texts: [String]) {
        guard !texts.isEmpty else { return nil }
        var sum = Sum(0)
        for text in texts {
            guard let next = Sum(text) else { return nil }
            sum = sum + next
        }
        guard sum.value.isFinite else { return nil }
        self = sum
    }

    package static func + (left: Sum, right: Sum) -> Sum {
        Sum(left.value + right.value, whole(left, right) { $0.addingReportingOverflow($1) })
    }

    package static func - (left: Sum, right: Sum) -> Sum {
        Sum(left.value - right.value, whole(left, right) { $0.subtractingReportingOverflow($1) })
    }

    package static func * (left: Sum, right: Sum) -> Sum {
        Sum(left.value * right.value, whole(left, right) { $0.multipliedReportingOverflow(by: $1) })
    }

    /// nil: the divisor is 0.
    package static func / (left: Sum, right: Sum) -> Sum? {
        guard right.value != 0 else { return nil }
        let whole = whole(left, right) { left, right in
            let isWhole = right != -1 && left % right == 0
            return isWhole ? (left / right, false) : (0, true)
        }
        return Sum(left.value / right.value, whole)
    }

    private static func whole(
        _ left: Sum, _ right: Sum, _ operation: (Int128, Int128) -> (partialValue: Int128, overflow: Bool)
    ) -> Int128? {
        guard let left = left.integer, let right = right.integer else { return nil }
        let (result, overflow) = operation(left, right)
        return overflow ? nil : result
    }

    /// In JSON's grammar. Must be finite.
    package var text: String { integer.map { String($0) } ?? Number.render(value) }
}
