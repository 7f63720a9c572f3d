package import CoordinatorRuntime
import Ledger
package import Model
import Results

/// All that is known of one run.
package struct RunStory: Sendable, Hashable {
    package struct AttemptStory: Sendable, Hashable {
        package var number: AttemptNumber
        package var host: String
        /// nil: it succeeded.
        package var failure: FailureClass?
        package var evidence: String
        package var wall: Nanoseconds
        /// Nanoseconds since 1970.
        package var endedAt: Nanoseconds

        package init(
            number: AttemptNumber, host: String, failure: FailureClass?, evidence: String, wall: Nanoseconds,
            endedAt: Nanoseconds
        ) {
            self.number = number
            self.host = host
            self.failure = failure
            self.evidence = evidence
            self.wall = wall
            self.endedAt = endedAt
        }
    }

    /// What came under a void lease.
    package struct Late: Sendable, Hashable {
        package var host: String
        package var failure: FailureClass?
        /// Whether it gave what was merged; nil: nothing to compare.
        package var agrees: Bool?

        package init(host: String, failure: FailureClass?, agrees: Bool?) {
            self.host = host
            self.failure = failure
            self.agrees = agrees
        }
    }

    /// An attempt that was ended because the other one of two, on another host, succeeded first.
    package struct Overtaken: Sendable, Hashable {
        package var number: AttemptNumber
        package var host: String
        package var winner: AttemptNumber
        package var winnerHost: String
        /// Nanoseconds since 1970.
        package var endedAt: Nanoseconds

        package init(
            number: AttemptNumber, host: String, winner: AttemptNumber, winnerHost: String, endedAt: Nanoseconds
        ) {
            self.number = number
            self.host = host
            self.winner = winner
            self.winnerHost = winnerHost
            self.endedAt = endedAt
        }
    }

    /// An attempt on another host after the run had succeeded.
    package struct Audited: Sendable, Hashable {
        package var attempt: AttemptStory
        /// Whether it gave the numbers that count; nil: it gave none.
        package var agrees: Bool?

        package init(attempt: AttemptStory, agrees: Bool?) {
            self.attempt = attempt
            self.agrees = agrees
        }
    }

    /// A lease that ended before the run did.
    package struct VoidLease: Sendable, Hashable {
        package var host: String
        package var reason: String

        package init(host: String, reason: String) {
            self.host = host
            self.reason = reason
        }
    }

    /// Why a run has not ended.
    package enum Wait: Sendable, Hashable {
        /// A host has it. `waits`: whether it waits there for a slot; nil: that is not known.
        case leased(host: String, waits: Bool?)
        /// A host is at it.
        case running(host: String, LiveRun)
        /// The setup that makes its checkpoint has not succeeded.
        case setup(run: RunNumber)
        /// It could be handed out, or collected from the host that has it, but nobody does. `lastEnd`: why the last
        /// coordinator ended; nil: it said nothing.
        case coordinator(lastEnd: String? = nil, host: String? = nil)
        /// Too many runs in a row failed alike, and no coordinator is there.
        case paused
        /// The coordinator is there, and was stopped by a signal.
        case stopped(pid: Int32)
        /// It is its turn as soon as a host has room. `problems`: hosts that get nothing for now, and why; `refused`:
        /// those that get nothing any more.
        case room(problems: [VoidLease], refused: [VoidLease] = [])
    }

    /// As people type it: `ID/NUMBER`.
    package var name: String
    /// What a command needs to find the sweep: empty, or ` --artifacts DIR`.
    package var option: String
    /// The command that launches the sweep again with its files as they are now.
    package var launch = "usweep launch SWEEP -i INVENTORY"
    /// What it is, in a few words.
    package var description: String
    package var state: RunState?
    package var failure: FailureClass?
    /// Whether the specification no longer has it.
    package var isGone: Bool
    /// By number.
    package var attempts: [AttemptStory]
    package var overtaken: [Overtaken] = []
    package var audits: [Audited] = []
    /// What these show, and what an audit made of its host; sentences.
    package var auditNotes: [String] = []
    /// Attempts up to this one were made under pins that are void.
    package var stale: AttemptNumber
    package var voidLeases: [VoidLease]
    package var late: [Late]
    /// Why it was opened again, each time.
    package var reopenings: [String]
    /// nil: it has ended, or is gone.
    package var wait: Wait?
    /// What is to be known of its result, as it started from a checkpoint; a sentence's end each.
    package var remarks: [String] = []
    /// What its numbers show that a reader should know, in sentences.
    package var notes: [String] = []

    package init(
        name: String, option: String = "", description: String, state: RunState?, failure: FailureClass? = nil,
        isGone: Bool = false,
        attempts: [AttemptStory] = [], stale: AttemptNumber = 0, voidLeases: [VoidLease] = [], late: [Late] = [],
        reopenings: [String] = [], wait: Wait? = nil
    ) {
        self.name = name
        self.option = option
        self.description = description
        self.state = state
        self.failure = failure
        self.isGone = isGone
        self.attempts = attempts
        self.stale = stale
        self.voidLeases = voidLeases
        self.late = late
        self.reopenings = reopenings
        self.wait = wait
    }

    /// In sentences, one a line: what happened, what was tried, what to do.
    package var sentences: [String] {
        var lines = [verdict]
        if isGone {
            lines.append(
                "It is no longer part of the sweep, because the sweep file or an input changed. Its results are kept, "
                    + "and shown again if it comes back.")
        }
        lines += attempts.map(sentence)
        if let gap { lines.append("- \(gap)") }
        lines += overtaken.map(sentence)
        lines += audits.map(sentence)
        lines += auditNotes
        lines += VoidLease.sentences(voidLeases)
        lines += late.map(sentence)
        for (index, reason) in reopenings.enumerated() {
            let isEnd = wasCutOff && index == reopenings.count - 1
            lines.append(
                PeopleText.sentence("\(isEnd ? "It was not done" : "It was run again"): \(VisibleText.of(reason))"))
        }
        if let wait { lines.append(sentence(wait)) }
        lines += remarks.map { "It starts from a checkpoint that was made with another value. \($0)." }
        lines += notes
        lines += advice.map { ["What to do: \($0)"] } ?? []
        return lines
    }

    /// Numbers of attempts that nobody will find; nil: there are none.
    private var gap: String? {
        let last = attempts.map(\.number).max() ?? 1
        let known = Set(attempts.map(\.number) + overtaken.map(\.number) + audits.map(\.attempt.number))
        var (next, missing): (AttemptNumber, [String]) = (1, [])
        for number in known.sorted() where number >= next && number <= last {
            if number > next {
                let isShort = number - next <= 2
                missing += isShort ? (next..<number).map { "\($0)" } : ["\(next) to \(number - 1)"]
            }
            next = number == .max ? number : number + 1
        }
        guard !missing.isEmpty else { return nil }
        let (noun, are) = missing.count == 1 && !missing[0].contains(" ") ? ("attempt", "is") : ("attempts", "are")
        return "\(noun) \(PeopleText.list(missing, atMost: 12)) \(are) not on record: a host reserves numbers with its "
            + "lease and may not use all."
    }

    /// Whether the job of a cluster in which it ran ended before it did, for good.
    private var wasCutOff: Bool {
        state == .failed && failure == .timeout && !attempts.contains { $0.failure == .timeout }
    }

    /// nil: there is nothing to do.
    package var advice: String? {
        if isGone { return nil }
        let sweep = name.prefix { $0 != "/" }
        switch state {
        case .succeeded: return nil
        case .cancelled:
            return "usweep retry \(name)\(option); or, if the whole sweep was cancelled: usweep resume "
                + "\(sweep)\(option)"
        case .failed, .quarantined:
            let logs = "usweep logs \(name)\(option)"
            let why = failure?.advice.replacing("'usweep logs'", with: "'\(logs)'") ?? "see its attempts"
            let edited = failure?.asksForEdit == true
                ? "; after a change of the program or the sweep file: \(launch) --retry" : ""
            return "\(why). Then: usweep retry \(name)\(option)\(edited)"
        case nil:
            switch wait {
            case .coordinator: return "usweep resume \(sweep)\(option)"
            case .paused: return "usweep resume --keep-going \(sweep)\(option)"
            case .stopped(let pid): return "kill -CONT \(pid)"
            case .setup(let run): return "usweep explain \(sweep)/\(run)\(option)"
            case .leased, .running, .room, nil: return nil
            }
        }
    }

    private var verdict: String {
        let subject = "Run \(name) (\(description))"
        guard let state else { return "\(subject) has not ended." }
        let tries = attempts.count { $0.number > stale }
        switch state {
        case .succeeded:
            guard let host = attempts.last(where: { $0.failure == nil })?.host else {
                return "\(subject) succeeded without an attempt: its checkpoint existed already."
            }
            return "\(subject) succeeded on \(host), with \(PeopleText.count(tries, "attempt"))."
        case .failed, .quarantined, .cancelled:
            let how = state == .quarantined ? "is quarantined" : state == .failed ? "failed" : "was cancelled"
            let why = failure.map { " (\($0.rawValue))" } ?? ""
            let after = tries == 0 ? "without an attempt of its own" : "after \(PeopleText.count(tries, "attempt"))"
            let rule = tries > 0 && state == .failed ? failure.map { " \(sentence($0.remedy))" } ?? "" : ""
            return "\(subject) \(how)\(why) \(after).\(rule)"
        }
    }

    /// Why it was not tried again, of a run that failed.
    private func sentence(_ remedy: FailureClass.Remedy) -> String {
        switch remedy {
        case .retryAnywhere, .retryElsewhere:
            let hosts = Set(attempts.filter { $0.number > stale && $0.failure != nil }.map(\.host)).count
            return hosts >= 3
                ? "It failed on \(PeopleText.count(hosts, "host")), so it is not tried again."
                : "'retry.attempts' in the sweep file allows no more."
        case .retryUncounted: return "Such failures are retried and do not count against the run."
        case .giveUp: return "Such failures are not retried: they would only happen again."
        }
    }

    private func sentence(_ attempt: AttemptStory) -> String {
        let began = Instant.utc(attempt.endedAt.subtractingCapped(attempt.wall))
        let old = attempt.number <= stale ? " (with an engine or checkpoint that has changed since)" : ""
        let span = "attempt \(attempt.number) on \(attempt.host)\(old) began \(began) and took "
            + PeopleText.span(attempt.wall)
        guard let failure = attempt.failure else {
            let remark = attempt.evidence.isEmpty ? "" : "; \(VisibleText.of(attempt.evidence, limit: 600))"
            return "- \(span): it succeeded\(remark)"
        }
        return "- \(span): \(failure.rawValue): \(VisibleText.of(attempt.evidence, limit: 600))"
    }

    private func sentence(_ audit: Audited) -> String {
        let attempt = audit.attempt
        let began = Instant.utc(attempt.endedAt.subtractingCapped(attempt.wall))
        let how = audit.agrees.map { $0 ? "identical" : "DIFFERS" } ?? attempt.failure?.rawValue ?? "not compared"
        return "- audit on \(attempt.host) (attempt \(attempt.number)) began \(began) and took "
            + "\(PeopleText.span(attempt.wall)): \(how): \(VisibleText.of(attempt.evidence, limit: 600))"
    }

    private func sentence(_ overtaken: Overtaken) -> String {
        "- attempt \(overtaken.number) on \(overtaken.host) was ended at \(Instant.utc(overtaken.endedAt)): attempt "
            + "\(overtaken.winner) on \(overtaken.winnerHost), which ran at the same time, succeeded first."
    }

    private func sentence(_ late: Late) -> String {
        let what = late.failure.map { "a failure (\($0.rawValue))" } ?? "a result"
        let compared =
            switch late.agrees {
            case true?: ", which agrees with what was merged"
            case false?: ", which DIFFERS from what was merged: the point is not deterministic"
            case nil: ""
            }
        return "- \(late.host) reported \(what) after its lease had ended\(compared); it was kept, not merged."
    }

    private func sentence(_ wait: Wait) -> String {
        switch wait {
        case .leased(let host, let waits):
            return waits == true
                ? "It waits on \(host) for a slot."
                : "It was handed to \(host), where it is running or waits for a slot."
        case .running(let host, let live):
            let at = live.stage.map { ": \($0.sentence)" } ?? ""
            return "It has been running on \(host) for \(PeopleText.span(live.span))\(at)."
        case .setup(let run): return "It waits for the checkpoint that run \(run) makes."
        case .coordinator(let lastEnd, let host):
            let why = lastEnd.map { " The last one ended: \($0.replacing("\n", with: "; "))" } ?? ""
            let what = host.map { "It was handed to \($0) and may be running there, but no coordinator is running" }
                ?? "It waits: no coordinator is running"
            return "\(what).\(why)"
        case .paused:
            return "It waits: the sweep is paused, because too many runs in a row failed with the same class."
        case .stopped(let pid): return "It waits: the coordinator (pid \(pid)) is stopped, as by Ctrl-Z."
        case .room(let problems, let refused):
            func lines(_ hosts: [VoidLease], _ what: String) -> [String] {
                HostProblems.lines(hosts.map { (host: $0.host, reason: $0.reason) }).map { "- \(what): \($0)" }
            }
            let all = lines(problems, "paused") + lines(refused, "cannot be used")
            return (["It waits for a free slot."] + all).joined(separator: "\n")
        }
    }
}

extension RunStory.VoidLease {
    /// The same reason is told once a host.
    static func sentences(_ leases: [RunStory.VoidLease]) -> [String] {
        var lines: [String] = []
        var told: Set<RunStory.VoidLease> = []
        for lease in leases where told.insert(lease).inserted {
            let times = leases.count { $0 == lease }
            let often = times > 1 ? " (\(times) times)" : ""
            lines.append("- \(lease.host) lost its lease\(often): \(VisibleText.of(lease.reason, limit: 300))")
        }
        return lines
    }
}

extension RunStory.AttemptStory {
    init(_ attempt: AttemptStatus) {
        self.init(
            number: attempt.id.attempt, host: attempt.host, failure: attempt.failure, evidence: attempt.evidence,
            wall: attempt.wall, endedAt: attempt.endedAt)
    }
}
