import Engines
package import Figures
import Model
package import Results

extension SweepView {
    /// What figures of the sweep can show.
    ///
    /// - Parameter names: the metrics that are asked for: where the sweep file names them all, no result is read for
    ///   their sake.
    package func figureSubject(naming names: [String]) throws -> FigureSubject {
        let required = sweep.requiredMetrics
        let known = names.allSatisfy { required.contains($0) || points.axes.contains($0) || $0 == "workload" }
            ? required : try metricNames()
        let measured = descriptor.metrics(sweep.settings) ?? []
        let units = Dictionary(measured.map { ($0.name, $0.unit) }, uniquingKeysWith: { first, _ in first })
        return FigureSubject(
            axes: points.axes, hasWorkloads: !sweep.workloads.isEmpty, metrics: known.map { ($0, units[$0]) },
            formulas: formulas)
    }

    /// A figure of the runs that are selected.
    ///
    /// - Throws: ``Failure`` (`usage`) for what the sweep does not have, and for what no figure can show at once.
    package func figure(_ request: FigureRequest, selection: Selection) throws -> Figure {
        var maker = try FigureMaker(request, try figureSubject(naming: request.y + [request.x].compactMap { $0 }))
        try forEachSelected(selection, withResults: true) { _, row in maker.add(row) }
        return try maker.figure()
    }
}
