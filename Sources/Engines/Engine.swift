public import Model

/// A simulator, as pure functions: from a point to what a host has to do, and from what it left to a verdict.
public protocol Engine: Sendable {
    var kind: EngineKind { get }
    /// Whether all hosts must have the same binary of it.
    var pinsBinary: Bool { get }
    /// Where its binary is on a host whose inventory entry does not say; nil: it must say.
    var defaultBinary: String? { get }
    /// Whether a failure's class can be told on the host, so that the agent may retry by itself.
    var agentRetries: Bool { get }
    /// Files that its jobs need, to be put into the object store at launch.
    var inputs: [InputFile] { get }
    /// Files that the recipe does not name and that must be the same for all results of a sweep. They are pinned by
    /// `guest:` and their path.
    var pinnedFiles: [InputFile] { get }
    /// Workloads that need a setup run before they can be evaluated.
    var setups: [String] { get }
    /// Metrics in the order of the dataset's columns.
    var metrics: [String] { get }

    /// - Parameter checkpoint: what the workload's setup provided, if it has one.
    func job(for task: EngineTask, points: Points, checkpoint: CheckpointObject?) throws -> Job

    /// Holds what an attempt left against the run contract.
    ///
    /// - Parameter read: the bytes of an artifact by its path; nil: there is none.
    func judge(
        _ task: EngineTask, _ report: AttemptReport, read: (String) throws -> [UInt8]?
    ) throws -> EngineVerdict

    /// Everything but the engine's binary that a workload's checkpoint depends on, as text.
    func checkpointKey(_ workload: String) -> String
}

/// What one run does.
public enum EngineTask: Sendable, Hashable {
    /// Boots, starts the function, warms it and takes the checkpoint.
    case setup(workload: String)
    /// Measures a point: its index, and which of its repeats this is (from 1).
    case evaluation(point: Int, repetition: Int)

    public func workload(_ points: Points) -> String? {
        switch self {
        case .setup(let workload): workload
        case .evaluation(let point, _): points.workload(point)
        }
    }
}

/// A checkpoint in the object store.
public struct CheckpointObject: Sendable, Hashable {
    public var digest: Digest
    /// In bytes.
    public var size: Int64

    public init(digest: Digest, size: Int64) {
        self.digest = digest
        self.size = size
    }
}

/// What the run contract says of an attempt.
public struct EngineVerdict: Sendable, Hashable {
    /// nil: the evidence is complete.
    public var failure: FailureClass?
    public var evidence: String
    /// The statistics: a list of objects, one a block, numbers with their source text.
    public var blocks: JSON?
    /// The checkpoint that a setup made.
    public var provides: Digest?

    public init(failure: FailureClass?, evidence: String = "", blocks: JSON? = nil, provides: Digest? = nil) {
        self.failure = failure
        self.evidence = evidence
        self.blocks = blocks
        self.provides = provides
    }
}
