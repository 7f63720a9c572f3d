package import Engines
import Formats
package import Model
import Results
package import Storage
package import SweepCore

/// What a coordinator works on: the sweep, its runs, its hosts, the agent that it brings. Constant for its lifetime.
public struct Setting: Sendable {
    let holder: String
    let sweepID: String
    let hosts: [Host]
    let agent: BroughtAgent
    let engine: any Engine
    let points: Points
    let repeats: Int
    let setups: [Setup]
    private let places: RunPlaces
    let leaseTerm: Nanoseconds
    private let artifacts: ArtifactRule
    /// The most that an attempt may leave, in bytes.
    let outputLimit: Int64
    private let needs: RunNeeds
    private let priority: Int
    let checkpoints: CheckpointStore?
    /// That of the lab; nil: there is none.
    let common: CommonCheckpoints?
    /// What hosts that share know one another by; empty: none shares.
    private let sharingKey: [UInt8]
    /// Whether what a lease says may have to be read or written first: tasks start from checkpoints, or have so many
    /// inputs that these go as a list.
    let hasLongGrants: Bool

    /// A run that makes a checkpoint: the setup of a workload, or a boot.
    package struct Setup: Sendable, Hashable {
        package var task: EngineTask
        /// The name of the pin that it provides, and that all need that start from it.
        package var pin: String
        /// The pin of what it starts from; nil: nothing.
        package var requires: String?

        package init(_ task: EngineTask, pin: String, requires: String? = nil) {
            self.task = task
            self.pin = pin
            self.requires = requires
        }

        var isBoot: Bool { if case .boot = task { true } else { false } }
    }

    /// - Parameters:
    ///   - sweepID: unique; agents keep sweeps apart by it.
    ///   - agentBinary: the bytes of `usweep-agent`.
    ///   - runs: the evaluations, point by point, the repeats of a point together, then those of `setups`.
    ///   - setups: in the order of their runs.
    ///   - sharingKey: bytes by chance, drawn anew for each coordinator.
    ///   - holder: user, machine and folder that the ledger belongs to; hosts tell copies of a ledger apart by it.
    package init(
        sweepID: String, hosts: [Host], agentBinary: [UInt8], engine: any Engine, points: Points, sweep: Sweep,
        runs: RunList, setups: [Setup], timing: Timing, checkpoints: CheckpointStore?,
        common: CommonCheckpoints? = nil, holder: String = "", sharingKey: [UInt8] = []
    ) {
        self.sweepID = sweepID
        self.holder = holder
        self.sharingKey = sharingKey
        let much = engine.inputs.reduce(0) { $0.addingCapped($1.size) } >= Setting.muchBytes || !setups.isEmpty
        self.hosts = Setting.marked(hosts, much: much)
        agent = BroughtAgent(agentBinary)
        self.engine = engine
        self.points = points
        self.setups = setups
        places = RunPlaces(runs)
        self.checkpoints = checkpoints
        self.common = common
        repeats = sweep.measure.repeats
        var artifacts = sweep.artifacts
        artifacts.evidence = engine.descriptor.alwaysKept(sweep.settings)
        self.artifacts = artifacts
        outputLimit = sweep.limits.job.output ?? JobLimits.standardOutput
        needs = sweep.needs
        priority = sweep.priority
        leaseTerm = timing.leaseTerm
        hasLongGrants = !setups.isEmpty
            || engine.inputs.map { Job.Input($0) }.descriptionSize > Job.longestInputs
    }

    /// From how many bytes of inputs on it matters which way they go. A checkpoint is hardly ever smaller.
    private static let muchBytes: Int64 = 64 << 20
    /// A fast way may take a process for each host.
    private static let mostFastWays = 32

    /// Hosts that much is to be sent to, as transports are to know them.
    private static func marked(_ hosts: [Host], much: Bool) -> [Host] {
        guard much, hosts.count <= mostFastWays else { return hosts }
        return hosts.map { host in
            var host = host
            host.target.takesMuch = true
            return host
        }
    }

    private var evaluationCount: Int { points.count * repeats }

    /// What a run number stands for; nil: nothing that the specification has.
    func task(of run: RunNumber) -> EngineTask? {
        guard let place = places.place(of: run) else { return nil }
        if place < evaluationCount { return .evaluation(point: place / repeats, repetition: place % repeats + 1) }
        let setup = place - evaluationCount
        return setups.indices ~= setup ? setups[setup].task : nil
    }

    func isSetup(_ run: RunNumber) -> Bool { places.place(of: run).map { $0 >= evaluationCount } ?? false }

    /// What makes the checkpoint that a task starts from; nil: nothing.
    private func maker(for task: EngineTask) -> Setup? {
        switch task {
        case .evaluation(let point, _):
            guard let workload = points.workload(point) else { return nil }
            return setups.first {
                $0.task == .setup(workload: workload, checkpoint: points.checkpoint(point))
            }
        case .setup, .boot:
            guard let pin = setups.first(where: { $0.task == task })?.requires else { return nil }
            return setups.first { $0.pin == pin }
        }
    }

    func enginePath(of host: Int) -> String? {
        let descriptor = engine.descriptor
        guard let binary = descriptor.binary else { return nil }
        return hosts[host].engines.first { $0.name == descriptor.name }?.value ?? binary.defaultPath
    }

    /// How a host is to share; nil: it is not to.
    func sharing(of host: Int) -> SharingTerms? {
        guard let sharing = hosts[host].sharing, sharingKey.count == SharingTerms.keyLength else { return nil }
        return SharingTerms(key: sharingKey, address: sharing.address)
    }

    func hello(to host: Int) -> CoordinatorHello {
        CoordinatorHello(
            sweep: sweepID, leaseTerm: leaseTerm, slots: hosts[host].slots, memoryBytes: hosts[host].memoryBytes,
            enginePath: enginePath(of: host),
            setup: HostSetup.text(hosts[host].setup, isLogin: hosts[host].usesLoginShell))
    }

    /// What a host is told after the hellos.
    func greeting(of host: Int) -> [CoordinatorMessage] {
        var messages: [CoordinatorMessage] = []
        if !holder.isEmpty { messages.append(.holder(holder)) }
        if let path = enginePath(of: host) { messages.append(.probe(path: path)) }
        if let terms = sharing(of: host) { messages.append(.share(terms)) }
        if let bytes = hosts[host].cacheBytes { messages.append(.cacheLimit(bytes)) }
        if terms(of: host) != HostTerms() { messages.append(.terms(terms(of: host))) }
        return messages
    }

    private func terms(of host: Int) -> HostTerms {
        var terms = HostTerms()
        terms.priority = priority
        terms.nice = hosts[host].nice
        terms.others = hosts[host].others
        terms.binding = hosts[host].binding
        return terms
    }

    /// The messages' shards for one lease: more than one where a frame does not hold it.
    ///
    /// - Parameters:
    ///   - inputs: the files of a checkpoint, by its digest and what made it.
    ///   - list: puts a list of inputs into the object store.
    func shards(
        _ order: LeaseOrder, inputs: (Digest, EngineTask) throws -> [Job.Input],
        list: ([Job.Input]) throws -> InputListName
    ) throws -> [Shard] {
        let lease = order.lease
        var shards: [Shard] = []
        var entries: [Shard.Entry] = []
        var size = 0
        for (grant, memoryBytes) in zip(order.grants, order.memoryBytes) {
            var job = try job(of: grant.run, on: order.host, order.pins, inputs)
            job.limits.memoryBytes = memoryBytes
            if job.inputs.descriptionSize > Job.longestInputs {
                job.inputList = try list(job.inputs)
                job.inputs = []
            }
            guard job.descriptionSize <= Job.longestDescription else {
                throw Failure(
                    .badSpecification, "run \(grant.run): its arguments, variables and parameters are longer than "
                        + "\(PeopleText.size(Int64(Job.longestDescription)))")
            }
            let entry = Shard.Entry(
                run: grant.run, firstAttempt: grant.firstAttempt, attempts: grant.attempts, job: job)
            let entrySize = entry.encodedSize
            if size + entrySize > Setting.shardBytes, !entries.isEmpty {
                shards.append(Shard(lease: lease, entries: entries))
                (entries, size) = ([], 0)
            }
            entries.append(entry)
            size += entrySize
        }
        if !entries.isEmpty { shards.append(Shard(lease: lease, entries: entries)) }
        return shards
    }

    private static let shardBytes = 64 * 1024

    private func job(
        of run: RunNumber, on host: Int, _ pins: [String: Digest], _ inputs: (Digest, EngineTask) throws -> [Job.Input]
    ) throws -> Job {
        guard let task = task(of: run) else {
            throw Failure(.internalError, "run \(run) was handed out, but the specification does not have it")
        }
        var job = try self.job(for: task, pins, inputs)
        job.limits.output = outputLimit
        job.slots = needs.cores
        job.shares = needs.resources.map { need in
            let capacity = hosts[host].resources.first { $0.name == need.name }?.count ?? need.count
            return ResourceShare(name: need.name, count: need.count, capacity: capacity)
        }
        // All that a setup leaves may belong to its checkpoint.
        if case .evaluation = task { job.artifacts = artifacts }
        return job
    }

    /// What the engine makes of a task.
    ///
    /// - Parameter inputs: as for ``shards(_:inputs:list:)``.
    func job(
        for task: EngineTask, _ pins: [String: Digest], _ inputs: (Digest, EngineTask) throws -> [Job.Input]
    ) throws -> Job {
        var checkpoint: [Job.Input] = []
        if let maker = maker(for: task), let digest = pins[maker.pin] { checkpoint = try inputs(digest, maker.task) }
        return try engine.job(for: task, points: points, checkpoint: checkpoint)
    }

    /// The files of a checkpoint, all of which must be in `store`.
    func inputs(
        ofCheckpoint digest: Digest, madeBy maker: EngineTask, _ store: ObjectStore
    ) throws -> [Job.Input] {
        try files(ofCheckpoint: digest, madeBy: maker, store).map { file in
            guard let size = try store.size(file.digest) ?? store.map(of: file.digest)?.map.size else {
                throw Failure(
                    .storage,
                    "the checkpoint \(digest.short) is damaged or incomplete in the object store (\(file.path)); "
                        + "restore it from a copy, or launch with --repin to run everything again")
            }
            return Job.Input(path: file.path, digest: file.digest, size: size)
        }
    }

    private func files(
        ofCheckpoint digest: Digest, madeBy maker: EngineTask, _ store: ObjectStore
    ) throws -> [CheckpointFile] {
        try engine.files(ofCheckpoint: digest, madeBy: maker) { object in
            guard let size = try store.size(object), size <= Setting.recordBytes else {
                throw Failure(.storage, "the record of the checkpoint \(digest.short) cannot be read")
            }
            return try store.read(object, at: 0, count: Int(size))
        }
    }

    /// No record of a checkpoint is longer.
    private static let recordBytes = 4 << 20

    /// Holds an attempt against the run contract. Reads what it left: off the loop.
    func judge(_ report: AttemptReport, _ store: ObjectStore) throws -> EngineVerdict {
        guard let task = task(of: report.id.run) else {
            return EngineVerdict(failure: report.failure ?? .contractBroken, evidence: report.evidence)
        }
        let left = Dictionary(report.artifacts.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
        var files = EvidenceFiles(size: { left[$0]?.size }) { path, offset, count in
            try left[path].map { try store.read($0.digest, at: offset, count: count) } ?? []
        }
        files.omissions = report.evidence
        var verdict = try engine.judge(task, points, report, files)
        // What an attempt left and could not be taken may be what is missing; else it is worth knowing all the same.
        if report.failure == nil, !report.evidence.isEmpty {
            verdict.evidence = [verdict.evidence, report.evidence].filter { !$0.isEmpty }.joined(separator: "; ")
        }
        if verdict.failure == nil, verdict.provides == nil, engine.key(ofMaker: task) != nil {
            (verdict.failure, verdict.evidence) = (.contractBroken, "it left no checkpoint")
        }
        if let record = verdict.record { _ = try store.publish(record) }
        return verdict
    }

    /// Holds an audit against what counts. Reads what both left: off the loop.
    ///
    /// - Parameters:
    ///   - verdict: of the audit, of which the evidence then says what was compared.
    ///   - counted: nil: it is gone.
    /// - Returns: nil: there is nothing to compare.
    func compare(
        _ report: AttemptReport, _ verdict: inout EngineVerdict, with counted: GivenNumbers?, _ store: ObjectStore
    ) throws -> AuditComparison? {
        guard verdict.failure == nil, let result = verdict.blocks else { return nil }
        guard let counted else {
            verdict.evidence = "not compared, because the result that counts is not on record"
            return nil
        }
        let comparison = try RunComparison(
            counted, GivenNumbers(result: result, artifacts: report.artifacts),
            statistics: engine.descriptor.statistics, in: store)
        verdict.evidence = comparison.sentences.joined(separator: "; ")
        return comparison.digests
    }

    /// Holds an attempt of an evaluation that ended well against the contract once more; nil: of something else.
    package func judgeAgain(_ report: AttemptReport, _ store: ObjectStore) throws -> Rejudgement.Ruling? {
        guard let task = task(of: report.id.run), case .evaluation = task else { return nil }
        return try Rejudgement(engine, points, store).judge(task, report)
    }

    // MARK: Checkpoints for later sweeps

    var keepsCheckpoints: Bool { checkpoints != nil && !setups.isEmpty }

    /// Keeps a checkpoint that this run made for later sweeps, in packs, as which hosts get it, too.
    ///
    /// - Parameters:
    ///   - host: where it was made.
    ///   - now: nanoseconds since 1970.
    /// - Returns: why that was not possible, if it was not. Nothing depends on it.
    func keepCheckpoint(
        of run: RunNumber, _ digest: Digest, _ binary: Digest, _ store: ObjectStore, host: Int, now: Nanoseconds
    ) -> String? {
        guard let maker = task(of: run), let source = engine.key(ofMaker: maker) else { return nil }
        let workload = maker.workload(points)
        do {
            let files = try files(ofCheckpoint: digest, madeBy: maker, store).map { file in
                Artifact(path: file.path, digest: file.digest, size: try store.size(file.digest) ?? 0)
            }
            let bundle = CheckpointBundle(
                checkpoint: digest, engine: engine.descriptor.name, binary: binary,
                workload: workload ?? CheckpointBundle.bootedGuest, madeAt: now,
                madeBy: "run \(run) of \(sweepID) on \(hosts[host].name)",
                madeFrom: source.split(separator: "\n").map(String.init), files: files)
            try checkpoints?.add(bundle, from: store)
            common?.offer(digest)
            return nil
        } catch {
            let what = workload.map { "checkpoint of '\($0)'" } ?? "booted guest"
            return "the \(what) is not kept for later sweeps: \(error)"
        }
    }

    /// Checkpoints that earlier sweeps made with the same engine, guest and setup, now in `store`; and why those that
    /// could not be read are made anew. Booted guests only for setups of which there is none.
    ///
    /// - Parameter now: nanoseconds since 1970.
    func knownCheckpoints(
        _ binary: Digest, _ store: ObjectStore, now: Nanoseconds
    ) -> (events: [Event], problem: String?) {
        var events: [Event] = []
        var missing: [Setup] = []
        var problem: String?
        func find(_ setup: Setup, _ key: Digest) throws -> Digest? {
            try checkpoints?.find(key, into: store, now: now) { digest, known in
                try files(ofCheckpoint: digest, madeBy: setup.task, known).map(\.digest)
            }
        }
        /// Whether it is in the user's own store now.
        func fetch(_ key: Digest) -> Bool {
            guard let common else { return false }
            do {
                return try common.fetch(key, now: now)
            } catch {
                problem = common.sentence(error)
                return false
            }
        }
        func look(for setup: Setup) throws {
            guard let key = checkpointKey(setup.task, binary) else { return }
            var found = try find(setup, key)
            if let found {
                common?.offer(found)
            } else if fetch(key) {
                found = try find(setup, key)
            }
            if let found { events.append(.provided(pin: setup.pin, digest: found)) } else { missing.append(setup) }
        }
        do {
            for setup in setups where !setup.isBoot { try look(for: setup) }
            let needed = missing.compactMap(\.requires)
            for boot in setups where boot.isBoot && needed.contains(boot.pin) { try look(for: boot) }
        } catch {
            return (events, "checkpoints of earlier sweeps cannot be used: \(error)")
        }
        return (events, problem)
    }

    /// nil: the task makes none.
    private func checkpointKey(_ maker: EngineTask, _ binary: Digest) -> Digest? {
        engine.key(ofMaker: maker).map { CheckpointBundle.key(binary, $0) }
    }
}
