import Formats
import Model

/// Which objects are needed here, which are on their way, and what is asked for next.
struct ObjectDemand: Sendable {
    /// Bytes that may be asked for on one connection and not have come, of all objects: what a fast link carries while
    /// the other side looks for more, and fewer pieces than any coordinator lets a host ask for at once.
    static let window: Int64 = 16 << 20
    /// Objects that are fetched at a time from one coordinator: one that stalls keeps no other waiting.
    static let streams = 4
    /// The same where others may have them: those that wait for another host keep none waiting that could come at once.
    static let sharedStreams = 16

    enum Answer {
        case held, locate, awaited
        case impossible(FailureClass, String)
        /// It is made of others: these are needed first, and then it is to be gone on with.
        /// They are asked for on the connection on which that was told.
        case made(of: [Job.Input], then: Making, on: Int?)
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
        /// The host that it comes from; nil: it comes on the connection.
        var source: SharingPlace?
        /// Hosts whose bytes are in it; nil stands for all that came otherwise.
        var givers: Set<SharingPlace?> = []
        /// The connection ended meanwhile.
        var isAlone = false
    }

    private struct Packed: Sendable {
        /// Who told it, and has what it is made of; nil: that ended, while it was being put together.
        var connection: Int?
        var map: Job.Input
        /// Nil: the map was not read yet.
        var packs: [Job.Input]?
        /// Whether that is being done for which nothing is missing.
        var isUnderWay = false
    }

    private var states: [Digest: State] = [:]
    /// What is fetched, in order of its beginning.
    private var fetching: [Digest] = []
    /// Connections to coordinators that know what other hosts have.
    var sharing: Set<Int> = []
    /// Objects that came, by the connection on which they were asked for.
    private var news: [(connection: Int, digest: Digest)] = []
    /// What other hosts were to give, and need not any more.
    private var abandoned: [(connection: Int, failure: SourceFailure)] = []

    mutating func need(_ digest: Digest, size: Int64, from connection: Int?) -> Answer {
        switch states[digest] {
        case nil:
            states[digest] = .locating(size: size)
            return .locate
        case .held: return .held
        case .locating, .fetching: return .awaited
        case .packed(let packed):
            guard !packed.isUnderWay else { return .awaited }
            guard let packs = packed.packs else {
                return .made(of: [packed.map], then: .read(map: packed.map.digest), on: packed.connection)
            }
            // The map again: it may have had to make room in the meantime.
            return .made(of: [packed.map] + packs, then: .unpack(map: packed.map.digest), on: packed.connection)
        case .impossible(let failure, let reason):
            // The next attempt asks again.
            states[digest] = nil
            return .impossible(failure, reason)
        case .absent(let size, let from):
            guard let connection, count(of: connection) < streams(of: connection) else { return .awaited }
            var fetch = Fetch(connection: connection, size: size, received: from, asked: from)
            if from > 0 { fetch.givers = [nil] }
            states[digest] = .fetching(fetch)
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
        // Whoever is asked next may know nothing of packs.
        guard packed.connection != nil else { return states[digest] = nil }
        packed.packs = packs
        packed.isUnderWay = false
        let isTangled = packs.contains { pack in if case .packed = states[pack.digest] { true } else { false } }
        states[digest] = isTangled
            ? .impossible(.spawn, "an input cannot be assembled: its parts are made of other parts")
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

    /// What has to stay though no run asks for it: objects that are being put together, and what they are made of.
    var parts: Set<Digest> {
        var parts: Set<Digest> = []
        for case (let object, .packed(let packed)) in states {
            parts.insert(object)
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

    private func streams(of connection: Int) -> Int {
        sharing.contains(connection) ? ObjectDemand.sharedStreams : ObjectDemand.streams
    }

    func holds(_ digest: Digest) -> Bool { if case .held = states[digest] { true } else { false } }

    mutating func found(_ digest: Digest, _ presence: ObjectPresence) {
        fetching.removeAll { $0 == digest }
        if case .fetching(let fetch) = states[digest] { ended(digest, fetch, presence) }
        switch (presence, states[digest]) {
        case (.complete, _): states[digest] = .held
        case (.impossible(let failure, let reason), _): states[digest] = .impossible(failure, reason)
        case (.damaged(let reason), _):
            states[digest] = .impossible(.spawn, "an input cannot be stored: \(reason)")
        case (.partial(let from), .locating(let size)):
            // The last byte is asked for again, so that a piece always ends a transfer.
            states[digest] = .absent(size: size, from: min(from, max(0, size - 1)))
        case (.partial, _): states[digest] = nil
        }
    }

    private mutating func ended(_ digest: Digest, _ fetch: Fetch, _ presence: ObjectPresence) {
        guard !fetch.isAlone, sharing.contains(fetch.connection) else { return }
        if presence == .complete {
            news.append((fetch.connection, digest))
        } else if let source = fetch.source {
            let failure = SourceFailure(digest: digest, place: source, kind: .abandoned, reason: "it is not kept here")
            abandoned.append((fetch.connection, failure))
        }
    }

    /// What came, and what does not come any more, since this was asked last.
    mutating func takeNews() -> (
        came: [(connection: Int, digest: Digest)], abandoned: [(connection: Int, failure: SourceFailure)]
    ) {
        defer { (news, abandoned) = ([], []) }
        return (news, abandoned)
    }

    mutating func lost(_ digest: Digest) { states[digest] = nil }

    /// The size of the object if this is the piece that comes next; nil: nobody asked for it.
    mutating func received(_ piece: ObjectBytes, on connection: Int) -> Int64? {
        guard case .fetching(let fetch) = states[piece.digest], fetch.connection == connection, fetch.source == nil,
            fetch.received + Int64(piece.bytes.count) <= fetch.asked
        else { return nil }
        return take(piece, fetch)
    }

    private mutating func take(_ piece: ObjectBytes, _ fetch: Fetch) -> Int64? {
        guard piece.offset == fetch.received, !piece.bytes.isEmpty else { return nil }
        var fetch = fetch
        fetch.received += Int64(piece.bytes.count)
        fetch.givers.insert(fetch.source)
        states[piece.digest] = .fetching(fetch)
        return fetch.size
    }

    /// Forgets what was asked of a connection; what came is kept and gone on from.
    mutating func disconnected(_ connection: Int) {
        for digest in fetching {
            guard case .fetching(var fetch) = states[digest], fetch.connection == connection else { continue }
            fetch.isAlone = true
            states[digest] = fetch.source == nil ? nil : .fetching(fetch)
        }
        fetching.removeAll { states[$0] == nil }
        // The next one may know nothing of packs: it is asked for the object itself. What is being put together is.
        for case (let digest, .packed(var packed)) in states where packed.connection == connection {
            packed.connection = nil
            states[digest] = packed.isUnderWay ? .packed(packed) : nil
        }
        sharing.remove(connection)
    }

    mutating func wants() -> [(Int, AgentMessage)] {
        var messages: [(Int, AgentMessage)] = []
        var open = openBytes
        for digest in fetching {
            guard case .fetching(var fetch) = states[digest], fetch.source == nil else { continue }
            // Each object its share: one that comes slowly keeps no other waiting.
            let share = ObjectDemand.window / Int64(streams(of: fetch.connection))
            while fetch.asked < fetch.size, fetch.asked - fetch.received < share,
                open[fetch.connection, default: 0] < ObjectDemand.window {
                let length = min(Int64(ObjectRange.maximumLength), fetch.size - fetch.asked)
                messages.append(
                    (fetch.connection, .want(ObjectRange(digest: digest, offset: fetch.asked, length: Int(length)))))
                fetch.asked += length
                open[fetch.connection, default: 0] += length
            }
            states[digest] = .fetching(fetch)
        }
        return messages
    }

    /// What was asked for on each connection, and has not come.
    private var openBytes: [Int: Int64] {
        var bytes: [Int: Int64] = [:]
        for digest in fetching {
            guard case .fetching(let fetch) = states[digest], fetch.source == nil else { continue }
            bytes[fetch.connection, default: 0] += fetch.asked - fetch.received
        }
        return bytes
    }

    // MARK: From other hosts

    /// Another host has what was asked for on the connection. The object's size and what of it is here; nil: it is
    /// not asked for there, or comes from that host already.
    mutating func elsewhere(_ source: ObjectSource, on connection: Int) -> (size: Int64, offset: Int64)? {
        guard case .fetching(var fetch) = states[source.digest], fetch.connection == connection,
            fetch.received < fetch.size, fetch.source != source.place
        else { return nil }
        fetch.source = source.place
        states[source.digest] = .fetching(fetch)
        return (fetch.size, fetch.received)
    }

    func comes(_ digest: Digest, from place: SharingPlace) -> Bool {
        guard case .fetching(let fetch) = states[digest] else { return false }
        return fetch.source == place && fetch.received < fetch.size
    }

    /// The size of the object if this is the piece that comes next from there.
    mutating func received(_ piece: ObjectBytes, from place: SharingPlace) -> Int64? {
        guard case .fetching(let fetch) = states[piece.digest], fetch.source == place,
            fetch.received + Int64(piece.bytes.count) <= fetch.size
        else { return nil }
        return take(piece, fetch)
    }

    /// The connection on which it is asked for again; nil: it does not come from there any more, or nobody is left.
    mutating func unreached(_ failure: SourceFailure) -> Int? {
        guard case .fetching(var fetch) = states[failure.digest], fetch.source == failure.place,
            fetch.received < fetch.size
        else { return nil }
        fetch.source = nil
        fetch.asked = fetch.received
        return again(failure.digest, fetch)
    }

    /// All came, and is not the object: whom to tell of whom, if other hosts gave of it. It is fetched anew then.
    mutating func damaged(_ digest: Digest, _ reason: String) -> [(Int, SourceFailure)] {
        guard case .fetching(var fetch) = states[digest], fetch.givers.contains(where: { $0 != nil }) else {
            found(digest, .damaged(reason))
            return []
        }
        let kind: SourceFailure.Kind = fetch.givers.count == 1 ? .wrong : .doubtful
        let givers = fetch.givers.compactMap { $0 }.sorted { $0.description < $1.description }
        fetch.source = nil
        fetch.givers = []
        (fetch.received, fetch.asked) = (0, 0)
        guard let connection = again(digest, fetch) else { return [] }
        return givers.map { (connection, SourceFailure(digest: digest, place: $0, kind: kind, reason: reason)) }
    }

    private mutating func again(_ digest: Digest, _ fetch: Fetch) -> Int? {
        guard !fetch.isAlone else {
            states[digest] = nil
            fetching.removeAll { $0 == digest }
            return nil
        }
        states[digest] = .fetching(fetch)
        return fetch.connection
    }
}
