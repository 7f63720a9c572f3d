public import Model

/// The numbers that another host gave when it ran a succeeded run again.
public struct AuditOpinion: Sendable, Hashable {
    public var host: String
    public var comparison: AuditComparison

    public init(host: String, comparison: AuditComparison) {
        self.host = host
        self.comparison = comparison
    }
}

/// What follows if several hosts have run the same run and their numbers are compared.
public enum AuditVerdict: Sendable, Hashable {
    /// Nothing yet: only one host has run it, or two whose numbers differ.
    case open
    case identical
    /// Two hosts have the same numbers, and this one has different ones.
    case outvoted(String)
    /// Three hosts have three different results.
    case notDeterministic

    /// - Parameters:
    ///   - host: whose result counts.
    ///   - opinions: of other hosts that are not fenced, in the order in which they came.
    public init(counted host: String, _ opinions: [AuditOpinion]) {
        // Those before an edit of the sweep's metrics were held against another text of the same result.
        let last = opinions.last?.comparison.counted
        let valid = opinions.filter { $0.comparison.counted == last }
        guard let first = valid.first else {
            self = .open
            return
        }
        guard let second = valid.dropFirst().first else {
            self = first.comparison.agrees ? .identical : .open
            return
        }
        switch (first.comparison.agrees, second.comparison.agrees) {
        case (true, true): self = .identical
        case (false, true): self = .outvoted(first.host)
        case (true, false): self = .outvoted(second.host)
        case (false, false):
            self = first.comparison.numbers == second.comparison.numbers ? .outvoted(host) : .notDeterministic
        }
    }
}
