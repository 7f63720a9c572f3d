public import Model

/// The name of an attempt on a host: sweeps number their runs independently of each other.
public struct AttemptKey: Sendable, Hashable, Comparable, CustomStringConvertible {
    public var sweep: String
    public var id: AttemptID

    public init(sweep: String, id: AttemptID) {
        self.sweep = sweep
        self.id = id
    }

    /// Where the attempt's folder stands below `attempts/`; unique, as no two leases share a number.
    public var folder: String { "\(sweep)/\(id.run).\(id.attempt)-\(id.lease)" }

    public var description: String { folder }

    public static func < (left: AttemptKey, right: AttemptKey) -> Bool {
        (left.sweep, left.id) < (right.sweep, right.id)
    }
}

/// A program to start, complete.
public struct Launch: Sendable, Hashable {
    public var arguments: [String]
    /// Added to the supervisor's own environment.
    public var environment: [EnvironmentVariable]
    /// The attempt's folder, absolute.
    public var folder: String
    /// Wall time after which it is ended; nil: none.
    public var timeLimit: Nanoseconds?
    /// Time without progress after which it is ended; nil: not watched.
    public var stallLimit: Nanoseconds?
    /// Counted against the host's memory while it runs.
    public var memoryBytes: Int64
    /// Slots that it takes while it runs.
    public var slots: Int
    /// What it takes of what else the host has a few of.
    public var shares: [ResourceShare]
    /// As for nice(1), from 0.
    public var nice: Int
    /// Which processors it is kept on.
    public var binding: SlotBinding
    /// The most that its folder may hold, inputs included, in bytes; nil: not watched.
    public var folderLimit: Int64?
    /// What of its files will be taken, with the most that these may hold, inputs included; nil: not watched.
    public var kept: ArtifactRule?

    public init(
        arguments: [String], environment: [EnvironmentVariable], folder: String, timeLimit: Nanoseconds?,
        stallLimit: Nanoseconds? = nil, memoryBytes: Int64, slots: Int = 1, shares: [ResourceShare] = [],
        nice: Int = 0, binding: SlotBinding = .unbound, folderLimit: Int64? = nil, kept: ArtifactRule? = nil
    ) {
        self.nice = nice
        self.binding = binding
        self.slots = slots
        self.shares = shares
        self.kept = kept
        self.folderLimit = folderLimit
        self.arguments = arguments
        self.environment = environment
        self.folder = folder
        self.timeLimit = timeLimit
        self.stallLimit = stallLimit
        self.memoryBytes = memoryBytes
    }
}

/// How a program ended, with what has to be noticed at that moment to judge it later.
public struct ProcessExit: Sendable, Hashable {
    public enum Cause: Sendable, Hashable {
        case status(Int)
        case signal(Int)
        /// It did not start: which step failed, and the system's text for why.
        case notStarted(step: String, reason: String)
        /// The supervisor was gone; nobody saw the end.
        case supervisorLost
        /// The machine was started again.
        case hostLost
    }

    /// Why a signal was sent from here, or why nothing can be taken of what it left.
    public enum Kill: Sendable, Hashable, CaseIterable {
        case none, timeout, cancelled, revoked
        /// It made no progress; what it was doing is in ``ProcessExit/note``.
        case stalled
        /// Its folder was removed before what it left was taken.
        case folderRemoved
        /// Something else stands where its folder was.
        case folderReplaced
        /// It wrote more than it may; how much, and where, is in ``ProcessExit/note``.
        case tooMuchOutput
        /// What of its files is to be taken is more than its sweep wants; ``ProcessExit/note`` says what was found.
        case tooMuchKept
    }

    public var cause: Cause
    public var kill: Kill
    public var wallNanoseconds: Nanoseconds
    public var cpuNanoseconds: Nanoseconds
    public var peakMemoryBytes: Int64
    /// Free space of the folder's file system at the end.
    public var freeBytes: Int64
    /// Whether the kernel killed something for want of memory while it ran.
    public var memoryRanOut: Bool
    /// What was seen before a signal was sent from here, as text; empty: nothing worth telling.
    public var note: String
    /// When the program was started, nanoseconds since 1970 on the host's clock; nil: nobody noted it.
    public var startedAt: Nanoseconds?

    public init(
        cause: Cause, kill: Kill = .none, wallNanoseconds: Nanoseconds = 0, cpuNanoseconds: Nanoseconds = 0,
        peakMemoryBytes: Int64 = 0, freeBytes: Int64 = .max, memoryRanOut: Bool = false,
        note: String = "", startedAt: Nanoseconds? = nil
    ) {
        self.startedAt = startedAt
        self.cause = cause
        self.kill = kill
        self.wallNanoseconds = wallNanoseconds
        self.cpuNanoseconds = cpuNanoseconds
        self.peakMemoryBytes = peakMemoryBytes
        self.freeBytes = freeBytes
        self.memoryRanOut = memoryRanOut
        self.note = note
    }
}

/// What the agent asks of the supervisor.
public enum SupervisorCommand: Sendable, Hashable {
    /// How much may run at a time, in all and of each sweep. A sweep that is not named may take all slots.
    case capacity(slots: Int, memoryBytes: Int64, sweeps: [SweepSlots] = [])
    /// Queues a program behind those queued before. Repeating a key is harmless.
    case start(AttemptKey, Launch)
    case kill(AttemptKey, ProcessExit.Kill)
    /// These ends were taken: they need not be kept any longer.
    case forget([AttemptKey])
    /// Ends as soon as nothing runs; what it keeps is in its journal.
    case stop
}

/// How many programs of a sweep may run at a time on a host, and which of several sweeps is served first.
public struct SweepSlots: Sendable, Hashable {
    public var sweep: String
    /// From 0.
    public var slots: Int
    /// The highest first.
    public var priority: Int

    public init(sweep: String, slots: Int, priority: Int = 0) {
        self.sweep = sweep
        self.slots = slots
        self.priority = priority
    }
}

/// What the supervisor tells the agent.
public enum SupervisorReport: Sendable, Hashable {
    /// Everything that it holds, in pieces; the last has `isLast`. First after each connection.
    case inventory([SupervisedAttempt], isLast: Bool)
    case started([AttemptKey])
    /// Durable.
    case ended([SupervisedAttempt])
}

/// An attempt that the supervisor holds.
public struct SupervisedAttempt: Sendable, Hashable {
    public enum State: Sendable, Hashable {
        case queued, running
        case ended(ProcessExit)
    }

    public var key: AttemptKey
    public var state: State

    public init(key: AttemptKey, state: State) {
        self.key = key
        self.state = state
    }
}

/// Where programs run. Requests never block; what comes of them arrives as ``SupervisorReport``.
public protocol Processes {
    mutating func perform(_ commands: [SupervisorCommand])
}
