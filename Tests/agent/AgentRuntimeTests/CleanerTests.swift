import Formats
import Foundation
import Model
import TestKit
import Testing

/// Whoever removes temporary files does so under an agent that works.
@Suite(.serialized) struct CleanerTests {
    private let scratch: Scratch
    private var workdir: String { "\(scratch.path)/w" }
    private var gate: String { "\(scratch.path)/gate" }

    init() throws { scratch = try Scratch() }

    /// A run that ends when the gate is there.
    private var waits: Job {
        script(
            "while [ ! -e \"$GATE\" ]; do sleep 0.05; done; echo done > results.json",
            environment: [EnvironmentVariable("GATE", gate)])
    }

    private func openGate() { _ = FileManager.default.createFile(atPath: gate, contents: nil) }

    private func remove(_ names: [String]) throws {
        for name in names { try FileManager.default.removeItem(atPath: "\(workdir)/\(name)") }
    }

    @Test(
        "Sockets and locks: the agent goes on, and others find it",
        arguments: [
            ["agent.sock", "supervisor.sock"], ["agent.lock", "supervisor.lock", "start.lock"],
            ["agent.sock", "supervisor.sock", "agent.lock", "supervisor.lock", "start.lock"],
            ["agent.journal", "supervisor.journal", "objects"],
        ])
    func names(_ gone: [String]) throws {
        defer { _ = try? Attached.run(["stop", "--workdir", workdir]) }
        let agent = try Attached(workdir)
        try agent.hello(slots: 2)
        try agent.send(.grant(Shard(lease: 1, entries: [entry(1, waits)])))
        try agent.started(1)
        try remove(gone)
        let other = try Attached(workdir)
        try other.hello("s2", slots: 2)
        try other.send(.grant(Shard(lease: 1, entries: [entry(1, script("true"))])))
        #expect(try other.outcome().failure == nil)
        #expect(try Attached.processes("serve", workdir).count == 1)
        #expect(try Attached.processes("supervise", workdir).count == 1)
        openGate()
        #expect(try agent.outcome().failure == nil)
    }

    @Test("What an agent holds outlives the removal of its journals, and its own death after that")
    func journals() throws {
        defer { _ = try? Attached.run(["stop", "--workdir", workdir]) }
        var agent = try Attached(workdir)
        try agent.hello()
        try agent.send(.grant(Shard(lease: 3, entries: [entry(1, waits)])))
        try agent.started(1)
        try remove(["agent.journal", "agent.sock"])
        let journal = "\(workdir)/agent.journal"
        #expect(Outside.eventually(in: workdir, within: 20) { FileManager.default.fileExists(atPath: journal) })
        for pid in try Attached.processes("serve", workdir) { kill(pid, SIGKILL) }
        agent = try Attached(workdir)
        #expect(try agent.hello().leases == [HeldLease(lease: 3, runs: [1])])
        openGate()
        #expect(try agent.outcome().failure == nil)
    }

    @Test("A supervisor without a journal ends what the last one left running")
    func orphans() throws {
        defer { _ = try? Attached.run(["stop", "--workdir", workdir]) }
        let agent = try Attached(workdir)
        try agent.hello()
        let pipe = "\(scratch.path)/pids"
        try #require(mkfifo(pipe, 0o600) == 0)
        // What has a session of its own outlives the program and its parent where both are killed.
        let job = script(
            "setsid sleep 1000 & echo $PPID $! > \"$PIDS\"; wait", environment: [EnvironmentVariable("PIDS", pipe)])
        try agent.send(.grant(Shard(lease: 1, entries: [entry(1, job)])))
        let line = try #require(FileHandle(forReadingAtPath: pipe)).readDataToEndOfFile()
        let pids = String(decoding: line, as: UTF8.self).split(whereSeparator: \.isWhitespace)
        try #require(pids.count == 2)
        let (keeper, left) = (try #require(pid_t(pids[0])), try #require(pid_t(pids[1])))
        try agent.started(1)
        let supervisor = try #require(try Attached.processes("supervise", workdir).first)
        // It would make its journal again within a second.
        kill(supervisor, SIGSTOP)
        try remove(["supervisor.journal"])
        for pid in [keeper, supervisor] { kill(pid, SIGKILL) }
        // Nobody knows of the attempt any more, so it begins once more.
        try agent.started(1)
        #expect(!Attached.isAlive(left))
    }

    @Test("All of the folder: one agent is left, which says what was lost and goes on")
    func folder() throws {
        defer { _ = try? Attached.run(["stop", "--workdir", workdir]) }
        let agent = try Attached(workdir)
        try agent.hello()
        try agent.send(.grant(Shard(lease: 1, entries: [entry(1, waits)])))
        try agent.started(1)
        try FileManager.default.removeItem(atPath: workdir)
        let lost = try agent.outcome()
        #expect(lost.failure == .hostLost, "\(lost)")
        #expect(lost.evidence.contains("removed"), "\(lost.evidence)")
        try agent.send(.grant(Shard(lease: 2, entries: [entry(2, script("true"))])))
        #expect(try agent.outcome().failure == nil)
        let other = try Attached(workdir)
        try other.hello("s2")
        #expect(try Attached.processes("serve", workdir).count == 1)
        #expect(try Attached.processes("supervise", workdir).count == 1)
    }

    @Test("The agent's own program: supervisors start all the same, and it is put back")
    func program() throws {
        let copy = "\(scratch.path)/bin/usweep-agent"
        try FileManager.default.createDirectory(atPath: "\(scratch.path)/bin", withIntermediateDirectories: true)
        // By another process: a child that another test starts meanwhile would hold this one's open file, and what is
        // open for writing cannot be executed.
        let copying = try Process.run(URL(filePath: "/bin/cp"), arguments: [Attached.program, copy])
        copying.waitUntilExit()
        defer { _ = try? Attached.run(["stop", "--workdir", workdir]) }
        let agent = try Attached(workdir, program: copy)
        try agent.hello()
        try agent.send(.grant(Shard(lease: 1, entries: [entry(1, waits), entry(2, script("true"))])))
        try agent.started(1)
        try FileManager.default.removeItem(atPath: "\(scratch.path)/bin")
        for pid in try Attached.processes("supervise", workdir) { kill(pid, SIGKILL) }
        #expect(try agent.outcomes(2).map(\.failure) == [.supervisorLost, nil])
        let version = Job(arguments: [.agent, .text("version")])
        let folder = "\(scratch.path)/bin"
        #expect(Outside.eventually(in: folder, within: 20) { FileManager.default.fileExists(atPath: copy) })
        try agent.send(.grant(Shard(lease: 2, entries: [entry(3, version)])))
        #expect(try agent.outcome().failure == nil)
    }
}
