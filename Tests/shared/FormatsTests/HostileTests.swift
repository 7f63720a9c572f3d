import Formats
import Model
import TestKit
import Testing

/// What a peer may send that lies: nothing of it may reach the cores, which add and multiply these numbers.
@Suite("Messages that lie")
struct HostileTests {
    private func report(
        run: Int = 1, lease: Int = 1, attempt: Int = 1, wall: Int64 = 0, memory: Int64 = 0,
        artifacts: [Artifact] = []
    ) -> AttemptReport {
        AttemptReport(
            id: AttemptID(run: run, lease: lease, attempt: attempt), wallNanoseconds: wall, peakMemoryBytes: memory,
            artifacts: artifacts)
    }

    /// In all versions alike.
    private func isRefused(_ message: AgentMessage) -> Bool {
        let refused = (1...WireVersion.current).compactMap(message.frame).map { (try? AgentMessage($0)) == nil }
        #expect(Set(refused).count == 1)
        return refused.first ?? false
    }

    private func isRefused(_ message: CoordinatorMessage) -> Bool {
        let refused = (1...WireVersion.current).compactMap(message.frame).map { (try? CoordinatorMessage($0)) == nil }
        #expect(Set(refused).count == 1)
        return refused.first ?? false
    }

    @Test func listsOfInputs() throws {
        let inputs = (0..<300).map { Job.Input(path: "a/\($0)", digest: SHA256.digest("\($0)"), size: Int64($0)) }
        let bytes = InputList.encode(inputs)
        #expect(try InputList.decode(bytes) == inputs)
        for count in stride(from: 0, to: bytes.count, by: 97) {
            #expect(throws: WireError.self) { try InputList.decode(Array(bytes[..<count])) }
        }
        #expect(throws: WireError.self) { try InputList.decode(bytes + [0]) }
        let outside = [Job.Input(path: "../a", digest: SHA256.digest(""), size: 0)]
        #expect(throws: WireError.self) { try InputList.decode(InputList.encode(outside)) }
    }

    @Test(
        "A path that leads out of its folder is refused wherever it stands",
        arguments: [
            "", "/", "/etc/passwd", "..", "../x", "a/../../x", "a/..", ".", "./a", "a//b", "a/", "a\u{0}b", "a\nb",
            String(repeating: "a", count: 256), String(repeating: "a/", count: 512) + "a",
        ])
    func paths(path: String) {
        let digest = SHA256.digest("")
        #expect(isRefused(.outcome(report(artifacts: [Artifact(path: path, digest: digest, size: 1)]))))
        #expect(isRefused(.tail(Tail(run: 1, path: path, bytes: nil))))
        #expect(isRefused(.tail(TailRequest(run: 1, path: path, maximumLength: 1))))
        let job = Job(arguments: [.engine], inputs: [Job.Input(path: path, digest: digest, size: 1)])
        #expect(isRefused(.grant(Shard(lease: 1, entries: [.init(run: 1, firstAttempt: 1, attempts: 1, job: job)]))))
    }

    @Test("Counts and lengths that promise more than is there are refused, and nothing is allocated for them")
    func counts() {
        for count in [5, 1 << 20, 1 << 40, UInt64(Int64.max), .max] {
            var writer = ByteWriter()
            writer.put(count)
            let payload = writer.bytes + [1, 1, 1, 1]
            // Lists and texts begin with their count; these kinds begin with such a list or text.
            for kind in [3, 4, 5, 8] as [UInt8] {
                #expect(throws: WireError("a length of \(count) where 4 bytes are left")) {
                    try CoordinatorMessage(Frame(kind: kind, payload: payload))
                }
            }
            for kind in [66, 74] as [UInt8] {
                #expect(throws: WireError("a length of \(count) where 4 bytes are left")) {
                    try AgentMessage(Frame(kind: kind, payload: payload))
                }
            }
        }
    }

    @Test("Integers longer than 64 bits are refused")
    func integers() {
        let longest = [UInt8](repeating: 0xff, count: 9) + [1]
        var reader = ByteReader(longest)
        #expect((try? reader.unsigned()) == .max)
        for bytes in [[UInt8](repeating: 0xff, count: 9) + [2], [UInt8](repeating: 0x80, count: 10) + [0]] {
            var reader = ByteReader(bytes)
            #expect(throws: WireError.self) { try reader.unsigned() }
        }
    }

    @Test("Numbers that would break arithmetic are refused: reports")
    func reports() {
        #expect(!isRefused(.outcome(report())))
        #expect(isRefused(.outcome(report(run: 0))))
        #expect(isRefused(.outcome(report(run: .min))))
        #expect(isRefused(.outcome(report(lease: -1))))
        #expect(isRefused(.outcome(report(attempt: -1))))
        #expect(isRefused(.outcome(report(wall: -1))))
        #expect(isRefused(.outcome(report(wall: .min))))
        #expect(isRefused(.outcome(report(memory: -1))))
        #expect(isRefused(.outcome(report(artifacts: [Artifact(path: "a", digest: SHA256.digest(""), size: -1)]))))
        #expect(isRefused(.started([AttemptID(run: .min, lease: 1, attempt: 1)])))
    }

    @Test("Numbers that would break arithmetic are refused: hellos")
    func hellos() {
        func hello(
            slots: Int = 1, processors: Int = 1, memory: Int64 = 1, free: Int64 = 1, clock: Int64 = 1,
            leases: [HeldLease] = []
        ) -> AgentMessage {
            .hello(
                AgentHello(
                    bootID: "b", hostName: "h", slots: slots, processors: processors, memoryBytes: memory,
                    freeBytes: free, workdir: "/w", wallClock: clock, leases: leases))
        }
        #expect(!isRefused(hello()))
        #expect(!isRefused(hello(slots: 4_096, processors: 512, memory: 1 << 44, free: 1 << 50)))
        for slots in [-1, 0, 1 << 20 + 1, .max] { #expect(isRefused(hello(slots: slots))) }
        for processors in [-1, 0, .max] { #expect(isRefused(hello(processors: processors))) }
        for bytes in [-1, .min] as [Int64] {
            #expect(isRefused(hello(memory: bytes)))
            #expect(isRefused(hello(free: bytes)))
            #expect(isRefused(hello(clock: bytes)))
        }
        #expect(isRefused(hello(leases: [HeldLease(lease: -1, runs: [1])])))
        #expect(isRefused(hello(leases: [HeldLease(lease: 1, runs: [.min])])))
    }

    @Test("Numbers that would break arithmetic are refused: pieces of objects")
    func pieces() {
        let digest = SHA256.digest("")
        for offset in [-1, .min, .max] as [Int64] {
            #expect(isRefused(AgentMessage.bytes(ObjectBytes(digest: digest, offset: offset, bytes: [1]))))
            #expect(isRefused(CoordinatorMessage.bytes(ObjectBytes(digest: digest, offset: offset, bytes: [1]))))
            #expect(isRefused(.want(ObjectRange(digest: digest, offset: offset, length: 1))))
            #expect(isRefused(.read(ObjectRange(digest: digest, offset: offset, length: 1))))
        }
        for length in [0, -1, ObjectRange.maximumLength + 1, .max] {
            #expect(isRefused(.want(ObjectRange(digest: digest, offset: 0, length: length))))
            #expect(isRefused(.tail(TailRequest(run: 1, path: "a", maximumLength: length))))
        }
    }

    @Test("Numbers that would break arithmetic are refused: shards")
    func shards() {
        func grant(
            run: Int = 1, first: Int = 1, attempts: Int = 1, job: Job = Job(arguments: [.engine])
        ) -> CoordinatorMessage {
            .grant(Shard(lease: 1, entries: [.init(run: run, firstAttempt: first, attempts: attempts, job: job)]))
        }
        #expect(!isRefused(grant()))
        for number in [0, -1, .min] {
            #expect(isRefused(grant(run: number)))
            #expect(isRefused(grant(first: number)))
            #expect(isRefused(grant(attempts: number)))
        }
        #expect(isRefused(grant(first: .max, attempts: 2)))
        #expect(isRefused(grant(first: 2, attempts: .max)))
        #expect(isRefused(grant(job: Job(arguments: []))))
        let limits = JobLimits(time: -1)
        #expect(isRefused(grant(job: Job(arguments: [.engine], limits: limits))))
        #expect(isRefused(grant(job: Job(arguments: [.engine], limits: JobLimits(stall: -1)))))
        #expect(isRefused(grant(job: Job(arguments: [.engine], limits: JobLimits(memoryBytes: -1)))))
    }

    @Test("Texts that are not UTF-8 and truth values that are neither are refused")
    func texts() {
        #expect(throws: WireError("a text is not UTF-8")) {
            try AgentMessage(Frame(kind: 74, payload: [2, 0xc3, 0x28]))
        }
        var writer = ByteWriter()
        writer.put("p")
        #expect(throws: WireError("a truth value is neither 0 nor 1")) {
            try AgentMessage(Frame(kind: 71, payload: writer.bytes + [2, 0]))
        }
    }
}
