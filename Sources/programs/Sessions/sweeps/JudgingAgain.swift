import CoordinatorRuntime
import Engines
package import Ledger
package import Model
import Results
package import Storage

/// What another specification makes of results that are there: they are held against it by the evidence that was kept.
/// Only where that is lost is a run done again.
package struct JudgingAgain {
    /// How many runs were looked at and keep their attempt, whatever became of them.
    package private(set) var count = 0
    /// Of these, how many succeeded or broke the contract only now.
    package private(set) var newlySucceeded = 0
    package private(set) var newlyQuarantined = 0
    /// What the first of these lacks.
    private var firstBreach: (run: RunNumber, evidence: String)?
    /// Runs that must be done again, and why.
    package private(set) var again: [(run: RunNumber, reason: String)] = []
    /// Follows a revision, in the same transaction.
    package private(set) var records: [Record] = []

    private let specification: Specification
    private let ledger: Ledger
    /// Nothing but metrics and definitions changed: the accepted numbers of a run tell all that is needed.
    private let isAboutMetrics: Bool
    private let rule: MetricRule

    /// - Parameter before: what the ledger's results were held against.
    package init(
        _ specification: Specification, before: Sweep, _ ledger: Ledger, _ store: @autoclosure () throws -> ObjectStore
    ) throws {
        self.specification = specification
        self.ledger = ledger
        let sweep = specification.sweep
        isAboutMetrics = before.contract(metrics: false) == sweep.contract(metrics: false)
        rule = MetricRule(sweep.requiredMetrics, try sweep.formulas)
        let isChanged = before.contract(metrics: true) != sweep.contract(metrics: true)
        var open: [(place: Int, run: RunNumber)] = []
        try ledger.forEachRun(of: specification.keys) { place, run in
            // What was gone may have been held against any specification.
            guard isChanged || run.plan.place == nil, JudgingAgain.isOpen(run) else { return }
            if isAboutMetrics, run.plan.place != nil, hasMetrics(run) { count += 1 } else {
                open.append((place, run.plan.run))
            }
        }
        guard !open.isEmpty else { return }
        let judge = Rejudgement(specification.engine, specification.points, try store())
        for (place, run) in open { try self.judge(place, run, judge) }
    }

    /// Whether what a run must have could change its end: that of a result, and of one that lacked something.
    private static func isOpen(_ run: RunStatus) -> Bool {
        guard run.decision != nil else { return false }
        return run.state == .succeeded || run.state == .quarantined && run.failure == .contractBroken
    }

    private func hasMetrics(_ run: RunStatus) -> Bool {
        guard run.state == .succeeded, let blocks = run.decision?.blocks.flatMap({ try? Blocks($0) }) else {
            return false
        }
        do throws(Breach) {
            try rule.check(blocks.blocks.map { FoundBlock(place: "", block: $0) })
            return true
        } catch {
            return false
        }
    }

    private mutating func judge(_ place: Int, _ number: RunNumber, _ judge: Rejudgement) throws {
        guard let run = try ledger.run(number), let decision = run.decision else { return }
        let repeats = specification.sweep.measure.repeats
        let task = EngineTask.evaluation(point: place / repeats, repetition: place % repeats + 1)
        let report = AttemptReport(
            id: decision.id, wallNanoseconds: decision.wall, peakMemoryBytes: decision.peakMemoryBytes,
            artifacts: try ledger.artifacts(of: number, attempt: decision.id.attempt))
        switch try judge.judge(task, report) {
        case .lost(let path, let how):
            // What came back as it went needs no evidence.
            if isAboutMetrics, hasMetrics(run) { return count += 1 }
            let reason = "its artifact \(VisibleText.of(path)) \(how)"
            again.append((number, reason))
            records.append(.runReopened(run: number, reason: reason))
        case .verdict(let verdict):
            count += 1
            let isSame = verdict.failure == decision.failure && verdict.evidence == decision.evidence
            if isSame, verdict.blocks == decision.blocks { return }
            if verdict.failure == nil, run.state != .succeeded { newlySucceeded += 1 }
            if verdict.failure != nil, run.state == .succeeded {
                newlyQuarantined += 1
                firstBreach = firstBreach ?? (number, verdict.evidence)
            }
            records.append(
                .judgedAgain(
                    decision.id, failure: verdict.failure, evidence: verdict.evidence, blocks: verdict.blocks))
        }
    }

    // MARK: For people

    /// As it will be; nil: there is nothing to judge.
    package var plan: String? {
        var parts: [String] = []
        if count > 0 { parts.append("\(PeopleText.count(count, "run")) \(count == 1 ? "is" : "are") judged again") }
        if again.count == 1 { parts.append("1 run is run again: \(again[0].reason)") }
        if again.count > 1 {
            let listed = again.prefix(3).map { "run \($0.run), \($0.reason)" }.joined(separator: "; ")
            let runs = PeopleText.count(again.count, "run")
            parts.append("\(runs) are run again: \(listed)\(again.count > 3 ? "; ..." : "")")
        }
        return parts.isEmpty ? nil : parts.joined(separator: ", ")
    }

    /// As it was done.
    package var sentence: String? {
        guard let plan else { return nil }
        var changes: [String] = []
        if newlySucceeded > 0 { changes.append("\(newlySucceeded) now succeeded") }
        if newlyQuarantined > 0 { changes.append("\(newlyQuarantined) now quarantined") }
        let sentence = changes.isEmpty ? plan : "\(plan); \(changes.joined(separator: ", "))"
        return firstBreach.map { run, evidence in
            "\(sentence), which had succeeded (run \(run): \(VisibleText.of(evidence, limit: 300))). If that is not "
                + "meant, do not retry them: correct the sweep file and launch it again, and none is run again"
        } ?? sentence
    }
}

extension Sweep {
    /// What results are held against beside their point: the sweep without what spans its points, what is the same for
    /// all results of a point, and how runs are handed out.
    fileprivate func contract(metrics: Bool) -> Sweep {
        var contract = self
        contract.name = ""
        contract.workloads = []
        (contract.axes, contract.zips, contract.exclude, contract.include) = ([], [], [], [])
        contract.inputs = []
        contract.settings = (try? EngineRegistry.find(engine))?.contract(settings) ?? settings
        contract.measure.repeats = 1
        contract.measure.checkpoints = []
        contract.limits = SweepLimits()
        contract.attempts = 1
        contract.hostLabels = []
        contract.artifacts = ArtifactRule()
        contract.needs = RunNeeds()
        contract.stopAfter = nil
        contract.hasSecondStarts = true
        contract.priority = 0
        if !metrics { (contract.metrics, contract.definitions) = ([], []) }
        return contract
    }
}
