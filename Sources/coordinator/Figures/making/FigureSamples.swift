internal import Model
internal import Results

/// The single values of a figure that shows them one by one, as runs bring them.
struct FigureSamples {
    private struct Sample {
        var facet: Int
        var series: Int
        /// A category, or a measure.
        var x: Double
        var y: Double
    }

    /// The values of a column, numbered as they come.
    private struct Values {
        private(set) var names: [String] = []
        private var places: [String: Int] = [:]

        mutating func place(_ name: String) -> Int {
            if let place = places[name] { return place }
            places[name] = names.count
            names.append(name)
            return names.count - 1
        }
    }

    private var samples: [Sample] = []
    private var facets = Values()
    private var series = Values()
    private var xs = Values()
    private var missing = 0
    private var beyond = 0
    /// By column, the value of the first run, and whether others have another.
    private var firsts: [String: (value: String, isAlone: Bool)] = [:]

    mutating func add(_ row: DatasetRow, _ request: FigureRequest, _ subject: FigureSubject) {
        for column in subject.columns where ![request.x, request.series, request.facet].contains(column) {
            let value = subject.value(of: column, row)
            guard let first = firsts[column] else {
                firsts[column] = (value, true)
                continue
            }
            if first.isAlone, first.value != value { firsts[column] = (value, false) }
        }
        let isScatter = request.kind == .scatter
        // Categories without a value are shown empty.
        let category = isScatter ? 0 : Double(xs.place(subject.value(of: request.x, row)))
        let facet = facets.place(subject.value(of: request.facet, row))
        let named = request.y.count > 1 ? nil : series.place(subject.value(of: request.series, row))
        guard row.state == .succeeded, let blocks = row.blocks else { return }
        if isScatter {
            let metrics = blocks.metrics(subject.formulas)
            guard let x = value(request.x ?? "", metrics), let y = value(request.y[0], metrics) else { return }
            samples.append(Sample(facet: facet, series: named ?? 0, x: x, y: y))
            return
        }
        for index in blocks.blocks.indices {
            let metrics = blocks.metrics(ofBlock: index, subject.formulas)
            for name in request.y {
                guard let y = value(name, metrics) else { continue }
                samples.append(Sample(facet: facet, series: named ?? series.place(name), x: category, y: y))
            }
        }
    }

    /// - Returns: nil, and counts it, where there is nothing to draw.
    private mutating func value(_ name: String, _ metrics: [Metric]) -> Double? {
        guard let value = metrics.first(where: { $0.name == name }).flatMap({ Number.finite($0.value) }) else {
            missing += 1
            return nil
        }
        if FigureLimits.canShow(value) { return value }
        beyond += 1
        return nil
    }

    // MARK: The figure

    func figure(_ request: FigureRequest, _ subject: FigureSubject) -> Figure {
        let kind = request.kind ?? .scatter
        let facetOrder = order(facets.names, request.facet)
        let seriesOrder = request.y.count > 1 ? series.names : order(series.names, request.series).values
        let xOrder = order(xs.names, request.x)
        let unit = request.y.lazy.compactMap { subject.unit(of: $0) }.first
        var figure = Figure(
            kind, x: FigureAxis(request.x ?? ""), y: FigureAxis(request.y.count == 1 ? request.y[0] : "", unit: unit),
            seriesTitle: request.y.count > 1 ? "" : request.series ?? "", series: seriesOrder,
            panels: facetOrder.values.map { FigurePanel($0) }, facetTitle: request.facet ?? "")
        if figure.series.isEmpty { figure.series = [""] }
        if figure.panels.isEmpty { figure.panels = [FigurePanel()] }
        place(kind, seriesOrder, facetOrder.values, xOrder.values, in: &figure)
        switch kind {
        case .scatter: figure.x.unit = subject.unit(of: figure.x.title)
        case .cdf:
            (figure.x, figure.y) = (figure.y, FigureAxis("share of invocations"))
            if figure.x.title.isEmpty { figure.x.title = "value" }
        case .box: figure.categories = xOrder.values.map { FigureCategory($0) }
        case .bars, .lines, .stacks, .heatmap: break
        }
        if kind == .box {
            figure.notes.append("Boxes: quartiles and median of all invocations; whiskers within 1.5 box lengths.")
        }
        let pooled = subject.columns.filter { firsts[$0]?.isAlone == false }
        if !pooled.isEmpty {
            figure.notes.append("All values of \(PeopleText.list(pooled)) are pooled; choose with --where.")
        }
        if missing > 0 { figure.notes.append(FigureMaker.withoutNumber(missing)) }
        if beyond > 0 { figure.notes.append(FigureLimits.beyond(beyond)) }
        return figure
    }

    private func order(_ values: [String], _ name: String?) -> AxisOrder {
        name == "workload" ? AxisOrder(words: values) : AxisOrder(values)
    }

    private func place(
        _ kind: FigureKind, _ seriesOrder: [String], _ facetOrder: [String], _ xOrder: [String], in figure: inout Figure
    ) {
        func places(_ names: [String], _ order: [String]) -> [Int] {
            let index = Dictionary(uniqueKeysWithValues: order.enumerated().map { ($0.element, $0.offset) })
            return names.map { index[$0] ?? 0 }
        }
        let (facet, series) = (places(facets.names, facetOrder), places(self.series.names, seriesOrder))
        let categories = places(xs.names, xOrder)
        for sample in samples {
            let x = kind == .box ? Double(categories[Int(sample.x)]) : kind == .cdf ? sample.y : sample.x
            figure.panels[facet[sample.facet]].points.append(
                FigurePoint(series: self.series.names.isEmpty ? 0 : series[sample.series], x: x, y: sample.y))
        }
        for index in figure.panels.indices {
            figure.panels[index].points.sort { ($0.series, $0.x, $0.y) < ($1.series, $1.x, $1.y) }
            if kind == .cdf { figure.panels[index].rank() }
            if kind == .box { figure.panels[index].summarize(categories: xOrder.count, series: figure.series.count) }
        }
    }
}

extension FigurePanel {
    /// Gives each point the share of its series' values that are at most so large.
    fileprivate mutating func rank() {
        var start = 0
        while start < points.count {
            let end = points[start...].firstIndex { $0.series != points[start].series } ?? points.count
            for place in start..<end { points[place].y = Double(place - start + 1) / Double(end - start) }
            start = end
        }
    }

    /// A mark for each category and series, of the points that stand there.
    fileprivate mutating func summarize(categories: Int, series: Int) {
        var values: [Int: [Double]] = [:]
        for point in points { values[point.series * categories + Int(point.x), default: []].append(point.y) }
        marks = (0..<series).flatMap { series in
            (0..<categories).map { category in
                let found = values[series * categories + category] ?? []
                let spread = FigureSpread(sorted: found)
                return FigureMark(
                    category: category, series: series, value: spread?.median, spread: spread, count: found.count,
                    absent: spread == nil ? "no value" : nil)
            }
        }
    }
}

extension FigureSubject {
    /// A run's value of an axis or its workload; empty: of none.
    fileprivate func value(of name: String?, _ row: DatasetRow) -> String {
        guard let name else { return "" }
        if name == "workload", hasWorkloads { return row.workload ?? "" }
        return axes.firstIndex(of: name).map { row.values[$0] } ?? ""
    }
}
