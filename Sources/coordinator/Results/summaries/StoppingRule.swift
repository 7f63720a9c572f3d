package import Model

/// When a run that measures until a metric is known well enough has done so. A host ends a run by this rule, and the
/// coordinator works it out again from the statistics that came back: whoever doubts either can do the same.
///
/// The interval is that of summaries (``Intervals``), over the invocations measured so far. It is looked at after the
/// first ``least`` of them and then whenever there are a tenth more: looked at more often, it is narrow by chance more
/// often. A run that it ends is not a sample of a fixed size. That the interval holds the metric as often as its
/// confidence says was shown for many values only (F. J. Anscombe, "Large-sample theory of sequential estimation",
/// 1952; Y. S. Chow and H. Robbins, "On the asymptotic theory of fixed-width sequential confidence intervals for the
/// mean", 1965); of few it holds it less often. `ops/bench/stopping` measures by how much.
package struct StoppingRule: Sendable, Hashable {
    package let precision: Precision
    /// Those that the metric needs, in their order.
    package let formulas: [MetricFormula]

    /// Fewer values are too often alike by chance.
    package static let least = 10

    /// - Parameter formulas: all that there are.
    package init(_ precision: Precision, _ formulas: [MetricFormula]) {
        self.precision = precision
        self.formulas = MetricPlan([precision.metric], formulas).formulas
    }

    /// As a sweep has it; nil: it measures a fixed number of invocations.
    ///
    /// - Parameter formulas: those of its engine.
    package init?(of sweep: Sweep, _ formulas: [MetricFormula]) {
        guard let until = sweep.measure.until else { return nil }
        self.init(until, formulas + MetricFormula.own(of: sweep))
    }

    /// After how many invocations, more than `count`, the interval is looked at.
    package static func look(after count: Int) -> Int {
        var next = least
        while next <= count { next += max(1, next / 10) }
        return next
    }

    /// How far the metric's interval reaches to either side, as a share of its value; nil: it has none.
    package func reach(of blocks: some Collection<Block>) -> Double? {
        let plan = MetricPlan([precision.metric], formulas)
        let units = Units(SampleTable(blocks, plan.places), plan, .invocation)
        let value = units.together[0]
        guard value.isFinite, let interval = units.intervals(Double(precision.confidence) / 1_000_000)[0] else {
            return nil
        }
        let distance = max(interval.upper - value, value - interval.lower)
        let reach = distance == 0 ? 0 : distance / value.magnitude
        return reach.isNaN ? nil : reach
    }

    /// Whether measuring ends after these invocations, all that there were so far.
    package func isEnough(_ blocks: some Collection<Block>) -> Bool {
        guard StoppingRule.look(after: blocks.count - 1) == blocks.count, let reach = reach(of: blocks) else {
            return false
        }
        return reach * 1_000_000 <= Double(precision.interval)
    }

    /// After how many of these invocations measuring ends; nil: it goes on.
    package func end(of blocks: [Block]) -> Int? {
        var count = StoppingRule.look(after: 0)
        while count <= blocks.count {
            if isEnough(blocks.prefix(count)) { return count }
            count = StoppingRule.look(after: count)
        }
        return nil
    }

    /// Holds what was measured against the rule: what a host says of it is not believed.
    ///
    /// - Parameters:
    ///   - blocks: all that the run left.
    ///   - isEarly: whether it ended because it had measured enough, rather than all.
    /// - Returns: those that count: none beyond where the rule ends.
    package func counted(_ blocks: [FoundBlock], isEarly: Bool) throws(Breach) -> [FoundBlock] {
        let end = end(of: blocks.map(\.block))
        guard isEarly else { return Array(blocks.prefix(end ?? blocks.count)) }
        guard let end else {
            let found = reach(of: blocks.map(\.block))
                .map { "it is known to \(StoppingRule.percent($0))" } ?? "it has no interval"
            throw Breach(
                "the run ended after \(PeopleText.count(blocks.count, "invocation")), as if \(text) by then; but "
                    + found)
        }
        guard end == blocks.count else {
            throw Breach(
                "the run measured \(PeopleText.count(blocks.count, "invocation")), though \(text) after \(end)")
        }
        return blocks
    }

    /// `cpi was known to within ±1% (95%)`.
    private var text: String { "\(VisibleText.of(precision.metric, limit: 80)) was known to within \(precision.text)" }

    package static func percent(_ share: Double) -> String {
        "±" + PeopleText.percentage(millionths: Int64((min(share, 1e6) * 1_000_000).rounded()))
    }
}

extension Precision {
    /// `until cpi is known to within ±1% (95%), 10 to 50 invocations`.
    package func sentence(most: Int) -> String {
        "until \(VisibleText.of(metric, limit: 80)) is known to within \(text), \(StoppingRule.least) to \(most) "
            + "invocations"
    }

    /// `±1% (95%)`.
    package var text: String {
        "±\(PeopleText.percentage(millionths: interval)) (\(PeopleText.percentage(millionths: confidence)))"
    }
}

// MARK: As the programs on hosts are told

extension StoppingRule {
    /// What it says, as one argument. The version is that of the whole rule: whoever changes what is looked at when, or
    /// the interval, counts it up, as an agent that is older would end runs elsewhere.
    package var document: JSON {
        .object([
            JSON.Member("version", .integer(1)), JSON.Member("metric", .string(precision.metric)),
            JSON.Member("interval", .integer(precision.interval)),
            JSON.Member("confidence", .integer(precision.confidence)),
            JSON.Member(
                "formulas",
                .array(
                    formulas.map { formula in
                        .object([
                            JSON.Member("name", .string(formula.name)), JSON.Member("formula", .string(formula.text)),
                        ])
                    })),
        ])
    }

    /// nil: it is no such document, or one of a newer program.
    package init?(document text: String) {
        guard let document = try? JSON(parsing: text), document["version"]?.integer == 1,
            let metric = document["metric"]?.text, let interval = document["interval"]?.integer,
            let confidence = document["confidence"]?.integer, (1..<1_000_000).contains(confidence),
            let elements = document["formulas"]?.elements
        else { return nil }
        var formulas: [MetricFormula] = []
        for element in elements {
            guard let name = element["name"]?.text, let text = element["formula"]?.text,
                let formula = MetricFormula(ofEngine: name, text)
            else { return nil }
            formulas.append(formula)
        }
        self.init(Precision(metric: metric, interval: interval, confidence: confidence), formulas)
    }
}
