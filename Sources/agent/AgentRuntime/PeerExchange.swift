import AgentCore
import Formats
import Model
import Ports

/// The connections with other hosts' agents: what is fetched from them, and what is given to them. All of it in small
/// pieces between the agent's other work, with limits for who is not known yet.
struct PeerExchange {
    /// Connections that have not shown that they know the key, and how long each may take for it.
    static let mostStrangers = 8
    static let strangersTime: Nanoseconds = 5_000_000_000
    /// Connections that objects are given to.
    static let mostGiven = 16
    /// How long nothing may come, or be taken.
    static let patience: Nanoseconds = 5_000_000_000
    private static let piece = 256 * 1024

    private struct Asking {
        var stream: any PeerStream
        var asker: PeerAsker
        var fetch: PeerFetch
        /// Where the next bytes stand.
        var offset: Int64
        var heardAt: Nanoseconds
    }

    private struct Giving {
        var stream: any PeerStream
        var giver: PeerGiver
        /// What is given; nil: it is not known yet who asks for what.
        var file: FileHandle?
        var offset: Int64 = 0
        var size: Int64 = 0
        /// No more is said to it.
        var isEnding = false
        var deadline: Nanoseconds
    }

    private let network: any PeerNetwork
    private let files: any Files
    private let log: (StaticString, String) -> Void
    private var askings: [Digest: Asking] = [:]
    private var givings: [Int: Giving] = [:]
    private var nextGiving = 1

    init(_ network: any PeerNetwork, _ files: any Files, log: @escaping (StaticString, String) -> Void) {
        self.network = network
        self.files = files
        self.log = log
    }

    /// The streams, and whether more is to be read from each now.
    var streams: [(stream: any PeerStream, reads: Bool)] {
        askings.sorted { $0.key < $1.key }.map { ($0.value.stream, true) }
            + givings.sorted { $0.key < $1.key }.map { ($0.value.stream, $0.value.giver.appetite > 0) }
    }

    /// When ``step(now:isReady:_:)`` is to be called though nothing came.
    var nextDeadline: Nanoseconds? {
        (askings.values.map { $0.heardAt + PeerExchange.patience } + givings.values.map(\.deadline)).min()
    }

    /// Whether a stream would take more of what is given at once.
    var hasMore: Bool { givings.values.contains { $0.stream.unsentCount == 0 && ($0.file != nil || $0.isEnding) } }

    // MARK: Beginning

    /// Begins to fetch an object, in place of what is fetched of it already.
    mutating func fetch(_ fetch: PeerFetch, now: Nanoseconds) -> AgentEvent? {
        askings.removeValue(forKey: fetch.source.digest)?.stream.close()
        let asker = PeerAsker(fetch, nonce: network.nonce())
        guard let stream = network.connect(fetch.source.place) else {
            return .unreached(asker.failure(.unreachable, "no connection is possible"))
        }
        stream.send(asker.greeting)
        stream.flush()
        askings[fetch.source.digest] = Asking(
            stream: stream, asker: asker, fetch: fetch, offset: fetch.offset, heardAt: now)
        return nil
    }

    /// Somebody connected, who may be anybody.
    mutating func meet(_ stream: any PeerStream, now: Nanoseconds) {
        let strangers = givings.values.count { $0.file == nil }
        guard strangers < PeerExchange.mostStrangers, givings.count < PeerExchange.mostGiven else {
            return stream.close()
        }
        givings[nextGiving] = Giving(
            stream: stream, giver: PeerGiver(nonce: network.nonce()), deadline: now + PeerExchange.strangersTime)
        nextGiving += 1
    }

    // MARK: The step

    /// Takes in what came, and gives what is taken.
    mutating func step(
        now: Nanoseconds, isReady: (any PeerStream) -> Bool, _ shell: inout AgentShell
    ) -> [AgentEvent] {
        var events: [AgentEvent] = []
        for digest in askings.keys.sorted() { hear(digest, now, isReady, shell.core, &events) }
        for number in givings.keys.sorted() { serve(number, now, isReady, &shell) }
        return events
    }

    private mutating func hear(
        _ digest: Digest, _ now: Nanoseconds, _ isReady: (any PeerStream) -> Bool, _ core: AgentCore,
        _ events: inout [AgentEvent]
    ) {
        guard var asking = askings[digest] else { return }
        let place = asking.fetch.source.place
        // Nobody wants it any more, or it comes from somewhere else.
        guard core.fetches(digest, from: place) else { return end(digest) }
        if isReady(asking.stream) {
            asking.stream.flush()
            let bytes = asking.stream.receive(atMost: PeerExchange.piece)
            do throws(SourceFailure) {
                let step = try asking.asker.receive(bytes)
                if !step.say.isEmpty {
                    asking.stream.send(step.say)
                    asking.stream.flush()
                }
                if !bytes.isEmpty { asking.heardAt = now }
                if !step.content.isEmpty {
                    let piece = ObjectBytes(digest: digest, offset: asking.offset, bytes: Array(step.content))
                    events.append(.peerBytes(place, piece))
                    asking.offset += Int64(step.content.count)
                }
            } catch {
                events.append(.unreached(error))
                return end(digest)
            }
        }
        askings[digest] = asking
        if asking.asker.hasAll { return end(digest) }
        if asking.stream.isBroken {
            events.append(.unreached(asking.asker.failure(.unreachable, "the connection broke or was refused")))
            end(digest)
        } else if now >= asking.heardAt + PeerExchange.patience {
            events.append(.unreached(asking.asker.failure(.stalled, "nothing was received for 5 s")))
            end(digest)
        }
    }

    private mutating func end(_ digest: Digest) { askings.removeValue(forKey: digest)?.stream.close() }

    private mutating func serve(
        _ number: Int, _ now: Nanoseconds, _ isReady: (any PeerStream) -> Bool, _ shell: inout AgentShell
    ) {
        guard var giving = givings[number] else { return }
        if isReady(giving.stream), giving.giver.appetite > 0 {
            let bytes = giving.stream.receive(atMost: giving.giver.appetite)
            switch giving.giver.receive(bytes, key: { shell.core.sharedKey(tag: $0) }) {
            case .nothing: break
            case .say(let bytes): giving.stream.send(bytes)
            case .give(let tag, let digest, let offset): begin(&giving, tag, digest, offset, &shell)
            case .drop(let reason):
                log("a connection of another host is dropped:", reason)
                giving.isEnding = true
            }
        }
        let before = giving.stream.unsentCount
        giving.stream.flush()
        if giving.file != nil, giving.stream.unsentCount < before { giving.deadline = now + PeerExchange.patience }
        if giving.stream.unsentCount == 0 { goOn(&giving, now) }
        givings[number] = giving
        let hasEnded = giving.isEnding && giving.stream.unsentCount == 0
        if hasEnded || giving.stream.isBroken || now >= giving.deadline { drop(number) }
    }

    private func begin(
        _ giving: inout Giving, _ tag: Digest, _ digest: Digest, _ offset: Int64, _ shell: inout AgentShell
    ) {
        let found = shell.core.gives(digest, tag: tag) ? shell.give(digest) : nil
        if let found, offset <= found.size {
            (giving.file, giving.offset, giving.size) = (found.file, offset, found.size)
        } else {
            giving.isEnding = true
            if let found { files.close(found.file) }
        }
        giving.stream.send(PeerGiver.head(size: giving.file == nil ? nil : giving.size))
    }

    /// Gives the next piece.
    private func goOn(_ giving: inout Giving, _ now: Nanoseconds) {
        guard let file = giving.file else { return }
        let count = min(Int64(PeerExchange.piece), giving.size - giving.offset)
        guard count > 0, let bytes = try? files.read(file, at: giving.offset, count: Int(count)), !bytes.isEmpty else {
            // A file that became shorter ends the connection: the other side finds out.
            return giving.isEnding = true
        }
        giving.offset += Int64(bytes.count)
        giving.deadline = now + PeerExchange.patience
        giving.stream.send(bytes)
        giving.stream.flush()
    }

    private mutating func drop(_ number: Int) {
        guard let giving = givings.removeValue(forKey: number) else { return }
        if let file = giving.file { files.close(file) }
        giving.stream.close()
    }

    /// Ends all that is given: nothing is shared any more.
    mutating func stopGiving() {
        for number in givings.keys.sorted() { drop(number) }
        network.stopListening()
    }
}
