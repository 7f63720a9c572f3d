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
        guard let sum = Sum(texts) else { return nil }
        if texts.count == 1 { return texts[0] }
        return divide(sum, Sum(integer: Int64(texts.count)))
    }

    /// nil: the divisor is 0, or the quotient not finite.
    package static func divide(_ dividend: Sum, _ divisor: Sum, times factor: Int64 = 1) -> String? {
        guard divisor.value != 0 else { return nil }
        if let whole = wholeQuotient(dividend, divisor, factor) { return whole }
        let quotient = dividend.value * Double(factor) / divisor.value
        return quotient.isFinite ? render(quotient) : nil
    }

    private static func wholeQuotient(_ dividend: Sum, _ divisor: Sum, _ factor: Int64) -> String? {
        guard let dividend = dividend.integer, let divisor = divisor.integer else { return nil }
        let (product, overflow) = dividend.multipliedReportingOverflow(by: factor)
        guard !overflow, divisor != -1, product % divisor == 0 else { return nil }
        return String(product / divisor)
    }

    /// The shortest digits that give the value back, whole numbers without a fraction.
    package static func render(_ value: Double) -> String {
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

/// A sum of numbers in the order given: exact as long as all are whole and fit 64 bits.
package struct Sum {
    package private(set) var value: Double
    /// nil: not whole, or too large.
    package private(set) var integer: Int64?

    package init(integer: Int64) {
        value = Double(integer)
        self.integer = integer
    }

    /// nil: no numbers, or one that is not finite.
    package init?(_ texts: [String]) {
        guard !texts.isEmpty else { return nil }
        self.init(integer: 0)
        for text in texts {
            guard let next = Number.finite(text) else { return nil }
            value += next
            integer = integer.flatMap { sum in
                guard let next = Int64(text) else { return nil }
                let (result, overflow) = sum.addingReportingOverflow(next)
                return overflow ? nil : result
            }
        }
        if let integer { value = Double(integer) }
        guard value.isFinite else { return nil }
    }

    package static func + (left: Sum, right: Sum) -> Sum {
        var sum = left
        sum.value += right.value
        sum.integer = left.integer.flatMap { left in
            right.integer.flatMap { right in
                let (result, overflow) = left.addingReportingOverflow(right)
                return overflow ? nil : result
            }
        }
        return sum
    }

    /// In JSON's grammar.
    package var text: String { integer.map(String.init) ?? Number.render(value) }
}
