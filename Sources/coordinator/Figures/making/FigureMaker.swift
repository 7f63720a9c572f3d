internal import Model
public import Results

/// Makes a figure of a sweep's runs: is given them one by one, in their order.
public struct FigureMaker {
    public private(set) var request: FigureRequest
    let subject: FigureSubject
    /// Of the values that stand side by side.
    private var summarizer: Summarizer?
    /// Of what stands for all categories.
    private var means: Summarizer?
    /// Of figures that show single values.
    private var samples = FigureSamples()
    private var runs = RunCounts()
    /// Whether any of its runs succeeded, by point.
    private var points: [Int: Bool] = [:]

    /// - Throws: ``Failure`` (`usage`) for what the sweep does not have, and for what no figure can show at once.
    public init(_ request: FigureRequest, _ subject: FigureSubject) throws {
        var request = request
        if request.kind == nil, let x = request.x, !subject.columns.contains(x), subject.unitIsKnownOf(x) {
            request.kind = .scatter
        }
        try request.check(subject)
        try self.init(checked: request, subject)
    }

    /// Of a figure for each metric of the request, all else being the same: see ``figures()``.
    ///
    /// - Throws: ``Failure`` (`usage`) as ``init(_:_:)`` does for any of them.
    public init(each request: FigureRequest, _ subject: FigureSubject) throws {
        for metric in request.y {
            var one = request
            one.y = [metric]
            try one.check(subject)
        }
        try self.init(checked: request, subject)
    }

    private init(checked request: FigureRequest, _ subject: FigureSubject) throws {
        self.request = request
        self.subject = subject
        if request.kind?.showsSingleValues != true {
            summarizer = try summarizer(by: [request.facet, request.x, request.series])
            if request.hasGeometricMean { means = try summarizer(by: [request.facet, request.series]) }
        }
    }

    private func summarizer(by names: [String?]) throws -> Summarizer {
        let question = SummaryQuestion(
            metrics: request.y, by: names.compactMap { $0 }, baseline: request.baseline)
        return try Summarizer(
            axes: subject.axes, hasWorkloads: subject.hasWorkloads, question, formulas: subject.formulas)
    }

    public mutating func add(_ row: DatasetRow) {
        runs.add(row.state)
        if let point = summarizer?.add(row) {
            points[point] = points[point] == true || row.state == .succeeded
        }
        means?.add(row)
        guard request.kind?.showsSingleValues == true else { return }
        samples.add(row, request, subject)
    }

    /// - Throws: ``Failure`` (`usage`) for a baseline that no point has.
    public func figure() throws -> Figure {
        guard let summarizer else { return limited(singleValues()) }
        return try figure(try summarizer.groups(), by: summarizer.by)
    }

    /// One for each metric. Not of kinds that show single values.
    ///
    /// - Throws: ``Failure`` (`usage`) for a baseline that no point has.
    public func figures() throws -> [Figure] {
        guard let summarizer else { return [] }
        let groups = try summarizer.groups()
        return try request.y.enumerated().map { place, metric in
            var one = self
            one.request.y = [metric]
            return try one.figure(
                groups.map { group in
                    var group = group
                    group.metrics = [group.metrics[place]]
                    return group
                }, by: summarizer.by)
        }
    }

    private func figure(_ groups: [SummaryGroup], by: [String]) throws -> Figure {
        try checkBaseline(groups, by: by)
        var figure = try summarized(groups, by: by)
        figure.notes = notes(groups) + figure.notes
        let withoutMean = figure.panels.reduce(0) { $0 + $1.marks.count { $0.absent == FigureMaker.noGeometricMean } }
        if withoutMean > 0 {
            let means = PeopleText.count(withoutMean, "geometric mean")
            figure.notes.append("\(means) not drawn: a ratio is not above 0.")
        }
        return limited(figure)
    }

    /// - Throws: ``Failure`` (`usage`) where the baseline is 0, and no ratio is left to draw.
    private func checkBaseline(_ groups: [SummaryGroup], by: [String]) throws {
        guard let baseline = request.baseline, let place = by.firstIndex(of: baseline.axis),
            groups.allSatisfy({ $0.metrics.allSatisfy { $0.ratio?.ratios.isEmpty != false } }),
            let zero = groups.lazy.filter({ $0.key[place] == baseline.value }).flatMap(\.metrics)
                .first(where: { $0.summary?.mean == 0 })
        else { return }
        throw Failure(
            .usage, "\(zero.metric) is 0 at \(Names.shown("\(baseline.axis)=\(baseline.value)")), so there are no "
                + "ratios to it; name another --baseline")
    }

    // MARK: Summaries

    /// The distinct values of a column in the order in which a figure has them.
    private func order(of name: String?, _ groups: [SummaryGroup], by: [String]) -> AxisOrder {
        guard let name, let place = by.firstIndex(of: name) else { return AxisOrder([""]) }
        var seen: Set<String> = []
        let values = groups.map { $0.key[place] }.filter { seen.insert($0).inserted }
        return name == "workload" ? AxisOrder(words: values) : AxisOrder(values)
    }

    private func summarized(_ groups: [SummaryGroup], by: [String]) throws -> Figure {
        let xs = order(of: request.x, groups, by: by)
        let facets = order(of: request.facet, groups, by: by)
        var names = request.y.count > 1 ? request.y : order(of: request.series, groups, by: by).values
        // All of it would be 1: the line across says so.
        if let baseline = request.baseline, baseline.axis == request.series, names.count > 1 {
            names.removeAll { $0 == baseline.value }
        }
        var panels = facets.values.map { FigurePanel($0) }
        let places = FigurePlaces(xs.values, names, facets.values, request, by: by)
        for group in groups { places.add(group, to: &panels) { mark(of: $0, in: group) } }
        var categories = xs.values.map { FigureCategory($0) }
        if let means {
            for group in try means.groups() {
                FigurePlaces(nil, names, facets.values, request, by: means.by, category: categories.count)
                    .add(group, to: &panels) { mark(of: $0, in: group) }
            }
            categories.append(FigureCategory("geomean", isSummary: true))
        }
        for index in panels.indices {
            panels[index].marks.sort { ($0.series, $0.category) < ($1.series, $1.category) }
        }
        let kind = request.kind ?? (means == nil && xs.isMeasure && xs.values.count > 2 ? .lines : .bars)
        return Figure(
            kind, x: FigureAxis(request.x ?? "", positions: means == nil ? xs.positions : nil), y: yAxis,
            seriesTitle: request.y.count > 1 ? "" : request.series ?? "", categories: categories, series: names,
            panels: panels, facetTitle: request.facet ?? "", reference: request.baseline == nil ? nil : 1)
    }

    private var yAxis: FigureAxis {
        let unit = request.y.lazy.compactMap { subject.unit(of: $0) }.first
        let title = request.y.count == 1 ? request.y[0] : request.baseline == nil ? "" : "value"
        guard let baseline = request.baseline else { return FigureAxis(title, unit: unit) }
        return FigureAxis("\(title) relative to \(baseline.value)")
    }

    private func mark(of metric: MetricSummary, in group: SummaryGroup) -> FigureMark {
        var mark = FigureMark(category: 0, series: 0, value: metric.summary?.mean, count: metric.values.count)
        if request.baseline != nil {
            mark.value = metric.ratio?.ratio
            mark.count = metric.ratio?.ratios.count ?? 0
        }
        if let interval = shownInterval(metric), interval.lower < interval.upper {
            mark.interval = interval.lower...interval.upper
        }
        if mark.value == nil { mark.absent = absence(metric, group.runs) }
        return mark
    }

    private func absence(_ metric: MetricSummary, _ runs: RunCounts) -> String {
        if metric.ratio?.ratios.isEmpty == false { return FigureMaker.noGeometricMean }
        if metric.summary != nil { return "its baseline has no value" }
        return runs.missing > 0 ? Self.words(runs) : "no finite value"
    }

    private static let noGeometricMean = "a ratio is not above 0"

    // MARK: Notes

    /// How runs ended that have no result: "1 failed, 2 quarantined".
    static func words(_ runs: RunCounts) -> String {
        [
            (runs.failed, "failed"), (runs.quarantined, "quarantined"), (runs.cancelled, "cancelled"),
            (runs.unfinished, "not ended"),
        ].filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
    }

    private func notes(_ groups: [SummaryGroup]) -> [String] {
        var varied: [String] = []
        for group in groups { varied += group.varied.filter { !varied.contains($0) } }
        let samples = ["invocation", "repeat", Names.checkpoint]
        let columns = varied.filter { !samples.contains($0) }
        var notes: [String] = []
        if let baseline = request.baseline {
            let many = columns.isEmpty ? "" : "; the geometric mean over \(PeopleText.list(columns))"
            notes.append("Relative to \(baseline.axis)=\(baseline.value), which is 1\(many).")
        } else if !columns.isEmpty {
            notes.append("Means over \(PeopleText.list(columns)), each point once.")
        }
        let hasIntervals = groups.contains { $0.metrics.contains { shownInterval($0) != nil } }
        if hasIntervals, request.kind != .stacks, request.kind != .heatmap {
            let over = varied.map { samples.contains($0) ? $0 + "s" : $0 }
            notes.append("Error bars: 95% intervals over \(PeopleText.list(over)).")
        }
        if request.baseline == nil, groups.contains(where: { $0.metrics.contains { $0.values.count == 2 } }) {
            notes.append(
                "No error bars for two values: their interval is many times wider than their difference.")
        }
        return notes + missing(groups)
    }

    private func shownInterval(_ metric: MetricSummary) -> Interval? {
        guard request.baseline == nil else { return metric.ratio?.interval }
        return metric.values.count > 2 ? metric.summary?.interval : nil
    }

    private func missing(_ groups: [SummaryGroup]) -> [String] {
        var notes = missingRuns()
        guard request.baseline == nil else {
            let unpaired = groups.flatMap(\.metrics).reduce(0) { $0 + ($1.ratio?.unpaired ?? 0) }
            guard unpaired > 0 else { return notes }
            let values = PeopleText.count(unpaired, "value")
            return notes + ["\(values) left out of what is shown: without a value or a baseline."]
        }
        let lost = points.values.count { !$0 }
        // Where each point is one run, that is said already.
        if lost > 0, points.count != runs.all {
            let ending = lost == 1 ? "has no result, and is not drawn" : "have no result, and are not drawn"
            notes.append("\(lost) of \(PeopleText.count(points.count, "point")) \(ending).")
        }
        let without = groups.reduce(0) { $0 + FigureMaker.withoutValue($1) }
        // A group of several points counts those without a result among its missing values, too.
        let alone = groups.count { $0.points == 1 && $0.runs.succeeded == 0 }
        let missing = without - (lost - alone) * request.y.count
        if missing > 0 { notes.append(FigureMaker.withoutNumber(missing)) }
        return notes
    }

    /// With what is infinite only together.
    private static func withoutValue(_ group: SummaryGroup) -> Int {
        group.metrics.reduce(0) { count, metric in
            let isInfinite = metric.summary == nil && group.runs.succeeded > 0 && metric.withoutValue == 0
            return count + (isInfinite ? 1 : metric.withoutValue)
        }
    }

    static func withoutNumber(_ count: Int) -> String {
        "\(PeopleText.count(count, "value")) \(count == 1 ? "is" : "are") missing or not finite, and not drawn."
    }

    private func missingRuns() -> [String] {
        guard runs.missing > 0 else { return [] }
        return ["\(runs.missing) of \(PeopleText.count(runs.all, "run")) without a result: \(Self.words(runs))."]
    }

    // MARK: Single values

    private func singleValues() -> Figure {
        var figure = samples.figure(request, subject)
        figure.notes += missingRuns()
        return figure
    }

    /// Without what nobody could tell apart, which is named.
    private func limited(_ figure: Figure) -> Figure { FigureLimits.apply(to: figure) }
}

extension FigureKind {
    /// Whether it shows each value by itself instead of a summary of several.
    var showsSingleValues: Bool { self == .scatter || self == .cdf || self == .box }
}

extension FigureSubject {
    func unitIsKnownOf(_ name: String) -> Bool { metrics.contains { $0.name == name } }
}

/// Where the marks of groups stand.
private struct FigurePlaces {
    private let categories: [String: Int]
    private let series: [String: Int]
    private let panels: [String: Int]
    private let places: (x: Int?, series: Int?, facet: Int?)
    private let metrics: Bool
    /// For all groups; nil: by their x.
    private let category: Int?

    init(
        _ xs: [String]?, _ series: [String], _ facets: [String], _ request: FigureRequest, by: [String],
        category: Int? = nil
    ) {
        func index(_ values: [String]) -> [String: Int] {
            Dictionary(values.enumerated().map { ($0.element, $0.offset) }, uniquingKeysWith: { first, _ in first })
        }
        func place(_ name: String?) -> Int? { name.flatMap { by.firstIndex(of: $0) } }
        categories = index(xs ?? [])
        self.series = index(series)
        panels = index(facets)
        places = (place(request.x), place(request.series), place(request.facet))
        metrics = request.y.count > 1
        self.category = category
    }

    /// - Parameter mark: of a metric, without its place.
    func add(_ group: SummaryGroup, to panels: inout [FigurePanel], _ mark: (MetricSummary) -> FigureMark) {
        let panel = places.facet.flatMap { self.panels[group.key[$0]] } ?? 0
        guard let category = category ?? places.x.flatMap({ categories[group.key[$0]] }) else { return }
        for metric in group.metrics {
            let name = metrics ? metric.metric : places.series.map { group.key[$0] } ?? ""
            guard let series = series[name] else { continue }
            var mark = mark(metric)
            (mark.category, mark.series) = (category, series)
            panels[panel].marks.append(mark)
        }
    }
}
