import Model

/// Summaries as rows of a table: one a group and metric.
public struct SummaryColumns: Sendable {
    /// A column that is neither an axis nor `workload`: the one place where it is said what is in it. The manual's
    /// table is compared with these.
    public struct Column: Sendable {
        public let name: String
        public let meaning: String
        /// Whether it is there only where a baseline was asked for.
        let isOfRatio: Bool
        /// Whether a screen shows it where nothing is said.
        let isShown: Bool
        let cell: @Sendable (SummaryGroup, MetricSummary) -> Cell

        fileprivate init(
            _ name: String, _ meaning: String, isOfRatio: Bool = false, isShown: Bool = true,
            _ cell: @escaping @Sendable (SummaryGroup, MetricSummary) -> Cell
        ) {
            self.name = name
            self.meaning = meaning
            self.isOfRatio = isOfRatio
            self.isShown = isShown
            self.cell = cell
        }
    }

    public static let all = ofValues + ofRatios + ofRuns

    private static let ofValues = [
        Column("metric", "the metric's name") { .text($1.metric) },
        Column("mean", "its value: for a point as in `results`, for a group the mean of its points' values") {
            number($1.summary?.mean)
        },
        Column("low", "lower end of the mean's interval") { number($1.summary?.interval?.lower) },
        Column("high", "upper end of the mean's interval") { number($1.summary?.interval?.upper) },
        Column("sd", "standard deviation of the values, with n - 1 as divisor") {
            number($1.summary?.standardDeviation)
        },
        Column("n", "how many values there are") { .integer($1.values.count) },
        Column(
            "varied", "what they differ in: `invocation`, `repeat`, `checkpoint`, or columns; empty for a single value"
        ) {
            .optional($0.varied.isEmpty || $1.values.count < 2 ? nil : $0.varied.joined(separator: " "))
        },
        Column("min", "the smallest value") { number($1.summary?.minimum) },
        Column("median", "the median of the values") { number($1.summary?.median) },
        Column("max", "the largest value") { number($1.summary?.maximum) },
    ]

    private static let ofRatios = [
        Column(
            "ratio", "mean divided by that of the baseline; for several pairs, the geometric mean", isOfRatio: true
        ) {
            number($1.ratio?.ratio)
        },
        Column("ratio_low", "lower end of the ratio's interval", isOfRatio: true) {
            number($1.ratio?.interval?.lower)
        },
        Column("ratio_high", "upper end of the ratio's interval", isOfRatio: true) {
            number($1.ratio?.interval?.upper)
        },
        Column("pairs", "how many points have a ratio", isOfRatio: true) { .integer($1.ratio?.ratios.count ?? 0) },
        Column("unpaired", "how many have none, because they or their baseline have no value", isOfRatio: true) {
            .integer($1.ratio?.unpaired ?? 0)
        },
    ]

    private static let ofRuns = [
        Column("points", "how many points the group has", isShown: false) { group, _ in .integer(group.points) },
        Column("runs", "how many runs they have", isShown: false) { group, _ in .integer(group.runs.all) },
        Column("missing", "how many of these have no results") { group, _ in .integer(group.runs.missing) },
        Column("failed", "of the missing, those that failed", isShown: false) { group, _ in
            .integer(group.runs.failed)
        },
        Column("quarantined", "of the missing, those in quarantine", isShown: false) { group, _ in
            .integer(group.runs.quarantined)
        },
        Column("cancelled", "of the missing, those that were cancelled", isShown: false) { group, _ in
            .integer(group.runs.cancelled)
        },
        Column("unfinished", "of the missing, those that have not ended", isShown: false) { group, _ in
            .integer(group.runs.unfinished)
        },
        Column(
            "without_value", "points, checkpoints, repeats or invocations with results but no finite value",
            isShown: false
        ) {
            .integer($1.withoutValue)
        },
        Column("drifting", "how many invocations at the beginning differ from the rest", isShown: false) {
            ofRuns($0) ? .integer($1.drift?.first ?? 0) : .empty
        },
        Column("trend", "1 if the rest still rises or falls, otherwise 0", isShown: false) { group, found in
            ofRuns(group) ? .integer(found.drift?.goesOn == true ? 1 : 0) : .empty
        },
    ]

    private let by: [String]
    private let columns: [Column]

    /// - Parameter by: what groups are named by, as ``Summarizer/by``.
    public init(by: [String], hasBaseline: Bool) {
        columns = SummaryColumns.all.filter { hasBaseline || !$0.isOfRatio }
        let taken = Set(columns.map(\.name))
        self.by = by.map { taken.contains($0) ? "axis.\($0)" : $0 }
    }

    public var names: [String] { by + columns.map(\.name) }

    /// Those that a screen shows where nothing is said.
    public var shownNames: [String] { by + columns.filter(\.isShown).map(\.name) }

    /// In the order of ``names``: a row for each metric.
    public func rows(_ group: SummaryGroup) -> [[Cell]] {
        group.metrics.map { found in
            group.key.map { .text($0) } + columns.map { $0.cell(group, found) }
        }
    }

    /// Whether its values are those of a point's runs.
    private static func ofRuns(_ group: SummaryGroup) -> Bool {
        group.points == 1 && [["invocation"], ["repeat"], [Names.checkpoint]].contains(group.varied)
    }

    private static func number(_ value: Double?) -> Cell { value.map { .number(Number.render($0)) } ?? .empty }
}
