import Formats
import Model
import Ports
import TestKit
import Testing
@testable import AgentCore

/// Journals that an agent and a supervisor of version 1 left: see `Tests/support/Golden/README.md`.
@Suite("Journals of earlier versions")
struct GoldenTests {
    private let sweep = "golden-k1t8enzm"

    /// The frames behind the header, without the marks that the journal puts between them.
    private func frames(_ name: String) throws -> [Frame] {
        var reader = FrameReader()
        reader.append(try Golden.bytes(name).dropFirst(12))
        var frames: [Frame] = []
        while let frame = try reader.next() { frames.append(frame) }
        return frames.filter { $0.kind != 0 }
    }

    private func key(_ run: RunNumber, _ lease: LeaseNumber, _ attempt: AttemptNumber) -> AttemptKey {
        AttemptKey(sweep: sweep, id: AttemptID(run: run, lease: lease, attempt: attempt))
    }

    @Test("An agent takes up what one of version 1 had")
    func agent() throws {
        let records = try frames("version1/agent.journal").map { try AgentRecord($0) }
        #expect(records.count == 34)
        let context = SweepContext(setup: "export GOLDEN=1", slots: 4, memoryBytes: 1 << 30)
        #expect(records.first == .context(sweep: sweep, context))
        #expect(records.contains(.cancelled(sweep: sweep, [6])))
        #expect(records.contains(.revoked(sweep: sweep, [2, 3])))
        let last = Acknowledged(id: AttemptID(run: 2, lease: 6, attempt: 4), isLast: true)
        #expect(records.last == .acknowledged(sweep: sweep, [last]))

        var core = AgentCore(host: Rig.host)
        for record in records { core.apply(record) }
        #expect(core.slots(of: sweep) == 4 && core.memoryBytes(of: sweep) == 1 << 30)
        let running = [key(8, 7, 5), key(10, 7, 3)]
        _ = core.handle(
            .supervisorReady(running.map { SupervisedAttempt(key: $0, state: .running) }), now: 1)
        #expect(core.runningAttempts == running)
        let greeting = CoordinatorHello(sweep: sweep, leaseTerm: 30_000_000_000)
        _ = core.handle(.connected(1), now: 1)
        _ = core.handle(.message(1, .hello(greeting)), now: 1)
        let held = core.effects(now: 1).compactMap { if case .greet(1, let leases) = $0 { leases } else { nil } }
        #expect(held == [[HeldLease(lease: 7, runs: [8, 10])]])
    }

    @Test("A supervisor knows of the one before what ran and what had ended")
    func supervisor() throws {
        let records = try frames("version1/supervisor.journal").map { try SupervisorRecord($0) }
        #expect(records.first == .began(bootID: "0c3a3a04-c289-4e65-a4e0-c8dcaf3f3b91"))
        #expect(records.contains(.ended(
            key(3, 1, 1),
            ProcessExit(
                cause: .signal(11), wallNanoseconds: 5_508_543, cpuNanoseconds: 1_809_000,
                peakMemoryBytes: 5_042_176, freeBytes: 83_517_870_080))))
        #expect(records.contains {
            if case .ended(self.key(6, 4, 3), let exit) = $0 { exit.kill == .cancelled } else { false }
        })
        var core = SupervisorCore()
        for record in records { core.apply(record) }
        #expect(core.running.sorted() == [key(8, 7, 5), key(10, 7, 3)])
    }

    @Test("Version 2 is as it was when it was new, byte for byte")
    func version2() throws {
        let agent = try frames("version1/agent.journal").map { try AgentRecord($0) } + [
            .over(sweep: sweep, [Acknowledged(id: AttemptID(run: 1, lease: 2, attempt: 3), isLast: true)]),
            .released(sweep: sweep),
        ]
        let agentBytes = try agent.flatMap { try $0.frame.encoded }
        #expect(try Golden.recorded("version2/agent.records", agentBytes) == agentBytes)
        let lost: [ProcessExit.Cause] = [.supervisorLost, .hostLost, .notStarted(step: "exec", reason: "No such file")]
        let supervisor = try frames("version1/supervisor.journal").map { try SupervisorRecord($0) }
            + lost.map { .ended(key(1, 1, 1), ProcessExit(cause: $0, kill: .stalled, memoryRanOut: true, note: "n")) }
        let supervisorBytes = try supervisor.flatMap { try $0.frame.encoded }
        #expect(try Golden.recorded("version2/supervisor.records", supervisorBytes) == supervisorBytes)
    }

    @Test(
        "Every cut and every changed byte of a record is refused, or read as what it then says",
        arguments: ["version1/agent.journal", "version1/supervisor.journal"])
    func damaged(name: String) throws {
        var (read, refused) = (0, 0)
        func take(_ frame: Frame) throws {
            let agent = try? AgentRecord(frame)
            let supervisor = try? SupervisorRecord(frame)
            if let agent { #expect(try AgentRecord(agent.frame) == agent) }
            if let supervisor { #expect(try SupervisorRecord(supervisor.frame) == supervisor) }
            if agent == nil, supervisor == nil { refused += 1 } else { read += 1 }
        }
        for frame in try frames(name) + (try frames(name).compactMap { try? AgentRecord($0).frame }) {
            for index in frame.payload.indices {
                let cut = Array(frame.payload[..<index])
                for payload in [cut, changed(frame.payload, index, 0x55), changed(frame.payload, index, 0x80)] {
                    try take(Frame(kind: frame.kind, payload: payload))
                }
            }
        }
        #expect(read > 100 && refused > 100, "\(read) were read, \(refused) refused")
    }

    private func changed(_ bytes: [UInt8], _ index: Int, _ mask: UInt8) -> [UInt8] {
        var bytes = bytes
        bytes[index] ^= mask
        return bytes
    }
}
