import Engines
import Model
import Results

/// The engine `command` with a checkpoint from which all runs start: the result of one more run.
struct WarmedEngine: Engine {
    static let workload = "warmed"
    static let setup = EngineTask.setup(workload: workload)

    let descriptor: any EngineDescriptor = CommandDescriptor()
    let pinnedFiles: [InputFile] = []
    let setups = [WarmedEngine.workload]
    var inputs: [InputFile] { command.inputs }
    private let command: CommandEngine

    init(_ sweep: Sweep) { command = CommandEngine(sweep) }

    func files(
        ofCheckpoint checkpoint: Digest, madeBy maker: EngineTask, read: (Digest) throws -> [UInt8]
    ) throws -> [CheckpointFile] {
        guard try SHA256.digest(read(checkpoint)) == checkpoint else {
            throw Failure(.badArchive, "a checkpoint is not what its name says")
        }
        return [CheckpointFile(path: "checkpoint", digest: checkpoint)]
    }

    func job(for task: EngineTask, points: Points, checkpoint: [Job.Input]) throws -> Job {
        guard case .evaluation = task else {
            return try command.job(for: .evaluation(point: 0, repetition: 1), points: points, checkpoint: [])
        }
        guard !checkpoint.isEmpty else { throw Failure(.internalError, "an evaluation without its checkpoint") }
        var job = try command.job(for: task, points: points, checkpoint: [])
        job.inputs += checkpoint
        return job
    }

    func judge(
        _ task: EngineTask, _ points: Points, _ report: AttemptReport, _ files: EvidenceFiles
    ) throws -> EngineVerdict {
        var verdict = try command.judge(task, points, report, files)
        if task == WarmedEngine.setup, verdict.failure == nil {
            verdict.provides = report.artifacts.first { $0.path == "results.json" }?.digest
        }
        return verdict
    }

    func checkpointKey(_ workload: String, checkpoint: Int) -> String { workload }
}
