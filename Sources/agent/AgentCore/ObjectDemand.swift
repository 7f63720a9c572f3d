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
    }

    private enum State: Sendable {
        case locating(size: Int64)
        /// Not under way: nobody is connected who has it, or others come first.
        case absent(size: Int64, from: Int64)
        case fetching(Fetch)
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
