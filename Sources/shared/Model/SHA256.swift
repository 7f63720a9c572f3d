import CSystem

/// SHA-256 (FIPS 180-4), in small pieces of input.
///
/// Written here because the agent must stay small and every ready library brings a whole cryptographic
/// toolkit with it (`ops/adr/0002-dependencies.md`). It names contents, and agents show one another by it that they
/// know a key (``HMAC``). Where the processor has instructions for it, they do the work, six to eight times as fast.
public struct SHA256: Sendable {
    private var state: (UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32) = (
        0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19
    )
    /// The block being filled: 64 bytes in place, so that a copy of the state costs no allocation.
    private var block: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0, 0, 0, 0)
    private var length: UInt64 = 0

    /// Whether the processor's instructions are left alone: only tests ask for that.
    private let isPortable: Bool

    public init() { isPortable = false }

    init(isPortable: Bool) { self.isPortable = isPortable }

    public static func digest(_ bytes: some Sequence<UInt8>) -> Digest {
        var hash = SHA256()
        hash.update(Array(bytes))
        return hash.finish()
    }

    public static func digest(_ text: String) -> Digest { digest(Array(text.utf8)) }

    public mutating func update(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { update($0) }
    }

    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        var rest = bytes
        let filled = Int(length & 63)
        length &+= UInt64(bytes.count)
        if filled > 0 {
            let taken = min(64 - filled, rest.count)
            fill(from: filled, UnsafeRawBufferPointer(rebasing: rest[..<taken]))
            rest = UnsafeRawBufferPointer(rebasing: rest[taken...])
            guard filled + taken == 64 else { return }
            compressBlock()
        }
        let whole = rest.count & ~63
        if whole > 0 { compress(UnsafeRawBufferPointer(rebasing: rest[..<whole])) }
        fill(from: 0, UnsafeRawBufferPointer(rebasing: rest[whole...]))
    }

    /// The digest of all bytes given so far. The value can be copied before and carried on.
    public consuming func finish() -> Digest {
        let filled = Int(length & 63)
        withUnsafeMutableBytes(of: &block) { block in
            block[filled] = 0x80
            for index in filled + 1..<64 { block[index] = 0 }
        }
        // The length takes the last 8 bytes of a block: of the next one, where this has no room.
        if filled >= 56 {
            compressBlock()
            block = (0, 0, 0, 0, 0, 0, 0, 0)
        }
        block.7 = (length &* 8).bigEndian
        compressBlock()
        return Digest(
            words: (
                UInt64(state.0) << 32 | UInt64(state.1), UInt64(state.2) << 32 | UInt64(state.3),
                UInt64(state.4) << 32 | UInt64(state.5), UInt64(state.6) << 32 | UInt64(state.7)
            ))
    }

    private mutating func fill(from start: Int, _ bytes: UnsafeRawBufferPointer) {
        withUnsafeMutableBytes(of: &block) { block in
            UnsafeMutableRawBufferPointer(rebasing: block[start...]).copyMemory(from: bytes)
        }
    }

    private mutating func compressBlock() {
        let full = block
        withUnsafeBytes(of: full) { compress($0) }
    }

    /// - Parameter blocks: whole ones.
    private mutating func compress(_ blocks: UnsafeRawBufferPointer) {
        if !isPortable, withUnsafeMutablePointer(to: &state, { state in
            state.withMemoryRebound(to: UInt32.self, capacity: 8) {
                sys_sha256($0, blocks.baseAddress, blocks.count / 64) != 0
            }
        }) { return }
        for start in stride(from: 0, to: blocks.count, by: 64) {
            compressOne(UnsafeRawBufferPointer(rebasing: blocks[start..<start + 64]))
        }
    }

    private mutating func compressOne(_ block: UnsafeRawBufferPointer) {
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 64) { w in
            for t in 0..<16 {
                w[t] = UInt32(bigEndian: block.loadUnaligned(fromByteOffset: 4 * t, as: UInt32.self))
            }
            for t in 16..<64 {
                let x = w[t - 15]
                let y = w[t - 2]
                let s0 = SHA256.rotate(x, 7) ^ SHA256.rotate(x, 18) ^ (x >> 3)
                let s1 = SHA256.rotate(y, 17) ^ SHA256.rotate(y, 19) ^ (y >> 10)
                w[t] = w[t - 16] &+ s0 &+ w[t - 7] &+ s1
            }
            var (a, b, c, d, e, f, g, h) = state
            SHA256.constants.withUnsafeBufferPointer { k in
                // Eight rounds at a time: the names rotate instead of the values.
                for t in stride(from: 0, to: 64, by: 8) {
                    SHA256.round(a, b, c, &d, e, f, g, &h, k[t] &+ w[t])
                    SHA256.round(h, a, b, &c, d, e, f, &g, k[t + 1] &+ w[t + 1])
                    SHA256.round(g, h, a, &b, c, d, e, &f, k[t + 2] &+ w[t + 2])
                    SHA256.round(f, g, h, &a, b, c, d, &e, k[t + 3] &+ w[t + 3])
                    SHA256.round(e, f, g, &h, a, b, c, &d, k[t + 4] &+ w[t + 4])
                    SHA256.round(d, e, f, &g, h, a, b, &c, k[t + 5] &+ w[t + 5])
                    SHA256.round(c, d, e, &f, g, h, a, &b, k[t + 6] &+ w[t + 6])
                    SHA256.round(b, c, d, &e, f, g, h, &a, k[t + 7] &+ w[t + 7])
                }
            }
            state = (
                state.0 &+ a, state.1 &+ b, state.2 &+ c, state.3 &+ d,
                state.4 &+ e, state.5 &+ f, state.6 &+ g, state.7 &+ h
            )
        }
    }

    @inline(__always)
    private static func round(
        _ a: UInt32, _ b: UInt32, _ c: UInt32, _ d: inout UInt32, _ e: UInt32, _ f: UInt32, _ g: UInt32,
        _ h: inout UInt32, _ input: UInt32
    ) {
        let sum1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)
        let t1 = h &+ sum1 &+ (g ^ (e & (f ^ g))) &+ input
        let sum0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)
        d = d &+ t1
        h = t1 &+ sum0 &+ ((a & b) | (c & (a | b)))
    }

    @inline(__always)
    private static func rotate(_ x: UInt32, _ n: UInt32) -> UInt32 { x &>> n | x &<< (32 &- n) }

    /// The first 32 bits of the fractional parts of the cube roots of the first 64 primes (FIPS 180-4, 4.2.2).
    private static let constants: [UInt32] = [
        0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
        0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
        0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
        0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
        0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
        0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
        0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
        0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
    ]
}
