import Formats
import Foundation
import Model
import Testing

@Suite(.serialized) struct FailureTests {
    /// Process numbers of the agent's own processes in a folder, by verb.
    private func processes(_ verb: String, _ workdir: String) throws -> [Int32] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { name in
            guard let pid = Int32(name), let data = FileManager.default.contents(atPath: "/proc/\(name)/cmdline") else {
                return nil
            }
            let words = data.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            return words.count > 3 && words[1] == verb && words[3] == workdir ? pid : nil
        }
    }

    private func isAlive(_ pid: Int32) -> Bool {
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return false }
        return !text.contains(") Z ")
    }

    @Test func failsTwiceThenSucceeds() throws {
        let scratch = try Scratch()
        let agent = try Attached(scratch.path)
        try agent.hello()
        let job = script("echo \"try $USWEEP_ATTEMPT\" >&2; [ $USWEEP_ATTEMPT -ge 6 ]")
        try agent.send(.grant(Shard(lease: 1, entries: [entry(1, job, attempts: 3, first: 4)])))
        let reports = try agent.outcomes(3)
        #expect(reports.map(\.id.attempt) == [4, 5, 6])
        #expect(reports.map(\.failure) == [.exitNonzero, .exitNonzero, nil])
        #expect(reports[0].evidence == "exit status 1; standard error ends with \"try 4\"")
    }

    @Test func classesOfEnds() throws {
        let scratch = try Scratch()
        let agent = try Attached(scratch.path)
        try agent.hello(slots: 2)
        let entries = [
            entry(1, script("kill -SEGV $$")),
            entry(2, Job(arguments: [.text("/nonexistent/simulator")])),
            entry(3, script("echo 'write: No space left on device' >&2; exit 1")),
            entry(4, script("sleep 1000", time: 200_000_000)),
            entry(5, script("touch \"$(printf 'a\\nb')\"")),
        ]
        try agent.send(.grant(Shard(lease: 1, entries: entries)))
        let reports = try agent.outcomes(5)
        #expect(reports.map(\.failure) == [.simulatorCrash, .spawn, .diskFull, .timeout, .contractBroken])
        #expect(reports[1].evidence.contains("No such file"))
    }

    @Test func grandchildrenDoNotOutliveTheirAttempt() throws {
        let scratch = try Scratch()
        let agent = try Attached(scratch.path)
        try agent.hello()
        let job = script("setsid sleep 1000 & echo $! ; (sleep 1001 & echo $!)")
        try agent.send(.grant(Shard(lease: 1, entries: [entry(1, job)])))
        let report = try agent.outcome()
        #expect(report.failure == nil)
        let pids = String(decoding: try agent.fetch(report, "stdout.txt"), as: UTF8.self)
            .split(separator: "\n").compactMap { Int32($0) }
        #expect(pids.count == 2)
        for pid in pids { #expect(!isAlive(pid)) }
    }

    @Test func killedAgentTakesUpWhatRuns() throws {
        let scratch = try Scratch()
        var agent = try Attached(scratch.path)
        try agent.hello()
        // The run waits for a file, so that it ends only after the agent was killed.
        let gate = "\(scratch.path)/gate"
        let job = script("mkfifo fifo; echo $$ > pid; while [ ! -e \"$GATE\" ]; do sleep 0.05; done", environment: [
            EnvironmentVariable("GATE", gate),
        ])
        try agent.send(.grant(Shard(lease: 3, entries: [entry(9, job)])))
        try agent.started(9)
        for pid in try processes("serve", scratch.path) { kill(pid, SIGKILL) }
        #expect(throws: Attached.Ended.self) { while true { _ = try agent.next() } }
        _ = FileManager.default.createFile(atPath: gate, contents: nil)
        agent = try Attached(scratch.path)
        let hello = try agent.hello()
        #expect(hello.leases == [HeldLease(lease: 3, runs: [9])])
        let report = try agent.outcome()
        #expect(report.id == AttemptID(run: 9, lease: 3, attempt: 1))
        #expect(report.failure == nil)
        #expect(report.artifacts.map(\.path) == ["pid", "stderr.txt", "stdout.txt"])
        try agent.acknowledge([report])
        try agent.send(.grant(Shard(lease: 3, entries: [entry(9, job), entry(10, script("true"))])))
        #expect(try agent.outcome().id.run == 10)
    }

    @Test func killedSupervisorLosesWhatRan() throws {
        let scratch = try Scratch()
        let agent = try Attached(scratch.path)
        try agent.hello()
        try agent.send(.grant(Shard(lease: 1, entries: [entry(1, script("sleep 1000")), entry(2, script("true"))])))
        try agent.started(1)
        for pid in try processes("supervise", scratch.path) { kill(pid, SIGKILL) }
        let reports = try agent.outcomes(2)
        #expect(reports.map(\.failure) == [.supervisorLost, nil])
    }

    @Test func cancelAndRevoke() throws {
        let scratch = try Scratch()
        let agent = try Attached(scratch.path)
        try agent.hello()
        try agent.send(
            .grant(Shard(lease: 1, entries: [entry(1, script("sleep 1000")), entry(2, script("sleep 1000"))])))
        try agent.send(.grant(Shard(lease: 2, entries: [entry(3, script("sleep 1000"))])))
        try agent.started(1)
        try agent.send(.revoke([2]))
        try agent.send(.cancel([1, 2]))
        #expect(try agent.outcomes(2).map(\.failure) == [.cancelled, .cancelled])
        try agent.send(.grant(Shard(lease: 4, entries: [entry(4, script("true"))])))
        #expect(try agent.outcome().id.run == 4)
    }

    @Test func malformedFrameDropsTheConnectionAlone() throws {
        let scratch = try Scratch()
        let agent = try Attached(scratch.path)
        try agent.hello()
        try agent.send(bytes: [UInt8](repeating: 0xff, count: 64))
        #expect(throws: Attached.Ended.self) { while true { _ = try agent.next() } }
        let second = try Attached(scratch.path)
        try second.hello()
        try second.send(.grant(Shard(lease: 1, entries: [entry(1, script("true"))])))
        #expect(try second.outcome().failure == nil)
    }
}
