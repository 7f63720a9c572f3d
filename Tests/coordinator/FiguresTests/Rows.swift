import Figures
import Model
import Results

/// A sweep's runs as figures are given them.
struct Rows {
    let axes: [String]
    let hasWorkloads: Bool
    let metrics: [(name: String, unit: String?)]
    var rows: [DatasetRow] = []

    init(_ axes: [String], hasWorkloads: Bool = false, metrics: [(name: String, unit: String?)] = [("v", nil)]) {
        self.axes = axes
        self.hasWorkloads = hasWorkloads
        self.metrics = metrics
    }

    /// A run with a block for each value, of the first metric or of all.
    mutating func add(
        _ values: [String], blocks: [[String: String]], workload: String? = nil, state: RunState? = .succeeded,
        repetition: Int = 1
    ) {
        let found = blocks.map { block in Block(block.sorted { $0.key < $1.key }.map { Metric($0, $1) }) }
        rows.append(
            DatasetRow(
                point: SHA256.digest("\(workload ?? "") \(values)"), workload: workload, values: values,
                repetition: repetition, state: state, blocks: state == .succeeded ? Blocks(found) : nil))
    }

    mutating func add(
        _ values: [String], _ v: [Double] = [], workload: String? = nil, state: RunState? = .succeeded,
        repetition: Int = 1
    ) {
        add(values, blocks: v.map { ["v": "\($0)"] }, workload: workload, state: state, repetition: repetition)
    }

    var subject: FigureSubject {
        FigureSubject(axes: axes, hasWorkloads: hasWorkloads, metrics: metrics, formulas: [])
    }

    func figure(_ request: FigureRequest) throws -> Figure {
        var maker = try FigureMaker(request, subject)
        for row in rows { maker.add(row) }
        return try maker.figure()
    }

    /// Three sizes, two predictors, two workloads, three repeats; one point failed.
    static var study: Rows {
        var rows = Rows(["l2.size", "predictor"], hasWorkloads: true)
        for (place, workload) in ["aes", "auth"].enumerated() {
            for (step, size) in ["1MiB", "256KiB", "512KiB"].enumerated() {
                for (kind, predictor) in ["bimodal", "tage"].enumerated() {
                    for repetition in 1...3 {
                        let isLost = workload == "auth" && size == "1MiB" && predictor == "tage"
                        let value = Double((place + 1) * [2, 8, 4][step]) / Double(kind + 1) + Double(repetition) / 10
                        rows.add(
                            [size, predictor], [value, value + 0.2], workload: workload,
                            state: isLost ? .failed : .succeeded, repetition: repetition)
                    }
                }
            }
        }
        return rows
    }
}
