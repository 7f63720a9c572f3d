import Ledger
package import Model

/// What runs are, for people.
package final class RunNames {
    private let entry: ArtifactsFolder.Entry
    private lazy var view = try? SweepView(entry)

    package init(_ entry: ArtifactsFolder.Entry) { self.entry = entry }

    package func describe(_ run: RunNumber) -> String {
        guard let view, let plan = try? view.ledger.run(run)?.plan else { return "run \(run)" }
        return view.describe(plan)
    }
}
