import AgentRuntime
import Formats
import Model

/// The network from host to host, as the agent of one life sees it.
final class SimulatedPeers: PeerNetwork {
    private unowned let host: SimulatedHost
    private let life: Life
    private var port: Int?

    init(_ host: SimulatedHost, _ life: Life) {
        self.host = host
        self.life = life
    }

    func listen(_ address: String) throws(Failure) -> Int {
        if let port { return port }
        let port = host.peering.listen(host, life)
        self.port = port
        return port
    }

    func stopListening() {
        if let port { host.peering.close(port) }
        port = nil
    }

    func connect(_ place: SharingPlace) -> (any PeerStream)? { host.peering.connect(host, life, place) }

    func nonce() -> [UInt8] { host.peering.nonce() }
}

/// All connections from host to host.
final class Peering {
    private struct Listener {
        unowned let host: SimulatedHost
        let life: Life
    }

    private let world: World
    private var chance: Chance
    private var listeners: [Int: Listener] = [:]
    private var nextPort = 10_000
    private var streams: [SimulatedPeerStream] = []
    /// What is wrong with hosts, by index: nobody reaches them, or what they give is not what they say.
    var unreachable: Set<Int> = []
    var lying: Set<Int> = []
    /// Told of each object that one begins to fetch from another.
    var asked: (_ asker: SimulatedHost, _ giver: SimulatedHost) -> Void = { _, _ in }

    init(_ world: World, seed: UInt64) {
        self.world = world
        chance = Chance(seed: seed, stream: 500)
    }

    func nonce() -> [UInt8] { (0..<32).map { _ in UInt8(chance.below(256)) } }

    func listen(_ host: SimulatedHost, _ life: Life) -> Int {
        nextPort += 1
        listeners[nextPort] = Listener(host: host, life: life)
        return nextPort
    }

    func close(_ port: Int) { listeners[port] = nil }

    func connect(_ asker: SimulatedHost, _ life: Life, _ place: SharingPlace) -> SimulatedPeerStream {
        let (near, far) = (SimulatedPeerStream(world, life), SimulatedPeerStream(world, life))
        near.other = far
        far.other = near
        let delay = chance.within(100_000...20_000_000)
        (near.delay, far.delay) = (delay, delay)
        near.wake = { [weak asker] in asker?.wakeAgent() }
        streams.removeAll { $0.isClosed }
        streams += [near, far]
        world.after(delay) { [self] in
            // A port that nobody has refuses; behind a firewall nothing comes back.
            guard let listener = listeners[place.port], listener.life.isAlive else { return near.snap() }
            guard !unreachable.contains(listener.host.index), !unreachable.contains(asker.index) else { return }
            asked(asker, listener.host)
            far.life = listener.life
            far.lies = lying.contains(listener.host.index)
            far.wake = { [weak host = listener.host] in host?.wakeAgent() }
            far.isOpen = true
            near.isOpen = true
            listener.host.meet(far)
            near.pump()
        }
        return near
    }

    /// The end of an agent is the end of its connections.
    func end(_ life: Life) {
        for (port, listener) in listeners where listener.life === life { listeners[port] = nil }
        for stream in streams where stream.life === life { stream.snap() }
    }

    func clear() {
        listeners = [:]
        for stream in streams { stream.clear() }
        streams = []
    }
}

/// One end of a connection from host to host: bytes arrive after a while, in pieces.
final class SimulatedPeerStream: PeerStream {
    private let world: World
    var life: Life
    var other: SimulatedPeerStream?
    var wake: () -> Void = {}
    var delay: Nanoseconds = 0
    /// What it sends of objects is not what it read.
    var lies = false
    var isOpen = false
    private var out: [UInt8] = []
    private var arrived: [UInt8] = []
    private var onTheWay = 0
    private var sent = 0
    private(set) var isBroken = false
    private(set) var isClosed = false

    init(_ world: World, _ life: Life) {
        self.world = world
        self.life = life
    }

    var unsentCount: Int { out.count }
    var hasNews: Bool { !arrived.isEmpty || isBroken || (isOpen && !out.isEmpty && onTheWay == 0) }

    func send(_ bytes: [UInt8]) { out += bytes }

    func flush() { pump() }

    /// Some at a time, the next when these have come.
    func pump() {
        guard isOpen, !isBroken, !out.isEmpty, onTheWay == 0, let other else { return }
        var piece = Array(out.prefix(60_000))
        out.removeFirst(piece.count)
        // What is said before an object is left as it is.
        let start = max(0, 73 - sent)
        if lies, start < piece.count { piece[piece.count - 1] ^= 1 }
        sent += piece.count
        onTheWay = piece.count
        world.after(delay) { [self] in
            onTheWay = 0
            guard !isBroken || isClosed, !other.isClosed else { return }
            other.arrived += piece
            other.wake()
            wake()
            if isClosed, out.isEmpty { other.snap() }
        }
    }

    func receive(atMost count: Int) -> [UInt8] {
        let bytes = Array(arrived.prefix(count))
        arrived.removeFirst(bytes.count)
        if bytes.isEmpty, isGone { isBroken = true }
        return bytes
    }

    /// The other side is gone: what had arrived may be read first.
    private var isGone = false

    func snap() {
        isGone = true
        if arrived.isEmpty { isBroken = true }
        wake()
    }

    func close() {
        guard !isClosed else { return }
        isClosed = true
        isBroken = true
        if onTheWay == 0 { world.after(delay) { [weak other] in other?.snap() } }
    }

    func clear() {
        other = nil
        wake = {}
        isBroken = true
        isClosed = true
    }
}
