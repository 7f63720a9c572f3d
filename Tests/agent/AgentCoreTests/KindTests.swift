import Formats
import Model
import Ports
import TestKit
import Testing
@testable import AgentCore

/// Each kind of what agent and supervisor keep and say: its golden bytes, and its row in the manual's page Formats.
@Suite("Kinds of an agent's and a supervisor's records")
struct KindTests {
    private static let sweep = "study-7f3a9c21"
    private static let key = AttemptKey(sweep: sweep, id: AttemptID(run: 3, lease: 2, attempt: 1))
    private static let over = Acknowledged(id: key.id, isLast: true)

    private static let exit = ProcessExit(
        cause: .notStarted(step: "exec", reason: "No such file"), kill: .tooMuchOutput, wallNanoseconds: 1,
        cpuNanoseconds: 2, peakMemoryBytes: 3, freeBytes: 4, memoryRanOut: true, note: "n", startedAt: 5)

    /// Everything that a launch can say.
    private static let launch = Launch(
        arguments: ["/bin/true", ""], environment: [EnvironmentVariable("A", "1")], folder: "/w/3", timeLimit: 1,
        stallLimit: 2, memoryBytes: 3, slots: 2, shares: [ResourceShare(name: "kvm", count: 1, capacity: 4)], nice: 10,
        binding: .core, folderLimit: 4, kept: ArtifactRule(keep: ["*.txt"]))

    private static let agentRecords: [AgentRecord] = [
        .context(
            sweep: sweep, SweepContext(enginePath: "/opt/gem5.opt", setup: "true", slots: 4, memoryBytes: 1 << 30)),
        .accepted(
            sweep: sweep, lease: 2, .init(run: 3, firstAttempt: 1, attempts: 2, job: Job(arguments: [.engine]))),
        .cancelled(sweep: sweep, [3, 4]), .acknowledged(sweep: sweep, [over]), .revoked(sweep: sweep, [1, 2]),
        .over(sweep: sweep, [over]), .released(sweep: sweep),
    ]
    private static let supervisorRecords: [SupervisorRecord] = [
        .began(bootID: "0c3a3a04"), .started(key, at: 9), .ended(key, exit), .forgotten([key]),
    ]
    private static let commands: [SupervisorCommand] = [
        .capacity(slots: 4, memoryBytes: 1 << 30, sweeps: [SweepSlots(sweep: sweep, slots: 2)]), .start(key, launch),
        .kill(key, .stalled), .forget([key]), .stop,
    ]
    private static let reports: [SupervisorReport] = [
        .inventory([SupervisedAttempt(key: key, state: .queued)], isLast: true), .started([key]),
        .ended([SupervisedAttempt(key: key, state: .ended(exit))]),
    ]

    @Test("Every kind has golden bytes, which are read and written as they are, and a row of the page")
    func kinds() throws {
        try check("agent's record", Self.agentRecords, AgentRecord.Kind.allCases.map(\.rawValue), \.frame) {
            try AgentRecord($0)
        }
        let kinds = SupervisorRecord.Kind.allCases.map(\.rawValue)
        try check("supervisor's record", Self.supervisorRecords, kinds, \.frame) { try SupervisorRecord($0) }
        try check("to the supervisor", Self.commands, SupervisorCommand.Kind.allCases.map(\.rawValue), \.frame) {
            try SupervisorCommand($0)
        }
        try check("from the supervisor", Self.reports, SupervisorReport.Kind.allCases.map(\.rawValue), \.frame) {
            try SupervisorReport($0)
        }
    }

    private func check<Value: Equatable>(
        _ what: String, _ values: [Value], _ kinds: [UInt8], _ frame: (Value) -> Frame,
        read: (Frame) throws -> Value
    ) throws {
        let frames = values.map(frame)
        #expect(frames.map(\.kind).sorted() == kinds.sorted())
        let file = "kinds/\(what.replacing(" ", with: "-").replacing("'s", with: "")).txt"
        let golden = try Golden.recorded(file, lines: frames.map { ("\($0.kind)", $0.payload) })
        #expect(Set(golden.keys) == Set(frames.map { "\($0.kind)" }))
        for (value, frame) in zip(values, frames) {
            #expect(golden["\(frame.kind)"] == frame.payload, "kind \(frame.kind), \(what), is written otherwise")
            let old = Frame(kind: frame.kind, payload: golden["\(frame.kind)"] ?? [])
            #expect(try read(old) == value, "kind \(frame.kind), \(what), is read otherwise")
        }
        var listed = try FormatsPage.kinds(what)
        // How long the journal was is the journal's own, and by place.
        listed[0] = nil
        let found = frames.map { (Int($0.kind), Set(FieldScan.numbers($0.payload) ?? [-1])) }
        #expect(listed == Dictionary(uniqueKeysWithValues: found))
    }

    @Test("The page has all fields of a launch and of an end")
    func groups() throws {
        func listed(_ group: String) throws -> [Int] {
            try FormatsPage.rows("field of \(group)").map { try #require(Int($0[0])) }
        }
        var writer = ByteWriter()
        Self.launch.putFields(to: &writer)
        #expect(try listed("a launch") == Set(FieldScan.numbers(writer.bytes) ?? []).sorted())
        writer = ByteWriter()
        Self.exit.putFields(to: &writer)
        #expect(try listed("an end") == Set(FieldScan.numbers(writer.bytes) ?? []).sorted())
    }
}
