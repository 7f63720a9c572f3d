/// A comparison as rows of a table: one a point and metric, and one for a point of which there is nothing to compare.
public struct ComparisonColumns: Sendable {
    public static let all: [(name: String, meaning: String)] = [
        (
            "metric", "the metric's name; empty for a point without results in one of the sweeps, and where only raw "
                + "statistics differ"
        ),
        ("first", "the metric's mean in the first sweep"),
        ("second", "the same in the second"),
        ("ratio", "second divided by first"),
        ("ratio_low", "lower end of the ratio's interval"),
        ("ratio_high", "upper end of the ratio's interval"),
        ("n", "how many values the second mean is of"),
        (
            "verdict",
            "`same`, `noise`, `higher`, `lower`, `differs` (nothing to judge noise by, or `--exact`), `only in first`, "
                + "`only in second`, `no result in first`, `no result in second`, `no result in either`"
        ),
        ("changed_first", "the first number that is not the same, of the raw statistics where both sweeps have them"),
    ]

    private let columns: [String]

    /// - Parameter columns: as ``SweepComparison/columns``.
    public init(_ columns: [String]) {
        let taken = Set(ComparisonColumns.all.map(\.name))
        self.columns = columns.map { taken.contains($0) ? "axis.\($0)" : $0 }
    }

    public var names: [String] { columns + ComparisonColumns.all.map(\.name) }

    /// - Parameter onlyDifferences: leaves out what is the same, or within the noise.
    public func rows(_ pair: SweepComparison.PointPair, onlyDifferences: Bool) -> [[Cell]] {
        let lead = pair.key.map { Cell.text($0) }
        let end = Cell.optional(pair.firstChange)
        let nothing: [Cell] = Array(repeating: .empty, count: 7)
        if let missing = pair.missing { return [lead + nothing + [.text(missing.rawValue), .empty]] }
        let shown = pair.metrics.filter { !onlyDifferences || $0.relation.isDifference }
        let rows = shown.map { metric -> [Cell] in
            // Beside a metric that is the same it would seem to be about that one.
            let isSame = metric.relation == .same || metric.relation == .noResult
            return lead + [
                .text(metric.metric), number(metric.first?.mean), number(metric.second?.mean),
                number(metric.ratio?.ratio), number(metric.ratio?.interval?.lower),
                number(metric.ratio?.interval?.upper), metric.second.map { .integer($0.n) } ?? .empty,
                .text(metric.relation.rawValue), isSame ? .empty : end,
            ]
        }
        // Something moved that is none of the metrics.
        let isHidden = pair.firstChange != nil
            && pair.metrics.allSatisfy { $0.relation == .same || $0.relation == .noResult }
        return rows + (isHidden ? [lead + nothing + [.text(SweepComparison.Relation.differs.rawValue), end]] : [])
    }

    private func number(_ value: Double?) -> Cell { value.map { .number(Number.render($0)) } ?? .empty }
}
