public import Model
public import Results

/// Any program that keeps the run contract: it is given a point and leaves a file with its results.
public struct CommandEngine: Engine {
    public let kind = EngineKind.command
    public let pinsBinary = false
    public let defaultBinary: String? = nil
    public let firstMemoryGuess: Int64? = nil
    public let agentRetries = true
    public let setups: [String] = []
    public let pinnedFiles: [InputFile] = []
    public var inputs: [InputFile] { sweep.inputs }
    public var metrics: [String] { sweep.metrics }
    private let sweep: Sweep
    private let contract: Contract

    public init(_ sweep: Sweep) {
        self.sweep = sweep
        contract = Contract.command(
            results: sweep.results, requiredMetrics: sweep.requiredMetrics, formulas: MetricFormula.all(of: sweep),
            axes: sweep.allAxes.map(\.name))
    }

    public func files(
        ofCheckpoint checkpoint: Digest, _ workload: String, read: (Digest) throws -> [UInt8]
    ) throws -> [CheckpointFile] { [] }

    public func job(for task: EngineTask, points: Points, checkpoint: [Job.Input]) throws -> Job {
        guard case .evaluation(let point, let repetition) = task else {
            throw Failure(.internalError, "the engine 'command' has no setup")
        }
        let assignments = points.assignments(point)
        var environment = assignments.map { EnvironmentVariable(Names.variable(axis: $0.axis), $0.value) }
        environment.append(EnvironmentVariable("USWEEP_REPEAT", String(repetition)))
        if let workload = points.workload(point) {
            environment.append(EnvironmentVariable("USWEEP_WORKLOAD", workload))
        }
        return Job(
            arguments: sweep.command.map { .text(Template.fill($0, assignments)) },
            environment: environment, pointDocument: points.document(point).encoded,
            inputs: sweep.inputs.map(Job.Input.init), limits: sweep.limits.job, maximumFailures: sweep.attempts)
    }

    public func judge(
        _ task: EngineTask, _ points: Points, _ report: AttemptReport, _ files: EvidenceFiles
    ) throws -> EngineVerdict {
        if let failure = report.failure { return EngineVerdict(failure: failure, evidence: report.evidence) }
        return try contract.verdict(files)
    }

    public func checkpointKey(_ workload: String) -> String { "" }
}

extension Job.Input {
    init(_ file: InputFile) {
        self.init(path: file.path, digest: file.digest, size: file.size, isExecutable: file.isExecutable)
    }
}
