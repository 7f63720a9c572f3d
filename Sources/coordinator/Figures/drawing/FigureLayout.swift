/// The measures of a figure in points: two-column papers have columns of 3.33 inches and pages of 7.
public struct FigureSize: Sendable, Hashable {
    public var width: Double
    /// Of the inside of a panel.
    public var panelHeight: Double
    public var columns: Int
    public var font = 8.0
    public var smallFont = 7.0

    public init(width: Double, panelHeight: Double, columns: Int) {
        self.width = width
        self.panelHeight = panelHeight
        self.columns = columns
    }

    public static let column = FigureSize(width: 240, panelHeight: 105, columns: 2)
    public static let page = FigureSize(width: 504, panelHeight: 120, columns: 4)
}

struct PanelFrame {
    var x: Double
    var y: Double
    var width: Double
    var height: Double
    var right: Double { x + width }
    var bottom: Double { y + height }
}

/// Where the parts of a figure stand.
struct FigureLayout {
    /// How the categories are written under the x axis.
    enum CategoryLabels: Equatable {
        case level, slanted

        /// The cosine of 45 degrees.
        static let slant = 0.707_106_781
    }

    struct Key {
        var series: Int
        var text: String
        var x: Double
        var y: Double
    }

    static let keyWidth = 12.0
    let size: FigureSize
    private(set) var height = 0.0
    private(set) var frames: [PanelFrame] = []
    private(set) var keys: [Key] = []
    private(set) var keyTitle: (text: String, x: Double, y: Double)?
    private(set) var labels = CategoryLabels.level
    /// Every how many categories has a label.
    private(set) var labelStride = 1
    private(set) var gridColumns = 1
    /// Of the colour bar of a heat map.
    let barWidth: Double
    static let longestLabel = 80.0

    init(_ figure: Figure, _ size: FigureSize, yLabels: [String], hasYTitle: Bool, hasKey: Bool, barLabels: [String]) {
        self.size = size
        let widest = yLabels.map { TextSize.width($0, size: size.smallFont) }.max() ?? 0
        barWidth = barLabels.isEmpty
            ? 0 : 24 + (barLabels.map { TextSize.width($0, size: size.smallFont) }.max() ?? 0) + size.font
        let left = min(widest, FigureLayout.longestLabel) + 6 + (hasYTitle ? size.font + 4 : 2)
        gridColumns = max(1, min(figure.panels.count, size.columns))
        // The labels of a measured axis reach beyond its ends.
        let gap = figure.kind.hasMeasuredX ? 16.0 : 8
        let margin = figure.kind.hasMeasuredX ? 10.0 : 4
        let inside = size.width - left - barWidth - margin - gap * Double(gridColumns - 1)
        let width = max(20, inside / Double(gridColumns))
        let top = hasKey ? placeKeys(figure, left: 4) : 3
        let below = placeLabels(figure, width: width, left: left)
        let rows = (figure.panels.count + gridColumns - 1) / gridColumns
        let head = figure.panels.contains { !$0.title.isEmpty } ? size.font + 4 : 5
        var y = top
        for row in 0..<rows {
            y += head
            for column in 0..<gridColumns where row * gridColumns + column < figure.panels.count {
                frames.append(
                    PanelFrame(x: left + Double(column) * (width + gap), y: y, width: width, height: size.panelHeight))
            }
            y += size.panelHeight + 4
        }
        height = y - 4 + below
    }

    /// - Returns: what the keys take.
    private mutating func placeKeys(_ figure: Figure, left: Double) -> Double {
        var (x, y) = (left, size.font + 1)
        if !figure.seriesTitle.isEmpty {
            let text = TextSize.cut(figure.seriesTitle + ":", to: size.width / 2, size: size.font)
            keyTitle = (text, x, y)
            x += TextSize.width(text, size: size.font) + 6
        }
        let start = x
        for (series, name) in figure.series.enumerated() {
            let text = TextSize.cut(name, to: size.width - start - FigureLayout.keyWidth - 8, size: size.font)
            let needed = FigureLayout.keyWidth + 3 + TextSize.width(text, size: size.font)
            if x + needed > size.width - 2, x > start {
                x = start
                y += size.font + 3
            }
            keys.append(Key(series: series, text: text, x: x, y: y))
            x += needed + 9
        }
        return y + 4
    }

    /// - Returns: what the labels and the title under the panels take.
    private mutating func placeLabels(_ figure: Figure, width: Double, left: Double) -> Double {
        let title = figure.x.label.isEmpty ? 0 : size.font + 5
        guard !figure.categories.isEmpty else { return size.smallFont + 4 + title }
        let widths = figure.categories.map { TextSize.width($0.text, size: size.smallFont) }
        let widest = min(widths.max() ?? 0, FigureLayout.longestLabel)
        let step = width / Double(figure.categories.count)
        if widest + 3 <= step { return size.smallFont + 4 + title }
        labels = .slanted
        let room = size.smallFont * 1.25
        if step < room { labelStride = Int((room / step).rounded(.up)) }
        return widest * CategoryLabels.slant + size.smallFont * 0.7 + 5 + title
    }

    /// Whether nothing stands under a panel, so that its x axis has its labels there.
    func isLowest(_ panel: Int) -> Bool { panel + gridColumns >= frames.count }

    func isLeftmost(_ panel: Int) -> Bool { panel % gridColumns == 0 }
}
