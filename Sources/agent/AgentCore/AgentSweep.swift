import DequeModule
import Formats
import Model

/// Which run under which lease. Ordered as they wait: an older lease first.
struct WorkKey: Sendable, Hashable, Comparable {
    var lease: LeaseNumber
    var run: RunNumber

    func id(_ attempt: AttemptNumber) -> AttemptID { AttemptID(run: run, lease: lease, attempt: attempt) }

    static func < (left: WorkKey, right: WorkKey) -> Bool { (left.lease, left.run) < (right.lease, right.run) }
}

/// A run that this agent is to do.
struct Work: Sendable {
    enum Phase: Sendable, Hashable {
        case waiting, preparing, queued, running, collecting
        /// No attempt follows; its outcomes may still be unacknowledged.
        case done
    }

    var entry: Shard.Entry
    /// The attempt that is being made, or was made last.
    var attempt: AttemptNumber
    var phase = Phase.waiting
    var isCancelled = false
    /// Outcomes that the coordinator has not acknowledged, by attempt.
    var outcomes: [AttemptReport] = []
    /// Attempts whose outcomes it has, in whatever order they became durable there.
    var acknowledged: Set<AttemptNumber> = []
    /// The place in the queue.
    var place: Int

    var isInFlight: Bool { phase == .preparing || phase == .queued || phase == .running }
    var lastAttempt: AttemptNumber { entry.firstAttempt + entry.attempts - 1 }

    /// Whether nothing is left to do, and nothing to report: every attempt up to the last was acknowledged.
    var isOver: Bool { phase == .done && (entry.firstAttempt...attempt).allSatisfy(acknowledged.contains) }
}

/// How a setup text did when it was run alone.
enum TriedSetup: Sendable, Hashable {
    case underWay(String)
    case works(String)
}

/// A sweep that this agent serves.
struct AgentSweep: Sendable {
    var context: SweepContext
    var connection: Int?
    /// Who works on it, as the connection said; nil: it did not, or there is none.
    var holder: String?
    /// A connection that has not said yet who it is, while another one serves the sweep.
    var contender: Contender?
    /// Whether the hello of the connection was answered.
    var isGreeted = false
    /// Whether the coordinator has said, since this agent started, what it still wants of what is held: a host that
    /// was away may hold runs that were cancelled or given to others meanwhile, and nothing new of it starts before.
    var isConfirmed = false
    /// When the connection was heard last.
    var heardAt: Nanoseconds = 0
    /// What became of the host's setup text; nil: it was not tried.
    var triedSetup: TriedSetup?
    var heartbeatPeriod: Nanoseconds = 0
    var nextHeartbeat: Nanoseconds = 0
    var works: [WorkKey: Work] = [:]
    /// What waits, in order; an entry whose work is no longer waiting is skipped.
    var queue = WaitingQueue()
    /// The highest attempt of each run that is over.
    var over: [RunNumber: AttemptNumber] = [:]
    /// Starts that the coordinator was not told of yet.
    var started: [AttemptID] = []
    /// How its objects go to other hosts; nil: they do not.
    var sharing: Sharing?
    /// On which terms it uses this host. Not durable: before its coordinator said so again, nothing new is begun.
    var terms = HostTerms()
    /// What its coordinator was last told that it may use; nil: all that it counts on.
    var offer: HostOffer?
    /// What its coordinator wants objects kept here to take at most, in bytes; nil: it said nothing.
    var cacheBytes: Int64?
    private var places = 0

    struct Contender: Sendable {
        var connection: Int
        /// What it says of this host holds when it takes over.
        var hello: CoordinatorHello
    }

    /// Whether its setup text is being tried: nothing begins with one that may fail.
    var isTryingSetup: Bool { if case .underWay = triedSetup { true } else { false } }

    struct Sharing: Sendable {
        var key: [UInt8]
        /// What the coordinator was told that is here, and what it is to be told.
        var announced: Set<Digest> = []
        var news: [Digest] = []
    }

    init(context: SweepContext) { self.context = context }

    func isNew(_ entry: Shard.Entry, lease: LeaseNumber) -> Bool {
        works[WorkKey(lease: lease, run: entry.run)] == nil && over[entry.run, default: 0] < entry.firstAttempt
    }

    var held: [HeldLease] {
        var leases: [HeldLease] = []
        for key in works.keys.sorted() {
            if leases.last?.lease == key.lease {
                leases[leases.count - 1].runs.append(key.run)
            } else {
                leases.append(HeldLease(lease: key.lease, runs: [key.run]))
            }
        }
        return leases
    }

    var unacknowledged: [AttemptReport] {
        works.keys.sorted().flatMap { works[$0]?.outcomes ?? [] }
    }

    mutating func accept(_ entry: Shard.Entry, lease: LeaseNumber) {
        let key = WorkKey(lease: lease, run: entry.run)
        guard isNew(entry, lease: lease) else { return }
        places += 1
        works[key] = Work(entry: entry, attempt: entry.firstAttempt, place: places)
        wait(key)
    }

    /// Puts a work (back) into its place in the queue.
    mutating func wait(_ key: WorkKey) {
        guard let work = works[key] else { return }
        works[key]?.phase = .waiting
        queue.insert(WaitingQueue.Entry(lease: key.lease, place: work.place, run: key.run))
    }

    mutating func acknowledged(_ acknowledged: Acknowledged) {
        let id = acknowledged.id
        let key = WorkKey(lease: id.lease, run: id.run)
        guard var work = works[key], work.entry.firstAttempt...work.lastAttempt ~= id.attempt else { return }
        over[id.run] = max(over[id.run, default: 0], id.attempt)
        work.outcomes.removeAll { $0.id == id }
        work.acknowledged.insert(id.attempt)
        if acknowledged.isLast {
            work.attempt = id.attempt
            work.phase = .done
        } else {
            work.attempt = max(work.attempt, min(id.attempt + 1, work.lastAttempt))
        }
        works[key] = work.isOver ? nil : work
    }
}

/// Works in the order in which they start: an older lease first, then as they were granted.
struct WaitingQueue: Sendable {
    struct Entry: Sendable, Hashable, Comparable {
        var lease: LeaseNumber
        var place: Int
        var run: RunNumber

        var key: WorkKey { WorkKey(lease: lease, run: run) }

        static func < (left: Entry, right: Entry) -> Bool { (left.lease, left.place) < (right.lease, right.place) }
    }

    private var entries: Deque<Entry> = []

    mutating func insert(_ entry: Entry) {
        var index = entries.count
        while index > 0, entry < entries[index - 1] { index -= 1 }
        if index > 0, entries[index - 1] == entry { return }
        entries.insert(entry, at: index)
    }

    /// The one before which so many start; nil: there are not so many.
    func key(at index: Int) -> WorkKey? { index < entries.count ? entries[index].key : nil }

    mutating func remove(at index: Int) { entries.remove(at: index) }

    var isEmpty: Bool { entries.isEmpty }
    var count: Int { entries.count }
}

extension Job {
    /// Whether it fits a frame with room to spare.
    var isOfModestSize: Bool {
        descriptionSize + inputs.descriptionSize <= 96 * 1024
    }
}
