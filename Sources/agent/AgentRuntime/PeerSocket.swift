import CSystem
import Formats
import Glibc
import Model
import Storage

/// The near end of a TCP connection with another host's agent, without ever waiting.
final class PeerSocket: PeerStream {
    let descriptor: Int32
    private var out = SendQueue()
    private(set) var isBroken = false

    init(descriptor: Int32) { self.descriptor = descriptor }

    var unsentCount: Int { out.unsentCount }

    func send(_ bytes: [UInt8]) { out.add(bytes) }

    func flush() {
        if !isBroken, !out.flush(to: descriptor, mayConnect: true) { isBroken = true }
    }

    func receive(atMost most: Int) -> [UInt8] {
        guard most > 0 else { return [] }
        var count = 0
        repeat {
            let bytes = [UInt8](unsafeUninitializedCapacity: most) { buffer, filled in
                count = recv(descriptor, buffer.baseAddress!, buffer.count, 0)
                filled = max(0, count)
            }
            if count > 0 { return bytes }
        } while count < 0 && errno == EINTR
        if count == 0 || (errno != EAGAIN && errno != ENOTCONN) { isBroken = true }
        return []
    }

    func close() {
        isBroken = true
        _ = Glibc.close(descriptor)
    }
}

/// The network as this host has it.
final class RealPeerNetwork: PeerNetwork {
    private(set) var listeners: [(address: String, descriptor: Int32, port: Int)] = []

    func listen(_ address: String) throws(Failure) -> Int {
        if let known = listeners.first(where: { $0.address == address }) { return known.port }
        var port: Int32 = 0
        let descriptor = sys_listen_at(address, &port)
        guard descriptor >= 0 else {
            throw Failure(.refused, "it cannot listen at \(address)", cause: SystemText.of(errno))
        }
        listeners.append((address, descriptor, Int(port)))
        return Int(port)
    }

    func stopListening() {
        for listener in listeners { close(listener.descriptor) }
        listeners = []
    }

    func connect(_ place: SharingPlace) -> (any PeerStream)? {
        let descriptor = sys_connect_to(place.address, Int32(place.port))
        return descriptor < 0 ? nil : PeerSocket(descriptor: descriptor)
    }

    func nonce() -> [UInt8] {
        var chance = SystemRandomNumberGenerator()
        return (0..<4).flatMap { _ in withUnsafeBytes(of: chance.next()) { Array($0) } }
    }
}
