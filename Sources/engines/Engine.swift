public import Model
package import Results

/// A simulator, as pure functions: from a point to what a host has to do, and from what it left to a verdict.
package protocol Engine: Sendable {
    var descriptor: any EngineDescriptor { get }
    /// Files that its jobs need, to be put into the object store at launch.
    var inputs: [InputFile] { get }
    /// Files that the recipe does not name and that must be the same for all results of a sweep. They are pinned by
    /// `guest:` and their path.
    var pinnedFiles: [InputFile] { get }
    /// Workloads that need a setup run before they can be evaluated.
    var setups: [String] { get }
    /// Guests that are booted once, each for the setups of some workloads. A setup that has none boots by itself.
    var boots: [EngineBoot] { get }
    /// The files of a checkpoint that a boot or a setup provided, where the runs that start from it need them.
    ///
    /// - Parameters:
    ///   - checkpoint: what its maker's verdict named.
    ///   - maker: a boot or a setup.
    ///   - read: the bytes of an object.
    /// - Throws: ``Failure`` (`badArchive`) for a checkpoint that was not made so.
    func files(
        ofCheckpoint checkpoint: Digest, madeBy maker: EngineTask, read: (Digest) throws -> [UInt8]
    ) throws -> [CheckpointFile]

    /// - Parameter checkpoint: the files of what the task starts from: an evaluation from what its workload's setup
    ///   provided, a setup from a booted guest; empty where there is none.
    func job(for task: EngineTask, points: Points, checkpoint: [Job.Input]) throws -> Job

    /// Holds what an attempt left against the run contract.
    ///
    /// - Parameter files: the report's artifacts, which can be of any size.
    /// - Throws: what reading them throws; what is wrong with them is part of the verdict.
    func judge(
        _ task: EngineTask, _ points: Points, _ report: AttemptReport, _ files: EvidenceFiles
    ) throws -> EngineVerdict

    /// The file, relative to an attempt's folder, at whose end a running attempt says how far it is; nil: there is
    /// none.
    var progressFile: String? { get }
    /// What the end of that file says, for people to read; nil: nothing that is understood.
    func phase(of task: EngineTask, _ tail: [UInt8]) -> RunPhase?

    /// What is to be known of checkpoints that the sweep did not make itself.
    var checkpointRemarks: [CheckpointRemark] { get }

    /// Those of them that do not fit. Runs from them are made as if they were forced, which is for others to see to.
    var misfits: [CheckpointMisfit] { get }

    /// Everything but the engine's binary that a checkpoint of a workload depends on, as text.
    ///
    /// - Parameter checkpoint: which of the workload's, as of ``EngineTask/setup(workload:checkpoint:)``.
    func checkpointKey(_ workload: String, checkpoint: Int) -> String

    /// Asks a host's program whether every parameter of a sweep exists and takes every value, before anything is
    /// simulated; nil: there is nothing to ask.
    func parameterQuestion(
        _ parameters: [Assignment], program: String, _ machine: any LaunchingMachine
    ) throws -> ParameterQuestion?
}

extension Engine {
    package var boots: [EngineBoot] { [] }

    /// Everything but the engine's binary that the checkpoint of a boot or a setup depends on; nil: the task makes
    /// none.
    package func key(ofMaker task: EngineTask) -> String? {
        switch task {
        case .boot(let place): boots[place].key
        case .setup(let workload, let checkpoint): checkpointKey(workload, checkpoint: checkpoint)
        case .evaluation: nil
        }
    }

    package var progressFile: String? { nil }
    package func phase(of task: EngineTask, _ tail: [UInt8]) -> RunPhase? { nil }
    package var checkpointRemarks: [CheckpointRemark] { [] }
    package var misfits: [CheckpointMisfit] { [] }

    package func parameterQuestion(
        _ parameters: [Assignment], program: String, _ machine: any LaunchingMachine
    ) throws -> ParameterQuestion? { nil }
}

/// A guest that is booted once, for all setups that can go on from it.
package struct EngineBoot: Sendable, Hashable {
    /// Everything but the engine's binary that its checkpoint depends on, as text.
    package var key: String
    package var workloads: [String]
}

/// A script for /bin/sh on a host, which answers with a line for each parameter: ``mark``, then JSON with `axis`,
/// `value`, `ok`, and where that is false a `message`.
package struct ParameterQuestion: Sendable {
    package static let mark = "usweep-bind "

    package var script: String
}

/// What one run does.
package enum EngineTask: Sendable, Hashable {
    /// Boots the guest and takes the checkpoint that setups go on from: its place among ``Engine/boots``.
    case boot(Int)
    /// Starts the function, warms it and takes the checkpoint: which of the sweep's, by its place among
    /// ``Measure/ages``. Before that it boots, where nothing did.
    case setup(workload: String, checkpoint: Int = 0)
    /// Measures a point: its index, and which of its repeats this is (from 1).
    case evaluation(point: Int, repetition: Int)

    package func workload(_ points: Points) -> String? {
        switch self {
        case .boot: nil
        case .setup(let workload, _): workload
        case .evaluation(let point, _): points.workload(point)
        }
    }
}

/// A file of a checkpoint.
package struct CheckpointFile: Sendable, Hashable {
    /// Relative to the attempt's folder.
    package var path: String
    package var digest: Digest

    package init(path: String, digest: Digest) {
        self.path = path
        self.digest = digest
    }
}

/// What the run contract says of an attempt.
public struct EngineVerdict: Sendable, Hashable {
    /// nil: the evidence is complete.
    public var failure: FailureClass?
    public var evidence: String
    /// The statistics.
    public var blocks: ResultText?
    /// The checkpoint that a boot or a setup made: one of its artifacts, which names all others that belong to it.
    public var provides: Digest?
    /// What `provides` names, where it is none of the artifacts: to be put into the object store.
    public var record: [UInt8]?

    public init(
        failure: FailureClass?, evidence: String = "", blocks: ResultText? = nil, provides: Digest? = nil,
        record: [UInt8]? = nil
    ) {
        self.failure = failure
        self.evidence = evidence
        self.blocks = blocks
        self.provides = provides
        self.record = record
    }
}
