import Formats
import Foundation
import Model
import Storage
import SweepCore
import Testing
@testable import CoordinatorRuntime

@Suite("Inputs that are staged while hosts fetch them")
struct StagingTests {
    private let input = [UInt8](repeating: 7, count: 100_000)

    private func file(_ bench: Bench) throws -> InputFile {
        let source = "\(bench.folder)/input"
        try Data(input).write(to: URL(fileURLWithPath: source))
        return InputFile(
            path: "input", source: source, digest: SHA256.digest(input), size: Int64(input.count), isExecutable: false)
    }

    /// A host that asks for the beginning of the input before it does its run.
    private func ask(_ bench: Bench, _ file: InputFile) {
        bench.host.part = { host, message in
            if case .grant = message { host.say(.want(ObjectRange(digest: file.digest, offset: 0, length: 1_000))) }
            return false
        }
    }

    @Test("They are read where they lie, and nothing counts before they are in the store")
    func overlap() throws {
        let bench = try Bench()
        let (file, store) = (try file(bench), bench.store)
        ask(bench, file)
        bench.workshop.isOpen = false
        bench.loop.stage([file, file]) { _ = try store.publish(file: $0.source) }
        #expect(bench.workshop.lanes == [.object(file.digest)], "one copy is enough")
        for _ in 0..<50 {
            try bench.step()
            bench.workshop.finish { $0 != .object(file.digest) }
        }
        #expect(bench.host.pieces.map(\.bytes) == [Array(input.prefix(1_000))])
        #expect(bench.ledger.ends.isEmpty && bench.host.acknowledged.isEmpty)
        bench.workshop.isOpen = true
        #expect(try bench.run() == .complete(allSucceeded: true))
        #expect(bench.ledger.ends.count == 1 && bench.host.acknowledged.count == 1)
        #expect(try store.holds(file.digest))
    }

    @Test("What cannot be copied ends the loop, with nothing committed")
    func failing() throws {
        let bench = try Bench()
        let file = try file(bench)
        ask(bench, file)
        bench.workshop.isOpen = false
        bench.loop.stage([file]) { _ in throw Failure(.badSpecification, "it changed") }
        for _ in 0..<50 {
            try bench.step()
            bench.workshop.finish { $0 != .object(file.digest) }
        }
        bench.workshop.finish { _ in true }
        #expect(throws: Failure.self) { try bench.step() }
        #expect(bench.ledger.ends.isEmpty && bench.host.acknowledged.isEmpty)
    }

    @Test("A file that became shorter gives no bytes")
    func shorter() throws {
        let bench = try Bench()
        let file = try file(bench)
        try Data(input.prefix(500)).write(to: URL(fileURLWithPath: file.source))
        let range = ObjectRange(digest: file.digest, offset: 0, length: 1_000)
        #expect(throws: Failure.self) { try Supplied(range, bench.store, file, takesMaps: true) }
    }
}
