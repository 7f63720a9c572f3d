public import Results

/// What a figure shows, as a table: for those who draw it again, or read it where it cannot be seen.
public struct FigureTable: Sendable, Hashable {
    /// The names of columns by what is in them; nil: the figure has no such thing.
    public struct Columns: Sendable, Hashable {
        public var facet: String?
        public var x: String?
        public var series: String?
        public var y: String
        public var low: String?
        public var high: String?
        public var count: String?

        /// In their order.
        public var names: [String] { [facet, x, series, y, low, high, count].compactMap { $0 } }
    }

    public let columns: Columns
    public let rows: [[Cell]]

    public init(_ figure: Figure) {
        let columns = FigureTable.columns(of: figure)
        self.columns = columns
        rows = figure.panels.flatMap { panel in
            panel.points.isEmpty
                ? panel.marks.map { FigureTable.row(of: $0, panel, figure, columns) }
                : panel.points.map { FigureTable.row(of: $0, panel, figure, columns) }
        }
    }

    private static func columns(of figure: Figure) -> Columns {
        var taken: Set<String> = []
        /// No two columns may have one name, and an axis may have any.
        func name(_ wanted: String, _ otherwise: String) -> String {
            var name = wanted.isEmpty ? otherwise : wanted
            while !taken.insert(name).inserted { name += "_" }
            return name
        }
        let isMeasured = figure.panels.contains { !$0.points.isEmpty } || figure.kind.hasMeasuredX
        let facet = figure.panels.count > 1 || figure.panels.first?.title.isEmpty == false
            ? name(figure.facetTitle, "facet") : nil
        let x = name(figure.x.title, "x")
        let hasSeries = figure.series.count > 1 || figure.series.first?.isEmpty == false
        let series = hasSeries ? name(figure.seriesTitle, "series") : nil
        let y = name(figure.y.title, "value")
        if isMeasured { return Columns(facet: facet, x: x, series: series, y: y) }
        return Columns(
            facet: facet, x: x, series: series, y: y, low: name("low", "low"), high: name("high", "high"),
            count: name("n", "n"))
    }

    private static func row(
        of mark: FigureMark, _ panel: FigurePanel, _ figure: Figure, _ columns: Columns
    ) -> [Cell] {
        var cells = lead(panel, columns.facet != nil)
        cells.append(.text(figure.categories[mark.category].text))
        if columns.series != nil { cells.append(.text(figure.series[mark.series])) }
        let numbers = [mark.value, mark.interval?.lowerBound, mark.interval?.upperBound]
        return cells + numbers.map { $0.map { .number(Number.render($0)) } ?? .empty } + [.integer(mark.count)]
    }

    private static func row(
        of point: FigurePoint, _ panel: FigurePanel, _ figure: Figure, _ columns: Columns
    ) -> [Cell] {
        var cells = lead(panel, columns.facet != nil)
        let isPlaced = figure.kind == .box
        cells.append(isPlaced ? .text(figure.categories[Int(point.x)].text) : .number(Number.render(point.x)))
        if columns.series != nil { cells.append(.text(figure.series[point.series])) }
        return cells + [.number(Number.render(point.y))]
    }

    private static func lead(_ panel: FigurePanel, _ hasFacet: Bool) -> [Cell] {
        hasFacet ? [.text(panel.title)] : []
    }
}
