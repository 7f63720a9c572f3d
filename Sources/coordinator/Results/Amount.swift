import Model

/// What a value of an axis, or the bound that it is compared with, is worth: a number, a size in bytes or a time in
/// nanoseconds. Numbers are compared with all, sizes and times with their like.
package struct Amount: Sendable, Hashable {
    package enum Kind: Sendable, Hashable { case number, bytes, time }

    package let kind: Kind
    package let value: Double

    /// nil: a word.
    package init?(_ text: String) {
        if Number.canonical(text) != nil, let number = Number.finite(text) {
            (kind, value) = (.number, number)
        } else if let bytes = try? Quantity.bytes(text) {
            (kind, value) = (.bytes, Double(bytes))
        } else if let time = try? Quantity.duration(text) {
            (kind, value) = (.time, Double(time))
        } else {
            return nil
        }
    }

    func isLike(_ other: Amount) -> Bool { kind == other.kind || kind == .number || other.kind == .number }
}
