package import Model
package import Ports
import Synchronization

/// One of the ways to have a stream over SSH.
protocol SSHWay: Sendable {
    /// Looks whether this way can take the route at all.
    ///
    /// - Throws: what the route asks for that this way cannot do.
    func opener(of route: Route) throws(Obstacle) -> SSHOpener
    /// Whether others take the same routes, so that nobody needs to know why this one was not gone.
    var isShortcut: Bool { get }
}

extension SSHWay {
    var isShortcut: Bool { false }
}

typealias SSHOpener = @Sendable (_ command: String, @escaping @Sendable (SSHWayEvent) -> Void) -> any Connection

/// Something that a way cannot do, as part of a sentence: "its key is RSA".
struct Obstacle: Error, Equatable {
    var text: String
}

enum SSHWayEvent: Sendable {
    case stream(StreamEvent)
    /// The end before anything was opened, by something that this way cannot do and another may.
    case beyond(Obstacle, StreamEnd)
}

/// Streams over SSH. Where to connect, and as whom, OpenSSH's configuration says, read by `ssh -G`; the bytes then go
/// one of several ways.
package final class SSHTransport: Transport {
    /// Which ways there are, in the order of trying.
    package enum Choice: Sendable {
        /// libssh2, and the `ssh` program for what libssh2 cannot do.
        case automatic
        case libraryOnly
        case programOnly
    }

    private let finder: RouteFinder
    private let ways: [any SSHWay]
    /// Hosts that the last way alone reached, and why.
    private let detours = Detours()

    package init(settings: SSHSettings, choice: Choice) {
        finder = RouteFinder(settings: settings)
        switch choice {
        case .automatic:
            let program = ProgramWay(settings: settings)
            ways = [FastWay(program), LibraryWay(settings: settings), program]
        case .libraryOnly: ways = [LibraryWay(settings: settings)]
        case .programOnly: ways = [ProgramWay(settings: settings)]
        }
    }

    package func open(
        _ target: HostTarget, command: String, observer: @escaping @Sendable (StreamEvent) -> Void
    ) -> any Connection {
        let passage = SSHPassage(
            target, command: command, ways: ways, detours: detours, observer: observer)
        Task { [finder] in
            do throws(StreamEnd) {
                passage.begin(try await finder.route(to: target))
            } catch {
                passage.end(error)
            }
        }
        return passage
    }
}

extension TransportDescriptor {
    /// What SSH's transports take.
    static let sshKeys = [
        TransportFormat.Key("user", .user, "the account there; default: what OpenSSH's configuration says"),
        TransportFormat.Key("port", .port, "default: what OpenSSH's configuration says, else 22"),
        TransportFormat.Key(
            "jump", .hosts, "jump hosts as in ProxyJump, `none` for none; default: what OpenSSH's configuration says"),
    ]

    static let automatic = TransportDescriptor(
        TransportFormat(
            name: "auto",
            meaning: "SSH through libssh2 within usweep, or through the `ssh` program if a host needs a feature that "
                + "libssh2 does not have, or much data is sent",
            keys: sshKeys)
    ) { SSHTransport(settings: $0.ssh, choice: .automatic) }
}

/// Remembers for the life of a transport which hosts a way did not reach, lest each connection begins with a login that
/// fails.
private final class Detours: Sendable {
    private let reasons = Mutex<[HostTarget: Obstacle]>([:])

    func reason(_ target: HostTarget) -> Obstacle? { reasons.withLock { $0[target] } }
    func add(_ target: HostTarget, _ reason: Obstacle) { reasons.withLock { $0[target] = reason } }
}

/// One stream on its way: finds the way that works, and is the connection in the meantime.
private final class SSHPassage: Connection {
    private struct State {
        var next = 0
        var inner: (any Connection)?
        var isOpen = false
        var isEnded = false
        var isPaused = false
        var queued: [[UInt8]] = []
        /// Why the ways before this one could not be gone.
        var obstacle: Obstacle?
    }

    private let target: HostTarget
    private let command: String
    private let ways: [any SSHWay]
    private let detours: Detours
    private let observer: @Sendable (StreamEvent) -> Void
    private let state = Mutex(State())

    init(
        _ target: HostTarget, command: String, ways: [any SSHWay], detours: Detours,
        observer: @escaping @Sendable (StreamEvent) -> Void
    ) {
        self.target = target
        self.command = command
        self.ways = ways
        self.detours = detours
        self.observer = observer
    }

    // MARK: The near end

    var unsentCount: Int {
        state.withLock { state in
            state.queued.reduce(state.inner?.unsentCount ?? 0) { $0 + $1.count }
        }
    }

    func send(_ bytes: [UInt8]) {
        state.withLock { state in
            guard !state.isEnded else { return }
            if state.isOpen, let inner = state.inner { inner.send(bytes) } else { state.queued.append(bytes) }
        }
    }

    func close() {
        let (inner, isNew) = state.withLock { state in
            defer { if state.inner == nil { state.isEnded = true } }
            return (state.inner, !state.isEnded)
        }
        if let inner { return inner.close() }
        guard isNew else { return }
        // There is no other thread yet that could tell it.
        Task { observer(.closed(StreamEnd(kind: .closedHere, message: "host \(target.name): closed from this side."))) }
    }

    func pause() {
        state.withLock { state in
            state.isPaused = true
            state.inner?.pause()
        }
    }

    func resume() {
        state.withLock { state in
            state.isPaused = false
            state.inner?.resume()
        }
    }

    // MARK: The ways

    func begin(_ route: Route) {
        if ways.count > 1, let obstacle = detours.reason(target) {
            state.withLock { ($0.next, $0.obstacle) = (ways.count - 1, obstacle) }
        }
        goOn(route)
    }

    private func goOn(_ route: Route) {
        while true {
            guard let (number, obstacle) = state.withLock({ $0.isEnded ? nil : ($0.next, $0.obstacle) }) else { return }
            do throws(Obstacle) {
                let opener = try ways[number].opener(of: route)
                if let obstacle {
                    observer(.noted("reached by the ssh program, as with `transport: ssh`: \(obstacle.text)"))
                }
                return start(opener, route)
            } catch {
                guard number + 1 < ways.count else {
                    return end(
                        StreamEnd(
                            kind: .misconfigured,
                            message: "\(route.label): \(error.text), which libssh2 does not support. "
                                + SSHPassage.advice))
                }
                let reason = ways[number].isShortcut ? nil : error
                state.withLock { ($0.next, $0.obstacle) = (number + 1, reason) }
            }
        }
    }

    private func start(_ opener: SSHOpener, _ route: Route) {
        let inner = opener(command) { [self] event in heard(event, route) }
        state.withLock { state in
            state.inner = inner
            if state.isPaused { inner.pause() }
            if state.isEnded { inner.close() }
            SSHPassage.flush(&state)
        }
    }

    private static func flush(_ state: inout State) {
        guard state.isOpen, let inner = state.inner else { return }
        for bytes in state.queued { inner.send(bytes) }
        state.queued = []
    }

    private func heard(_ event: SSHWayEvent, _ route: Route) {
        switch event {
        case .stream(.opened):
            let obstacle = state.withLock { state in
                state.isOpen = true
                SSHPassage.flush(&state)
                return state.obstacle
            }
            if let obstacle { detours.add(target, obstacle) }
            observer(.opened)
        case .stream(.closed(let end)): self.end(end)
        case .stream(let event): observer(event)
        case .beyond(let obstacle, let end):
            let isLast = state.withLock { state in
                guard state.next + 1 < ways.count, !state.isEnded else { return true }
                let reason = ways[state.next].isShortcut ? nil : obstacle
                (state.next, state.inner, state.obstacle) = (state.next + 1, nil, reason)
                return false
            }
            if !isLast { return goOn(route) }
            self.end(StreamEnd(kind: end.kind, message: end.message + " " + SSHPassage.advice))
        }
    }

    private static let advice = "Write `transport: ssh` for this host in the inventory."

    func end(_ end: StreamEnd) {
        let (isNew, obstacle) = state.withLock { state in
            defer {
                state.isEnded = true
                (state.inner, state.queued) = (nil, [])
            }
            return (!state.isEnded, state.isOpen ? nil : state.obstacle)
        }
        guard isNew else { return }
        var end = end
        if let obstacle, end.kind != .closedHere {
            end.message += " (By the ssh program, because \(obstacle.text), which libssh2 does not support.)"
        }
        observer(.closed(end))
    }
}
