package import Model

// How what people may want to read is kept in the ledger: the specification and the inventory, as JSON (RFC 8259). An
// object has the member `version` where it is a document of its own; names of members are in the code that writes them
// and follow from no declaration. A member that is false, empty or nothing is left out. A member that this program does
// not know is refused: what a newer one has written there says something about the sweep. So a new key needs no new
// version: who does not use it can still be read by older programs, who uses it cannot.

/// What a member of a document holds.
package protocol DocumentValue {
    var json: JSON { get }
    init(_ json: JSON) throws(WireError)
}

/// An object, as it is written.
package struct DocumentWriter {
    private var members: [JSON.Member] = []

    package init() {}

    package var json: JSON { .object(members) }

    /// nil writes nothing.
    package mutating func put<Value: DocumentValue>(_ name: String, _ value: Value?) {
        if let value { members.append(JSON.Member(name, value.json)) }
    }

    package mutating func put<Value: DocumentValue>(unlessEmpty name: String, _ values: [Value]) {
        if !values.isEmpty { put(name, values) }
    }

    package mutating func put(ifTrue name: String, _ value: Bool) {
        if value { put(name, value) }
    }
}

/// An object, as it is read: each member once, and none may be left.
package struct DocumentReader {
    private var members: [JSON.Member]

    package init(_ json: JSON) throws(WireError) {
        guard case .object(let members) = json else { throw WireError("a value that is not an object") }
        self.members = members
    }

    package mutating func take<Value: DocumentValue>(_ name: String) throws(WireError) -> Value {
        guard let value: Value = try take(ifAny: name) else { throw WireError("'\(name)' is missing") }
        return value
    }

    package mutating func take<Value: DocumentValue>(ifAny name: String) throws(WireError) -> Value? {
        guard let index = members.firstIndex(where: { $0.name == name }) else { return nil }
        do {
            return try Value(members.remove(at: index).value)
        } catch {
            throw WireError("'\(name)': \(error.message)", isNews: error.isNews)
        }
    }

    /// A number that others are added to or multiplied with.
    package mutating func take(_ name: String, in bounds: ClosedRange<Int>) throws(WireError) -> Int {
        let value: Int = try take(name)
        guard bounds.contains(value) else { throw WireError("'\(name)': \(value) where one of \(bounds) belongs") }
        return value
    }

    package mutating func take<Value: DocumentValue>(list name: String) throws(WireError) -> [Value] {
        try take(ifAny: name) ?? []
    }

    package mutating func take(flag name: String) throws(WireError) -> Bool { try take(ifAny: name) ?? false }

    /// No member is left that nobody has taken.
    package func end() throws(WireError) {
        guard let first = members.first else { return }
        throw WireError("the unknown member '\(Names.shown(first.name))'", isNews: true)
    }
}

extension DocumentReader {
    /// A document with its version, which is taken; 1 where it has none.
    package static func open(_ text: String, newest: Int) throws(WireError) -> (version: Int, document: JSON) {
        let json: JSON
        do { json = try JSON(parsing: text) } catch { throw WireError("it is not JSON: \(error)") }
        var reader = try DocumentReader(json)
        let version: Int = try reader.take(ifAny: "version") ?? 1
        guard version <= newest else { throw WireError("version \(version) of it", isNews: true) }
        return (version, .object(reader.members))
    }
}

extension String: DocumentValue {
    package var json: JSON { .string(self) }
    package init(_ json: JSON) throws(WireError) {
        guard let text = json.text else { throw WireError("a value that is not text") }
        self = text
    }
}

extension Int64: DocumentValue {
    package var json: JSON { .integer(self) }
    package init(_ json: JSON) throws(WireError) {
        guard let integer = json.integer else { throw WireError("a value that is not a whole number of 64 bits") }
        self = integer
    }
}

extension Int: DocumentValue {
    package var json: JSON { .integer(self) }
    package init(_ json: JSON) throws(WireError) { self = Int(try Int64(json)) }
}

extension UInt16: DocumentValue {
    package var json: JSON { .integer(self) }
    package init(_ json: JSON) throws(WireError) {
        guard let number = UInt16(exactly: try Int64(json)) else { throw WireError("a number out of bounds") }
        self = number
    }
}

extension Bool: DocumentValue {
    package var json: JSON { .bool(self) }
    package init(_ json: JSON) throws(WireError) {
        guard case .bool(let value) = json else { throw WireError("a value that is neither true nor false") }
        self = value
    }
}

extension Digest: DocumentValue {
    package var json: JSON { .string(hex) }
    package init(_ json: JSON) throws(WireError) {
        guard let digest = json.text.flatMap({ Digest(hex: $0) }) else {
            throw WireError("a value that is not a SHA-256")
        }
        self = digest
    }
}

extension Array: DocumentValue where Element: DocumentValue {
    package var json: JSON { .array(map(\.json)) }
    package init(_ json: JSON) throws(WireError) {
        guard let elements = json.elements else { throw WireError("a value that is not a list") }
        self = []
        for element in elements { append(try Element(element)) }
    }
}

extension EnvironmentVariable: DocumentValue {
    package var json: JSON {
        var writer = DocumentWriter()
        writer.put("name", name)
        writer.put("value", value)
        return writer.json
    }

    package init(_ json: JSON) throws(WireError) {
        var reader = try DocumentReader(json)
        self.init(try reader.take("name"), try reader.take("value"))
        try reader.end()
    }
}
