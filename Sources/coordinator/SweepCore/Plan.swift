public import Model

/// What the coordinator's core needs to know about a sweep: numbers, not contents.
public struct Plan: Sendable {
    /// Runs that can be started as soon as the same checkpoint exists. Each run that makes a checkpoint (a setup, a
    /// boot) is a group of its own.
    public struct Group: Sendable {
        public var runs: RunList
        /// The pin that these runs need (evaluations that of a setup, setups that of a boot); nil: none.
        public var requires: String?
        /// The pin that a success of this group's only run provides; nil: it is an evaluation.
        public var provides: String?

        public init(runs: RunList, requires: String? = nil, provides: String? = nil) {
            self.runs = runs
            self.requires = requires
            self.provides = provides
        }

        public init(runs: Range<RunNumber>, requires: String? = nil, provides: String? = nil) {
            self.init(runs: RunList(runs), requires: requires, provides: provides)
        }
    }

    /// The runs of the specification as it is now, each in one group. What earlier specifications had and this one
    /// has not is in none. Those that others require come after them.
    public var groups: [Group]
    /// The highest number that any specification of this sweep gave to a run.
    public var highestRun: RunNumber
    /// Names of the hosts, in the order of the inventory.
    public var hosts: [String]
    /// How often a run may fail, at least 1.
    public var maximumFailures: Int
    /// Whether an agent may use the rest of a run's attempts by itself. Not where a failure's class shows only in
    /// the evidence, which is judged here.
    public var agentRetries: Bool
    /// How many runs in a row may fail alike before nothing more is begun; nil: any number.
    public var stopAfter: Int?
    /// Memory to set aside for a run.
    public var memory: MemoryRule
    /// What else a run takes of its host.
    public var needs = RunNeeds()
    /// What the hosts have a few of, in their order; empty: nothing.
    public var resources: [[CountedResource]] = []
    /// Whether hosts must show the same engine binary.
    public var pinsEngine: Bool
    public var timing: Timing
    /// Which values the axes have in which runs; nil: nothing is known of that.
    public var traits: RunTraits?
    /// Runs of earlier sweeps, as far as they tell how long these take; the last ones count most.
    public var history: [PastRun] = []
    /// Whether slots that have nothing else to do begin runs of other hosts as well that would end late.
    public var hasSecondStarts = false
    /// Runs that are done once more on another host when they have succeeded, to compare.
    public var audited: Set<RunNumber> = []

    public init(
        groups: [Group], highestRun: RunNumber? = nil, hosts: [String], maximumFailures: Int = 3,
        agentRetries: Bool = true, stopAfter: Int? = nil, memory: MemoryRule = .uncounted, pinsEngine: Bool = false,
        timing: Timing = Timing()
    ) {
        self.groups = groups
        self.highestRun = highestRun ?? groups.reduce(0) { max($0, $1.runs.highest) }
        self.hosts = hosts
        self.maximumFailures = maximumFailures
        self.agentRetries = agentRetries
        self.stopAfter = stopAfter
        self.memory = memory
        self.pinsEngine = pinsEngine
        self.timing = timing
    }

    /// How many runs a host of so many slots may have at a time, as far as memory allows.
    func room(on host: Int, slots: Int) -> Int {
        needs.room(slots: slots, resources: resources.indices ~= host ? resources[host] : [])
    }

    /// How many runs the sweep has now.
    public var runCount: Int { groups.reduce(0) { $0 + $1.runs.count } }
}

/// How much memory is reserved for a run on its host, in bytes.
public enum MemoryRule: Sendable, Hashable {
    case uncounted
    case fixed(Int64)
    /// A quarter more than the most that an attempt of the same kind (setup, evaluation) was seen to take; until there
    /// was one, a guess.
    case learned(firstGuess: Int64)
}

/// The times by which the core decides, in nanoseconds.
public struct Timing: Sendable, Hashable {
    /// How long nothing may come from a host before its stream is taken for broken, and its runs for available.
    public var leaseTerm: Nanoseconds = 30 * Timing.second
    /// How long a host is silent, at least and at most, before a run of it may be begun elsewhere as well. Between
    /// these it goes by how long the run takes: ``Coordinator/patience(_:_:lastHeard:)``.
    public var shortestSilence: Nanoseconds = 60 * Timing.second
    public var longestSilence: Nanoseconds = 3_600 * Timing.second
    /// More time between two looks at the clock is a pause of this process, in which it could hear nobody.
    public var longestTurn: Nanoseconds = 2 * Timing.second
    /// First pause before another try to reach a host; it doubles up to `longestPause`.
    public var firstPause: Nanoseconds = Timing.second
    public var longestPause: Nanoseconds = 60 * Timing.second
    /// How long a host is paused that keeps failing runs.
    public var hostPause: Nanoseconds = 60 * Timing.second
    /// How long to go on while no host can be reached, and nothing shows that one soon will be: before any was, and
    /// after.
    public var patienceAtStart: Nanoseconds = 60 * Timing.second
    public var patience: Nanoseconds = 3_600 * Timing.second
    /// How long a host that is back has to look through what ended there, before it is decided who goes on with a run
    /// that another host has, too.
    public var settling: Nanoseconds = 10 * Timing.second
    /// How much work a host may hold beyond what it runs, so that it never waits for an answer from here.
    public var workAhead: Nanoseconds = Timing.second / 2
    /// How long hosts have to confirm that cancelled runs have ended.
    public var cancelGrace: Nanoseconds = 15 * Timing.second
    /// How long to wait at the end for hosts to confirm that they keep nothing of the sweep.
    public var releaseGrace: Nanoseconds = 5 * Timing.second
    /// How much before a host goes the runs must have ended that are begun there.
    public var marginBeforeEnd: Nanoseconds = 60 * Timing.second
    /// What is begun a second time must end earlier by so much, at least.
    public var leastGain: Nanoseconds = 5 * Timing.second
    /// The sweep's own limit; nil: none.
    public var sweep: Nanoseconds?

    public init() {}

    public static let second: Nanoseconds = 1_000_000_000
}
