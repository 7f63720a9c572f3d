import Ports

/// Drives all connections on one thread.
final class Driver: PollClient, LinkHost {
    let settings: SSHSettings
    private let mailbox: Mailbox<DriverMessage>
    private var links: [SSHLink] = []
    private var streams: [UInt64: ExecStream] = [:]
    private var nextLink: UInt64 = 1
    private var isStopped = false
    /// Connections to a gateway that have not logged in yet.
    private var dialGate = HandshakeGate(total: .max, perGateway: 4)
    private var handshakeGate = HandshakeGate(total: 8, perGateway: 4)

    init(settings: SSHSettings, mailbox: Mailbox<DriverMessage>) {
        self.settings = settings
        self.mailbox = mailbox
    }

    func turn(_ messages: [DriverMessage], ready: [Int32: Int16], now: ContinuousClock.Instant) -> PollWait {
        for message in messages { handle(message, now: now) }
        for link in links where link.isDue(now: now) || (!ready.isEmpty && link.owns(ready)) { link.isDirty = true }
        repeat {
            for link in links where link.isDirty { link.advance(now: now) }
            passGates(now: now)
            links.removeAll { $0.isEnded }
        } while links.contains { $0.isDirty && !$0.isEnded }
        streams = streams.filter { !$0.value.isEnded }
        var wait = PollWait()
        for link in links { link.addInterest(to: &wait) }
        wait.isFinished = isStopped && links.isEmpty
        return wait
    }

    private func handle(_ message: DriverMessage, now: ContinuousClock.Instant) {
        switch message {
        case .open(let id, let route, let command, let unsent, let observer):
            open(id, route, command, unsent, observer, now: now)
        case .send(let id, let bytes):
            guard let stream = streams[id] else { return }
            stream.send(bytes)
            link(of: stream)?.isDirty = true
        case .pause(let id, let isPaused):
            guard let stream = streams[id] else { return }
            stream.isPaused = isPaused
            link(of: stream)?.isDirty = true
        case .close(let id):
            guard let stream = streams.removeValue(forKey: id) else { return }
            link(of: stream)?.isDirty = true
            stream.finish(StreamEnd(kind: .closedHere, message: "\(stream.label): closed from this side."))
        case .resolved(let id, let result):
            links.first { $0.id == id }?.resolved(result, now: now)
        case .stop:
            isStopped = true
            for link in links { link.fail(.closedHere, "closed from this side") }
        }
    }

    private func open(
        _ id: UInt64, _ route: LibraryRoute, _ command: String, _ unsent: UnsentCount,
        _ observer: @escaping @Sendable (SSHWayEvent) -> Void, now: ContinuousClock.Instant
    ) {
        let stream = ExecStream(
            id: id, label: route.target.label, command: command, timeouts: settings.timeouts, unsent: unsent,
            observer: observer)
        streams[id] = stream
        if let link = links.first(where: { $0.route == route && !$0.isGateway && !$0.isEnded }) {
            return link.add(stream)
        }
        let link = makeLink(route, isGateway: false)
        link.add(stream)
        link.begin(now: now)
    }

    private func link(of stream: ExecStream) -> SSHLink? { links.first { $0.carries(stream) } }

    private func makeLink(_ route: LibraryRoute, isGateway: Bool) -> SSHLink {
        let link = SSHLink(id: nextLink, route: route, isGateway: isGateway, host: self)
        nextLink += 1
        links.append(link)
        return link
    }

    func makeGateway(_ route: LibraryRoute, for link: SSHLink) -> SSHLink { makeLink(route, isGateway: true) }

    func resolve(_ link: SSHLink) {
        let (id, mailbox) = (link.id, mailbox)
        Resolver.resolve(host: link.endpoint.host, port: link.endpoint.port) {
            mailbox.post(.resolved(link: id, $0))
        }
    }

    func requestDial(_ link: SSHLink) { dialGate.request(link.id, gateway: link.gatewayName) }
    func requestHandshake(_ link: SSHLink) { handshakeGate.request(link.id, gateway: link.gatewayName) }
    func releaseDial(_ link: SSHLink) { dialGate.release(link.id) }
    func releaseHandshake(_ link: SSHLink) { handshakeGate.release(link.id) }

    private func passGates(now: ContinuousClock.Instant) {
        for id in dialGate.grant() { links.first { $0.id == id }?.connect(now: now) }
        for id in handshakeGate.grant() { links.first { $0.id == id }?.beginHandshake(now: now) }
    }
}
