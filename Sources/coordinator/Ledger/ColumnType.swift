import GRDB

/// The declared type of a column for others to read: the narrowest that holds each of its values to the last digit.
enum ColumnType: String {
    /// Whole numbers of 64 bits with sign.
    case integer = "INTEGER"
    /// Numbers that a double is, and whole ones up to 2^53.
    case real = "REAL"
    /// Both kinds, each as it is: whole numbers beyond 2^53 beside numbers with a fraction.
    case numeric = "NUMERIC"
    /// Texts; and numbers whose digits none of the others would keep.
    case text = "TEXT"

    /// What the values of a column were so far.
    struct Found {
        private var hasIntegers = false
        private var hasLargeIntegers = false
        private var hasReals = false
        private var needsText = false

        mutating func add(_ value: TableFile.Value) {
            switch value {
            case .null: break
            case .text: needsText = true
            case .number(let number): add(number: number)
            case .setting(let text): if Found.isNumber(text) { add(number: text) } else { needsText = true }
            }
        }

        private mutating func add(number: String) {
            if let integer = Int64(number) {
                hasIntegers = true
                if integer.magnitude > 1 << 53 { hasLargeIntegers = true }
            } else if number.utf8.allSatisfy({ 0x30...0x39 ~= $0 || $0 == 0x2d }) || Double(number) == nil {
                needsText = true
            } else {
                hasReals = true
            }
        }

        /// Whether a number written out again gives the same text, but for zeros at the end of a fraction.
        private static func isNumber(_ text: String) -> Bool {
            if let integer = Int64(text) { return String(integer) == text }
            let parts = text.split(separator: ".", omittingEmptySubsequences: false)
            let isDecimal = parts.count == 2 && parts[1].utf8.allSatisfy { 0x30...0x39 ~= $0 } && !parts[1].isEmpty
            guard isDecimal, text.utf8.count <= 16 else { return false }
            return Int64(parts[0]).map { String($0) == parts[0] } ?? false || parts[0] == "-0"
        }

        var type: ColumnType {
            if needsText || !hasIntegers && !hasReals { return .text }
            if !hasReals { return .integer }
            return hasLargeIntegers ? .numeric : .real
        }
    }

    func stored(_ value: TableFile.Value) -> DatabaseValue {
        switch value {
        case .null: return .null
        case .text(let text): return text.databaseValue
        case .number(let text), .setting(let text):
            if self == .text { return text.databaseValue }
            return Int64(text)?.databaseValue ?? Double(text)?.databaseValue ?? text.databaseValue
        }
    }
}
