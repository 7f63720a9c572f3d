import Ledger
import Model

/// The sweep of that name that is there already, beside the file.
package struct EarlierLaunch {
    let entry: ArtifactsFolder.Entry
    let change: SpecificationChange
    let pinProblem: String?
    let judging: JudgingAgain
    let recipe: RecipeChange
    private let repeats: Int

    init(_ entry: ArtifactsFolder.Entry, _ specification: Specification, in folder: ArtifactsFolder) throws {
        self.entry = entry
        let ledger = try Ledger.read(entry.ledger, sweep: specification.sweep.name)
        change = try ledger.compare(specification.keys)
        let before = try Document.sweep(try ledger.metadata().specification)
        judging = try JudgingAgain(specification, before: before, ledger, try folder.objects())
        recipe = try RecipeChange(before: before, after: specification.sweep, specification.points)
        repeats = specification.sweep.measure.repeats
        do {
            try specification.checkPins(try ledger.pins())
            pinProblem = nil
        } catch let failure as Failure where failure.code == .refused {
            pinProblem = failure.message
        }
    }

    /// The difference, if there is one, and how far it is.
    package var lines: [String] {
        var lines = ["launched    as \(entry.fullName); launching it again continues it"]
        let runs = PeopleText.count(change.kept + change.new + change.back, "run")
        lines.append("done        \(change.succeeded) of \(runs)")
        if change.isOther {
            lines.append("unchanged   \(PeopleText.count(change.kept, "run"))")
            let setups = change.newSetups > 0 ? " and \(PeopleText.count(change.newSetups, "setup"))" : ""
            lines.append("new         \(PeopleText.count(change.new, "run"))\(setups)")
            let replaced = min(Int(change.gone), recipe.pointCount * repeats)
            if let line = recipe.line(repeats: repeats) {
                let kept = replaced > 0 ? "; the results so far are kept, but not shown" : ""
                lines.append("again       \(line)\(kept)")
            }
            if change.back > 0 {
                lines.append("back        \(PeopleText.count(change.back, "run")), with the results that they had")
            }
            let gone = Int(change.gone) - replaced
            if gone > 0 {
                let are = gone == 1 ? "is" : "are"
                lines.append(
                    "gone        \(PeopleText.count(gone, "run")) \(are) no longer part of the sweep; their results "
                        + "are kept, but not shown")
            }
        }
        if let plan = judging.plan { lines.append("judged      \(plan)") }
        if let pinProblem { lines.append("refused     \(pinProblem)") }
        return lines
    }

    var document: JSON {
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
            JSON.Member("again", recipe.document(repeats: repeats)),
            JSON.Member("refused", pinProblem.map { .string($0) } ?? .null),
        ])
    }
}
