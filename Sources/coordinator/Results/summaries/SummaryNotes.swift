import Model

/// What a reader of summaries must know beside the numbers, in sentences.
public enum SummaryNotes {
    /// - Parameters:
    ///   - command: a command of this program for the same sweep, by its name.
    ///   - warm: how many invocations of a run are not measured as it is.
    ///   - canWarm: whether the sweep's engine lets invocations pass before those that are measured.
    ///   - canResume: whether no coordinator works on it.
    public static func of(
        _ groups: [SummaryGroup], confidence: Double, warm: Int, canWarm: Bool, canResume: Bool,
        command: (String) -> String
    ) -> [String] {
        var notes: [String] = []
        let metrics = groups.lazy.flatMap(\.metrics)
        if metrics.contains(where: { $0.summary?.interval != nil || $0.ratio?.interval != nil }) {
            let share = PeopleText.percentage(millionths: Int64((confidence * 1_000_000).rounded()))
            notes.append(
                "low and high: \(share) intervals from \(Resampling.resamples) bootstrap resamples; "
                    + "below \(Intervals.enough) values at least as wide as Student's t")
        }
        return notes + numbers(groups)
            + warnings(groups, warm: warm, canWarm: canWarm, canResume: canResume, command: command)
    }

    /// Values that cannot be summed up, by metric.
    private static func numbers(_ groups: [SummaryGroup]) -> [String] {
        var notes: [String] = []
        for place in groups.first?.metrics.indices ?? 0..<0 {
            let found = groups.map { $0.metrics[place] }
            let name = VisibleText.of(found[0].metric)
            let beyond = found.count { one in
                one.summary.map { $0.n > 1 && $0.standardDeviation == nil } ?? (one.values.count > 1)
            }
            if beyond > 0 {
                let groups = count(beyond, groups.contains { $0.points > 1 } ? "group" : "point")
                notes.append(
                    "\(name): in \(groups) the mean or the standard deviation is beyond what a number can hold")
            }
            let without = found.count { one in
                one.ratio.map { $0.ratio == nil && $0.ratios.contains { $0 <= 0 } } ?? false
            }
            if without > 0 {
                notes.append(
                    "\(name): no geometric mean in \(count(without, "group")), because ratios are zero or negative")
            }
        }
        return notes
    }

    /// Those that are about the runs, whatever is shown of them.
    public static func warnings(
        _ groups: [SummaryGroup], warm: Int, canWarm: Bool, canResume: Bool, command: (String) -> String
    ) -> [String] {
        var notes: [String] = []
        let runs = groups.reduce(into: RunCounts()) { $0.add($1.runs) }
        if runs.missing > 0 {
            let isOpen = runs.unfinished == runs.missing
            let advice = isOpen && canResume ? "Run them: \(command("resume"))" : "See why: \(command("status"))"
            notes.append(
                "\(runs.missing) of \(count(runs.all, "run")) \(runs.missing == 1 ? "has" : "have") no results: "
                    + "\(kinds(runs)). \(advice)")
        }
        let identical = groups.filter { $0.identicalRuns > 1 }
        if !identical.isEmpty {
            let what = identical.contains { $0.varied == [Names.checkpoint] } ? "all repeats from one checkpoint"
                : "all runs"
            notes.append("\(count(identical.count, "point")): \(what) gave the same numbers, and count as one run")
        }
        if let drift = drifting(groups, warm: warm, canWarm: canWarm) { notes.append(drift) }
        return notes
    }

    private static func kinds(_ runs: RunCounts) -> String {
        let kinds = [
            (runs.failed, "failed"), (runs.quarantined, "quarantined"), (runs.cancelled, "cancelled"),
            (runs.unfinished, "not ended"),
        ]
        return kinds.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
    }

    /// Of the invocations of one run; nil: none of them drifts.
    public static func ofRun(_ metrics: [MetricSummary], warm: Int, canWarm: Bool) -> String? {
        text(metrics, "", warm: warm, canWarm: canWarm).map { "Of its invocations, \($0)." }
    }

    /// What is said of points whose first invocations differ; nil: none has such.
    private static func drifting(_ groups: [SummaryGroup], warm: Int, canWarm: Bool) -> String? {
        let points = groups.count { $0.metrics.contains { $0.drift != nil } }
        let place = "of the invocations in \(points) of \(count(groups.count, "point")), "
        return text(groups.flatMap(\.metrics), place, warm: warm, canWarm: canWarm)
    }

    private static func text(_ metrics: [MetricSummary], _ place: String, warm: Int, canWarm: Bool) -> String? {
        let found = metrics.compactMap { one in one.drift.map { (one.metric, $0) } }
        guard let (metric, worst) = found.max(by: { $0.1.shift.magnitude < $1.1.shift.magnitude }) else { return nil }
        let first = found.map(\.1.first).max() ?? 0
        let goesOn = found.contains { $0.1.goesOn }
        guard first > 0 else { return "\(place)the values rise or fall up to the last: warm or measure more" }
        let more = worst.shift > 0 ? "higher" : "lower"
        let which = first == 1 ? "first differs" : "first \(first) differ"
        let shift = "\(VisibleText.of(metric)) is up to \(percent(worst.shift.magnitude)) \(more) with them"
        let advice = canWarm
            ? "leave them out with: measure: {warm: \(warm + first)}"
            : "let the program leave them out, or measure more"
        return "\(place)the \(which) from the rest (\(shift)); \(advice)"
            + (goesOn ? "; the rest still rises or falls" : "")
    }

    private static func count(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }

    private static func percent(_ share: Double) -> String {
        PeopleText.percentage(millionths: Int64((min(share, 1e6) * 10_000).rounded()) * 100)
    }
}
