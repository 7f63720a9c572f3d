import Model

/// Whole numbers in a few characters, as values of an axis: `1..100` and `1..100 step 5`, both ends among them.
///
/// A number that begins with zeros keeps its width: `08..12` is 08, 09, 10, 11, 12.
struct ValueRange {
    private let first: Int
    private let last: Int
    private let step: Int
    private let width: Int

    /// nil: the text is not a range, but a value.
    init?(_ text: String) {
        // Most values are none, and the pattern is made anew each time.
        guard text.utf8.contains(UInt8(ascii: ".")) else { return nil }
        let pattern = /(-?\d+)\.\.(-?\d+)(?: +step +(\d+))?/
        guard let found = try? pattern.wholeMatch(in: text), let first = Int(found.1), let last = Int(found.2) else {
            return nil
        }
        guard let step = found.3.map({ Int($0) }) ?? 1 else { return nil }
        (self.first, self.last, self.step) = (first, last, step)
        let digits = found.1.drop { $0 == "-" }
        width = digits.count > 1 && digits.first == "0" ? digits.count : 0
    }

    /// Whether a text that is no range was perhaps to be one: `0.1..0.5 step 0.1`, `1...4`.
    static func isMeant(by text: String) -> Bool {
        text.contains("..") && text.first.map { $0.isNumber || $0 == "-" } ?? false && ValueRange(text) == nil
    }

    /// `1..10` for a text like `1-10`; nil: it is none.
    static func withHyphen(_ text: String) -> String? {
        let ends = text.split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2, ends.allSatisfy({ !$0.isEmpty && $0.allSatisfy { $0.isASCII && $0.isNumber } }) else {
            return nil
        }
        return "\(ends[0])..\(ends[1])"
    }

    /// What is wrong with it; nil: nothing.
    func problem(limit: Int) -> String? {
        if step < 1 { return "the step is 0; write 1 or more" }
        if last < first { return "the range has no value, as \(last) is less than \(first); write \(last) first" }
        let (span, isOver) = last.subtractingReportingOverflow(first)
        if isOver || span / step >= limit { return "the range has more than \(limit) values; write a larger step" }
        return nil
    }

    /// Only of a range without a problem.
    var values: [String] {
        stride(from: first, through: last, by: step).map { number in
            let digits = String(number.magnitude)
            let zeros = String(repeating: "0", count: max(0, width - digits.utf8.count))
            return (number < 0 ? "-" : "") + zeros + digits
        }
    }
}

extension FieldReader {
    /// The elements of a list of values, ranges as what they stand for; a range alone needs no list. What is in quotes
    /// is a value, whatever it looks like.
    func values(_ field: Field) -> [Field]? {
        if case .scalar(let text, isPlain: true) = field.value.kind, ValueRange(text) != nil { return expanded(field) }
        guard let elements = list(field) else { return nil }
        let all = elements.map(expanded)
        return all.contains { $0 == nil } ? nil : all.flatMap { $0 ?? [] }
    }

    /// The same where one value needs no list, either.
    func oneOrMore(_ field: Field) -> [Field]? {
        if case .scalar = field.value.kind { expanded(field) } else { values(field) }
    }

    /// A range as its values, and anything else as it is.
    private func expanded(_ field: Field) -> [Field]? {
        guard case .scalar(let text, isPlain: true) = field.value.kind, let range = ValueRange(text) else {
            return [field]
        }
        if let problem = range.problem(limit: Points.limit) {
            fail(field, problem)
            return nil
        }
        return range.values.map { text in
            field.element(YAMLValue(kind: .scalar(text, isPlain: true), mark: field.value.mark))
        }
    }
}
