import Glibc

/// An address to connect to, as `connect(2)` takes it.
struct SocketAddress: Sendable {
    var family: Int32
    var bytes: [UInt8]
}

/// A name that has no address.
struct ResolutionFailure: Error {
    var text: String
}

/// Looks host names up on threads of their own: `getaddrinfo` blocks, and a dead name server must delay nobody.
enum Resolver {
    static func resolve(
        host: String, port: UInt16,
        whenDone: @escaping @Sendable (Result<[SocketAddress], ResolutionFailure>) -> Void
    ) {
        if let known = addresses(host: host, port: port, flags: AI_NUMERICHOST | AI_NUMERICSERV).success {
            return whenDone(.success(known))
        }
        let started = PollThread.startThread {
            whenDone(addresses(host: host, port: port, flags: AI_ADDRCONFIG | AI_NUMERICSERV))
        }
        if !started { whenDone(.failure(ResolutionFailure(text: "no thread left to look the name up"))) }
    }

    private static func addresses(
        host: String, port: UInt16, flags: Int32
    ) -> Result<[SocketAddress], ResolutionFailure> {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = flags
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, String(port), &hints, &list)
        guard code == 0 else { return .failure(ResolutionFailure(text: String(cString: gai_strerror(code)))) }
        defer { freeaddrinfo(list) }
        var found: [SocketAddress] = []
        var next = list
        while let entry = next?.pointee {
            let bytes = Array(UnsafeRawBufferPointer(start: entry.ai_addr, count: Int(entry.ai_addrlen)))
            found.append(SocketAddress(family: entry.ai_family, bytes: bytes))
            next = entry.ai_next
        }
        return .success(found)
    }
}

extension Result {
    fileprivate var success: Success? {
        if case .success(let value) = self { value } else { nil }
    }
}

/// A TCP connection in the making, by trying one address after the other.
struct Dialer {
    private var addresses: [SocketAddress]
    private var current: Descriptor?
    private var currentDeadline: ContinuousClock.Instant?
    private let deadline: ContinuousClock.Instant
    private var lastFailure = "no address"

    enum Progress {
        case connected(Descriptor)
        case waiting
        case failed(String)
    }

    init(addresses: [SocketAddress], deadline: ContinuousClock.Instant) {
        self.addresses = addresses
        self.deadline = deadline
    }

    /// What to wait for, and until when.
    var pending: (descriptor: Descriptor, until: ContinuousClock.Instant)? {
        current.flatMap { descriptor in currentDeadline.map { (descriptor, $0) } }
    }

    mutating func advance(now: ContinuousClock.Instant) -> Progress {
        while true {
            if let descriptor = current, let limit = currentDeadline {
                switch Dialer.state(of: descriptor) {
                case .moved: return .connected(descriptor)
                case .failed(let code): lastFailure = errorText(code)
                case .wouldBlock, .end:
                    if now < limit { return .waiting }
                    lastFailure = "no answer"
                }
                current = nil
            }
            guard !addresses.isEmpty, now < deadline else { return .failed(lastFailure) }
            // What time is left is shared by the addresses that are left, so that a dead first one does not eat all.
            currentDeadline = now + (deadline - now) / addresses.count
            begin(addresses.removeFirst())
        }
    }

    private mutating func begin(_ address: SocketAddress) {
        let number = socket(address.family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard number >= 0 else {
            lastFailure = errorText(errno)
            return
        }
        let descriptor = Descriptor(owning: number)
        var yes: Int32 = 1
        setsockopt(number, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
        let code = address.bytes.withUnsafeBytes { bytes in
            bytes.withMemoryRebound(to: sockaddr.self) { connect(number, $0.baseAddress, socklen_t(bytes.count)) }
        }
        if code == 0 || errno == EINPROGRESS {
            current = descriptor
        } else {
            lastFailure = errorText(errno)
        }
    }

    /// `.moved` means connected.
    private static func state(of descriptor: Descriptor) -> IOResult {
        var one = [pollfd(fd: descriptor.number, events: Int16(POLLOUT), revents: 0)]
        guard poll(&one, 1, 0) > 0 else { return .wouldBlock }
        var code: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(descriptor.number, SOL_SOCKET, SO_ERROR, &code, &size)
        return code == 0 ? .moved(0) : .failed(code)
    }
}
