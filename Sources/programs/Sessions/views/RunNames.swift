import Ledger
package import Model

/// What runs are, for people.
package final class RunNames {
    private let entry: ArtifactsFolder.Entry
    private lazy var view = try? SweepView(entry)
    /// What runs are does not change, and a live view asks often.
    private var known: [RunNumber: String] = [:]

    package init(_ entry: ArtifactsFolder.Entry) { self.entry = entry }

    package func describe(_ run: RunNumber) -> String {
        if let text = known[run] { return text }
        guard let view, let plan = try? view.ledger.run(run)?.plan else { return "run \(run)" }
        if known.count > 4_096 { known = [:] }
        let text = view.describe(plan)
        known[run] = text
        return text
    }
}
