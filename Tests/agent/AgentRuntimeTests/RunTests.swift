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

    @Test("An engine may be in the account's home on the host")
    func engineInHome() throws {
        let scratch = try Scratch()
        let engine = "\(scratch.path)/my simulator"
        try "#!/bin/sh\necho $1\n".write(toFile: engine, atomically: false, encoding: .utf8)
        chmod(engine, 0o755)
        let agent = try Attached(scratch.path, environment: ["HOME": scratch.path])
        try agent.hello(engine: "~/my simulator")
        try agent.send(.probe(path: "~/my simulator"))
        var probe: EngineProbe?
        while probe == nil { if case .probed(let found) = try agent.next() { probe = found } }
        #expect(probe?.path == "~/my simulator" && probe?.digest != nil, "\(probe?.problem ?? "")")
        try agent.send(.grant(Shard(lease: 1, entries: [entry(1, Job(arguments: [.engine, .text("restored")]))])))
        let report = try agent.outcome()
        #expect(try agent.fetch(report, "stdout.txt") == Array("restored\n".utf8))
    }

    @Test("A run has the niceness and the processors that the inventory says, and so has what it starts")
    func niceAndBound() throws {
        let scratch = try Scratch()
        let agent = try Attached(scratch.path)
        try agent.hello()
        var terms = HostTerms()
        (terms.nice, terms.binding) = (7, .core)
        try agent.send(.terms(terms))
        let job = script("nice; (nice); grep Cpus_allowed_list /proc/self/status")
        try agent.send(.grant(Shard(lease: 1, entries: [entry(1, job)])))
        let report = try agent.outcome()
        #expect(report.failure == nil, "\(report.evidence)")
        let lines = String(decoding: try agent.fetch(report, "stdout.txt"), as: UTF8.self).split(separator: "\n")
        let stat = try String(contentsOfFile: "/proc/self/stat", encoding: .utf8).split(separator: ") ").last
        let own = stat.flatMap { Int($0.split(separator: " ")[16]) } ?? 0
        #expect(lines.prefix(2).map { Int($0) } == Array(repeating: min(19, own + 7), count: 2))
        // A machine with one core binds nothing.
        let all = try String(contentsOfFile: "/proc/self/status", encoding: .utf8).split(separator: "\n")
            .first { $0.hasPrefix("Cpus_allowed_list") }
        let isMany = all?.contains { $0 == "-" || $0 == "," } ?? false
        #expect(lines.count == 3 && (!isMany || lines[2] != all))
    }

    @Test("Of two sweeps, the one with the higher priority is served first")
    func priorities() throws {
        let scratch = try Scratch()
        let gate = Gate(scratch)
        let (low, high) = (try Attached(scratch.path), try Attached(scratch.path))
        try low.hello("low", slots: 64)
        try high.hello("high", slots: 64)
        var terms = HostTerms()
        terms.priority = 5
        try high.send(.terms(terms))
        func noting(_ name: String) -> Job {
            var job = script("echo \(name) >> \(scratch.path)/order")
            job.slots = 64
            return job
        }
        var first = gate.waits("echo low1 >> \(scratch.path)/order; ")
        first.slots = 64
        try low.send(.grant(Shard(lease: 1, entries: [entry(1, first), entry(2, noting("low2"))])))
        try low.started(1)
        try high.send(.grant(Shard(lease: 1, entries: [entry(1, noting("high1")), entry(2, noting("high2"))])))
        // What is answered behind the grant is told behind it, to the supervisor as well.
        try high.send(.probe(path: "/bin/true"))
        while true { if case .probed = try high.next() { break } }
        gate.open()
        _ = try (low.outcomes(2), high.outcomes(2))
        let order = try String(contentsOfFile: "\(scratch.path)/order", encoding: .utf8)
        #expect(order == "low1\nhigh1\nhigh2\nlow2\n")
    }
}
