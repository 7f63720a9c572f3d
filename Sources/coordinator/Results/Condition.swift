import Model

/// What a row must be to be shown: `NAME=VALUE`, with other comparisons, lists and patterns.
struct Condition: Sendable, Hashable {
    /// What rows can be chosen by.
    enum Column: Sendable, Hashable {
        case axis(Int)
        case workload, repetition, outcome, failure
        case metric(String)

        /// Of the names that are no axes and no metrics.
        static let others: [(name: String, column: Column)] = [
            ("workload", .workload), ("repeat", .repetition), ("outcome", .outcome), ("class", .failure),
        ]
    }

    private enum Test: Sendable, Hashable {
        case oneOf([String])
        case noneOf([String])
        case like(Glob)
        case compared(Sign, Amount)
    }

    private enum Sign: String {
        case less = "<"
        case atMost = "<="
        case more = ">"
        case atLeast = ">="
    }

    /// The longer ones first: each begins with what would be another.
    private static let signs = ["!=", "<=", ">=", "=", "<", ">", "~"]

    let column: Column
    private let test: Test

    /// Reads a condition. A name may have such signs in it, as axes can: the longest name that is known is meant.
    ///
    /// - Parameter find: the column of a name.
    /// - Returns: nil: no part of it is a known name before a sign.
    /// - Throws: ``Failure`` (`usage`) where something that is no number is to be compared by size.
    init?(_ text: String, find: (String) throws -> Column?) throws {
        for start in text.indices.reversed() {
            guard let sign = Condition.signs.first(where: { text[start...].hasPrefix($0) }),
                let column = try find(String(text[..<start]))
            else { continue }
            self.column = column
            test = try Condition.test(sign, String(text[start...].dropFirst(sign.count)), text)
            return
        }
        return nil
    }

    private static func test(_ sign: String, _ value: String, _ text: String) throws -> Test {
        // A value may have a comma in it.
        let parts = value.split(separator: ",", omittingEmptySubsequences: false)
        let values = [value] + parts.map { String($0.drop { $0 == " " }) }
        switch sign {
        case "=": return .oneOf(values)
        case "!=": return .noneOf(values)
        case "~": return .like(Glob(value))
        default:
            guard let sign = Sign(rawValue: sign), let number = Amount(value) else {
                throw Failure(
                    .usage, "--where \(VisibleText.of(text)): '\(VisibleText.of(value))' is not a number, a size or a "
                        + "time, as 256KiB or 10ms")
            }
            return .compared(sign, number)
        }
    }

    /// - Parameter value: nil: the row has none, and is never what is asked for.
    func holds(_ value: String?) -> Bool {
        guard let value else { return false }
        switch test {
        case .oneOf(let values): return isOne(of: values, value)
        case .noneOf(let values): return !isOne(of: values, value)
        case .like(let pattern): return pattern.matches(value)
        case .compared(let sign, let bound):
            guard let amount = Amount(value), amount.isLike(bound) else { return false }
            return switch sign {
            case .less: amount < bound
            case .atMost: amount < bound || amount.isWorth(bound)
            case .more: bound < amount
            case .atLeast: bound < amount || amount.isWorth(bound)
            }
        }
    }

    /// What was set is the same where it was written so; what was measured, where it is the same number.
    private func isOne(of values: [String], _ value: String) -> Bool {
        if values.contains(value) { return true }
        guard case .metric = column, let number = Amount(value) else { return false }
        return values.contains { Amount($0)?.isWorth(number) ?? false }
    }
}
