import Model

/// What a value of an axis, or the bound that it is compared with, is worth: a number, a size in bytes or a time in
/// nanoseconds. Numbers are compared with all, sizes and times with their like.
package struct Amount: Sendable, Hashable {
    package enum Kind: Sendable, Hashable { case number, bytes, time }

    package let kind: Kind
    package let value: Double
    /// The same where it is whole and fits 128 bits: a `Double` has 53.
    private let whole: Int128?

    /// nil: a word.
    package init?(_ text: String) {
        if Number.canonical(text) != nil, let number = Number.finite(text) {
            (kind, value, whole) = (.number, number, Int128(text))
        } else if let bytes = try? Quantity.bytes(text) {
            (kind, value, whole) = (.bytes, Double(bytes), Int128(bytes))
        } else if let time = try? Quantity.duration(text) {
            (kind, value, whole) = (.time, Double(time), Int128(time))
        } else {
            return nil
        }
    }

    func isLike(_ other: Amount) -> Bool { kind == other.kind || kind == .number || other.kind == .number }

    /// Whole numbers are compared to the last digit.
    static func < (left: Amount, right: Amount) -> Bool {
        if let left = left.whole, let right = right.whole { return left < right }
        return left.value < right.value
    }

    func isWorth(_ other: Amount) -> Bool {
        if let whole, let other = other.whole { return whole == other }
        return value == other.value
    }
}
