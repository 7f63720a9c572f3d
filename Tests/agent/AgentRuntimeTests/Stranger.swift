import CSystem
import Formats
import Foundation
import Glibc
import Model
@testable import AgentCore
@testable import AgentRuntime

/// An end of a connection with an agent, which says whatever a test wants.
final class Stranger {
    private let socket: PeerSocket

    init(_ place: SharingPlace) { socket = PeerSocket(descriptor: sys_connect_to(place.address, Int32(place.port))) }

    fileprivate init(_ descriptor: Int32) { socket = PeerSocket(descriptor: descriptor) }

    deinit { socket.close() }

    func say(_ bytes: [UInt8]) {
        socket.send(bytes)
        while socket.unsentCount > 0, !socket.isBroken {
            var set = Poll()
            set.add(socket.descriptor, reads: false, writes: true)
            set.wait(1_000_000_000)
            socket.flush()
        }
    }

    /// So many bytes, or fewer where the other side ends the connection before.
    func hear(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count, !socket.isBroken {
            var set = Poll()
            set.add(socket.descriptor, reads: true)
            set.wait(1_000_000_000)
            bytes += socket.receive(atMost: count - bytes.count)
        }
        return bytes
    }
}

/// A host that gives objects as a test wants it: whatever is asked for, it has these bytes.
final class BadPeer: Sendable {
    let place: SharingPlace
    private let listener: Int32

    /// - Parameter content: what stands for an object from an offset on.
    init(key: [UInt8], size: Int64, content: @escaping @Sendable (_ offset: Int64) -> [UInt8]) {
        var port: Int32 = 0
        let listener = sys_listen_at("127.0.0.1", &port)
        self.listener = listener
        place = SharingPlace(address: "127.0.0.1", port: Int(port))
        Thread.detachNewThread {
            while true {
                var set = Poll()
                set.add(listener, reads: true)
                set.wait(nil)
                let descriptor = sys_accept(listener)
                guard descriptor >= 0 else { return }
                let stranger = Stranger(descriptor)
                var giver = PeerGiver(nonce: [UInt8](repeating: 9, count: 32))
                while giver.appetite > 0 {
                    let bytes = stranger.hear(giver.appetite)
                    switch giver.receive(bytes, key: { _ in key }) {
                    case .say(let bytes): stranger.say(bytes)
                    case .give(_, _, let offset): stranger.say(PeerGiver.head(size: size) + content(offset))
                    case .nothing, .drop: break
                    }
                    if bytes.isEmpty { break }
                }
            }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }
}
