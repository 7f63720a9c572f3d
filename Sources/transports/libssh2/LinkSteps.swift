import CLibSSH2
import Glibc
import Model
import Ports

/// The phases of a link, one step each.
extension SSHLink {
    func step(now: ContinuousClock.Instant) {
        var goesOn = true
        while goesOn {
            if let deadline, now >= deadline, !isReady { return expired() }
            switch phase {
            case .queued, .resolving, .tunnelling, .ended: goesOn = false
            case .dialing(let dialer): goesOn = dial(dialer, now: now)
            case .greeting: goesOn = awaitGreeting()
            case .queuedForHandshake: goesOn = false
            case .handshaking(let session): goesOn = shakeHands(session, now: now)
            case .loggingIn(let session, let login): goesOn = logIn(session, login, now: now)
            case .ready(let session):
                serve(session, now: now)
                goesOn = false
            }
        }
    }

    private func dial(_ dialer: Dialer, now: ContinuousClock.Instant) -> Bool {
        var dialer = dialer
        switch dialer.advance(now: now) {
        case .waiting:
            phase = .dialing(dialer)
            return false
        case .failed(let text):
            fail(
                .unreachable,
                "cannot be reached: \(text). Check that it is up and that sshd listens on port \(endpoint.port)")
            return false
        case .connected(let descriptor):
            socket = descriptor
            connected(now: now)
            isDirty = true
            return true
        }
    }

    private func awaitGreeting() -> Bool {
        if !buffers.inbound.isEmpty {
            phase = .queuedForHandshake
            deadline = nil
            host.requestHandshake(self)
        } else if buffers.isEnded {
            fail(
                .unreachable,
                "closed the connection without a greeting (\(carrierFailure)); check that it is sshd that listens on "
                    + "port \(endpoint.port)")
        }
        return false
    }

    /// There is a place for this handshake.
    func beginHandshake(now: ContinuousClock.Instant) {
        guard case .queuedForHandshake = phase else { return }
        isDirty = true
        deadline = now + timeouts.handshake
        guard let session = SSHSession(buffers: buffers) else {
            return fail(.unreachable, "out of memory: another connection cannot be created")
        }
        let known = KnownHosts(files: endpoint.knownHostsFiles)
        session.preferHostKeys(SSHLink.order(knownTypes: known.keyTypes(of: endpoint)))
        phase = .handshaking(session)
    }

    static let hostKeyTypes = ["ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"]

    /// Types on record first, so that the key the user trusts is the one that is shown.
    static func order(knownTypes: [String]) -> [String] {
        let known = hostKeyTypes.filter { knownTypes.contains($0) }
        return known + hostKeyTypes.filter { !known.contains($0) }
    }

    private func shakeHands(_ session: SSHSession, now: ContinuousClock.Instant) -> Bool {
        switch session.handshake(bottom) {
        case .wouldBlock: return false
        case .failed(let failure):
            handshakeFailed(failure)
            return false
        case .done:
            guard let key = session.hostKey, isTrusted(key) else { return false }
            session.configureKeepalive(seconds: Int(timeouts.keepaliveInterval.components.seconds))
            phase = .loggingIn(session, Login(endpoint: endpoint, session: session))
            deadline = now + timeouts.login
            return true
        }
    }

    private func handshakeFailed(_ failure: LibraryFailure) {
        switch failure.code {
        case LIBSSH2_ERROR_KEX_FAILURE, LIBSSH2_ERROR_METHOD_NONE:
            fail(
                .misconfigured,
                "libssh2 and the host have no algorithm in common (\(failure.text)); a host that has only an RSA key "
                    + "can be given an ed25519 key too (`ssh-keygen -A` there)",
                beyond: "it has no algorithm in common with libssh2; perhaps its only key is RSA")
        default:
            let cause = buffers.isEnded ? carrierFailure : failure.text
            fail(.unreachable, "the key exchange failed: \(cause)")
        }
    }

    /// Whether the host is who it says; ends the link when not.
    private func isTrusted(_ key: [UInt8]) -> Bool {
        let known = KnownHosts(files: endpoint.knownHostsFiles)
        let print = "\(SSHBytes.keyType(of: key)) \(KnownHosts.fingerprint(key))"
        switch known.standing(of: key, shownBy: endpoint) {
        case .trusted: return true
        case .revoked(let place):
            fail(.hostKeyRefused, "its key (\(print)) is revoked (\(place))")
        case .changed(let place):
            let file = String(place[..<(place.lastIndex(of: ":") ?? place.endIndex)])
            let command = "ssh-keygen -R \(ShellWord.quoted(endpoint.keyName)) -f \(ShellWord.of(file))"
            fail(
                .hostKeyRefused,
                "ITS KEY HAS CHANGED: it shows \(print), but \(place) has another. Somebody may be intercepting the "
                    + "connection, or the host was reinstalled. Only if you know that it was: `\(command)`, then "
                    + "accept the new key")
        case .unknown:
            let others = known.keyTypes(of: endpoint)
            let hint =
                others.isEmpty
                ? "" : " (on record are only keys of other types: \(others.joined(separator: ", ")))"
            fail(
                .hostKeyUnknown,
                "its key is not known\(hint): \(print). Compare this with what `ssh-keygen -lf "
                    + "/etc/ssh/ssh_host_ed25519_key.pub` shows on the host itself; to accept it\(acceptCommand)",
                beyond: others.isEmpty ? nil : "known_hosts has keys of type \(others.joined(separator: ", ")) for it")
        }
        return false
    }

    /// As in ": `ssh-keyscan -p 22 h >> ~/.ssh/known_hosts`".
    private var acceptCommand: String {
        // Of a host behind another, and of one with an alias for its key, ssh knows what to write into the file.
        let isPlain = route.toGateway == nil && endpoint.isKnownByItsName
        func typed(_ file: String) -> String {
            isPlain ? "`ssh-keyscan -p \(endpoint.port) \(endpoint.host) >> \(file)`" : "`ssh \(endpoint.name)`"
        }
        if let file = endpoint.acceptedKeysFile {
            let folder = file.lastIndex(of: "/").map { String(file[..<$0]) } ?? ""
            let isMissing = !folder.isEmpty && access(folder, F_OK) != 0
            return (isMissing ? ": `mkdir -p -m 700 \(ShellWord.of(folder))`, then " : ": ") + typed(ShellWord.of(file))
        }
        return ", first give it a file in the ssh configuration, which keeps no keys for this host "
            + "(UserKnownHostsFile): `UserKnownHostsFile ~/.ssh/known_hosts`; then \(typed("~/.ssh/known_hosts"))"
    }

    private func logIn(_ session: SSHSession, _ login: Login, now: ContinuousClock.Instant) -> Bool {
        switch login.advance() {
        case .wouldBlock:
            if buffers.isEnded, buffers.inbound.isEmpty { fail(.unreachable, "closed the connection during login") }
            return false
        case .failed(let failure):
            let said = buffers.farewell.map { "the host says: \($0.text)" }
            let cause = said ?? (buffers.isEnded ? carrierFailure : failure.text)
            fail(
                .unreachable,
                "the login broke off: \(cause). If many keys were tried, the host may have had enough of them: "
                    + "name the right one with IdentityFile and IdentitiesOnly")
            return false
        case .done(let end?):
            self.end(end)
            return false
        case .done(nil):
            host.releaseHandshake(self)
            host.releaseDial(self)
            phase = .ready(session)
            deadline = nil
            nextKeepalive = now + timeouts.keepaliveInterval
            return true
        }
    }

    private func serve(_ session: SSHSession, now: ContinuousClock.Instant) {
        advanceUsers(session, now: now)
        guard isReady else { return }
        if buffers.isEnded, buffers.inbound.isEmpty {
            return fail(.unreachable, "the connection broke: \(carrierFailure)")
        }
        if hasUsers {
            deadline = nil
        } else if isGateway {
            return fail(.closedHere, "not needed any more")
        } else if let deadline, now >= deadline {
            return fail(.closedHere, "not needed any more")
        } else if deadline == nil {
            deadline = now + timeouts.linger
        }
        if let due = nextKeepalive, now >= due {
            let limit = timeouts.keepaliveInterval * timeouts.keepaliveCount
            if now - lastHeard >= limit { return fail(.unreachable, "nothing was received from it for \(limit)") }
            nextKeepalive = now + .seconds(session.keepAlive())
        }
    }

    private func expired() {
        switch phase {
        case .resolving:
            fail(.unreachable, "the name \(endpoint.host) was not found within \(timeouts.connect)")
        case .dialing: fail(.unreachable, "cannot be reached: no answer within \(timeouts.connect)")
        case .greeting: fail(.unreachable, "connected, but sent no greeting within \(timeouts.handshake)")
        case .handshaking:
            fail(.unreachable, "the key exchange did not end within \(timeouts.handshake)")
        case .loggingIn: fail(.unreachable, "the login did not end within \(timeouts.login)")
        case .queued, .tunnelling, .queuedForHandshake, .ready, .ended: break
        }
    }
}
