public import Engines
public import Model
import ObjectStore
public import SweepCore
import Wire

/// What a coordinator works on: the sweep, its runs, its hosts, the agent that it brings. Constant for its lifetime.
public struct Setting: Sendable {
    let sweepID: String
    let hosts: [Host]
    let agent: Bootstrap.Agent
    let engine: any Engine
    let points: Points
    let repeats: Int
    let setups: [String]
    let leaseTerm: Nanoseconds
    let checkpoints: CheckpointCache?

    /// - Parameters:
    ///   - sweepID: unique; agents keep sweeps apart by it.
    ///   - agentBinary: the bytes of `usweep-agent`.
    ///   - setups: workloads that need a setup run, in the order of their runs, which follow the evaluations.
    public init(
        sweepID: String, hosts: [Host], agentBinary: [UInt8], engine: any Engine, points: Points, sweep: Sweep,
        setups: [String], timing: Timing, checkpoints: CheckpointCache?
    ) {
        self.sweepID = sweepID
        self.hosts = hosts
        agent = Bootstrap.Agent(bytes: agentBinary, digest: SHA256.digest(agentBinary))
        self.engine = engine
        self.points = points
        self.setups = setups
        self.checkpoints = checkpoints
        repeats = sweep.measure.repeats
        leaseTerm = timing.leaseTerm
    }

    /// Evaluations have the numbers 1 to `evaluationCount`, point by point, the repeats of a point together.
    var evaluationCount: Int { points.count * repeats }

    /// What a run number stands for.
    func task(of run: RunNumber) -> EngineTask {
        if run > evaluationCount { return .setup(workload: setups[run - evaluationCount - 1]) }
        return .evaluation(point: (run - 1) / repeats, repetition: (run - 1) % repeats + 1)
    }

    func enginePath(of host: Int) -> String? {
        guard engine.pinsBinary else { return nil }
        return hosts[host].engines.first { $0.name == engine.kind.rawValue }?.value ?? engine.defaultBinary
    }

    func hello(to host: Int) -> CoordinatorHello {
        CoordinatorHello(
            sweep: sweepID, leaseTerm: leaseTerm, slots: hosts[host].slots, memoryBytes: hosts[host].memoryBytes,
            enginePath: enginePath(of: host), setup: hosts[host].setup)
    }

    /// The messages' shards for one lease: more than one where a frame does not hold it.
    func shards(_ lease: LeaseNumber, _ grants: [Grant], _ state: SweepState, _ store: ObjectStore) throws -> [Shard] {
        var shards: [Shard] = []
        var entries: [Shard.Entry] = []
        var size = 0
        for grant in grants {
            let entry = Shard.Entry(
                run: grant.run, firstAttempt: grant.firstAttempt, attempts: grant.attempts,
                job: try job(of: grant.run, state, store))
            var writer = ByteWriter()
            writer.put(entry)
            if size + writer.bytes.count > Setting.shardBytes, !entries.isEmpty {
                shards.append(Shard(lease: lease, entries: entries))
                (entries, size) = ([], 0)
            }
            entries.append(entry)
            size += writer.bytes.count
        }
        if !entries.isEmpty { shards.append(Shard(lease: lease, entries: entries)) }
        return shards
    }

    private static let shardBytes = 64 * 1024

    private func job(of run: RunNumber, _ state: SweepState, _ store: ObjectStore) throws -> Job {
        let task = task(of: run)
        var checkpoint: CheckpointObject?
        if case .evaluation = task, let digest = task.workload(points).flatMap({ state.pins[Setting.pin($0)] }) {
            guard let size = try store.size(digest) else {
                throw Failure(.storage, "the checkpoint \(digest.short) is not in the object store any more")
            }
            checkpoint = CheckpointObject(digest: digest, size: size)
        }
        return try engine.job(for: task, points: points, checkpoint: checkpoint)
    }

    /// The name of the pin for a workload's checkpoint.
    public static func pin(_ workload: String) -> String { "checkpoint:\(workload)" }

    /// Holds an attempt against the run contract; a setup's checkpoint is also kept for later sweeps.
    func judge(_ report: AttemptReport, _ store: ObjectStore, _ state: SweepState) throws -> EngineVerdict {
        guard 1...evaluationCount + setups.count ~= report.id.run else {
            return EngineVerdict(failure: report.failure ?? .contractBroken, evidence: report.evidence)
        }
        let task = task(of: report.id.run)
        let verdict = try engine.judge(task, report) { path in
            guard let artifact = report.artifacts.first(where: { $0.path == path }) else { return nil }
            return try store.read(artifact.digest, at: 0, count: Int(artifact.size))
        }
        if case .setup(let workload) = task, let digest = verdict.provides, let binary = state.pins["engine"] {
            try checkpoints?.add(checkpointKey(workload, binary), digest, from: store)
        }
        return verdict
    }

    /// Checkpoints that earlier sweeps made with the same engine, guest and setup, now in `store`.
    func knownCheckpoints(_ binary: Digest, _ store: ObjectStore) throws -> [Event] {
        try setups.compactMap { workload in
            try checkpoints?.find(checkpointKey(workload, binary), into: store)
                .map { .provided(pin: Setting.pin(workload), digest: $0) }
        }
    }

    private func checkpointKey(_ workload: String, _ binary: Digest) -> Digest {
        SHA256.digest("checkpoint 1\nengine \(binary)\n\(engine.checkpointKey(workload))")
    }
}
