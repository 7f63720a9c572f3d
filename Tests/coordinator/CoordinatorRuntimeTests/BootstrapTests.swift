import Formats
import Model
import Testing
@testable import CoordinatorRuntime


@Suite("Bringing the agent")
struct BootstrapTests {
    private static let agent = Bootstrap.Agent(bytes: [1, 2, 3], digest: SHA256.digest([1, 2, 3]))
    private let described = Array("~/.usweep\n\(agent.digest.hex)\n3\n".utf8)

    private func bootstrap() -> Bootstrap { Bootstrap(agent: Self.agent, workdir: "~/.usweep") }

    private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test("Whatever a login prints is passed over, in pieces of any size", arguments: [1, 2, 7, 1_000])
    func noise(size: Int) {
        var bootstrap = bootstrap()
        let motd = "Welcome!\nusweep is not meant\n\u{1b}[1mquota exceeded\u{1b}[0m\nno line end: "
        let first = bytes(motd + "\nusweep-bootstrap 1 Linux x86_64\n")
        let then = bytes("usweep-need\n") + Preamble.bytes + [9, 8, 7]
        var steps: [Bootstrap.Step] = []
        for stream in [first, then] {
            for start in stride(from: 0, to: stream.count, by: size) {
                let piece = Array(stream[start..<min(start + size, stream.count)])
                if case .attached(let rest) = steps.last {
                    steps[steps.count - 1] = .attached(rest + piece)
                } else {
                    steps += bootstrap.receive(piece)
                }
            }
        }
        #expect(steps == [.send(described), .send([1, 2, 3]), .attached([9, 8, 7])])
    }

    @Test("An agent that is there already is not sent")
    func have() {
        var bootstrap = bootstrap()
        #expect(bootstrap.receive(bytes("\nusweep-bootstrap 1 Linux x86_64\n")) == [.send(described)])
        #expect(bootstrap.receive(bytes("usweep-have\n") + Preamble.bytes) == [.attached([])])
    }

    @Test(
        "Another kind of machine is refused before anything is sent",
        arguments: ["Linux aarch64", "Darwin arm64", "Linux "])
    func platform(name: String) {
        var bootstrap = bootstrap()
        let steps = bootstrap.receive(bytes("usweep-bootstrap 1 \(name)\n"))
        #expect(steps == [.failed("the host is \(name); the agent is built for Linux x86_64 only")])
    }

    @Test("What the script says went wrong is told as it is")
    func failed() {
        var bootstrap = bootstrap()
        _ = bootstrap.receive(bytes("usweep-bootstrap 1 Linux x86_64\n"))
        #expect(bootstrap.receive(bytes("usweep-failed no room\n")) == [.failed("no room")])
    }

    @Test("A login that prints for ever is not listened to for ever")
    func endless() {
        var bootstrap = bootstrap()
        let steps = bootstrap.receive([UInt8](repeating: UInt8(ascii: "y"), count: (1 << 20) + 1))
        #expect(steps == [.failed("the login printed more than a megabyte and never started the agent")])
    }

    @Test("Every login shell hands the command on as it is")
    func command() {
        let inner = Bootstrap.command.dropFirst("exec /bin/sh -c '".count).dropLast()
        #expect(Bootstrap.command == "exec /bin/sh -c '\(inner)'")
        #expect(inner.allSatisfy { !"'!\\\n".contains($0) })
    }
}
