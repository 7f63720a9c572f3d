public import Model

/// A metric that follows from others by a formula, such as misses per 1,000 instructions.
///
/// For one block it is worked out from the block's own numbers, for a run from the means over its blocks: from the very
/// numbers that stand beside it in the table. A ratio of two means is the ratio of the sums, so that a long invocation
/// weighs more than a short one. A division by 0 gives no value.
public struct MetricFormula: Sendable, Hashable {
    public var name: String
    private let expression: MetricExpression
    /// Whether the sweep file defines it. A run without a value for it is not accepted.
    let isOwn: Bool
    /// The counter that it divides by, where a sound run can have 0 of it, such as accesses to a cache that was not
    /// needed: the metric then has no value, and that is no fault.
    private(set) var optionalDivisor: String?

    /// `factor` x `dividend` / `divisor`, of an engine's counters.
    ///
    /// - Parameter isOptional: whether a sound run can have 0 of the divisor.
    public init(
        _ name: String, factor: Int = 1, _ dividend: String, per divisor: String, isOptional: Bool = false
    ) {
        self.name = name
        expression = MetricExpression(factor: factor, dividend, per: divisor)
        isOwn = false
        optionalDivisor = isOptional ? divisor : nil
    }

    /// Of the sweep file.
    public init(_ name: String, _ expression: MetricExpression) {
        self.name = name
        self.expression = expression
        isOwn = true
    }

    /// Any other of an engine, which a run may be without.
    ///
    /// - Returns: nil: it is no expression.
    package init?(ofEngine name: String, _ text: String) {
        guard let expression = try? MetricExpression(text) else { return nil }
        self.name = name
        self.expression = expression
        isOwn = false
    }

    /// As a person would write it: `1000 * l2.misses / instructions`.
    public var text: String { expression.text }

    /// The metrics that it needs.
    public var counters: [String] { expression.counters }

    fileprivate func isSame(as other: MetricFormula) -> Bool { expression.isSame(as: other.expression) }

    func value<Value: ExpressionValue>(
        blocks: Value, _ metric: (String) -> MetricExpression.Operand<Value>?
    ) -> Value? {
        expression.value(blocks: blocks, metric)
    }
}

extension MetricFormula {
    /// Those that the sweep defines.
    public static func own(of sweep: Sweep) -> [MetricFormula] {
        // The reader has refused what cannot be parsed.
        sweep.definitions.compactMap { definition in
            (try? MetricExpression(definition.expression)).map { MetricFormula(definition.name, $0) }
        }
    }
}

/// A metric that two sweeps work out by different formulas, so that its values cannot be held against each other.
package struct FormulaDifference: Sendable, Hashable {
    /// The metric whose formula differs: the one in question, or one that it needs.
    package var metric: String
    package var first: String
    package var second: String
}

extension FormulaDifference {
    /// - Returns: nil: both sweeps have the same formulas for the metric and all that it needs. Where only one of them
    ///   has a formula, the other was given the metric itself.
    package init?(of metric: String, _ first: [MetricFormula], _ second: [MetricFormula]) {
        var seen: Set<String> = []
        var open = [metric]
        while let name = open.popLast() {
            guard seen.insert(name).inserted else { continue }
            let found = [first, second].map { formulas in formulas.first { $0.name == name } }
            if let one = found[0], let other = found[1], !one.isSame(as: other) {
                self.init(metric: name, first: one.text, second: other.text)
                return
            }
            open += found.flatMap { $0?.counters ?? [] }
        }
        return nil
    }
}

extension Blocks {
    /// The metrics of one block, as they stood, then those that follow from them by formulas, in their order. A
    /// formula whose name the block has itself is left out.
    public func metrics(ofBlock index: Int, _ formulas: [MetricFormula]) -> [Metric] {
        Blocks([blocks[index]]).metrics(formulas)
    }

    /// The metrics of the run: of each name that every block has, the mean over the blocks; then by formula. A formula
    /// may use those before it.
    public func metrics(_ formulas: [MetricFormula]) -> [Metric] {
        var columns: [String: [String]] = [:]
        for block in blocks { for metric in block.metrics { columns[metric.name, default: []].append(metric.value) } }
        columns = columns.filter { $0.value.count == blocks.count }
        var metrics: [Metric] = []
        for metric in blocks.first?.metrics ?? [] {
            guard let values = columns[metric.name], let mean = Number.mean(values) else { continue }
            metrics.append(Metric(metric.name, mean))
        }
        var derived: [String: Sum] = [:]
        for formula in formulas where columns[formula.name] == nil {
            let value = formula.value(blocks: Sum(blocks.count)) { name in
                columns[name].flatMap { Sum($0) }.map { .sum($0) } ?? derived[name].map { .plain($0) }
            }
            guard let value else { continue }
            derived[formula.name] = value
            metrics.append(Metric(formula.name, value.text))
        }
        return metrics
    }
}
