/// Lets only so many handshakes go on at a time, and only so many by way of one gateway; first come, first served.
///
/// `sshd` drops connections when too many of them have not logged in yet (`MaxStartups`, 10 by default).
struct HandshakeGate {
    private let total: Int
    private let perGateway: Int
    private var holders: [UInt64: String?] = [:]
    private var waiting: [(link: UInt64, gateway: String?)] = []

    init(total: Int, perGateway: Int) {
        self.total = total
        self.perGateway = perGateway
    }

    /// Asks for a place; `grant` says when there is one.
    mutating func request(_ link: UInt64, gateway: String?) {
        guard holders[link] == nil, !waiting.contains(where: { $0.link == link }) else { return }
        waiting.append((link, gateway))
    }

    mutating func release(_ link: UInt64) {
        holders[link] = nil
        waiting.removeAll { $0.link == link }
    }

    /// Hands out free places. Returns who got one.
    mutating func grant() -> [UInt64] {
        var granted: [UInt64] = []
        waiting.removeAll { candidate in
            guard holders.count < total else { return false }
            if let gateway = candidate.gateway, holders.values.count(where: { $0 == gateway }) >= perGateway {
                return false
            }
            holders[candidate.link] = .some(candidate.gateway)
            granted.append(candidate.link)
            return true
        }
        return granted
    }
}
