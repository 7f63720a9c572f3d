import Formats
import Model
import TestKit
import Testing

/// What was once written is read for ever, and what is written does not follow from how Swift types are declared.
@Suite("Messages and documents of earlier versions")
struct GoldenTests {
    static func frames(_ name: String) throws -> [Frame] {
        var reader = FrameReader()
        reader.append(try Golden.bytes(name))
        var frames: [Frame] = []
        while let frame = try reader.next() { frames.append(frame) }
        try #require(reader.pendingCount == 0)
        return frames
    }

    private func coordinator() throws -> [CoordinatorMessage] {
        try GoldenTests.frames("version1/coordinator.frames").map { try CoordinatorMessage($0) }
    }

    private func agent() throws -> [AgentMessage] {
        try GoldenTests.frames("version1/agent.frames").map { try AgentMessage($0) }
    }

    @Test("A coordinator of version 1 is understood")
    func coordinatorOfVersion1() throws {
        let messages = try coordinator()
        let hello = CoordinatorHello(
            oldest: 1, current: 1, sweep: "golden-k1t8enzm", leaseTerm: 30_000_000_000, slots: 4,
            memoryBytes: 1 << 30, setup: "export GOLDEN=1")
        #expect(messages.first == .hello(hello))
        let script = try #require(Digest(hex: "dcf43efcf81c9a54a96013860eb23d6611a2e904ca1c4779be12bc82f21a1d28"))
        let shards = messages.compactMap { if case .grant(let shard) = $0 { shard } else { nil } }
        #expect(shards.map(\.lease) == [1, 2, 3, 4, 5, 6, 7])
        #expect(shards.map { $0.entries.map(\.run) } == [
            [1, 2, 3, 4], [5], [6, 7, 8], [8, 7, 6, 5], [9, 10], [9, 1, 2, 4], [8, 10],
        ])
        let entry = try #require(shards.first?.entries.first)
        let job = Job(
            arguments: [.text("/bin/sh"), .text("run.sh")],
            environment: [EnvironmentVariable("USWEEP_X", "good1"), EnvironmentVariable("USWEEP_REPEAT", "1")],
            pointDocument: entry.job.pointDocument,
            inputs: [Job.Input(path: "run.sh", digest: script, size: 339)],
            limits: JobLimits(time: 100_000_000_000, memoryBytes: 16 << 20), maximumFailures: 2)
        #expect(entry == Shard.Entry(run: 1, firstAttempt: 1, attempts: 2, job: job))
        #expect(entry.job.pointDocument.contains("\"parameters\":{\"x\":\"good1\"}"))
        #expect(messages.contains(.revoke([2, 3])) && messages.contains(.revoke([4, 5])))
        #expect(messages.contains(.cancel([6])))
        #expect(messages.contains(.acknowledge([AttemptID(run: 3, lease: 1, attempt: 1)])))
        #expect(messages.contains { if case .tail(let request) = $0 { request.run == 1 } else { false } })
        #expect(messages.suffix(1) == [.release])
    }

    @Test("An agent of version 1 is understood")
    func agentOfVersion1() throws {
        let messages = try agent()
        guard case .hello(let hello) = messages.first else {
            Issue.record("it does not begin with a hello")
            return
        }
        #expect(hello.oldest == 1 && hello.current == 1 && hello.slots == 4 && hello.memoryBytes == 1 << 30)
        #expect(hello.bootID == "0c3a3a04-c289-4e65-a4e0-c8dcaf3f3b91" && hello.hostName == "vm")
        #expect(hello.workdir == "/tmp/golden/work" && hello.leases.isEmpty)
        let later = messages.compactMap { if case .hello(let hello) = $0 { hello.leases } else { nil } }
        #expect(later.dropFirst().first == [HeldLease(lease: 2, runs: [5]), HeldLease(lease: 3, runs: [6, 7, 8])])
        let reports = messages.compactMap { if case .outcome(let report) = $0 { report } else { nil } }
        #expect(Set(reports.map(\.failure)) == [nil, .exitNonzero, .simulatorCrash, .cancelled])
        let failed = try #require(reports.first { $0.failure == .exitNonzero })
        #expect(failed.id == AttemptID(run: 2, lease: 1, attempt: 1))
        #expect(failed.evidence == "exit status 3; standard error ends with \"trouble\"")
        #expect(failed.wallNanoseconds == 5_781_952 && failed.peakMemoryBytes == 5_042_176)
        #expect(failed.artifacts.map(\.path) == ["stderr.txt", "stdout.txt"])
        #expect(messages.suffix(1) == [.released])
    }

    @Test("What was read of version 1 is written as it was, for a peer that knows no other")
    func version1Again() throws {
        for (message, frame) in zip(try coordinator(), try GoldenTests.frames("version1/coordinator.frames")) {
            #expect(message.frame(for: 1) == frame)
        }
        for (message, frame) in zip(try agent(), try GoldenTests.frames("version1/agent.frames")) {
            #expect(message.frame(for: 1) == frame)
        }
    }

    @Test("Version 2 is as it was when it was new, byte for byte")
    func version2() throws {
        let missing = AgentMessage.missing(SHA256.digest("x"), reason: "it is gone")
        let sides = (
            try coordinator().map(\.frame),
            (try agent() + [missing, .refused(reason: "this agent is about to end")]).map(\.frame)
        )
        let coordinatorBytes = try sides.0.flatMap { try $0.encoded }
        #expect(try Golden.recorded("version2/coordinator.frames", coordinatorBytes) == coordinatorBytes)
        let agentBytes = try sides.1.flatMap { try $0.encoded }
        #expect(try Golden.recorded("version2/agent.frames", agentBytes) == agentBytes)
        #expect(try GoldenTests.frames("version2/coordinator.frames").map { try CoordinatorMessage($0) }
            == coordinator())
    }

    @Test("Words of files keep their spelling")
    func words() {
        #expect(RunState.allCases.map(\.rawValue) == ["succeeded", "failed", "quarantined", "cancelled"])
        let classes = [
            "spawn", "exit-nonzero", "host-lost", "supervisor-lost", "out-of-memory", "disk-full", "simulator-crash",
            "simulator-fatal", "guest-panic", "stalled-guest", "stalled-simulator", "timeout",
            "checkpoint-incompatible", "contract-broken", "cancelled",
        ]
        #expect(classes.allSatisfy { FailureClass(rawValue: $0) != nil })
    }

    @Test(
        "Every cut and every changed byte of a message is refused, or read as what it then says",
        arguments: [
            "version1/coordinator.frames", "version1/agent.frames", "version2/coordinator.frames",
            "version2/agent.frames",
        ])
    func damaged(name: String) throws {
        var counts = ReadCounts()
        for frame in try GoldenTests.frames(name) {
            for index in frame.payload.indices {
                try counts.add(Frame(kind: frame.kind, payload: Array(frame.payload[..<index])))
                var payload = frame.payload
                for mask in [1, 0x55, 0x80] as [UInt8] {
                    payload[index] = frame.payload[index] ^ mask
                    try counts.add(Frame(kind: frame.kind, payload: payload))
                }
            }
        }
        #expect(counts.refused > 1_000 && counts.read > 1_000, "\(counts)")
    }
}
