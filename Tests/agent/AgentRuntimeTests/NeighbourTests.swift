import AgentCore
import Foundation
import Formats
import Model
import Ports
import TestKit
import Testing
@testable import AgentRuntime

/// What this agent has to do with programs of other versions: see `Tests/support/Golden/README.md`.
@Suite("Neighbours of an agent", .serialized)
struct NeighbourTests {
    private let sweep = "golden-k1t8enzm"

    /// A working folder as an agent of version 1 left it, with a version of the journals' format.
    private func workdir(major: UInt8 = 1) throws -> Scratch {
        let scratch = try Scratch()
        for name in ["agent.journal", "supervisor.journal"] {
            var bytes = try Golden.bytes("version1/\(name)")
            bytes[8] = major
            try Data(bytes).write(to: URL(fileURLWithPath: "\(scratch.path)/\(name)"))
        }
        return scratch
    }

    private func journals(_ scratch: Scratch) throws -> [Data] {
        try ["agent.journal", "supervisor.journal"].map {
            try Data(contentsOf: URL(fileURLWithPath: "\(scratch.path)/\($0)"))
        }
    }

    @Test("It takes up the folder of one of version 1, and tells of what was lost with it")
    func takesOver() throws {
        let scratch = try workdir()
        let coordinator = try Attached(scratch.path)
        let hello = try coordinator.hello(sweep)
        #expect(hello.leases == [HeldLease(lease: 7, runs: [8, 10])] && hello.slots == 1)
        let outcomes = try coordinator.outcomes(2)
        #expect(outcomes.map(\.id) == [
            AttemptID(run: 8, lease: 7, attempt: 5), AttemptID(run: 10, lease: 7, attempt: 3),
        ])
        // The golden files are of another machine, or of this one before it was started again.
        #expect(outcomes.allSatisfy { $0.failure == .hostLost || $0.failure == .supervisorLost })
        try coordinator.acknowledge(outcomes)
        try coordinator.send(.release)
        while try coordinator.next() != .released {}
        #expect(try journals(scratch).map { $0[8] } == [2, 2], "no agent of version 1 takes them for its own")
    }

    @Test("What a newer agent left is refused, with a word to the coordinator, and not touched")
    func newer() throws {
        let scratch = try workdir(major: 3)
        let before = try journals(scratch)
        let coordinator = try Attached(scratch.path)
        guard case .refused(let reason) = try coordinator.next() else {
            Issue.record("it was not refused")
            return
        }
        #expect(reason.contains("agent.journal has version 3, and this agent knows versions up to 2"))
        #expect(reason.contains("use that usweep"))
        #expect(try journals(scratch) == before)
    }

    @Test("A coordinator of version 1 is answered in version 1, from its first word to its last")
    func coordinatorOfVersion1() throws {
        let scratch = try Scratch()
        let coordinator = try Attached(scratch.path, version: 1)
        let hello = try coordinator.hello("old", slots: 2)
        #expect(hello.current == WireVersion.current)
        let job = script("echo '{\"value\": 1}' > results.json; echo said")
        try coordinator.send(.grant(Shard(lease: 1, entries: [entry(1, job), entry(2, script("exit 3"))])))
        let outcomes = try coordinator.outcomes(2)
        #expect(outcomes.map(\.failure) == [nil, .exitNonzero])
        #expect(try coordinator.fetch(outcomes[0], "stdout.txt") == Array("said\n".utf8))
        try coordinator.acknowledge(outcomes)
        try coordinator.send(.release)
        while try coordinator.next() != .released {}
        #expect(coordinator.kinds.isSubset(of: Set(65...75)), "what version 1 does not know would end the connection")
        #expect(coordinator.kinds.isSuperset(of: [65, 67, 69, 73, 75]))
    }

    /// A supervisor's end of the socket.
    private final class Line: FrameStream {
        var sent: [Frame] = []
        var said: [Frame] = []
        var unsentCount: Int { 0 }
        var isBroken: Bool { false }
        func send(_ frame: Frame) { sent.append(frame) }
        func flush() {}
        func close() {}
        func receive() -> [Frame] {
            defer { said.removeAll() }
            return said
        }
    }

    @Test("A supervisor of version 1 is spoken with in version 1, one of today in today's", arguments: [1, 2])
    func supervisors(version: Int) throws {
        let line = Line()
        var link = SupervisorLink(open: { .stream(line) }, log: { _, _ in })
        #expect(link.connect() == nil)
        // The end of an inventory of no attempts.
        let today = SupervisorReport.inventory([], isLast: true).frame
        line.said = [version == 1 ? Frame(kind: 193, payload: [0, 1]) : today]
        #expect(link.receive().events == [.supervisorReady([])])
        let key = AttemptKey(sweep: "s", id: AttemptID(run: 1, lease: 2, attempt: 3))
        let launch = Launch(
            arguments: ["/bin/true"], environment: [], folder: "/w", timeLimit: nil, stallLimit: 4, memoryBytes: 5)
        link.perform([
            .capacity(slots: 2, memoryBytes: 1), .start(key, launch), .kill(key, .stalled), .forget([key]), .stop,
        ])
        let old = [
            Frame(kind: 129, payload: [4, 2]),
            Frame(kind: 130, payload: [1, 115, 2, 4, 6, 1, 9] + Array("/bin/true".utf8) + [0, 2, 47, 119, 0, 1, 8, 10]),
            Frame(kind: 131, payload: [1, 115, 2, 4, 6, 4]), Frame(kind: 132, payload: [1, 1, 115, 2, 4, 6]),
            Frame(kind: 133, payload: []),
        ]
        if version == 1 { return #expect(line.sent == old) }
        #expect(line.sent.map(\.kind) == [145, 146, 147, 148, 149])
    }
}
