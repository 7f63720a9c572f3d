import Formats
import Foundation
import Model
import Testing
@testable import CoordinatorRuntime


/// The script itself, run by this machine's `/bin/sh`.
@Suite("The script that brings the agent", .serialized)
struct BootstrapScriptTests {
    /// A program that does what the script wants of an agent, and is long enough for several pieces.
    private static let agent: BroughtAgent = {
        let preamble = Preamble.bytes.map { byte in
            let octal = String(byte, radix: 8)
            return "\\" + String(repeating: "0", count: 3 - octal.count) + octal
        }.joined()
        let text = "#!/bin/sh\ncase $1 in attach) printf '\(preamble)'; echo joined;; esac\nexit 0\n"
        let padding = (0..<20_000).map { "# \(SHA256.digest("\($0)").hex)\n" }.joined()
        return BroughtAgent(Array((text + padding).utf8))
    }()

    private let folder: String
    private var bin: String { folder + "/bin" }
    private var program: String { "\(bin)/usweep-agent-\(Self.agent.digest.hex)" }

    init() throws {
        folder = "\(NSTemporaryDirectory())usweep-bootstrap-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: bin, withIntermediateDirectories: true)
    }

    private func end() { try? FileManager.default.removeItem(atPath: folder) }

    private var files: [String] { (try? FileManager.default.contentsOfDirectory(atPath: bin)) ?? [] }

    @Test("Brought, found again, and replaced where the file has the right size and wrong bytes")
    func digest() throws {
        defer { end() }
        #expect(try Dialogue(Self.agent, folder).run() == .attached)
        #expect(files == ["usweep-agent-\(Self.agent.digest.hex)"])
        let again = try Dialogue(Self.agent, folder)
        #expect(again.run() == .attached)
        #expect(again.sent < 10_000, "the script, and no agent")
        let wrong = [UInt8](repeating: 120, count: Self.agent.bytes.count)
        try Data(wrong).write(to: URL(fileURLWithPath: program))
        try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: program)
        #expect(try Dialogue(Self.agent, folder).run() == .attached)
        #expect(FileManager.default.contents(atPath: program) == Data(Self.agent.bytes))
    }

    @Test("A copy that broke off is gone on with, raw and compressed", arguments: ["raw", "gzip"])
    func broken(form: String) throws {
        defer { end() }
        let isSlow = form == "gzip"
        let first = try Dialogue(Self.agent, folder)
        #expect(first.run(isSlow: isSlow, breakingAfter: 200_000) == .broken)
        let left = files.filter { $0.hasSuffix(".\(form)") }
        #expect(left.count == 1)
        let second = try Dialogue(Self.agent, folder)
        #expect(second.run(isSlow: isSlow) == .attached)
        #expect(second.resumed[form, default: 0] >= 100_000, "\(second.resumed)")
        #expect(FileManager.default.contents(atPath: program) == Data(Self.agent.bytes))
        #expect(files.count == 1, "\(files)")
    }

    @Test("A part with wrong bytes is said, thrown away, and not in the way of the next try")
    func damaged() throws {
        defer { end() }
        #expect(try Dialogue(Self.agent, folder).run(breakingAfter: 200_000) == .broken)
        let part = try #require(files.first { $0.hasSuffix(".raw") })
        let handle = try #require(FileHandle(forWritingAtPath: bin + "/" + part))
        try handle.write(contentsOf: Data("wrong".utf8))
        try handle.close()
        guard case .failed(let reason) = try Dialogue(Self.agent, folder).run() else {
            Issue.record("it was not noticed")
            return
        }
        #expect(reason.contains("damaged"))
        #expect(files == [])
        #expect(try Dialogue(Self.agent, folder).run() == .attached)
    }

    @Test("Two that bring it at once both work, and neither leaves anything")
    func twice() throws {
        defer { end() }
        let (one, two) = (try Dialogue(Self.agent, folder), try Dialogue(Self.agent, folder))
        #expect(one.run(isStopped: { one.sent > 100_000 }) == nil)
        #expect(two.run() == .attached)
        #expect(one.run() == .attached)
        #expect(files.count == 1, "\(files)")
    }
}

/// The coordinator's part with a script that runs.
private final class Dialogue {
    enum Ending: Equatable {
        case attached, broken
        case failed(String)
    }

    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private var bootstrap: Bootstrap
    private let agent: BroughtAgent
    private var now: Nanoseconds = 0
    private(set) var sent = 0
    /// What of an earlier try was there.
    private(set) var resumed: [String: Int] = [:]
    private var ending: Ending?

    init(_ agent: BroughtAgent, _ folder: String) throws {
        self.agent = agent
        bootstrap = Bootstrap(agent: agent, workdir: folder)
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", HostScript.command]
        (process.standardInput, process.standardOutput) = (input, output)
        try process.run()
        bootstrap.opened(now: 0)
    }

    deinit {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    /// - Parameters:
    ///   - isSlow: whether much time passes with every answer.
    ///   - breakingAfter: so many bytes; then the connection is gone.
    ///   - isStopped: when to leave it for now; nil is returned then.
    func run(isSlow: Bool = false, breakingAfter limit: Int = .max, isStopped: () -> Bool = { false }) -> Ending? {
        while ending == nil, !isStopped() {
            let bytes = [UInt8](output.fileHandleForReading.availableData)
            if bytes.isEmpty { return .broken }
            note(String(decoding: bytes, as: UTF8.self))
            now += isSlow ? 1_500_000_000 : 1_000_000
            for step in bootstrap.receive(bytes, now: now) { take(step) }
            if bootstrap.wantsPacking { agent.pack() }
            if sent >= limit {
                try? input.fileHandleForWriting.close()
                process.waitUntilExit()
                return .broken
            }
        }
        return ending
    }

    private func take(_ step: Bootstrap.Step) {
        switch step {
        case .send(let bytes):
            sent += bytes.count
            try? input.fileHandleForWriting.write(contentsOf: Data(bytes))
        case .attached: ending = .attached
        case .failed(let reason): ending = .failed(reason)
        }
    }

    private func note(_ text: String) {
        for line in text.split(separator: "\n") where line.hasPrefix("usweep-need ") {
            let words = line.split(separator: " ")
            resumed = ["raw": Int(words[1]) ?? 0, "gzip": Int(words[2]) ?? 0]
        }
    }
}
