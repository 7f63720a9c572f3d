internal import Model

/// How much a figure can show: more than that nobody could tell apart, and what is left out is said.
enum FigureLimits {
    static let panels = 12
    static let rows = 60
    /// Of bars, boxes, stacks and cells, in all panels' one row.
    static let categories = 64
    static let linePlaces = 2_000
    /// Of values: beyond it the width of an axis, or the sum of a stack, is more than a Double can hold.
    static let largest = 1e299

    static func canShow(_ value: Double) -> Bool { value.magnitude <= largest }

    static func beyond(_ count: Int) -> String {
        "\(PeopleText.count(count, "value")) beyond 10^299 \(count == 1 ? "is" : "are") not drawn."
    }

    static func apply(to figure: Figure) -> Figure {
        var figure = withoutLarge(figure)
        let series = figure.kind == .heatmap ? rows : SeriesStyle.limit
        if figure.series.count > series {
            figure.notes.append(leftOut(figure.series.count - series, figure.series.count, "series", "series"))
            figure.series.removeLast(figure.series.count - series)
            for index in figure.panels.indices {
                figure.panels[index].marks.removeAll { $0.series >= series }
                figure.panels[index].points.removeAll { $0.series >= series }
            }
        }
        if figure.panels.count > panels {
            figure.notes.append(leftOut(figure.panels.count - panels, figure.panels.count, "facet", "facets"))
            figure.panels.removeLast(figure.panels.count - panels)
        }
        let places = figure.kind == .lines ? linePlaces : categories
        if figure.categories.count > places {
            let kept = Set(figure.categories.indices.prefix(places))
            figure.notes.append(leftOut(figure.categories.count - places, figure.categories.count, "place", "places"))
            figure.categories.removeLast(figure.categories.count - places)
            for index in figure.panels.indices {
                figure.panels[index].marks.removeAll { !kept.contains($0.category) }
                if figure.kind == .box { figure.panels[index].points.removeAll { !kept.contains(Int($0.x)) } }
            }
        }
        return figure
    }

    private static func withoutLarge(_ figure: Figure) -> Figure {
        var figure = figure
        var count = 0
        for panel in figure.panels.indices {
            for place in figure.panels[panel].marks.indices {
                let mark = figure.panels[panel].marks[place]
                if let value = mark.value, !canShow(value) {
                    count += 1
                    figure.panels[panel].marks[place] = FigureMark(
                        category: mark.category, series: mark.series, value: nil, count: mark.count,
                        absent: "too large to be drawn")
                } else if let interval = mark.interval, !canShow(interval.lowerBound) || !canShow(interval.upperBound) {
                    figure.panels[panel].marks[place].interval = nil
                }
            }
        }
        if count > 0 { figure.notes.append(beyond(count)) }
        return figure
    }

    private static func leftOut(_ count: Int, _ all: Int, _ noun: String, _ nouns: String) -> String {
        "The last \(PeopleText.count(count, noun, nouns)) of \(all) left out: choose some with --where."
    }
}
