import CLibSSH2
import Glibc
import Ports

/// What a link needs of the driver.
protocol LinkHost: AnyObject {
    var settings: SSHSettings { get }
    func resolve(_ link: SSHLink)
    /// Asks for a place among the connections to one gateway that have not logged in yet.
    func requestDial(_ link: SSHLink)
    /// Asks for a place among the handshakes.
    func requestHandshake(_ link: SSHLink)
    func releaseDial(_ link: SSHLink)
    func releaseHandshake(_ link: SSHLink)
    /// A private connection to the gateway; it carries nothing but the tunnel.
    func makeGateway(_ route: LibraryRoute, for link: SSHLink) -> SSHLink
}

/// One authenticated connection to one host, from looking its name up to its end. Belongs to the driver's thread.
final class SSHLink {
    enum Phase {
        /// Waits for a place among the connections to this gateway.
        case queued
        case resolving
        case dialing(Dialer)
        case tunnelling
        /// Connected; the host has not greeted yet, so that a silent one takes no place.
        case greeting
        case queuedForHandshake
        case handshaking(SSHSession)
        case loggingIn(SSHSession, Login)
        case ready(SSHSession)
        case ended
    }

    let id: UInt64
    let route: LibraryRoute
    /// A link to a gateway is private to the link that goes through it.
    let isGateway: Bool
    unowned let host: any LinkHost
    var phase = Phase.queued
    var deadline: ContinuousClock.Instant?
    var buffers = SSHBuffers()
    var socket: Descriptor?
    var gateway: SSHLink?
    private(set) var users: [any LinkUser] = []
    /// Something happened that may let it go on.
    var isDirty = true
    var lastHeard = ContinuousClock.now
    var nextKeepalive: ContinuousClock.Instant?
    /// Why the carrier ended, when it did.
    var carrierFailure = "the host closed the connection"

    init(id: UInt64, route: LibraryRoute, isGateway: Bool, host: any LinkHost) {
        self.id = id
        self.route = route
        self.isGateway = isGateway
        self.host = host
    }

    var endpoint: Endpoint { route.target }
    var isEnded: Bool { if case .ended = phase { true } else { false } }
    var timeouts: SSHSettings.Timeouts { host.settings.timeouts }
    /// The gateway that handshakes are counted by.
    var gatewayName: String? { isGateway ? endpoint.address : route.toGateway?.target.address }
    /// A descriptor at the bottom of all tunnels.
    var bottom: Int32 { socket?.number ?? gateway?.bottom ?? -1 }

    func carries(_ user: any LinkUser) -> Bool { users.contains { $0 === user } }

    func add(_ user: any LinkUser) {
        users.append(user)
        isDirty = true
    }

    // MARK: Connecting

    func begin(now: ContinuousClock.Instant) {
        buffers = SSHBuffers()
        if isGateway {
            phase = .queued
            host.requestDial(self)
        } else {
            connect(now: now)
        }
    }

    /// There is a place for this connection.
    func connect(now: ContinuousClock.Instant) {
        isDirty = true
        guard let way = route.toGateway else {
            phase = .resolving
            deadline = now + timeouts.connect
            host.resolve(self)
            return
        }
        phase = .tunnelling
        deadline = nil
        let gateway = host.makeGateway(way, for: self)
        self.gateway = gateway
        gateway.add(
            Tunnel(
                to: endpoint, gateway: way.target.label, buffers: buffers, timeout: timeouts.connect,
                report: { [weak self] end in self?.tunnelChanged(end) },
                wake: { [weak self] in self?.tunnelMoved(delivered: $0) }))
        gateway.begin(now: now)
    }

    func resolved(_ result: Result<[SocketAddress], ResolutionFailure>, now: ContinuousClock.Instant) {
        guard case .resolving = phase else { return }
        isDirty = true
        switch result {
        case .success(let addresses):
            phase = .dialing(Dialer(addresses: addresses, deadline: deadline ?? now + timeouts.connect))
        case .failure(let failure):
            fail(.unreachable, "the name \(endpoint.host) cannot be looked up: \(failure.text)")
        }
    }

    private func tunnelChanged(_ change: LinkEnd?) {
        isDirty = true
        if let change {
            let end = change.end
            let isRemote = [.unreachable, .misconfigured].contains(end.kind) && !end.message.hasPrefix("host ")
            let text = isRemote ? end.message : "its gateway failed: \(end.message)"
            let obstacle = change.obstacle.map { Obstacle(text: "of its gateway \(gatewayName ?? ""), \($0.text)") }
            self.end(LinkEnd(StreamEnd(kind: end.kind, message: "\(endpoint.label): \(text)"), beyond: obstacle))
        } else {
            connected(now: .now)
        }
    }

    private func tunnelMoved(delivered: Bool) {
        isDirty = !isEnded
        if delivered { lastHeard = .now }
    }

    func connected(now: ContinuousClock.Instant) {
        phase = .greeting
        lastHeard = now
        deadline = now + timeouts.handshake
    }

    // MARK: Turns

    func owns(_ ready: [Int32: Int16]) -> Bool {
        switch phase {
        case .dialing(let dialer): return dialer.pending.map { ready[$0.descriptor.number] != nil } ?? true
        case .loggingIn(_, let login):
            if ready.keys.contains(where: { login.owns($0) }) { return true }
        case .queued, .resolving, .tunnelling, .greeting, .queuedForHandshake, .handshaking, .ready,
            .ended:
            break
        }
        return socket.map { ready[$0.number] != nil } ?? false
    }

    func advance(now: ContinuousClock.Instant) {
        isDirty = false
        receive(now: now)
        let wasFull = buffers.isFull
        step(now: now)
        if wasFull, !buffers.isFull { gateway?.isDirty = true }
        flush()
        if case .ready = phase, buffers.outbound.count < outboundLimit / 2, wantsToSendMore { isDirty = true }
    }

    private var hadFullOutbound = false
    private var wantsToSendMore: Bool {
        defer { hadFullOutbound = false }
        return hadFullOutbound
    }

    private static let mostReadPerTurn = 1 << 20

    private func receive(now: ContinuousClock.Instant) {
        // Whoever is not listened to is not silent.
        if buffers.isFull { lastHeard = now }
        if let socket, !isConnecting {
            var total = 0
            reading: while total < SSHLink.mostReadPerTurn, !buffers.isEnded, !buffers.isFull {
                var result = IOResult.wouldBlock
                let bytes = [UInt8](unsafeUninitializedCapacity: 65536) { room, count in
                    result = socket.read(into: UnsafeMutableRawBufferPointer(room))
                    if case .moved(let got) = result { count = got }
                }
                switch result {
                case .moved(let count):
                    buffers.inbound.append(bytes)
                    total += count
                    lastHeard = now
                case .wouldBlock: break reading
                case .end: buffers.isEnded = true
                case .failed(let code):
                    carrierFailure = errorText(code)
                    buffers.isEnded = true
                }
            }
        }
    }

    private var isConnecting: Bool {
        switch phase {
        case .queued, .resolving, .dialing, .tunnelling, .ended: true
        case .greeting, .queuedForHandshake, .handshaking, .loggingIn, .ready: false
        }
    }

    private func flush() {
        if let socket {
            if case .failed(let code) = socket.write(from: &buffers.outbound) {
                carrierFailure = errorText(code)
                buffers.outbound.removeAll()
                buffers.isEnded = true
                isDirty = !isEnded
            }
        } else if !buffers.outbound.isEmpty {
            gateway?.isDirty = true
        }
    }

    func advanceUsers(_ session: SSHSession, now: ContinuousClock.Instant) {
        var kept: [any LinkUser] = []
        let opener = users.first { $0.isOpening }
        var isOpening = opener != nil
        for (index, user) in users.enumerated() {
            // A session opens one channel at a time: others that want one wait.
            if isOpening, opener !== user, user.isWaiting {
                kept.append(user)
                continue
            }
            switch user.advance(session, now: now) {
            case .alive:
                kept.append(user)
                isOpening = isOpening || user.isOpening
            case .done: isDirty = true
            case .linkFailed(let end):
                users = kept + users[index...]
                return self.end(LinkEnd(withCause(end)))
            }
        }
        users = kept
        hadFullOutbound = buffers.outbound.count >= outboundLimit
    }

    /// When the carrier broke, that is the cause of whatever failed above it.
    private func withCause(_ end: StreamEnd) -> StreamEnd {
        guard buffers.isEnded else { return end }
        return StreamEnd(kind: .unreachable, message: "\(endpoint.label): the connection broke: \(carrierFailure).")
    }

    // MARK: The end

    func fail(_ kind: StreamEnd.Kind, _ text: String, beyond obstacle: String? = nil) {
        let end = StreamEnd(kind: kind, message: "\(endpoint.label): \(text).")
        self.end(LinkEnd(end, beyond: obstacle.map { Obstacle(text: $0) }))
    }

    func end(_ end: LinkEnd) {
        guard !isEnded else { return }
        if case .ready(let session) = phase, !buffers.isEnded {
            session.sayGoodbye()
            flush()
        }
        phase = .ended
        deadline = nil
        nextKeepalive = nil
        isDirty = false
        host.releaseDial(self)
        host.releaseHandshake(self)
        let ending = users
        users = []
        for user in ending { user.linkEnded(end) }
        dropCarrier()
    }

    func dropCarrier() {
        let gateway = self.gateway
        self.gateway = nil
        socket = nil
        if let gateway {
            // Its only user is this link's tunnel, which has nobody to report to any more.
            gateway.fail(.closedHere, "not needed any more")
        }
    }

    var hasUsers: Bool { !users.isEmpty }

    func addInterest(to wait: inout PollWait) {
        wait.add(deadline)
        wait.add(nextKeepalive)
        for user in users where isReady { wait.add(user.deadline) }
        switch phase {
        case .dialing(let dialer):
            if let pending = dialer.pending {
                wait.add(pending.descriptor.number, POLLOUT)
                wait.add(pending.until)
            }
        case .loggingIn(_, let login): login.addInterest(to: &wait)
        case .queued, .resolving, .tunnelling, .greeting, .queuedForHandshake, .handshaking, .ready,
            .ended:
            break
        }
        if let socket, !isConnecting, !buffers.isEnded {
            let events = (buffers.isFull ? 0 : POLLIN) | (buffers.outbound.isEmpty ? 0 : POLLOUT)
            // Without any, a closed connection would still wake the thread, again and again.
            if events != 0 { wait.add(socket.number, events) }
        }
    }

    var isReady: Bool { if case .ready = phase { true } else { false } }

    func isDue(now: ContinuousClock.Instant) -> Bool {
        if let deadline, now >= deadline { return true }
        if let nextKeepalive, now >= nextKeepalive { return true }
        if case .dialing(let dialer) = phase, let pending = dialer.pending, now >= pending.until { return true }
        return isReady && users.contains { user in user.deadline.map { now >= $0 } ?? false }
    }
}
