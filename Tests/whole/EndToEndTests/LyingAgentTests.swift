import Formats
import Foundation
import Model
import TestKit
import Testing

/// Something on a host that behaves as an agent until the stream is up, and then lies.
struct Lie: Sendable, CustomTestStringConvertible {
    var name: String
    /// What it sends.
    var bytes: [UInt8]
    /// Whether it ends after that; else it waits for the end of the connection.
    var ends = false
    /// What the user is told.
    var report: String

    var testDescription: String { name }

    static let all: [Lie] = [
        Lie(name: "frame too large", bytes: hello() + [0, 0, 4, 0, 1, 2, 3, 4, 67], report: "a frame of 262144 bytes"),
        Lie(
            name: "truncated frame", bytes: hello() + outcome("results.json").dropLast(3), ends: true,
            report: "broke off in the middle of a message"),
        Lie(name: "another version", bytes: hello(7...9), report: "speaks versions 7 to 9"),
        Lie(name: "no hello", bytes: outcome("results.json"), report: "first message is not a hello"),
        Lie(name: "path with ..", bytes: hello() + outcome("../../../escaped"), report: "a path that leads elsewhere"),
        Lie(name: "absolute path", bytes: hello() + outcome("/tmp/escaped"), report: "a path that leads elsewhere"),
        Lie(
            name: "damaged frame", bytes: hello() + outcome("results.json").dropLast() + [0xff],
            report: "a frame's checksum is wrong"),
        Lie(
            name: "unknown kind", bytes: hello() + Frame(kind: 99, payload: []).bytes,
            report: "a message of unknown kind 99"),
        Lie(
            name: "bytes that were not asked for", bytes: hello() + outcome("results.json") + outcome("results.json"),
            report: "bytes that were not asked for"),
        Lie(
            name: "an object that it was not given",
            bytes: hello()
                + AgentMessage.want(ObjectRange(digest: SHA256.digest("secret"), offset: 0, length: 1)).frame.bytes,
            report: "an object that it was not given"),
    ]

    private static func hello(_ versions: ClosedRange<Int> = WireVersion.oldest...WireVersion.current) -> [UInt8] {
        AgentMessage.hello(
            AgentHello(
                oldest: versions.lowerBound, current: versions.upperBound, bootID: "none", hostName: "liar", slots: 2,
                processors: 2, memoryBytes: 1 << 30, freeBytes: 1 << 30, workdir: "/nowhere", wallClock: 1, leases: [])
        ).frame.bytes
    }

    /// Success of whatever run it may have been given, with one file, whose bytes come at once.
    private static func outcome(_ path: String) -> [UInt8] {
        let content = Array("{\"value\": 666}\n".utf8)
        let artifact = Artifact(path: path, digest: SHA256.digest(content), size: Int64(content.count))
        var bytes: [UInt8] = []
        for (run, lease) in [(1, 1), (2, 1), (1, 2), (2, 2)] {
            let id = AttemptID(run: run, lease: lease, attempt: 1)
            bytes += AgentMessage.outcome(AttemptReport(id: id, artifacts: [artifact])).frame.bytes
        }
        let piece = ObjectBytes(digest: artifact.digest, offset: 0, bytes: content)
        return bytes + AgentMessage.bytes(piece).frame.bytes
    }
}

extension Frame {
    fileprivate var bytes: [UInt8] { (try? encoded) ?? [] }
}

/// Real program, real sshd; one of the agents is not what it should be.
@Suite("Agents that lie", .serialized)
struct LyingAgentTests {
    @Test("It is dropped and named, and an honest host does the work", arguments: Lie.all)
    func besideAnHonestOne(_ lie: Lie) throws {
        let study = try Study()
        let agent = try study.script(for: lie, onlyOn: 1)
        try study.write("sweep.yaml", EndToEndTests.waiting(study.folder, values: 2))
        let running = try study.start(
            ["launch", "sweep.yaml", "-i", "inventory.yaml"], environment: ["USWEEP_AGENT": agent])
        let isTold = study.eventually {
            study.text("\(running.name).err").split(separator: "\n").contains {
                $0.contains("h1: ") && $0.contains(lie.report)
            }
        }
        #expect(isTold, "\(study.text("\(running.name).err"))")
        try study.write("go", "")
        let ended = running.wait()
        #expect(ended.status == 0, "\(ended.errors)")
        #expect(try study.column("value") == ["1", "2"])
        #expect(try Set(study.column("host", of: "runs")) == ["h0"])
        #expect(try study.run("pull", "--to", "pulled").status == 0)
        #expect(try RealSSHD.run("find", [study.folder, "-name", "escaped*"]) == "")
        #expect(!FileManager.default.fileExists(atPath: "/tmp/escaped"))
    }

    @Test("Alone, it ends the launch: exit 75", arguments: Lie.all.filter { !$0.ends })
    func alone(_ lie: Lie) throws {
        let study = try Study(hosts: 1)
        let agent = try study.script(for: lie)
        try study.write("sweep.yaml", EndToEndTests.waiting(study.folder, values: 2))
        let ended = try study.run("launch", "sweep.yaml", "-i", "inventory.yaml", environment: ["USWEEP_AGENT": agent])
        #expect(ended.status == 75, "\(ended.errors)")
        let last = ended.errors.split(separator: "\n").last ?? ""
        #expect(last.contains("h0: ") && last.contains(lie.report), "\(ended.errors)")
    }
}

extension Study {
    /// A program that speaks as the lie says, on one host only or on all. Returns its path.
    func script(for lie: Lie, onlyOn host: Int? = nil) throws -> String {
        let path = "\(folder)/liar"
        try Data(Preamble.bytes + lie.bytes).write(to: URL(fileURLWithPath: "\(path).says"))
        let agent = try Study.agent()
        let honest = host.map { "case \"$*\" in *'\(workdir($0))'*) ;; *) exec '\(agent)' \"$@\" ;; esac" } ?? ""
        let text = """
            #!/bin/sh
            [ "$1" = version ] && exit 0
            \(honest)
            cat '\(path).says'
            \(lie.ends ? "exit 0" : "exec cat > /dev/null")

            """
        try write("liar", text)
        try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: path)
        return path
    }

    /// The agent's binary, found as the program finds it.
    static func agent() throws -> String {
        let named = ProcessInfo.processInfo.environment["USWEEP_AGENT"]
        let own = URL(fileURLWithPath: program).resolvingSymlinksInPath().deletingLastPathComponent().path
        return try found(named ?? "\(own)/../../agent/usweep-agent")
    }
}
