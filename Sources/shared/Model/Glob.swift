/// A pattern for names: `*` matches any characters, including none and including dots; `?` matches one character;
/// everything else matches itself.
public struct Glob: Sendable, Hashable {
    private let pattern: [UInt8]

    public init(_ pattern: String) { self.pattern = Array(pattern.utf8) }

    /// What stands behind the last wildcard.
    package var tail: ArraySlice<UInt8> {
        let wildcard = pattern.lastIndex { $0 == UInt8(ascii: "*") || $0 == UInt8(ascii: "?") }
        return pattern[(wildcard.map { $0 + 1 } ?? 0)...]
    }

    public func matches(_ name: String) -> Bool {
        var name = name
        return name.withUTF8 { matches($0.span.bytes) }
    }

    /// In time proportional to the name's length times the number of stars, at worst the product of both lengths.
    package func matches(_ name: RawSpan) -> Bool {
        func byte(_ offset: Int) -> UInt8 { name.unsafeLoad(fromByteOffset: offset, as: UInt8.self) }
        var (next, position) = (0, 0)
        // Where the last star stands, and up to where it reaches: only the last one ever has to be tried again.
        var star = -1
        var reach = 0
        while position < name.byteCount {
            if next < pattern.count, pattern[next] == UInt8(ascii: "*") {
                (star, reach) = (next, position)
                next += 1
            } else if next < pattern.count, pattern[next] == UInt8(ascii: "?") || pattern[next] == byte(position) {
                next += 1
                position += 1
            } else if star >= 0 {
                reach += 1
                (next, position) = (star + 1, reach)
            } else {
                return false
            }
        }
        return pattern[next...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
