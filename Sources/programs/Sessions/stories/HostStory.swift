package import Model

/// All that is known of one host.
package struct HostStory: Sendable, Hashable {
    /// Attempts that ended on it.
    package struct Ended: Sendable, Hashable {
        /// nil: they succeeded.
        package var failure: FailureClass?
        package var count: Int

        package init(failure: FailureClass?, count: Int) {
            self.failure = failure
            self.count = count
        }
    }

    /// What its agent said of it when it joined last.
    package struct Facts: Sendable, Hashable {
        package var hostName: String
        package var slots: Int
        package var memoryBytes: Int64
        /// Its clock less ours.
        package var clockOffset: Nanoseconds

        package init(hostName: String, slots: Int, memoryBytes: Int64, clockOffset: Nanoseconds) {
            self.hostName = hostName
            self.slots = slots
            self.memoryBytes = memoryBytes
            self.clockOffset = clockOffset
        }
    }

    package var name: String
    /// nil: it never joined.
    package var facts: Facts?
    /// Runs that are with it.
    package var open: Int
    package var ended: [Ended]
    /// Why it was given no work for a while, each time, in order.
    package var pauses: [String]
    /// Why it was given none any more.
    package var refusals: [String]
    /// Why its leases ended before their runs did.
    package var voidLeases: [String]
    /// How many outcomes it reported under void leases.
    package var late: Int
    /// Why an audit fenced it; nil: none did.
    package var fence: String?
    /// Its results that count no more for that, and were not made again.
    package var fencedRuns: [RunNumber] = []
    /// Inputs that were found damaged on its disk.
    package var damages: [DamagedInput] = []
    /// The command that runs these again.
    package var retry = ""

    package init(
        name: String, facts: Facts?, open: Int = 0, ended: [Ended] = [], pauses: [String] = [],
        refusals: [String] = [], voidLeases: [String] = [], late: Int = 0
    ) {
        self.name = name
        self.facts = facts
        self.open = open
        self.ended = ended
        self.pauses = pauses
        self.refusals = refusals
        self.voidLeases = voidLeases
        self.late = late
    }

    /// In sentences, one a line.
    package var sentences: [String] {
        var lines = [introduction]
        if open > 0 {
            lines.append("It has \(PeopleText.count(open, "run")) of this sweep now.")
        }
        if !ended.isEmpty {
            let all = ended.reduce(0) { $0 + $1.count }
            let parts = ended.map { "\($0.count) \($0.failure?.rawValue ?? "succeeded")" }.joined(separator: ", ")
            lines.append("\(PeopleText.count(all, "attempt")) ended on it: \(parts).")
        }
        lines += HostStory.gathered(pauses).map { "- it was paused\($0)" }
        lines += HostStory.gathered(refusals).map { "- it could not be used\($0)" }
        lines += HostStory.gathered(voidLeases).map { "- it lost a lease\($0)" }
        if late > 0 {
            lines.append(
                "\(PeopleText.count(late, "result")) came from it after the lease had ended: kept, not merged.")
        }
        for input in damages {
            let runs = Array(input.runs)
            let what = runs.count == 1 ? "its result was" : "their results were"
            let results = runs.isEmpty ? nil : "\(PeopleText.runs(runs)) had it there, and \(what) quarantined"
            lines.append("- \(input.sentence(results))")
        }
        if let fence {
            let reason = VisibleText.of(fence, limit: 400)
            lines.append("It was fenced by an audit: \(reason). It gets no more runs of this sweep.")
            if !fencedRuns.isEmpty {
                let runs = PeopleText.list(fencedRuns.map(String.init), atMost: 20)
                lines.append("Its results are quarantined: \(fencedRuns.count == 1 ? "run" : "runs") \(runs).")
            }
        }
        if let advice { lines.append("What to do: \(advice)") }
        return lines
    }

    /// nil: nothing speaks against the host.
    package var advice: String? {
        if fence != nil {
            let again = fencedRuns.isEmpty ? "" : "run its results again on other hosts: \(retry). "
            return again + "Find out why its numbers are wrong before it is used in another sweep, or in this one with "
                + "--repin"
        }
        if facts == nil, pauses.isEmpty, refusals.isEmpty {
            return "check whether it can be reached: usweep doctor -i INVENTORY"
        }
        let blamed = ended.filter { $0.failure?.remedy == .retryElsewhere || $0.failure?.remedy == .retryUncounted }
        if let worst = blamed.max(by: { $0.count < $1.count }) { return worst.failure?.advice }
        return facts == nil ? "fix the reason for the refusal; 'usweep doctor -i INVENTORY' checks it" : nil
    }

    private var introduction: String {
        guard let facts else { return "Host \(name) has never joined this sweep." }
        let slots = PeopleText.count(facts.slots, "slot")
        var text = "Host \(name) (\(VisibleText.of(facts.hostName))) joined with \(slots) and "
            + "\(PeopleText.size(facts.memoryBytes)) of memory."
        let offset = facts.clockOffset
        if offset.magnitude > 1_000_000_000 {
            let span = PeopleText.span(Nanoseconds(clamping: offset.magnitude))
            text += " Its clock is \(span) \(offset > 0 ? "ahead" : "behind")."
        }
        return text
    }

    /// Each reason once, with how often it was given.
    private static func gathered(_ reasons: [String]) -> [String] {
        var told: Set<String> = []
        return reasons.filter { told.insert($0).inserted }.map { reason in
            let times = reasons.count { $0 == reason }
            return "\(times > 1 ? " \(times) times" : ""): \(VisibleText.of(reason, limit: 400))"
        }
    }
}
