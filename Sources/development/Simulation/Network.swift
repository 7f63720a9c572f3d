import Formats
import Model
import Ports
import SweepCore

/// The lab's network between the coordinator and its hosts.
final class Network {
    enum Direction: Int, CaseIterable {
        case toHost, toCoordinator
    }

    let world: World
    var chance: Chance
    var hosts: [SimulatedHost] = []
    private(set) var channels: [Channel] = []
    /// Until when a direction of a host's traffic stands still.
    private var stillUntil: [[Nanoseconds]] = []
    let canary: Canary?

    init(world: World, seed: UInt64, canary: Canary?) {
        self.world = world
        self.canary = canary
        chance = Chance(seed: seed, stream: 2)
    }

    func add(_ host: SimulatedHost) {
        hosts.append(host)
        host.network = self
        stillUntil.append([0, 0])
    }

    func isStill(_ host: Int, _ direction: Direction) -> Bool {
        stillUntil[host][direction.rawValue] > world.now
    }

    /// Holds up what goes one way; it comes later, as over a network that retransmits.
    func hold(_ host: Int, _ direction: Direction, for time: Nanoseconds) {
        let end = world.now + time
        stillUntil[host][direction.rawValue] = max(stillUntil[host][direction.rawValue], end)
        world.after(time) { [self] in
            for channel in channels where channel.host.index == host { channel.pump(direction) }
        }
    }

    func open(_ host: SimulatedHost, life: Life, observer: @escaping (StreamEvent) -> Void) -> Channel {
        channels.removeAll { $0.isOver }
        let channel = Channel(self, host, life: life, observer: observer)
        channels.append(channel)
        channel.begin()
        return channel
    }

    func clear() {
        for channel in channels { channel.clear() }
        channels.removeAll()
        hosts.removeAll()
    }

    /// How long a packet takes.
    func delay(_ host: SimulatedHost) -> Nanoseconds {
        let base = host.latency
        return base + chance.within(0...base) + (chance.oneIn(200) ? 40 * base : 0)
    }
}

/// One stream between coordinator and host, with what is under way on it.
final class Channel: Connection, @unchecked Sendable {
    private struct Piece {
        var arrival: Nanoseconds
        var bytes: [UInt8]
    }

    private let network: Network
    private var world: World { network.world }
    let host: SimulatedHost
    /// Of the coordinator that opened it.
    private let life: Life
    private let observer: (StreamEvent) -> Void
    private var underWay: [[Piece]] = [[], []]
    private var lastArrival: [Nanoseconds] = [0, 0]
    /// What is sent from now on goes nowhere.
    private var isCut = [false, false]
    private var isClosedHere = false
    private(set) var isClosedThere = false
    private var remote: RemoteCommand?
    /// The end that the coordinator is to be told when all that is under way has come.
    private var end: StreamEnd?

    init(_ network: Network, _ host: SimulatedHost, life: Life, observer: @escaping (StreamEvent) -> Void) {
        self.network = network
        self.host = host
        self.life = life
        self.observer = observer
    }

    var isOver: Bool { isClosedHere && isClosedThere }

    func begin() {
        world.after(3 * network.delay(host)) { [self] in
            guard !isClosedHere else { return }
            guard host.isUp, !network.isStill(host.index, .toHost), !network.isStill(host.index, .toCoordinator) else {
                isClosedThere = true
                world.after(2 * Timing.second) { [self] in tellEnd(.unreachable, "no answer from \(host.name)") }
                return
            }
            guard !host.isLocked else {
                isClosedThere = true
                return tellEnd(.loginRefused, "no way to log in to \(host.name)")
            }
            observer(.opened)
            remote = RemoteCommand(self)
            remote?.start()
        }
    }

    // MARK: The coordinator's end

    func send(_ bytes: [UInt8]) {
        guard life.act(.effect), !isClosedHere else { return }
        push(bytes, .toHost)
    }

    func close() {
        guard life.act(.effect), !isClosedHere else { return }
        world.say("coordinator", "closes the stream to \(host.name)")
        leave()
        observer(.closed(StreamEnd(kind: .closedHere, message: "closed here")))
    }

    /// The coordinator's end is gone: of what is under way some arrives, then the end of the stream.
    func leave() {
        guard !isClosedHere else { return }
        isClosedHere = true
        underWay[Network.Direction.toCoordinator.rawValue].removeAll()
        cut(.toHost)
        let delay = network.chance.oneIn(8) ? network.chance.within(1...20) * Timing.second : network.delay(host)
        world.after(delay) { [self] in endThere() }
    }

    private func tellEnd(_ kind: StreamEnd.Kind, _ message: String) {
        guard !isClosedHere else { return }
        isClosedHere = true
        world.say("network", "stream to \(host.name) ends: \(message)")
        if life.isAlive { observer(.closed(StreamEnd(kind: kind, message: message))) }
    }

    // MARK: The host's end

    func answer(_ bytes: [UInt8]) {
        guard !isClosedThere else { return }
        push(bytes, .toCoordinator)
    }

    /// What the remote command writes on its standard error.
    func complain(_ text: String) {
        world.after(network.delay(host)) { [self] in
            if !isClosedHere { observer(.diagnostic(Array("usweep-agent: \(text)\n".utf8))) }
        }
    }

    /// Bytes that the host's side has given and the coordinator has not had.
    var unansweredCount: Int {
        underWay[Network.Direction.toCoordinator.rawValue].reduce(0) { $0 + $1.bytes.count }
    }

    /// The remote command ended.
    func finish(status: Int32) {
        guard !isClosedThere else { return }
        isClosedThere = true
        end = StreamEnd(kind: .commandEnded(status: status), message: "the remote command ended with status \(status)")
        push([], .toCoordinator)
    }

    private func endThere() {
        guard !isClosedThere else { return }
        isClosedThere = true
        remote?.hangUp()
    }

    func clear() { remote = nil }

    // MARK: Under way

    private func push(_ bytes: [UInt8], _ direction: Network.Direction) {
        guard !isCut[direction.rawValue] else { return }
        var rest = bytes[...]
        if bytes.count > 1, network.chance.oneIn(10) {
            let border = 1 + network.chance.below(bytes.count - 1)
            enqueue(Array(rest.prefix(border)), direction)
            rest = rest.dropFirst(border)
        }
        enqueue(Array(rest), direction)
    }

    private func enqueue(_ bytes: [UInt8], _ direction: Network.Direction) {
        let arrival = max(lastArrival[direction.rawValue], world.now + network.delay(host))
        lastArrival[direction.rawValue] = arrival
        underWay[direction.rawValue].append(Piece(arrival: arrival, bytes: bytes))
        world.after(arrival - world.now) { [self] in pump(direction) }
    }

    /// Delivers what has arrived.
    func pump(_ direction: Network.Direction) {
        let way = direction.rawValue
        while let piece = underWay[way].first, piece.arrival <= world.now, !network.isStill(host.index, direction) {
            underWay[way].removeFirst()
            switch direction {
            case .toHost: if !isClosedThere { remote?.receive(piece.bytes) }
            case .toCoordinator:
                guard !isClosedHere else { break }
                if !piece.bytes.isEmpty { observer(.received(piece.bytes)) }
                if underWay[way].isEmpty, let end { tellEnd(end.kind, end.message) }
            }
        }
        if direction == .toCoordinator { remote?.drained() }
    }

    /// Nothing more enters; of what is under way, the last part is lost, in the middle of a frame if need be.
    private func cut(_ direction: Network.Direction) {
        let way = direction.rawValue
        isCut[way] = true
        guard !underWay[way].isEmpty else { return }
        let keep = network.chance.below(underWay[way].count + 1)
        if keep < underWay[way].count {
            let piece = underWay[way][keep]
            underWay[way].removeLast(underWay[way].count - keep)
            let half = network.chance.below(piece.bytes.count + 1)
            if half > 0 {
                world.counts.note("fault: half-delivered frame")
                underWay[way].append(Piece(arrival: piece.arrival, bytes: Array(piece.bytes.prefix(half))))
            }
        }
    }

    /// The connection breaks; each end hears of it in its own time.
    func snap() {
        guard !isClosedHere, !isClosedThere else { return }
        world.say("network", "the stream to \(host.name) breaks")
        for direction in Network.Direction.allCases { cut(direction) }
        let chance = network.chance.below(4)
        let here = chance == 0 ? network.chance.within(1...40) * Timing.second : 2 * network.delay(host)
        let there = chance == 1 ? network.chance.within(1...90) * Timing.second : 2 * network.delay(host)
        world.after(here) { [self] in tellEnd(.unreachable, "the connection to \(host.name) broke") }
        world.after(there) { [self] in endThere() }
    }
}

/// What the coordinator opens streams with.
struct SimulatedTransport: Transport, @unchecked Sendable {
    let network: Network
    let life: Life
    let wake: () -> Void

    func open(
        _ target: HostTarget, command: String, observer: @escaping @Sendable (StreamEvent) -> Void
    ) -> any Connection {
        guard life.act(.effect), let host = network.hosts.first(where: { $0.name == target.name }) else {
            return NoConnection()
        }
        network.world.say("coordinator", "connects to \(host.name)")
        return network.open(host, life: life) { [wake] event in
            observer(event)
            wake()
        }
    }
}

private struct NoConnection: Connection {
    func send(_ bytes: [UInt8]) {}
    func close() {}
}
