import Model
import Results
import TestKit
import Testing
@testable import Engines

@Suite("The core under test of a gem5 run")
struct Gem5CoreTests {
    private static let run = "o3-tage-1M"

    private func examine(
        _ core: Gem5Core, metrics: [String] = ["cpi"], statistics: ((String) -> String)? = nil
    ) throws -> (verdict: Verdict, remark: String) {
        var contract = Fixture.contract(metrics: metrics)
        contract.core = core
        contract.saysCore = true
        let files = EvidenceFiles { path in
            guard let bytes = try Fixture.file(Self.run, path) else { return nil }
            guard path == "stats.txt", let statistics else { return bytes }
            return Array(statistics(String(decoding: bytes, as: UTF8.self)).utf8)
        }
        return try contract.examine(failure: nil, evidence: "", files: files)
    }

    @Test("By its number or its path; which it was is said")
    func named() throws {
        let (first, remark) = try examine(.number(1))
        #expect(remark == "the numbers are those of board.processor.cores1.core and its caches")
        let (path, said) = try examine(.pattern("board.processor.cores1.core"))
        #expect(said == remark)
        let cycles = try #require(first.blocks?.blocks[0]["cycles"])
        #expect(path.blocks?.blocks[0]["cycles"] == cycles)
        let (other, _) = try examine(.number(0), metrics: [])
        #expect(other.blocks?.blocks[0]["cycles"] != cycles)
    }

    @Test("A machine's only core has no number")
    func only() throws {
        let (verdict, remark) = try examine(.number(0)) {
            $0.replacing("board.processor.cores0.core", with: "other").replacing("processor.cores1.core", with: "cpu")
        }
        #expect(remark == "the numbers are those of board.cpu and its caches", "\(verdict.evidence)")
        #expect(verdict.blocks?.blocks[0]["cycles"] != nil)
    }

    @Test("One that is not there: which there are, and what to write")
    func missing() throws {
        let (verdict, _) = try examine(.number(7))
        #expect(verdict.failure == .contractBroken)
        let end = "; the statistics contain nothing about core 7 (*.cpu7 or *.processor.cores7.core); config.ini has "
            + "board.processor.cores0.core, board.processor.cores1.core: name the one under test, as in "
            + "measure: {core: 'board.processor.cores0.core'}"
        #expect(verdict.evidence.hasSuffix(end), "\(verdict.evidence)")
    }

    @Test("What a sweep may write", arguments: [
        ("0", Gem5Core.number(0)), ("12", .number(12)), ("system.switch_cpus1", .pattern("system.switch_cpus1")),
        ("*.cpu3", .pattern("*.cpu3")), ("01", nil), ("-1", nil), ("2000", nil), ("a b", nil), ("", nil), ("x.", nil),
    ])
    func words(_ text: String, _ core: Gem5Core?) { #expect(Gem5Core(text) == core) }

    @Test("A script without workloads has its own name; naming a core judges again and changes no point")
    func sweep() throws {
        let descriptor = Gem5Descriptor()
        let own = settings(#"{"system": {"script": "tools/my.py"}}"#)
        #expect(descriptor.workloads(own) == .named("my"))
        #expect(descriptor.workloads(settings(#"{"system": "simple"}"#)) == .required)
        let cored = settings(#"{"system": {"script": "tools/my.py"}, "measure.core": "0"}"#)
        #expect(descriptor.contract(own) != descriptor.contract(cored))
        #expect(try Sweep(name: "s", engine: "gem5", settings: own).recipe
            == Sweep(name: "s", engine: "gem5", settings: cored).recipe)
        #expect(Gem5Settings(cored).core == .number(0))
    }
}
