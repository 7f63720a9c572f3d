import Foundation
import Model
import Testing

@testable import Results

/// What numpy and scipy gave for the same numbers: `Fixtures/summaries/vectors.py` has how.
private struct Vectors: Decodable {
    struct Expected: Decodable {
        var n: Int
        var mean, standardDeviation, minimum, median, maximum: Double
        var interval: [Double]
    }

    struct Run: Decodable {
        var cycles, instructions, latency: [Double]
        var confidence: Double
        var cpi, expected: Expected
    }

    struct Ratio: Decodable {
        var own, base: [Double]
        var ratio: Double
        var interval: [Double]
    }

    struct Student: Decodable {
        var degrees: Int
        var probability, bound: Double
    }

    struct Trend: Decodable {
        var count, score: Int
        var probability: Double
    }

    var runs: [Run]
    var geometric, paired: [Ratio]
    var student: [Student]
    var trends: [Trend]

    static func read() throws -> Vectors {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        let data = try Data(contentsOf: folder.appending(path: "Fixtures/summaries/vectors.json"))
        return try JSONDecoder().decode(Vectors.self, from: data)
    }
}

private func isSame(_ found: Double?, _ expected: Double) -> Bool {
    found.map { abs($0 - expected) <= 1e-9 * max(abs(expected), 1e-3) } ?? false
}

private func isSame(_ found: Interval?, _ expected: [Double]) -> Bool {
    isSame(found?.lower, expected[0]) && isSame(found?.upper, expected[1])
}

@Suite("Summaries are what numpy and scipy give") struct SummaryVectorTests {
    private let vectors: Vectors

    init() throws { vectors = try Vectors.read() }

    private func row(_ x: String, _ columns: [(String, [Double])]) -> DatasetRow {
        let blocks = Blocks(
            columns[0].1.indices.map { place in
                Block(columns.map { Metric($0.0, Number.render($0.1[place])) })
            })
        return DatasetRow(
            point: SHA256.digest(x), workload: nil, values: x.split(separator: " ").map(String.init), repetition: 1,
            state: .succeeded, blocks: blocks)
    }

    @Test func spreadAndIntervals() throws {
        #expect(vectors.runs.count == 10)
        for run in vectors.runs {
            let question = SummaryQuestion(metrics: ["cpi", "latency"], confidence: run.confidence)
            var summarizer = try Summarizer(
                axes: ["x"], hasWorkloads: false, question,
                formulas: [MetricFormula("cpi", "cycles", per: "instructions")])
            summarizer.add(
                row("1", [("cycles", run.cycles), ("instructions", run.instructions), ("latency", run.latency)]))
            let metrics = try #require(try summarizer.groups().first).metrics
            for (expected, found) in zip([run.cpi, run.expected], metrics) {
                let summary = try #require(found.summary)
                #expect(summary.n == expected.n)
                #expect(isSame(summary.mean, expected.mean))
                #expect(isSame(summary.standardDeviation, expected.standardDeviation))
                #expect(isSame(summary.minimum, expected.minimum))
                #expect(isSame(summary.median, expected.median))
                #expect(isSame(summary.maximum, expected.maximum))
                #expect(isSame(summary.interval, expected.interval), "\(found.metric), n = \(summary.n)")
            }
        }
    }

    @Test func geometricMeansOfPairs() throws {
        #expect(vectors.geometric.count == 3)
        for expected in vectors.geometric {
            let question = SummaryQuestion(metrics: ["v"], by: [], baseline: Assignment(axis: "side", value: "base"))
            var summarizer = try Summarizer(axes: ["pair", "side"], hasWorkloads: false, question, formulas: [])
            for (pair, (own, base)) in zip(expected.own, expected.base).enumerated() {
                summarizer.add(row("\(pair) base", [("v", [base])]))
                summarizer.add(row("\(pair) own", [("v", [own])]))
            }
            let groups = try summarizer.groups()
            #expect(groups.map(\.key) == [["base"], ["own"]])
            let ratio = try #require(groups[1].metrics[0].ratio)
            #expect(isSame(ratio.ratio, expected.ratio))
            #expect(isSame(ratio.interval, expected.interval))
            #expect(ratio.ratios.count == expected.own.count && ratio.unpaired == 0)
        }
    }

    @Test func ratiosOfTwoPoints() throws {
        #expect(vectors.paired.map(\.base.count) == [8, 5])
        for expected in vectors.paired {
            let question = SummaryQuestion(metrics: ["v"], baseline: Assignment(axis: "side", value: "base"))
            var summarizer = try Summarizer(axes: ["side"], hasWorkloads: false, question, formulas: [])
            summarizer.add(row("own", [("v", expected.own)]))
            summarizer.add(row("base", [("v", expected.base)]))
            let ratio = try #require(try summarizer.groups()[0].metrics[0].ratio)
            #expect(isSame(ratio.ratio, expected.ratio))
            #expect(isSame(ratio.interval, expected.interval))
        }
    }

    @Test func boundsOfStudentsDistribution() {
        #expect(vectors.student.count == 27)
        for expected in vectors.student {
            let bound = StudentT.bound(expected.probability, degrees: expected.degrees)
            #expect(isSame(bound, expected.bound), "\(expected.degrees) degrees, \(expected.probability)")
        }
    }

    /// As `math.erfc` of Python says.
    @Test func probabilitiesOfTrendsOfManyValues() {
        for (count, score, probability) in [(50, 300, 0.01238108453297363), (41, 200, 0.025407129576314916)] {
            #expect(abs(MannKendall.probability(of: score, count: count) / probability - 1) < 1e-12)
        }
        #expect(MannKendall.probability(of: 1, count: 100) == 1)
    }

    @Test func probabilitiesOfTrends() {
        #expect(vectors.trends.count == 5)
        for expected in vectors.trends {
            let found = MannKendall.probability(of: expected.score, count: expected.count)
            #expect(abs(found - expected.probability) < 1e-9, "\(expected.count) values")
        }
    }
}
