public import Model
public import Results

/// What a person asks a figure to show, in the words of the sweep.
public struct FigureRequest: Sendable, Hashable {
    /// nil: lines over an axis of three or more sizes, times or numbers, a scatter over a metric, else bars.
    public var kind: FigureKind?
    /// An axis or `workload`; of scatters a metric; of distributions nothing.
    public var x: String?
    /// Metrics; several are told apart as series are.
    public var y: [String]
    public var series: String?
    public var facet: String?
    /// The value of an axis to whose points all others are shown relative.
    public var baseline: Assignment?
    /// Whether a group of geometric means stands at the end.
    public var hasGeometricMean: Bool

    public init(
        _ kind: FigureKind? = nil, x: String? = nil, y: [String], series: String? = nil, facet: String? = nil,
        baseline: Assignment? = nil, hasGeometricMean: Bool = false
    ) {
        self.kind = kind
        self.x = x
        self.y = y
        self.series = series
        self.facet = facet
        self.baseline = baseline
        self.hasGeometricMean = hasGeometricMean
    }
}

/// What a sweep has that a figure can show.
public struct FigureSubject: Sendable {
    public var axes: [String]
    public var hasWorkloads: Bool
    /// Names of metrics, and their units where they are known.
    public var metrics: [(name: String, unit: String?)]
    public var formulas: [MetricFormula]

    public init(
        axes: [String], hasWorkloads: Bool, metrics: [(name: String, unit: String?)], formulas: [MetricFormula]
    ) {
        self.axes = axes
        self.hasWorkloads = hasWorkloads
        self.metrics = metrics
        self.formulas = formulas
    }

    var columns: [String] { (hasWorkloads ? ["workload"] : []) + axes }

    func unit(of metric: String) -> String? { metrics.first { $0.name == metric }?.unit }
}

extension FigureRequest {
    /// - Throws: ``Failure`` (`usage`) for what the sweep does not have, and for what no figure can show at once.
    func check(_ subject: FigureSubject) throws {
        guard !y.isEmpty else { throw Failure(.usage, "a figure needs a metric: add --y METRIC") }
        let metrics = subject.metrics.map(\.name)
        for name in y + (kind == .scatter ? [x].compactMap { $0 } : []) where !metrics.contains(name) {
            let option = y.contains(name) ? "--y" : "--x"
            throw FigureRequest.unknown(option, name, "metric", metrics)
        }
        for (option, name) in [("--x", x), ("--series", series), ("--facet", facet)] {
            guard let name, !subject.columns.contains(name) else { continue }
            if option == "--x", metrics.contains(name), kind == nil || kind == .scatter { continue }
            throw FigureRequest.unknown(option, name, "axis", subject.columns)
        }
        try checkShape(subject)
        try checkUnits(subject)
        try checkBaseline()
    }

    private static func unknown(_ option: String, _ name: String, _ what: String, _ known: [String]) -> Failure {
        let hint = known.isEmpty ? "the sweep has none" : Names.suggestion(name, in: known)
        return Failure(.usage, "\(option) \(Names.shown(name)): no such \(what); \(hint)")
    }

    private func checkShape(_ subject: FigureSubject) throws {
        if kind == .cdf {
            if x != nil { throw Failure(.usage, "a cdf has its metric on the x axis: leave out --x") }
        } else if x == nil {
            let names = subject.columns
            throw Failure(
                .usage, names.isEmpty
                    ? "the sweep has no axis to draw over: --kind cdf draws without one"
                    : "a figure needs an x axis: add --x \(names[0])")
        }
        let uses = [x, series, facet].compactMap { $0 }
        if let twice = uses.first(where: { name in uses.count { $0 == name } > 1 }) {
            throw Failure(.usage, "\(Names.shown(twice)) is named twice: --x, --series and --facet are different axes")
        }
        if y.count > 1 {
            if Set(y).count < y.count { throw Failure(.usage, "--y names a metric twice") }
            if series != nil {
                throw Failure(.usage, "several --y are drawn as series: leave out --series, or use --facet")
            }
            if kind == .heatmap || kind == .scatter {
                throw Failure(.usage, "a \(kind?.rawValue ?? "") shows one metric: name one --y")
            }
        }
        if kind == .heatmap, series == nil {
            throw Failure(.usage, "a heat map needs a second axis: add --series AXIS for its rows")
        }
        if kind == .stacks, series == nil, y.count < 2 {
            throw Failure(.usage, "a stack needs parts: name several --y, or add --series AXIS")
        }
    }

    /// One axis has one unit. Metrics whose units nobody knows are the user's to judge.
    private func checkUnits(_ subject: FigureSubject) throws {
        let known = y.compactMap { name in subject.unit(of: name).map { (name: name, unit: $0) } }
        guard let first = known.first, let other = known.first(where: { $0.unit != first.unit }), baseline == nil
        else { return }
        throw Failure(
            .usage, "one figure has one unit: \(first.name) is in \(first.unit), \(other.name) in \(other.unit); draw "
                + "a figure for each, or compare ratios with --baseline AXIS=VALUE")
    }

    private func checkBaseline() throws {
        guard let baseline else {
            if hasGeometricMean {
                throw Failure(.usage, "--geomean is the mean of ratios: add --baseline AXIS=VALUE")
            }
            return
        }
        let shown = Names.shown("\(baseline.axis)=\(baseline.value)")
        guard [x, series, facet].contains(baseline.axis) else {
            throw Failure(
                .usage, "--baseline \(shown): the figure does not show \(Names.shown(baseline.axis)): add --series "
                    + Names.shown(baseline.axis))
        }
        if let kind, ![.bars, .lines, .heatmap].contains(kind) {
            throw Failure(.usage, "--baseline \(shown): ratios are shown as bars, lines or a heat map, not as \(kind)")
        }
        if hasGeometricMean, kind == .lines || kind == .heatmap || baseline.axis == x {
            throw Failure(
                .usage, "--geomean adds a group of bars: use --kind bars, and an --x other than "
                    + Names.shown(baseline.axis))
        }
    }
}
