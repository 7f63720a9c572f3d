/// The SHA-256 of some bytes: the name of every file, recipe and point.
public struct Digest: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// Four big-endian words, so that comparing and hashing need no array.
    private var a, b, c, d: UInt64

    /// - Parameter bytes: exactly 32.
    public init?(bytes: some Collection<UInt8>) {
        let bytes = Array(bytes)
        guard bytes.count == 32 else { return nil }
        (a, b, c, d) = bytes.withUnsafeBytes { bytes in
            func word(_ index: Int) -> UInt64 {
                UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8 * index, as: UInt64.self))
            }
            return (word(0), word(1), word(2), word(3))
        }
    }

    /// - Parameter hex: exactly 64 lower-case hexadecimal digits.
    public init?(hex: some StringProtocol) {
        let digits = Array(hex.utf8)
        guard digits.count == 64 else { return nil }
        var bytes: [UInt8] = []
        for pair in stride(from: 0, to: 64, by: 2) {
            guard let high = Digest.value(digits[pair]), let low = Digest.value(digits[pair + 1]) else { return nil }
            bytes.append(high << 4 | low)
        }
        self.init(bytes: bytes)
    }

    /// All that stand in a text in hexadecimal digits, each as a word of its own.
    public static func all(in text: [UInt8]) -> Set<Digest> {
        let words = text.split { !(0x30...0x39 ~= $0 || 0x61...0x66 ~= $0) }
        return Set(words.compactMap { $0.count == 64 ? Digest(hex: String(decoding: $0, as: UTF8.self)) : nil })
    }

    init(words: (UInt64, UInt64, UInt64, UInt64)) { (a, b, c, d) = words }

    public var bytes: [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 32) { buffer, count in
            for index in 0..<32 { buffer.initializeElement(at: index, to: byte(index)) }
            count = 32
        }
    }

    public var hex: String {
        String(unsafeUninitializedCapacity: 64) { buffer in
            for index in 0..<32 {
                let byte = byte(index)
                buffer.initializeElement(at: 2 * index, to: Digest.digit(byte >> 4))
                buffer.initializeElement(at: 2 * index + 1, to: Digest.digit(byte & 15))
            }
            return 64
        }
    }

    /// The first 8 bytes.
    public var beginning: UInt64 { a }

    private func byte(_ index: Int) -> UInt8 {
        let word =
            switch index >> 3 {
            case 0: a
            case 1: b
            case 2: c
            default: d
            }
        return UInt8(truncatingIfNeeded: word >> UInt64(56 - 8 * (index & 7)))
    }

    private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x57 + value }

    /// The first 12 digits: enough for people.
    public var short: String { String(hex.prefix(12)) }

    public var description: String { hex }

    public static func < (left: Digest, right: Digest) -> Bool {
        (left.a, left.b, left.c, left.d) < (right.a, right.b, right.c, right.d)
    }

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}
