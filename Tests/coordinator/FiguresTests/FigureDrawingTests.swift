import Foundation
import FoundationXML
import Model
import Results
import TestKit
import Testing

@testable import Figures

@Suite("How a figure is drawn")
struct FigureDrawingTests {
    /// Every kind, of a study with everything that can be in one.
    static let requests: [FigureRequest] = FigureKind.allCases.map { kind in
        switch kind {
        case .bars, .lines, .box: FigureRequest(kind, x: "l2.size", y: ["v"], series: "predictor", facet: "workload")
        case .stacks, .heatmap: FigureRequest(kind, x: "l2.size", y: ["v"], series: "workload", facet: "predictor")
        case .scatter: FigureRequest(kind, x: "v", y: ["v"], series: "workload")
        case .cdf: FigureRequest(kind, y: ["v"], series: "predictor", facet: "workload")
        }
    }

    // MARK: Well-formed, and within its edges

    @Test("Each kind is well-formed XML whose shapes lie within it", arguments: requests)
    func wellFormed(_ request: FigureRequest) throws {
        let figure = try Rows.study.figure(request)
        for size in [FigureSize.column, .page] {
            for theme in [FigureTheme.paper, .page] {
                let shapes = try Shapes(FigureDrawing.svg(figure, size: size, theme: theme, title: "t"))
                #expect(shapes.outside == [], "\(request.kind?.rawValue ?? "")")
                #expect(shapes.count > 10)
            }
        }
    }

    @Test("Names of anyone's making are text, and never markup")
    func hostile() throws {
        let names = ["<script>alert(1)</script>", "a\"b'c", "\u{202e}evil", "\u{0}\u{ffff}", "]]>", "&amp;", "عربي"]
        var rows = Rows(["x"], hasWorkloads: true)
        for (index, name) in names.enumerated() { rows.add([name], [Double(index)], workload: name) }
        let figure = try rows.figure(FigureRequest(.bars, x: "workload", y: ["v"], facet: "x"))
        let svg = FigureDrawing.svg(figure, size: .page, theme: .page, title: names.joined())
        #expect(!svg.contains("<script") && !svg.contains("\u{202e}") && !svg.contains("\u{0}"))
        #expect(svg.contains("&lt;script&gt;") && svg.contains("\\u{202e}evil") && svg.contains("عربي"))
        let shapes = try Shapes(svg)
        #expect(shapes.texts.contains { $0.contains("\\u{202e}") })
    }

    @Test("Every series differs from every other in print, by lightness or hatching, and by its marker")
    func styles() {
        func lightness(_ color: String) -> Double {
            let digits = Int(color.dropFirst(), radix: 16) ?? 0
            let parts = [digits >> 16, digits >> 8, digits].map { part -> Double in
                let share = Double(part & 255) / 255
                return share <= 0.04045 ? share / 12.92 : pow((share + 0.055) / 1.055, 2.4)
            }
            let luminance = 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
            return luminance > 0.008856 ? 116 * cbrt(luminance) - 16 : 903.3 * luminance
        }
        for (index, style) in SeriesStyle.all.enumerated() {
            for other in SeriesStyle.all[..<index] {
                let isOther = abs(lightness(style.color) - lightness(other.color)) >= 15
                #expect(style.hatch != other.hatch || isOther, "\(style.color), \(other.color)")
                #expect(style.marker != other.marker && style.dashes != other.dashes)
            }
        }
        let shades = (0...20).map { lightness(Shade.color(Double($0) / 20)) }
        #expect(zip(shades, shades.dropFirst()).allSatisfy { $0 > $1 })
    }

    @Test("A hundred thousand points become one small shape for each series")
    func manyPoints() {
        let points = (0..<100_000).map { FigurePoint(series: $0 % 2, x: Double($0 % 977), y: Double($0 % 1_009)) }
        let figure = Figure(
            .scatter, x: FigureAxis("a"), y: FigureAxis("b"), seriesTitle: "s", series: ["1", "2"],
            panels: [FigurePanel(points: points)])
        let svg = FigureDrawing.svg(figure, size: .column, title: "t")
        #expect(svg.utf8.count < 2_000_000)
        #expect(svg.split(separator: "\n").filter { $0.hasPrefix("<path d=\"M") }.count < 40)
    }

    @Test("A page's marks say their values; a paper's do not")
    func tips() throws {
        let figure = try Rows.study.figure(FigureRequest(.bars, x: "workload", y: ["v"], series: "predictor"))
        let page = FigureDrawing.svg(figure, size: .column, theme: .page, title: "t")
        #expect(page.contains("<title>aes, bimodal: "))
        #expect(!FigureDrawing.svg(figure, size: .column, title: "t").contains("<title>"))
    }

    // MARK: Ticks

    @Test("Ticks are round, cover their range and are written without noise")
    func ticks() {
        var chance = Chance(seed: 7)
        for _ in 0..<2_000 {
            let scale = pow(10, Double(chance.number(0...23)) - 12)
            let low = (Double(chance.number(0...2_000_000)) - 1_000_000) * scale
            let high = low + Double(chance.number(0...1_000_000)) * scale
            let ticks = Ticks(low...high, count: 5)
            #expect(ticks.lower <= low + scale * 1e-3 && ticks.upper >= high - scale * 1e-3)
            #expect((2...13).contains(ticks.values.count), "\(low) \(high)")
            let labels = ticks.values.map(ticks.label)
            #expect(Set(labels).count == labels.count, "\(low) \(high): \(labels)")
        }
    }

    @Test(
        "Labels of ticks",
        arguments: [
            (0.0, 1.0, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]), (0, 17, ["0", "5", "10", "15", "20"]),
            (1.1e8, 1.26e8, ["110", "115", "120", "125", "130"]), (-2, 2, ["−2", "−1", "0", "1", "2"]),
            (0, 25_000, ["0", "5", "10", "15", "20", "25"]),
            (0.001, 0.002, ["0.0010", "0.0012", "0.0014", "0.0016", "0.0018", "0.0020"]),
        ])
    func labels(_ low: Double, _ high: Double, _ expected: [String]) {
        let ticks = Ticks(low...high, count: 5)
        #expect(ticks.values.map(ticks.label) == expected)
    }

    static let nasty: [Double] = [
        0, -0.0, .leastNonzeroMagnitude, .leastNormalMagnitude, 1e-300, 1, 1e15, 1e299, -1e299, 1e300, 1.7e308,
        -1.7e308,
    ]

    @Test("An axis has a few ticks whatever its ends are", arguments: nasty, nasty)
    func nastyTicks(_ one: Double, _ other: Double) {
        for isTight in [false, true] {
            let ticks = Ticks(min(one, other)...max(one, other), count: 5, isTight: isTight)
            #expect(ticks.values.count <= 13 && ticks.lower < ticks.upper)
            #expect((ticks.values + [ticks.lower, ticks.upper, ticks.upper - ticks.lower]).allSatisfy { $0.isFinite })
            #expect(ticks.values.allSatisfy { ticks.label($0).count < 30 })
        }
    }

    @Test("Values near the end of a Double are drawn or named, in every kind", arguments: nasty, nasty)
    func nastyValues(_ one: Double, _ other: Double) throws {
        var rows = Rows(["x", "s"])
        for (x, value) in [one, other].enumerated() {
            for s in ["a", "b"] { rows.add(["\(x)", s], [value, value]) }
        }
        for kind in FigureKind.allCases {
            let x = kind == .cdf ? nil : kind == .scatter ? "v" : "x"
            let figure = try rows.figure(FigureRequest(kind, x: x, y: ["v"], series: "s"))
            let svg = FigureDrawing.svg(figure, size: .column, title: "t")
            #expect(svg.utf8.count < 20_000 && !svg.contains("nan") && !svg.contains("inf"), "\(kind)")
            #expect(try Shapes(svg).outside == [], "\(kind)")
            let isLarge = max(one.magnitude, other.magnitude) > FigureLimits.largest
            #expect(figure.notes.contains { $0.hasSuffix("not drawn.") } == isLarge, "\(kind): \(figure.notes)")
        }
    }

    // MARK: Files

    @Test("Pictures, tables and descriptions are what they were", arguments: ["bars", "lines", "heatmap"])
    func golden(_ kind: String) throws {
        // A panel for each workload, so that the repeats have error bars.
        let request = FigureRequest(
            FigureKind(rawValue: kind), x: "l2.size", y: ["v"], series: "predictor",
            facet: kind == "heatmap" ? nil : "workload")
        let figure = try Rows.study.figure(request)
        try Self.compare("\(kind).svg", FigureDrawing.svg(figure, size: .column, title: "v over l2.size"))
        try Self.compare("\(kind).vl.json", VegaLite.text(figure, data: "\(kind).csv", size: .column) + "\n")
        let table = FigureTable(figure)
        var text = ""
        var writer = TableWriter(.csv, name: "figure", columns: table.columns.names) {
            text += String(decoding: $0, as: UTF8.self)
        }
        for row in table.rows { try writer.add(row) }
        try writer.finish()
        try Self.compare("\(kind).csv", text)
    }

    /// Where `USWEEP_RECORD_GOLDEN` is set, the file is written instead: then look at it.
    private static func compare(_ name: String, _ text: String) throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden/\(name)")
        if ProcessInfo.processInfo.environment["USWEEP_RECORD_GOLDEN"] != nil {
            try Data(text.utf8).write(to: file)
        }
        let isSame = try String(contentsOf: file, encoding: .utf8) == text
        #expect(isSame, "\(name) is drawn differently")
    }

    @Test("A description names the columns of its table", arguments: requests)
    func description(_ request: FigureRequest) throws {
        let figure = try Rows.study.figure(request)
        let table = FigureTable(figure)
        let names = table.columns.names
        #expect(Set(names).count == names.count)
        #expect(table.rows.allSatisfy { $0.count == names.count } && !table.rows.isEmpty)
        let text = VegaLite.text(figure, data: "a.csv", size: .page)
        let document = try JSON(parsing: Array(text.utf8), file: "a.vl.json")
        #expect(document["data"]?["url"]?.text == "a.csv")
        let fields = text.matches(of: /"field":"((?:[^"\\]|\\.)*)"/).map {
            String($0.1).replacing("\\\\", with: "")
        }
        let known = Set(names + ["place in the stack"])
        #expect(!fields.isEmpty && fields.allSatisfy(known.contains), "\(fields)")
    }

    @Test("An axis may have the name of another column")
    func names() throws {
        var rows = Rows(["low", "n", "v"])
        rows.add(["1", "2", "3"], [4])
        let figure = try rows.figure(FigureRequest(x: "low", y: ["v"], series: "n", facet: "v"))
        #expect(FigureTable(figure).columns.names == ["v", "low", "n", "v_", "low_", "high", "n_"])
    }
}

/// What an XML parser finds in a drawing.
private final class Shapes: NSObject, XMLParserDelegate {
    private(set) var count = 0
    private(set) var texts: [String] = []
    /// Shapes with a place beyond the edges.
    private(set) var outside: [String] = []
    private var size = (width: 0.0, height: 0.0)

    init(_ svg: String) throws {
        super.init()
        let parser = XMLParser(data: Data(svg.utf8))
        parser.delegate = self
        guard parser.parse() else {
            throw Failure(.badData, "not well-formed", cause: "\(String(describing: parser.parserError))")
        }
    }

    func parser(
        _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
        attributes: [String: String]
    ) {
        count += 1
        if let box = attributes["viewBox"]?.split(separator: " ").compactMap({ Double($0) }), box.count == 4 {
            size = (box[2], box[3])
        }
        if name == "rect", let x = number(attributes["x"]), let y = number(attributes["y"]) {
            check(x + (number(attributes["width"]) ?? 0), y + (number(attributes["height"]) ?? 0), name)
            check(x, y, name)
        }
        if name == "text", let x = number(attributes["x"]), let y = number(attributes["y"]) { check(x, y, name) }
        for place in (attributes["d"] ?? "").matches(of: /[ML](-?[0-9.]+) (-?[0-9.]+)/) {
            check(Double(place.1) ?? -1e9, Double(place.2) ?? -1e9, name)
        }
    }

    func parser(_ parser: XMLParser, foundCharacters string: String) { texts.append(string) }

    private func number(_ text: String?) -> Double? { text.flatMap(Double.init) }

    private func check(_ x: Double, _ y: Double, _ name: String) {
        if (-0.5...size.width + 0.5).contains(x), (-0.5...size.height + 0.5).contains(y) { return }
        outside.append("\(name) at \(x), \(y)")
    }
}
