public import Model

/// Appends values to a byte string: integers in base 128 (the low 7 bits first, the high bit saying "more"),
/// everything else with its length in front.
public struct ByteWriter: Sendable {
    public private(set) var bytes: [UInt8] = []

    public init() {}

    public mutating func put(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    /// Signed values are folded (0, -1, 1, -2, ...), so that small ones stay short.
    public mutating func put(_ value: Int64) { put(UInt64(bitPattern: (value << 1) ^ (value >> 63))) }

    public mutating func put(_ value: Int) { put(Int64(value)) }

    public mutating func put(_ value: Bool) { bytes.append(value ? 1 : 0) }

    public mutating func put(_ value: [UInt8]) {
        put(UInt64(value.count))
        bytes.append(contentsOf: value)
    }

    public mutating func put(_ value: String) {
        put(UInt64(value.utf8.count))
        bytes.append(contentsOf: value.utf8)
    }

    /// 32 bytes, without a length.
    public mutating func put(_ value: Digest) { bytes.append(contentsOf: value.bytes) }

    public mutating func put<Value>(_ value: Value?, _ body: (inout ByteWriter, Value) -> Void) {
        put(value != nil)
        if let value { body(&self, value) }
    }

    public mutating func put<Value>(list: [Value], _ body: (inout ByteWriter, Value) -> Void) {
        put(UInt64(list.count))
        for value in list { body(&self, value) }
    }

    /// What `body` writes, with its length in front.
    package mutating func put(measured body: (inout ByteWriter) -> Void) {
        let place = bytes.count
        bytes.append(0)
        body(&self)
        let count = bytes.count - place - 1
        // Most are short, and then nothing has to be moved.
        guard count >= 0x80 else { return bytes[place] = UInt8(count) }
        var length = ByteWriter()
        length.put(UInt64(count))
        bytes.replaceSubrange(place...place, with: length.bytes)
    }
}

/// Takes values from a byte string that nobody vouches for: every length is checked against what is there.
public struct ByteReader: Sendable {
    private let bytes: ArraySlice<UInt8>
    private var position: Int

    public init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        position = bytes.startIndex
    }

    public init(_ bytes: [UInt8]) { self.init(bytes[...]) }

    public var remaining: Int { bytes.endIndex - position }

    public mutating func byte() throws(WireError) -> UInt8 {
        guard position < bytes.endIndex else { throw WireError("a value is cut short") }
        defer { position += 1 }
        return bytes[position]
    }

    public mutating func unsigned() throws(WireError) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 70, by: 7) {
            let next = try byte()
            if shift == 63, next > 1 { break }
            value |= UInt64(next & 0x7f) << shift
            if next & 0x80 == 0 { return value }
        }
        throw WireError("an integer is longer than 64 bits")
    }

    public mutating func signed() throws(WireError) -> Int64 {
        let folded = try unsigned()
        return Int64(bitPattern: folded >> 1) ^ -Int64(bitPattern: folded & 1)
    }

    public mutating func integer() throws(WireError) -> Int { Int(try signed()) }

    /// A number that others are added to or taken from: within bounds, so that no sum of a few can overflow.
    public mutating func integer(in bounds: ClosedRange<Int>) throws(WireError) -> Int {
        let value = try integer()
        guard bounds.contains(value) else { throw WireError("the number \(value) where one of \(bounds) belongs") }
        return value
    }

    /// An amount that cannot be negative: bytes, nanoseconds.
    public mutating func amount() throws(WireError) -> Int64 {
        let value = try signed()
        guard value >= 0 else { throw WireError("the negative amount \(value)") }
        return value
    }

    public mutating func bool() throws(WireError) -> Bool {
        switch try byte() {
        case 0: return false
        case 1: return true
        default: throw WireError("a truth value is neither 0 nor 1")
        }
    }

    public mutating func data() throws(WireError) -> [UInt8] { Array(try slice()) }

    /// Bytes with their length in front, where they are.
    package mutating func slice() throws(WireError) -> ArraySlice<UInt8> {
        let count = try length()
        defer { position += count }
        return bytes[position..<position + count]
    }

    /// All that is left.
    package mutating func rest() -> ArraySlice<UInt8> {
        defer { position = bytes.endIndex }
        return bytes[position...]
    }

    public mutating func string() throws(WireError) -> String {
        guard let text = String(validating: try slice(), as: UTF8.self) else {
            throw WireError("a text is not UTF-8")
        }
        return text
    }

    public mutating func digest() throws(WireError) -> Digest {
        guard remaining >= 32, let digest = Digest(bytes: bytes[position..<position + 32]) else {
            throw WireError("a digest is cut short")
        }
        position += 32
        return digest
    }

    public mutating func optional<Value>(
        _ body: (inout ByteReader) throws(WireError) -> Value
    ) throws(WireError) -> Value? {
        try bool() ? try body(&self) : nil
    }

    public mutating func list<Value>(
        _ body: (inout ByteReader) throws(WireError) -> Value
    ) throws(WireError) -> [Value] {
        // Every element takes at least a byte, so that a hostile count cannot ask for memory that nothing fills.
        let count = try length()
        var values: [Value] = []
        for _ in 0..<count { values.append(try body(&self)) }
        return values
    }

    public func end() throws(WireError) {
        if remaining > 0 { throw WireError("\(remaining) bytes follow the end of a message") }
    }

    private mutating func length() throws(WireError) -> Int {
        let count = try unsigned()
        guard count <= UInt64(remaining) else {
            throw WireError("a length of \(count) where \(remaining) bytes are left")
        }
        return Int(count)
    }
}

/// Bytes from a peer or a file that cannot be read.
public struct WireError: Error, Sendable, Equatable, CustomStringConvertible {
    public var message: String
    /// They are not damaged: a newer program wrote them, and what this one does not know may not be passed over.
    public var isNews: Bool

    public init(_ message: String, isNews: Bool = false) {
        self.message = message
        self.isNews = isNews
    }

    public var description: String { message }
}
