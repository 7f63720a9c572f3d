extension FigureDrawing {
    mutating func drawPanel(_ index: Int) {
        let (panel, frame) = (figure.panels[index], layout.frames[index])
        if !panel.title.isEmpty {
            // A number says nothing without its name.
            let isName = figure.facetTitle.isEmpty || figure.facetTitle == "workload"
            let title = isName ? panel.title : "\(figure.facetTitle) = \(panel.title)"
            write(
                TextSize.cut(title, to: frame.width + 6, size: size.font), frame.x + frame.width / 2, frame.y - 3.5,
                anchor: "middle", large: true)
        }
        if figure.kind == .heatmap {
            drawCells(panel, frame, isLeftmost: layout.isLeftmost(index))
        } else {
            drawGrid(frame, isLeftmost: layout.isLeftmost(index))
            drawReference(frame)
            switch figure.kind {
            case .bars: drawBars(panel, frame)
            case .stacks: drawStacks(panel, frame)
            case .lines: drawLines(panel, frame)
            case .box: drawBoxes(panel, frame)
            case .scatter: drawPoints(panel, frame)
            case .cdf: drawSteps(panel, frame)
            case .heatmap: break
            }
            drawAxes(frame)
        }
        if layout.isLowest(index) { drawXLabels(frame) }
    }

    // MARK: Places

    func y(_ value: Double, _ frame: PanelFrame) -> Double {
        frame.bottom - (value - yTicks.lower) / (yTicks.upper - yTicks.lower) * frame.height
    }

    func x(_ value: Double, _ frame: PanelFrame) -> Double {
        guard let ticks = xTicks else { return frame.x }
        return frame.x + (value - ticks.lower) / (ticks.upper - ticks.lower) * frame.width
    }

    func step(_ frame: PanelFrame) -> Double { frame.width / Double(max(figure.categories.count, 1)) }

    /// The middle of a category.
    func x(category: Int, _ frame: PanelFrame) -> Double {
        let step = step(frame)
        guard figure.kind == .lines, let places = figure.x.positions, places.count == figure.categories.count,
            let first = places.first, let last = places.last, last > first
        else { return frame.x + (Double(category) + 0.5) * step }
        let margin = min(step / 2, 12)
        return frame.x + margin + (places[category] - first) / (last - first) * (frame.width - 2 * margin)
    }

    // MARK: Axes

    private mutating func drawGrid(_ frame: PanelFrame, isLeftmost: Bool) {
        let n = SVGText.number
        for value in yTicks.values {
            let y = y(value, frame)
            svg.element("path", "d=\"M\(n(frame.x)) \(n(y))H\(n(frame.right))\" \(inks.grid)")
            if isLeftmost { write(yTicks.label(value), frame.x - 3, y + size.smallFont * 0.35, anchor: "end") }
        }
        for value in xTicks?.values ?? [] {
            let x = x(value, frame)
            svg.element("path", "d=\"M\(n(x)) \(n(frame.y))V\(n(frame.bottom))\" \(inks.grid)")
        }
        if let place = figure.categories.firstIndex(where: \.isSummary), place > 0 {
            let x = frame.x + Double(place) * step(frame)
            svg.element("path", "d=\"M\(n(x)) \(n(frame.y))V\(n(frame.bottom))\" \(inks.axis) stroke-dasharray=\"2 2\"")
        }
    }

    private mutating func drawAxes(_ frame: PanelFrame) {
        let n = SVGText.number
        svg.element("path", "d=\"M\(n(frame.x)) \(n(frame.y))V\(n(frame.bottom))H\(n(frame.right))\" \(inks.axis)")
        if yTicks.lower < 0, yTicks.upper > 0 {
            svg.element("path", "d=\"M\(n(frame.x)) \(n(y(0, frame)))H\(n(frame.right))\" \(inks.axis)")
        }
    }

    private mutating func drawReference(_ frame: PanelFrame) {
        guard let reference = figure.reference else { return }
        let n = SVGText.number
        svg.element(
            "path", "d=\"M\(n(frame.x)) \(n(y(reference, frame)))H\(n(frame.right))\" \(inks.axis) "
                + "stroke-dasharray=\"3 2\"")
    }

    private mutating func drawXLabels(_ frame: PanelFrame) {
        let top = frame.bottom + size.smallFont + 2
        if let xTicks {
            for value in xTicks.values { write(xTicks.label(value), x(value, frame), top, anchor: "middle") }
            return
        }
        for (index, category) in figure.categories.enumerated()
        where index % layout.labelStride == 0 || category.isSummary {
            let text = TextSize.cut(category.text, to: FigureLayout.longestLabel, size: size.smallFont)
            let x = x(category: index, frame)
            switch layout.labels {
            case .level: write(text, x, top, anchor: "middle", bold: category.isSummary)
            case .slanted: slanted(text, x + size.smallFont * 0.35, frame.bottom + 6, bold: category.isSummary)
            }
        }
    }

    // MARK: What marks say

    /// What a mark says where one points at it; nil: on paper.
    func tip(_ mark: FigureMark, _ panel: FigurePanel) -> String? {
        guard inks.theme == .page else { return nil }
        let place = [panel.title, figure.categories[mark.category].text, figure.series[mark.series]]
            .filter { !$0.isEmpty }.joined(separator: ", ")
        guard let value = mark.value else { return "\(place): \(mark.absent ?? "no value")" }
        var text = "\(place): \(FigureDrawing.short(value))"
        if let interval = mark.interval {
            text += " (\(FigureDrawing.short(interval.lowerBound)) to \(FigureDrawing.short(interval.upperBound)))"
        }
        return mark.count > 1 ? "\(text), n = \(mark.count)" : text
    }

    /// Four significant digits.
    static func short(_ value: Double) -> String {
        let size = value.magnitude
        guard size > 0, size < 1e12, size >= 0.001 else { return value == 0 ? "0" : value.description }
        var (places, limit) = (3, 10.0)
        while limit <= size, places > 0 { (places, limit) = (places - 1, limit * 10) }
        if size < 1 { places = size < 0.01 ? 6 : size < 0.1 ? 5 : 4 }
        return Ticks.fixed(value, places)
    }
}
