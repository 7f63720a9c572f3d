import Ledger
package import Model
import Results
import SweepCore

/// What the audits of a sweep have shown, by its ledger.
package struct AuditStatus: Sendable {
    /// A run of which hosts gave different numbers.
    package struct Dispute: Sendable {
        package let run: RunNumber
        let verdict: AuditVerdict
        /// Those that gave numbers, first the one whose result counts.
        let hosts: [String]
    }

    /// A host whose results count no more.
    package struct Fenced: Sendable {
        package let host: String
        package let reason: String
        /// Its results that were not made again.
        package let runs: [RunNumber]
    }

    package let share: AuditShare
    package let pointCount: Int
    /// How many points were to be audited.
    package let chosen: Int
    package private(set) var identical = 0
    package private(set) var disputes: [Dispute] = []
    /// Points that have a result and that no other host has run.
    package private(set) var undone = 0
    /// Points without a result that counts.
    package private(set) var withoutResult = 0
    package let fenced: [Fenced]
    private let entry: ArtifactsFolder.Entry

    /// nil: nothing is to be audited.
    init?(_ view: SweepView) throws {
        let ledger = view.ledger
        guard let share = try AuditShare(ledger.metadata()), share.millionths > 0 else { return nil }
        self.share = share
        let points = view.points
        pointCount = points.count
        let places = share.points(of: points)
        chosen = places.count
        entry = view.entry
        fenced = try ledger.hosts().compactMap { host in
            guard let reason = host.fenceReason else { return nil }
            return Fenced(host: host.host, reason: reason, runs: try ledger.fencedRuns(of: host.host))
        }
        let attempts = Dictionary(grouping: try ledger.audits(), by: \.attempt.id.run)
        let keys = places.map {
            RunKey.evaluation(point: points.digest($0), workload: points.workload($0), repetition: 1)
        }
        var seen = 0
        try ledger.forEachRun(of: keys) { _, run in
            seen += 1
            add(run, attempts[run.plan.run] ?? [])
        }
        withoutResult += places.count - seen
    }

    private mutating func add(_ run: RunStatus, _ attempts: [AuditAttempt]) {
        guard let (verdict, hosts) = run.audit(attempts, fenced: fenced.map(\.host)) else { return withoutResult += 1 }
        switch verdict {
        case .identical: identical += 1
        case .open where hosts.count < 2: undone += 1
        case .open, .outvoted, .notDeterministic:
            disputes.append(Dispute(run: run.plan.run, verdict: verdict, hosts: hosts))
        }
    }

    // MARK: For people

    /// As ``sentences``, where no label stands before them.
    package var labelled: [String] { ["audit: \(summary)"] + sentences.dropFirst() }

    /// One a line.
    package var sentences: [String] {
        var lines = [summary]
        let most = 3
        lines += disputes.prefix(most).map { dispute in
            "run \(dispute.run): \(dispute.verdict.sentence(dispute.hosts)). See: "
                + entry.command("explain", run: dispute.run)
        }
        if disputes.count > most { lines.append("and \(PeopleText.count(disputes.count - most, "run")) more") }
        for host in fenced {
            var line = "\(host.host) is fenced: \(host.reason)"
            if !host.runs.isEmpty {
                line += ". Its results are quarantined (\(PeopleText.runs(host.runs))). Run them again on other hosts: "
                    + entry.command("retry --class \(FailureClass.hostFenced.rawValue)")
            }
            lines.append(line)
        }
        return lines
    }

    private var summary: String {
        let done = identical + disputes.count
        var text = "\(done) of \(PeopleText.count(pointCount, "point")) \(done == 1 ? "was" : "were") run again "
            + "on other hosts"
        if done > 0 {
            text += disputes.isEmpty ? ": identical"
                : ": \(identical) identical, \(disputes.count) \(disputes.count == 1 ? "differs" : "differ")"
        }
        if undone > 0 { text += "; \(undone) more \(undone == 1 ? "is" : "are") to be" }
        if withoutResult > 0 {
            text += "; \(withoutResult) more, chosen for it, \(withoutResult == 1 ? "has" : "have") no result so far"
        }
        return text
    }

    package var document: JSON {
        .object([
            JSON.Member("share", .number(Number.render(Double(share.millionths) / 1e6))),
            JSON.Member("chosen", .integer(chosen)), JSON.Member("identical", .integer(identical)),
            JSON.Member("differing", .array(disputes.map { .integer($0.run) })),
            JSON.Member("not_done", .integer(undone)), JSON.Member("without_result", .integer(withoutResult)),
            JSON.Member(
                "fenced",
                .array(
                    fenced.map { host in
                        .object([
                            JSON.Member("host", .string(host.host)), JSON.Member("reason", .string(host.reason)),
                            JSON.Member("runs", .array(host.runs.map { .integer($0) })),
                        ])
                    })),
        ])
    }
}

extension RunStatus {
    /// What audits have shown of the run, and the hosts that gave numbers, first the one whose result counts; nil: the
    /// run has no result that counts.
    func audit(_ attempts: [AuditAttempt], fenced: [String]) -> (verdict: AuditVerdict, hosts: [String])? {
        guard state == .succeeded, let host = decision?.host else { return nil }
        let opinions = attempts.compactMap { audit in
            audit.comparison.map { AuditOpinion(host: audit.attempt.host, comparison: $0) }
        }.filter { !fenced.contains($0.host) }
        return (AuditVerdict(counted: host, opinions), [host] + opinions.map(\.host))
    }
}

extension AuditVerdict {
    /// For people.
    ///
    /// - Parameter hosts: that gave numbers.
    func sentence(_ hosts: [String]) -> String {
        let all = PeopleText.list(hosts)
        switch self {
        case .identical: return "\(all) gave the same numbers"
        case .open:
            if hosts.count < 2 { return "no other host has run it again yet" }
            return "\(all) gave different numbers, and no third host has run it to tell which is wrong, so neither is "
                + "fenced"
        case .outvoted(let host):
            let others = PeopleText.list(hosts.filter { $0 != host })
            return "\(host) gave other numbers than \(others); it was not fenced, because other runs of this "
                + "sweep are not deterministic"
        case .notDeterministic:
            return "not deterministic: \(all) gave different results, so no host is fenced; give the program a seed"
        }
    }
}
