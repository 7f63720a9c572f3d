import Model

/// Sums up runs by what they are of: values with their spread, and ratios to a baseline.
///
/// There are three steps, each with its own rule. Invocations make up a run, and repeats a point, by sums: a counter is
/// the mean per invocation, a formula what it gives for these means. So do the runs from several checkpoints, which
/// are samples of a guest's history, unless somebody asks for them one by one: then each makes points of its own.
/// Points make up a group by the mean of their values, so that each counts once, however long it runs.
public struct Summarizer: Sendable {
    /// What groups are named by, in the order of ``SummaryGroup/key``.
    public let by: [String]
    private let columns: [String]
    private let hasWorkloads: Bool
    private let question: SummaryQuestion
    private let plan: MetricPlan
    /// Of the plan's counters.
    private let places: [String: Int]
    /// In the order of their first runs.
    private var points: [PointSamples] = []
    private var placesOfPoints: [Digest: Int] = [:]
    /// Where among a row's values stands the checkpoint that it starts from, one of several of its point; nil: there is
    /// a single one, or each makes points of its own.
    private let samplePlace: Int?
    /// With a sample place, in place of the digests.
    private var placesOfKeys: [[String]: Int] = [:]

    /// - Parameters:
    ///   - axes: of the rows' values, ``Names/checkpoint`` among them where there are several.
    ///   - hasWorkloads: whether `workload` is a column, too.
    ///   - formulas: those of the sweep's metrics.
    /// - Throws: ``Failure`` (`usage`) for a name that is neither an axis nor `workload`.
    public init(axes: [String], hasWorkloads: Bool, _ question: SummaryQuestion, formulas: [MetricFormula]) throws {
        let known = (hasWorkloads ? ["workload"] : []) + axes
        let isAsked = question.by?.contains(Names.checkpoint) == true || question.baseline?.axis == Names.checkpoint
        samplePlace = isAsked ? nil : axes.firstIndex(of: Names.checkpoint)
        columns = isAsked ? known : known.filter { $0 != Names.checkpoint }
        self.hasWorkloads = hasWorkloads
        self.question = question
        var by = question.by ?? columns
        if let axis = question.baseline?.axis, !by.contains(axis) { by.append(axis) }
        self.by = by
        let baselines = question.baseline.map { [$0.axis] } ?? []
        for (option, names) in [("--by", question.by ?? []), ("--baseline", baselines)] {
            for (place, name) in names.enumerated() {
                if !hasWorkloads, name == "workload", !columns.contains(name) {
                    throw Failure(
                        .usage, "\(option) workload: this sweep has no workloads; "
                            + (axes.isEmpty ? "it has no axes, either" : "its axes are \(PeopleText.list(axes))"))
                }
                guard columns.contains(name) else {
                    throw Failure(.usage, "\(option) \(Names.shown(name)): \(Names.suggestion(name, in: known))")
                }
                if names[..<place].contains(name) {
                    throw Failure(.usage, "\(option) names \(Names.shown(name)) twice")
                }
            }
        }
        plan = MetricPlan(question.metrics, formulas)
        places = plan.places
    }

    /// - Returns: which point it is of, by a number of its own.
    @discardableResult
    public mutating func add(_ row: DatasetRow) -> Int {
        let place = place(of: row)
        points[place].add(row, from: samplePlace.map { row.values[$0] } ?? "", places)
        return place
    }

    private mutating func place(of row: DatasetRow) -> Int {
        if let samplePlace {
            var values = row.values
            values.remove(at: samplePlace)
            let key = key(row, values)
            if let place = placesOfKeys[key] { return place }
            placesOfKeys[key] = points.count
            points.append(PointSamples(key))
        } else {
            if let place = placesOfPoints[row.point] { return place }
            placesOfPoints[row.point] = points.count
            points.append(PointSamples(key(row, row.values)))
        }
        return points.count - 1
    }

    private func key(_ row: DatasetRow, _ values: [String]) -> [String] {
        (hasWorkloads ? [row.workload ?? ""] : []) + values
    }

    /// The groups in the order of their first points.
    ///
    /// - Throws: ``Failure`` (`usage`) for a baseline that no point has.
    public func groups() throws -> [SummaryGroup] {
        let keyPlaces = by.compactMap { columns.firstIndex(of: $0) }
        var members: [[String]: [Int]] = [:]
        var order: [[String]] = []
        for (index, point) in points.enumerated() {
            let key = keyPlaces.map { point.key[$0] }
            if members[key] == nil { order.append(key) }
            members[key, default: []].append(index)
        }
        let baseline = try question.baseline.map { try Baseline($0, columns, points) }
        // Many groups ask for the same baseline.
        var known: [Int: [Double]] = [:]
        return order.map { group($0, members[$0] ?? [], baseline, &known) }
    }

    private func group(
        _ key: [String], _ members: [Int], _ baseline: Baseline?, _ known: inout [Int: [Double]]
    ) -> SummaryGroup {
        var runs = RunCounts()
        for member in members { runs.add(points[member].runs) }
        let single = members.count == 1 ? points[members[0]] : nil
        let units = single.map { $0.units(plan) } ?? grouped(members, &known)
        let metrics = summaries(units, single)
        var group = SummaryGroup(
            key: key, points: members.count, runs: runs, varied: varied(members, units),
            identicalRuns: single?.identicalRuns ?? 1, metrics: metrics)
        guard let baseline else { return group }
        let ratios = single == nil
            ? baseline.geometric(members, plan.metrics, question.confidence) { values(of: $0, &known) }
            : baseline.paired(members[0], units, plan, points, question.confidence)
        for place in ratios.indices { group.metrics[place].ratio = ratios[place] }
        return group
    }

    /// By metric, the value of a point; nan: there is none.
    private func values(of point: Int, _ known: inout [Int: [Double]]) -> [Double] {
        if let values = known[point] { return values }
        let values = points[point].units(plan)?.together ?? plan.metrics.map { _ in .nan }
        known[point] = values
        return values
    }

    private func grouped(_ members: [Int], _ known: inout [Int: [Double]]) -> Units? {
        let values = members.map { self.values(of: $0, &known) }
        return Units(points: plan.metrics.indices.map { place in values.map { $0[place] } }, plan.metrics)
    }

    /// - Parameter single: the point that the units are of; nil: they are points.
    private func summaries(_ units: Units?, _ single: PointSamples?) -> [MetricSummary] {
        guard let units else {
            return plan.metrics.map { MetricSummary(metric: $0, values: [], withoutValue: 0) }
        }
        let intervals = question.hasIntervals ? units.intervals(question.confidence) : plan.metrics.map { _ in nil }
        let drifts = single?.drifts(plan) ?? plan.metrics.map { _ in nil }
        return plan.metrics.enumerated().map { place, metric in
            let values = units.values[place].filter { !$0.isNaN }
            let mean = units.together[place]
            var summary: Summary?
            if !mean.isNaN, !values.isEmpty {
                summary = Summary(values, mean: mean, interval: intervals[place])
            }
            return MetricSummary(
                metric: metric, summary: summary, values: values, withoutValue: units.table.count - values.count,
                drift: drifts[place])
        }
    }

    private func varied(_ members: [Int], _ units: Units?) -> [String] {
        switch units?.kind {
        case nil: return []
        case .invocation: return (units?.table.count ?? 0) > 1 ? ["invocation"] : []
        case .repetition: return ["repeat"]
        case .checkpoint: return [Names.checkpoint]
        case .point:
            let first = points[members[0]].key
            return columns.indices.filter { column in
                members.contains { points[$0].key[column] != first[column] }
            }.map { columns[$0] }
        }
    }
}
