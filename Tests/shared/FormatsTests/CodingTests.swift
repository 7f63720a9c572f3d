import Formats
import Model
import TestKit
import Testing

private let seeds: Range<UInt64> = 0..<60

extension CoordinatorMessage {
    /// Version 1 knows no text that only an attempt completes: it is completed for the first, and no other is allowed.
    /// What a job can say since is not said.
    fileprivate var asVersion1Says: CoordinatorMessage {
        guard case .grant(var shard) = self else { return self }
        for (index, entry) in shard.entries.enumerated() {
            var job = entry.job.filled(run: entry.run, attempt: entry.firstAttempt)
            if job != entry.job { shard.entries[index].attempts = 1 }
            (job.inputList, job.artifacts, job.slots, job.shares) = (nil, ArtifactRule(), 1, [])
            job.limits.output = nil
            shard.entries[index].job = job
        }
        return .grant(shard)
    }
}

extension AgentMessage {
    /// What hosts have less to offer than their hellos said is younger, and so are how far what ended is collected,
    /// when attempts started, and some classes.
    fileprivate var asVersion1Says: AgentMessage {
        switch self {
        case .heartbeat(var load):
            load.offer = nil
            return .heartbeat(load)
        case .outcome(var report):
            let younger: [FailureClass] = [.tooMuchOutput, .hostFenced, .inputDamaged]
            if report.failure.map(younger.contains) == true { report.failure = .exitNonzero }
            report.startedAt = nil
            return .outcome(report)
        case .tail(var tail):
            tail.collected = nil
            return .tail(tail)
        case .hello, .started, .want, .bytes, .missing, .probed, .refused, .released, .sharing, .holding,
            .unreached, .damaged:
            return self
        }
    }
}

@Suite("Messages and records keep what they hold")
struct CodingTests {
    @Test("Every message of the coordinator round-trips", arguments: seeds)
    func coordinator(seed: UInt64) throws {
        var chance = Chance(seed: seed)
        let messages = chance.coordinatorMessages()
        #expect(messages.map(\.frame.kind) == CoordinatorMessage.Kind.allCases.map(\.rawValue))
        for message in messages {
            let frame = message.frame
            #expect(try CoordinatorMessage(frame) == message)
            if let frame = message.frame(for: 1) { #expect(try CoordinatorMessage(frame) == message.asVersion1Says) }
            #expect(throws: WireError.self, "an agent does not send these") { try AgentMessage(frame) }
        }
    }

    @Test("Every message of the agent round-trips", arguments: seeds)
    func agent(seed: UInt64) throws {
        var chance = Chance(seed: seed)
        let messages = chance.agentMessages()
        #expect(messages.map(\.frame.kind) == AgentMessage.Kind.allCases.map(\.rawValue))
        for message in messages {
            let frame = message.frame
            #expect(try AgentMessage(frame) == message)
            if let frame = message.frame(for: 1) { #expect(try AgentMessage(frame) == message.asVersion1Says) }
            #expect(throws: WireError.self, "a coordinator does not send these") { try CoordinatorMessage(frame) }
        }
    }

    @Test("Every record of the coordinator's journal round-trips", arguments: seeds)
    func records(seed: UInt64) throws {
        var chance = Chance(seed: seed)
        for record in chance.records() {
            let bytes = record.encoded
            #expect(try Record(encoded: bytes) == record)
            for count in bytes.indices {
                #expect(throws: WireError.self) { try Record(encoded: Array(bytes[..<count])) }
            }
            #expect(throws: WireError.self) { try Record(encoded: bytes + [0]) }
        }
        var counts = ReadCounts()
        for record in chance.records() {
            for index in record.encoded.indices.prefix(400) {
                var bytes = record.encoded
                bytes[index] ^= 1 << UInt8(chance.number(0...7))
                try counts.add(record: bytes)
            }
        }
        #expect(counts.refused > 100 && counts.read > 100, "\(counts)")
    }

    @Test("A message cut short is refused or what stands there; with anything behind it, refused", arguments: seeds)
    func truncated(seed: UInt64) {
        var chance = Chance(seed: seed)
        let messages = chance.coordinatorMessages().map(\.frame) + chance.agentMessages().map(\.frame)
        for frame in messages {
            for count in frame.payload.indices {
                let cut = Frame(kind: frame.kind, payload: Array(frame.payload[..<count]))
                if let read = (try? CoordinatorMessage(cut))?.frame ?? (try? AgentMessage(cut))?.frame {
                    #expect(read == cut)
                }
            }
            #expect(!isRead(Frame(kind: frame.kind, payload: frame.payload + [0])))
        }
    }

    @Test("Bytes of chance, and messages with a bit changed, are refused or mean what they are read as")
    func noise() throws {
        var chance = Chance(seed: 1)
        var counts = ReadCounts()
        for _ in 0..<200 {
            for kind in 0...255 as ClosedRange<UInt8> {
                try counts.add(Frame(kind: kind, payload: chance.list(40) { UInt8(truncatingIfNeeded: $0.next()) }))
            }
        }
        #expect(counts.refused > 40_000 && counts.read > 50, "\(counts)")
        for _ in 0..<20 {
            for frame in chance.coordinatorMessages().map(\.frame) + chance.agentMessages().map(\.frame) {
                for index in frame.payload.indices.prefix(400) {
                    var payload = frame.payload
                    payload[index] ^= 1 << UInt8(chance.number(0...7))
                    try counts.add(Frame(kind: frame.kind, payload: payload))
                }
            }
        }
        #expect(counts.refused > 50_000 && counts.read > 10_000, "\(counts)")
    }

    @Test("Kinds that nobody knows are refused", arguments: 0...255 as ClosedRange<UInt8>)
    func unknownKind(kind: UInt8) {
        let frame = Frame(kind: kind, payload: [])
        let refusal = WireError("a message of unknown kind \(kind)", isNews: true)
        let ofVersion1 = (1...11).contains(kind) || (65...75).contains(kind)
        if CoordinatorMessage.Kind(rawValue: kind) == nil, !ofVersion1 {
            #expect(throws: refusal) { try CoordinatorMessage(frame) }
        }
        if AgentMessage.Kind(rawValue: kind) == nil, !ofVersion1 {
            #expect(throws: refusal) { try AgentMessage(frame) }
        }
    }

    @Test("A record of another version, or of an unknown kind, is refused and named")
    func unknownRecord() {
        for (bytes, message) in [([3, 1], "a record of version 3"), ([2, 99, 0], "a record of unknown kind 99")]
            as [([UInt8], String)]
        {
            #expect(throws: WireError(message, isNews: true)) { try Record(encoded: bytes) }
        }
    }

    /// Whether either side would take it for a message.
    private func isRead(_ frame: Frame) -> Bool {
        (try? CoordinatorMessage(frame)) != nil || (try? AgentMessage(frame)) != nil
    }
}

/// What came of bytes that nobody vouches for.
struct ReadCounts {
    private(set) var read = 0
    private(set) var refused = 0

    /// A frame of damaged bytes is refused, or is taken for a message that says the same when it is sent on.
    mutating func add(_ frame: Frame) throws {
        let coordinator = try? CoordinatorMessage(frame)
        let agent = try? AgentMessage(frame)
        if let coordinator { #expect(try CoordinatorMessage(coordinator.frame) == coordinator) }
        if let agent { #expect(try AgentMessage(agent.frame) == agent) }
        #expect(coordinator == nil || agent == nil, "a kind is one side's")
        if coordinator == nil, agent == nil { refused += 1 } else { read += 1 }
    }

    /// The same of a record.
    mutating func add(record bytes: [UInt8]) throws {
        guard let record = try? Record(encoded: bytes) else { return refused += 1 }
        read += 1
        #expect(try Record(encoded: record.encoded) == record)
    }
}
