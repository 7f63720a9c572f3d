extension UInt8 {
    package static let newline = UInt8(ascii: "\n")
    package static let carriageReturn = UInt8(ascii: "\r")
    package static let space = UInt8(ascii: " ")
    package static let dash = UInt8(ascii: "-")
    package static let bar = UInt8(ascii: "|")
    package static let hash = UInt8(ascii: "#")
}

/// Looking for bytes eight at a time: lines of statistics are long, and what interests in them is short.
extension RawSpan {
    @inline(__always)
    package subscript(offset: Int) -> UInt8 { unsafeLoad(fromByteOffset: offset, as: UInt8.self) }

    /// The offset of the first `byte` from `start` on; the span's length, if there is none.
    @inline(__always)
    package func offset(of byte: UInt8, from start: Int) -> Int {
        let wanted = UInt64(byte) &* 0x0101_0101_0101_0101
        var offset = start
        while offset &+ 8 <= byteCount {
            // A byte of the difference is zero where the bytes are the same (Hacker's Delight, 6-1).
            let difference = word(at: offset) ^ wanted
            let zeros = (difference &- 0x0101_0101_0101_0101) & ~difference & 0x8080_8080_8080_8080
            if zeros != 0 { return offset &+ zeros.trailingZeroBitCount >> 3 }
            offset &+= 8
        }
        while offset < byteCount, self[offset] != byte { offset &+= 1 }
        return Swift.min(offset, byteCount)
    }

    /// The offset of the first byte from `start` on that is no space; the span's length, if there is none.
    @inline(__always)
    package func offsetAfterSpaces(from start: Int) -> Int {
        var offset = start
        while offset &+ 8 <= byteCount {
            let difference = word(at: offset) ^ 0x2020_2020_2020_2020
            if difference != 0 { return offset &+ difference.trailingZeroBitCount >> 3 }
            offset &+= 8
        }
        while offset < byteCount, self[offset] == .space { offset &+= 1 }
        return offset
    }

    package func starts(with other: RawSpan, at start: Int) -> Bool {
        guard byteCount &- start >= other.byteCount else { return false }
        var offset = 0
        while offset < other.byteCount, self[start &+ offset] == other[offset] { offset &+= 1 }
        return offset == other.byteCount
    }

    package func starts(with text: StaticString) -> Bool {
        guard byteCount >= text.utf8CodeUnitCount else { return false }
        return (0..<text.utf8CodeUnitCount).allSatisfy { self[$0] == text.utf8Start[$0] }
    }

    @inline(__always)
    private func word(at offset: Int) -> UInt64 {
        UInt64(littleEndian: unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self))
    }
}
