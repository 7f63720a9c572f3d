import CoordinatorRuntime
import Engines
package import Formats
import Ledger
package import Model
import Results
import Storage

/// A run held against the one that it does again.
package struct ReproductionCheck {
    package enum Agreement: String, Sendable {
        /// Result and statistics are the same to the last digit.
        case identical
        /// The result is, and the statistics could not be compared.
        case resultIdentical = "result-identical"
        case differs
        /// The run that was to do it again has no result.
        case failed
    }

    package let agreement: Agreement
    /// What was compared, and the first thing that is not the same; for people.
    package let sentences: [String]
    /// The run that did it again.
    package let run: RunNumber

    /// - Parameter entry: the sweep of ``Reproduction/session(_:from:in:on:anyEngine:)``, which has ended.
    package init(_ capsule: Capsule, _ entry: ArtifactsFolder.Entry) throws {
        let view = try SweepView(entry)
        // Its only point's last repeat.
        run = capsule.repetition
        guard let status = try view.ledger.run(run), status.state == .succeeded, let decision = status.decision,
            let result = decision.blocks
        else {
            agreement = .failed
            let explanation = entry.command("explain", run: run)
            sentences = ["it was not reproduced, because the run failed; see why: \(explanation)"]
            return
        }
        let artifacts = try view.ledger.artifacts(of: run, attempt: decision.id.attempt)
        let comparison = try RunComparison(
            GivenNumbers(result: capsule.result, artifacts: capsule.artifacts),
            GivenNumbers(result: result, artifacts: artifacts), statistics: view.descriptor.statistics,
            in: try entry.artifacts.objects())
        let agreement: Agreement = !comparison.isSame ? .differs : comparison.isWhole ? .identical : .resultIdentical
        var said = comparison.sentences
        said.append(Self.files(capsule.artifacts, artifacts))
        // An engine without a program of its own runs people's.
        if agreement == .differs, view.descriptor.binary == nil {
            said.append(
                "a program that uses random numbers or the clock gives another result each time; give it a seed")
        }
        self.agreement = agreement
        sentences = said
    }

    /// Logs have times and addresses in them: that they differ says nothing.
    private static func files(_ first: [Artifact], _ second: [Artifact]) -> String {
        let same = first.filter { file in second.contains { $0.path == file.path && $0.digest == file.digest } }
        let others = first.filter { file in !same.contains(file) }.map { VisibleText.of($0.path, limit: 100) }
        let text = "files: \(same.count) of \(first.count) are the same byte for byte"
        return others.isEmpty ? text : text + "; others: \(PeopleText.list(others, atMost: 8))"
    }
}
