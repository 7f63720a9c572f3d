// How everything stands in journals, ledgers and messages since version 2: as fields, each with a number of its own, in
// the order of these numbers. A field is
//
//     key     number << 2 | mustBeKnown << 1 | isBytes, in base 128
//     value   an integer (base 128, folded), or with isBytes a length and so many bytes: a text, a digest, or fields
//
// so that whoever does not know a number can pass over it, unless its key says that it must be known. What a field is
// called in Swift, or where it stands in its type, is in no file. The rules of change are in the manual's page Formats:
// a number keeps its meaning for ever; a new field is optional, as older programs do not write it; it is marked
// `mustBeKnown` where an older program that passed over it would do something wrong.

/// A value of a field.
package protocol FieldValue {
    /// Whether it has its length in front.
    static var isBytes: Bool { get }
    func put(to writer: inout ByteWriter)
    init(_ reader: inout ByteReader) throws(WireError)
}

/// A value that has fields itself.
package protocol FieldGroup: FieldValue {
    /// Writes the fields, by ascending numbers.
    func putFields(to writer: inout ByteWriter)
    /// Takes the fields, by ascending numbers.
    init(fields: inout FieldDecoder) throws(WireError)
}

extension FieldGroup {
    package static var isBytes: Bool { true }

    package func put(to writer: inout ByteWriter) { writer.put(measured: putFields) }

    package init(_ reader: inout ByteReader) throws(WireError) {
        var fields = try FieldDecoder(try reader.slice())
        try self.init(fields: &fields)
        try fields.end()
    }
}

// MARK: Writing

extension ByteWriter {
    /// A field that may be missing: nil writes nothing.
    package mutating func field<Value: FieldValue>(_ number: Int, _ value: Value?, mustBeKnown: Bool = false) {
        guard let value else { return }
        put(UInt64(number) << 2 | (mustBeKnown ? 2 : 0) | (Value.isBytes ? 1 : 0))
        value.put(to: &self)
    }

    /// A field for each of them, all of one number.
    package mutating func fields<Value: FieldValue>(_ number: Int, _ values: [Value], mustBeKnown: Bool = false) {
        for value in values { field(number, value, mustBeKnown: mustBeKnown) }
    }
}

extension Array where Element: FieldValue {
    /// In order, as many at a time as one frame holds as fields beside a few others, however large each is.
    package var framefuls: [[Element]] {
        var parts: [[Element]] = []
        var size = 0
        for element in self {
            var field = ByteWriter()
            field.field(1, element)
            size += field.bytes.count
            if size > Frame.maximumLength - 64 || parts.isEmpty {
                parts.append([])
                size = field.bytes.count
            }
            parts[parts.count - 1].append(element)
        }
        return parts
    }
}

// MARK: Reading

/// Takes fields by number, in ascending order. Those between that nobody asks for are passed over.
package struct FieldDecoder {
    private struct Key {
        var number: UInt64
        var mustBeKnown: Bool
        var isBytes: Bool
    }

    private var reader: ByteReader
    /// Of the field whose value comes next; nil: none is left.
    private var next: Key?
    private var taken: UInt64 = 0

    package init(_ bytes: ArraySlice<UInt8>) throws(WireError) {
        reader = ByteReader(bytes)
        try advance()
    }

    /// - Throws: ``WireError`` where it is missing.
    package mutating func take<Value: FieldValue>(_ number: Int) throws(WireError) -> Value {
        guard let value: Value = try take(ifAny: number) else { throw WireError("field \(number) is missing") }
        return value
    }

    package mutating func take<Value: FieldValue>(ifAny number: Int) throws(WireError) -> Value? {
        guard try find(number) else { return nil }
        return try value()
    }

    /// All of that number.
    package mutating func take<Value: FieldValue>(all number: Int) throws(WireError) -> [Value] {
        var values: [Value] = []
        while try find(number) { values.append(try value()) }
        return values
    }

    /// The fields of a group, for whoever needs a few of them: the rest is not read.
    package mutating func group(_ number: Int) throws(WireError) -> FieldDecoder {
        guard try find(number), let key = next else { throw WireError("field \(number) is missing") }
        guard key.isBytes else { throw WireError("a field of another type") }
        let fields = try FieldDecoder(try reader.slice())
        taken = key.number
        try advance()
        return fields
    }

    /// The fields that are left are none that must be known.
    package mutating func end() throws(WireError) {
        while next != nil { try pass() }
    }

    private mutating func find(_ number: Int) throws(WireError) -> Bool {
        while let key = next, key.number < UInt64(number) { try pass() }
        return next?.number == UInt64(number)
    }

    private mutating func value<Value: FieldValue>() throws(WireError) -> Value {
        guard let key = next, key.isBytes == Value.isBytes else { throw WireError("a field of another type") }
        let value = try Value(&reader)
        taken = key.number
        try advance()
        return value
    }

    private mutating func pass() throws(WireError) {
        guard let key = next else { return }
        guard key.number != taken else { throw WireError("field \(key.number) comes twice") }
        guard !key.mustBeKnown else { throw WireError("the unknown field \(key.number)", isNews: true) }
        if key.isBytes { _ = try reader.slice() } else { _ = try reader.unsigned() }
        try advance()
    }

    private mutating func advance() throws(WireError) {
        guard reader.remaining > 0 else { return next = nil }
        let key = try reader.unsigned()
        guard key >> 2 > 0, key >> 2 >= next?.number ?? 0 else { throw WireError("fields out of their order") }
        next = Key(number: key >> 2, mustBeKnown: key & 2 != 0, isBytes: key & 1 != 0)
    }
}
