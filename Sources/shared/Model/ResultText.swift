/// A run's result on its way from the judgement to the tables: JSON on one line, made once when the attempt was judged,
/// kept as it is by the ledger, and read once by whoever shows it.
public struct ResultText: Sendable, Hashable {
    public let text: String

    public init(_ text: String) { self.text = text }

    /// Tells whether two results are the same, digit by digit.
    public var digest: Digest { SHA256.digest(text) }
}
