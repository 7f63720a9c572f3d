package import Model

/// How much was measured of runs that may end as soon as a metric is known well enough.
package struct MeasuredAmount: Sendable {
    private let precision: Precision
    private let most: Int
    private var runs = 0
    private var invocations = 0
    private var early = 0

    /// nil: runs measure a fixed number of invocations.
    package init?(_ measure: Measure) {
        guard let until = measure.until else { return nil }
        precision = until
        most = measure.invocations
    }

    package mutating func add(_ row: DatasetRow) {
        guard let count = row.merged?.blocks.count else { return }
        runs += 1
        invocations += count
        if count < most { early += 1 }
    }

    /// What that saved; nil: there is no result yet.
    package var sentence: String? {
        guard runs > 0 else { return nil }
        let tenths = (Double(invocations) / Double(runs * most) * 1_000).rounded()
        let share = PeopleText.percentage(millionths: Int64(tenths) * 1_000)
        let metric = VisibleText.of(precision.metric, limit: 80)
        let rest = early < runs ? "; \(runs - early) measured all \(most)" : ""
        return "measured \(invocations) of at most \(PeopleText.count(runs * most, "invocation")) (\(share)): "
            + "\(early) of \(PeopleText.count(runs, "run")) ended early, as \(metric) was known to within "
            + "\(precision.text)\(rest)"
    }
}
