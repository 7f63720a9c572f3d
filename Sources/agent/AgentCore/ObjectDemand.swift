import Formats
import Model

/// Which objects are needed here, which are on their way, and what is asked for next.
struct ObjectDemand: Sendable {
    /// Bytes of one object that may be asked for and not have come.
    static let window: Int64 = 1 << 20
    /// Objects that are fetched at a time from one coordinator: one that stalls keeps no other waiting.
    static let streams = 4

    enum Answer {
        case held, locate, awaited
        case impossible(FailureClass, String)
        /// It is made of others: these are needed first, and then it is to be gone on with.
        case made(of: [Job.Input], then: Making)
    }

    /// What is done with the parts of an object when they are here.
    enum Making {
        /// Its map is to be read.
        case read(map: Digest)
        /// It is to be put together.
        case unpack(map: Digest)
    }

    private enum State: Sendable {
        case locating(size: Int64)
        /// Not under way: nobody is connected who has it, or others come first.
        case absent(size: Int64, from: Int64)
        case fetching(Fetch)
        /// The coordinator has told its map.
        case packed(Packed)
        case held
        case impossible(FailureClass, String)
    }

    private struct Fetch: Sendable {
        var connection: Int
        var size: Int64
        /// Bytes that are here, and bytes that were asked for, both from the beginning.
        var received: Int64
        var asked: Int64
    }

    private struct Packed: Sendable {
        /// Who told it, and has what it is made of.
        var connection: Int
        var map: Job.Input
        /// Nil: the map was not read yet.
        var packs: [Job.Input]?
        /// Whether that is being done for which nothing is missing.
        var isUnderWay = false
    }

    private var states: [Digest: State] = [:]
    /// What is fetched, in order of its beginning.
    private var fetching: [Digest] = []

    mutating func need(_ digest: Digest, size: Int64, from connection: Int?) -> Answer {
        switch states[digest] {
        case nil:
            states[digest] = .locating(size: size)
            return .locate
        case .held: return .held
        case .locating, .fetching: return .awaited
        case .packed(let packed):
            guard !packed.isUnderWay else { return .awaited }
            guard let packs = packed.packs else { return .made(of: [packed.map], then: .read(map: packed.map.digest)) }
            // The map again: it may have had to make room in the meantime.
            return .made(of: [packed.map] + packs, then: .unpack(map: packed.map.digest))
        case .impossible(let failure, let reason):
            // The next attempt asks again.
            states[digest] = nil
            return .impossible(failure, reason)
        case .absent(let size, let from):
            guard let connection, count(of: connection) < ObjectDemand.streams else { return .awaited }
            states[digest] = .fetching(Fetch(connection: connection, size: size, received: from, asked: from))
            fetching.append(digest)
            return .awaited
        }
    }

    /// All that an object is made of is here, and it is gone on with.
    mutating func begin(_ digest: Digest) {
        guard case .packed(var packed) = states[digest] else { return }
        packed.isUnderWay = true
        states[digest] = .packed(packed)
    }

    /// What an object is made of, once its map was read.
    mutating func mapped(_ digest: Digest, _ packs: [Job.Input]) {
        guard case .packed(var packed) = states[digest] else { return }
        packed.packs = packs
        packed.isUnderWay = false
        let isTangled = packs.contains { pack in if case .packed = states[pack.digest] { true } else { false } }
        states[digest] = isTangled
            ? .impossible(.spawn, "an input cannot be put together: what it is made of is made of others")
            : .packed(packed)
    }

    /// The coordinator says that an object is to be made of others. What comes later of the same is not news.
    mutating func received(_ packed: PackedObject, on connection: Int) {
        // What others are made of is not made of others itself.
        guard case .fetching(let fetch) = states[packed.object], fetch.connection == connection,
            packed.map != packed.object, !parts.contains(packed.object)
        else { return }
        fetching.removeAll { $0 == packed.object }
        states[packed.object] = .packed(
            Packed(connection: connection, map: Job.Input(path: "", digest: packed.map, size: packed.mapSize)))
    }

    /// What objects are made of that are not whole yet: it has to stay.
    var parts: Set<Digest> {
        var parts: Set<Digest> = []
        for case .packed(let packed) in states.values {
            parts.insert(packed.map.digest)
            parts.formUnion((packed.packs ?? []).map(\.digest))
        }
        return parts
    }

    private func count(of connection: Int) -> Int {
        fetching.count { digest in
            if case .fetching(let fetch) = states[digest] { fetch.connection == connection } else { false }
        }
    }

    mutating func found(_ digest: Digest, _ presence: ObjectPresence) {
        fetching.removeAll { $0 == digest }
        switch (presence, states[digest]) {
        case (.complete, _): states[digest] = .held
        case (.impossible(let failure, let reason), _): states[digest] = .impossible(failure, reason)
        case (.partial(let from), .locating(let size)):
            // The last byte is asked for again, so that a piece always ends a transfer.
            states[digest] = .absent(size: size, from: min(from, max(0, size - 1)))
        case (.partial, _): states[digest] = nil
        }
    }

    mutating func lost(_ digest: Digest) { states[digest] = nil }

    /// The size of the object if this is the piece that comes next; nil: nobody asked for it.
    mutating func received(_ piece: ObjectBytes, on connection: Int) -> Int64? {
        guard case .fetching(var fetch) = states[piece.digest], fetch.connection == connection,
            piece.offset == fetch.received, fetch.received + Int64(piece.bytes.count) <= fetch.asked,
            !piece.bytes.isEmpty
        else { return nil }
        fetch.received += Int64(piece.bytes.count)
        states[piece.digest] = .fetching(fetch)
        return fetch.size
    }

    /// Forgets what was asked of a connection; what came is kept and gone on from.
    mutating func disconnected(_ connection: Int) {
        for digest in fetching {
            guard case .fetching(let fetch) = states[digest], fetch.connection == connection else { continue }
            states[digest] = nil
        }
        fetching.removeAll { states[$0] == nil }
        // The next one may know nothing of packs: it is asked for the object itself. What is being put together is.
        states = states.filter { _, state in
            if case .packed(let packed) = state { packed.isUnderWay || packed.connection != connection } else { true }
        }
    }

    mutating func wants() -> [(Int, AgentMessage)] {
        var messages: [(Int, AgentMessage)] = []
        for digest in fetching {
            guard case .fetching(var fetch) = states[digest] else { continue }
            while fetch.asked < fetch.size, fetch.asked - fetch.received < ObjectDemand.window {
                let length = min(Int64(ObjectRange.maximumLength), fetch.size - fetch.asked)
                messages.append(
                    (fetch.connection, .want(ObjectRange(digest: digest, offset: fetch.asked, length: Int(length)))))
                fetch.asked += length
            }
            states[digest] = .fetching(fetch)
        }
        return messages
    }
}
