package import Model
package import Results

/// An engine as all others know it: whatever is particular to one simulator is said here, or follows from here, and
/// nobody outside its folder asks which engine a sweep has.
///
/// What most engines do without has a default, so that a new one says little.
package protocol EngineDescriptor: Sendable {
    /// As `engine:` of a sweep, `engines:` of an inventory and `--engine` have it.
    var name: String { get }
    /// What it is, in a sentence for the reference pages.
    var meaning: String { get }

    // MARK: What a sweep may say

    /// Its own keys of a sweep file. They end up in ``Sweep/settings``, each under its name.
    var keys: [EngineKey] { get }
    /// Which of the phases before the measurement a run has: keys of `measure` that are the same for all engines.
    var phases: Set<EnginePhase> { get }
    /// What the engine makes of `workloads`.
    func workloads(_ settings: JSON) -> EngineWorkloads
    /// The axes that a sweep with these settings may have.
    func parameters(_ settings: JSON) -> EngineParameters
    /// The metrics that a run with these settings gives; nil: only its program knows.
    func metrics(_ settings: JSON) -> [EngineMetric]?
    /// What people look for among its metrics and it cannot tell, and where they get it, in sentences; nil: nothing.
    var untold: String? { get }
    /// Why a run with these settings cannot end as soon as a metric is known well enough (`measure.until`); nil: it
    /// can.
    func refusesUntil(_ settings: JSON) -> String?
    /// What is wrong with a sweep whose keys are each right by themselves.
    func problems(_ sweep: Sweep) -> [KeyProblem]
    /// What the writer of a sweep should know, though nothing in it is wrong, and what to write: sentences.
    func notes(_ sweep: Sweep) -> [String]
    /// What of the settings the evidence of a run is held against: where it changes, runs are judged again.
    func contract(_ settings: JSON) -> JSON
    /// Writes what of the settings can change a result. Points' identities outlive this program: what is written for
    /// a sweep that there was once never changes.
    func write(_ settings: JSON, to recipe: inout Recipe)

    // MARK: How a run is made

    /// The engine of one sweep, with the files that it needs from this machine.
    ///
    /// - Throws: ``Failure`` for what cannot go together, or is missing.
    func engine(for sweep: Sweep, _ machine: any LaunchingMachine) throws -> any Engine
    /// Its program on the hosts; nil: a run brings, or finds, its own.
    var binary: EngineBinary? { get }
    /// Whether a failure's class can be told on the host, so that the agent may retry by itself.
    var agentRetries: Bool { get }
    /// Memory of a run before any was seen, in bytes; nil: it is not counted where the sweep does not limit it.
    var firstMemoryGuess: Int64? { get }
    /// As ``Engine/parameterQuestion(_:program:_:)`` of a sweep with these settings, and without the sweep.
    func parameterQuestion(
        _ parameters: [Assignment], _ settings: JSON, program: String, _ machine: any LaunchingMachine
    ) throws -> ParameterQuestion?
    /// How its program is examined on a host (`usweep doctor`).
    var examination: EngineExamination { get }
    /// How a workload is tried on this machine (`usweep workload try`); nil: not with this engine.
    var workloadTries: (any WorkloadTries)? { get }

    // MARK: What a run left

    /// Formulas over the counters of a block, beside the sweep's own.
    var formulas: [MetricFormula] { get }
    /// Files whose ends tell a person how a run went, beside standard output and error.
    var logs: [String] { get }
    /// The file of raw statistics, in gem5's format (`usweep results --stat`); nil: there is none.
    var statistics: String? { get }
    /// The pinned file that names, by its digest, the checkpoint of a workload that a sweep was given; nil: it is given
    /// none. See ``Engine/pinnedFiles``.
    func givenCheckpoint(of workload: String) -> String?
    /// Its checkpoints that others made, as folders (`usweep checkpoint add`); nil: there are none.
    var checkpointFolders: (any CheckpointFolders)? { get }
    /// What becomes of vSwarm-u's working folders (`usweep import vswarm`); nil: vSwarm-u is not for this engine.
    var studyImport: (any StudyImport)? { get }
    /// Files that judging a run needs, beside those above: they come back whatever `artifacts` of a sweep says.
    func evidence(_ settings: JSON) -> [String]
    /// Ways in which `usweep pull` can lay out a run's files, beside its own.
    var layouts: [ArtifactLayout] { get }
}

extension EngineDescriptor {
    package var keys: [EngineKey] { [] }
    package var phases: Set<EnginePhase> { [] }
    package func workloads(_ settings: JSON) -> EngineWorkloads { .optional }
    package func parameters(_ settings: JSON) -> EngineParameters { EngineParameters(others: "any name") }
    package func metrics(_ settings: JSON) -> [EngineMetric]? { nil }
    package var untold: String? { nil }
    package func refusesUntil(_ settings: JSON) -> String? {
        "engine '\(name)' runs a program that alone knows what it measures and when it ends; remove the key, and let "
            + "the program end when it has measured enough"
    }
    package func problems(_ sweep: Sweep) -> [KeyProblem] { [] }
    package func notes(_ sweep: Sweep) -> [String] { [] }
    package func contract(_ settings: JSON) -> JSON { .null }
    package func write(_ settings: JSON, to recipe: inout Recipe) { recipe.item("settings", settings.encoded) }
    package var binary: EngineBinary? { nil }
    package var agentRetries: Bool { false }
    package var firstMemoryGuess: Int64? { nil }
    package func parameterQuestion(
        _ parameters: [Assignment], _ settings: JSON, program: String, _ machine: any LaunchingMachine
    ) throws -> ParameterQuestion? { nil }
    package var examination: EngineExamination { EngineExamination() }
    package var workloadTries: (any WorkloadTries)? { nil }
    package var formulas: [MetricFormula] { [] }
    package var logs: [String] { [] }
    package var statistics: String? { nil }
    package func givenCheckpoint(of workload: String) -> String? { nil }
    package var checkpointFolders: (any CheckpointFolders)? { nil }
    package var studyImport: (any StudyImport)? { nil }
    package func evidence(_ settings: JSON) -> [String] { [] }
    package var layouts: [ArtifactLayout] { [] }

    /// What comes back of every run, with what tells a person how it went.
    package func alwaysKept(_ settings: JSON) -> [String] {
        ["stdout.txt", "stderr.txt"] + logs + (statistics.map { [$0] } ?? []) + evidence(settings)
    }
}

/// A phase of a run before its measurement, and the key of `measure` that says how many invocations it has.
package enum EnginePhase: String, Sendable, Hashable, CaseIterable {
    /// After the restore, not measured.
    case warm
    /// Before the checkpoint.
    case setup
}

/// What an engine makes of `workloads`.
package enum EngineWorkloads: Sendable, Hashable {
    /// There may be some.
    case optional
    /// There must be some, which the engine's guest has.
    case required
    /// There must be some, each a container image that `usweep workload` made a disk of.
    case images
    /// Where none is named, there is one of this name.
    case named(String)
}

/// The program of an engine on the hosts: its path is in the inventory, and its digest is pinned at launch.
package struct EngineBinary: Sendable, Hashable {
    /// Where it is on a host whose inventory entry does not say; nil: it must say.
    package var defaultPath: String?

    package init(defaultPath: String?) { self.defaultPath = defaultPath }
}

/// Something wrong with the key of a sweep file, by its path from the top (`system.arguments`).
package struct KeyProblem: Sendable, Hashable {
    package var key: String
    /// What is wrong; what to write instead.
    package var text: String

    package init(_ key: String, _ text: String) {
        self.key = key
        self.text = text
    }
}

/// A way to lay out the files of a run under other names than its own.
package struct ArtifactLayout: Sendable {
    /// As `usweep pull --layout` has it.
    package var name: String
    package var meaning: String
    /// The files of a run by their new names, with the artifacts that make each up, one after the other.
    package var files: @Sendable (_ artifacts: [Artifact]) -> [(name: String, parts: [Artifact])]
}
