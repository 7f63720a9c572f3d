/// A metric that follows from two others: `factor` x `dividend` / `divisor`.
///
/// For one block it is taken from the block's own numbers; for a run it is the ratio of their sums over all
/// blocks, so that a long invocation weighs more than a short one. A divisor of 0 gives no value.
public struct MetricFormula: Sendable, Hashable {
    public var name: String
    public var factor: Int64
    public var dividend: String
    public var divisor: String

    public init(_ name: String, factor: Int64 = 1, _ dividend: String, per divisor: String) {
        self.name = name
        self.factor = factor
        self.dividend = dividend
        self.divisor = divisor
    }

    /// As a person would write it: `1000 x l2.misses / instructions`.
    public var text: String { (factor == 1 ? "" : "\(factor) x ") + "\(dividend) / \(divisor)" }

    /// What follows from the counters of engine `qemu`'s model: misses per 1,000 instructions, and miss ratios.
    public static let model: [MetricFormula] =
        ["l1i", "l1d", "l2", "llc", "itlb", "dtlb", "branch"].map {
            MetricFormula("\($0).mpki", factor: 1000, "\($0).misses", per: "instructions")
        }
        + ["l1i", "l1d", "l2", "llc"].map { MetricFormula("\($0).miss-ratio", "\($0).misses", per: "\($0).accesses") }
        + [MetricFormula("branch.miss-ratio", "branch.misses", per: "branches")]
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
            guard let dividend = columns[formula.dividend].flatMap(Sum.init),
                let divisor = columns[formula.divisor].flatMap(Sum.init),
                let value = Number.divide(dividend, divisor, times: formula.factor)
            else { continue }
            metrics.append(Metric(formula.name, value))
        }
        return metrics
    }
}
