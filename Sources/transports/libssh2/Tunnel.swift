import Ports

/// A connection onwards from a gateway, that carries another session's bytes.
final class Tunnel: LinkUser {
    private enum Phase {
        case waiting
        case opening
        case running(SSHChannel)
        case ended
    }

    private let host: String
    private let port: UInt16
    private let buffers: SSHBuffers
    private let gateway: String
    private let timeout: Duration
    /// Told when the tunnel is open (nil) or why it is no more.
    private let report: (LinkEnd?) -> Void
    /// Called when bytes have arrived for the session inside (true), or all of its own have been taken (false).
    private let wake: (Bool) -> Void
    private var phase = Phase.waiting
    private(set) var deadline: ContinuousClock.Instant?

    init(
        to endpoint: Endpoint, gateway: String, buffers: SSHBuffers, timeout: Duration,
        report: @escaping (LinkEnd?) -> Void, wake: @escaping (Bool) -> Void
    ) {
        self.wake = wake
        host = endpoint.host
        port = endpoint.port
        self.gateway = gateway
        self.buffers = buffers
        self.timeout = timeout
        self.report = report
    }

    var isWaiting: Bool { if case .waiting = phase { true } else { false } }
    var isOpening: Bool { if case .opening = phase { true } else { false } }

    func linkEnded(_ end: LinkEnd) { finish(end) }

    private func finish(_ end: LinkEnd) {
        if case .ended = phase { return }
        phase = .ended
        deadline = nil
        report(end)
    }

    func advance(_ session: SSHSession, now: ContinuousClock.Instant) -> UserState {
        while true {
            if let deadline, now >= deadline { return failed("no answer within \(timeout)") }
            switch phase {
            case .waiting:
                phase = .opening
                deadline = now + timeout
            case .opening:
                switch session.openTunnel(host: host, port: port) {
                case .wouldBlock: return .alive
                case .failed(let failure): return failed(failure.text)
                case .done(let channel):
                    deadline = nil
                    phase = .running(channel)
                    report(nil)
                }
            case .running(let channel): return run(channel, session)
            case .ended: return .done
            }
        }
    }

    private func run(_ channel: SSHChannel, _ session: SSHSession) -> UserState {
        while !buffers.outbound.isEmpty, session.buffers.outbound.count < outboundLimit {
            switch buffers.outbound.withFront({ channel.write($0) }) {
            case .done(let count):
                buffers.outbound.drop(count)
                if buffers.outbound.isEmpty { wake(false) }
                continue
            case .wouldBlock: break
            case .failed(let failure): return failed(failure.text)
            }
            break
        }
        // The link inside says when it has taken some of it.
        while !buffers.isFull {
            var result = CallResult<Int>.wouldBlock
            let bytes = [UInt8](unsafeUninitializedCapacity: 65536) { room, count in
                result = channel.read(0, into: UnsafeMutableRawBufferPointer(room))
                if case .done(let got) = result { count = got }
            }
            switch result {
            case .done:
                if bytes.isEmpty { return idle(channel) }
                buffers.inbound.append(bytes)
                wake(true)
            case .wouldBlock: return idle(channel)
            case .failed(let failure): return failed(failure.text)
            }
        }
        return .alive
    }

    private func idle(_ channel: SSHChannel) -> UserState {
        if channel.isAtEnd, !buffers.isEnded {
            buffers.isEnded = true
            wake(true)
        }
        return .alive
    }

    private func failed(_ text: String) -> UserState {
        let what = "cannot be reached from the gateway, \(gateway)"
        // As RFC 4254 calls it (5.1, reason 1): whatever is reached from there, it would say so again.
        let isForbidden = text.contains(Forwarding.prohibited)
        finish(
            LinkEnd(
                isForbidden
                    ? StreamEnd(kind: .misconfigured, message: "\(what), which \(Forwarding.advice)")
                    : StreamEnd(kind: .unreachable, message: "\(what): \(text).")))
        return .done
    }
}
