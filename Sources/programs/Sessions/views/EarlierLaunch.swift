package import Ledger
package import Model

/// The sweep of that name that is there already, beside the file.
package struct EarlierLaunch {
    package let entry: ArtifactsFolder.Entry
    package let change: SpecificationChange
    package let pinProblem: String?
    package let judging: JudgingAgain

    package init(
        _ entry: ArtifactsFolder.Entry, _ specification: Specification, in folder: ArtifactsFolder
    ) throws {
        self.entry = entry
        let ledger = try Ledger.read(entry.ledger, sweep: specification.sweep.name)
        change = try ledger.compare(specification.keys)
        let before = try Document.sweep(try ledger.metadata().specification)
        judging = try JudgingAgain(specification, before: before, ledger, try folder.objects())
        do {
            try specification.checkPins(try ledger.pins())
            pinProblem = nil
        } catch let failure as Failure where failure.code == .refused {
            pinProblem = failure.message
        }
    }

    /// The difference, if there is one, and how far it is.
    package var lines: [String] {
        var lines = ["launched    as \(entry.name)-\(entry.identifier); launching goes on there"]
        lines.append("done        \(change.succeeded) of \(change.kept + change.new + change.back) runs")
        if change.isOther {
            lines.append("kept        \(change.kept) runs")
            lines.append("new         \(change.new) runs and \(change.newSetups) setups")
            if change.back > 0 { lines.append("back        \(change.back) runs, with what they have") }
            lines.append("gone        \(change.gone) runs: they leave the tables, and stay in the ledger")
        }
        if let plan = judging.plan { lines.append("judged      \(plan)") }
        if let pinProblem { lines.append("refused     \(pinProblem)") }
        return lines
    }

    package var document: JSON {
        .object([
            JSON.Member("id", .string(entry.identifier)), JSON.Member("kept", .integer(change.kept)),
            JSON.Member("new", .integer(change.new)), JSON.Member("back", .integer(change.back)),
            JSON.Member("gone", .integer(change.gone)), JSON.Member("succeeded", .integer(change.succeeded)),
            JSON.Member("judged_again", .integer(judging.count)),
            JSON.Member(
                "run_again",
                .array(
                    judging.again.map {
                        .object([JSON.Member("run", .integer($0.run)), JSON.Member("reason", .string($0.reason))])
                    })),
            JSON.Member("refused", pinProblem.map { .string($0) } ?? .null),
        ])
    }
}
