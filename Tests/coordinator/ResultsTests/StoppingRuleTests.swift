import Engines
import Model
import Testing

@testable import Results

/// Invocations of a simulator: each with its cycles for 1,000 instructions.
private func blocks(_ cycles: [Int]) -> [Block] {
    cycles.map { Block([Metric("cycles", "\($0)"), Metric("instructions", "1000")]) }
}

private func rule(_ interval: Int64, metric: String = "cpi", confidence: Int64 = 950_000) -> StoppingRule {
    StoppingRule(Precision(metric: metric, interval: interval, confidence: confidence), MetricFormula.gem5)
}

/// So many values, half of them `spread` above the others.
private func alternating(_ count: Int, spread: Int) -> [Int] { (0..<count).map { 1000 + ($0 % 2) * spread } }

@Suite("When a run has measured enough") struct StoppingRuleTests {
    @Test("The interval is looked at after ten, then whenever there are a tenth more")
    func looks() {
        var looks: [Int] = []
        while looks.last ?? 0 < 40 { looks.append(StoppingRule.look(after: looks.last ?? 0)) }
        #expect(looks == Array(10...20) + [22, 24, 26, 28, 30, 33, 36, 39, 42])
        #expect(StoppingRule.look(after: 23) == 24 && StoppingRule.look(after: 9) == 10)
    }

    @Test("The interval is that of summaries, of counters and of formulas", arguments: [12, 30], ["cpi", "cycles"])
    func interval(_ count: Int, _ metric: String) throws {
        let blocks = blocks((0..<count).map { 1000 + $0 * $0 % 70 })
        var summarizer = try Summarizer(
            axes: ["x"], hasWorkloads: false, SummaryQuestion(metrics: [metric], confidence: 0.9),
            formulas: MetricFormula.gem5)
        summarizer.add(
            DatasetRow(
                point: SHA256.digest("x"), workload: nil, values: ["x"], repetition: 1, state: .succeeded,
                blocks: Blocks(blocks)))
        let summary = try #require(try summarizer.groups().first?.metrics.first?.summary)
        let interval = try #require(summary.interval)
        let reach = max(interval.upper - summary.mean, summary.mean - interval.lower) / summary.mean
        #expect(rule(1, metric: metric, confidence: 900_000).reach(of: blocks) == reach)
        #expect(reach > 0)
    }

    @Test("It ends at the first look at which the interval is narrow, whatever comes later")
    func end() throws {
        let cycles = alternating(200, spread: 100)
        // Student's t for 9 degrees of freedom is 2.262; the deviation is 52.7.
        let first = try #require(rule(1).reach(of: blocks(Array(cycles.prefix(10)))))
        #expect(abs(first - 2.2621571628 * 52.704627669 / 10.0.squareRoot() / 1050) < 1e-9)
        #expect(rule(40_000).end(of: blocks(cycles)) == 10)
        let later = try #require(rule(10_000).end(of: blocks(cycles)))
        #expect(later > 20 && later < 200 && StoppingRule.look(after: later - 1) == later)
        #expect(rule(10_000).end(of: blocks(Array(cycles.prefix(later)) + [9_000_000])) == later)
        #expect(rule(10_000).end(of: blocks(Array(cycles.prefix(later - 1)))) == nil)
        #expect(rule(10).end(of: blocks(cycles)) == nil)
    }

    @Test("A metric without variance ends it at the first look; one that is missing, never")
    func extremes() {
        #expect(rule(1).end(of: blocks(alternating(50, spread: 0))) == 10)
        #expect(rule(1).end(of: blocks(alternating(9, spread: 0))) == nil)
        var some = blocks(alternating(50, spread: 0))
        some[3] = Block([Metric("cycles", "1000")])
        #expect(rule(1).end(of: some) == nil)
        #expect(rule(1, metric: "l2.mpki").end(of: blocks(alternating(50, spread: 0))) == nil)
        let zeros = (0..<20).map { Block([Metric("cycles", "0"), Metric("instructions", "\($0 + 1)")]) }
        #expect(rule(1).end(of: zeros) == 10)
    }

    @Test("Programs on hosts are told all that it needs")
    func document() throws {
        let own = MetricFormula("own", try MetricExpression(#"l2.mpki * "system.*.x::total" / cpi"#))
        let rule = StoppingRule(
            Precision(metric: "own", interval: 10_000, confidence: 990_000), MetricFormula.gem5 + [own])
        #expect(rule.formulas.map(\.name) == ["cpi", "l2.mpki", "own"])
        let read = try #require(StoppingRule(document: rule.document.encoded))
        #expect(read.precision == rule.precision && read.document == rule.document)
        let blocks = (0..<12).map { index in
            Block([
                Metric("cycles", "\(1000 + index)"), Metric("instructions", "900"), Metric("l2.misses", "\(index % 5)"),
                Metric(#""system.*.x::total""#, "\(index + 7)"),
            ])
        }
        let reach = try #require(rule.reach(of: blocks))
        #expect(read.reach(of: blocks) == reach)
        for text in ["", "[]", "{}", rule.document.encoded.replacing("\"version\":1", with: "\"version\":2")] {
            #expect(StoppingRule(document: text) == nil, "\(text)")
        }
    }

    private func counted(_ cycles: [Int], _ rule: StoppingRule, isEarly: Bool) -> (count: Int?, evidence: String?) {
        let found = blocks(cycles).map { FoundBlock(place: "", block: $0) }
        do throws(Breach) {
            return (try rule.counted(found, isEarly: isEarly).count, nil)
        } catch {
            return (nil, error.evidence)
        }
    }

    @Test("An early end is believed only where the rule has it; of all, those up to there count")
    func counted() {
        let (narrow, wide) = (alternating(50, spread: 10), alternating(50, spread: 400))
        #expect(counted(Array(narrow.prefix(10)), rule(10_000), isEarly: true).count == 10)
        #expect(
            counted(Array(wide.prefix(12)), rule(10_000), isEarly: true).evidence
                == "the run ended after 12 invocations, as if cpi was known to within ±1% (95%) by then; but it is "
                + "known to ±11.0604%")
        #expect(
            counted(Array(narrow.prefix(9)), rule(10_000), isEarly: true).evidence?.contains("ended after 9") == true)
        #expect(
            counted(Array(narrow.prefix(12)), rule(10_000), isEarly: true).evidence
                == "the run measured 12 invocations, though cpi was known to within ±1% (95%) after 10")
        #expect(counted(narrow, rule(10_000), isEarly: false).count == 10)
        #expect(counted(wide, rule(10_000), isEarly: false).count == 50)
    }

    @Test("Of invocations that vary evenly, the interval holds the mean about as often as it says")
    func coverage() {
        var generator = SplitMix64(seed: 1)
        var (held, early) = (0, 0)
        let sequences = 150
        for _ in 0..<sequences {
            let cycles = (0..<40).map { _ in
                10_000 + (0..<12).reduce(0) { sum, _ in sum + generator.index(below: 201) - 100 } * 4
            }
            let rule = rule(30_000)
            let count = rule.end(of: blocks(cycles)) ?? cycles.count
            if count < cycles.count { early += 1 }
            let mean = Double(cycles.prefix(count).reduce(0, +)) / Double(count)
            if let reach = rule.reach(of: blocks(Array(cycles.prefix(count)))), abs(mean - 10_000) <= reach * mean {
                held += 1
            }
        }
        #expect(early > sequences * 9 / 10, "\(early)")
        #expect(held > sequences * 87 / 100, "\(held)")
    }

    @Test("What was saved is said, once there is a result")
    func saving() throws {
        let until = Precision(metric: "cpi", interval: 10_000)
        #expect(MeasuredAmount(Measure(invocations: 50)) == nil)
        var amount = try #require(MeasuredAmount(Measure(invocations: 50, until: until)))
        #expect(amount.sentence == nil)
        for (count, state) in [(12, RunState.succeeded), (50, .succeeded), (20, .quarantined)] {
            amount.add(
                DatasetRow(
                    point: SHA256.digest("x"), workload: nil, values: [], repetition: 1, state: state,
                    blocks: Blocks(blocks(alternating(count, spread: 0)))))
        }
        #expect(
            amount.sentence == "measured 62 of at most 100 invocations (62%): 1 of 2 runs ended early, as cpi was "
                + "known to within ±1% (95%); 1 measured all 50")
    }
}
