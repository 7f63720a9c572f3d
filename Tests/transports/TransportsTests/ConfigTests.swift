import Foundation
import Testing
@testable import Transports


/// The parser of OpenSSH's client configuration, without any host.
@Suite("OpenSSH configuration")
struct ConfigTests {
    /// A home in a folder of its own.
    private final class Home {
        let path: String

        init(_ files: [String: String]) throws {
            path = FileManager.default.temporaryDirectory.path + "/usweep-home-\(UUID().uuidString)"
            for (name, text) in files {
                let file = URL(fileURLWithPath: path + "/.ssh/" + name)
                try FileManager.default.createDirectory(
                    at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
                try text.write(to: file, atomically: true, encoding: .utf8)
            }
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }

        var account: Account {
            var account = Account(environment: ["HOME": path])
            account.user = "me"
            return account
        }

        func settings(_ alias: String, user: String? = nil) throws -> OpenSSHConfig.Settings {
            let config = try OpenSSHConfig.load(file: path + "/.ssh/config", account: account)
            return try config.settings(for: alias, user: user, account: account)
        }
    }

    @Test("the first value counts; files of keys add up; patterns, quotes and = are understood")
    func values() throws {
        let home = try Home([
            "config": """
                # a comment
                Host node* !node9
                    HostName %h.lab   # trailing
                    User=alice
                    Port = 2200
                    IdentityFile "~/.ssh/a key"
                Host node?
                  Port 23
                  IdentityFile ~/.ssh/second
                  IdentitiesOnly yes
                host *
                  user bob
                  HostKeyAlias Alias
                """
        ])
        let first = try home.settings("node1")
        #expect(first.hostName == "node1.lab")
        #expect(first.user == "alice")
        #expect(first.port == 2200)
        #expect(first.identityFiles == ["~/.ssh/a key", "~/.ssh/second"])
        #expect(first.identitiesOnly)
        #expect(first.hostKeyAlias == "alias")
        let excluded = try home.settings("node9")
        #expect(excluded.hostName == nil)
        #expect(excluded.port == 23)
        #expect(excluded.user == "bob")
    }

    @Test("includes are followed within their block, by pattern, in order")
    func includes() throws {
        let home = try Home([
            "config": "Host a\nInclude conf.d/*\nHost b\nUser late\n",
            "conf.d/1": "User first\nHost other\nPort 99\n", "conf.d/2": "User second\nPort 7\n",
        ])
        let a = try home.settings("a")
        #expect(a.user == "first")
        #expect(a.port == 7)
        #expect(try home.settings("other").port == nil)
        #expect(try home.settings("b").user == "late")
    }

    @Test("a circle of includes is an error, not the end of the stack")
    func circle() throws {
        let home = try Home(["config": "Include config\n"])
        #expect(throws: ConfigProblem.self) { try home.settings("a") }
    }

    @Test("a Match that is not understood is an error only where it would matter")
    func match() throws {
        let home = try Home([
            "config": """
                Match host good*,!goodbad
                  User matched
                Host plain
                  User mine
                Match exec "true"
                  User other
                """
        ])
        #expect(try home.settings("good1").user == "matched")
        #expect(try home.settings("plain").user == "mine")
        let problem = #expect(throws: ConfigProblem.self) { try home.settings("goodbad") }
        #expect(problem?.message.contains("config:5") == true)
        #expect(problem?.message.contains("transport: ssh") == true)
    }

    @Test("wrong values are errors with file and line")
    func wrong() throws {
        let cases = [("Port 0", "not a port"), ("Port x", "not a port"), ("HostName %q", "%h"), ("User \"a", "quot")]
        for (text, part) in cases {
            let home = try Home(["config": "\n\(text)\n"])
            let problem = #expect(throws: ConfigProblem.self) { try home.settings("a") }
            #expect(problem?.message.contains("config:2") == true)
            #expect(problem?.message.contains(part) == true)
        }
    }

    @Test("jump hosts are read in all their forms")
    func jumpHosts() {
        #expect(JumpHost("a") == JumpHost(user: nil, host: "a", port: nil))
        #expect(JumpHost("u@a:23") == JumpHost(user: "u", host: "a", port: 23))
        #expect(JumpHost("ssh://u@[::1]:23/") == JumpHost(user: "u", host: "::1", port: 23))
        #expect(JumpHost("::1") == JumpHost(user: nil, host: "::1", port: nil))
        for bad in ["", "@a", "a:", "a:x", "a:70000", "[::1]x"] { #expect(JumpHost(bad) == nil) }
    }

    @Test("SHA-1 and HMAC-SHA1 give what RFC 2202 and FIPS 180 say")
    func hashes() {
        func hex(_ bytes: [UInt8]) -> String { bytes.map { String(format: "%02x", $0) }.joined() }
        #expect(hex(SHA1.digest(Array("abc".utf8))) == "a9993e364706816aba3e25717850c26c9cd0d89d")
        #expect(hex(SHA1.digest([UInt8](repeating: 97, count: 1_000))) == "291e9a6c66994949b57ba5e650361e98fc36b1ba")
        let key = [UInt8](repeating: 0xaa, count: 80)
        let text = Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8)
        #expect(hex(SHA1.hmac(key: key, text)) == "aa4ae5e15272d00e95705637ce8a3b55ed402112")
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
        #expect(gate.holds(4) && !gate.holds(5))
    }
}
