/// What a file or a peer may say where a number belongs: the same bytes but for one integer, which is extreme.
///
/// For formats whose integers are in base 128, folded: see `ByteCoder.swift` and `Fields.swift` of Formats, none of
/// which is used here, so that a mistake of theirs is not made twice.
package enum ExtremeNumbers {
    private static let all: [Int64] = [.min, -1, 0, 1, 1 << 20, 1 << 32, 1 << 40, 1 << 40 + 1, 1 << 62, .max - 1, .max]

    /// Fields, in which every integer is changed, however deep it stands.
    package static func inFields(_ bytes: [UInt8]) -> [[UInt8]] {
        fields(bytes[...]) ?? []
    }

    /// Values by their place, in which an integer begins at every byte, or does not.
    package static func byPlace(_ bytes: [UInt8]) -> [[UInt8]] {
        bytes.indices.flatMap { index -> [[UInt8]] in
            guard let (_, end) = integer(bytes[index...]) else { return [] }
            return changed(bytes[...], index..<end)
        }
    }

    /// nil: these are no fields.
    private static func fields(_ bytes: ArraySlice<UInt8>) -> [[UInt8]]? {
        var found: [[UInt8]] = []
        var place = bytes.startIndex
        while place < bytes.endIndex {
            guard let (key, start) = integer(bytes[place...]), let (value, end) = integer(bytes[start...]) else {
                return nil
            }
            place = end
            guard key & 1 == 1 else {
                found += changed(bytes, start..<end)
                continue
            }
            guard value <= UInt64(bytes.endIndex - end) else { return nil }
            place = end + Int(value)
            let content = bytes[end..<place]
            for other in fields(content) ?? packed(content) {
                found.append(bytes[..<start] + folded(UInt64(other.count)) + other + bytes[place...])
            }
        }
        return found
    }

    /// Integers one behind the other; none where it is a text.
    private static func packed(_ bytes: ArraySlice<UInt8>) -> [[UInt8]] {
        guard bytes.count < 64 else { return [] }
        var found: [[UInt8]] = []
        var place = bytes.startIndex
        while place < bytes.endIndex {
            guard let (_, end) = integer(bytes[place...]) else { return found }
            found += changed(bytes, place..<end)
            place = end
        }
        return found
    }

    private static func changed(_ bytes: ArraySlice<UInt8>, _ range: Range<Int>) -> [[UInt8]] {
        all.map { number in
            let bits = UInt64(bitPattern: number << 1 ^ number >> 63)
            return bytes[..<range.lowerBound] + folded(bits) + bytes[range.upperBound...]
        }
    }

    private static func integer(_ bytes: ArraySlice<UInt8>) -> (value: UInt64, end: Int)? {
        var value: UInt64 = 0
        for (count, byte) in bytes.prefix(10).enumerated() {
            value |= UInt64(byte & 0x7f) << (7 * UInt64(count))
            if byte < 0x80 { return (value, bytes.startIndex + count + 1) }
        }
        return nil
    }

    private static func folded(_ bits: UInt64) -> [UInt8] {
        var (rest, bytes) = (bits, [UInt8]())
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }
}
