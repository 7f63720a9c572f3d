/// A Slurm cluster of the inventory: where its login node is and what its jobs ask for.
///
/// A job that runs an agent is a *pilot*. The coordinator knows a site's pilots as hosts from the start, which are
/// absent until a job runs for them.
public struct SlurmSite: Sendable, Hashable {
    /// As in the inventory.
    public var name: String
    /// Partitions, the preferred first; empty: the cluster's default.
    public var partitions: [String] = []
    public var account: String?
    public var qos: String?
    public var constraint: String?
    /// The walltime of a job.
    public var time: Nanoseconds
    /// How many jobs there are at a time: at least, while there is work, and at most.
    public var nodes: ClosedRange<Int>
    /// Processors and runs of a job; nil: a whole node, and what it has.
    public var slots: Int?
    /// How many jobs may wait in the queue at a time.
    public var backlog: Int = 2
    /// How long a pilot has nothing to do before its job is ended.
    public var idle: Nanoseconds = 600 * SlurmSite.second
    /// How often the queue is looked at.
    public var poll: Nanoseconds = 30 * SlurmSite.second
    public var bridge = Bridge.srun
    /// More options of sbatch(1), behind all others.
    public var arguments: [String] = []

    /// How the login node reaches the agents of jobs.
    public enum Bridge: String, Sendable, Hashable, CaseIterable {
        /// By `srun --overlap`: at once, and nothing is written anywhere.
        case srun
        /// By files on the folder that login node and compute nodes share, where `--overlap` is forbidden.
        case spool
    }

    public static let mostNodes = 500
    /// How often a queue may be looked at: not so seldom that a job's begin or end is overlooked for long.
    public static let polls: ClosedRange<Nanoseconds> = second / 10...60 * second
    static let second: Nanoseconds = 1_000_000_000

    public init(name: String, time: Nanoseconds = 3_600 * 1_000_000_000, nodes: ClosedRange<Int> = 1...1) {
        self.name = name
        self.time = time
        self.nodes = nodes
    }

    /// Of a pilot's host. Not `hpc/3`, which is run 3 of the sweep `hpc`.
    public func hostName(ofPilot number: Int) -> String { "\(name)-\(number)" }

    /// sbatch(1) counts minutes.
    public var minutes: Int { max(1, Int((time + 59 * SlurmSite.second) / (60 * SlurmSite.second))) }
}

/// Which pilot of a site a host is.
public struct Pilot: Sendable, Hashable {
    public var site: SlurmSite
    /// From 1.
    public var number: Int

    public init(site: SlurmSite, number: Int) {
        self.site = site
        self.number = number
    }
}

/// A job as the queue shows it.
public struct SlurmJob: Sendable, Hashable {
    /// What Slurm calls it: a number, as text.
    public var id: String
    public var name: String
    /// `PENDING`, `RUNNING`, `TIMEOUT`, ... in capitals.
    public var state: String
    /// Why it waits, or ended; `None` for nothing.
    public var reason: String
    /// Until its walltime ends, by the login node's clock; nil: not known, or it does not run.
    public var secondsLeft: Int?
    /// Empty: none yet.
    public var node: String
    /// The last line that it wrote, of one that failed.
    public var note: String

    public init(
        id: String, name: String, state: String, reason: String = "None", secondsLeft: Int? = nil, node: String = "",
        note: String = ""
    ) {
        self.id = id
        self.name = name
        self.state = state
        self.reason = reason
        self.secondsLeft = secondsLeft
        self.node = node
        self.note = note
    }

    /// Ten years. An end that is farther away is nothing that Slurm means.
    public static let mostSecondsLeft = 10 * 366 * 86_400

    /// What matters of its state.
    public enum Phase: Sendable, Hashable {
        case waits, runs
        /// It ends, but processes of it may still run.
        case ends
        case ended(End)
    }

    /// Who or what caused the end of a job.
    public enum End: Sendable, Hashable {
        case completed, cancelled, preempted, walltime, memory, nodeFailed, failed
    }

    /// States that a later Slurm may have count as waiting: nothing is submitted in place of such a job.
    public var phase: Phase {
        switch state {
        case "RUNNING", "SUSPENDED", "STOPPED", "SIGNALING", "RESIZING": .runs
        case "COMPLETING", "STAGE_OUT": .ends
        case "COMPLETED": .ended(.completed)
        case "CANCELLED", "REVOKED": .ended(.cancelled)
        case "PREEMPTED": .ended(.preempted)
        case "TIMEOUT", "DEADLINE": .ended(.walltime)
        case "OUT_OF_MEMORY": .ended(.memory)
        case "NODE_FAIL", "BOOT_FAIL", "LAUNCH_FAILED", "RECONFIG_FAIL": .ended(.nodeFailed)
        case "FAILED", "SPECIAL_EXIT": .ended(.failed)
        default: .waits
        }
    }
}
