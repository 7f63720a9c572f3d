import Glibc
import Testing
@testable import Transports

/// A driver that lets nobody begin.
private final class WaitingHost: LinkHost {
    let settings = SSHSettings(environment: [:])
    private(set) var requests = 0

    func resolve(_ link: SSHLink) {}
    func requestDial(_ link: SSHLink) {}
    func requestHandshake(_ link: SSHLink) { requests += 1 }
    func releaseDial(_ link: SSHLink) {}
    func releaseHandshake(_ link: SSHLink) {}
    func makeGateway(_ route: LibraryRoute, for link: SSHLink) -> SSHLink {
        SSHLink(id: 2, route: route, isGateway: true, host: self)
    }
}

@Suite("Links to hosts")
struct LinkTests {
    private static let endpoint = Endpoint(
        name: "h1", host: "192.0.2.1", port: 22, user: "lab", keyName: "192.0.2.1", bareKeyName: nil,
        identityFiles: [], identitiesOnly: false, knownHostsFiles: [], agentSocket: nil, otherMethods: [])

    @Test("Whoever sends and sends before it is his turn is not listened to any more, and takes no memory")
    func full() {
        var ends: [Int32] = [-1, -1]
        #expect(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        let far = Descriptor(owning: ends[1])
        let host = WaitingHost()
        let link = SSHLink(id: 1, route: LibraryRoute(hops: [Self.endpoint]), isGateway: false, host: host)
        link.socket = Descriptor(owning: ends[0])
        link.connected(now: .now)
        let piece = [UInt8](repeating: 121, count: 65_536)
        for _ in 0..<1_000 {
            _ = piece.withUnsafeBytes { far.write($0) }
            link.advance(now: .now)
        }
        #expect(host.requests == 1 && !link.isEnded)
        #expect(inboundLimit..<inboundLimit + 65_536 ~= link.buffers.inbound.count)
        #expect(interest(link).isEmpty, "what is there would wake the thread again and again")
        link.buffers.inbound.drop(65_536)
        #expect(interest(link) == [Int16(POLLIN)])
        link.advance(now: .now)
        #expect(inboundLimit..<inboundLimit + 65_536 ~= link.buffers.inbound.count)
    }

    private func interest(_ link: SSHLink) -> [Int16] {
        var wait = PollWait()
        link.addInterest(to: &wait)
        return wait.descriptors.map(\.events)
    }
}
