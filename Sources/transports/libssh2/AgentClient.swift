import Glibc

/// A conversation with `ssh-agent` over its socket, one question at a time, never waiting.
///
/// libssh2's own client blocks until the agent answers, which with a key that asks for confirmation may take long;
/// meanwhile no other host would be served.
final class AgentClient {
    struct Identity: Sendable, Equatable {
        var key: [UInt8]
        var comment: String
    }

    private let socket: Descriptor
    private var outbound = ByteQueue()
    private var inbound: [UInt8] = []
    private var isAsked = false

    private static let largestAnswer = 1 << 20

    init?(path: String) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return nil }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let number = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard number >= 0 else { return nil }
        socket = Descriptor(owning: number)
        let size = socklen_t(MemoryLayout<sockaddr_un>.size)
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(number, $0, size) }
        }
        guard code == 0 else { return nil }
    }

    func addInterest(to wait: inout PollWait) {
        guard isAsked else { return }
        wait.add(socket.number, outbound.isEmpty ? POLLIN : POLLIN | POLLOUT)
    }

    func owns(_ descriptor: Int32) -> Bool { descriptor == socket.number }

    /// The keys that the agent holds; nil: the agent is gone or makes no sense.
    func identities() -> CallResult<[Identity]> {
        switch ask([11]) {
        case .wouldBlock: return .wouldBlock
        case .failed(let failure): return .failed(failure)
        case .done(let answer):
            var reader = SSHBytes(answer)
            guard reader.byte() == 12, let count = reader.number() else { return .failed(AgentClient.nonsense) }
            var found: [Identity] = []
            for _ in 0..<min(count, 1024) {
                guard let key = reader.string(), let comment = reader.text() else { break }
                found.append(Identity(key: key, comment: comment))
            }
            return .done(found)
        }
    }

    /// The bare signature, without the name of its type.
    func sign(_ data: [UInt8], key: [UInt8]) -> CallResult<[UInt8]> {
        switch ask([13] + SSHBytes.string(key) + SSHBytes.string(data) + SSHBytes.number(0)) {
        case .wouldBlock: return .wouldBlock
        case .failed(let failure): return .failed(failure)
        case .done(let answer):
            var reader = SSHBytes(answer)
            guard reader.byte() == 14, let whole = reader.string() else {
                return .failed(LibraryFailure(code: -1, text: "ssh-agent refused to sign"))
            }
            var signature = SSHBytes(whole)
            guard signature.string() != nil, let bare = signature.string() else {
                return .failed(AgentClient.nonsense)
            }
            return .done(bare)
        }
    }

    private static let nonsense = LibraryFailure(code: -1, text: "the answer of ssh-agent is not valid")

    /// Asks once; called again with anything it goes on with the question that is open.
    private func ask(_ question: @autoclosure () -> [UInt8]) -> CallResult<[UInt8]> {
        if !isAsked {
            isAsked = true
            outbound.append(SSHBytes.string(question()))
        }
        if case .failed(let code) = socket.write(from: &outbound) {
            return .failed(LibraryFailure(code: code, text: "ssh-agent is gone: \(errorText(code))"))
        }
        var room = [UInt8](repeating: 0, count: 4096)
        while true {
            switch room.withUnsafeMutableBytes({ socket.read(into: $0) }) {
            case .moved(let count):
                inbound.append(contentsOf: room[..<count])
                if inbound.count > AgentClient.largestAnswer { return .failed(AgentClient.nonsense) }
                continue
            case .wouldBlock: break
            case .end, .failed: return .failed(LibraryFailure(code: -1, text: "ssh-agent closed the connection"))
            }
            break
        }
        var reader = SSHBytes(inbound)
        guard let answer = reader.string() else { return .wouldBlock }
        inbound = reader.remaining
        isAsked = false
        return .done(answer)
    }
}
