internal import Results

/// A chart as data: what stands where, without a colour or a coordinate. ``FigureDrawing`` draws it, ``FigureTable``
/// lists it and ``VegaLite`` describes it to others.
public struct Figure: Sendable, Hashable {
    public var kind: FigureKind
    public var x: FigureAxis
    public var y: FigureAxis
    /// What the colours tell apart; empty: there is one series, without a name.
    public var seriesTitle: String
    /// The places on the x axis, in their order; none for kinds whose x is a measure.
    public var categories: [FigureCategory]
    /// At least one.
    public var series: [String]
    /// Of facets, in their order; at least one.
    public var panels: [FigurePanel]
    /// The title of what the panels tell apart.
    public var facetTitle: String
    /// A line across at this value: the baseline of ratios.
    public var reference: Double?
    /// What a reader has to know: what was averaged, what the intervals are, what is missing. A sentence each.
    public var notes: [String]

    public init(
        _ kind: FigureKind, x: FigureAxis, y: FigureAxis, seriesTitle: String = "",
        categories: [FigureCategory] = [], series: [String] = [""], panels: [FigurePanel], facetTitle: String = "",
        reference: Double? = nil, notes: [String] = []
    ) {
        self.kind = kind
        self.x = x
        self.y = y
        self.seriesTitle = seriesTitle
        self.categories = categories
        self.series = series
        self.panels = panels
        self.facetTitle = facetTitle
        self.reference = reference
        self.notes = notes
    }

    /// Whether nothing was measured of what it would show.
    public var isEmpty: Bool {
        panels.allSatisfy { $0.points.isEmpty && $0.marks.allSatisfy { $0.value == nil } }
    }
}

/// How a figure shows its numbers.
public enum FigureKind: String, Sendable, Hashable, CaseIterable {
    /// A bar for each series, in groups.
    case bars
    /// A line for each series over the x axis.
    case lines
    /// A bar whose parts add up.
    case stacks
    /// A mark for each run, one metric against another.
    case scatter
    /// Median, quartiles and what lies beyond them.
    case box
    /// Which share of the values is at most so large.
    case cdf
    /// A cell for each combination of two axes, its shade the value.
    case heatmap

    /// Whether x is a measure instead of a list of places.
    public var hasMeasuredX: Bool { self == .scatter || self == .cdf }

    public var meaning: String {
        switch self {
        case .bars: "a bar for each value of --series, in groups by --x"
        case .lines: "a line for each value of --series over --x"
        case .stacks: "a bar for each value of --x, whose parts (several --y, or --series) add up"
        case .scatter: "a mark for each run: the metric --y against the metric --x"
        case .box: "median, quartiles and outliers of all measured invocations, by --x"
        case .cdf: "the share of measured invocations whose --y is at most the value on the x axis"
        case .heatmap: "a cell for each value of --x and of --series, its shade --y"
        }
    }
}

/// What an axis of a figure says about itself.
public struct FigureAxis: Sendable, Hashable {
    public var title: String
    /// In words, as "misses per 1,000 instructions"; nil: unknown.
    public var unit: String?
    /// Where the categories stand, if their distances mean something; nil: one step apart.
    public var positions: [Double]?

    public init(_ title: String, unit: String? = nil, positions: [Double]? = nil) {
        self.title = title
        self.unit = unit
        self.positions = positions
    }

    /// `title (unit)`.
    public var label: String { unit.map { title.isEmpty ? $0 : "\(title) (\($0))" } ?? title }
}

/// A place on the x axis.
public struct FigureCategory: Sendable, Hashable {
    public var text: String
    /// Whether it stands for all others, such as their geometric mean.
    public var isSummary: Bool

    public init(_ text: String, isSummary: Bool = false) {
        self.text = text
        self.isSummary = isSummary
    }
}

/// One of the small charts that a figure is made of.
public struct FigurePanel: Sendable, Hashable {
    public var title: String
    public var marks: [FigureMark]
    /// Of scatters and distributions; in the order of their series, and within one of x.
    public var points: [FigurePoint]

    public init(_ title: String = "", marks: [FigureMark] = [], points: [FigurePoint] = []) {
        self.title = title
        self.marks = marks
        self.points = points
    }
}

/// One value of a figure, with how sure it is.
public struct FigureMark: Sendable, Hashable {
    /// Its place among the categories.
    public var category: Int
    /// Its place among the series.
    public var series: Int
    /// nil: there is none, and ``absent`` says why.
    public var value: Double?
    /// Where the value lies with the confidence that the notes name; nil: nothing varied.
    public var interval: ClosedRange<Double>?
    public var spread: FigureSpread?
    /// How many values went into it.
    public var count: Int
    public var absent: String?

    public init(
        category: Int, series: Int, value: Double?, interval: ClosedRange<Double>? = nil, spread: FigureSpread? = nil,
        count: Int = 1, absent: String? = nil
    ) {
        self.category = category
        self.series = series
        self.value = value
        self.interval = interval
        self.spread = spread
        self.count = count
        self.absent = absent
    }
}

/// How values are distributed: quartiles, whiskers that end at the last value within 1.5 times the distance of the
/// quartiles (Tukey 1977), and what lies beyond.
public struct FigureSpread: Sendable, Hashable {
    public var low: Double
    public var lowerQuartile: Double
    public var median: Double
    public var upperQuartile: Double
    public var high: Double
    public var outliers: [Double]

    /// - Parameter values: finite, sorted; nil: there are none.
    public init?(sorted values: [Double]) {
        guard let first = values.first, let last = values.last else { return nil }
        lowerQuartile = Spread.quantile(0.25, sorted: values)
        median = Spread.quantile(0.5, sorted: values)
        upperQuartile = Spread.quantile(0.75, sorted: values)
        let reach = 1.5 * (upperQuartile - lowerQuartile)
        let (least, most) = (lowerQuartile - reach, upperQuartile + reach)
        low = values.first { $0 >= least } ?? first
        high = values.last { $0 <= most } ?? last
        outliers = values.filter { $0 < least || $0 > most }
    }
}

/// A mark whose place on both axes was measured.
public struct FigurePoint: Sendable, Hashable {
    public var series: Int
    public var x: Double
    public var y: Double

    public init(series: Int, x: Double, y: Double) {
        self.series = series
        self.x = x
        self.y = y
    }
}
