import Model
import Testing
@testable import Results


@Suite("Metrics of users' own")
struct MetricExpressionTests {
    private func value(_ text: String, _ counters: [String: Double] = [:]) throws -> Double? {
        try MetricExpression(text).value(blocks: 1) { counters[$0].flatMap { Sum("\($0)") }.map { .sum($0) } }?.value
    }

    @Test(
        "Arithmetic",
        arguments: [
            ("1 + 2 * 3", 7.0), ("(1 + 2) * 3", 9), ("8 / 4 / 2", 1), ("10 - 3 - 2", 5), ("-2 * -(3 + 1)", 8),
            ("2.5e1", 25), (" 1+1 ", 2),
        ])
    func arithmetic(_ text: String, _ expected: Double) throws {
        #expect(try value(text) == expected)
    }

    @Test("Names may have points, colons and hyphens; patterns stand in quotes")
    func names() throws {
        let expression = try MetricExpression("l2.miss-ratio * \"system.*.x::total\" - l2.misses/l2.misses")
        #expect(expression.counters == ["l2.miss-ratio", "\"system.*.x::total\"", "l2.misses"])
        #expect(expression.patterns == ["system.*.x::total"])
        let counters = ["l2.miss-ratio": 3, "\"system.*.x::total\"": 6, "l2.misses": 4]
        #expect(expression.value(blocks: 1) { counters[$0].map { .sum(Sum($0)) } }?.value == 17)
    }

    @Test("No value: a missing counter, a division by 0, too large")
    func nothing() throws {
        #expect(try value("a + 1") == nil)
        #expect(try value("1 / a", ["a": 0]) == nil)
        #expect(try value("0 / a", ["a": 0]) == nil)
        #expect(try value("1e308 * 1e308") == nil)
    }

    @Test(
        "What is wrong is shown",
        arguments: [
            ("", "column 1"), ("1 +", "column 4"), ("(1", "column 3"), ("1 2", "column 3"), ("\"a", "column 1"),
            ("\"\"", "column 1"), ("1x", "column 1"), ("a $ b", "column 3"), ("*", "column 1"),
        ])
    func wrong(_ text: String, _ place: String) throws {
        let failure = #expect(throws: Failure.self) { try MetricExpression(text) }
        #expect(failure?.message.contains(place) == true, "\(failure?.message ?? "")")
        #expect(failure?.code == .badSpecification)
    }

    @Test("Parentheses without end are refused, not followed")
    func deep() throws {
        #expect(throws: Failure.self) { try MetricExpression(String(repeating: "(", count: 100_000)) }
        #expect(throws: Failure.self) { try MetricExpression(String(repeating: "-", count: 100_000) + "1") }
    }

    private static let blocks = Blocks([
        Block([Metric("a", "1"), Metric("b", "2"), Metric("big", "18446744073709551615")]),
        Block([Metric("a", "4"), Metric("b", "8"), Metric("big", "18446744073709551613")]),
    ])

    private func values(_ formulas: [(String, String)]) throws -> [String: String] {
        let all = try formulas.map { MetricFormula($0, try MetricExpression($1)) }
        return Dictionary(uniqueKeysWithValues: Self.blocks.metrics(all).map { ($0.name, $0.value) })
    }

    @Test("A definition is worked out from the means beside it; ratios of counters divide sums")
    func footing() throws {
        let found = try values([
            ("plus", "a + 1"), ("same", "a"), ("ratio", "a / b"), ("scaled", "1000 * a / b"), ("squares", "a * a"),
            ("inverse", "1 / a"), ("mixed", "1 - a / (2 * b)"), ("chained", "ratio + plus"), ("exact", "big - 1"),
        ])
        #expect(found["a"] == "2.5")
        #expect(found["plus"] == "3.5")
        #expect(found["same"] == found["a"])
        #expect(found["ratio"] == "0.5")
        #expect(found["scaled"] == "500")
        #expect(found["squares"] == "6.25")
        #expect(found["inverse"] == "0.4")
        #expect(found["mixed"] == "0.75")
        #expect(found["chained"] == "4")
        #expect(found["big"] == "18446744073709551614")
        #expect(found["exact"] == "18446744073709551613")
    }

    @Test("A definition of what an engine has already gives the same digits")
    func sameAsBuiltIn() throws {
        for (left, right) in [(7, 3), (123_457, 1_000_003), (1, 3)] {
            let blocks = Blocks([
                Block([Metric("m", "\(left)"), Metric("i", "\(right)")]),
                Block([Metric("m", "\(left + 2)"), Metric("i", "\(right * 7)")]),
                Block([Metric("m", "\(left * 5)"), Metric("i", "\(right + 1)")]),
            ])
            let own = MetricFormula("own", try MetricExpression("1000 * m / i"))
            let found = blocks.metrics([MetricFormula("known", factor: 1000, "m", per: "i"), own])
            #expect(found.suffix(2).map(\.value)[0] == found.suffix(2).map(\.value)[1])
        }
    }

    @Test("What a run cannot give a definition for is said, down to the counter that is missing")
    func incomputable() {
        func evidence(_ formulas: [(String, String)]) -> String? {
            let all = formulas.compactMap { name, text in
                (try? MetricExpression(text)).map { MetricFormula(name, $0) }
            }
            let rule = MetricRule(formulas.map(\.0), all)
            do throws(Breach) {
                try rule.check([FoundBlock(place: "r.csv:2", block: Block([Metric("a", "1"), Metric("zero", "0")]))])
                return nil
            } catch { return error.evidence }
        }
        #expect(evidence([("x", "a + zero")]) == nil)
        #expect(evidence([("x", "a / zero")])
            == "r.csv:2: the metric 'x' (a / zero) cannot be computed: it divides by 0, or is too large")
        #expect(evidence([("x", "a / zeros")])
            == "r.csv:2: the metric 'x' (a / zeros) cannot be computed: the metric 'zeros' is missing; "
            + "did you mean 'zero'?")
        #expect(evidence([("y", "b * 2"), ("x", "y + 1")])?.contains("the metric 'b' is missing") == true)
        #expect(evidence([("x", "x + 1")])?.contains("the metric 'x' is missing") == true)
        #expect(evidence([("a", "2 * zero")])?.contains("the run gives 'a' itself") == true)
    }
}
