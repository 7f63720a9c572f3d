public import Model

/// Decides how many pilots a Slurm cluster should run: a synchronous state machine that takes what the queue shows and
/// how much work there is, and returns what to submit and what to end.
///
/// None of it is durable. Jobs are named after the sweep and the pilot's number, so after a crash the queue itself
/// shows what was submitted. A submission whose answer was lost is found there, and a duplicate one is ended.
public struct SiteCore: Sendable {
    /// What to do.
    public enum Action: Sendable, Hashable {
        case submit(pilot: Int, excluding: [String])
        case cancel(jobs: [String])
    }

    /// What a change of the queue means for a pilot.
    public enum News: Sendable, Hashable {
        /// Its job waits, for the reason given.
        case waits(pilot: Int, reason: String)
        /// Its job runs, for so many seconds more, if that is known.
        case runs(pilot: Int, job: String, secondsLeft: Int?)
        /// Its job is over, and with it all that ran in it.
        case gone(pilot: Int, SlurmJob.End?, reason: String)
        /// Nothing more is submitted, for the reason given.
        case paused(reason: String)
    }

    /// How much work there is for the pilots.
    public struct Demand: Sendable, Hashable {
        /// Runs that no host has.
        public var ready: Int
        public var pilots: [PilotDemand]

        public init(ready: Int, pilots: [PilotDemand]) {
            self.ready = ready
            self.pilots = pilots
        }
    }

    /// What a pilot is doing.
    public struct PilotDemand: Sendable, Hashable {
        public var isJoined: Bool
        /// Runs that it was given.
        public var runs: Int
        /// How many it can have; 0: not known.
        public var slots: Int
        /// Whether its job lasts long enough for another run.
        public var hasTime: Bool
        /// Why the agent in its job is of no use to the sweep; nil: it is. On another node one may be.
        public var refusal: String?

        public init(
            isJoined: Bool = false, runs: Int = 0, slots: Int = 0, hasTime: Bool = true, refusal: String? = nil
        ) {
            self.isJoined = isJoined
            self.runs = runs
            self.slots = slots
            self.hasTime = hasTime
            self.refusal = refusal
        }
    }

    struct PilotState: Sendable {
        enum Phase: Sendable, Hashable {
            case absent
            /// sbatch(1) has not answered yet.
            case submitting
            case live(SlurmJob)
        }

        var phase = Phase.absent
        /// In how many views in a row its job was missing.
        var missed = 0
        /// Whether a view has shown its job.
        var isSeen = false
        var isEnding = false
        /// Whether it is ended because its agent was never reached.
        var isGivenUp = false
        /// When its job was first seen to run.
        var runsSince: Nanoseconds?
        var hasJoined = false
        /// Whether it was given runs.
        var hasWorked = false
        var idleSince: Nanoseconds?

        var job: SlurmJob? { if case .live(let job) = phase { job } else { nil } }
    }

    /// After so many failures in a row nothing more is submitted.
    static let mostFailures = 3
    /// A job that ends by itself so soon has failed, whatever its state says.
    static let soon: Nanoseconds = 60 * Timing.second
    /// How long a pilot's agent may take to be reached after its job has begun.
    static let patience: Nanoseconds = 180 * Timing.second
    static let firstPause: Nanoseconds = 5 * Timing.second
    static let longestPause: Nanoseconds = 300 * Timing.second

    public let site: SlurmSite
    var pilots: [PilotState]
    var failures = 0
    var nextSubmission: Nanoseconds = .min
    var excluded: [String] = []
    /// Why nothing more is submitted.
    public private(set) var pause: String?
    var hasView = false
    private var doomed: [String] = []
    /// The numbers of the jobs in the last view.
    private var shown: Set<String> = []

    /// - Parameter pilots: how many of the site's pilots the sweep may use.
    public init(site: SlurmSite, pilots count: Int? = nil) {
        self.site = site
        pilots = Array(repeating: PilotState(), count: count ?? site.nodes.upperBound)
    }

    /// The job that runs for a pilot now.
    public func runningJob(of pilot: Int) -> String? {
        guard let job = pilots[pilot - 1].job, job.phase == .runs else { return nil }
        return job.id
    }

    /// The names of the folders that jobs which live may use.
    public var livePilots: [Int] { pilots.indices.filter { pilots[$0].phase != .absent }.map { $0 + 1 } }

    var jobs: [SlurmJob] { pilots.compactMap(\.job) }

    // MARK: What comes

    /// The queue was seen.
    ///
    /// - Parameters:
    ///   - jobs: those of this sweep, by pilot.
    public mutating func see(_ jobs: [(pilot: Int, job: SlurmJob)], now: Nanoseconds) -> [News] {
        var news: [News] = []
        if !hasView {
            news = pilots.indices.filter { pilots[$0].phase == .absent }.map { .waits(pilot: $0 + 1, reason: "") }
        }
        hasView = true
        shown = Set(jobs.map(\.job.id))
        for number in 1...pilots.count {
            let own = jobs.filter { $0.pilot == number }.map(\.job).sorted { (Int($0.id) ?? 0) < (Int($1.id) ?? 0) }
            see(number, own, now, &news)
        }
        return news
    }

    private mutating func see(_ number: Int, _ own: [SlurmJob], _ now: Nanoseconds, _ news: inout [News]) {
        let live = own.filter { $0.isLive }
        if let known = pilots[number - 1].job {
            guard let seen = own.first(where: { $0.id == known.id }) else {
                pilots[number - 1].missed += 1
                // A busy controller may answer with less than it has.
                guard pilots[number - 1].missed >= 2 else { return }
                return lose(number, known, now, &news)
            }
            pilots[number - 1].missed = 0
            if case .ended(let end) = seen.phase { self.end(number, seen, end, seen.endText, now, &news) }
        }
        guard let job = pilots[number - 1].job.flatMap({ known in live.first { $0.id == known.id } }) ?? live.first
        else { return }
        // Of two the later one was submitted because the answer to the first was lost.
        doomed += live.filter { $0.id != job.id }.map(\.id)
        take(job, as: number, now, &news)
    }

    /// A job is not in the queue. Should it be there after all, say because squeue(1) shows the jobs of another cluster
    /// than sbatch(1) uses, it must not run beside the one that takes its place.
    private mutating func lose(_ number: Int, _ job: SlurmJob, _ now: Nanoseconds, _ news: inout [News]) {
        let wasSeen = pilots[number - 1].isSeen
        if !shown.contains(job.id) { doomed.append(job.id) }
        end(number, job, nil, wasSeen ? "is no longer in the queue" : "is not in the queue", now, &news)
        guard !wasSeen else { return }
        let reason = "sbatch submitted job \(job.id), but squeue does not show it; look at: squeue --jobs \(job.id)"
        fail(reason, node: "", now, &news)
    }

    private mutating func take(_ job: SlurmJob, as number: Int, _ now: Nanoseconds, _ news: inout [News]) {
        pilots[number - 1].phase = .live(job)
        pilots[number - 1].isSeen = true
        switch job.phase {
        case .waits:
            if job.isHopeless {
                doomed.append(job.id)
                stop("job \(job.id) can never start: \(QueueReason.text(job.reason))", &news)
            }
            news.append(.waits(pilot: number, reason: "its job waits: \(QueueReason.text(job.reason))"))
        case .runs:
            if pilots[number - 1].runsSince == nil { pilots[number - 1].runsSince = now }
            news.append(.runs(pilot: number, job: job.id, secondsLeft: job.secondsLeft))
            let since = pilots[number - 1].runsSince ?? now
            if !pilots[number - 1].hasJoined, now - since > SiteCore.patience, !pilots[number - 1].isEnding {
                doomed.append(job.id)
                (pilots[number - 1].isEnding, pilots[number - 1].isGivenUp) = (true, true)
            }
        case .ends, .ended: break
        }
    }

    /// sbatch(1) answered.
    public mutating func submitted(_ number: Int, job: String?, problem: String, now: Nanoseconds) -> [News] {
        guard case .submitting = pilots[number - 1].phase else { return [] }
        var news: [News] = []
        if let job {
            pilots[number - 1].phase = .live(SlurmJob(id: job, name: "", state: "PENDING"))
            news.append(.waits(pilot: number, reason: "its job waits: \(QueueReason.text("None"))"))
        } else {
            pilots[number - 1].phase = .absent
            fail("sbatch refuses the job: \(problem)", node: "", now, &news)
            news.append(.waits(pilot: number, reason: "sbatch refuses the job: \(problem)"))
        }
        return news
    }

    public mutating func joined(_ number: Int) { pilots[number - 1].hasJoined = true }

    /// The gateway is gone: submissions that it did not answer may have been made, and agents can be reached again only
    /// when it is back.
    public mutating func lostGateway() {
        hasView = false
        for index in pilots.indices where !pilots[index].hasJoined { pilots[index].runsSince = nil }
        for index in pilots.indices where pilots[index].phase == .submitting { pilots[index].phase = .absent }
    }

    private mutating func end(
        _ number: Int, _ job: SlurmJob, _ how: SlurmJob.End?, _ text: String, _ now: Nanoseconds, _ news: inout [News]
    ) {
        let pilot = pilots[number - 1]
        pilots[number - 1] = PilotState()
        let note = job.note.isEmpty ? "" : " (it wrote: \(job.note))"
        news.append(.gone(pilot: number, how, reason: "job \(job.id) \(text)\(note)"))
        guard !pilot.isEnding || pilot.isGivenUp else { return }
        let isSoon = pilot.runsSince.map { now - $0 < SiteCore.soon } ?? true
        switch how {
        case .failed, .memory, .nodeFailed:
            if isSoon || !pilot.hasJoined { fail("job \(job.id) \(text)\(note)", node: job.node, now, &news) }
        case .completed, .cancelled:
            guard !pilot.hasJoined, how == .completed || pilot.isGivenUp else { break }
            let advice = site.bridge == .srun ? " (if srun --overlap is forbidden there: slurm: {bridge: spool})" : ""
            let what = pilot.isGivenUp ? "ran, but its agent could not be reached\(advice)"
                : "ended before its agent was reached"
            fail("job \(job.id) \(what)\(note)", node: job.node, now, &news)
        case .preempted, .walltime, nil: break
        }
    }

    private mutating func fail(_ reason: String, node: String, _ now: Nanoseconds, _ news: inout [News]) {
        failures += 1
        if SiteCore.isNode(node), !excluded.contains(node), excluded.count < 8 { excluded.append(node) }
        let wait = min(SiteCore.longestPause, SiteCore.firstPause << Nanoseconds(min(failures - 1, 16)))
        nextSubmission = now + wait
        if failures >= SiteCore.mostFailures {
            stop("\(PeopleText.count(failures, "job")) in a row failed; the last: \(reason)", &news)
        }
    }

    /// A name that may stand in an option.
    private static func isNode(_ name: String) -> Bool { Names.isPlain(name) }

    private mutating func stop(_ reason: String, _ news: inout [News]) {
        guard pause == nil else { return }
        pause = reason
        news.append(.paused(reason: reason))
    }

    // MARK: What follows

    /// What to do. Nothing before the queue was seen: what was submitted earlier is in it.
    public mutating func actions(_ demand: Demand, now: Nanoseconds, _ news: inout [News]) -> [Action] {
        guard hasView else { return [] }
        var actions: [Action] = []
        let ends = doomed + surplus(demand) + refused(demand, now, &news) + idle(demand, now, &news)
        doomed = []
        if !ends.isEmpty { actions.append(.cancel(jobs: ends)) }
        guard pause == nil, now >= nextSubmission else { return actions }
        var waiting = pilots.count { $0.phase == .submitting || $0.job?.phase == .waits }
        var live = useful(demand)
        let wanted = self.wanted(demand)
        for index in order(demand) where live < wanted && waiting < max(1, site.backlog) {
            pilots[index].phase = .submitting
            actions.append(.submit(pilot: index + 1, excluding: excluded))
            (live, waiting) = (live + 1, waiting + 1)
        }
        return actions
    }

    /// Absent pilots, those first whose runs somebody has to take up.
    private func order(_ demand: Demand) -> [Int] {
        let absent = pilots.indices.filter { pilots[$0].phase == .absent }
        return absent.filter { demand.pilots[$0].runs > 0 } + absent.filter { demand.pilots[$0].runs == 0 }
    }

    /// How many pilots there should be.
    private func wanted(_ demand: Demand) -> Int {
        let slots = demand.pilots.map(\.slots).max().flatMap { $0 > 0 ? $0 : nil } ?? site.slots ?? 1
        let free = zip(pilots, demand.pilots).reduce(0) { sum, pair in
            let (pilot, demand) = pair
            return pilot.hasJoined && demand.hasTime ? sum + max(0, demand.slots - demand.runs) : sum
        }
        let busy = demand.pilots.count { $0.runs > 0 }
        let idleOnes = zip(pilots, demand.pilots).count { $0.hasJoined && $1.runs == 0 && $1.hasTime }
        let more = (max(0, demand.ready - free) + slots - 1) / slots
        let work = demand.ready > 0 || busy > 0
        return min(pilots.count, max(work ? site.nodes.lowerBound : 0, busy + idleOnes + more))
    }

    /// Pilots that are there or come, but those that have no time for another run.
    private func useful(_ demand: Demand) -> Int {
        zip(pilots, demand.pilots).count { pilot, demand in
            switch pilot.phase {
            case .absent: false
            case .submitting: true
            case .live: !pilot.isEnding && demand.refusal == nil && (demand.hasTime || demand.runs > 0)
            }
        }
    }

    /// Jobs on nodes of which the sweep can make no use, as soon as nothing runs there.
    private mutating func refused(_ demand: Demand, _ now: Nanoseconds, _ news: inout [News]) -> [String] {
        var ends: [String] = []
        for index in pilots.indices {
            guard let refusal = demand.pilots[index].refusal, demand.pilots[index].runs == 0,
                let job = pilots[index].job, job.phase == .runs, !pilots[index].isEnding
            else { continue }
            pilots[index].isEnding = true
            ends.append(job.id)
            let place = job.node.isEmpty ? "" : " on \(job.node)"
            fail("job \(job.id)\(place): \(refusal)", node: job.node, now, &news)
        }
        return ends
    }

    /// Jobs that wait although nothing is left for them.
    private mutating func surplus(_ demand: Demand) -> [String] {
        guard demand.ready == 0 else { return [] }
        var ends: [String] = []
        for index in pilots.indices where demand.pilots[index].runs == 0 && !pilots[index].isEnding {
            guard let job = pilots[index].job, job.phase == .waits else { continue }
            pilots[index].isEnding = true
            ends.append(job.id)
        }
        return ends
    }

    /// Jobs whose agents have had nothing to do for long.
    private mutating func idle(_ demand: Demand, _ now: Nanoseconds, _ news: inout [News]) -> [String] {
        var ends: [String] = []
        for index in pilots.indices {
            let state = demand.pilots[index]
            if state.runs > 0, state.isJoined, !pilots[index].hasWorked {
                (pilots[index].hasWorked, failures) = (true, 0)
            }
            guard let job = pilots[index].job, job.phase == .runs, state.isJoined, !pilots[index].isEnding,
                state.runs == 0, demand.ready == 0 || !state.hasTime
            else {
                pilots[index].idleSince = nil
                continue
            }
            let since = pilots[index].idleSince ?? now
            pilots[index].idleSince = since
            guard !state.hasTime || now - since >= site.idle else { continue }
            pilots[index].isEnding = true
            ends.append(job.id)
            guard !state.hasTime, !pilots[index].hasWorked else { continue }
            let reason = "job \(job.id) has too little time left for the waiting runs, by their predicted times; "
                + "raise `time` of the cluster"
            fail(reason, node: "", now, &news)
        }
        return ends
    }

    /// All jobs that there are, which end now.
    public mutating func finish() -> [String] {
        for index in pilots.indices { pilots[index].isEnding = true }
        return jobs.map(\.id)
    }
}

extension SlurmJob {
    var isLive: Bool { if case .ended = phase { false } else { true } }

    /// Whether it can never start as it was submitted.
    var isHopeless: Bool { phase == .waits && QueueReason.isFinal(reason) }

    /// How it ended, behind `job 12`.
    var endText: String {
        let at = node.isEmpty ? "" : " on \(node)"
        return switch phase {
        case .ended(.completed): "ended\(at)"
        case .ended(.cancelled): "was cancelled\(at)"
        case .ended(.preempted): "was preempted\(at)"
        case .ended(.walltime): "reached its time limit\(at)"
        case .ended(.memory): "ran out of memory\(at)"
        case .ended(.nodeFailed): "lost its node\(node.isEmpty ? "" : " \(node)") (\(state))"
        case .ended(.failed): "failed\(at)" + (reason == "None" ? "" : " (\(reason))")
        case .waits, .runs, .ends: "goes on"
        }
    }
}
