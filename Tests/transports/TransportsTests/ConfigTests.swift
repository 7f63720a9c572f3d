import Foundation
import Testing
@testable import Transports

/// What can be told without any host.
@Suite("What SSH is configured to do")
struct ConfigTests {
    private func configuration(_ printed: String, _ destination: Destination = Destination(host: "a")) -> Route {
        Route(name: "a", hops: [HostConfiguration(destination, printed: printed)], account: "me")
    }

    private func endpoint(_ printed: String) throws -> Endpoint {
        try LibraryRoute(configuration(printed), account: account).target
    }

    private var account: Account {
        var account = Account(environment: [:])
        (account.user, account.home, account.number) = ("me", "/home/me", 7)
        return account
    }

    @Test("what ssh -G prints is put in libssh2's terms: tokens, the tilde, several files")
    func values() throws {
        let found = try endpoint(
            """
            host a
            user alice
            hostname a.lab
            port 2200
            identityfile ~/.ssh/%h_%n_%r_%p_%u_%i%%
            identityfile /tmp/a key
            identitiesonly yes
            userknownhostsfile /home/me/.ssh/known /dev/null
            globalknownhostsfile none
            identityagent none
            """)
        #expect((found.host, found.port, found.user) == ("a.lab", 2200, "alice"))
        #expect(found.identityFiles == ["/home/me/.ssh/a.lab_a_alice_2200_me_7%", "/tmp/a key"])
        #expect(found.identitiesOnly && found.agentSocket == nil)
        #expect(found.knownHostsFiles == ["/home/me/.ssh/known", "/dev/null"])
        #expect(found.keyName == "[a.lab]:2200" && found.bareKeyName == "a.lab")
        #expect(found.acceptedKeysFile == "/home/me/.ssh/known")
        let usual = try endpoint("hostname a\n").acceptedKeysFile
        #expect(usual == "/home/me/.ssh/known_hosts")
        for none in ["none", "/dev/null"] {
            #expect(try endpoint("hostname a\nuserknownhostsfile \(none)\n").acceptedKeysFile == nil)
        }
        let alias = try endpoint("hostname a.lab\nport 2200\nhostkeyalias Foo\nuserknownhostsfile none\n")
        #expect(alias.keyName == "foo" && alias.bareKeyName == nil)
    }

    @Test(
        "what is beyond libssh2, or not certain to mean the same, is an obstacle that says so",
        arguments: [
            ("proxycommand nc %h %p", "ProxyCommand"), ("certificatefile ~/x-cert.pub", "CertificateFile"),
            ("revokedhostkeys ~/revoked", "RevokedHostKeys"), ("knownhostscommand /bin/x", "KnownHostsCommand"),
            ("bindaddress 1.2.3.4", "BindAddress"), ("addressfamily inet6", "AddressFamily"),
            ("pubkeyauthentication false", "PubkeyAuthentication"), ("verifyhostkeydns yes", "VerifyHostKeyDNS"),
            ("identityfile ${HOME}/k", "${HOME}/k"), ("identityfile ~other/k", "~other/k"),
            ("identityfile %C", "%C"), ("identityfile key", "key"),
            ("setenv A=b", "SetEnv"), ("sendenv LANG\nsendenv MY_*", "SendEnv MY_*"),
            ("userknownhostsfile /tmp/a b", "(b)"), ("globalknownhostsfile known", "(known)"),
        ])
    func obstacles(_ printed: String, _ part: String) throws {
        let obstacle = #expect(throws: Obstacle.self) { try endpoint(printed) }
        #expect(obstacle?.text.contains(part) == true, "\(obstacle?.text ?? "")")
    }

    @Test("what means nothing to reaching a host is no obstacle")
    func noObstacles() throws {
        let found = try endpoint(
            """
            proxycommand none
            certificatefile none
            revokedhostkeys none
            addressfamily any
            pubkeyauthentication true
            gssapiauthentication yes
            canonicalizehostname always
            stricthostkeychecking false
            sendenv LANG
            sendenv LC_*
            """)
        #expect(found.otherMethods == ["gssapi-with-mic"])
    }

    @Test("lists of algorithms and logins that are others than without a configuration are an obstacle")
    func changedLists() throws {
        func endpoint(_ printed: String) throws -> Endpoint {
            let usual = "ciphers a,b\nmacs m\nhostkeyalgorithms k\nuser root\n"
            let host = HostConfiguration(Destination(host: "a"), printed: printed, usual: usual)
            return try LibraryRoute(Route(name: "a", hops: [host], account: "me"), account: account).target
        }
        let same = "ciphers a,b\nmacs m\nhostkeyalgorithms k\n"
        #expect(try endpoint(same + "user alice\n").user == "alice")
        for (printed, names) in [
            ("ciphers b,a\nmacs m\nhostkeyalgorithms k\n", "(Ciphers)"),
            ("ciphers a,b\nmacs m\n", "(HostKeyAlgorithms)"),
            (same + "preferredauthentications password\n", "(PreferredAuthentications)"),
            ("ciphers a\nmacs n\nhostkeyalgorithms k\n", "(Ciphers, MACs)"),
        ] {
            let obstacle = #expect(throws: Obstacle.self) { try endpoint(printed) }
            #expect(obstacle?.text.contains(names) == true, "\(obstacle?.text ?? "")")
        }
    }

    @Test("jump hosts are read in all their forms")
    func jumpHosts() {
        #expect(Destination("a") == Destination(host: "a"))
        #expect(Destination("u@a:23") == Destination(user: "u", host: "a", port: 23))
        #expect(Destination("ssh://u@[::1]:23/") == Destination(user: "u", host: "::1", port: 23))
        #expect(Destination("::1") == Destination(host: "::1"))
        for bad in ["", "@a", "a:", "a:x", "a:70000", "[::1]x"] { #expect(Destination(bad) == nil) }
    }

    @Test("each gateway's command refuses unknown keys, and is quoted once")
    func gateways() {
        let hops = [
            HostConfiguration(Destination(user: "u", host: "g1"), printed: "hostname g1.lab\nport 22\n"),
            HostConfiguration(Destination(host: "g2", port: 2222), printed: "hostname ::1\nport 2222\n"),
            HostConfiguration(Destination(host: "w"), printed: "hostname w.lab\nport 22\n"),
        ]
        let line = ProgramArguments(
            Route(name: "w", hops: hops, account: "me"), command: "exec cat",
            settings: SSHSettings(configFile: "/it's/config", environment: [:]), marker: "m")
        let first = line.variables["USWEEP_GATEWAY_0"] ?? ""
        let second = line.variables["USWEEP_GATEWAY_1"] ?? ""
        #expect(first.hasSuffix("'-W' '[::1]:2222' '-l' 'u' '--' 'g1'"))
        #expect(first.contains(#"'-F' '/it'\''s/config'"#) && first.contains("'StrictHostKeyChecking=yes'"))
        #expect(second.hasSuffix("'-W' 'w.lab:22' '-p' '2222' '--' 'g2'"))
        #expect(second.contains(#"ProxyCommand=/bin/sh -c "$USWEEP_GATEWAY_0""#))
        #expect(line.arguments.contains(#"ProxyCommand=/bin/sh -c "$USWEEP_GATEWAY_1""#))
        #expect(line.arguments.suffix(3) == ["--", "w", "exec cat"])
    }

    @Test("where much is sent, the fast ones of the configured ciphers are asked for first, and no others")
    func ciphers() {
        func asked(_ printed: String, takesMuch: Bool) -> [String] {
            var route = configuration(printed)
            route.takesMuch = takesMuch
            let settings = SSHSettings(environment: [:])
            return ProgramArguments(route, command: "exec cat", settings: settings, marker: "m").arguments
                .filter { $0.hasPrefix("Ciphers=") }
        }
        let usual = "ciphers chacha20-poly1305@openssh.com,aes128-ctr,aes128-gcm@openssh.com,aes256-gcm@openssh.com\n"
        let first = "Ciphers=aes128-gcm@openssh.com,aes256-gcm@openssh.com,chacha20-poly1305@openssh.com,aes128-ctr"
        #expect(asked(usual, takesMuch: true) == [first])
        #expect(asked(usual, takesMuch: false).isEmpty)
        #expect(asked("ciphers aes128-ctr\n", takesMuch: true).isEmpty && asked("", takesMuch: true).isEmpty)
    }

    @Test("HMAC-SHA1 and Base64 give what RFC 2202 and RFC 4648 say")
    func encodings() {
        func hex(_ bytes: [UInt8]) -> String { bytes.map { String(format: "%02x", $0) }.joined() }
        let key = [UInt8](repeating: 0xaa, count: 80)
        let text = Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8)
        #expect(hex(Crypto.hmacSHA1(key: key, text)) == "aa4ae5e15272d00e95705637ce8a3b55ed402112")
        for (plain, encoded) in [("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg")] {
            #expect(Base64.encodeUnpadded(Array(plain.utf8)) == encoded)
            let padded = encoded + String(repeating: "=", count: (4 - encoded.count % 4) % 4)
            #expect(Base64.decode(padded.utf8) == Array(plain.utf8))
        }
        for bad in ["", "Zg", "Zm9v!", "Zm9*", "Zm9v\nZm9v"] { #expect(Base64.decode(bad.utf8) == nil, "\(bad)") }
    }

    @Test("a gate lets eight in, four of one gateway, and nobody starves")
    func gate() {
        var gate = HandshakeGate(total: 8, perGateway: 4)
        for link in UInt64(0)..<6 { gate.request(link, gateway: "g") }
        for link in UInt64(6)..<14 { gate.request(link, gateway: nil) }
        #expect(gate.grant() == [0, 1, 2, 3, 6, 7, 8, 9])
        gate.release(7)
        #expect(gate.grant() == [10])
        gate.release(0)
        #expect(gate.grant() == [4])
        gate.release(4)
        #expect(gate.grant() == [5])
    }
}
