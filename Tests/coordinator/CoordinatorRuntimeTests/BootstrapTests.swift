import Formats
import Model
import Ports
import Testing
@testable import CoordinatorRuntime


@Suite("Bringing the agent")
struct BootstrapTests {
    private static let agent = BroughtAgent([1, 2, 3])
    private let described = HostScript.bring.input("~/.usweep\n\(agent.digest.hex)\nattach\n")
    private let second: Nanoseconds = 1_000_000_000

    private func bootstrap(_ agent: BroughtAgent = Self.agent) -> Bootstrap {
        Bootstrap(agent: agent, workdir: "~/.usweep")
    }

    private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test("Whatever a login prints is passed over, in pieces of any size", arguments: [1, 2, 7, 1_000])
    func noise(size: Int) {
        var bootstrap = bootstrap()
        let motd = "Welcome!\nusweep is not meant\n\u{1b}[1mquota exceeded\u{1b}[0m\nno line end: "
        let first = bytes(motd + "\nusweep-shell 1 Linux x86_64\n")
        let then = bytes("usweep-need 0 0\nusweep-at raw 3\n") + Preamble.bytes + [9, 8, 7]
        var steps: [Bootstrap.Step] = []
        for stream in [first, then] {
            for start in stride(from: 0, to: stream.count, by: size) {
                let piece = Array(stream[start..<min(start + size, stream.count)])
                if case .attached(let rest) = steps.last {
                    steps[steps.count - 1] = .attached(rest + piece)
                } else {
                    steps += bootstrap.receive(piece, now: 0)
                }
            }
        }
        let sent: [Bootstrap.Step] = [.send(described), .send(bytes("put raw 3\n") + [1, 2, 3])]
        #expect(steps == sent + [.send(bytes("done raw\n")), .attached([9, 8, 7])])
    }

    @Test("Of a login that ends before the command begins, the last line is told")
    func otherCommand() {
        var bootstrap = bootstrap()
        let end = StreamEnd(kind: .commandEnded(status: 1), message: "It ended.")
        #expect(bootstrap.meaning(of: end).message.hasPrefix("It ended. It printed nothing. "))
        _ = bootstrap.receive(bytes("Welcome\nsftp only\n\n"), now: 0)
        let meaning = bootstrap.meaning(of: end).message
        #expect(meaning.hasPrefix("It ended. The last line that it printed is \"sftp only\". usweep's own command was"))
        _ = bootstrap.receive(bytes("really"), now: 0)
        #expect(bootstrap.meaning(of: end).message.contains("\"really\""))
        let lost = StreamEnd(kind: .unreachable, message: "It broke.")
        #expect(bootstrap.meaning(of: lost).message == "It broke.")
        #expect(bootstrap.receive(bytes("\nusweep-shell 1 Linux x86_64\n"), now: 0) == [.send(described)])
        #expect(bootstrap.meaning(of: end).message == "It ended.")
    }

    @Test("An agent that is there already is not sent")
    func have() {
        var bootstrap = bootstrap()
        #expect(bootstrap.receive(bytes("\nusweep-shell 1 Linux x86_64\n"), now: 0) == [.send(described)])
        #expect(bootstrap.receive(bytes("usweep-have\n") + Preamble.bytes, now: 0) == [.attached([])])
    }

    @Test(
        "A host may say any numbers of what it has: it is sent what it can lack",
        arguments: [("-5 -5", "put raw 3\n"), ("\(Int.min) \(Int.min)", "put raw 3\n"), ("\(Int.max) 0", "done raw\n")])
    func numbers(said: String, sent: String) {
        var bootstrap = bootstrap()
        _ = bootstrap.receive(bytes("usweep-shell 1 Linux x86_64\n"), now: 0)
        let lines = "usweep-need \(said)\nusweep-at raw -7\nusweep-at raw \(Int.max)\n"
        let steps = bootstrap.receive(bytes(lines), now: 0)
        guard case .send(let bytes) = steps.first else {
            Issue.record("\(steps)")
            return
        }
        #expect(bytes.starts(with: sent.utf8))
    }

    @Test(
        "Another kind of machine is refused before anything is sent",
        arguments: ["Linux aarch64", "Darwin arm64", "Linux "])
    func platform(name: String) {
        var bootstrap = bootstrap()
        let steps = bootstrap.receive(bytes("usweep-shell 1 \(name)\n"), now: 0)
        #expect(steps == [.failed("the host is \(name); the agent is built for Linux x86_64 only")])
    }

    @Test("What the script says went wrong is told as it is")
    func failed() {
        var bootstrap = bootstrap()
        _ = bootstrap.receive(bytes("usweep-shell 1 Linux x86_64\n"), now: 0)
        #expect(bootstrap.receive(bytes("usweep-failed no room\n"), now: 0) == [.failed("no room")])
    }

    @Test(
        "A login that prints for ever is not listened to for ever, with line ends or without", arguments: ["y", "y\n"])
    func endless(text: String) {
        var bootstrap = bootstrap()
        let piece = bytes(String(repeating: text, count: 4_096))
        var steps: [Bootstrap.Step] = []
        var count = 0
        while steps.isEmpty, count < 4 << 20 {
            steps = bootstrap.receive(piece, now: 0)
            count += piece.count
        }
        guard case .failed(let reason)? = steps.first else {
            Issue.record("not given up after \(count) bytes")
            return
        }
        #expect(reason.contains(".bashrc") && count <= Bootstrap.longestNoise + piece.count)
    }

    /// Each of these took a look at all that had come for each line, or for each byte: minutes.
    @Test(
        "Nothing that a login prints keeps the loop busy: nothing but line ends, or a byte at a time",
        arguments: [(text: "\n", times: 65_536, pieces: 3), ("y", 1, 100_000), ("\n\u{2}usweep", 9_000, 2)])
    func busy(text: String, times: Int, pieces: Int) {
        var bootstrap = bootstrap()
        _ = bootstrap.receive(bytes("usweep-shell 1 Linux x86_64\nusweep-have\n"), now: 0)
        let piece = bytes(String(repeating: text, count: times))
        var steps: [Bootstrap.Step] = []
        for _ in 0..<pieces { steps += bootstrap.receive(piece, now: 0) }
        #expect(steps.isEmpty)
        #expect(bootstrap.receive(Preamble.bytes + [7], now: 0) == [.attached([7])])
    }

    @Test("The end of what a host says on its standard error is kept, in bytes: one character may have any number")
    func standardError() {
        var tail = StandardErrorTail()
        tail.add(bytes("all of it\n"))
        #expect(tail.text == "all of it")
        tail.add(bytes("e" + String(repeating: "\u{301}", count: 100_000)))
        #expect(tail.text.utf8.count <= StandardErrorTail.longest)
        tail.add(bytes("\nno such file\nor folder\n"))
        #expect(tail.text.hasSuffix("; no such file; or folder"))
        #expect(!tail.text.contains("\u{fffd}"))
    }

    @Test("Nothing is waited for without end: the login, the disk, the copy, the agent")
    func overdue() {
        var bootstrap = bootstrap()
        #expect(bootstrap.overdue(now: 1_000 * second) == nil)
        bootstrap.opened(now: 0)
        #expect(bootstrap.overdue(now: 59 * second) == nil)
        #expect(bootstrap.overdue(now: 60 * second)?.contains(".bashrc") == true)
        _ = bootstrap.receive(bytes("usweep-shell 1 Linux x86_64\n"), now: 50 * second)
        #expect(bootstrap.overdue(now: 109 * second) == nil)
        #expect(bootstrap.overdue(now: 110 * second)?.contains("disk") == true)
        _ = bootstrap.receive(bytes("usweep-need 0 -\n"), now: 100 * second)
        #expect(bootstrap.overdue(now: 160 * second)?.contains("continues from there") == true)
        _ = bootstrap.receive(bytes("usweep-at raw 3\n"), now: 150 * second)
        // What a login prints in the meantime is not progress.
        _ = bootstrap.receive(bytes("tick\n"), now: 200 * second)
        #expect(bootstrap.overdue(now: 210 * second)?.contains("agent did not start") == true)
    }

    @Test("A slow link: sent compressed, in small pieces, with rate and time left; a later try continues from there")
    func slowLink() {
        // Half of each byte is chance.
        let agent = BroughtAgent((0..<10_000).flatMap { SHA256.digest("\($0)").bytes.map { $0 & 15 } })
        var link = SlowLink(bytesPerSecond: 12_500, agent: agent)
        link.run(until: 8 * second)
        #expect(link.packs == 1 && link.there["gzip", default: 0] > 0)
        #expect(link.bootstrap.progress(now: link.now)?.text.contains("KiB/s") == true)
        #expect(link.bootstrap.overdue(now: link.now) == nil)
        var next = SlowLink(bytesPerSecond: 12_500, agent: agent, there: link.there)
        next.run(until: 1_000 * second)
        #expect(next.form == "gzip")
        let packed = agent.compressed?.count ?? 0
        #expect(packed > 0 && packed < agent.bytes.count * 3 / 4)
        #expect(next.there["gzip"] == packed)
        // Nothing of it was sent twice; a little went uncompressed before the link was known to be slow.
        #expect(link.sent["gzip", default: 0] + next.sent["gzip", default: 0] <= packed + (16 << 10))
    }

    @Test("How far a copy is, for people")
    func progressText() {
        var progress = AgentCopy.Progress(arrived: 1_300_000, total: 3_300_000, rate: nil)
        #expect(progress.text == "1.2 MiB of 3.1 MiB")
        progress.rate = 12_500
        #expect(progress.text == "1.2 MiB of 3.1 MiB, 12.2 KiB/s, 2 m 40 s left")
    }

    @Test("A fast link: sent as it is, in growing pieces, and never compressed")
    func fastLink() {
        let agent = BroughtAgent((0..<8_000_000).map { UInt8(truncatingIfNeeded: $0 / 1_000) })
        var link = SlowLink(bytesPerSecond: 100_000_000, agent: agent)
        link.run(until: 1_000 * second)
        #expect(link.form == "raw" && link.packs == 0 && link.pieces < 24)
    }
}

/// The host's side of a copy over a link of a certain speed, in time of its own.
private struct SlowLink {
    var bootstrap: Bootstrap
    let agent: BroughtAgent
    let bytesPerSecond: Int
    var now: Nanoseconds = 0
    var there: [String: Int]
    var sent: [String: Int] = [:]
    var pieces = 0
    var packs = 0
    /// In which form it was completed.
    var form: String?
    private var pending: [[UInt8]] = []

    init(bytesPerSecond: Int, agent: BroughtAgent, there: [String: Int] = [:]) {
        self.agent = agent
        self.bytesPerSecond = bytesPerSecond
        self.there = there
        bootstrap = Bootstrap(agent: agent, workdir: "/w")
        bootstrap.opened(now: 0)
        _ = bootstrap.receive(Array("usweep-shell 1 Linux x86_64\n".utf8), now: 0)
        say("usweep-need \(there["raw", default: 0]) \(there["gzip", default: 0])")
    }

    private mutating func say(_ line: String) {
        for case .send(let bytes) in bootstrap.receive(Array((line + "\n").utf8), now: now) { pending.append(bytes) }
        if bootstrap.wantsPacking {
            packs += 1
            agent.pack()
        }
    }

    mutating func run(until end: Nanoseconds) {
        while now < end, form == nil, !pending.isEmpty {
            var rest = pending.removeFirst()[...]
            while let lineEnd = rest.firstIndex(of: 10) {
                let words = String(decoding: rest[..<lineEnd], as: UTF8.self).split(separator: " ").map(String.init)
                rest = rest[(lineEnd + 1)...]
                guard words[0] == "put", let count = Int(words[2]) else {
                    form = words[1]
                    return
                }
                rest = rest.dropFirst(count)
                now += Nanoseconds(count) * 1_000_000_000 / Nanoseconds(bytesPerSecond)
                pieces += 1
                sent[words[1], default: 0] += count
                there[words[1], default: 0] += count
                say("usweep-at \(words[1]) \(there[words[1], default: 0])")
            }
        }
    }
}
