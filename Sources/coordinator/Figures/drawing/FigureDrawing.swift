/// Draws a figure as SVG.
public struct FigureDrawing {
    let figure: Figure
    let size: FigureSize
    let inks: Inks
    let layout: FigureLayout
    let yTicks: Ticks
    /// Of figures whose x is a measure.
    let xTicks: Ticks?
    /// Whether any mark has an error bar.
    let hasIntervals: Bool
    var svg = SVGText()

    /// - Parameters:
    ///   - name: what tells the figure apart from others on a page: letters and digits.
    ///   - title: for those who cannot see it.
    /// - Returns: an SVG document, or for a page an element of one.
    public static func svg(
        _ figure: Figure, size: FigureSize, theme: FigureTheme = .paper, name: String = "u", title: String
    ) -> String {
        var drawing = FigureDrawing(figure, size, Inks(theme: theme, prefix: name))
        drawing.draw(title)
        return drawing.svg.text
    }

    private init(_ figure: Figure, _ size: FigureSize, _ inks: Inks) {
        (self.figure, self.size, self.inks) = (figure, size, inks)
        let isMap = figure.kind == .heatmap
        hasIntervals = figure.panels.contains { $0.marks.contains { $0.interval != nil } }
        yTicks = Ticks(
            FigureDrawing.yRange(figure), count: max(3, Int(size.panelHeight / 22)),
            isTight: isMap || figure.kind == .cdf)
        let xs = figure.panels.flatMap { $0.points.map(\.x) }
        if figure.kind.hasMeasuredX, let least = xs.min(), let most = xs.max() {
            let columns = max(1, min(figure.panels.count, size.columns))
            xTicks = Ticks(least...most, count: max(2, Int(size.width / Double(columns) / 50)))
        } else {
            xTicks = nil
        }
        let numbers = yTicks.values.map(yTicks.label)
        let hasKey = !isMap && (figure.series.count > 1 || figure.series.first?.isEmpty == false)
        let yTitle = isMap ? figure.seriesTitle : FigureDrawing.title(figure.y, yTicks.factorName)
        layout = FigureLayout(
            figure, size, yLabels: isMap ? figure.series : numbers, hasYTitle: !yTitle.isEmpty, hasKey: hasKey,
            barLabels: isMap ? numbers : [])
    }

    /// What the y axis, or the shade, has to show.
    private static func yRange(_ figure: Figure) -> ClosedRange<Double> {
        if figure.kind == .cdf { return 0...1 }
        var (least, most) = (Double.infinity, -Double.infinity)
        func add(_ value: Double) { (least, most) = (min(least, value), max(most, value)) }
        for panel in figure.panels {
            for point in panel.points { add(point.y) }
            var sums: [Int: Double] = [:]
            for mark in panel.marks {
                guard let value = mark.value else { continue }
                if figure.kind == .stacks {
                    sums[mark.category, default: 0] += value
                    continue
                }
                add(value)
                guard figure.kind != .heatmap else { continue }
                if let interval = mark.interval {
                    [interval.lowerBound, interval.upperBound].forEach(add)
                }
                if let spread = mark.spread, figure.kind == .box {
                    ([spread.low, spread.high] + spread.outliers).forEach(add)
                }
            }
            sums.values.forEach(add)
        }
        guard least <= most else { return 0...1 }
        if figure.kind == .heatmap { return least...most }
        if let reference = figure.reference { add(reference) }
        let isGrounded = figure.kind == .bars || figure.kind == .stacks
        // An axis that leaves out zero shows small differences; one that begins near it would only mislead.
        if isGrounded || (least > 0 && least < 0.5 * most) { add(0) }
        return least...most
    }

    // MARK: The parts around the panels

    private mutating func draw(_ title: String) {
        let (width, height) = (SVGText.number(size.width), SVGText.number(layout.height))
        let isPaper = inks.theme == .paper
        let measures = isPaper ? "width=\"\(width)pt\" height=\"\(height)pt\" " : "class=\"fig\" "
        let label = SVGText.escaped(title)
        svg.open(
            "svg", "xmlns=\"http://www.w3.org/2000/svg\" \(measures)viewBox=\"0 0 \(width) \(height)\" role=\"img\" "
                + "aria-label=\"\(label)\" font-family=\"Liberation Sans, Arial, Helvetica, sans-serif\" "
                + "font-size=\"\(SVGText.number(size.smallFont))\"")
        if isPaper { svg.element("rect", "width=\"\(width)\" height=\"\(height)\" fill=\"#fff\"") }
        if figure.kind != .heatmap { inks.writeHatches(figure.series.count, to: &svg) }
        drawKeys()
        for index in figure.panels.indices { drawPanel(index) }
        drawTitles()
        svg.close("svg")
    }

    private mutating func drawKeys() {
        if let title = layout.keyTitle { write(title.text, title.x, title.y, large: true) }
        for key in layout.keys {
            let middle = key.y - size.font * 0.35
            let style = SeriesStyle.of(key.series)
            switch figure.kind {
            case .bars, .stacks, .box, .heatmap:
                svg.element("rect", SVGText.numbers(["x": key.x, "y": middle - 3, "width": 11, "height": 6])
                    + " \(inks.area(key.series))")
            case .lines, .cdf:
                let n = SVGText.number
                svg.element("path", "d=\"M\(n(key.x)) \(n(middle))H\(n(key.x + 11))\" stroke-width=\"1\" "
                    + inks.line(key.series))
                guard figure.kind == .lines else { break }
                let marker = style.marker.path(key.x + 5.5, middle, radius: 2)
                svg.element("path", "d=\"\(marker)\" \(inks.solid(key.series))")
            case .scatter:
                let marker = style.marker.path(key.x + 5.5, middle, radius: 2.2)
                svg.element("path", "d=\"\(marker)\" \(inks.solid(key.series))")
            }
            write(key.text, key.x + FigureLayout.keyWidth + 3, key.y, large: true)
        }
    }

    private mutating func drawTitles() {
        guard let first = layout.frames.first, let last = layout.frames.last else { return }
        let right = layout.frames.map(\.right).max() ?? last.right
        let scale = figure.kind.hasMeasuredX ? xTicks?.factorName ?? "" : ""
        let x = FigureDrawing.title(figure.x, scale)
        if !x.isEmpty {
            write(
                TextSize.cut(x, to: size.width - 4, size: size.font), (first.x + right) / 2, layout.height - 3,
                anchor: "middle", large: true)
        }
        let tall = max(last.bottom - first.y, 60)
        let isMap = figure.kind == .heatmap
        let y = isMap ? figure.seriesTitle : yTitle(within: tall)
        turned(TextSize.cut(y, to: tall, size: size.font), size.font, (first.y + last.bottom) / 2)
        if isMap { drawBar(first) }
    }

    /// With its unit, if there is room: a whole name says more than half a unit.
    private func yTitle(within room: Double) -> String {
        let full = FigureDrawing.title(figure.y, yTicks.factorName)
        guard TextSize.width(full, size: size.font) > room, !figure.y.title.isEmpty else { return full }
        return FigureDrawing.title(FigureAxis(figure.y.title), yTicks.factorName)
    }

    private static func title(_ axis: FigureAxis, _ factor: String) -> String {
        guard !factor.isEmpty else { return axis.label }
        guard let unit = axis.unit else { return axis.title.isEmpty ? factor : "\(axis.title) (\(factor))" }
        return FigureAxis(axis.title, unit: "\(factor) of \(unit)").label
    }

    /// The colour bar of a heat map.
    private mutating func drawBar(_ frame: PanelFrame) {
        let steps = 40
        let x = size.width - layout.barWidth + 4
        let each = frame.height / Double(steps)
        for step in 0..<steps {
            let share = (Double(step) + 0.5) / Double(steps)
            svg.element("rect", SVGText.numbers([
                "x": x, "y": frame.bottom - Double(step + 1) * each, "width": 8, "height": each + 0.3,
            ]) + " fill=\"\(Shade.color(share))\"")
        }
        for value in yTicks.values {
            let y = frame.bottom - (value - yTicks.lower) / (yTicks.upper - yTicks.lower) * frame.height
            write(yTicks.label(value), x + 11, y + size.smallFont * 0.35)
        }
        let title = FigureDrawing.title(figure.y, yTicks.factorName)
        turned(
            TextSize.cut(title, to: max(frame.height, 60), size: size.font), size.width - 3, frame.y + frame.height / 2)
    }

    // MARK: Writing

    mutating func write(
        _ text: String, _ x: Double, _ y: Double, anchor: String? = nil, large: Bool = false, bold: Bool = false,
        more: String = ""
    ) {
        guard !text.isEmpty else { return }
        var attributes = SVGText.numbers(["x": x, "y": y]) + (more.isEmpty ? " \(inks.text)" : " \(more)")
        if let anchor { attributes += " text-anchor=\"\(anchor)\"" }
        if large { attributes += " font-size=\"\(SVGText.number(size.font))\"" }
        if bold { attributes += " font-weight=\"bold\"" }
        svg.leaf("text", attributes, text)
    }

    /// Upwards along the y axis.
    private mutating func turned(_ text: String, _ x: Double, _ y: Double) {
        guard !text.isEmpty else { return }
        svg.leaf(
            "text", "transform=\"translate(\(SVGText.number(x)) \(SVGText.number(y))) rotate(-90)\" "
                + "text-anchor=\"middle\" font-size=\"\(SVGText.number(size.font))\" \(inks.text)", text)
    }

    mutating func slanted(_ text: String, _ x: Double, _ y: Double, bold: Bool) {
        svg.leaf(
            "text", "transform=\"translate(\(SVGText.number(x)) \(SVGText.number(y))) rotate(-45)\" "
                + "text-anchor=\"end\" \(inks.text)\(bold ? " font-weight=\"bold\"" : "")", text)
    }
}
