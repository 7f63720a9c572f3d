import Ledger
import Model

/// A folder for each function, or where one has several runs, for each of them.
struct FunctionFolders {
    private let view: SweepView
    private let runsPerWorkload: Int
    private var taken: Set<String> = []

    init(_ view: SweepView) {
        self.view = view
        runsPerWorkload = view.points.count / max(1, view.sweep.workloads.count) * view.sweep.measure.repeats
    }

    /// nil: the sweep file no longer has the run.
    mutating func place(of plan: PlannedRun) -> String? {
        guard let workload = plan.key.workload, let assignments = view.assignments(of: plan) else { return nil }
        guard runsPerWorkload > 1 else { return workload }
        var words = assignments.map { "\($0.axis)=\($0.value)" }
        if view.sweep.measure.repeats > 1 { words.append("repeat=\(plan.key.repetition)") }
        var name = String(FolderName.plain(words.joined(separator: ",")).prefix(200))
        // Values may differ in what a name cannot show.
        if name.isEmpty || name.hasPrefix(".") || !taken.insert("\(name)/\(workload)").inserted {
            name = "run-\(plan.run)"
        }
        return "\(name)/\(workload)"
    }
}
