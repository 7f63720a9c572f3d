import Model
import Results
import Testing
@testable import Engines

/// What a run of the package left that may end early: invocations of 1,000 instructions each.
struct EarlyRun: Sendable {
    var cycles: [Int]
    var cause = "tight"
    /// nil: as many as there are.
    var told: Int?

    private var statistics: String {
        var end = 0
        return cycles.map { cycles in
            end += cycles
            return """
                ---------- Begin Simulation Statistics ----------
                simTicks \(cycles) # (Tick)
                finalTick \(end) # (Tick)
                simFreq 1000000000000 # (Tick/Second)
                system.cpu1.numCycles \(cycles) #
                system.cpu1.commitStats0.numInsts 1000 #
                ---------- End Simulation Statistics   ----------

                """
        }.joined()
    }

    private var status: String {
        var (tick, lines) = (0, [#"{"event":"parameters","set":[]}"#])
        for (index, cycles) in cycles.enumerated() {
            lines.append(#"{"event":"invocation-begin","number":\#(index + 1),"tick":\#(tick)}"#)
            tick += cycles
            lines.append(#"{"event":"invocation-end","number":\#(index + 1),"tick":\#(tick)}"#)
            lines.append(#"{"event":"interval","number":\#(index + 1),"tight":false,"reach":null,"next":99}"#)
        }
        let count = told ?? cycles.count
        return (lines + [#"{"event":"end","tick":\#(tick),"cause":"\#(cause)","begun":\#(count),"ended":\#(count)}"#])
            .joined(separator: "\n") + "\n"
    }

    var files: EvidenceFiles {
        EvidenceFiles { path in
            switch path {
            case "status.jsonl": Array(status.utf8)
            case "stats.txt": Array(statistics.utf8)
            case "config.ini": Array("[system.cpu1]\ntype=X86TimingSimpleCPU\n".utf8)
            case "simerr.txt", "terminal": []
            default: nil
            }
        }
    }

    static let until = StoppingRule(Precision(metric: "cpi", interval: 10_000), MetricFormula.gem5)

    func verdict(mayEnd: Bool = true) throws -> Verdict {
        var contract = Gem5Contract(invocations: 50, terminals: ["terminal"], requiredMetrics: ["cpi"])
        contract.until = mayEnd ? EarlyRun.until : nil
        return try contract.judge(failure: nil, evidence: "", files: files)
    }
}

/// So many invocations, half of them `spread` slower.
private func alternating(_ count: Int, spread: Int) -> [Int] { (0..<count).map { 1000 + $0 % 2 * spread } }

@Suite("gem5 runs that end early")
struct Gem5UntilTests {
    @Test("One that had measured enough is accepted; of one that measured all, what was enough counts")
    func good() throws {
        #expect(try EarlyRun(cycles: alternating(10, spread: 5)).verdict().blocks?.blocks.count == 10)
        let all = EarlyRun(cycles: alternating(50, spread: 5), cause: "workend")
        #expect(try all.verdict().blocks?.blocks.count == 10)
        #expect(try all.verdict(mayEnd: false).blocks?.blocks.count == 50)
        let wide = EarlyRun(cycles: alternating(50, spread: 500), cause: "workend")
        #expect(try wide.verdict().blocks?.blocks.count == 50)
    }

    @Test("An early end without its evidence is none", arguments: [
        (EarlyRun(cycles: alternating(10, spread: 5)), false, "the exit cause is 'tight', not 'workend'"),
        (EarlyRun(cycles: alternating(10, spread: 5), cause: "workend"), true, "begun is 10, where 50 was expected"),
        (EarlyRun(cycles: alternating(10, spread: 5), told: 12), true, "there is no invocation-begin 11"),
        (EarlyRun(cycles: alternating(12, spread: 5)), true, "the run measured 12 invocations, though cpi was known"),
        (EarlyRun(cycles: alternating(10, spread: 500)), true, "the run ended after 10 invocations, as if cpi was"),
        (EarlyRun(cycles: alternating(3, spread: 5)), true, "the run ended after 3 invocations"),
        (EarlyRun(cycles: alternating(60, spread: 500)), true, "begun is 60, where 50 was expected"),
    ] as [(EarlyRun, Bool, String)])
    func bad(_ left: EarlyRun, _ mayEnd: Bool, _ problem: String) throws {
        let verdict = try left.verdict(mayEnd: mayEnd)
        #expect(verdict.failure == .contractBroken && verdict.evidence.contains(problem), "\(verdict)")
    }

    @Test("A script that asks is told whether it is enough, how far the interval reaches, and when to ask again")
    func questions() throws {
        func answer(_ cycles: [Int]) throws -> String {
            try Gem5Sufficiency.answer(EarlyRun.until, EarlyRun(cycles: cycles).files).encoded
        }
        #expect(try answer([1000]) == #"{"tight":false,"reach":null,"next":10}"#)
        #expect(try answer(alternating(10, spread: 0)) == #"{"tight":true,"reach":0,"next":11}"#)
        let wide = try answer(alternating(20, spread: 500))
        #expect(wide.hasPrefix(#"{"tight":false,"reach":"#) && wide.hasSuffix(#","next":22}"#), "\(wide)")
        #expect(throws: Breach.self) {
            let cut = Array("---------- Begin Simulation Statistics ----------\nsimTicks 1".utf8)
            return try Gem5Sufficiency.answer(EarlyRun.until, EvidenceFiles { $0 == "stats.txt" ? cut : nil })
        }
    }
}
