import ArgumentParser
import Model
import Results

/// Whether runs are summed up, and how.
struct SpreadOptions: ParsableArguments {
    @Flag(
        name: .long,
        help: "Show the mean of each point and metric with interval, standard deviation, n, minimum, median, maximum.")
    var spread = false

    @Option(
        name: .long,
        help: ArgumentHelp(
            "The same for groups of points with equal values of these axes (or workload): names separated by commas, "
                + "or repeated.",
            valueName: "axis,..."),
        completion: Completions.groupings)
    var by: [String] = []

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Also show ratios to the points with this value, paired by all other axes; for groups, their geometric "
                + "mean.",
            valueName: "axis=value"),
        completion: Completions.conditions)
    var baseline: String?

    @OptionGroup var confidence: ConfidenceOption

    /// Whether anything of it was asked for.
    var isWanted: Bool { spread || !by.isEmpty || baseline != nil }

    /// - Throws: `ValidationError`.
    func validate() throws {
        if confidence.confidence != nil, !isWanted {
            throw ValidationError("--confidence is for intervals: add --spread, --by or --baseline.")
        }
        if !by.isEmpty, Names.listed(by).isEmpty { throw ValidationError("--by names axes, as in --by l2.size.") }
        if let baseline { _ = try SpreadOptions.assignment(baseline, []) }
    }

    /// - Parameter axes: those of the sweep, which may have equals signs in their names.
    func question(axes: [String]) throws -> SummaryQuestion {
        try SummaryQuestion(
            metrics: [], by: by.isEmpty ? nil : Names.listed(by, known: axes),
            baseline: baseline.map { try SpreadOptions.assignment($0, axes) },
            confidence: confidence.share())
    }

    /// What `--baseline` names, of every command that has it.
    ///
    /// - Parameter axes: those of the sweep, which may have equals signs in their names, as their values may.
    /// - Throws: `ValidationError` where it is no assignment.
    static func assignment(_ text: String, _ axes: [String]) throws -> Assignment {
        let signs = text.indices.filter { text[$0] == "=" }
        guard let sign = signs.last(where: { axes.contains(String(text[..<$0])) }) ?? signs.first,
            sign > text.startIndex
        else { throw ValidationError("--baseline \(Names.shown(text)): write AXIS=VALUE.") }
        return Assignment(axis: String(text[..<sign]), value: String(text[text.index(after: sign)...]))
    }
}

/// How sure intervals are.
struct ConfidenceOption: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("Confidence of the intervals (default: 95%).", valueName: "percent"))
    var confidence: String?

    func validate() throws { _ = try share() }

    /// From 0.5 to below 1.
    ///
    /// - Throws: `ValidationError`.
    func share() throws -> Double {
        guard let confidence else { return 0.95 }
        guard let millionths = try? Quantity.millionths(confidence), (500_000..<1_000_000).contains(millionths) else {
            throw ValidationError(
                "--confidence \(Names.shown(confidence)): write a percentage from 50% to below 100%, as in 99%.")
        }
        return Double(millionths) / 1_000_000
    }
}
