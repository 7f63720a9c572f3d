import CLibSSH2
import Glibc
import Model

/// What a libssh2 call came to. "Would block" is neither success nor failure.
enum CallResult<Value> {
    case done(Value)
    case wouldBlock
    case failed(LibraryFailure)
}

/// An error of libssh2.
struct LibraryFailure {
    var code: Int32
    var text: String
}

/// The two byte streams under a session, outside of libssh2.
///
/// Sending always succeeds: the bytes wait here until the socket or the tunnel takes them. So no packet is ever
/// half sent inside libssh2, whose calls could otherwise not be mixed (a key exchange that the server begins
/// while a packet is half sent breaks the session).
final class SSHBuffers {
    var inbound = ByteQueue()
    var outbound = ByteQueue()
    /// Nothing more will come: reading past the end is an error then.
    var isEnded = false
    /// Why the host ended the connection, if it said so.
    var farewell: Disconnection?
    /// The other side has to wait until some of what it sent was taken.
    var isFull: Bool { inbound.count >= inboundLimit }
}

/// What a host says when it ends a connection (RFC 4253, 11.1).
struct Disconnection {
    var reason: Int32
    var text: String

    /// Whether it had enough of keys that it does not accept. OpenSSH says that with the number of another reason.
    var isOfLogin: Bool {
        reason == SSH_DISCONNECT_NO_MORE_AUTH_METHODS_AVAILABLE || text.contains("authentication failures")
    }
}

/// Owns a libssh2 session. Belongs to the driver's thread.
final class SSHSession {
    let raw: OpaquePointer
    let buffers: SSHBuffers

    private static let isReady = libssh2_init(0) == 0

    init?(buffers: SSHBuffers) {
        let context = Unmanaged.passUnretained(buffers).toOpaque()
        guard SSHSession.isReady, let raw = libssh2_session_init_ex(nil, nil, nil, context) else { return nil }
        self.raw = raw
        self.buffers = buffers
        libssh2_session_set_blocking(raw, 0)
        let receive: Receive = { _, room, length, _, context in
            guard let buffers = context?.pointee.map({ SSHSession.buffers(at: $0) }), let room else { return -Int(EIO) }
            if buffers.inbound.isEmpty { return buffers.isEnded ? 0 : -Int(EAGAIN) }
            return buffers.inbound.read(into: UnsafeMutableRawBufferPointer(start: room, count: length))
        }
        let send: Send = { _, bytes, length, _, context in
            guard let buffers = context?.pointee.map({ SSHSession.buffers(at: $0) }), let bytes else {
                return -Int(EIO)
            }
            buffers.outbound.append(Array(UnsafeRawBufferPointer(start: bytes, count: length)))
            return length
        }
        let disconnect: Disconnect = { _, reason, start, length, _, _, context in
            guard let buffers = context?.pointee.map({ SSHSession.buffers(at: $0) }) else { return }
            let bytes = UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : Int(max(0, length)))
            let text = VisibleText.of(String(decoding: bytes, as: UTF8.self), limit: 200)
            buffers.farewell = Disconnection(reason: reason, text: text)
        }
        typealias Address = UnsafeMutableRawPointer
        libssh2_session_callback_set(raw, LIBSSH2_CALLBACK_RECV, unsafeBitCast(receive, to: Address.self))
        libssh2_session_callback_set(raw, LIBSSH2_CALLBACK_SEND, unsafeBitCast(send, to: Address.self))
        libssh2_session_callback_set(raw, LIBSSH2_CALLBACK_DISCONNECT, unsafeBitCast(disconnect, to: Address.self))
    }

    deinit {
        // Freeing channels would wait for the other side's goodbye, were it not told that nothing more comes.
        buffers.inbound.removeAll()
        buffers.isEnded = true
        for _ in 0..<8 where libssh2_session_free(raw) != LIBSSH2_ERROR_EAGAIN { break }
    }

    private typealias Receive = @convention(c) (
        Int32, UnsafeMutableRawPointer?, Int, Int32, UnsafeMutablePointer<UnsafeMutableRawPointer?>?
    ) -> Int
    private typealias Send = @convention(c) (
        Int32, UnsafeRawPointer?, Int, Int32, UnsafeMutablePointer<UnsafeMutableRawPointer?>?
    ) -> Int

    private typealias Disconnect = @convention(c) (
        OpaquePointer?, Int32, UnsafePointer<CChar>?, Int32, UnsafePointer<CChar>?, Int32,
        UnsafeMutablePointer<UnsafeMutableRawPointer?>?
    ) -> Void

    private static func buffers(at context: UnsafeMutableRawPointer) -> SSHBuffers {
        Unmanaged<SSHBuffers>.fromOpaque(context).takeUnretainedValue()
    }

    /// Turns a return value into a call's result; the text is libssh2's own.
    func result(_ code: Int32) -> CallResult<Void> {
        if code >= 0 { return .done(()) }
        return code == LIBSSH2_ERROR_EAGAIN ? .wouldBlock : .failed(failure(code))
    }

    func lastFailure() -> LibraryFailure { failure(libssh2_session_last_errno(raw)) }

    private func failure(_ code: Int32) -> LibraryFailure {
        var text: UnsafeMutablePointer<CChar>?
        libssh2_session_last_error(raw, &text, nil, 0)
        return LibraryFailure(code: code, text: text.map { String(cString: $0) } ?? "libssh2 error \(code)")
    }

    /// Prefers host keys in this order; kinds that this libssh2 does not know are left out by it.
    func preferHostKeys(_ kinds: [String]) {
        libssh2_session_method_pref(raw, LIBSSH2_METHOD_HOSTKEY, kinds.joined(separator: ","))
    }

    /// - Parameter descriptor: any open, non-blocking one: libssh2 only asks for its flags, the bytes go by `buffers`.
    func handshake(_ descriptor: Int32) -> CallResult<Void> { result(libssh2_session_handshake(raw, descriptor)) }

    /// The host's public key as the key exchange proved it.
    var hostKey: [UInt8]? {
        var length = 0
        var type: Int32 = 0
        guard let start = libssh2_session_hostkey(raw, &length, &type) else { return nil }
        return Array(UnsafeRawBufferPointer(start: start, count: length))
    }

    /// The login methods that the host still accepts; nil: already logged in.
    func loginMethods(user: String) -> CallResult<[String]?> {
        let list = user.withCString { libssh2_userauth_list(raw, $0, UInt32(strlen($0))) }
        if let list { return .done(String(cString: list).split(separator: ",").map(String.init)) }
        if libssh2_userauth_authenticated(raw) != 0 { return .done(nil) }
        let code = libssh2_session_last_errno(raw)
        return code == LIBSSH2_ERROR_EAGAIN ? .wouldBlock : .failed(lastFailure())
    }

    /// Logs in with a key file without passphrase.
    func logIn(user: String, keyFile: String) -> CallResult<Void> {
        let code = user.withCString {
            libssh2_userauth_publickey_fromfile_ex(raw, $0, UInt32(strlen($0)), nil, keyFile, nil)
        }
        return result(code)
    }

    func openSession() -> CallResult<SSHChannel> {
        let kind = "session"
        return channel(libssh2_channel_open_ex(raw, kind, UInt32(kind.utf8.count), 2 << 20, 32768, nil, 0))
    }

    /// Asks the host to connect onwards.
    func openTunnel(host: String, port: UInt16) -> CallResult<SSHChannel> {
        channel(libssh2_channel_direct_tcpip_ex(raw, host, Int32(port), "127.0.0.1", 0))
    }

    private func channel(_ opened: OpaquePointer?) -> CallResult<SSHChannel> {
        if let opened { return .done(SSHChannel(owning: opened, session: self)) }
        return libssh2_session_last_errno(raw) == LIBSSH2_ERROR_EAGAIN ? .wouldBlock : .failed(lastFailure())
    }

    func configureKeepalive(seconds: Int) { libssh2_keepalive_config(raw, 1, UInt32(max(2, seconds))) }

    /// Asks the host whether it still answers, when that is due. Returns the seconds until the next time.
    func keepAlive() -> Int {
        var next: Int32 = 0
        libssh2_keepalive_send(raw, &next)
        return max(1, Int(next))
    }

    func sayGoodbye() {
        libssh2_session_disconnect_ex(raw, SSH_DISCONNECT_BY_APPLICATION, "done", "")
    }
}

/// Owns a channel of a session.
final class SSHChannel {
    private let raw: OpaquePointer
    private let session: SSHSession

    init(owning raw: OpaquePointer, session: SSHSession) {
        self.raw = raw
        self.session = session
    }

    deinit {
        // The first call says goodbye and may not wait for the answer; the second frees.
        for _ in 0..<2 where libssh2_channel_free(raw) != LIBSSH2_ERROR_EAGAIN { break }
    }

    func start(_ command: String) -> CallResult<Void> {
        let code = command.withCString {
            libssh2_channel_process_startup(raw, "exec", 4, $0, UInt32(strlen($0)))
        }
        return session.result(code)
    }

    /// - Parameter stream: 0 for standard output, 1 for standard error.
    /// - Returns: bytes read, 0 when there is nothing more.
    func read(_ stream: Int32, into room: UnsafeMutableRawBufferPointer) -> CallResult<Int> {
        let start = room.baseAddress?.assumingMemoryBound(to: CChar.self)
        let count = libssh2_channel_read_ex(raw, stream, start, room.count)
        return amount(count)
    }

    /// After `wouldBlock` the same bytes have to come again.
    func write(_ bytes: UnsafeRawBufferPointer) -> CallResult<Int> {
        let start = bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
        return amount(libssh2_channel_write_ex(raw, 0, start, bytes.count))
    }

    private func amount(_ count: Int) -> CallResult<Int> {
        switch session.result(Int32(truncatingIfNeeded: count)) {
        case .done: .done(count)
        case .wouldBlock: .wouldBlock
        case .failed(let failure): .failed(failure)
        }
    }

    var isAtEnd: Bool { libssh2_channel_eof(raw) == 1 }

    /// Closes from this side, then waits for the other.
    func close() -> CallResult<Void> { session.result(libssh2_channel_close(raw)) }

    var exitStatus: Int32 { libssh2_channel_get_exit_status(raw) }

    /// The name of the signal that ended the command, without `SIG`.
    var exitSignal: String? {
        var name: UnsafeMutablePointer<CChar>?
        var length = 0
        guard libssh2_channel_get_exit_signal(raw, &name, &length, nil, nil, nil, nil) == 0, let name else {
            return nil
        }
        defer { libssh2_free(session.raw, name) }
        return String(decoding: UnsafeRawBufferPointer(start: name, count: length), as: UTF8.self)
    }
}
