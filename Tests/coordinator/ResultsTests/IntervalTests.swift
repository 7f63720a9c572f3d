import Model
import Testing

@testable import Results

/// Runs as a simulator with noise gives them, always the same ones.
private struct Noise {
    private var generator: SplitMix64

    init(seed: UInt64) { generator = SplitMix64(seed: seed) }

    /// About a normal distribution: twelve evenly spread numbers, added up.
    mutating func next(mean: Double, deviation: Double) -> Double {
        let sum = (0..<12).reduce(0.0) { sum, _ in sum + Double(generator.next() >> 11) / 0x1p53 }
        return mean + deviation * (sum - 6)
    }
}

private func row(_ x: String, _ values: [String], repetition: Int = 1) -> DatasetRow {
    DatasetRow(
        point: SHA256.digest(x), workload: nil, values: [x], repetition: repetition, state: .succeeded,
        blocks: Blocks(values.map { Block([Metric("v", $0)]) }))
}

private func groups(_ rows: [DatasetRow], baseline: String? = nil) throws -> [SummaryGroup] {
    let question = SummaryQuestion(metrics: ["v"], baseline: baseline.map { Assignment(axis: "x", value: $0) })
    var summarizer = try Summarizer(axes: ["x"], hasWorkloads: false, question, formulas: [])
    for row in rows { summarizer.add(row) }
    return try summarizer.groups()
}

@Suite struct IntervalTests {
    @Test("Units of which many draws are the same give what drawing each time gives", arguments: 2...8)
    func draws(_ count: Int) throws {
        var generator = SplitMix64(seed: 7)
        let sums = (0..<2).map { _ in (0..<count).map { _ in Double(generator.index(below: 1_000_000)) } }
        let table = SampleTable(sums: sums, blocks: (1...count).map(Double.init))
        let plan = MetricPlan(["v", "w"])
        for seed in [Resampling.seed, Resampling.otherSeed] {
            #expect(table.resampled(plan, seed: seed) == table.resampled(seed: seed).values(plan))
        }
        #expect((Resampling.draws(of: count, seed: Resampling.seed) == nil) == (count > 6))
    }

    @Test(
        "The ends of an interval are the quantiles of all resamples",
        arguments: [3, 64, 65, 500, 2_000], [2, 90, 1_000_000])
    func ends(_ count: Int, _ different: Int) throws {
        var generator = SplitMix64(seed: UInt64(count))
        let values = (0..<count).map { _ in Double(generator.index(below: different)) }
        for confidence in [0.5, 0.9, 0.95, 0.9999] {
            let interval = try #require(Resampling.interval(values, confidence))
            let share = (1 - confidence) / 2
            #expect(interval.lower == Spread.quantile(share, sorted: values.sorted()))
            #expect(interval.upper == Spread.quantile(1 - share, sorted: values.sorted()))
        }
    }

    /// Relations of `points` points with `repeats` repeats on each side, whose second mean is `factor` times the first.
    private func relations(repeats: Int, points: Int, factor: Double) throws -> [SweepComparison.Relation] {
        var noise = Noise(seed: UInt64(repeats))
        var comparison = try SweepComparison(
            axes: ["x"], hasWorkloads: false, metrics: ["v"], formulas: [], confidence: 0.95)
        for side in SweepComparison.Side.allCases {
            for point in 0..<points {
                for repetition in 1...repeats {
                    let mean = side == .first ? 100 : 100 * factor
                    let value = Number.render(noise.next(mean: mean, deviation: 5))
                    try comparison.add(row("\(point)", [value], repetition: repetition), names: ["x"], side)
                }
            }
        }
        return try comparison.pairs().map { $0.metrics[0].relation }
    }

    @Test(arguments: [2, 3, 5, 10]) func noiseIsSeldomCalledADifference(_ repeats: Int) throws {
        let found = try relations(repeats: repeats, points: 300, factor: 1)
        let alarms = found.count { $0.isDifference }
        #expect(Double(alarms) / 300 < 0.08, "\(alarms) of 300")
        #expect(found.allSatisfy { $0 != .differs })
    }

    @Test(arguments: [3, 5, 10]) func aDifferenceBeyondTheNoiseIsFound(_ repeats: Int) throws {
        let found = try relations(repeats: repeats, points: 50, factor: 2)
        #expect(found.count { $0 == .higher } > 45)
    }

    @Test func aSingleValueOnOneSideLeavesTheNoiseUnknown() throws {
        var comparison = try SweepComparison(
            axes: ["x"], hasWorkloads: false, metrics: ["v"], formulas: [], confidence: 0.95)
        for (repetition, value) in ["10", "11", "12"].enumerated() {
            try comparison.add(row("1", [value], repetition: repetition + 1), names: ["x"], .first)
        }
        try comparison.add(row("1", ["20"]), names: ["x"], .second)
        for repetition in 1...3 {
            try comparison.add(row("2", ["10"], repetition: repetition), names: ["x"], .first)
            try comparison.add(row("2", ["11"], repetition: repetition), names: ["x"], .second)
        }
        #expect(try comparison.pairs().map { $0.metrics[0].relation } == [.differs, .differs])
    }

    @Test func invocationsWithoutVarianceDiffer() throws {
        var comparison = try SweepComparison(
            axes: ["x"], hasWorkloads: false, metrics: ["v"], formulas: [], confidence: 0.95)
        try comparison.add(row("1", ["10", "10", "10"]), names: ["x"], .first)
        try comparison.add(row("1", ["11", "11", "11"]), names: ["x"], .second)
        #expect(try comparison.pairs().map { $0.metrics[0].relation } == [.differs])
    }

    @Test func aMetricThatNoRunHasIsNotTheSame() throws {
        var comparison = try SweepComparison(
            axes: ["x"], hasWorkloads: false, metrics: ["v", "w"], formulas: [], confidence: 0.95)
        try comparison.add(row("1", ["10"]), names: ["x"], .first)
        try comparison.add(row("1", ["10"]), names: ["x"], .second)
        let pair = try comparison.pairs()[0]
        #expect(pair.metrics.map(\.relation) == [.same, .noResult])
        #expect(pair.isSame, "all that there is")
    }

    @Test func exactlyKnowsNoNoise() throws {
        let found = try groups([row("1", ["10", "11", "12"])])[0].metrics[0]
        for relation in SweepComparison.Relation.allCases {
            let pair = SweepComparison.MetricPair(
                metric: "v", first: found.summary, second: found.summary, ratio: nil, relation: relation)
            let isJudged = [.noise, .higher, .lower].contains(relation)
            #expect(pair.exactly.relation == (isJudged ? .differs : relation))
        }
    }

    @Test func theMiddleOfFewRepeatsIsWideEnough() throws {
        let found = try groups((1...3).map { row("1", ["\($0)"], repetition: $0) })[0].metrics[0]
        let interval = try #require(found.summary?.interval)
        // 2, plus or minus 4.302653 (Student's t of two degrees, 95 %) by 1 over the root of 3.
        #expect(abs(interval.lower + 0.4841377) < 1e-6 && abs(interval.upper - 4.4841377) < 1e-6)
    }

    @Test func hugeNumbersAreNeverInfinite() throws {
        let huge = try groups([row("1", ["1e308", "1e308", "1.2e308"])])[0].metrics[0]
        #expect(huge.values.count == 3 && huge.withoutValue == 0)
        #expect(abs((huge.summary?.mean ?? 0) / 1e308 - 3.2 / 3) < 1e-12)
        let apart = try #require(try groups([row("1", ["1.7e308", "-1.7e308"])])[0].metrics[0].summary)
        #expect(apart.median == 0 && apart.mean == 0 && apart.standardDeviation == nil)
        let large = try groups([row("1", ["1e300", "3e300"])])[0].metrics[0].summary
        let deviation = try #require(large?.standardDeviation)
        #expect(abs(deviation / 1e300 - 2.0.squareRoot()) < 1e-12)
        let notes = SummaryNotes.of(
            try groups([row("1", ["1.7e308", "-1.7e308"])]), confidence: 0.95, warm: 0, canWarm: false, canResume: true
        ) { $0 }
        #expect(notes.last == "v: in 1 point the mean or the standard deviation is beyond what a number can hold")
    }

    @Test func equalValuesDoNotDeviate() throws {
        let value = "123456789012345678901234567890"
        for values in [[String](repeating: value, count: 6), ["0.1", "0.1", "0.1"], ["-1e308", "-1e308"]] {
            let summary = try #require(try groups([row("1", values)])[0].metrics[0].summary)
            #expect(summary.standardDeviation == 0)
        }
    }

    @Test func aConfidenceIsSaidToTheDigit() throws {
        let found = try groups([row("1", ["1", "2", "3"])])
        for (confidence, shown) in [(0.999_999, "99.9999%"), (0.95, "95%"), (0.995, "99.5%")] {
            let notes = SummaryNotes.of(
                found, confidence: confidence, warm: 0, canWarm: false, canResume: true
            ) { $0 }
            #expect(notes.first?.contains(": \(shown) intervals from") == true, "\(notes)")
        }
    }

    @Test func noGeometricMeanIsSaid() throws {
        var summarizer = try Summarizer(
            axes: ["x", "y"], hasWorkloads: false,
            SummaryQuestion(metrics: ["v"], by: ["x"], baseline: Assignment(axis: "x", value: "1")), formulas: [])
        for (values, value) in [(["1", "a"], "2"), (["2", "a"], "0"), (["1", "b"], "2"), (["2", "b"], "4")] {
            summarizer.add(
                DatasetRow(
                    point: SHA256.digest("\(values)"), workload: nil, values: values, repetition: 1,
                    state: .succeeded, blocks: Blocks([Block([Metric("v", value)])])))
        }
        let notes = SummaryNotes.of(
            try summarizer.groups(), confidence: 0.95, warm: 0, canWarm: false, canResume: true) { $0 }
        #expect(notes.contains("v: no geometric mean in 1 group, because ratios are zero or negative"))
    }

    @Test func runsThatHaveNotEndedAreRun() throws {
        var open = row("1", [])
        open.state = nil
        let found = try groups([open])
        for (canResume, end) in [(true, "not ended. Run them: resume"), (false, "not ended. See why: status")] {
            let notes = SummaryNotes.warnings(found, warm: 0, canWarm: false, canResume: canResume) { $0 }
            #expect(notes[0].hasSuffix(end))
        }
    }

    @Test func axesAreNamedOnce() throws {
        let twice = #expect(throws: Failure.self) {
            _ = try Summarizer(
                axes: ["n"], hasWorkloads: false, SummaryQuestion(metrics: ["v"], by: ["n", "n"]), formulas: [])
        }
        #expect(twice?.message == "--by names n twice")
        let workload = #expect(throws: Failure.self) {
            _ = try Summarizer(
                axes: ["n", "k"], hasWorkloads: false, SummaryQuestion(metrics: ["v"], by: ["workload"]), formulas: [])
        }
        #expect(workload?.message == "--by workload: this sweep has no workloads; its axes are n and k")
    }

    @Test func everyRunOfDifferingRepeatsIsJudgedForDrift() throws {
        let steady = ["10", "10.2", "9.9", "10.1", "10", "9.8"]
        let found = try groups([
            row("1", steady), row("1", ["90"] + steady, repetition: 2), row("1", ["10.1"] + steady, repetition: 3),
        ])[0]
        #expect(found.varied == ["repeat"])
        #expect(found.metrics[0].drift?.first == 1)
    }

    @Test func longRunsAreJudgedByTheirBeginning() throws {
        var noise = Noise(seed: 7)
        let values = [500, 400] + (0..<30_000).map { _ in noise.next(mean: 100, deviation: 1) }
        #expect(Drift(values)?.first == 2)
        #expect(Drift((0..<1_000).map { _ in 5.0 } + [900, 900, 900]) == nil)
    }

    @Test func zeroHasNoSign() { #expect(Number.render(-0.0) == "0") }
}
