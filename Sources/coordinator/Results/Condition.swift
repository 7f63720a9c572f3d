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
    private static let signs = ["==", "!=", "<=", ">=", "=", "<", ">", "~"]

    let column: Column
    private let test: Test

    /// Reads a condition. A name may have such signs in it, as axes can: the longest name that is known is meant.
    ///
    /// - Parameters:
    ///   - find: the column of a name.
    ///   - known: the values that a column can have; nil: any.
    /// - Returns: nil: no part of it is a known name before a sign.
    /// - Throws: ``Failure`` (`usage`) for a value that the column cannot have, and where something that is no number
    ///   is to be compared by size.
    init?(_ text: String, find: (String) throws -> Column?, known: (Column) -> [String]? = { _ in nil }) throws {
        guard let (name, sign, column, value) = try Condition.parts(text, find) else { return nil }
        self.column = column
        do {
            test = try Condition.test(column, sign, value, known(column))
        } catch let problem as Unfit {
            let several = try Condition.separated(text).filter { try Condition.parts($0, find) != nil }
            let advice = several.count < 2 ? "" : "; several conditions: "
                + several.map { "--where \(ShellWord.of(VisibleText.of($0)))" }.joined(separator: " ")
            throw Failure(
                .usage, "--where \(VisibleText.of(text)): \(problem.sentence(VisibleText.of(name)))\(advice)")
        }
    }

    private static func parts(
        _ text: String, _ find: (String) throws -> Column?
    ) throws -> (name: String, sign: String, column: Column, value: String)? {
        for start in text.indices.reversed() {
            let name = trimmed(text[..<start])
            guard let sign = signs.first(where: { text[start...].hasPrefix($0) }), let column = try find(name)
            else { continue }
            return (name, sign, column, String(text[start...].dropFirst(sign.count)))
        }
        return nil
    }

    /// Why a value cannot be meant.
    private enum Unfit: Error {
        case unknown(String, known: [String])
        case noNumber(String)

        func sentence(_ name: String) -> String {
            switch self {
            case .noNumber(let value):
                return "'\(VisibleText.of(value))' is not a number, a size or a time, as 256KiB or 10ms"
            case .unknown(let value, let known):
                let problem = "\(name) has no value '\(VisibleText.of(value))'"
                let named = known.filter { !$0.isEmpty }.map { VisibleText.of($0) }
                if named.isEmpty { return "\(name) has no values in this sweep" }
                let list = "there \(named.count == 1 ? "is" : "are") \(PeopleText.list(named, atMost: 20))"
                // The nearest of two numbers says nothing, nor that to a condition.
                guard Amount(value) == nil, !value.contains(where: { "=<>".contains($0) }),
                    let nearest = Names.nearest(to: value, in: named) else {
                    return "\(problem); \(list)"
                }
                return "\(problem); did you mean '\(nearest)'? (\(list))"
            }
        }
    }

    private static func test(_ column: Column, _ sign: String, _ value: String, _ known: [String]?) throws -> Test {
        let whole = trimmed(value)
        switch sign {
        case "==" where known?.contains("=" + value) == true:
            // A value may begin with that sign.
            return .oneOf(["=" + value])
        case "=", "==": return .oneOf(try values(column, value, known))
        case "!=": return .noneOf(try values(column, value, known))
        case "~": return .like(Glob(whole))
        default:
            guard let sign = Sign(rawValue: sign), let number = Amount(whole) else { throw Unfit.noNumber(whole) }
            return .compared(sign, number)
        }
    }

    /// A list of values, which may have commas and blanks in them.
    private static func values(_ column: Column, _ value: String, _ known: [String]?) throws -> [String] {
        let parts = value.split(separator: ",", omittingEmptySubsequences: false).map { trimmed($0) }
        if let known {
            if known.contains(value) { return [value] }
            if known.contains(trimmed(value)) { return [trimmed(value)] }
            for part in parts where !known.contains(part) { throw Unfit.unknown(part, known: known) }
            return parts
        }
        switch column {
        case .metric, .repetition:
            for part in parts where Amount(part) == nil { throw Unfit.noNumber(part) }
            return parts
        case .axis, .workload, .outcome, .failure:
            return [value] + parts
        }
    }

    /// What stands between commas and the like, where people write several conditions as one; values of a list stay
    /// with the name before them.
    private static func separated(_ text: String) -> [String] {
        let words = text.split(separator: " ", omittingEmptySubsequences: false).map { $0 == "and" ? "," : $0 }
        let parts = words.joined(separator: " ").split { ",;&".contains($0) }.map { trimmed($0) }
        return parts.reduce(into: []) { conditions, part in
            let isCondition = part.contains { "=<>~".contains($0) }
            if let last = conditions.indices.last, !isCondition {
                conditions[last] += ",\(part)"
            } else {
                conditions.append(part)
            }
        }
    }

    private static func trimmed(_ text: some StringProtocol) -> String {
        String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
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
