/// All numbers of two attempts at one run, by their digests: of an audit, and of the attempt that counts.
public struct AuditComparison: Sendable, Hashable {
    public var numbers: Digest
    public var counted: Digest

    public init(numbers: Digest, counted: Digest) {
        self.numbers = numbers
        self.counted = counted
    }

    public var agrees: Bool { numbers == counted }
}
