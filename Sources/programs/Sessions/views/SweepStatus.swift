import Glibc
package import Ledger
package import Model

/// Where a sweep stands, by its ledger.
package struct SweepStatus: Sendable {
    /// A run that ended without a result.
    package struct Trouble: Sendable {
        package let run: RunNumber
        package let description: String
        package let state: RunState
        package let failure: FailureClass?
        package let attempts: Int
        package let evidence: String
    }

    package let entry: ArtifactsFolder.Entry
    /// Who works on it.
    package let holder: LedgerHolder
    /// Evaluation runs by state and class, first those that have not ended.
    package let counts: [RunCount]
    package let setups: [RunCount]
    /// Runs that the sweep file no longer has.
    package let goneCount: Int
    package let hosts: [HostStatus]
    package let pins: [(name: String, digest: Digest)]
    /// Why it is stopped; nil: it is not, or went on since.
    package let stop: String?
    /// Why the last coordinator ended without having done everything; nil: nobody works on it for another reason.
    package let lastEnd: String?
    /// Results that came after their lease had ended, and how many of them differ from what was merged.
    package let late: (all: Int, disagreeing: Int)
    /// nil: nothing is audited.
    package let audit: AuditStatus?
    package let damage: DamageStatus
    /// The first of them, in the order of the specification.
    package let troubles: [Trouble]
    /// Whether runs are left that nobody begins, since those before them failed alike.
    package internal(set) var isPaused: Bool

    /// - Parameter limit: the most ``troubles`` that are looked for.
    package init(_ entry: ArtifactsFolder.Entry, troubles limit: Int = 200) throws {
        let view = try SweepView(entry)
        let ledger = view.ledger
        self.entry = entry
        holder = Ledger.holder(entry.ledger)
        counts = try ledger.counts()
        // A reproduction was given the checkpoints that it starts from: nobody makes them.
        setups = try Reproduction.givenPins(ledger).isEmpty ? ledger.counts(ofSetups: true) : []
        goneCount = try ledger.goneCount()
        hosts = try ledger.hosts()
        pins = try ledger.pins()
        stop = try ledger.isStopped() ? ledger.stops().last : nil
        lastEnd = try view.lastEnd()
        late = try ledger.fencedCounts()
        audit = try AuditStatus(view)
        damage = try DamageStatus(view)
        isPaused = try ledger.isPaused()
        var troubles: [Trouble] = []
        let isTroubled = (counts + setups).contains { $0.state != nil && $0.state != .succeeded }
        if isTroubled, limit > 0 {
            do {
                try ledger.forEachRun { run in
                    guard let state = run.state, state != .succeeded else { return }
                    troubles.append(
                        Trouble(
                            run: run.plan.run, description: view.describe(run.plan), state: state,
                            failure: run.failure, attempts: run.attempts, evidence: run.decision?.evidence ?? ""))
                    if troubles.count == limit { throw Enough() }
                }
            } catch is Enough {}
        }
        self.troubles = troubles
    }

    private struct Enough: Error {}

    package var runCount: Int { counts.reduce(0) { $0 + $1.count } }

    package var succeededCount: Int { counts.filter { $0.state == .succeeded }.reduce(0) { $0 + $1.count } }

    /// How it went, and what to type next.
    package var conclusion: String {
        let all = counts + setups
        func total(_ fits: (RunCount) -> Bool) -> Int { all.filter(fits).reduce(0) { $0 + $1.count } }
        let (runs, left) = (total { _ in true }, total { $0.state == nil })
        var parts = ["\(total { $0.state == .succeeded }) of \(PeopleText.count(runs, "run")) succeeded"]
        for state in RunState.allCases where state != .succeeded {
            let classes = FailureClass.allCases.map { failure in
                (name: failure.rawValue, count: total { $0.state == state && $0.failure == failure })
            }.filter { $0.count > 0 }
            let ended = total { $0.state == state }
            if ended == 0 { continue }
            let names = classes.map { classes.count == 1 ? $0.name : "\($0.count) \($0.name)" }
            let why = state == .cancelled || names.isEmpty ? "" : " (\(names.joined(separator: ", ")))"
            parts.append("\(ended) \(state.rawValue)\(why)")
        }
        if left > 0 { parts.append("\(left) \(left == 1 ? "has" : "have") not ended") }
        var sentences = [parts.joined(separator: ", ")]
        if let first = troubles.first(where: { $0.state != .cancelled }) {
            sentences.append("See why: \(entry.shortCommand("explain", run: first.run))")
            let failures = Set(all.filter { $0.state == .failed || $0.state == .quarantined }.map(\.failure))
            if failures == [.contractBroken] {
                sentences.append("If the sweep file is wrong, correct it and launch it again; results are kept")
            }
            sentences.append("Run them again: \(entry.shortCommand("retry"))")
        }
        if isPaused {
            sentences.append(
                "The sweep is paused, because too many runs in a row failed with the same class; retry also runs the "
                    + "rest. Run only the rest: \(entry.command("resume --keep-going"))")
        } else if isWorkedOn {
            sentences.append("See what runs: \(entry.command("top"))")
        } else {
            let cancelled = total { $0.state == .cancelled }
            if left > 0 || cancelled > 0 && stop != nil {
                sentences.append("Run the rest: \(entry.command("resume"))")
            }
            // One by one: resuming does not bring them back.
            if cancelled > 0, stop == nil {
                sentences.append(
                    "Run what was cancelled: \(entry.shortCommand("retry --class \(FailureClass.cancelled.rawValue)"))")
            }
        }
        if late.disagreeing > 0 {
            sentences.insert(
                "\(PeopleText.count(late.disagreeing, "late result")) DIFFERED from what was merged: these points are "
                    + "not deterministic", at: 1)
        }
        return sentences.joined(separator: ". ")
    }

    /// Whether another process works on it.
    private var isWorkedOn: Bool { holder.isOther }

    /// Of several sweeps, a few members each.
    package static func document(ofAll all: [SweepStatus]) -> JSON {
        let sweeps = all.map { status in
            JSON.object(status.lead + [
                JSON.Member("runs", .integer(status.runCount)),
                JSON.Member("succeeded", .integer(status.succeededCount)),
            ])
        }
        return .object([JSON.Member("version", .integer(1)), JSON.Member("sweeps", .array(sweeps))])
    }

    /// What every document says of a sweep.
    private var lead: [JSON.Member] {
        [
            JSON.Member("sweep", .string(entry.name)), JSON.Member("id", .string(entry.identifier)),
            JSON.Member("folder", .string(entry.folder)),
            JSON.Member(
                "counts",
                .array(
                    counts.map { count in
                        .object([
                            JSON.Member("outcome", count.state.map { .string($0.rawValue) } ?? .null),
                            JSON.Member("class", count.failure.map { .string($0.rawValue) } ?? .null),
                            JSON.Member("runs", .integer(count.count)),
                        ])
                    })), JSON.Member("gone", .integer(goneCount)), JSON.Member("coordinator", holder.document),
        ]
    }

    package var document: JSON {
        .object([JSON.Member("version", .integer(1))] + lead + [
            JSON.Member(
                "hosts",
                .array(
                    hosts.map { host in
                        .object([
                            JSON.Member("host", .string(host.host)),
                            JSON.Member("slots", host.slots.map { .integer($0) } ?? .null),
                            JSON.Member("problem", (host.fenceReason ?? host.pauseReason).map { .string($0) } ?? .null),
                        ])
                    })), JSON.Member("pins", .object(pins.map { JSON.Member($0.name, .string($0.digest.hex)) })),
            JSON.Member("audit", audit?.document ?? .null), JSON.Member("damaged", damage.document),
        ])
    }
}

extension LedgerHolder {
    /// Who works on a sweep, for people.
    package var sentence: String {
        switch self {
        case .working(let pid, let since): "a coordinator is running, pid \(pid), since \(since)"
        case .elsewhere(let pid, let host, let since): "a coordinator is running on \(host), pid \(pid), since \(since)"
        case .ended(let status, let at):
            "no coordinator is running; the last one ended with status \(status) at \(at)"
        case .vanished(let pid, let host, _):
            "no coordinator is running; the last one (pid \(pid) on \(host)) was killed"
        case .nobody: "no coordinator is running"
        }
    }

    /// null: nobody.
    var document: JSON {
        switch self {
        case .working(let pid, let since):
            .object([JSON.Member("pid", .integer(Int(pid))), JSON.Member("since", .string(since))])
        case .elsewhere(let pid, let host, let since):
            .object([
                JSON.Member("pid", .integer(Int(pid))), JSON.Member("host", .string(host)),
                JSON.Member("since", .string(since)),
            ])
        case .ended, .vanished, .nobody: .null
        }
    }
}

extension LedgerHolder {
    /// Whether another process works on the sweep.
    var isOther: Bool {
        switch self {
        case .working(let pid, _): pid != getpid()
        case .elsewhere: true
        case .ended, .vanished, .nobody: false
        }
    }
}
