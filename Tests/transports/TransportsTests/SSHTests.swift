import Foundation
import Glibc
import Model
import Ports
import TestKit
import Testing
import Transports

/// What only SSH through libssh2 can get right or wrong, against a real `sshd`.
@Suite("SSH through libssh2", .serialized, .timeLimit(.minutes(15)))
struct SSHTests {
    private func options(_ change: (inout RealSSHD.Options) -> Void) -> RealSSHD.Options {
        var options = RealSSHD.Options()
        change(&options)
        return options
    }

    // MARK: Host keys

    @Test("where much is sent the program is tried first, and what stops it is told as libssh2 tells it")
    func fast() async throws {
        // Which libssh2 does not have, so that it would be seen to be tried.
        let server = try RealSSHD(options { $0.configuration = ["Ciphers aes128-gcm@openssh.com"] })
        var target = server.target
        #expect(await talk(server.transport(.automatic), target).notes.first?.contains("no algorithm") == true)
        target.takesMuch = true
        let events = await talk(server.transport(.automatic), target)
        expectHello(events)
        #expect(events.notes.isEmpty)
        let other = try RealSSHD()
        try other.write(knownHosts: [])
        target = other.target
        target.takesMuch = true
        let end = try #require(await talk(other.transport(.automatic), target).end)
        #expect(end.kind == .hostKeyUnknown && end.message.contains("ssh-keyscan"))
        let missing = other.transport(.automatic, environment: ["PATH": other.folder])
        #expect(await talk(missing, target).end?.kind == .hostKeyUnknown)
    }

    @Test("an unknown key is refused, with its fingerprint and how to accept it")
    func unknownKey() async throws {
        let server = try RealSSHD()
        try server.write(knownHosts: [])
        let end = try #require(await talk(server.transport(.libraryOnly), server.target).end)
        #expect(end.kind == .hostKeyUnknown)
        let shown = try RealSSHD.run("ssh-keygen", ["-l", "-f", server.hostKey() + ".pub"])
        let fingerprint = try #require(shown.split(separator: " ").first { $0.hasPrefix("SHA256:") })
        #expect(end.message.contains(fingerprint))
        #expect(end.message.contains("ssh-keyscan -p \(server.port) 127.0.0.1"))
        #expect(end.recovery != .byItself)
        // Where keys are not kept, no command alone makes one known.
        let text = try String(contentsOfFile: server.configFile, encoding: .utf8)
        try (text.replacing(/UserKnownHostsFile .*/, with: "UserKnownHostsFile /dev/null"))
            .write(toFile: server.configFile, atomically: true, encoding: .utf8)
        let lost = try #require(await talk(server.transport(.libraryOnly), server.target).end)
        #expect(lost.message.contains("`UserKnownHostsFile ~/.ssh/known_hosts`; then `ssh-keyscan"), "\(lost.message)")
        #expect(!lost.message.contains("/dev/null"), "\(lost.message)")
    }

    @Test("a changed key is refused, whatever the configuration says")
    func changedKey() async throws {
        let server = try RealSSHD(options { $0.hostKeyTypes = ["ed25519"] })
        let other = server.folder + "/other"
        try RealSSHD.run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", other])
        let line = "[127.0.0.1]:\(server.port) " + (try server.publicKey("other")) + "\n"
        try line.write(toFile: server.knownHostsFile, atomically: true, encoding: .utf8)
        try server.write(
            configuration: [
                "StrictHostKeyChecking no", "IdentityFile \(server.clientKey())",
                "UserKnownHostsFile \(server.knownHostsFile)",
            ])
        let end = try #require(await talk(server.transport(.libraryOnly), server.target).end)
        #expect(end.kind == .hostKeyRefused)
        #expect(end.message.contains("HAS CHANGED"))
        #expect(end.message.contains("\(server.knownHostsFile):1"))
        let command = "`ssh-keygen -R '[127.0.0.1]:\(server.port)' -f \(server.knownHostsFile)`"
        #expect(end.message.contains(command), "\(end.message)")
        let program = try #require(await talk(server.transport(.programOnly), server.target).end)
        #expect(program.kind == .hostKeyRefused)
    }

    @Test("a revoked key is refused though it is on record")
    func revokedKey() async throws {
        let server = try RealSSHD()
        let key = try server.publicKey("host_ed25519")
        let name = "[127.0.0.1]:\(server.port)"
        let text = "\(name) \(key)\n@revoked * \(key)\n"
        try text.write(toFile: server.knownHostsFile, atomically: true, encoding: .utf8)
        let end = try #require(await talk(server.transport(.libraryOnly), server.target).end)
        #expect(end.kind == .hostKeyRefused)
        #expect(end.message.contains("revoked"))
    }

    @Test("hashed names are found")
    func hashed() async throws {
        let server = try RealSSHD()
        try RealSSHD.run("ssh-keygen", ["-H", "-f", server.knownHostsFile])
        let text = try String(contentsOfFile: server.knownHostsFile, encoding: .utf8)
        #expect(text.hasPrefix("|1|"))
        expectHello(await talk(server.transport(.libraryOnly), server.target))
    }

    @Test("the key on record is asked for, though the host has others", arguments: ["ed25519", "ecdsa"])
    func keyOrder(_ type: String) async throws {
        let server = try RealSSHD(options { $0.hostKeyTypes = ["ed25519", "ecdsa", "rsa"] })
        try server.write(knownHosts: [type])
        expectHello(await talk(server.transport(.libraryOnly), server.target))
    }

    @Test("a host that has only an RSA key: the message names the other adapter")
    func onlyRSAHostKey() async throws {
        let server = try RealSSHD(options { $0.hostKeyTypes = ["rsa"] })
        let end = try #require(await talk(server.transport(.libraryOnly), server.target).end)
        #expect(end.kind == .misconfigured)
        #expect(end.message.contains("transport: ssh"))
        expectHello(await talk(server.transport(.programOnly), server.target))
    }

    // MARK: Login

    @Test("logs in with key files", arguments: ["ed25519", "ecdsa"])
    func keyFiles(_ type: String) async throws {
        let server = try RealSSHD(options { $0.clientKeyTypes = ["ed25519", "ecdsa"] })
        try server.write(
            configuration: [
                "IdentityFile \(server.clientKey(type))", "UserKnownHostsFile \(server.knownHostsFile)",
            ])
        expectHello(await talk(server.transport(.libraryOnly), server.target))
    }

    @Test("an RSA key: the message names the cause and the other adapter")
    func rsaKey() async throws {
        let server = try RealSSHD(options { $0.clientKeyTypes = ["rsa"] })
        try server.write(
            configuration: ["IdentityFile \(server.clientKey("rsa"))", "UserKnownHostsFile \(server.knownHostsFile)"])
        let end = try #require(await talk(server.transport(.libraryOnly), server.target).end)
        #expect(end.kind == .loginRefused)
        #expect(end.message.contains("RSA"))
        #expect(end.message.contains("transport: ssh"))
        expectHello(await talk(server.transport(.programOnly), server.target))
    }

    @Test("a key with a passphrase, or none at all, or one that is not let in: told apart")
    func badKeys() async throws {
        let server = try RealSSHD()
        func message(_ identity: String) async throws -> String {
            try server.write(
                configuration: ["IdentityFile \(identity)", "UserKnownHostsFile \(server.knownHostsFile)"])
            let end = try #require(await talk(server.transport(.libraryOnly), server.target).end)
            #expect(end.kind == .loginRefused)
            return end.message
        }
        let locked = server.folder + "/locked"
        try RealSSHD.run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "secret", "-f", locked])
        #expect(try await message(locked).contains("ssh-add"))
        #expect(try await message(server.folder + "/none").contains("no such file"))
        let stranger = server.folder + "/stranger"
        try RealSSHD.run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", stranger])
        #expect(try await message(stranger).contains("not accepted"))
        let program = try #require(await talk(server.transport(.programOnly), server.target).end)
        #expect(program.kind == .loginRefused)
    }

    @Test("a host that has had enough of keys: how many it saw, and that others were not tried")
    func tooManyKeys() async throws {
        let server = try RealSSHD(options { $0.configuration = ["MaxAuthTries 2"] })
        var keys: [String] = []
        for number in 0..<3 {
            let key = "\(server.folder)/stranger\(number)"
            try RealSSHD.run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key])
            keys.append(key)
        }
        let lines = (keys + [server.clientKey()]).map { "IdentityFile \($0)" }
        try server.write(configuration: lines + ["UserKnownHostsFile \(server.knownHostsFile)"])
        for choice in [SSHTransport.Choice.libraryOnly, .automatic] {
            let end = try #require(await talk(server.transport(choice), server.target).end)
            #expect(end.kind == .loginRefused)
            let told = "ended the login after 2 keys (Too many authentication failures); 2 other keys not tried. "
            #expect(end.message.contains(told) && end.message.contains("IdentitiesOnly yes"), "\(end.message)")
            #expect(!end.message.contains("not accepted"))
        }
    }

    @Test("a host that asks for more than a key: a message about the second factor")
    func secondFactor() async throws {
        let server = try RealSSHD(
            options {
                $0.configuration = [
                    "PasswordAuthentication yes", "AuthenticationMethods publickey,password",
                ]
            })
        let end = try #require(await talk(server.transport(.libraryOnly), server.target).end)
        #expect(end.kind == .loginRefused)
        #expect(end.message.contains("second factor"))
        #expect(end.message.contains("ControlMaster"))
        #expect(end.message.contains("transport: ssh"))
    }

    @Test("a host without key logins: what it offers instead is named")
    func noKeys() async throws {
        let server = try RealSSHD(
            options { $0.configuration = ["PubkeyAuthentication no", "PasswordAuthentication yes"] })
        let end = try #require(await talk(server.transport(.libraryOnly), server.target).end)
        #expect(end.kind == .loginRefused)
        #expect(end.message.contains("password"))
    }

    @Test("keys of the agent; IdentitiesOnly leaves those out that are not named")
    func agent() async throws {
        let server = try RealSSHD()
        let stranger = server.folder + "/stranger"
        try RealSSHD.run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", stranger])
        let agent = try SSHAgent(folder: server.folder)
        defer { agent.stop() }
        try agent.add(server.clientKey())
        var environment = server.environment
        environment["SSH_AUTH_SOCK"] = agent.socket
        let known = "UserKnownHostsFile \(server.knownHostsFile)"
        try server.write(configuration: [known])
        expectHello(await talk(server.transport(.libraryOnly, environment: environment), server.target))
        try server.write(configuration: [known, "IdentitiesOnly yes", "IdentityFile \(stranger)"])
        let end = try #require(await talk(server.transport(.libraryOnly, environment: environment), server.target).end)
        #expect(end.kind == .loginRefused)
        // Only the public half is there: the agent has the rest.
        let publicOnly = server.folder + "/public.pub"
        try FileManager.default.copyItem(atPath: server.clientKey() + ".pub", toPath: publicOnly)
        try server.write(configuration: [known, "IdentitiesOnly yes", "IdentityFile \(server.folder)/public"])
        expectHello(await talk(server.transport(.libraryOnly, environment: environment), server.target))
    }

    // MARK: The way

    @Test("goes through one and two jump hosts")
    func jumpHosts() async throws {
        let server = try RealSSHD()
        let first = try RealSSHD(options { $0.configuration = ["AllowTcpForwarding yes"] })
        let second = try RealSSHD(options { $0.configuration = ["AllowTcpForwarding yes"] })
        let known = [server, first, second].map(\.knownHostsFile).joined(separator: " ")
        func host(_ name: String, _ server: RealSSHD) -> [String] {
            [
                "Host \(name)", "HostName 127.0.0.1", "Port \(server.port)", "IdentityFile \(server.clientKey())",
                "UserKnownHostsFile \(known)",
            ]
        }
        let hosts = host("first", first) + host("second", second)
        try server.write(configuration: hosts + host("worker", server) + ["ProxyJump first,second"])
        let target = HostTarget(name: "worker")
        expectHello(await talk(server.transport(.libraryOnly), target))
        try server.write(configuration: hosts + host("worker", server))
        var jumping = target
        jumping.values["jump"] = "first"
        let subject = Subject(transport: server.transport(.libraryOnly), target: jumping, server: server)
        let count = try await roundTripLarge(subject, pieces: 64)
        #expect(count == 8 << 20)
        second.stop()
        jumping.values["jump"] = "first,second"
        let end = try #require(await talk(server.transport(.libraryOnly), jumping).end)
        #expect(end.kind == .unreachable)
        #expect(end.message.contains("second"))
    }

    @Test("twenty hosts behind one gateway that lets few in at a time")
    func gateway() async throws {
        let gateway = try RealSSHD(options { $0.configuration = ["MaxStartups 5:100:5"] })
        let server = try RealSSHD()
        let known = "UserKnownHostsFile \(gateway.knownHostsFile) \(server.knownHostsFile)"
        var lines: [String] = ["Host gateway", "HostName 127.0.0.1", "Port \(gateway.port)"]
        lines += ["IdentityFile \(gateway.clientKey())", known]
        for number in 0..<20 {
            lines += ["Host worker\(number)", "HostName 127.0.0.1", "Port \(server.port)", "ProxyJump gateway"]
            lines += ["IdentityFile \(server.clientKey())", known]
        }
        try server.write(configuration: lines)
        let transport = server.transport(.libraryOnly)
        await withTaskGroup(of: [StreamEvent].self) { group in
            for number in 0..<20 { group.addTask { await talk(transport, HostTarget(name: "worker\(number)")) } }
            for await events in group { expectHello(events) }
        }
    }

    @Test("survives new keys every MiB, in both directions")
    func rekeying() async throws {
        let server = try RealSSHD(options { $0.configuration = ["RekeyLimit 1M"] })
        let subject = Subject(transport: server.transport(.libraryOnly), target: server.target, server: server)
        let count = try await roundTripLarge(subject, pieces: 256)
        #expect(count == 32 << 20)
    }

    @Test("a host that is silent is given up: before its greeting, and after it was open")
    func silence() async throws {
        let server = try RealSSHD()
        var timeouts = SSHSettings.Timeouts()
        timeouts.handshake = .seconds(1)
        timeouts.keepaliveInterval = .seconds(2)
        timeouts.keepaliveCount = 2
        let transport = server.transport(.libraryOnly, timeouts: timeouts)
        let recorder = StreamRecorder()
        let connection = transport.open(server.target, command: Command.echo, observer: recorder.observer)
        connection.send([1])
        _ = await recorder.events { $0 == .received([1]) }
        server.signal(SIGSTOP)
        let lost = try #require(await recorder.all().end)
        #expect(lost.kind == .unreachable)
        #expect(lost.message.contains("nothing was received"))
        let refused = try #require(await talk(server.transport(.libraryOnly, timeouts: timeouts), server.target).end)
        #expect(refused.kind == .unreachable)
        #expect(refused.message.contains("greeting"))
        server.signal(SIGCONT)
    }

    @Test("tcsh as the login shell", .enabled(if: isInstalled("tcsh"), "tcsh is not installed"))
    func tcsh() async throws { try await loginShell("/usr/bin/tcsh") }

    @Test("fish as the login shell", .enabled(if: isInstalled("fish"), "fish is not installed"))
    func fish() async throws { try await loginShell("/usr/bin/fish") }

    private static func isInstalled(_ name: String) -> Bool { access("/usr/bin/\(name)", X_OK) == 0 }

    private func loginShell(_ shell: String) async throws {
        let server = try RealSSHD(
            options { $0.configuration = ["ForceCommand \(shell) -c \"echo motd; $SSH_ORIGINAL_COMMAND\""] })
        let events = await talk(server.transport(.libraryOnly), server.target)
        #expect(events.output == Array("motd\nhello\n".utf8), "\(events.end?.message ?? "")")
    }

    @Test("ProxyCommand: the message names the other adapter")
    func proxyCommand() async throws {
        let server = try RealSSHD()
        try server.write(configuration: ["ProxyCommand nc %h %p"])
        let end = try #require(await talk(server.transport(.libraryOnly), server.target).end)
        #expect(end.kind == .misconfigured)
        #expect(end.message.contains("ProxyCommand"))
        #expect(end.message.contains("transport: ssh"))
    }
}

extension Subject {
    init(transport: any Transport, target: HostTarget, server: RealSSHD?) {
        self.transport = transport
        self.target = target
        self.server = server
    }
}

/// A real `ssh-agent`.
struct SSHAgent {
    let socket: String
    private let process: Child

    init(folder: String) throws {
        socket = folder + "/agent"
        process = try Child(
            program: "/usr/bin/ssh-agent", arguments: ["ssh-agent", "-D", "-a", socket], environment: [:])
        // It says where it listens once it does.
        _ = process.output.text { $0.contains("SSH_AUTH_SOCK") }
    }

    func add(_ key: String) throws { try RealSSHD.run("env", ["SSH_AUTH_SOCK=\(socket)", "ssh-add", "-q", key]) }

    func stop() {
        kill(process.process, SIGTERM)
        _ = process.waitUntilEnded()
    }
}
