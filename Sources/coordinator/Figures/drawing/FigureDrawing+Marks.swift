extension FigureDrawing {
    /// The part of a category that a series has, of those that stand side by side.
    private func slot(_ mark: FigureMark, _ frame: PanelFrame) -> (x: Double, width: Double) {
        let group = step(frame) * 0.8
        let width = min(group / Double(figure.series.count), 28)
        let start = x(category: mark.category, frame) - width * Double(figure.series.count) / 2
        return (start + Double(mark.series) * width, width)
    }

    mutating func drawBars(_ panel: FigurePanel, _ frame: PanelFrame) {
        let ground = y(max(yTicks.lower, min(0, yTicks.upper)), frame)
        for mark in panel.marks {
            let slot = slot(mark, frame)
            guard let value = mark.value else {
                drawAbsence(mark, panel, slot.x + slot.width / 2, ground - 4)
                continue
            }
            let top = y(value, frame)
            let gap = slot.width > 4 ? 0.5 : 0
            svg.element(
                "rect",
                SVGText.numbers([
                    "x": slot.x + gap, "y": min(top, ground), "width": max(slot.width - 2 * gap, 0.3),
                    "height": max((ground - top).magnitude, 0.2),
                ]) + " \(inks.area(mark.series))", tip: tip(mark, panel))
            drawInterval(mark, slot.x + slot.width / 2, frame, cap: min(slot.width * 0.3, 2.5), inks.error)
        }
    }

    mutating func drawStacks(_ panel: FigurePanel, _ frame: PanelFrame) {
        var tops = [Double](repeating: 0, count: figure.categories.count)
        let width = min(step(frame) * 0.7, 32)
        for mark in panel.marks {
            let middle = x(category: mark.category, frame)
            guard let value = mark.value else {
                drawAbsence(mark, panel, middle, y(tops[mark.category], frame) - 4)
                continue
            }
            let (low, high) = (y(tops[mark.category], frame), y(tops[mark.category] + value, frame))
            tops[mark.category] += value
            svg.element(
                "rect",
                SVGText.numbers([
                    "x": middle - width / 2, "y": min(low, high), "width": width, "height": (low - high).magnitude,
                ]) + " \(inks.area(mark.series))", tip: tip(mark, panel))
        }
    }

    mutating func drawLines(_ panel: FigurePanel, _ frame: PanelFrame) {
        let n = SVGText.number
        for series in figure.series.indices {
            let marks = panel.marks.filter { $0.series == series }.sorted { $0.category < $1.category }
            var path = ""
            var isOpen = false
            for mark in marks {
                guard let value = mark.value else {
                    isOpen = false
                    let middle = x(category: mark.category, frame)
                    drawAbsence(mark, panel, middle + sideways(series, frame), frame.bottom - 4)
                    continue
                }
                path += "\(isOpen ? "L" : "M")\(n(place(mark, frame))) \(n(y(value, frame)))"
                isOpen = true
            }
            guard !path.isEmpty else { continue }
            svg.element("path", "d=\"\(path)\" stroke-width=\"1.1\" stroke-linejoin=\"round\" \(inks.line(series))")
            let isCrowded = step(frame) < 4
            for mark in marks {
                guard let value = mark.value else { continue }
                let place = place(mark, frame)
                drawInterval(mark, place, frame, cap: 2, inks.line(series, dashed: false))
                if isCrowded { continue }
                let marker = SeriesStyle.of(series).marker.path(place, y(value, frame), radius: 2)
                svg.element("path", "d=\"\(marker)\" \(inks.solid(series))")
            }
        }
        drawTargets(panel, frame)
    }

    /// What one points at in place of small markers, above all of them.
    private mutating func drawTargets(_ panel: FigurePanel, _ frame: PanelFrame) {
        guard inks.theme == .page, step(frame) >= 4 else { return }
        for mark in panel.marks {
            guard let value = mark.value else { continue }
            svg.element(
                "circle", SVGText.numbers(["cx": place(mark, frame), "cy": y(value, frame), "r": 5])
                    + " fill=\"transparent\"", tip: tip(mark, panel))
        }
    }

    mutating func drawBoxes(_ panel: FigurePanel, _ frame: PanelFrame) {
        let n = SVGText.number
        for mark in panel.marks {
            let slot = slot(mark, frame)
            let middle = slot.x + slot.width / 2
            guard let spread = mark.spread else {
                drawAbsence(mark, panel, middle, frame.bottom - 4)
                continue
            }
            let (low, high) = (y(spread.low, frame), y(spread.high, frame))
            let (lower, upper) = (y(spread.lowerQuartile, frame), y(spread.upperQuartile, frame))
            let cap = slot.width * 0.2
            svg.element(
                "path", "d=\"M\(n(middle)) \(n(low))V\(n(lower))M\(n(middle)) \(n(upper))V\(n(high))"
                    + "M\(n(middle - cap)) \(n(low))h\(n(2 * cap))M\(n(middle - cap)) \(n(high))h\(n(2 * cap))\" "
                    + "stroke-width=\"0.7\" \(inks.error)")
            svg.element(
                "rect",
                SVGText.numbers([
                    "x": slot.x + slot.width * 0.12, "y": upper, "width": slot.width * 0.76,
                    "height": max(lower - upper, 0.3),
                ]) + " \(inks.area(mark.series))", tip: tip(mark, panel))
            svg.element(
                "path", "d=\"M\(n(slot.x + slot.width * 0.12)) \(n(y(spread.median, frame)))h\(n(slot.width * 0.76))\" "
                    + "stroke-width=\"0.9\" \(inks.error)")
            drawDots(spread.outliers.map { (middle, y($0, frame)) }, inks.line(mark.series, dashed: false), width: 1.6)
        }
    }

    mutating func drawPoints(_ panel: FigurePanel, _ frame: PanelFrame) {
        for series in figure.series.indices {
            let points = panel.points.filter { $0.series == series }
                .map { (x: x($0.x, frame), y: y($0.y, frame)) }
            if points.count > 1_000 {
                drawDots(points, inks.line(series, dashed: false), width: 1.4)
                continue
            }
            let marker = SeriesStyle.of(series).marker
            let path = points.map { marker.path($0.x, $0.y, radius: 1.8) }.joined()
            if !path.isEmpty { svg.element("path", "d=\"\(path)\" fill-opacity=\"0.8\" \(inks.solid(series))") }
        }
    }

    mutating func drawSteps(_ panel: FigurePanel, _ frame: PanelFrame) {
        let n = SVGText.number
        for series in figure.series.indices {
            var path = ""
            var last = (x: -1.0, y: -1.0)
            for point in panel.points where point.series == series {
                let place = (x: x(point.x, frame), y: y(point.y, frame))
                if path.isEmpty {
                    path = "M\(n(place.x)) \(n(frame.bottom))V\(n(place.y))"
                } else {
                    // What is nearer than that nobody sees; the end is always drawn.
                    guard place.x - last.x > 0.2 || last.y - place.y > 0.2 || point.y == 1 else { continue }
                    path += "H\(n(place.x))V\(n(place.y))"
                }
                last = place
            }
            guard !path.isEmpty else { continue }
            svg.element(
                "path", "d=\"\(path)H\(n(frame.right))\" stroke-width=\"1.1\" \(inks.line(series))")
        }
    }

    mutating func drawCells(_ panel: FigurePanel, _ frame: PanelFrame, isLeftmost: Bool) {
        let width = step(frame)
        let height = frame.height / Double(figure.series.count)
        for mark in panel.marks {
            let (x, y) = (frame.x + Double(mark.category) * width, frame.y + Double(mark.series) * height)
            let place = SVGText.numbers(["x": x, "y": y, "width": width + 0.05, "height": height + 0.05])
            guard let value = mark.value else {
                svg.element("rect", "\(place) \(inks.absent)", tip: tip(mark, panel))
                drawAbsence(mark, panel, x + width / 2, y + height / 2)
                continue
            }
            let share = (value - yTicks.lower) / (yTicks.upper - yTicks.lower)
            svg.element("rect", "\(place) fill=\"\(Shade.color(share))\"", tip: tip(mark, panel))
            let text = FigureDrawing.short(value)
            if TextSize.width(text, size: size.smallFont) + 2 <= width, height >= size.smallFont + 1 {
                write(
                    text, x + width / 2, y + height / 2 + size.smallFont * 0.35, anchor: "middle",
                    more: inks.text(on: share))
            }
        }
        guard isLeftmost, height * Double(figure.series.count) >= 1 else { return }
        let stride = max(1, Int((size.smallFont / height).rounded(.up)))
        for (index, name) in figure.series.enumerated() where index % stride == 0 {
            write(
                TextSize.cut(name, to: FigureLayout.longestLabel, size: size.smallFont), frame.x - 3,
                frame.y + (Double(index) + 0.5) * height + size.smallFont * 0.35, anchor: "end")
        }
    }

    // MARK: Parts of marks

    private mutating func drawInterval(
        _ mark: FigureMark, _ x: Double, _ frame: PanelFrame, cap: Double, _ ink: String
    ) {
        guard let interval = mark.interval else { return }
        let n = SVGText.number
        let (low, high) = (y(interval.lowerBound, frame), y(interval.upperBound, frame))
        svg.element(
            "path", "d=\"M\(n(x)) \(n(low))V\(n(high))M\(n(x - cap)) \(n(low))h\(n(2 * cap))M\(n(x - cap)) \(n(high))"
                + "h\(n(2 * cap))\" stroke-width=\"0.7\" \(ink)")
    }

    /// Where a line has its value, marker and error bar: beside those of other lines where there are error bars, which
    /// would cover each other.
    private func place(_ mark: FigureMark, _ frame: PanelFrame) -> Double {
        x(category: mark.category, frame) + (hasIntervals ? sideways(mark.series, frame) : 0)
    }

    /// How far what lines have at one place is moved, to stand side by side.
    private func sideways(_ series: Int, _ frame: PanelFrame) -> Double {
        let each = min(2.4, step(frame) * 0.5 / Double(figure.series.count))
        return (Double(series) - Double(figure.series.count - 1) / 2) * each
    }

    /// A small cross where a value is missing, in the colour of its series: an empty place would be taken for zero.
    private mutating func drawAbsence(_ mark: FigureMark, _ panel: FigurePanel, _ x: Double, _ y: Double) {
        let n = SVGText.number
        let isColored = figure.kind != .heatmap
        let ink = isColored ? "\(inks.line(mark.series, dashed: false)) stroke-width=\"0.9\"" : inks.absent
        svg.element("path", "d=\"M\(n(x - 1.5)) \(n(y - 1.5))l3 3m0 -3l-3 3\" \(ink)", tip: tip(mark, panel))
    }

    /// Many points as one shape; those at one place once.
    private mutating func drawDots(_ points: [(x: Double, y: Double)], _ ink: String, width: Double) {
        var seen: Set<[Int]> = []
        var path = ""
        for point in points {
            guard seen.insert([Int((point.x * 4).rounded()), Int((point.y * 4).rounded())]).inserted else { continue }
            path += "M\(SVGText.number(point.x)) \(SVGText.number(point.y))h0"
        }
        guard !path.isEmpty else { return }
        svg.element("path", "d=\"\(path)\" stroke-linecap=\"round\" stroke-width=\"\(width)\" \(ink)")
    }
}
