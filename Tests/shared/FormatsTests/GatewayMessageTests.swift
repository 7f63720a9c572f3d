import Formats
import Model
import TestKit
import Testing

@Suite("Messages of a cluster's gateway")
struct GatewayMessageTests {
    private static let requests: [GatewayRequest] = [
        .watch(names: "study-a.", milliseconds: 30_000),
        .submit(GatewaySubmission(name: "study-a.1", arguments: ["--time=60", ""], folder: "pilots/study-a/1")),
        .cancel(jobs: ["1", "2"]), .open(channel: 3, job: "1", folder: "pilots/study-a/1", .srun),
        .data(channel: 3, [0, 1, 255]), .credit(channel: 3, 65_536), .close(channel: 3),
        .finish(jobs: ["1"], folder: "pilots/study-a"),
    ]

    private static let reports: [GatewayReport] = [
        .queue([
            SlurmJob(id: "1", name: "study-a.1", state: "RUNNING", secondsLeft: 5, node: "n1", note: "x"),
            SlurmJob(id: "2", name: "study-a.2", state: "PENDING", reason: "Priority"),
        ]),
        .queue([]), .blind(problem: "slurm_load_jobs error"), .submitted(name: "study-a.1", job: "4", problem: ""),
        .submitted(name: "study-a.1", job: nil, problem: "refused"), .data(channel: 3, [7]),
        .credit(channel: 3, 0), .closed(channel: 3, reason: "srun ended"), .left(folder: "pilots/study-a"),
        .missing(program: "squeue"),
    ]

    @Test("The manual's page has a row for each kind, with its fields")
    func page() throws {
        var (asked, told): ([Int: Set<Int>], [Int: Set<Int>]) = ([:], [:])
        for frame in Self.requests.map(\.frame) {
            asked[Int(frame.kind), default: []].formUnion(FieldScan.numbers(frame.payload) ?? [-1])
        }
        for frame in Self.reports.map(\.frame) {
            told[Int(frame.kind), default: []].formUnion(FieldScan.numbers(frame.payload) ?? [-1])
        }
        #expect(Set(asked.keys) == Set(GatewayRequest.Kind.allCases.map { Int($0.rawValue) }))
        #expect(Set(told.keys) == Set(GatewayReport.Kind.allCases.map { Int($0.rawValue) }))
        #expect(try FormatsPage.kinds("to the gateway") == asked)
        #expect(try FormatsPage.kinds("from the gateway") == told)
    }

    @Test("Each comes out as it went in, and cut anywhere it is refused or shorter")
    func roundTrip() throws {
        for request in Self.requests {
            #expect(try GatewayRequest(request.frame) == request)
            try cut(request.frame) { try GatewayRequest($0) == request }
        }
        for report in Self.reports {
            #expect(try GatewayReport(report.frame) == report)
            try cut(report.frame) { try GatewayReport($0) == report }
        }
    }

    private func cut(_ frame: Frame, _ isSame: (Frame) throws -> Bool) throws {
        for count in 0..<frame.payload.count {
            let short = Frame(kind: frame.kind, payload: Array(frame.payload[..<count]))
            #expect((try? isSame(short)) != true)
        }
    }

    @Test("Credit beyond the window, and kinds that there are not, are refused")
    func lies() {
        #expect(throws: WireError.self) {
            try GatewayRequest(GatewayRequest.credit(channel: 1, GatewayWindow.bytes + 1).frame)
        }
        #expect(throws: WireError.self) { try GatewayReport(GatewayReport.credit(channel: 1, -1).frame) }
        #expect(throws: WireError.self) { try GatewayRequest(Frame(kind: 60, payload: [])) }
        #expect(throws: WireError.self) { try GatewayReport(Frame(kind: 60, payload: [])) }
    }

    private func told(_ jobs: [SlurmJob]) throws -> [SlurmJob] {
        let frame = GatewayReport.queue(jobs).frame
        _ = try frame.encoded
        guard case .queue(let told) = try GatewayReport(frame) else {
            Issue.record("another report")
            return []
        }
        return told
    }

    @Test("Of more jobs than a frame holds, those that live are told, and those that ended last")
    func manyJobs() throws {
        let note = String(repeating: "n", count: 600)
        let ended = (0..<600).map { SlurmJob(id: "\($0)", name: "s.1", state: "FAILED", note: note) }
        let live = (600..<700).map { SlurmJob(id: "\($0)", name: "s.2", state: "RUNNING") }
        let told = try told(ended + live)
        #expect(told.count > 250)
        #expect(Array(told.prefix(100)) == live)
        #expect(told.dropFirst(100).map(\.id) == (0..<told.count - 100).map { "\(599 - $0)" })
    }

    @Test("As many pilots as a cluster may have are told of, whatever the queue says of each")
    func longReasons() throws {
        let name = String(repeating: "s", count: 80)
        let text = String(repeating: "r", count: 200)
        let live = (0..<SlurmSite.mostNodes).map { number in
            SlurmJob(
                id: "1234567890\(number)", name: "\(name).\(number)", state: "PENDING", reason: text,
                secondsLeft: SlurmJob.mostSecondsLeft, node: String(text.prefix(67)))
        }
        #expect(try told(live).map(\.id) == live.map(\.id))
    }
}
