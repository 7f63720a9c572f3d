import Formats
import Foundation
import Model
import Testing

@Suite(.serialized) struct RunTests {
    @Test func aLargeFolderIsDeletedWhenAcknowledged() throws {
        let scratch = try Scratch()
        let agent = try Attached(scratch.path)
        let hello = try agent.hello()
        #expect(hello.slots == 1)
        #expect(hello.leases.isEmpty)
        try agent.send(.grant(Shard(lease: 1, entries: [entry(1, script("head -c 2000000 /dev/zero"))])))
        let report = try agent.outcome()
        #expect(report.id == AttemptID(run: 1, lease: 1, attempt: 1))
        #expect(report.failure == nil)
        #expect(report.artifacts.map(\.path) == ["stderr.txt", "stdout.txt"])
        #expect(report.artifacts.map(\.size) == [0, 2_000_000])
        let folder = "\(scratch.path)/attempts/s1/1.1-1"
        #expect(FileManager.default.fileExists(atPath: folder))
        try agent.acknowledge([report])
        // The next run's outcome comes after the acknowledgement was taken.
        try agent.send(.grant(Shard(lease: 1, entries: [entry(2, Job(arguments: [.text("/bin/true")]))])))
        _ = try agent.outcome()
        #expect(!FileManager.default.fileExists(atPath: folder))
    }

    @Test func aScriptSeesItsInputsAndPoint() throws {
        let scratch = try Scratch()
        let agent = try Attached(scratch.path)
        try agent.hello(setup: "export GREETING='from $(setup)'")
        let big = (0..<1_200_000).map { UInt8(truncatingIfNeeded: $0 &* 7 >> 3) }
        let tool = Array("#!/bin/sh\necho tool \"$@\"\n".utf8)
        for bytes in [big, tool] { agent.objects[SHA256.digest(bytes)] = bytes }
        let job = script(
            """
            cat "$USWEEP_POINT_FILE"; echo; echo "$USWEEP_RUN $USWEEP_ATTEMPT $GREETING"; ./bin/tool a 'b c'
            wc -c < data; mkdir out; cp data out/copy; ln -s /etc/passwd stolen; umask
            """,
            inputs: [
                Job.Input(path: "data", digest: SHA256.digest(big), size: Int64(big.count)),
                Job.Input(path: "bin/tool", digest: SHA256.digest(tool), size: Int64(tool.count), isExecutable: true),
            ])
        try agent.send(.grant(Shard(lease: 4, entries: [entry(7, job)])))
        let report = try agent.outcome()
        #expect(report.failure == nil, "\(report.evidence)")
        #expect(report.artifacts.map(\.path) == ["out/copy", "stderr.txt", "stdout.txt"])
        #expect(report.artifacts[0].digest == SHA256.digest(big))
        #expect(report.wallNanoseconds > 0)
        let now = Int64(Date.now.timeIntervalSince1970 * 1e9)
        #expect(report.startedAt.map { $0 > now - 600_000_000_000 && $0 <= now } ?? false)
        let text = String(decoding: try agent.fetch(report, "stdout.txt"), as: UTF8.self)
        #expect(text == "{\"x\":1}\n7 1 from $(setup)\ntool a b c\n1200000\n0077\n")
        #expect(try agent.fetch(report, "out/copy") == big)
    }

    /// Also where the host's setup uses a variable of its own, whatever axes there are, and where a variable of the
    /// job is one that the host has already.
    @Test func whatOnlyTheAttemptKnowsIsFilledIn() throws {
        let scratch = try Scratch()
        let agent = try Attached(scratch.path)
        try agent.hello(setup: "export GREETING=hello")
        var job = script("echo \"$0 $OUT $USWEEP_SETUP $GREETING $HOME\"; env | grep -c '^HOME='")
        job.arguments.append(.joined([.text("a"), .run, .text("."), .attempt]))
        job.environment += [EnvironmentVariable("USWEEP_SETUP", "an axis"), EnvironmentVariable("HOME", "/nowhere")]
        job.joinedEnvironment = [Job.JoinedVariable("OUT", [.attempt, .text("/"), .run])]
        try agent.send(.grant(Shard(lease: 4, entries: [entry(7, job)])))
        let report = try agent.outcome()
        #expect(report.failure == nil, "\(report.evidence)")
        let text = String(decoding: try agent.fetch(report, "stdout.txt"), as: UTF8.self)
        #expect(text == "a7.1 1/7 an axis hello /nowhere\n1\n")
    }

    @Test func aSweepThatEndedLeavesNothingRunningAndNothingKept() throws {
        let scratch = try Scratch()
        let agent = try Attached(scratch.path)
        try agent.hello(slots: 2)
        let endless = script("echo $$ > pid; exec sleep 1000")
        try agent.send(.grant(Shard(lease: 1, entries: [entry(1, endless)])))
        try agent.started(1)
        try agent.send(.grant(Shard(lease: 1, entries: [entry(2, Job(arguments: [.text("/bin/true")]))])))
        _ = try agent.outcome()
        try agent.send(.release)
        while try agent.next() != .released {}
        #expect(try FileManager.default.subpathsOfDirectory(atPath: "\(scratch.path)/attempts") == [])
        let left = try Attached.pids(inFolder: "\(scratch.path)/attempts")
        #expect(left.isEmpty)
        // Who joins next finds an agent that knows nothing.
        agent.close()
        let other = try Attached(scratch.path)
        #expect(try other.hello().leases.isEmpty)
        try other.send(.release)
        while try other.next() != .released {}
    }
}
