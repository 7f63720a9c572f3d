public import Model
public import Results

extension MetricFormula {
    /// The formulas of a sweep: those for the counters of its engine, then its own.
    public static func all(of sweep: Sweep) -> [MetricFormula] {
        let known: [MetricFormula] =
            switch sweep.engine {
            case .qemu: model
            case .gem5: gem5
            case .command: []
            }
        return known + own(of: sweep)
    }
}
