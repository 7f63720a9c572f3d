import Model
import Testing

@testable import Results

private func row(
    _ values: [String], _ v: [String], state: RunState = .succeeded, repetition: Int = 1, salt: String = ""
) -> DatasetRow {
    DatasetRow(
        point: SHA256.digest(salt + values.joined(separator: " ")), workload: nil, values: values,
        repetition: repetition, state: state, blocks: v.isEmpty ? nil : Blocks(v.map { Block([Metric("v", $0)]) }))
}

private func compare(_ first: [DatasetRow], _ second: [DatasetRow], axes: [String] = ["x"]) throws
    -> [SweepComparison.PointPair]
{
    var comparison = try SweepComparison(
        axes: axes, hasWorkloads: false, metrics: ["v"], formulas: [], confidence: 0.95)
    for row in first { try comparison.add(row, names: axes, .first) }
    for row in second { try comparison.add(row, names: axes, .second) }
    return try comparison.pairs()
}

@Suite struct ComparisonTests {
    @Test func theSameNumbersAreTheSameWhateverTheIdentity() throws {
        let pairs = try compare([row(["1"], ["5", "6"])], [row(["1"], ["5", "6"], salt: "other build")])
        #expect(pairs.map(\.isSame) == [true])
        #expect(pairs[0].metrics.map(\.relation) == [.same])
    }

    @Test func noiseIsToldFromDifference() throws {
        let quiet = ["100", "101", "99", "100", "102", "98"]
        let pairs = try compare(
            [row(["1"], quiet), row(["2"], quiet), row(["3"], quiet), row(["4"], ["5"])],
            [
                row(["1"], ["101", "100", "100", "99", "101", "99"]), row(["2"], quiet.map { "1\($0)" }),
                row(["3"], quiet.map { "0.\($0)" }), row(["4"], ["6"]),
            ])
        #expect(pairs.map { $0.metrics[0].relation } == [.noise, .higher, .lower, .differs])
        #expect(pairs[0].firstChange == "invocation 1, v: 100, then 101")
        #expect(pairs[3].metrics[0].ratio?.ratio == 1.2)
    }

    @Test("Checkpoints of a point are compared together, and named where a number differs")
    func checkpoints() throws {
        let axes = ["x", "checkpoint"]
        let first = [row(["1", "20"], ["5"]), row(["1", "40"], ["7"])]
        let same = try compare(first, first, axes: axes)
        #expect(same.map(\.key) == [["1"]] && same.map(\.isSame) == [true])
        let other = try compare(first, [first[0], row(["1", "40"], ["8"])], axes: axes)
        #expect(other[0].firstChange == "checkpoint 40, repeat 1, invocation 1, v: 7, then 8")
        #expect(other[0].metrics[0].second?.mean == 6.5)
        let less = try compare(first, [first[0]], axes: axes)
        #expect(less[0].firstChange == "checkpoint 40, repeat 1 is in one sweep only")
        #expect(less[0].metrics[0].relation == .differs)
        let steady = try compare(first.map { row($0.values, ["0"]) }, [row(["1", "20"], ["0"])], axes: axes)
        #expect(steady[0].metrics[0].relation == .same && !steady[0].isSame)
    }

    @Test func theSameMeanWithoutAnIntervalIsNoise() throws {
        let (first, second) = (["385", "0", "17", "0", "0"], ["392", "0", "10", "0", "0"])
        let pairs = try compare(
            [row(["1"], first), row(["2"], ["0", "0"])], [row(["1"], second), row(["2"], ["0", "4"])])
        #expect(pairs.map { $0.metrics[0].relation } == [.noise, .differs])
        #expect(pairs[0].metrics[0].exactly.relation == .differs)
    }

    @Test("Digits that a double does not have are a difference, if nothing is put down to noise")
    func digits() throws {
        let pairs = try compare([row(["1"], ["9007199254740993"])], [row(["1"], ["9007199254740992"])])
        #expect(pairs[0].firstChange == "invocation 1, v: 9007199254740993, then 9007199254740992")
        #expect(pairs[0].metrics[0].exactly.relation == .differs)
        let same = try compare([row(["1"], ["9007199254740993"])], [row(["1"], ["9007199254740993"])])
        #expect(same[0].metrics[0].exactly.relation == .same)
    }

    @Test func whatIsMissingIsNamed() throws {
        let pairs = try compare(
            [row(["1"], ["1"]), row(["2"], [], state: .failed), row(["3"], ["1"]), row(["5"], [], state: .failed)],
            [
                row(["2"], ["1"]), row(["3"], ["1"], state: .quarantined), row(["4"], ["1"]),
                row(["5"], [], state: .failed),
            ])
        #expect(pairs.map { $0.key[0] } == ["1", "2", "3", "5", "4"])
        #expect(
            pairs.map(\.missing) == [.onlyInFirst, .noResultInFirst, .noResultInSecond, .noResult, .onlyInSecond])
        #expect(try compare([], [row(["1"], ["1"])]).map(\.missing) == [.onlyInSecond])
        let table = ComparisonColumns(["x"])
        for pair in pairs {
            #expect(table.rows(pair, onlyDifferences: true).map(\.count) == [table.names.count])
        }
    }

    @Test func repeatsAndInvocationsThatAreMissingAreChanges() throws {
        let pairs = try compare([row(["1"], ["1", "2"])], [row(["1"], ["1", "2", "1.5"])])
        #expect(pairs[0].firstChange == "2 invocations, then 3")
        let repeats = try compare(
            [row(["1"], ["1"])], [row(["1"], ["1"]), row(["1"], ["1"], repetition: 2)])
        #expect(repeats[0].firstChange == "repeat 2 is in one sweep only")
    }

    @Test func pointsThatCannotBeToldApartAreRefused() throws {
        var comparison = try SweepComparison(
            axes: ["x"], hasWorkloads: false, metrics: ["v"], formulas: [], confidence: 0.95)
        try comparison.add(row(["1", "a"], ["1"]), names: ["x", "y"], .second)
        try comparison.add(row(["1", "a"], ["1"], repetition: 2), names: ["x", "y"], .second)
        let failure = #expect(throws: Failure.self) {
            try comparison.add(row(["1", "b"], ["1"]), names: ["x", "y"], .second)
        }
        #expect(failure?.message.contains("they differ in y") == true && failure?.message.contains("'y=VALUE'") == true)
    }
}

@Suite struct StatisticsRecordTests {
    private func record(_ blocks: [[String]]) -> StatisticsRecord {
        var text = ""
        for block in blocks {
            text += "---------- Begin Simulation Statistics ----------\n" + block.map { "\($0) # a (Count)\n" }.joined()
                + "---------- End Simulation Statistics   ----------\n"
        }
        var (scanner, record) = (StatisticsScanner(), StatisticsRecord())
        let bytes = Array(text.utf8)
        scanner.scan(bytes.span.bytes, &record)
        scanner.finish(&record)
        #expect(scanner.complaint == nil)
        return record
    }

    @Test func theHostCountsForNothing() {
        let first = record([["simTicks 5", "hostSeconds 1", "a 1"]])
        #expect(first.count == 2)
        #expect(first.difference(from: record([["simTicks 5", "hostSeconds 2", "a 1"]])) == nil)
    }

    @Test func theFirstThatMovedIsNamed() throws {
        let first = record([["a 1", "b 2", "c 3"], ["a 1", "b 2", "c 3"]])
        let found = try #require(first.difference(from: record([["a 1", "b 2", "c 3"], ["a 1", "b 7", "c 8"]])))
        #expect(found.name == "b" && found.block == 2 && found.first == "2" && found.second == "7")
        #expect(found.differing == 2 && found.count == 6)
    }

    @Test func newAndLostStatisticsAreFoundAndTheRestIsCompared() throws {
        let first = record([["a 1", "b 2", "d 4"]])
        let second = record([["a 1", "c 3", "c2 3", "d 5"]])
        let found = try #require(first.difference(from: second))
        #expect(found.name == "b" && found.first == "2" && found.second == nil)
        // b is lost, c and c2 are new, d has another value.
        #expect(found.differing == 4)
        let other = try #require(second.difference(from: first))
        #expect(other.name == "c" && other.second == nil && other.differing == 4)
    }

    @Test func aBlockMoreIsADifference() throws {
        let found = try #require(record([["a 1"]]).difference(from: record([["a 1"], ["a 1"]])))
        #expect(found.name == "a" && found.block == 2 && found.first == nil && found.differing == 1)
    }
}
