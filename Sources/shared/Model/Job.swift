/// What an agent needs to know to make one attempt: engine-neutral, derived from a point by an engine's pure
/// functions. The working folder is the attempt's own, so that inputs go by their relative names.
public struct Job: Sendable, Hashable {
    /// One argument of the command line.
    public enum Argument: Sendable, Hashable {
        case text(String)
        /// The path of the engine's binary on the host at hand.
        case engine
        /// The path of the agent's own binary on the host at hand.
        case agent
        /// One argument of several pieces.
        case joined([Piece])
    }

    /// A piece of a text whose final value is known only when an attempt begins.
    public enum Piece: Sendable, Hashable {
        case text(String)
        /// The number of the run.
        case run
        /// The number of the attempt.
        case attempt
    }

    /// An environment variable whose final value is known only when an attempt begins.
    public struct JoinedVariable: Sendable, Hashable {
        public var name: String
        public var value: [Piece]

        public init(_ name: String, _ value: [Piece]) {
            self.name = name
            self.value = value
        }
    }

    /// A file that is created in the attempt's folder before the start.
    public struct Input: Sendable, Hashable {
        /// Relative to the attempt's folder.
        public var path: String
        public var digest: Digest
        public var size: Int64
        public var isExecutable: Bool

        public init(path: String, digest: Digest, size: Int64, isExecutable: Bool = false) {
            self.path = path
            self.digest = digest
            self.size = size
            self.isExecutable = isExecutable
        }
    }

    /// How long arguments, variables and the point's document may be together, in bytes: they travel, and are kept by
    /// agents, in one piece.
    public static let longestDescription = 80 * 1_024

    /// How long inputs may be in a job itself, in bytes; more go in a list, an object of its own.
    public static let longestInputs = 12 * 1_024

    public var arguments: [Argument]
    /// Added to the host's own environment.
    public var environment: [EnvironmentVariable]
    /// Added as well.
    public var joinedEnvironment: [JoinedVariable]
    /// The point as JSON: written as `point.json`, named by `USWEEP_POINT_FILE`.
    public var pointDocument: String
    public var inputs: [Input]
    /// The object that lists further inputs, where they are too many to travel with each run.
    public var inputList: InputListName?
    public var limits: JobLimits
    /// How many times in all a run may fail before it is given up.
    public var maximumFailures: Int
    /// How many of the host's slots it takes.
    public var slots = 1
    /// What it takes of what else the host has a few of.
    public var shares: [ResourceShare] = []
    /// What of its files comes back.
    public var artifacts = ArtifactRule()

    public init(
        arguments: [Argument], environment: [EnvironmentVariable] = [], joinedEnvironment: [JoinedVariable] = [],
        pointDocument: String = "{}", inputs: [Input] = [], inputList: InputListName? = nil,
        limits: JobLimits = JobLimits(), maximumFailures: Int = 3
    ) {
        self.arguments = arguments
        self.environment = environment
        self.joinedEnvironment = joinedEnvironment
        self.pointDocument = pointDocument
        self.inputs = inputs
        self.inputList = inputList
        self.limits = limits
        self.maximumFailures = maximumFailures
    }
}

extension Job {
    /// What counts towards ``longestDescription``.
    public var descriptionSize: Int {
        var size = pointDocument.utf8.count
        for argument in arguments {
            switch argument {
            case .text(let text): size += text.utf8.count + 10
            case .joined(let pieces): size += pieces.descriptionSize + 10
            case .engine, .agent: size += 10
            }
        }
        for variable in environment { size += variable.name.utf8.count + variable.value.utf8.count + 20 }
        for variable in joinedEnvironment { size += variable.name.utf8.count + variable.value.descriptionSize + 20 }
        return size
    }
}

extension Job {
    /// The same with nothing left that only its attempt knows.
    public func filled(run: RunNumber, attempt: AttemptNumber) -> Job {
        var job = self
        job.arguments = arguments.map { argument in
            if case .joined(let pieces) = argument { .text(pieces.text(run: run, attempt: attempt)) } else { argument }
        }
        job.environment += joinedEnvironment.map {
            EnvironmentVariable($0.name, $0.value.text(run: run, attempt: attempt))
        }
        job.joinedEnvironment = []
        return job
    }
}

extension [Job.Piece] {
    /// The text in an attempt.
    public func text(run: RunNumber, attempt: AttemptNumber) -> String {
        map { piece in
            switch piece {
            case .text(let text): text
            case .run: String(run)
            case .attempt: String(attempt)
            }
        }.joined()
    }

    /// About as long as they are in a message, and as the text can become.
    fileprivate var descriptionSize: Int {
        reduce(0) { size, piece in
            if case .text(let text) = piece { size + text.utf8.count + 10 } else { size + 20 }
        }
    }
}

/// Which object lists inputs (`InputList`), and its size in bytes.
public struct InputListName: Sendable, Hashable {
    public var digest: Digest
    public var size: Int64

    public init(digest: Digest, size: Int64) {
        self.digest = digest
        self.size = size
    }
}

extension [Job.Input] {
    /// About as long as they are in a message.
    public var descriptionSize: Int { reduce(0) { $0 + $1.path.utf8.count + 64 } }
}

/// A variable of a program's environment.
public struct EnvironmentVariable: Sendable, Hashable {
    public var name: String
    public var value: String

    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// What an attempt may take.
public struct JobLimits: Sendable, Hashable {
    /// Of ``output``, where a sweep says nothing: room for a checkpoint, and less than a disk.
    public static let standardOutput: Int64 = 8 << 30

    /// Wall time after which the attempt is ended with class `timeout`; nil: none.
    public var time: Nanoseconds?
    /// Time without progress after which it is ended as stalled; nil: not watched.
    public var stall: Nanoseconds?
    /// Memory set aside for it on the host, in bytes; nil: not counted.
    public var memoryBytes: Int64?
    /// The most that it may leave, standard output and error included, in bytes; nil: no limit. What writes more is
    /// ended with class `too-much-output`.
    public var output: Int64?

    public init(
        time: Nanoseconds? = nil, stall: Nanoseconds? = nil, memoryBytes: Int64? = nil, output: Int64? = nil
    ) {
        self.time = time
        self.stall = stall
        self.memoryBytes = memoryBytes
        self.output = output
    }
}

/// The runs handed to one agent together under one lease.
public struct Shard: Sendable, Hashable {
    /// One run of a shard, with the attempt numbers that the agent may use for it.
    public struct Entry: Sendable, Hashable {
        public var run: RunNumber
        /// The first number of the reserved range.
        public var firstAttempt: AttemptNumber
        /// How many the range holds, at least 1.
        public var attempts: Int
        public var job: Job

        public init(run: RunNumber, firstAttempt: AttemptNumber, attempts: Int, job: Job) {
            self.run = run
            self.firstAttempt = firstAttempt
            self.attempts = attempts
            self.job = job
        }
    }

    public var lease: LeaseNumber
    public var entries: [Entry]

    public init(lease: LeaseNumber, entries: [Entry]) {
        self.lease = lease
        self.entries = entries
    }
}

/// What an agent holds of one lease.
public struct HeldLease: Sendable, Hashable {
    public var lease: LeaseNumber
    /// Runs that wait, run, or ended without being acknowledged.
    public var runs: [RunNumber]

    public init(lease: LeaseNumber, runs: [RunNumber]) {
        self.lease = lease
        self.runs = runs
    }
}
