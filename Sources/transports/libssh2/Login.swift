import CLibSSH2
import Glibc
import Model
import Ports

/// Logs in on one session: keys of the agent first, then key files. Belongs to the driver's thread.
final class Login {
    private enum Candidate {
        case agent(AgentClient.Identity)
        case file(String)
    }

    private enum Phase {
        case listing
        case askingAgent(AgentClient)
        case trying
        case listingAgain
    }

    private let endpoint: Endpoint
    private let session: SSHSession
    private var phase = Phase.listing
    private var agent: AgentClient?
    private var candidates: [Candidate] = []
    private var methods: [String] = []
    /// Why each key came to nothing, for the message.
    private var notes: [String] = []
    /// The first key that only `ssh` can use.
    private var obstacle: Obstacle?
    /// How many keys the host has seen.
    private var askedKeys = 0
    /// A key was left out for its mode.
    private var hasExposedKey = false
    /// Alive while a signature is under way.
    private var signature: SignatureRequest?

    init(endpoint: Endpoint, session: SSHSession) {
        self.endpoint = endpoint
        self.session = session
    }

    func addInterest(to wait: inout PollWait) { agent?.addInterest(to: &wait) }
    func owns(_ descriptor: Int32) -> Bool { agent?.owns(descriptor) ?? false }

    /// Goes as far as it can without waiting.
    func advance() -> CallResult<LinkEnd?> {
        while true {
            switch phase {
            case .listing:
                switch session.loginMethods(user: endpoint.user) {
                case .wouldBlock: return .wouldBlock
                case .failed(let failure): return .failed(failure)
                case .done(nil): return .done(nil)
                case .done(let list?):
                    methods = list
                    guard list.contains("publickey") else { return .done(noMethod()) }
                    beginWithAgent()
                }
            case .askingAgent(let agent):
                switch agent.identities() {
                case .wouldBlock: return .wouldBlock
                case .failed(let failure):
                    notes.append("ssh-agent: \(failure.text)")
                    collect(identities: [])
                case .done(let identities): collect(identities: identities)
                }
            case .trying:
                guard let candidate = candidates.first else {
                    phase = .listingAgain
                    continue
                }
                switch attempt(candidate) {
                case .wouldBlock: return .wouldBlock
                case .done: return .done(nil)
                case .failed(let failure):
                    if Login.isRefusal(failure) { askedKeys += 1 }
                    if let farewell = session.buffers.farewell, farewell.isOfLogin { return .done(hadEnough(farewell)) }
                    if isConnectionLost(failure) { return .failed(failure) }
                    notes.append("\(Login.name(candidate)): \(Login.reason(failure))")
                    candidates.removeFirst()
                    signature = nil
                }
            case .listingAgain: return refused()
            }
        }
    }

    private func beginWithAgent() {
        guard let path = endpoint.agentSocket else { return collect(identities: []) }
        guard let client = AgentClient(path: path) else {
            notes.append("ssh-agent at \(path): no answer")
            return collect(identities: [])
        }
        agent = client
        phase = .askingAgent(client)
    }

    /// Puts the candidates in order: keys of the agent that are configured, its others, then files.
    private func collect(identities: [AgentClient.Identity]) {
        phase = .trying
        let files = endpoint.identityFiles.map { KeyFile(path: $0) }
        let configured = files.compactMap(\.publicKey)
        let preferred = identities.filter { configured.contains($0.key) }
        let others = endpoint.identitiesOnly ? [] : identities.filter { !configured.contains($0.key) }
        for identity in preferred + others {
            let kind = KeyFile.kind(type: SSHBytes.keyType(of: identity.key))
            if kind == .usable {
                candidates.append(.agent(identity))
            } else {
                note("ssh-agent's key \(identity.comment)", kind)
            }
        }
        for file in files where !identities.contains(where: { $0.key == file.publicKey }) {
            if file.kind == .usable { candidates.append(.file(file.path)) } else { note(file.path, file.kind) }
        }
    }

    private func note(_ name: String, _ kind: KeyFile.Kind) {
        switch kind {
        case .usable: break
        case .missing: notes.append("\(name): no such file")
        case .exposed:
            hasExposedKey = true
            notes.append("\(name): not used, since other users can read it; fix: chmod 600 \(ShellWord.of(name))")
        case .unreadable(let text): notes.append("\(name): \(text)")
        case .encrypted: notes.append("\(name): has a passphrase; load it into ssh-agent (ssh-add \(name))")
        case .rsa: beyond(name, "an RSA key, which libssh2 can only sign with SHA-1, and servers refuse that today")
        case .token: beyond(name, "a key on a hardware token")
        case .certificate: beyond(name, "a user certificate")
        case .other(let text): notes.append("\(name): \(text)")
        }
    }

    private func beyond(_ name: String, _ what: String) {
        notes.append("\(name): \(what)")
        obstacle = obstacle ?? Obstacle(text: "\(name) is \(what)")
    }

    private func attempt(_ candidate: Candidate) -> CallResult<Void> {
        switch candidate {
        case .file(let path): return session.logIn(user: endpoint.user, keyFile: path)
        case .agent(let identity):
            guard let agent else { return .failed(LibraryFailure(code: -1, text: "no agent")) }
            let request = signature ?? SignatureRequest(agent: agent, key: identity.key)
            signature = request
            return session.logIn(user: endpoint.user, key: identity.key, signing: request)
        }
    }

    private static func name(_ candidate: Candidate) -> String {
        switch candidate {
        case .agent(let identity): "ssh-agent's key \(identity.comment)"
        case .file(let path): path
        }
    }

    private static func reason(_ failure: LibraryFailure) -> String {
        isRefusal(failure) ? "not accepted" : failure.text
    }

    private static func isRefusal(_ failure: LibraryFailure) -> Bool {
        [LIBSSH2_ERROR_AUTHENTICATION_FAILED, LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED].contains(failure.code)
    }

    /// After the end of the connection libssh2 calls every further key one that is not accepted.
    private func isConnectionLost(_ failure: LibraryFailure) -> Bool {
        let buffers = session.buffers
        if buffers.farewell != nil || buffers.isEnded && buffers.inbound.isEmpty { return true }
        return [
            LIBSSH2_ERROR_SOCKET_RECV, LIBSSH2_ERROR_SOCKET_DISCONNECT, LIBSSH2_ERROR_SOCKET_SEND,
            LIBSSH2_ERROR_PROTO, LIBSSH2_ERROR_DECRYPT,
        ].contains(failure.code)
    }

    /// The host sees no more keys: those that are left were not tried.
    private func hadEnough(_ farewell: Disconnection) -> LinkEnd {
        let left = candidates.count - 1
        let others = left > 0 ? "; \(PeopleText.count(left, "other key", "other keys")) not tried" : ""
        let end = StreamEnd(
            kind: .loginRefused,
            message: "\(endpoint.label): the host ended the login after \(PeopleText.count(askedKeys, "key")) "
                + "(\(farewell.text))\(others). Name the right one for this host in ssh's configuration: "
                + "IdentityFile KEY, and IdentitiesOnly yes.")
        return LinkEnd(end, beyond: obstacle ?? sharedConnection)
    }

    /// One that the user has opened needs no login.
    private var sharedConnection: Obstacle? {
        guard let path = endpoint.controlPath, access(path, F_OK) == 0 else { return nil }
        return Obstacle(text: "a connection to it is shared (ControlPath \(path))")
    }

    private func noMethod() -> LinkEnd {
        let offered = methods.joined(separator: ", ")
        let end = StreamEnd(
            kind: .loginRefused,
            message: "\(endpoint.label): the host accepts only \(offered), but usweep logs in with keys. "
                + "Allow keys for \(endpoint.user) there, or open a shared connection first (ControlMaster, "
                + "ControlPath and ControlPersist in ssh's configuration).")
        return LinkEnd(end, beyond: Obstacle(text: "the host accepts only \(offered)"))
    }

    /// Asks once more what the host accepts: when a key was right and more is asked for, the list has changed.
    private func refused() -> CallResult<LinkEnd?> {
        var left = methods
        switch session.loginMethods(user: endpoint.user) {
        case .wouldBlock: return .wouldBlock
        case .failed: break
        case .done(let list): left = list ?? methods
        }
        let tried = notes.isEmpty ? "there is no key to try" : notes.joined(separator: "; ")
        if !left.contains("publickey") {
            let asked = left.joined(separator: ", ")
            let end = StreamEnd(
                kind: .loginRefused,
                message: "\(endpoint.label): the key was accepted, but the host also asks for \(asked), a second "
                    + "factor that usweep cannot give. Open a shared connection first (ControlMaster, ControlPath "
                    + "and ControlPersist in ssh's configuration).")
            return .done(LinkEnd(end, beyond: Obstacle(text: "the host asks for a second factor (\(asked))")))
        }
        let advice = hasExposedKey ? ""
            : " Put a public key of type ed25519 into ~/.ssh/authorized_keys of \(endpoint.user) there."
        let end = StreamEnd(
            kind: .loginRefused, message: "\(endpoint.label): login refused: \(tried).\(advice)")
        let method = left.first { endpoint.otherMethods.contains($0) }
        let other = method.map { Obstacle(text: "the host accepts only logins by \($0)") }
        return .done(LinkEnd(end, beyond: obstacle ?? other ?? sharedConnection))
    }
}

/// A signature that the agent is asked for, from inside libssh2's login.
final class SignatureRequest {
    fileprivate let agent: AgentClient
    fileprivate let key: [UInt8]

    init(agent: AgentClient, key: [UInt8]) {
        self.agent = agent
        self.key = key
    }
}

extension SSHSession {
    /// Logs in with a key of the agent; `request` has to be the same until this is done.
    func logIn(user: String, key: [UInt8], signing request: SignatureRequest) -> CallResult<Void> {
        var context: UnsafeMutableRawPointer? = Unmanaged.passUnretained(request).toOpaque()
        let code = withExtendedLifetime(request) {
            libssh2_userauth_publickey(
                raw, user, key, key.count,
                { _, signature, length, data, count, context in
                    guard let pointer = context?.pointee, let data, let signature, let length else { return -1 }
                    let request = Unmanaged<SignatureRequest>.fromOpaque(pointer).takeUnretainedValue()
                    let bytes = Array(UnsafeBufferPointer(start: data, count: count))
                    switch request.agent.sign(bytes, key: request.key) {
                    case .wouldBlock: return LIBSSH2_ERROR_EAGAIN
                    case .failed: return -1
                    case .done(let made):
                        // libssh2 frees it with `free`.
                        guard let room = malloc(max(1, made.count)) else { return -1 }
                        UnsafeMutableRawBufferPointer(start: room, count: made.count).copyBytes(from: made)
                        signature.pointee = room.assumingMemoryBound(to: UInt8.self)
                        length.pointee = made.count
                        return 0
                    }
                }, &context)
        }
        return result(code)
    }
}
