/// Pseudo-random numbers that are the same on every machine: SplitMix64, by G. Steele, D. Lea and C. Flood ("Fast
/// splittable pseudorandom number generators", OOPSLA 2014).
///
/// Ten lines in any language, so that whoever doubts an interval can draw the same samples.
package struct SplitMix64 {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var bits = state
        bits = (bits ^ (bits >> 30)) &* 0xbf58_476d_1ce4_e5b9
        bits = (bits ^ (bits >> 27)) &* 0x94d0_49bb_1331_11eb
        return bits ^ (bits >> 31)
    }

    /// From 0 up to `count`, without it: the upper half of the product of the next number and `count`.
    mutating func index(below count: Int) -> Int {
        Int(truncatingIfNeeded: next().multipliedFullWidth(by: UInt64(count)).high)
    }
}
