/// A deterministic source of chance: the same seed, the same values, on every machine.
public struct Chance: RandomNumberGenerator, Sendable {
    private var state: UInt64

    public init(seed: UInt64) { state = seed &+ 0x9e37_79b9_7f4a_7c15 }

    /// SplitMix64.
    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = (state ^ (state >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }

    /// A number of the range, all alike.
    public mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }

    public mutating func flip() -> Bool { next() & 1 == 1 }

    /// One of the elements; nil: there is none.
    public mutating func pick<Element>(_ elements: [Element]) -> Element? { elements.randomElement(using: &self) }

    /// Up to `most` values.
    public mutating func list<Value>(_ most: Int, _ body: (inout Chance) -> Value) -> [Value] {
        (0..<number(0...most)).map { _ in body(&self) }
    }

    public mutating func optional<Value>(_ body: (inout Chance) -> Value) -> Value? { flip() ? body(&self) : nil }
}
