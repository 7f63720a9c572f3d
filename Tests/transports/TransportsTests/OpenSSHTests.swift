import Foundation
import Glibc
import Model
import Ports
import Synchronization
import TestKit
import Testing
import Transports

/// OpenSSH's configuration counts as it does for `ssh`, against a real `sshd`.
@Suite("OpenSSH's configuration", .serialized, .timeLimit(.minutes(15)))
struct OpenSSHTests {
    /// A server that is only known by a configuration's alias.
    private let server: RealSSHD
    private let target = HostTarget(name: "worker")

    init() throws { server = try RealSSHD() }

    /// A block for the alias, without what the test says itself.
    private func block(without left: String = "-") -> [String] {
        [
            "Host worker", "HostName 127.0.0.1", "Port \(server.port)", "User \(server.user)",
            "IdentityFile \"\(server.clientKey())\"", "UserKnownHostsFile \"\(server.knownHostsFile)\"",
        ].filter { !$0.hasPrefix(left) }
    }

    private func write(_ name: String, _ text: String) throws {
        try text.write(toFile: "\(server.folder)/\(name)", atomically: true, encoding: .utf8)
    }

    /// What `ssh` itself makes of the configuration.
    private func sshReaches() -> Bool {
        let options = ["BatchMode=yes", "StrictHostKeyChecking=yes"].flatMap { ["-o", $0] }
        let said = try? RealSSHD.run("ssh", ["-n", "-T", "-F", server.configFile] + options + ["worker", "echo hello"])
        return said == "hello\n"
    }

    /// The same as `ssh`, by libssh2 where it can and by the program where it cannot.
    ///
    /// - Returns: why the program was needed; nil: it was not.
    @discardableResult
    private func expectSame(
        reached: Bool, _ name: String = "", _ place: SourceLocation = #_sourceLocation
    ) async -> String? {
        let events = await talk(server.transport(.automatic), target)
        let isReached = events.output == Array("hello\n".utf8)
        #expect(sshReaches() == reached, "ssh: \(name)", sourceLocation: place)
        #expect(isReached == reached, "\(name): \(events.end?.message ?? "")", sourceLocation: place)
        return events.notes.first
    }

    // MARK: Files

    @Test("line ends of Windows, tabs, quotes, equals signs, includes by pattern")
    func forms() async throws {
        let lines = ["# a comment"] + block()
        let crlf = lines.joined(separator: "\r\n") + "\r\n"
        for text in [
            crlf, block().joined(separator: "\r\n") + "\r\n",
            lines.joined(separator: "\n\t") + "\n" + "Host other\r\n  Port 2299\r\n",
            lines.joined(separator: "\n").replacingOccurrences(of: "Port ", with: "Port = "),
            lines.joined(separator: "\n") + "\n# " + String(repeating: "x", count: 900) + "\n",
        ] {
            try write("ssh_config", text)
            let detour = await expectSame(reached: true, text)
            #expect(detour == nil)
        }
        try write("part1", crlf)
        try write("ssh_config", "Include \(server.folder)/part*\n")
        await expectSame(reached: true)
        try write("ssh_config", "\u{feff}" + lines.joined(separator: "\n"))
        await expectSame(reached: false, "a byte-order mark")
    }

    @Test("a wrong configuration is told in ssh's own words, and as nothing that passes")
    func wrong() async throws {
        try write("ssh_config", "Host worker\n  Prot 22\n")
        let end = try #require(await talk(server.transport(.automatic), target).end)
        #expect(end.kind == .misconfigured)
        #expect(end.message.contains("ssh_config: line 2: Bad configuration option"), "\(end.message)")
    }

    // MARK: Match, canonical names, tokens

    @Test(
        "Match is as lazy as ssh's",
        arguments: [
            ("Match originalhost rpi exec \"true\"\nHostName 192.0.2.1", "", true),
            ("Match host rpi exec \"true\"\nHostName 192.0.2.1", "", true),
            ("Match user nobody exec \"true\"\nPort 2299", "", true),
            ("Match exec \"test %h = worker\"\nPort 2299", "", false),
            ("", "Match !originalhost worker\nPort 2299", true),
            ("", "Match exec \"true\"\nUser root", true),
            ("Match final host 127.*\nPort 2299", "", false),
        ])
    func match(_ before: String, _ after: String, _ reached: Bool) async throws {
        // In its second pass over a configuration `ssh` sets only what is not set yet.
        let left = before.contains("final") ? "Port" : "-"
        try server.write(configuration: [before] + block(without: left) + [after])
        await expectSame(reached: reached, before + after)
    }

    @Test("canonical names are looked up and read again")
    func canonical() async throws {
        try server.write(
            configuration: ["CanonicalizeHostname always", "Host 127.0.0.1", "Port 2299"] + block(without: "Port"))
        await expectSame(reached: false)
        try server.write(
            configuration: ["CanonicalizeHostname always", "Host 127.0.0.1", "IdentityFile \(server.clientKey())"]
                + block(without: "IdentityFile"))
        await expectSame(reached: true)
    }

    @Test("tokens in the names of keys and of known hosts")
    func tokens() async throws {
        let files = FileManager.default
        try files.copyItem(atPath: server.clientKey(), toPath: server.folder + "/key_worker_\(server.port)")
        try files.copyItem(atPath: server.knownHostsFile, toPath: server.folder + "/known 127.0.0.1")
        try server.write(
            configuration: block(without: "IdentityFile") + ["IdentityFile \(server.folder)/key_%n_%p"])
        #expect(await expectSame(reached: true) == nil)
        try server.write(
            configuration: block(without: "UserKnown") + ["UserKnownHostsFile \"\(server.folder)/known %h\""])
        #expect(await expectSame(reached: true)?.contains("space") == true)
        try server.write(configuration: block(without: "UserKnown") + ["UserKnownHostsFile none"])
        await expectSame(reached: false)
    }

    @Test("a configuration that never ends is given up, with what to look for")
    func hanging() async throws {
        try server.write(configuration: ["Match exec \"sleep 600\"", "User x"] + block())
        var timeouts = SSHSettings.Timeouts()
        timeouts.configuration = .milliseconds(300)
        let end = try #require(await talk(server.transport(.automatic, timeouts: timeouts), target).end)
        #expect(end.kind == .unreachable)
        #expect(end.message.contains("Match exec"))
    }

    @Test("without the program only the inventory counts, and that is told once for all hosts")
    func withoutProgram() async throws {
        let notes = Mutex<[String]>([])
        let transport = server.transport(.automatic, environment: ["PATH": server.folder]) { text in
            notes.withLock { $0.append(text) }
        }
        for _ in 0..<2 {
            let end = try #require(await talk(transport, server.target).end)
            // It was reached by address and port; known_hosts of the test is not this user's own.
            #expect(end.kind == .hostKeyUnknown, "\(end.message)")
        }
        #expect(notes.withLock { $0.count } == 1)
        #expect(notes.withLock { $0.first?.contains("openssh-client") } == true)
    }

    // MARK: What libssh2 cannot do

    @Test("revoked keys are refused: by a list as text or binary, by a marker, and where the list is missing")
    func revoked() async throws {
        let key = try server.publicKey("host_ed25519") + "\n"
        try write("revoked", key)
        try RealSSHD.run("ssh-keygen", ["-q", "-k", "-f", server.folder + "/krl", server.folder + "/revoked"])
        try write("other", try server.publicKey("client_ed25519") + "\n")
        for (list, reached) in [("revoked", false), ("krl", false), ("gone", false), ("other", true)] {
            try server.write(configuration: block() + ["RevokedHostKeys \(server.folder)/\(list)"])
            await expectSame(reached: reached, list)
            let end = try #require(await talk(server.transport(.libraryOnly), target).end)
            #expect(end.kind == .misconfigured && end.message.contains("transport: ssh"))
            guard !reached else { continue }
            #expect(await talk(server.transport(.automatic), target).end?.kind == .hostKeyRefused)
        }
        try server.write(configuration: block())
        let known = try String(contentsOfFile: server.knownHostsFile, encoding: .utf8)
        try write("known_hosts", known + "@revoked * " + key)
        await expectSame(reached: false)
    }

    @Test("a user's certificate: from a file, beside the key, and from the agent")
    func userCertificate() async throws {
        let folder = server.folder
        for name in ["ca", "signed"] {
            try RealSSHD.run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", "\(folder)/\(name)"])
        }
        let user = ["-I", "u", "-n", server.user, "-V", "+1d", folder + "/signed.pub"]
        try RealSSHD.run("ssh-keygen", ["-q", "-s", folder + "/ca"] + user)
        var options = RealSSHD.Options()
        options.configuration = ["TrustedUserCAKeys \(folder)/ca.pub", "AuthorizedKeysFile none"]
        let strict = try RealSSHD(options)
        let named = [
            "Host worker", "HostName 127.0.0.1", "Port \(strict.port)", "UserKnownHostsFile \(strict.knownHostsFile)",
        ]
        try server.write(configuration: named + ["IdentityFile \(folder)/signed"])
        #expect(await expectSame(reached: true, "beside")?.contains("transport: ssh") == true)
        try server.write(
            configuration: named + ["IdentityFile \(folder)/signed", "CertificateFile \(folder)/signed-cert.pub"])
        #expect(await expectSame(reached: true, "file")?.contains("CertificateFile") == true)
        let agent = try SSHAgent(folder: folder)
        defer { agent.stop() }
        try agent.add(folder + "/signed")
        try server.write(configuration: named + ["IdentityAgent \(agent.socket)"])
        #expect(await expectSame(reached: true, "agent")?.contains("certificate") == true)
        let end = try #require(await talk(server.transport(.libraryOnly), target).end)
        #expect(end.kind == .loginRefused)
        #expect(end.message.contains("transport: ssh"), "\(end.message)")
    }

    @Test("a host's certificate: by its authority, no other, none that is revoked, and for its own name")
    func hostCertificate() async throws {
        var options = RealSSHD.Options()
        options.certificateFor = ["worker.lab"]
        let certified = try RealSSHD(options)
        let authority = try certified.publicKey("authority")
        let lines = [
            "Host worker", "HostName 127.0.0.1", "Port \(certified.port)", "IdentityFile \(certified.clientKey())",
            "UserKnownHostsFile \(certified.knownHostsFile)",
        ]
        func know(_ text: String) throws {
            try text.write(toFile: certified.knownHostsFile, atomically: true, encoding: .utf8)
        }
        try server.write(configuration: lines + ["HostKeyAlias worker.lab"])
        try know("@cert-authority *.lab \(authority)\n")
        #expect(await expectSame(reached: true)?.contains("certificate authority") == true)
        try know("@cert-authority *.lab \(authority)\n@revoked * \(authority)\n")
        await expectSame(reached: false, "revoked authority")
        try know("@cert-authority *.lab \(try certified.publicKey("client_ed25519"))\n")
        await expectSame(reached: false, "another authority")
        try know("@cert-authority * \(authority)\n")
        try server.write(configuration: lines)
        await expectSame(reached: false, "another name")
    }

    @Test("keys that a program tells, and a way by ProxyCommand")
    func programs() async throws {
        let key = try server.publicKey("host_ed25519")
        try write("keys", "[127.0.0.1]:\(server.port) \(key)\n")
        try server.write(
            configuration: block(without: "UserKnown")
                + ["UserKnownHostsFile none", "KnownHostsCommand /bin/cat \(server.folder)/keys"])
        #expect(await expectSame(reached: true)?.contains("KnownHostsCommand") == true)
        let way = "exec 3<>/dev/tcp/%h/%p; cat <&3 & cat >&3"
        try server.write(configuration: block() + ["ProxyCommand /bin/bash -c '\(way)'"])
        #expect(await expectSame(reached: true)?.contains("ProxyCommand") == true)
    }

    @Test(
        "what the configuration allows is obeyed: algorithms and ways to log in",
        arguments: [
            ("HostKeyAlgorithms ecdsa-sha2-nistp256", false), ("PubkeyAcceptedAlgorithms ecdsa-sha2-nistp256", false),
            ("PreferredAuthentications password", false), ("Ciphers 3des-cbc", false), ("Ciphers aes256-ctr", true),
            ("KexAlgorithms curve25519-sha256", true), ("MACs hmac-sha2-256", true),
        ])
    func allowed(_ line: String, _ reached: Bool) async throws {
        try server.write(configuration: block() + [line])
        let keyword = try #require(line.split(separator: " ").first)
        #expect(await expectSame(reached: reached, line)?.contains(keyword) == true)
    }

    @Test("a private key that others can read is not used; the message has the command that helps")
    func exposedKey() async throws {
        let key = server.folder + "/open"
        try FileManager.default.copyItem(atPath: server.clientKey(), toPath: key)
        try #require(chmod(key, 0o644) == 0)
        try server.write(configuration: block(without: "IdentityFile") + ["IdentityFile \(key)", "IdentitiesOnly yes"])
        await expectSame(reached: false)
        let end = try #require(await talk(server.transport(.automatic), target).end)
        #expect(end.kind == .loginRefused && end.message.hasSuffix("chmod 600 \(key)."), "\(end.message)")
        try #require(chmod(key, 0o600) == 0)
        #expect(await expectSame(reached: true) == nil)
    }

    @Test("variables that the configuration sets or sends are there by either way, and locales by none")
    func variables() async throws {
        var options = RealSSHD.Options()
        options.configuration = ["AcceptEnv FOO SENT LC_*"]
        let server = try RealSSHD(options)
        var environment = server.environment
        environment["SENT"] = "sent"
        environment["LC_ALL"] = "C.UTF-8"
        let usual = [
            "IdentityFile \(server.clientKey())", "UserKnownHostsFile \(server.knownHostsFile)", "SendEnv LC_*",
        ]
        let cases: [([String], String)] = [
            (["SetEnv FOO=bar"], "bar,,"), (["SendEnv SENT"], ",sent,"), ([], ",,"),
        ]
        for (lines, said) in cases {
            try server.write(configuration: usual + lines)
            for adapter in [SSHTransport.Choice.automatic, .programOnly] {
                let recorder = StreamRecorder()
                let transport = server.transport(adapter, environment: environment)
                _ = transport.open(server.target, command: "echo $FOO,$SENT,$LC_ALL", observer: recorder.observer)
                let events = await recorder.all()
                #expect(events.output == Array("\(said)\n".utf8), "\(lines) \(events.end?.message ?? "")")
            }
        }
    }

    @Test("a connection that the user shares is used where no key is let in")
    func sharedConnection() async throws {
        let socket = server.folder + "/shared"
        let path = "ControlPath \(socket)"
        try server.write(configuration: block() + [path])
        func control(_ words: String) throws {
            let line = "exec ssh \(words) -F '\(server.configFile)' worker < /dev/null > /dev/null 2>&1"
            try RealSSHD.run("/bin/sh", ["-c", line])
        }
        try control("-f -N -M")
        defer { try? control("-O exit") }
        let gone = ["IdentityFile \(server.folder)/gone", "IdentitiesOnly yes"]
        try server.write(configuration: block(without: "IdentityFile") + gone + [path])
        #expect(await expectSame(reached: true)?.contains("ControlPath \(socket)") == true)
        try server.write(configuration: block(without: "IdentityFile") + gone + [path + "-none"])
        let detour = await expectSame(reached: false)
        #expect(detour == nil)
    }

    @Test("an RSA key logs in by the program; the next connection begins with it")
    func rsaKey() async throws {
        var options = RealSSHD.Options()
        options.clientKeyTypes = ["rsa"]
        let server = try RealSSHD(options)
        try server.write(
            configuration: ["IdentityFile \(server.clientKey("rsa"))", "UserKnownHostsFile \(server.knownHostsFile)"])
        let transport = server.transport(.automatic)
        for _ in 0..<2 {
            let events = await talk(transport, server.target)
            expectHello(events)
            #expect(events.notes.first?.contains("RSA") == true)
        }
    }

    // MARK: Gateways

    @Test("an unknown key of a gateway is refused, whatever the configuration says", arguments: Adapter.ssh)
    func unknownGateway(_ adapter: Adapter) async throws {
        let gateway = try RealSSHD()
        let way = [
            "Host gateway", "HostName 127.0.0.1", "Port \(gateway.port)", "User \(gateway.user)",
            "IdentityFile \(gateway.clientKey())", "StrictHostKeyChecking no",
        ]
        let known = ["UserKnownHostsFile \(gateway.knownHostsFile)"]
        try server.write(configuration: way + known + block() + ["ProxyJump gateway"])
        expectHello(await talk(server.transport(adapter.choice), target))
        let jump = block() + ["ProxyJump gateway"]
        try server.write(configuration: way + ["UserKnownHostsFile \(server.folder)/new"] + jump)
        let end = try #require(await talk(server.transport(adapter.choice), target).end)
        #expect(end.kind == .hostKeyUnknown, "\(end.message)")
        #expect(!FileManager.default.fileExists(atPath: server.folder + "/new"))
        // What libssh2 cannot do for a gateway is done by the program for all of the way.
        try server.write(configuration: way + known + ["RevokedHostKeys \(server.clientKey()).pub"] + jump)
        let events = await talk(server.transport(adapter.choice), target)
        guard adapter == .libssh2 else { return expectHello(events) }
        #expect(events.end?.message.contains("gateway gateway") == true)
    }

    @Test("a gateway that forbids forwarding is told with what to change there", arguments: Adapter.ssh)
    func forbidden(_ adapter: Adapter) async throws {
        var options = RealSSHD.Options()
        options.configuration = ["AllowTcpForwarding no"]
        let gateway = try RealSSHD(options)
        try server.write(
            configuration: [
                "Host gateway", "HostName 127.0.0.1", "Port \(gateway.port)", "User \(gateway.user)",
                "IdentityFile \(gateway.clientKey())", "UserKnownHostsFile \(gateway.knownHostsFile)",
            ] + block() + ["ProxyJump gateway"])
        let end = try #require(await talk(server.transport(adapter.choice), target).end)
        // Whoever tries again would hear the same.
        #expect(end.recovery == .byItselfOnceJoined, "\(end.message)")
        #expect(end.message.contains("forbids forwarding (AllowTcpForwarding"), "\(end.message)")
        #expect(!end.message.contains("its gateway failed"), "\(end.message)")
    }

    @Test("a chain of gateways with accounts and ports, by each way", arguments: Adapter.ssh)
    func chain(_ adapter: Adapter) async throws {
        let first = try RealSSHD()
        let second = try RealSSHD()
        let known = [server, first, second].map(\.knownHostsFile).joined(separator: " ")
        let keys = [server, first, second].map { "IdentityFile \($0.clientKey())" }
        try server.write(configuration: keys + ["UserKnownHostsFile \(known)", "Host g1 g2", "HostName 127.0.0.1"])
        let hop = "\(first.user)@g1:\(first.port),\(second.user)@g2:\(second.port)"
        var target = server.target
        target.values["jump"] = hop
        expectHello(await talk(server.transport(adapter.choice), target))
    }
}
