import Model
import Testing

@testable import Results

private let cpi = MetricFormula("cpi", "cycles", per: "instructions")

/// A run with a block for each value of `v`.
private func run(
    _ values: String, _ v: [String] = [], state: RunState? = .succeeded, repetition: Int = 1, workload: String? = nil
) -> DatasetRow {
    DatasetRow(
        point: SHA256.digest("\(workload ?? "") \(values)"), workload: workload,
        values: values.split(separator: " ").map(String.init), repetition: repetition, state: state,
        blocks: v.isEmpty ? nil : Blocks(v.map { Block([Metric("v", $0)]) }))
}

private func groups(
    _ rows: [DatasetRow], axes: [String] = ["x"], by: [String]? = nil, baseline: Assignment? = nil,
    metrics: [String] = ["v"], formulas: [MetricFormula] = [], hasWorkloads: Bool = false
) throws -> [SummaryGroup] {
    var summarizer = try Summarizer(
        axes: axes, hasWorkloads: hasWorkloads, SummaryQuestion(metrics: metrics, by: by, baseline: baseline),
        formulas: formulas)
    for row in rows { summarizer.add(row) }
    return try summarizer.groups()
}

@Suite struct SummaryTests {
    @Test func aRateIsThatOfTheSums() throws {
        let blocks = Blocks([
            Block([Metric("cycles", "10"), Metric("instructions", "10")]),
            Block([Metric("cycles", "90"), Metric("instructions", "30")]),
        ])
        let row = DatasetRow(
            point: SHA256.digest("p"), workload: nil, values: [], repetition: 1, state: .succeeded, blocks: blocks)
        let found = try groups([row], axes: [], metrics: ["cpi", "cycles"], formulas: [cpi])[0]
        #expect(found.metrics.map { $0.summary?.mean } == [2.5, 50])
        #expect(found.metrics[0].values == [1, 3])
        #expect(found.metrics[0].summary?.median == 2)
        #expect(found.varied == ["invocation"])
        #expect(row.merged?.metrics([cpi]).map(\.value) == ["50", "20", "2.5"])
    }

    @Test func pointsOfAGroupCountOnceEach() throws {
        let found = try groups(
            [run("1 a", ["1", "3"]), run("1 b", ["8"]), run("2 a", ["5"])], axes: ["x", "y"], by: ["x"])
        #expect(found.map(\.key) == [["1"], ["2"]])
        #expect(found.map(\.points) == [2, 1])
        #expect(found[0].metrics[0].summary?.mean == 5)
        #expect(found[0].metrics[0].values == [2, 8])
        #expect(found[0].varied == ["y"])
        #expect(found[1].varied == [])
        #expect(found[1].metrics[0].summary?.interval == nil)
        #expect(found[1].metrics[0].summary?.standardDeviation == nil)
    }

    @Test func repeatsAreUnitsOnlyWhereTheyDiffer() throws {
        let same = [run("1", ["1", "3"]), run("1", ["1", "3"], repetition: 2)]
        let first = try groups(same)[0]
        #expect(first.varied == ["invocation"])
        #expect(first.identicalRuns == 2)
        #expect(first.metrics[0].summary?.n == 2)
        let second = try groups(same + [run("1", ["5", "7"], repetition: 3)])[0]
        #expect(second.varied == ["repeat"])
        #expect(second.identicalRuns == 1)
        #expect(second.metrics[0].values == [2, 2, 6])
        #expect(second.runs.all == 3)
    }

    @Test("Checkpoints are samples of one point, each with its repeats; asked for by name, they are points")
    func checkpoints() throws {
        let axes = ["x", "checkpoint"]
        let rows = [
            run("1 20", ["1", "3"]), run("1 20", ["1", "3"], repetition: 2), run("1 40", ["3", "5"]),
            run("1 40", ["3", "5"], repetition: 2), run("1 60", state: .failed),
        ]
        let found = try groups(rows, axes: axes)
        #expect(found.map(\.key) == [["1"]] && found.map(\.points) == [1])
        #expect(found[0].varied == ["checkpoint"] && found[0].metrics[0].values == [2, 4])
        #expect(found[0].metrics[0].summary?.mean == 3 && found[0].metrics[0].summary?.n == 2)
        #expect(found[0].identicalRuns == 2 && found[0].runs.all == 5 && found[0].runs.missing == 1)
        let noted = SummaryNotes.warnings(found, warm: 0, canWarm: true, canResume: true) { $0 }
        #expect(noted.contains("1 point: all repeats from one checkpoint gave the same numbers, and count as one run"))
        // As it was written down for repeats: their values together are those of the sums.
        let uneven = try groups(rows + [run("1 40", ["9", "9"], repetition: 3)], axes: axes)
        #expect(uneven[0].metrics[0].values == [2, 34 / 6] && uneven[0].identicalRuns == 1)
        for by in [["checkpoint"], ["x", "checkpoint"]] {
            let apart = try groups(rows, axes: axes, by: by)
            #expect(apart.map { $0.key.last } == ["20", "40", "60"] && apart[0].varied == ["invocation"])
        }
        let along = try groups(rows, axes: axes, baseline: Assignment(axis: "checkpoint", value: "20"))
        #expect(along.map { $0.metrics[0].ratio?.ratio } == [1, 2, nil])
    }

    @Test("What is alike in all checkpoints, or came from one alone, varies as a run does")
    func checkpointsAlike() throws {
        let axes = ["x", "checkpoint"]
        let alike = try groups([run("1 20", ["1", "3"]), run("1 40", ["1", "3"])], axes: axes)[0]
        #expect(alike.varied == ["invocation"] && alike.identicalRuns == 2 && alike.metrics[0].summary?.n == 2)
        let alone = try groups([run("1 20", ["1", "3"]), run("1 40", state: .failed)], axes: axes)[0]
        #expect(alone.varied == ["invocation"] && alone.runs.missing == 1)
    }

    @Test("A ratio pairs checkpoints: what a history does to both does not count")
    func checkpointsInRatios() throws {
        let base = [run("1 20", ["10"]), run("1 40", ["30"]), run("1 60", ["90"])]
        func interval(_ rows: [DatasetRow]) throws -> Interval {
            let found = try groups(
                base + rows, axes: ["x", "checkpoint"], baseline: Assignment(axis: "x", value: "1"))
            return try #require(found[1].metrics[0].ratio?.interval)
        }
        let same = try interval([run("2 20", ["20"]), run("2 40", ["60"]), run("2 60", ["180"])])
        #expect(abs(same.lower - 2) < 1e-9 && abs(same.upper - 2) < 1e-9)
        let other = try interval([run("2 20", ["20"]), run("2 40", ["60"]), run("2 80", ["180"])])
        #expect(other.lower < 1 && other.upper > 3)
    }

    @Test func whatIsMissingIsCounted() throws {
        let rows = [
            run("1 a", ["1"]), run("1 b", state: .failed), run("1 c", ["2"], state: .quarantined),
            run("1 d", state: .cancelled), run("1 e", state: nil), run("1 f", ["1e999"]),
        ]
        let found = try groups(rows, axes: ["x", "y"], by: ["x"])[0]
        #expect(found.runs.succeeded == 2)
        #expect(found.runs.failed == 1 && found.runs.quarantined == 1)
        #expect(found.runs.cancelled == 1 && found.runs.unfinished == 1)
        #expect(found.metrics[0].values == [1])
        #expect(found.metrics[0].withoutValue == 5)
        let none = try groups([run("1", state: .failed)])[0]
        #expect(none.metrics[0].summary == nil)
        #expect(none.runs.missing == 1)
        #expect(try groups([]).isEmpty)
    }

    @Test func aRepeatWithoutAValueIsLeftOut() throws {
        let found = try groups([run("1", ["1"]), run("1", ["1e999"], repetition: 2), run("1", ["4"], repetition: 3)])[0]
        #expect(found.metrics[0].values == [1, 4])
        #expect(found.metrics[0].summary?.mean == 2.5)
        #expect(found.metrics[0].withoutValue == 1)
        // Of one run, as in `results`: no value where an invocation has none.
        #expect(try groups([run("1", ["1", "1e999"])])[0].metrics[0].summary == nil)
    }

    @Test func ratiosArePairedByAllOtherColumns() throws {
        let rows = [
            run("1 a", ["2"], workload: "w"), run("2 a", ["6"], workload: "w"), run("1 b", ["10"], workload: "w"),
            run("2 b", ["120"], workload: "w"), run("2 c", ["1"], workload: "w"),
            run("1 d", state: .failed, workload: "w"), run("2 d", ["1"], workload: "w"),
        ]
        let baseline = Assignment(axis: "x", value: "1")
        let found = try groups(rows, axes: ["x", "y"], by: ["x"], baseline: baseline, hasWorkloads: true)
        let ratio = try #require(found[1].metrics[0].ratio)
        #expect(abs((ratio.ratio ?? 0) - 6) < 1e-12)
        #expect(ratio.ratios == [3, 12])
        #expect(ratio.unpaired == 2)
        #expect(found[0].metrics[0].ratio?.ratio == 1)
        #expect(found[0].metrics[0].ratio?.interval == nil)
        let single = try groups(rows, axes: ["x", "y"], baseline: baseline, hasWorkloads: true)
        #expect(single.map { $0.metrics[0].ratio?.ratio } == [1, 3, 1, 12, nil, nil, nil])
        #expect(single.map { $0.metrics[0].ratio?.unpaired } == [0, 0, 0, 0, 1, 1, 1])
    }

    @Test func theSameNumbersHaveTheRatioOneForSure() throws {
        let rows = [run("1", ["2", "5", "7"]), run("2", ["2", "5", "7"]), run("3", ["0", "0"]), run("4", ["3"])]
        let found = try groups(rows, baseline: Assignment(axis: "x", value: "1"))
        #expect(found[0].metrics[0].ratio?.interval == nil, "it is the baseline itself")
        #expect(found[1].metrics[0].ratio?.interval == Interval(lower: 1, upper: 1, confidence: 0.95))
        #expect(found[2].metrics[0].ratio?.ratio == 0)
        let zero = try groups(rows + [run("5", ["0", "0"])], baseline: Assignment(axis: "x", value: "3"))
        #expect(zero[4].metrics[0].ratio?.ratio == nil && zero[4].metrics[0].ratio?.unpaired == 1)
    }

    @Test func noGeometricMeanOfWhatIsNotAboveZero() throws {
        let rows = [run("1 a", ["2"]), run("2 a", ["0"]), run("1 b", ["2"]), run("2 b", ["4"])]
        let found = try groups(rows, axes: ["x", "y"], by: ["x"], baseline: Assignment(axis: "x", value: "1"))
        #expect(found[1].metrics[0].ratio?.ratio == nil)
        #expect(found[1].metrics[0].ratio?.ratios == [0, 2])
    }

    @Test func unknownNamesAreRefused() throws {
        let unknown = #expect(throws: Failure.self) { try groups([run("1", ["1"])], by: ["z"]) }
        #expect(unknown?.message == "--by z: there are: x")
        let value = #expect(throws: Failure.self) {
            try groups([run("1", ["1"]), run("3", ["1"])], baseline: Assignment(axis: "x", value: "2"))
        }
        #expect(value?.message == "--baseline x=2: no point that is shown has this value; there are 1 or 3")
    }

    @Test func theOrderOfPointsMovesNoInterval() throws {
        let rows = [run("1", ["1", "2", "4"]), run("2", ["3", "5", "11"])]
        let forward = try groups(rows)
        #expect(forward == (try groups(rows.reversed())).reversed())
    }
}

@Suite struct DriftTests {
    @Test func firstInvocationsThatDifferAreCounted() throws {
        let drift = try #require(Drift([90, 40, 10, 10.2, 9.9, 10.1, 10, 9.8]))
        #expect(drift.first == 2)
        #expect(!drift.goesOn)
        #expect(drift.shift > 1.3)
    }

    @Test func fiveInvocationsAreEnough() throws {
        #expect(try #require(Drift([90, 10, 10.1, 9.9, 10])).first == 1)
    }

    @Test func aTrendIsSeen() throws {
        let drift = try #require(Drift([20, 19, 18, 17, 16, 15, 14]))
        #expect(drift.goesOn)
    }

    @Test func adviceSaysHowManyToWarm() throws {
        let found = try groups([run("1", ["90", "40", "10", "10.2", "9.9", "10.1", "10", "9.8"])])
        #expect(
            SummaryNotes.ofRun(found[0].metrics, warm: 1, canWarm: true)
                == "Of its invocations, the first 2 differ from the rest (v is up to 137.5% higher with them); leave "
                + "them out with: measure: {warm: 3}.")
        let steady = try groups([run("1", ["1", "1", "1", "1", "1"])])
        #expect(SummaryNotes.ofRun(steady[0].metrics, warm: 0, canWarm: true) == nil)
        let rising = try groups([run("1", (1...7).map { "\($0)" })])
        #expect(
            SummaryNotes.of(rising, confidence: 0.95, warm: 0, canWarm: false, canResume: true) { $0 }.last
                == "of the invocations in 1 of 1 point, the values rise or fall up to the last: warm or measure more")
    }

    @Test(arguments: [
        [10.0, 10.2, 9.9, 10.1, 10, 9.8], [10, 10, 10, 10, 10, 10], [10.05, 10, 10, 10, 10, 10],
        [10, 10, 90, 10, 10, 10], [90, 10, 10, 10], [],
    ]) func whatIsNoDrift(_ values: [Double]) { #expect(Drift(values) == nil) }
}
