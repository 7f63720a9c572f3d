public import Model

// What coordinator and agents say of objects that go from host to host. Since version 3 of the messages.

/// Asks an agent to give the objects of a sweep to other hosts of it.
public struct SharingTerms: Sendable, Hashable {
    /// Bytes of a key.
    public static let keyLength = 32

    /// What the hosts of the sweep know each other by: made at random by each coordinator, and only in memory.
    public var key: [UInt8]
    /// Where the agent listens; nil: at the address that the coordinator came in on.
    public var address: String?

    public init(key: [UInt8], address: String?) {
        self.key = key
        self.address = address
    }
}

/// Where an agent gives objects.
public struct SharingPlace: Sendable, Hashable, CustomStringConvertible {
    /// An address in digits.
    public var address: String
    public var port: Int

    public init(address: String, port: Int) {
        self.address = address
        self.port = port
    }

    public var description: String { address.contains(":") ? "[\(address)]:\(port)" : "\(address):\(port)" }
}

/// Who has an object that was asked for.
public struct ObjectSource: Sendable, Hashable {
    public var digest: Digest
    public var place: SharingPlace

    public init(digest: Digest, place: SharingPlace) {
        self.digest = digest
        self.place = place
    }
}

/// An object did not come from where it was to come from.
public struct SourceFailure: Error, Sendable, Hashable {
    public enum Kind: Int, Sendable, Hashable, CaseIterable {
        /// No connection, or it broke.
        case unreachable = 1
        /// The two do not know each other's key, or it has too much to do.
        case refused = 2
        /// It does not have the object.
        case absent = 3
        /// Nothing came for a while.
        case stalled = 4
        /// All came, from there alone, and was not the object.
        case wrong = 5
        /// All came, from several, and was not the object.
        case doubtful = 6
        /// It is not wanted any more by who asked for it.
        case abandoned = 7
    }

    public var digest: Digest
    public var place: SharingPlace
    public var kind: Kind
    /// For people.
    public var reason: String

    public init(digest: Digest, place: SharingPlace, kind: Kind, reason: String) {
        self.digest = digest
        self.place = place
        self.kind = kind
        self.reason = reason
    }
}

extension SharingTerms: FieldGroup {
    package func putFields(to writer: inout ByteWriter) {
        writer.field(1, key)
        writer.field(2, address)
    }

    package init(fields: inout FieldDecoder) throws(WireError) {
        self.init(key: try fields.take(1), address: try fields.take(ifAny: 2))
        guard key.count == SharingTerms.keyLength else { throw WireError("a key of \(key.count) bytes") }
        guard (address ?? "").utf8.count <= SharingPlace.longestAddress else { throw WireError("a long address") }
    }
}

extension SharingPlace: FieldGroup {
    /// IPv6 in digits, and the name of an interface.
    public static let longestAddress = 64

    package func putFields(to writer: inout ByteWriter) {
        writer.field(1, address)
        writer.field(2, port)
    }

    package init(fields: inout FieldDecoder) throws(WireError) {
        self.init(address: try fields.take(1), port: try fields.take(2, in: 1...65_535))
        guard address.utf8.count <= SharingPlace.longestAddress else { throw WireError("a long address") }
    }
}

extension ObjectSource: FieldGroup {
    package func putFields(to writer: inout ByteWriter) {
        writer.field(1, digest)
        writer.field(2, place)
    }

    package init(fields: inout FieldDecoder) throws(WireError) {
        self.init(digest: try fields.take(1), place: try fields.take(2))
    }
}

extension SourceFailure: FieldGroup {
    private static let longestReason = 512

    package func putFields(to writer: inout ByteWriter) {
        writer.field(1, digest)
        writer.field(2, place)
        writer.field(3, kind.rawValue)
        writer.field(4, String(reason.prefix(SourceFailure.longestReason)))
    }

    package init(fields: inout FieldDecoder) throws(WireError) {
        let (digest, place): (Digest, SharingPlace) = (try fields.take(1), try fields.take(2))
        // A kind that is younger than this program: the object did not come, whatever the cause.
        let kind = Kind(rawValue: try fields.take(3)) ?? .unreachable
        self.init(digest: digest, place: place, kind: kind, reason: try fields.take(4))
    }
}
