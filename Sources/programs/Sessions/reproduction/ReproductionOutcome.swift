import Engines
package import Formats
import Ledger
package import Model
import Results
import Storage

/// A run held against the one that it does again.
package struct ReproductionOutcome {
    package enum Verdict: String, Sendable {
        /// Result and statistics are the same to the last digit.
        case identical
        /// The result is, and the statistics could not be compared.
        case resultIdentical = "result-identical"
        case differs
        /// The run that was to do it again has no result.
        case failed
    }

    package let verdict: Verdict
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
            verdict = .failed
            let explanation = entry.command("explain", run: run)
            sentences = ["it was not reproduced, because the run failed; see why: \(explanation)"]
            return
        }
        let artifacts = try view.ledger.artifacts(of: run, attempt: decision.id.attempt)
        var said: [String] = []
        var verdict = result == capsule.result ? Verdict.identical : .differs
        said.append(
            verdict == .identical ? "result: identical" : "result: \(try Self.change(capsule.result, result))")
        if let path = view.descriptor.statistics {
            let (text, found) = try Self.compared(path, capsule.artifacts, artifacts, view)
            said.append("\(path): \(text)")
            if verdict == .identical { verdict = found }
        }
        said.append(Self.files(capsule.artifacts, artifacts))
        // An engine without a program of its own runs people's.
        if verdict == .differs, view.descriptor.binary == nil {
            said.append(
                "a program that uses random numbers or the clock gives another result each time; give it a seed")
        }
        self.verdict = verdict
        sentences = said
    }

    /// The statistics of both runs. Where the sweep's `artifacts` leaves them behind, neither run has them.
    ///
    /// - Parameter view: of the sweep that did it again; its store has what the original left, as far as that is there.
    private static func compared(
        _ path: String, _ first: [Artifact], _ second: [Artifact], _ view: SweepView
    ) throws -> (text: String, verdict: Verdict) {
        let files = [first, second].map { artifacts in artifacts.first { $0.path == path } }
        guard let one = files[0] else {
            return files[1] == nil
                ? ("not compared, because neither run kept it", .identical)
                : ("not compared, because the original run did not keep it", .resultIdentical)
        }
        guard let other = files[1] else { return ("the run left none this time", .differs) }
        let store = try view.entry.artifacts.objects()
        var (before, after) = (StatisticsRecord(), StatisticsRecord())
        if let problem = try view.scan(one, store, &before) {
            return ("not compared, because the original's is lost or damaged: \(problem)", .resultIdentical)
        }
        if let problem = try view.scan(other, store, &after) {
            return ("not compared, because this run's is lost or damaged: \(problem)", .resultIdentical)
        }
        guard let found = before.difference(from: after) else {
            return ("\(before.count) statistics identical (host* left out)", .identical)
        }
        let place = "\(VisibleText.of(found.name, limit: 200)) in block \(found.block)"
        return (
            "\(found.differing) of \(found.count) statistics differ; the first is \(place): "
                + "\(found.first ?? "none"), then \(found.second ?? "none")", .differs
        )
    }

    /// How many values are not the same, and the first of them.
    private static func change(_ first: ResultText, _ second: ResultText) throws -> String {
        let before = try JSON(parsing: first.text).leaves
        let after = Dictionary(
            try JSON(parsing: second.text).leaves.map { ($0.path, $0.text) }, uniquingKeysWith: { $1 })
        let changed = before.filter { after[$0.path] != $0.text }
        guard let one = changed.first else {
            return "\(PeopleText.count(before.count, "value")) before, \(after.count) now"
        }
        return "\(changed.count) of \(before.count) values differ; the first is \(one.path): \(one.text), then "
            + (after[one.path] ?? "none")
    }

    /// Logs have times and addresses in them: that they differ says nothing.
    private static func files(_ first: [Artifact], _ second: [Artifact]) -> String {
        let same = first.filter { file in second.contains { $0.path == file.path && $0.digest == file.digest } }
        let others = first.filter { file in !same.contains(file) }.map { VisibleText.of($0.path, limit: 100) }
        let text = "files: \(same.count) of \(first.count) are the same byte for byte"
        return others.isEmpty ? text : text + "; others: \(PeopleText.list(others, atMost: 8))"
    }
}

extension JSON {
    /// All numbers, texts and the like, each with the way to it: a result is a list with one object an invocation.
    fileprivate var leaves: [(path: String, text: String)] { leaves(at: "") }

    private func leaves(at path: String) -> [(path: String, text: String)] {
        switch self {
        case .object(let members):
            members.flatMap { $0.value.leaves(at: path.isEmpty ? $0.name : "\(path), \($0.name)") }
        case .array(let elements):
            elements.enumerated().flatMap { place, element in
                element.leaves(at: path.isEmpty ? "invocation \(place + 1)" : "\(path), \(place + 1)")
            }
        default: [(path, encoded)]
        }
    }
}
