internal import Model
internal import Results

/// Describes a figure in Vega-Lite 5, a grammar that browsers, Python (Altair, vl-convert) and R read: what was drawn
/// can be changed there and drawn again, from the CSV file beside it.
public struct VegaLite {
    private let figure: Figure
    private let columns: FigureTable.Columns
    private let data: String

    /// - Parameter data: the name of the CSV file, as seen from where the description stands.
    /// - Returns: a JSON document on one line.
    public static func text(_ figure: Figure, data: String, size: FigureSize) -> String {
        VegaLite(figure: figure, columns: FigureTable(figure).columns, data: data).document(size).encoded
    }

    private func document(_ size: FigureSize) -> JSON {
        var parse = columns.names.map { name in
            JSON.Member(name, .string(isNumber(name) ? "number" : "string"))
        }
        parse.sort { $0.name < $1.name }
        let source = JSON.object([
            .init("url", .string(data)),
            .init("format", .object([.init("type", .string("csv")), .init("parse", .object(parse))])),
        ])
        let transforms = figure.kind == .stacks ? [JSON.Member("transform", .array([ranking]))] : []
        let columnCount = max(1, min(figure.panels.count, size.columns))
        let inner = JSON.object([
            .init("width", .number(number(size.width / Double(columnCount) * 0.8))),
            .init("height", .number(number(size.panelHeight))), .init("layer", .array(layers)),
        ])
        var members: [JSON.Member] = [
            .init("$schema", .string("https://vega.github.io/schema/vega-lite/v5.json")), .init("data", source),
            .init("config", .object([.init("font", .string("Liberation Sans, Arial, Helvetica, sans-serif"))])),
        ]
        members += transforms
        if let facet = columns.facet {
            members += [
                .init("facet", channel(facet, "nominal", figure.facetTitle, order: figure.panels.map(\.title))),
                .init("columns", .integer(columnCount)), .init("spec", inner),
            ]
        } else if case .object(let parts) = inner {
            members += parts
        }
        return .object(members)
    }

    private func isNumber(_ name: String) -> Bool {
        if name == columns.x { return figure.kind.hasMeasuredX }
        return [columns.y, columns.low, columns.high, columns.count].contains(name)
    }

    // MARK: Layers

    private var layers: [JSON] {
        var layers: [JSON] = []
        if let reference = figure.reference {
            layers.append(layer(["type": "rule", "strokeDash": "4 2"], [
                .init("y", .object([.init("datum", .number(number(reference)))])),
            ]))
        }
        let (mark, isColored) = mark
        layers.append(layer(mark, place(isColored: isColored)))
        if figure.kind == .bars || figure.kind == .lines, columns.low != nil,
            figure.panels.contains(where: { $0.marks.contains { $0.interval != nil } }) {
            layers.append(layer(["type": "rule"], interval))
        }
        return layers
    }

    private var mark: (KeyValuePairs<String, String>, Bool) {
        switch figure.kind {
        case .bars, .stacks: (["type": "bar"], true)
        case .lines: (["type": "line", "point": "true"], true)
        case .scatter: (["type": "point"], true)
        case .box: (["type": "boxplot"], true)
        case .cdf: (["type": "line", "interpolate": "step-after"], true)
        case .heatmap: (["type": "rect"], false)
        }
    }

    private func layer(_ mark: KeyValuePairs<String, String>, _ encoding: [JSON.Member]) -> JSON {
        let members = mark.map { name, value in
            switch value {
            case "true": JSON.Member(name, .bool(true))
            case "4 2": JSON.Member(name, .array([.integer(4), .integer(2)]))
            default: JSON.Member(name, .string(value))
            }
        }
        return .object([.init("mark", .object(members)), .init("encoding", .object(encoding))])
    }

    /// The channels of the marks themselves.
    private func place(isColored: Bool) -> [JSON.Member] {
        var encoding = [xChannel]
        if figure.kind == .heatmap {
            let series = columns.series ?? ""
            return encoding + [
                .init("y", channel(series, "ordinal", figure.seriesTitle, order: figure.series)),
                .init("color", channel(columns.y, "quantitative", figure.y.label)),
            ]
        }
        encoding.append(.init("y", channel(columns.y, "quantitative", figure.y.label)))
        guard let series = columns.series else { return encoding }
        if figure.kind == .bars || figure.kind == .box { encoding.append(offset(series)) }
        encoding.append(.init("color", color(series)))
        if figure.kind == .stacks {
            encoding.append(.init("order", .object([
                .init("field", .string(VegaLite.rank)), .init("type", .string("quantitative")),
            ])))
        }
        return encoding
    }

    private var interval: [JSON.Member] {
        var encoding = [
            xChannel, JSON.Member("y", channel(columns.low ?? "", "quantitative", figure.y.label)),
            JSON.Member("y2", .object([.init("field", .string(VegaLite.field(columns.high ?? "")))])),
        ]
        if figure.kind == .bars, let series = columns.series { encoding.append(offset(series)) }
        return encoding
    }

    // MARK: Channels

    private var xChannel: JSON.Member {
        let name = columns.x ?? ""
        if figure.kind.hasMeasuredX { return .init("x", channel(name, "quantitative", figure.x.label)) }
        return .init("x", channel(name, "ordinal", figure.x.label, order: figure.categories.map(\.text)))
    }

    private func offset(_ series: String) -> JSON.Member {
        .init("xOffset", .object([
            .init("field", .string(VegaLite.field(series))), .init("sort", .array(figure.series.map { .string($0) })),
        ]))
    }

    private func color(_ series: String) -> JSON {
        guard case .object(var members) = channel(series, "nominal", figure.seriesTitle, order: figure.series) else {
            return .null
        }
        members.append(.init("scale", .object([
            .init("domain", .array(figure.series.map { .string($0) })),
            .init("range", .array(figure.series.indices.map { .string(SeriesStyle.of($0).color) })),
        ])))
        return .object(members)
    }

    private func channel(_ name: String, _ type: String, _ title: String, order: [String]? = nil) -> JSON {
        var members: [JSON.Member] = [
            .init("field", .string(VegaLite.field(name))), .init("type", .string(type)),
            .init("title", .string(title)),
        ]
        guard let order else { return .object(members) }
        let values = JSON.array(order.map { .string($0) })
        // Where layers share a scale, what one says of its order is lost: the scale itself has to name it.
        members.append(type == "ordinal" ? .init("scale", .object([.init("domain", values)])) : .init("sort", values))
        return .object(members)
    }

    /// A column's name in Vega-Lite, where points and brackets lead into objects.
    static func field(_ name: String) -> String {
        name.reduce(into: "") { text, character in
            if "\\.[]".contains(character) { text.append("\\") }
            text.append(character)
        }
    }

    private static let rank = "place in the stack"

    /// Parts of a stack go by the alphabet where nothing else is said.
    private var ranking: JSON {
        let names = JSON.array(figure.series.map { .string($0) }).encoded
        let column = JSON.string(columns.series ?? "").encoded
        return .object([
            .init("calculate", .string("indexof(\(names), datum[\(column)])")), .init("as", .string(VegaLite.rank)),
        ])
    }

    private func number(_ value: Double) -> String { Number.render(value) }
}
