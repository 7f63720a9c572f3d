internal import Model

/// Draws a timeline as SVG for a page.
public struct TimelineDrawing {
    private static let width = 720.0
    private static let font = 9.0
    private static let bins = 240
    private let timeline: Timeline
    private let inks: Inks
    private var svg = SVGText()
    private var left = 0.0
    private var ticks = Ticks(0...1, count: 6)
    private var unit: (name: String, length: Double) = ("s", 1e9)
    private var start: Nanoseconds = 0
    private var inner: Double { TimelineDrawing.width - left - 12 }

    /// - Returns: an element of a page; empty: nothing ended yet.
    public static func svg(_ timeline: Timeline, name: String, title: String) -> String {
        guard let range = timeline.range else { return "" }
        var drawing = TimelineDrawing(timeline: timeline, inks: Inks(theme: .page, prefix: name))
        drawing.draw(range, title)
        return drawing.svg.text
    }

    private init(timeline: Timeline, inks: Inks) {
        self.timeline = timeline
        self.inks = inks
    }

    private mutating func draw(_ range: ClosedRange<Nanoseconds>, _ title: String) {
        let lanes = timeline.spans.count <= Timeline.mostSpans ? timeline.lanes() : []
        let laneCount = lanes.reduce(0) { $0 + $1.count }
        let showsLanes = !lanes.isEmpty && laneCount <= Timeline.mostLanes
        let names = timeline.hosts.prefix(Timeline.mostHosts)
        left = min(140, names.map { TextSize.width($0, size: TimelineDrawing.font) }.max() ?? 0) + 12
        (start, unit) = (range.lowerBound, TimelineDrawing.unit(Double(range.upperBound - range.lowerBound)))
        let length = Double(range.upperBound - range.lowerBound) / unit.length
        ticks = Ticks(0...length, count: 7, isTight: true)
        let laneHeight = laneCount > 40 ? 6.0 : 11
        let heights = showsLanes ? lanes.map { Double(max($0.count, 1)) * laneHeight + 5 } : names.map { _ in 30.0 }
        let top = 18.0
        let height = top + heights.reduce(0, +) + 30
        svg.open(
            "svg", "xmlns=\"http://www.w3.org/2000/svg\" class=\"fig\" viewBox=\"0 0 \(Int(TimelineDrawing.width)) "
                + "\(SVGText.number(height))\" role=\"img\" aria-label=\"\(SVGText.escaped(title))\" "
                + "font-family=\"Liberation Sans, Arial, Helvetica, sans-serif\" font-size=\"9\"")
        inks.writeHatches(SeriesStyle.limit, to: &svg)
        drawKeys()
        drawAxis(top, height - 30)
        var y = top
        let load = showsLanes ? [] : timeline.load(TimelineDrawing.bins)
        for (host, name) in names.enumerated() {
            let shown = TextSize.cut(name, to: left - 10, size: TimelineDrawing.font)
            write(shown, left - 6, y + heights[host] / 2 + 1, anchor: "end")
            if showsLanes {
                draw(lanes[host], y, laneHeight)
            } else {
                draw(load[host], y, heights[host] - 6)
            }
            y += heights[host]
        }
        svg.close("svg")
    }

    private func x(_ time: Nanoseconds) -> Double { x(Double(time - start) / unit.length) }
    private func x(_ units: Double) -> Double { left + units / ticks.upper * inner }

    private static func unit(_ length: Double) -> (String, Double) {
        for (name, unit) in [("days", 86_400e9), ("hours", 3_600e9), ("minutes", 60e9)] where length >= 3 * unit {
            return (name, unit)
        }
        return ("seconds", 1e9)
    }

    // MARK: Parts

    private mutating func drawKeys() {
        var x = left
        let present = Set(timeline.spans.map(\.outcome))
        for outcome in RunState.allCases where present.contains(outcome) {
            svg.element(
                "rect", SVGText.numbers(["x": x, "y": 3, "width": 11, "height": 8]) + " " + inks.area(outcome.series))
            write(outcome.rawValue, x + 15, 10)
            x += 27 + TextSize.width(outcome.rawValue, size: TimelineDrawing.font)
        }
    }

    private mutating func drawAxis(_ top: Double, _ bottom: Double) {
        let n = SVGText.number
        for value in ticks.values {
            svg.element("path", "d=\"M\(n(x(value))) \(n(top))V\(n(bottom))\" \(inks.grid)")
            write(ticks.label(value), x(value), bottom + 11, anchor: "middle")
        }
        svg.element("path", "d=\"M\(n(left)) \(n(bottom))h\(n(inner))\" \(inks.axis)")
        write("\(unit.name) after the first attempt began", left + inner / 2, bottom + 24, anchor: "middle")
    }

    private mutating func draw(_ lanes: [[Timeline.Span]], _ top: Double, _ height: Double) {
        for (index, lane) in lanes.enumerated() {
            for span in lane {
                let (from, to) = (x(span.start), x(span.end))
                let place = SVGText.numbers([
                    "x": from, "y": top + Double(index) * height, "width": max(to - from - 0.4, 0.6),
                    "height": height - 1.2,
                ])
                svg.element("rect", "\(place) \(inks.area(span.outcome.series))", tip: span.text)
            }
        }
    }

    /// A row of counts, stacked by outcome.
    private mutating func draw(_ load: [[Double]], _ top: Double, _ height: Double) {
        let most = max(1, load.map { $0.reduce(0, +) }.max() ?? 1)
        var floor = [Double](repeating: 0, count: load.count)
        let width = inner / Double(max(load.count, 1))
        let n = SVGText.number
        for outcome in RunState.allCases {
            guard load.contains(where: { $0[outcome.place] > 0 }) else { continue }
            let tops = zip(floor, load).map { $0 + $1[outcome.place] }
            func y(_ value: Double) -> String { n(top + height * (1 - value / most)) }
            var path = "M\(n(left)) \(y(floor[0]))"
            for value in tops { path += "V\(y(value))h\(n(width))" }
            for value in floor.reversed() { path += "V\(y(value))h\(n(-width))" }
            svg.element("path", "d=\"\(path)Z\" \(inks.area(outcome.series))", tip: nil)
            floor = tops
        }
        write(Ticks.fixed(most, most < 10 ? 1 : 0), left + inner + 2, top + 7)
    }

    private mutating func write(_ text: String, _ x: Double, _ y: Double, anchor: String? = nil) {
        let place = SVGText.numbers(["x": x, "y": y])
        svg.leaf("text", place + (anchor.map { " text-anchor=\"\($0)\"" } ?? "") + " " + inks.text, text)
    }
}
