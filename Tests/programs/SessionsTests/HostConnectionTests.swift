import CoordinatorRuntime
import Glibc
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

    @Test("what a script says, with what it reads")
    func answer() async {
        let echo = await HostConnections.ask(local, here, HostScript("read -r x; say got $x"), input: "it\n")
        #expect(echo.output.hasSuffix("\nusweep-says got it\n"), "\(echo.output)")
        #expect(echo.end.kind == .commandEnded(status: 0))
    }

    @Test("nothing is sent before the command greets: start-up files may read standard input")
    func readingLogin() async {
        let login = FixedCommand(local: local, fixed: "read -t 0.2 x && echo lost; \(HostScript.command)")
        let bash = FixedCommand(local: local, fixed: "exec bash -c \(ShellWord.quoted(login.fixed))")
        let answer = await HostConnections.ask(bash, here, HostScript("read -r x; say got $x"), input: "it\n")
        #expect(!answer.output.contains("lost"))
        #expect(answer.output.hasSuffix("\nusweep-says got it\n"), "\(answer.output)")
    }

    @Test("a host on which no programs are found is told as that")
    func noPrograms() async {
        let found = await HostExamination(Host(target: here), LocalTransport(environment: ["PATH": "/nonexistent"]))
        #expect(found.onlyProblem?.contains("for what changes PATH") == true, "\(found.remarks)")
    }

    @Test("a login that prints without end, and one that never ends, are given up by name with where to look")
    func endless() async {
        let script = HostScript("exec yes")
        let noisy = await HostConnections.ask(local, here, script, input: "")
        #expect(noisy.end.kind == .unreachable)
        #expect(noisy.end.message.contains("host here") && noisy.end.message.contains(".bashrc"))
        let silent = await HostConnections.ask(
            local, here, HostScript("exec sleep 600"), input: "", patience: .milliseconds(100))
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

    @Test(
        "a working folder that cannot be made, whatever its permissions say, makes a host unusable, with the reason",
        arguments: [
            ("/proc/u", "/proc/u cannot be created or written: No such file or directory; name another 'workdir'"),
            ("/etc/passwd/x", "/etc/passwd/x cannot be created or written: /etc/passwd is not a folder"),
        ])
    func noWorkdir(_ folder: String, _ part: String) async {
        let found = await HostExamination(Host(target: here, workdir: folder), local)
        let text = found.remarks.filter(\.isBad).map(\.text).joined(separator: "\n")
        #expect(!found.isUsable && text.contains(part), "\(text)")
    }

    @Test("a working folder is left as it was")
    func untouched() async throws {
        let folder = "/tmp/usweep-doctor-\(getpid())"
        try #require(mkdir(folder, 0o700) == 0)
        defer { rmdir(folder) }
        let found = await HostExamination(Host(target: here, workdir: folder), local)
        #expect(found.isUsable, "\(found.remarks)")
        #expect(rmdir(folder) == 0, "it is empty")
    }

    @Test(
        "a disk with no room for the agent or its files makes a host unusable",
        arguments: [
            ("free 2048", "only 2 MiB free in /w, but the agent needs 64 MiB"),
            ("free 99999999; say inodes 12", "has room for only 12 more files (inodes: df -i)"),
            ("free 99999999; say inodes", nil), ("free 99999999; say inodes 4096", nil),
        ] as [(String, String?)])
    func noRoom(_ facts: String, _ part: String?) async {
        let said = "say() { echo \"usweep-says $*\"; }; echo; echo usweep-shell 1 Linux x86_64; say workdir /w; "
            + "say writable yes; say \(facts); say end"
        let found = await HostExamination(Host(target: here), FixedCommand(local: local, fixed: said))
        let text = found.remarks.filter(\.isBad).map(\.text).joined(separator: "\n")
        #expect(found.isUsable == (part == nil) && part.map(text.contains) ?? true, "\(text)")
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
        #expect(found.allSatisfy { !$0.isUsable && $0.remarks.map(\.text) == ["dead"] })
    }
}
