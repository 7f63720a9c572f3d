import Formats
import Model
import TestKit
import Testing

private let seeds: Range<UInt64> = 0..<60

extension CoordinatorMessage {
    /// Version 1 knows no text that only an attempt completes: it is completed for the first, and no other is allowed.
    fileprivate var asVersion1Says: CoordinatorMessage {
        guard case .grant(var shard) = self else { return self }
        for (index, entry) in shard.entries.enumerated() {
            let job = entry.job.filled(run: entry.run, attempt: entry.firstAttempt)
            guard job != entry.job else { continue }
            (shard.entries[index].job, shard.entries[index].attempts) = (job, 1)
        }
        return .grant(shard)
    }
}

extension AgentMessage {
    /// What hosts have less to offer than their hellos said is younger, and so are how far what ended is collected, and
    /// some classes.
    fileprivate var asVersion1Says: AgentMessage {
        switch self {
        case .heartbeat(var load):
            load.offer = nil
            return .heartbeat(load)
        case .outcome(var report):
            if report.failure == .tooMuchOutput || report.failure == .hostFenced { report.failure = .exitNonzero }
            return .outcome(report)
        case .tail(var tail):
            tail.collected = nil
            return .tail(tail)
        case .hello, .started, .want, .bytes, .missing, .probed, .refused, .released, .sharing, .holding,
            .unreached:
            return self
        }
    }
}

@Suite("Messages and records keep what they hold")
struct CodingTests {
    @Test("Every message of the coordinator round-trips", arguments: seeds)
    func coordinator(seed: UInt64) throws {
        var chance = Chance(seed: seed)
        var kinds: Set<UInt8> = []
        for message in chance.coordinatorMessages() {
            let frame = message.frame
            kinds.insert(frame.kind)
            #expect(try CoordinatorMessage(frame) == message)
            if let frame = message.frame(for: 1) { #expect(try CoordinatorMessage(frame) == message.asVersion1Says) }
            #expect(throws: WireError.self, "an agent does not send these") { try AgentMessage(frame) }
        }
        #expect(kinds == Set([1, 31, 32, 33, 34]).union(18...27))
    }

    @Test("Every message of the agent round-trips", arguments: seeds)
    func agent(seed: UInt64) throws {
        var chance = Chance(seed: seed)
        var kinds: Set<UInt8> = []
        for message in chance.agentMessages() {
            let frame = message.frame
            kinds.insert(frame.kind)
            #expect(try AgentMessage(frame) == message)
            if let frame = message.frame(for: 1) { #expect(try AgentMessage(frame) == message.asVersion1Says) }
            #expect(throws: WireError.self, "a coordinator does not send these") { try CoordinatorMessage(frame) }
        }
        #expect(kinds == Set([65, 74, 91, 94, 95, 96]).union(82...89))
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

    @Test("Bytes of chance and messages with a bit changed are read or refused, and never break anything")
    func noise() {
        var chance = Chance(seed: 1)
        for _ in 0..<20_000 {
            let kind = UInt8(truncatingIfNeeded: chance.next() % 93)
            _ = isRead(Frame(kind: kind, payload: chance.data()))
        }
        for _ in 0..<20 {
            for frame in chance.coordinatorMessages().map(\.frame) + chance.agentMessages().map(\.frame) {
                for index in frame.payload.indices.prefix(400) {
                    var payload = frame.payload
                    payload[index] ^= 1 << UInt8(chance.number(0...7))
                    _ = isRead(Frame(kind: frame.kind, payload: payload))
                }
            }
        }
    }

    @Test("Kinds that nobody knows are refused", arguments: 0...255 as ClosedRange<UInt8>)
    func unknownKind(kind: UInt8) {
        let frame = Frame(kind: kind, payload: [])
        let known: [ClosedRange<UInt8>] = [1...11, 18...29, 31...34, 65...75, 82...89, 91...91, 94...96]
        guard !known.contains(where: { $0.contains(kind) }) else { return }
        let refusal = WireError("a message of unknown kind \(kind)", isNews: true)
        #expect(throws: refusal) { try CoordinatorMessage(frame) }
        #expect(throws: refusal) { try AgentMessage(frame) }
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
