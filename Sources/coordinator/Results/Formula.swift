public import Model

/// A metric that follows from counters by a formula.
///
/// For one block it is taken from the block's own numbers; for a run from their sums over all blocks, so that a long
/// invocation weighs more than a short one. A division by 0 gives no value.
public struct MetricFormula: Sendable, Hashable {
    private enum Rule: Sendable, Hashable {
        /// `factor` x `dividend` / `divisor`, to the last digit.
        case ratio(factor: Int64, dividend: String, divisor: String)
        case expression(MetricExpression)
    }

    public var name: String
    private let rule: Rule

    public init(_ name: String, factor: Int64 = 1, _ dividend: String, per divisor: String) {
        self.name = name
        rule = .ratio(factor: factor, dividend: dividend, divisor: divisor)
    }

    public init(_ name: String, _ expression: MetricExpression) {
        self.name = name
        rule = .expression(expression)
    }

    /// As a person would write it: `1000 * l2.misses / instructions`.
    public var text: String {
        switch rule {
        case .ratio(let factor, let dividend, let divisor):
            (factor == 1 ? "" : "\(factor) * ") + "\(dividend) / \(divisor)"
        case .expression(let expression): expression.text
        }
    }

    /// The counters that it needs.
    public var counters: [String] {
        switch rule {
        case .ratio(_, let dividend, let divisor): [dividend, divisor]
        case .expression(let expression): expression.counters
        }
    }

    /// - Parameter sum: of a counter; nil: it is not there.
    package func value(_ sum: (String) -> Sum?) -> String? {
        switch rule {
        case .ratio(let factor, let dividend, let divisor):
            guard let dividend = sum(dividend), let divisor = sum(divisor) else { return nil }
            return Number.divide(dividend, divisor, times: factor)
        case .expression(let expression):
            return expression.value { sum($0)?.value }.map(Number.render)
        }
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

extension Blocks {
    /// The metrics of one block, as they stood, then those that follow from them by formulas, in their order. A
    /// formula whose name the block has itself is left out.
    public func metrics(ofBlock index: Int, _ formulas: [MetricFormula]) -> [Metric] {
        Blocks([blocks[index]]).metrics(formulas)
    }

    /// The metrics of the run: of each name that every block has, the mean over the blocks; then by formula, from
    /// sums over the blocks.
    public func metrics(_ formulas: [MetricFormula]) -> [Metric] {
        var columns: [String: [String]] = [:]
        for block in blocks { for metric in block.metrics { columns[metric.name, default: []].append(metric.value) } }
        columns = columns.filter { $0.value.count == blocks.count }
        var metrics: [Metric] = []
        for metric in blocks.first?.metrics ?? [] {
            guard let values = columns[metric.name], let mean = Number.mean(values) else { continue }
            metrics.append(Metric(metric.name, mean))
        }
        for formula in formulas where columns[formula.name] == nil {
            guard let value = formula.value({ columns[$0].flatMap(Sum.init) }) else { continue }
            metrics.append(Metric(formula.name, value))
        }
        return metrics
    }
}
