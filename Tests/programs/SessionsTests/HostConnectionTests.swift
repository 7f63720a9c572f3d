import Model
import Ports
import Synchronization
import Testing
import Transports
@testable import Sessions

@Suite("Short questions to hosts")
struct HostConnectionTests {
    private let here = HostTarget(name: "here")
    private let local = LocalTransport(environment: ["PATH": "/usr/bin:/bin"])

    @Test("a command's output and end")
    func answer() async {
        let answer = await HostConnections.ask(local, here, command: "exec cat", input: "")
        #expect(answer.end.kind == .commandEnded(status: 0) || answer.output == "")
        let echo = await HostConnections.ask(local, here, command: "read -r x; echo got $x", input: "it\n")
        #expect(echo.output == "got it\n")
    }

    @Test("a login that prints without end, and one that never ends, are given up by name with where to look")
    func endless() async {
        let noisy = await HostConnections.ask(local, here, command: "exec yes", input: "")
        #expect(noisy.end.kind == .unreachable)
        #expect(noisy.end.message.contains("host here") && noisy.end.message.contains(".bashrc"))
        let silent = await HostConnections.ask(
            local, here, command: "exec sleep 600", input: "", patience: .milliseconds(100))
        #expect(silent.end.message.contains("host here") && silent.end.message.contains(".bashrc"))
    }

    /// A host whose account runs one command, whatever it is told.
    private struct FixedCommand: Transport {
        let local: LocalTransport
        let fixed: String

        func open(
            _ target: HostTarget, command: String, observer: @escaping @Sendable (StreamEvent) -> Void
        ) -> any Connection { local.open(target, command: fixed, observer: observer) }
    }

    @Test(
        "an account that runs another command: what it printed last is shown, and what to look for",
        arguments: ["echo Welcome; echo only this; echo", "echo only this >&2; exit 1"])
    func fixedCommand(_ fixed: String) async {
        let found = await HostExamination(Host(target: here), FixedCommand(local: local, fixed: fixed))
        #expect(!found.isUsable)
        let text = found.onlyProblem ?? ""
        #expect(text.contains("\"only this\"") && text.contains("ForceCommand"), "\(text)")
    }

    /// Answers nobody before all hosts have been asked.
    private final class Gathering: Transport {
        private struct Line: Connection {
            func send(_ bytes: [UInt8]) {}
            func close() {}
        }

        private let all: Int
        private let waiting = Mutex<[@Sendable (StreamEvent) -> Void]>([])

        init(_ all: Int) { self.all = all }

        func open(
            _ target: HostTarget, command: String, observer: @escaping @Sendable (StreamEvent) -> Void
        ) -> any Connection {
            let ready = waiting.withLock { waiting in
                waiting.append(observer)
                return waiting.count == all ? waiting : []
            }
            for observer in ready { observer(.closed(StreamEnd(kind: .unreachable, message: "dead"))) }
            return Line()
        }
    }

    @Test("dead hosts are waited for together, and each is told when it is done")
    func deadHosts() async {
        let hosts = (0..<499).map { Host(target: HostTarget(name: "h\($0)")) }
        var told = 0
        let found = await HostExamination.all(hosts, Gathering(hosts.count)) { _ in told += 1 }
        #expect(told == 499)
        #expect(found.map(\.name) == hosts.map(\.name))
        #expect(found.allSatisfy { !$0.isUsable && $0.findings.map(\.text) == ["dead"] })
    }
}
