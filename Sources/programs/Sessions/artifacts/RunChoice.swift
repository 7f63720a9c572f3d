import Ledger
package import Model
import Results

/// Runs of one sweep, as people name them: by their numbers, by the digests of their points, or by what they are.
package struct RunChoice {
    package let entry: ArtifactsFolder.Entry
    /// In the order of the sweep, each once; nil: no run was named, but the sweep as a whole.
    package let runs: [RunNumber]?
    /// Whether each of them was named by its number, and none by what it is.
    package let isByNumber: Bool

    /// - Parameters:
    ///   - targets: a sweep, or runs of one: `NUMBER`, `ID/NUMBER`, `DIGEST`, `ID/DIGEST`; none: the last sweep.
    ///   - conditions: as ``Selection`` takes them; all must hold.
    /// - Throws: ``Failure`` (`usage`) for runs of several sweeps, or for runs and conditions; (`missingFile`) for a
    ///   point that the sweep does not have.
    package init(_ targets: [String], where conditions: [String] = [], in folder: ArtifactsFolder) throws {
        let found = try targets.map { (text: $0, target: try folder.findTarget($0)) }
        entry = try found.first?.target.entry ?? folder.find("last")
        try RunChoice.checkSame(found, entry)
        let named = found.map(\.target).filter { $0.run != nil || $0.point != nil }
        isByNumber = conditions.isEmpty && named.allSatisfy { $0.run != nil }
        if !conditions.isEmpty {
            guard named.isEmpty else {
                throw Failure(.usage, "runs are chosen by their names or by --where, not by both: leave one out")
            }
            runs = try SweepView(entry).runs(where: conditions)
        } else if named.isEmpty {
            runs = nil
        } else {
            let view = try isByNumber ? nil : SweepView(entry)
            var runs: [RunNumber] = []
            for target in named {
                let meant = try target.run.map { [$0] } ?? view?.runs(ofPoint: target.point ?? "") ?? []
                runs += meant.filter { !runs.contains($0) }
            }
            self.runs = runs
        }
    }

    private static func checkSame(
        _ found: [(text: String, target: ArtifactsFolder.Target)], _ entry: ArtifactsFolder.Entry
    ) throws {
        guard let other = found.first(where: { $0.target.entry.fullName != entry.fullName }) else { return }
        let isNumber = ArtifactsFolder.isNumber(other.text) || ArtifactsFolder.isNumber(found[0].text)
        let rule = isNumber ? "; a bare number is a run of the last sweep: write ID/NUMBER for another's" : ""
        throw Failure(
            .usage, "one sweep at a time: '\(found[0].text)' is of \(entry.fullName), '\(other.text)' of "
                + other.target.entry.fullName + rule)
    }

    /// The only run.
    ///
    /// - Parameter command: what it is for.
    /// - Throws: ``Failure`` (`usage`) where a sweep is meant, or several runs; (`missingFile`) where no run is.
    package func single(for command: String) throws -> RunNumber {
        guard let runs else {
            throw Failure(
                .usage, "'\(command)' is about a run: write \(entry.name)/NUMBER, or a number for a run of the last "
                    + "sweep; the numbers: \(entry.command("results"))")
        }
        guard let first = runs.first else {
            throw Failure(
                .missingFile, "no run of \(entry.fullName) matches; its runs: \(entry.command("results"))")
        }
        guard runs.count == 1 else {
            throw Failure(
                .usage, "that is \(PeopleText.count(runs.count, "run")), and '\(command)' shows one at a time: "
                    + PeopleText.list(runs.map { entry.command(command, run: $0) }, atMost: 5))
        }
        return first
    }
}

extension SweepView {
    /// The runs that fit conditions, as ``Selection`` takes them.
    package func runs(where conditions: [String]) throws -> [RunNumber] {
        let selection = try selection(where: conditions)
        var runs: [RunNumber] = []
        try forEachSelected(selection) { run, _ in runs.append(run.plan.run) }
        return runs
    }

    /// The runs of the point whose digest begins so, which the sweep file has.
    ///
    /// - Throws: ``Failure`` (`missingFile`) where there is none, (`usage`) where there are several points.
    func runs(ofPoint beginning: String) throws -> [RunNumber] {
        var found: [Digest: [RunNumber]] = [:]
        try ledger.forEachRun { run in
            guard run.plan.place != nil, let point = run.plan.key.point, point.hex.hasPrefix(beginning) else { return }
            found[point, default: []].append(run.plan.run)
        }
        guard found.count <= 1 else {
            throw Failure(.usage, "'\(beginning)' is the beginning of several points' digests; write more of it")
        }
        guard let runs = found.first?.value else {
            throw Failure(
                .missingFile, "the sweep \(entry.fullName) has no point whose digest begins with '\(beginning)'; its "
                    + "points: \(entry.command("results"))")
        }
        return runs
    }
}
