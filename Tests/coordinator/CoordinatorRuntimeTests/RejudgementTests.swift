import Engines
import Foundation
import Model
import Storage
import Testing
@testable import CoordinatorRuntime

@Suite("Judging again from the evidence that was kept")
struct RejudgementTests {
    private let content = Array("{\"value\": 1}".utf8)

    private func bench() throws -> (Bench, judge: () throws -> Rejudgement.Ruling) {
        let bench = try Bench()
        let digest = try bench.store.publish(content)
        let artifact = Artifact(path: "results.json", digest: digest, size: Int64(content.count))
        let report = AttemptReport(id: AttemptID(run: 1, lease: 1, attempt: 1), artifacts: [artifact])
        var sweep = Sweep(
            name: "s", engine: "command",
            settings: .object([
                JSON.Member("command", .array([.string("/bin/true")])), JSON.Member("results", .string("results.json")),
            ]))
        sweep.axes = [Axis(name: "x", values: ["1"])]
        let judge = Rejudgement(CommandEngine(sweep), try Points(sweep, recipe: ""), bench.store)
        return (bench, { try judge.judge(.evaluation(point: 0, repetition: 1), report) })
    }

    @Test("What is there is judged; what is missing or damaged is lost, by its name")
    func lost() throws {
        let (bench, judge) = try bench()
        guard case .verdict(let verdict) = try judge(), verdict.failure == nil else {
            Issue.record("it was not judged")
            return
        }
        let path = bench.store.path(SHA256.digest(content))
        try FileManager.default.removeItem(atPath: path)
        #expect(try judge() == .lost(path: "results.json", how: "is missing"))
        try Data("{\"value\": 2}".utf8).write(to: URL(fileURLWithPath: path))
        #expect(try judge() == .lost(path: "results.json", how: "is damaged"))
    }

    @Test("What cannot be read now is not lost: it is said, with what to do, and that works")
    func unreadable() throws {
        let (bench, judge) = try bench()
        let path = bench.store.path(SHA256.digest(content))
        try FileManager.default.removeItem(atPath: path)
        // Reading a folder fails for everybody, also for root.
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        let failure = #expect(throws: Failure.self) { try judge() }
        #expect(failure?.code == .storage && failure?.message.contains("run 1 cannot be judged again") ?? false)
        let command = try #require(failure?.message.split(separator: ": ").last)
        #expect(command == "rm -f '\(path)'")
        try FileManager.default.removeItem(atPath: path)
        #expect(try judge() == .lost(path: "results.json", how: "is missing"))
    }
}
