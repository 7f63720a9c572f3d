public import Formats
public import Model

// How an object goes from one agent to another: one connection, one object, all lengths but that of the object fixed.
//
//     the one that wants it    magic 8, sweep 32, nonce 32
//     the one that has it      nonce 32, proof 32
//     the one that wants it    proof 32, digest 32, offset 8 (little-endian)
//     the one that has it      status 1, size 8 (little-endian), and the bytes from the offset on
//
// A proof is the HMAC, under the key that the sweep's coordinator gave both, of who proves it, the sweep and both
// nonces, and on the asking side also of what is asked for. Each side draws its nonce anew for each connection, so
// that what was heard on one is of no use on another. Contents are not encrypted; the digest tells that they are right.

enum PeerWire {
    static let magic = Array("uswpeer1".utf8)
    static let nonceLength = 32
    static let greetingLength = magic.count + 32 + nonceLength
    static let answerLength = nonceLength + 32
    static let requestLength = 32 + 32 + 8
    static let headLength = 1 + 8

    /// By what name a sweep is asked for: its identifier says nothing to others.
    static func tag(_ sweep: String) -> Digest { SHA256.digest("usweep sweep \(sweep)") }

    static func giverProof(_ key: [UInt8], _ tag: Digest, _ asker: [UInt8], _ giver: [UInt8]) -> [UInt8] {
        HMAC.code(Array("usweep peer: gives".utf8) + tag.bytes + asker + giver, key: key).bytes
    }

    static func askerProof(
        _ key: [UInt8], _ tag: Digest, _ asker: [UInt8], _ giver: [UInt8], _ request: [UInt8]
    ) -> [UInt8] {
        HMAC.code(Array("usweep peer: asks".utf8) + tag.bytes + asker + giver + request, key: key).bytes
    }

    static func number(_ value: Int64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * Int64($0))) }
    }

    static func number(_ bytes: some Collection<UInt8>) -> Int64 {
        bytes.reversed().reduce(0) { $0 << 8 | Int64($1) }
    }
}

/// An object that is to come from another host.
public struct PeerFetch: Sendable, Hashable {
    public var sweep: String
    public var key: [UInt8]
    public var source: ObjectSource
    /// Of the whole object, and how much of it is here.
    public var size: Int64
    public var offset: Int64

    public init(sweep: String, key: [UInt8], source: ObjectSource, size: Int64, offset: Int64) {
        self.sweep = sweep
        self.key = key
        self.source = source
        self.size = size
        self.offset = offset
    }
}

/// The side that wants an object: what it says, and what it makes of what it hears.
public struct PeerAsker: Sendable {
    private enum Phase: Sendable {
        case answer, head, content
    }

    /// What is to be done with what came.
    public struct Step: Sendable {
        public var say: [UInt8] = []
        /// Bytes of the object.
        public var content: ArraySlice<UInt8> = []
    }

    private let fetch: PeerFetch
    private let nonce: [UInt8]
    private var phase = Phase.answer
    private var buffer: [UInt8] = []
    /// Bytes of the object that are still to come.
    public private(set) var missing: Int64

    /// - Parameter nonce: 32 bytes by chance.
    public init(_ fetch: PeerFetch, nonce: [UInt8]) {
        self.fetch = fetch
        self.nonce = nonce
        missing = fetch.size - fetch.offset
    }

    public var greeting: [UInt8] { PeerWire.magic + PeerWire.tag(fetch.sweep).bytes + nonce }
    public var hasAll: Bool { missing == 0 }

    /// - Throws: ``SourceFailure`` for what is not the object, or was not said by who has the key.
    public mutating func receive(_ bytes: [UInt8]) throws(SourceFailure) -> Step {
        var step = Step()
        var rest = bytes[...]
        while !rest.isEmpty {
            switch phase {
            case .answer:
                guard let answer = take(PeerWire.answerLength, of: &rest) else { break }
                let giver = Array(answer[..<PeerWire.nonceLength])
                let tag = PeerWire.tag(fetch.sweep)
                let proof = PeerWire.giverProof(fetch.key, tag, nonce, giver)
                guard HMAC.isEqual(proof, answer[PeerWire.nonceLength...]) else {
                    throw failure(.refused, "it does not know the key of the sweep")
                }
                let request = fetch.source.digest.bytes + PeerWire.number(fetch.offset)
                step.say += PeerWire.askerProof(fetch.key, tag, nonce, giver, request) + request
                phase = .head
            case .head:
                guard let head = take(PeerWire.headLength, of: &rest) else { break }
                guard head[0] == 0 else { throw failure(.absent, "it does not have the object") }
                guard PeerWire.number(head[1...]) == fetch.size else {
                    throw failure(.wrong, "its copy of the object has another length")
                }
                phase = .content
            case .content:
                guard Int64(rest.count) <= missing else {
                    throw failure(.wrong, "it sent more bytes than the object has")
                }
                missing -= Int64(rest.count)
                step.content = rest
                rest = []
            }
        }
        return step
    }

    public func failure(_ kind: SourceFailure.Kind, _ reason: String) -> SourceFailure {
        SourceFailure(digest: fetch.source.digest, place: fetch.source.place, kind: kind, reason: reason)
    }

    /// So many bytes when they are all there.
    private mutating func take(_ count: Int, of rest: inout ArraySlice<UInt8>) -> [UInt8]? {
        let part = rest.prefix(count - buffer.count)
        buffer += part
        rest = rest.dropFirst(part.count)
        guard buffer.count == count else { return nil }
        defer { buffer = [] }
        return buffer
    }
}

/// The side that has objects: what it makes of what a connection says that nobody vouches for.
public struct PeerGiver: Sendable {
    private enum Phase: Sendable {
        case greeting
        case request(tag: Digest, key: [UInt8], nonce: [UInt8])
        case done
    }

    public enum Step: Sendable, Hashable {
        case nothing
        case say([UInt8])
        /// Asked by who has the key of the sweep of this tag.
        case give(tag: Digest, Digest, offset: Int64)
        /// It is none of ours: nothing is said to it.
        case drop(reason: String)
    }

    private let nonce: [UInt8]
    private var phase = Phase.greeting
    private var buffer: [UInt8] = []

    /// - Parameter nonce: 32 bytes by chance.
    public init(nonce: [UInt8]) { self.nonce = nonce }

    /// How many bytes may be read from it now: never more than it has to say next.
    public var appetite: Int {
        switch phase {
        case .greeting: PeerWire.greetingLength - buffer.count
        case .request: PeerWire.requestLength - buffer.count
        case .done: 0
        }
    }

    /// - Parameter key: of the sweep with a tag; nil: it is not shared here.
    public mutating func receive(_ bytes: [UInt8], key: (_ tag: Digest) -> [UInt8]?) -> Step {
        guard bytes.count <= appetite else { return .drop(reason: "it sent more than was asked for") }
        buffer += bytes
        guard appetite == 0 else { return .nothing }
        defer { buffer = [] }
        switch phase {
        case .greeting:
            let start = PeerWire.magic.count
            guard buffer.starts(with: PeerWire.magic), let tag = Digest(bytes: buffer[start..<start + 32]),
                let key = key(tag)
            else { return .drop(reason: "it asks for a sweep that is not shared here") }
            let asker = Array(buffer[(start + 32)...])
            phase = .request(tag: tag, key: key, nonce: asker)
            return .say(nonce + PeerWire.giverProof(key, tag, asker, nonce))
        case .request(let tag, let key, let asker):
            phase = .done
            let request = Array(buffer[32...])
            guard HMAC.isEqual(PeerWire.askerProof(key, tag, asker, nonce, request), buffer[..<32]),
                let digest = Digest(bytes: request[..<32])
            else { return .drop(reason: "it does not know the key of the sweep") }
            let offset = PeerWire.number(request[32...])
            return offset < 0 ? .drop(reason: "it asks for no object") : .give(tag: tag, digest, offset: offset)
        case .done: return .drop(reason: "it sent more than was asked for")
        }
    }

    /// What goes before the bytes of an object; nil: it is not here, or not for this sweep.
    public static func head(size: Int64?) -> [UInt8] { [size == nil ? 1 : 0] + PeerWire.number(size ?? 0) }
}
