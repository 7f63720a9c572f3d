import Model

/// Two sweeps, point by point: the first is what the second is held against.
///
/// Points belong together that have the same workload and the same values of the axes that both sweeps have, whatever
/// their identities: these differ where two builds or two systems are compared. What a point gave from several
/// checkpoints is taken together.
public struct SweepComparison: Sendable {
    public enum Side: Int, Sendable, Hashable, CaseIterable {
        case first, second
    }

    /// How a metric, or a whole point, of the second sweep stands to that of the first.
    public enum Relation: String, Sendable, Hashable, CaseIterable {
        /// The same numbers in all invocations, repeats and checkpoints.
        case same = "same"
        /// Other numbers, and the ratio's interval holds 1, or there is none and the means are the same.
        case noise = "noise"
        /// Of the second sweep, beyond the noise.
        case higher = "higher"
        case lower = "lower"
        /// Other numbers, with nothing to tell the noise by: a single value, or no variance.
        case differs = "differs"
        case onlyInFirst = "only in first"
        case onlyInSecond = "only in second"
        case noResultInFirst = "no result in first"
        case noResultInSecond = "no result in second"
        /// Nothing to compare.
        case noResult = "no result in either"

        public var isDifference: Bool { self != .same && self != .noise && self != .noResult }
    }

    public struct MetricPair: Sendable, Hashable {
        public var metric: String
        public var first: Summary?
        public var second: Summary?
        /// Second divided by first.
        public var ratio: RatioSummary?
        public var relation: Relation
        /// Whether the runs wrote other digits: of whole numbers above 2^53 a mean does not have them all.
        public var hasOtherDigits = false

        /// Without a judgement about noise: other numbers are a difference.
        public var exactly: MetricPair {
            var pair = self
            if [.noise, .higher, .lower].contains(relation) || hasOtherDigits { pair.relation = .differs }
            return pair
        }
    }

    public struct PointPair: Sendable, Hashable {
        /// Values of the common columns.
        public var key: [String]
        /// nil: both have results; then the metrics tell.
        public var missing: Relation?
        public var metrics: [MetricPair]
        /// The first number that is not the same, in the order of checkpoints, repeats, invocations and the source;
        /// nil: none.
        public var firstChange: String?

        public var isSame: Bool {
            missing == nil && firstChange == nil
                && metrics.allSatisfy { $0.relation == .same || $0.relation == .noResult }
        }
    }

    /// Which of a point's runs one is.
    public struct Sample: Sendable, Hashable {
        /// Empty: there is a single checkpoint, or none.
        var checkpoint: String
        var repetition: Int

        /// - Parameter names: all axes of the row's sweep.
        public init(_ row: DatasetRow, names: [String]) {
            checkpoint = names.firstIndex(of: Names.checkpoint).map { row.values[$0] } ?? ""
            repetition = row.repetition
        }

        fileprivate var words: String {
            (checkpoint.isEmpty ? "" : "checkpoint \(checkpoint), ") + "repeat \(repetition)"
        }

        fileprivate var order: (Int, Int) { (Int(checkpoint) ?? 0, repetition) }
    }

    /// Axes that both have, after `workload` where both have it.
    public let columns: [String]
    private let axes: [String]
    private let hasWorkloads: Bool
    private var summarizer: Summarizer
    /// By side: which points there are, with the values that the other side has no column for.
    private var points: [[[String]: [String]]] = [[:], [:]]
    private var order: [[String]] = []
    /// Of each point what its runs gave.
    private var results: [[[String]: [Sample: Blocks]]] = [[:], [:]]

    /// No axis can have this name.
    private static let sideColumn = "\u{1}side"

    /// - Parameter names: of axes that both sweeps have.
    public init(
        axes names: [String], hasWorkloads: Bool, metrics: [String], formulas: [MetricFormula], confidence: Double
    ) throws {
        axes = names.filter { $0 != Names.checkpoint }
        self.hasWorkloads = hasWorkloads
        columns = (hasWorkloads ? ["workload"] : []) + axes
        let baseline = Assignment(axis: SweepComparison.sideColumn, value: "\(Side.first.rawValue)")
        var question = SummaryQuestion(metrics: metrics, baseline: baseline, confidence: confidence)
        question.hasIntervals = false
        summarizer = try Summarizer(
            axes: axes + [Names.checkpoint, SweepComparison.sideColumn], hasWorkloads: hasWorkloads, question,
            formulas: formulas)
    }

    /// - Parameters:
    ///   - row: its values are those of `names`.
    ///   - names: all axes of its sweep.
    /// - Returns: its values of ``columns``.
    /// - Throws: ``Failure`` (`usage`) where two points of a sweep have the same common values.
    @discardableResult
    public mutating func add(_ row: DatasetRow, names: [String], _ side: Side) throws -> [String] {
        let values = axes.map { axis in names.firstIndex(of: axis).map { row.values[$0] } ?? "" }
        let key = (hasWorkloads ? [row.workload ?? ""] : []) + values
        let more = names.indices.filter { !axes.contains(names[$0]) && names[$0] != Names.checkpoint }
        let rest = [row.workload ?? ""] + more.map { row.values[$0] }
        if let other = points[side.rawValue][key], other != rest {
            throw ambiguity(key, more.map { names[$0] }, side)
        }
        if points.allSatisfy({ $0[key] == nil }) { order.append(key) }
        points[side.rawValue][key] = rest
        let sample = Sample(row, names: names)
        if let blocks = row.merged { results[side.rawValue][key, default: [:]][sample] = blocks }
        var row = row
        row.values = values + [sample.checkpoint, "\(side.rawValue)"]
        summarizer.add(row)
        return key
    }

    /// Several points of a sweep have the same common values.
    private func ambiguity(_ key: [String], _ more: [String], _ side: Side) -> Failure {
        let which = side == .first ? "first" : "second"
        let conditions = more.map { "--where '\($0)=VALUE'" }.joined(separator: " ")
        if columns.isEmpty {
            return Failure(
                .usage, "the sweeps have no axis in common; the \(which) varies \(PeopleText.list(more)): choose one "
                    + "value of each: \(conditions)")
        }
        return Failure(
            .usage, "several points of the \(which) sweep have \(SweepComparison.words(key, columns)): they differ in "
                + "\(Names.list(more)), which the other sweep does not have as an axis. Choose one value of each: "
                + conditions)
    }

    /// In the order of the first sweep, then what only the second has.
    public func pairs() throws -> [PointPair] {
        let hasFirst = !points[Side.first.rawValue].isEmpty
        var found: [[String]: [MetricSummary]] = [:]
        for group in hasFirst ? try summarizer.groups() : [] { found[group.key] = group.metrics }
        return order.map { key in
            let summaries = Side.allCases.map { found[key + ["\($0.rawValue)"]] ?? [] }
            if let missing = missing(key) { return PointPair(key: key, missing: missing, metrics: []) }
            let change = change(key)
            let metrics = zip(summaries[0], summaries[1]).map { first, second in
                var pair = SweepComparison.judge(first, second)
                pair.hasOtherDigits = change != nil && pair.relation == .same && hasOtherDigits(key, pair.metric)
                return pair
            }
            return PointPair(key: key, metrics: metrics, firstChange: change)
        }
    }

    private func missing(_ key: [String]) -> Relation? {
        if points[1][key] == nil { return .onlyInFirst }
        if points[0][key] == nil { return .onlyInSecond }
        if results[0][key] == nil { return results[1][key] == nil ? .noResult : .noResultInFirst }
        return results[1][key] == nil ? .noResultInSecond : nil
    }

    private static func judge(_ first: MetricSummary, _ second: MetricSummary) -> MetricPair {
        var pair = MetricPair(
            metric: first.metric, first: first.summary, second: second.summary, ratio: second.ratio, relation: .same)
        if first.summary == nil, second.summary == nil {
            pair.relation = .noResult
            return pair
        }
        // However many there are: what never varies is the same.
        let isSteady = !varies(first) && !varies(second) && !first.values.isEmpty && !second.values.isEmpty
        if first.values == second.values || isSteady, first.summary?.mean == second.summary?.mean { return pair }
        if let interval = second.ratio?.interval, varies(first) || varies(second) {
            pair.relation = interval.lower > 1 ? .higher : interval.upper < 1 ? .lower : .noise
        } else if first.summary == nil || second.summary == nil {
            pair.relation = first.summary == nil ? .noResultInFirst : .noResultInSecond
        } else if varies(first) || varies(second), first.summary?.mean == second.summary?.mean {
            // No interval, as some of the values are 0; what varies and has the same mean shows no difference.
            pair.relation = .noise
        } else {
            pair.relation = .differs
        }
        return pair
    }

    private static func varies(_ summary: MetricSummary) -> Bool {
        summary.values.contains { $0 != summary.values[0] }
    }

    private func hasOtherDigits(_ key: [String], _ metric: String) -> Bool {
        (results[0][key] ?? [:]).contains { sample, blocks in
            guard let other = results[1][key]?[sample] else { return false }
            return zip(blocks.blocks, other.blocks).contains { $0[metric] != $1[metric] }
        }
    }

    private func change(_ key: [String]) -> String? {
        let (first, second) = (results[0][key] ?? [:], results[1][key] ?? [:])
        for sample in Set(first.keys).union(second.keys).sorted(by: { $0.order < $1.order }) {
            guard let one = first[sample], let other = second[sample] else {
                return "\(sample.words) is in one sweep only"
            }
            guard let change = SweepComparison.change(one, other) else { continue }
            return first.count > 1 || second.count > 1 ? "\(sample.words), \(change)" : change
        }
        return nil
    }

    private static func change(_ first: Blocks, _ second: Blocks) -> String? {
        for (index, (one, other)) in zip(first.blocks, second.blocks).enumerated() where one != other {
            let values = other.byName
            for metric in one.metrics where values[metric.name] != metric.value {
                let value = values[metric.name] ?? "none"
                return "invocation \(index + 1), \(VisibleText.of(metric.name)): \(metric.value), then \(value)"
            }
            let known = one.byName
            if let more = other.metrics.first(where: { known[$0.name] == nil }) {
                return "invocation \(index + 1), \(VisibleText.of(more.name)): none, then \(more.value)"
            }
        }
        guard first.blocks.count != second.blocks.count else { return nil }
        return "\(PeopleText.count(first.blocks.count, "invocation")), then \(second.blocks.count)"
    }

    /// Values as people write them: `l2.size=1MiB tage`.
    public static func words(_ key: [String], _ columns: [String]) -> String {
        VisibleText.of(zip(columns, key).map { "\($0)=\($1)" }.joined(separator: " "))
    }
}
