/// How a series looks. Each differs from every other in lightness or in its hatching, so that a grey print tells them
/// apart; the colours are those that Okabe and Ito chose for all kinds of colour vision ("Color Universal Design",
/// 2008), with a grey in place of black.
struct SeriesStyle {
    enum Hatch: String { case none, rising, falling, level, dots, crossed, upright }

    let color: String
    let hatch: Hatch
    /// Of lines, in points; empty: without a gap.
    let dashes: String
    let marker: Marker

    static let all = [
        SeriesStyle(color: "#0072b2", hatch: .none, dashes: "", marker: .circle),
        SeriesStyle(color: "#e69f00", hatch: .none, dashes: "5 1.5", marker: .square),
        SeriesStyle(color: "#009e73", hatch: .rising, dashes: "2 1.5", marker: .triangle),
        SeriesStyle(color: "#d55e00", hatch: .falling, dashes: "6 1.5 1.5 1.5", marker: .diamond),
        SeriesStyle(color: "#56b4e9", hatch: .dots, dashes: "3.5 1.5", marker: .inverted),
        SeriesStyle(color: "#cc79a7", hatch: .level, dashes: "1 1.5", marker: .cross),
        SeriesStyle(color: "#b8a900", hatch: .upright, dashes: "8 2", marker: .plus),
        SeriesStyle(color: "#666666", hatch: .crossed, dashes: "4 1.5 1 1.5 1 1.5", marker: .hexagon),
    ]

    /// The most series that can be told apart.
    static var limit: Int { all.count }

    static func of(_ series: Int) -> SeriesStyle { all[series % all.count] }
}

/// The shapes that stand on lines and in scatters.
enum Marker {
    case circle, square, triangle, diamond, inverted, cross, plus, hexagon

    /// A closed path around a place.
    func path(_ x: Double, _ y: Double, radius: Double) -> String {
        if case .circle = self {
            let n = SVGText.number
            return "M\(n(x - radius)) \(n(y))a\(n(radius)) \(n(radius)) 0 1 0 \(n(2 * radius)) 0"
                + "a\(n(radius)) \(n(radius)) 0 1 0 \(n(-2 * radius)) 0Z"
        }
        let points = corners.map { corner in
            "\(SVGText.number(x + corner.0 * radius)) \(SVGText.number(y + corner.1 * radius))"
        }
        return "M" + points.joined(separator: "L") + "Z"
    }

    /// In radii, y downwards.
    private var corners: [(Double, Double)] {
        switch self {
        case .circle: []
        case .square: [(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)]
        case .triangle: [(0, -1.15), (1.05, 0.75), (-1.05, 0.75)]
        case .inverted: [(0, 1.15), (1.05, -0.75), (-1.05, -0.75)]
        case .diamond: [(0, -1.25), (1, 0), (0, 1.25), (-1, 0)]
        case .hexagon: [(-1, 0), (-0.5, -0.95), (0.5, -0.95), (1, 0), (0.5, 0.95), (-0.5, 0.95)]
        case .plus:
            [
                (-0.35, -1.1), (0.35, -1.1), (0.35, -0.35), (1.1, -0.35), (1.1, 0.35), (0.35, 0.35), (0.35, 1.1),
                (-0.35, 1.1), (-0.35, 0.35), (-1.1, 0.35), (-1.1, -0.35), (-0.35, -0.35),
            ]
        case .cross:
            [
                (-1, -0.55), (-0.55, -1), (0, -0.45), (0.55, -1), (1, -0.55), (0.45, 0), (1, 0.55), (0.55, 1),
                (0, 0.45), (-0.55, 1), (-1, 0.55), (-0.45, 0),
            ]
        }
    }
}

/// Where a figure is shown, which decides how its colours are written.
public enum FigureTheme: Sendable, Hashable {
    /// In a file of its own: colours as they are.
    case paper
    /// Within a page, whose style sheet has the colours (``pageStyle``), for light and dark; marks say their values
    /// where one points at them.
    case page

    /// The rules of a style sheet for figures within a page. The page sets the custom properties `--ink`, `--grid` and
    /// `--paper`.
    public static var pageStyle: String {
        let series = SeriesStyle.all.enumerated().map { index, style in
            ".f\(index){fill:\(style.color)}.l\(index){stroke:\(style.color)}"
        }
        return series.joined(separator: "\n") + """

            .fig text{fill:var(--ink)}.fig .grid{stroke:var(--grid)}.fig .axis{stroke:var(--ink)}
            .fig .error{stroke:var(--ink)}.fig .hatch{stroke:var(--paper)}.fig .dot{fill:var(--paper)}
            .fig .absent{stroke:var(--ink)}.fig .on-dark{fill:#fff}.fig .on-light{fill:#000}

            """
    }
}

/// The attributes that give a shape its colour.
struct Inks {
    let theme: FigureTheme
    /// Told apart from those of other figures on a page.
    let prefix: String

    private func pick(_ paper: String, _ page: String) -> String { theme == .paper ? paper : "class=\"\(page)\"" }

    var text: String { pick("fill=\"#000\"", "ink") }
    /// On a cell of a heat map. A page must not style single elements: its policy allows none.
    func text(on share: Double) -> String {
        let isDark = share > 0.55
        return pick("fill=\"\(isDark ? "#fff" : "#000")\"", isDark ? "on-dark" : "on-light")
    }
    var grid: String { "\(pick("stroke=\"#ddd\"", "grid")) stroke-width=\"0.4\"" }
    var axis: String { "\(pick("stroke=\"#000\"", "axis")) stroke-width=\"0.6\" fill=\"none\"" }
    /// Without a width.
    var error: String { "\(pick("stroke=\"#000\"", "error")) fill=\"none\"" }
    var absent: String { "\(pick("stroke=\"#000\"", "absent")) stroke-width=\"0.7\" fill=\"none\"" }

    /// The inside of bars, boxes and keys.
    func area(_ series: Int) -> String {
        let style = SeriesStyle.of(series)
        if style.hatch != .none { return "fill=\"url(#\(prefix)h\(series % SeriesStyle.limit))\"" }
        return solid(series)
    }

    /// Markers: too small to be hatched.
    func solid(_ series: Int) -> String {
        pick("fill=\"\(SeriesStyle.of(series).color)\"", "f\(series % SeriesStyle.limit)")
    }

    func line(_ series: Int, dashed: Bool = true) -> String {
        let style = SeriesStyle.of(series)
        let dashes = dashed && !style.dashes.isEmpty ? " stroke-dasharray=\"\(style.dashes)\"" : ""
        return pick("stroke=\"\(style.color)\"", "l\(series % SeriesStyle.limit)") + " fill=\"none\"\(dashes)"
    }

    /// The patterns that hatched series are filled with.
    func writeHatches(_ count: Int, to svg: inout SVGText) {
        let hatched = (0..<min(count, SeriesStyle.limit)).filter { SeriesStyle.of($0).hatch != .none }
        guard !hatched.isEmpty else { return }
        svg.open("defs")
        for series in hatched {
            let style = SeriesStyle.of(series)
            let turn = style.hatch == .rising || style.hatch == .falling
                ? " patternTransform=\"rotate(\(style.hatch == .rising ? 45 : -45))\"" : ""
            svg.open(
                "pattern",
                "id=\"\(prefix)h\(series)\" width=\"4\" height=\"4\" patternUnits=\"userSpaceOnUse\"\(turn)")
            svg.element("rect", "width=\"4\" height=\"4\" \(solid(series))")
            if style.hatch == .dots {
                svg.element("circle", "cx=\"2\" cy=\"2\" r=\"0.8\" \(pick("fill=\"#fff\"", "dot"))")
            } else {
                let lines = ["level": "M0 2H4", "crossed": "M0 2H4M2 0V4"][style.hatch.rawValue] ?? "M2 0V4"
                svg.element(
                    "path", "d=\"\(lines)\" \(pick("stroke=\"#fff\"", "hatch")) stroke-width=\"0.9\" fill=\"none\"")
            }
            svg.close("pattern")
        }
        svg.close("defs")
    }
}

/// From light to dark blue, for the cells of heat maps: a grey print keeps the order.
enum Shade {
    private static let stops: [(red: Double, green: Double, blue: Double)] = [
        (240, 246, 252), (198, 219, 239), (107, 174, 214), (33, 113, 181), (8, 48, 107),
    ]

    /// - Parameter share: from 0, the lightest, to 1.
    static func color(_ share: Double) -> String {
        let place = min(max(share, 0), 1) * Double(stops.count - 1)
        let index = min(Int(place), stops.count - 2)
        let (from, to, part) = (stops[index], stops[index + 1], place - Double(index))
        let mixed = [(from.red, to.red), (from.green, to.green), (from.blue, to.blue)].map { pair in
            let value = Int((pair.0 + part * (pair.1 - pair.0)).rounded())
            return (value < 16 ? "0" : "") + String(value, radix: 16)
        }
        return "#" + mixed.joined()
    }
}
