package import Model
package import Results

/// A sweep of any program that keeps the run contract.
package struct CommandEngine: Engine {
    package var descriptor: any EngineDescriptor { CommandDescriptor() }
    package let setups: [String] = []
    package let pinnedFiles: [InputFile] = []
    package var inputs: [InputFile] { sweep.inputs }
    private let sweep: Sweep
    private let settings: CommandSettings
    private let contract: Contract

    package init(_ sweep: Sweep) {
        self.sweep = sweep
        settings = CommandSettings(sweep.settings)
        contract = Contract.command(
            results: settings.results, requiredMetrics: sweep.requiredMetrics, formulas: MetricFormula.own(of: sweep),
            axes: sweep.allAxes.map(\.name))
    }

    package func files(
        ofCheckpoint checkpoint: Digest, madeBy maker: EngineTask, read: (Digest) throws -> [UInt8]
    ) throws -> [CheckpointFile] { [] }

    package func job(for task: EngineTask, points: Points, checkpoint: [Job.Input]) throws -> Job {
        guard case .evaluation(let point, let repetition) = task else {
            throw Failure(.internalError, "the engine 'command' has no setup")
        }
        let values = Placeholders.values(task, points)
        var job = Job(
            arguments: settings.command.map { Placeholders.argument($0, values) },
            environment: JobEnvironment.variables(points, point, repetition: repetition),
            pointDocument: points.document(point).encoded, inputs: sweep.inputs(task, points).map(Job.Input.init),
            limits: sweep.limits.job, maximumFailures: sweep.attempts)
        job.add(sweep.environment, values)
        return job
    }

    package func judge(
        _ task: EngineTask, _ points: Points, _ report: AttemptReport, _ files: EvidenceFiles
    ) throws -> EngineVerdict {
        if let failure = report.failure { return EngineVerdict(failure: failure, evidence: report.evidence) }
        return try contract.verdict(files)
    }

    package var progressFile: String? { "stdout.txt" }
    package func phase(of task: EngineTask, _ tail: [UInt8]) -> RunPhase? { RunPhase(lastLineOf: tail) }

    package func checkpointKey(_ workload: String, checkpoint: Int) -> String { "" }
}
