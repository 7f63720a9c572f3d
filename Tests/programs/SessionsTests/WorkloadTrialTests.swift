import Engines
import Foundation
import Model
@testable import Sessions
import TestKit
import Testing

@Suite("Trying workloads")
struct WorkloadTrialTests {
    private static let text = "usweep-calls 1\n# what follows\na 1\n  \nb 2\nc 3\n"

    @Test("Each call is shown with its request: in the file's order, or as its seed draws them")
    func requests() {
        let plain = TriedRequests(Self.text)
        #expect((0..<4).map { plain[$0] } == ["a 1", "b 2", "c 3", "a 1"])
        // As random_number(seed, i) % 3 of ops/guest/calls.c, worked out in Python.
        for (seed, places) in [("1", [2, 1, 0, 2, 0, 2, 0, 0]), ("7", [0, 0, 0, 0, 1, 0, 1, 0])] {
            let seeded = TriedRequests("seed \(seed)\n" + Self.text)
            #expect((0..<8).map { seeded[$0] } == places.map { ["a 1", "b 2", "c 3"][$0] })
        }
        #expect(TriedRequests("")[0] == nil)
    }

    @Test("A request is shown as text, with what its answer is compared with", arguments: [
        ("http1 POST /upper text/plain 616263 bytes 414243", "POST /upper 'abc', 'ABC'"),
        ("http2 GET / - - matches 5e5b302d395d2b24", "GET /, matches '^[0-9]+$'"),
        ("http1 GET /none - - status 404", "GET /none, status 404"),
        ("grpc /fibonacci.Greeter/SayHello 0a023135 bytes 0a03363130", "/fibonacci.Greeter/SayHello '15', '610'"),
        ("grpc /a.B/C 08011b - any -", "grpc /a.B/C 08011b - any -"),
        ("grpc /a.B/C 0801 json 7b7d", "/a.B/C '\\u{8}\\u{1}', json '{}'"),
        ("grpc /a.B/C - any -", "/a.B/C, any answer"),
    ])
    func shown(line: String, text: String) { #expect(TriedRequests.shown(line) == text) }

    @Test("The document is as its schema says, also of a workload that did not boot")
    func document() throws {
        let path = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../../ops/schemas/workload-try.json")
        let schema = try JSONSchema(String(contentsOf: path, encoding: .utf8), file: "workload-try")
        let call = WorkloadTrial.Call(
            number: 1, counts: TriedCounts(instructions: 30, userInstructions: 20, kernelInstructions: nil),
            request: "a 1")
        let said = WorkloadTrial.Said(calls: [call], log: ["ready"], problem: nil)
        #expect(schema.problems(said.document) == [])
        let lines = try said.lines
        #expect(lines[0].hasPrefix("CALL  INSTRUCTIONS") && lines[1].hasPrefix("1 ") && lines[1].hasSuffix("a 1"))
        #expect(lines.dropFirst(2) == ["what the containers said:", "  ready"], "\(lines)")
        let failed = WorkloadTrial.Said(calls: nil, log: [], problem: "the kernel panicked")
        #expect(schema.problems(failed.document) == [])
        #expect(try failed.lines == ["the containers printed nothing"])
    }
}
