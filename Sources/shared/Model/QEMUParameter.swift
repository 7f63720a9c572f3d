/// The parameters of the models behind engine `qemu`: the axes that a sweep with it may have.
public enum QEMUParameter: String, Sendable, Hashable, CaseIterable {
    case l1iSize = "l1i.size"
    case l1iWays = "l1i.ways"
    case l1dSize = "l1d.size"
    case l1dWays = "l1d.ways"
    case l2Size = "l2.size"
    case l2Ways = "l2.ways"
    case llcSize = "llc.size"
    case llcWays = "llc.ways"
    /// Bytes of a line, in all caches.
    case line
    case itlbEntries = "itlb.entries"
    case dtlbEntries = "dtlb.entries"
    case branchPredictor = "branch-predictor"
    /// The base-2 logarithm of the number of counters.
    case branchPredictorBits = "branch-predictor.bits"

    public static let predictors = ["bimodal", "gshare"]

    /// The value in the one form that says what it means: bytes or a count in decimal digits, or a
    /// predictor's name. Two texts with the same meaning have the same form.
    ///
    /// - Throws: ``Failure`` (`badSpecification`) that says which values there are.
    public func canonical(_ value: String) throws -> String {
        switch self {
        case .l1iSize, .l1dSize, .l2Size, .llcSize:
            return try power(Quantity.bytes(value), of: value, in: 1_024...(1 << 30), "a size from 1KiB to 1GiB")
        case .line:
            let bytes = try Int64(value) ?? Quantity.bytes(value)
            return try power(bytes, of: value, in: 16...1_024, "a number of bytes from 16 to 1024")
        case .l1iWays, .l1dWays, .l2Ways, .llcWays:
            return try power(count(value), of: value, in: 1...64, "a number of ways from 1 to 64")
        case .itlbEntries, .dtlbEntries:
            return try power(count(value), of: value, in: 1...65_536, "a number of entries from 1 to 65536")
        case .branchPredictor:
            guard QEMUParameter.predictors.contains(value) else { throw wrong(value, "bimodal or gshare") }
            return value
        case .branchPredictorBits:
            let bits = try count(value)
            guard 1...24 ~= bits else { throw wrong(value, "a number of bits from 1 to 24") }
            return String(bits)
        }
    }

    private func count(_ value: String) throws -> Int64 {
        guard let number = Int64(value), number >= 0, String(number) == value else {
            throw wrong(value, "a whole number, as in 8")
        }
        return number
    }

    private func power(_ n: Int64, of value: String, in range: ClosedRange<Int64>, _ what: String) throws -> String {
        guard range.contains(n), n & (n - 1) == 0 else { throw wrong(value, "\(what) that is a power of two") }
        return String(n)
    }

    private func wrong(_ value: String, _ right: String) -> Failure {
        Failure(.badSpecification, "'\(Names.shown(value))' is not a value for \(rawValue); write \(right)")
    }
}
