import Model
import Testing
@testable import Results


@Suite("Metrics of users' own")
struct MetricExpressionTests {
    private func value(_ text: String, _ counters: [String: Double] = [:]) throws -> Double? {
        try MetricExpression(text).value { counters[$0] }
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
        let counters = ["l2.miss-ratio": 0.5, "\"system.*.x::total\"": 6, "l2.misses": 4]
        #expect(expression.value { counters[$0] } == 2)
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

    @Test("Over a run, sums come before the division")
    func sums() throws {
        let blocks = Blocks([
            Block([Metric("a", "1"), Metric("b", "2")]), Block([Metric("a", "3"), Metric("b", "2")]),
        ])
        let formulas = [MetricFormula("r", try MetricExpression("1 - a / (2 * b)"))]
        #expect(blocks.metrics(ofBlock: 0, formulas).last == Metric("r", "0.75"))
        #expect(blocks.metrics(formulas).last == Metric("r", "0.5"))
    }
}
