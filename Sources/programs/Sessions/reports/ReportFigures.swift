import Figures
import Model
import Results

/// Which figures a report shows: one for each metric that the sweep asks for, over the axes that vary.
struct ReportFigures {
    /// An axis, or `workload`, with its values.
    typealias Choice = (name: String, values: [String])

    static let mostMetrics = 6
    let metrics: [String]
    /// Metrics that have no figure, as there are enough.
    let leftOut: [String]
    /// One for all metrics; where nothing varies, one for each.
    private var makers: [FigureMaker]

    init(_ view: SweepView, metrics: [String], _ subject: FigureSubject) throws {
        self.metrics = Array(metrics.prefix(ReportFigures.mostMetrics))
        leftOut = Array(metrics.dropFirst(ReportFigures.mostMetrics))
        let chosen = ReportFigures.choose(ReportFigures.varied(view.sweep))
        if chosen.x == nil {
            makers = try self.metrics.map { try FigureMaker(FigureRequest(.cdf, y: [$0]), subject) }
        } else {
            let request = FigureRequest(x: chosen.x, y: self.metrics, series: chosen.series, facet: chosen.facet)
            makers = self.metrics.isEmpty ? [] : [try FigureMaker(each: request, subject)]
        }
    }

    /// What has at least two values, in the order of the tables.
    private static func varied(_ sweep: Sweep) -> [Choice] {
        let workloads = [(name: "workload", values: sweep.workloads)]
        return (workloads + sweep.allAxes.map { (name: $0.name, values: $0.values) })
            .filter { Set($0.values).count > 1 }
    }

    /// Below stands what is measured in sizes or numbers, if anything is; colours tell few values apart; small charts
    /// show workloads. What is left over is averaged, and the notes say so.
    static func choose(_ varied: [Choice]) -> (x: String?, series: String?, facet: String?) {
        var rest = varied
        func take(_ fits: (Choice) -> Bool) -> String? {
            guard let index = rest.firstIndex(where: fits) else { return nil }
            return rest.remove(at: index).name
        }
        let x = take { $0.name != "workload" && $0.values.count > 2 && AxisOrder($0.values).isMeasure }
            ?? take { $0.name == "workload" } ?? take { _ in true }
        let series = take { $0.name != "workload" && $0.values.count <= 8 } ?? take { $0.values.count <= 8 }
        let facet = take { $0.name == "workload" && $0.values.count <= 12 } ?? take { $0.values.count <= 6 }
        return (x, series, facet)
    }

    mutating func add(_ row: DatasetRow) { for index in makers.indices { makers[index].add(row) } }

    /// Those that have something to show.
    func figures() throws -> [(metric: String, figure: Figure)] {
        let figures = try makers.first?.request.x == nil ? makers.map { try $0.figure() } : makers[0].figures()
        return Array(zip(metrics, figures)).filter { !$0.1.isEmpty }.map { (metric: $0, figure: $1) }
    }
}
