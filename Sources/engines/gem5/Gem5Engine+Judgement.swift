package import Model
package import Results

/// What a gem5 run left, held against the run contract.
extension Gem5Engine {
    package func judge(
        _ task: EngineTask, _ points: Points, _ report: AttemptReport, _ files: EvidenceFiles
    ) throws -> EngineVerdict {
        let contract = contract(task, points)
        let (verdict, remark) = try contract.examine(
            failure: report.failure, evidence: report.evidence, files: files)
        switch verdict {
        case .broken(let failure, let evidence): return EngineVerdict(failure: failure, evidence: evidence)
        case .accepted(let blocks):
            do {
                switch task {
                case .evaluation:
                    let forced = misfits.first { $0.workload == task.workload(points) }?.differences.sentence
                    let told = [remark, forced.map { "its checkpoint was forced: \($0)" } ?? ""].filter { !$0.isEmpty }
                    return EngineVerdict(
                        failure: nil, evidence: told.joined(separator: "; "), blocks: blocks.text)
                case .boot, .setup:
                    var verdict = try checkpoint(task, report, files)
                    if verdict.failure == nil { verdict.evidence = remark }
                    return verdict
                }
            } catch let breach as Breach {
                return EngineVerdict(failure: breach.failure, evidence: breach.evidence)
            }
        }
    }

    /// The contract of a run. The parameters of the point are those that the package says that it has set, and gem5's
    /// own configuration must agree.
    private func contract(_ task: EngineTask, _ points: Points) -> Gem5Contract {
        var contract = Gem5Contract(
            invocations: sweep.measure.invocations, status: Gem5Files.status,
            statistics: Gem5Files.statistics, configuration: Gem5Files.configuration, messages: "stderr.txt",
            terminals: machines.map(Gem5Files.console), requiredMetrics: sweep.requiredMetrics, formulas: formulas)
        switch task {
        case .boot, .setup:
            contract.invocations = nil
            contract.blocks = nil
            contract.cause = "checkpoint"
        case .evaluation(let point, _):
            contract.until = until
            contract.warm = sweep.measure.warm
            contract.axes = points.parameters(point).filter { !Gem5States.isState($0) }
            contract.state = Interleaving.state(points.parameters(point))
            contract.forced = forcedItems(task.workload(points))
            contract.machine = machine(contract.axes)
            guard case .script(let script) = settings.system else { break }
            contract.blocks = script.blocks ?? contract.blocks
            contract.line = script.line
            contract.core = settings.core ?? contract.core
            contract.saysCore = true
        }
        guard case .script = settings.system else { return contract }
        // Nothing is known of it but what the sweep says.
        contract.status = nil
        contract.needsTerminal = false
        contract.terminals = Gem5Files.consoles
        return contract
    }

    /// What the sweep says of the machine that its evaluations simulate; nil: nothing, with a script of the user's own.
    private func machine(_ axes: [Assignment]) -> Gem5Contract.Machine? {
        guard case .named(let name, let options) = settings.system, let tested = machines.first else { return nil }
        // A checkpoint from elsewhere decides, where the sweep does not.
        let usual = settings.makesCheckpoints ? Gem5Settings.standardCores : nil
        // Where the sweep chooses the cores, the axis is compared.
        let isChosen = axes.contains { $0.axis == "core" }
        return Gem5Contract.Machine(
            tested, memoryBytes: options.memoryBytes, cores: options.cores ?? usual,
            coreType: isChosen ? nil : Gem5Machines.coreType(of: name), kernel: guest.kernel.path)
    }

    private func checkpoint(
        _ task: EngineTask, _ report: AttemptReport, _ files: EvidenceFiles
    ) throws -> EngineVerdict {
        guard case .setup(let workload, _) = task else {
            return try checkpoint(nil, Gem5Files.newBooted, report, files)
        }
        guard !settings.isScript else { return try ownCheckpoint(workload, report, files) }
        return try checkpoint(workload, Gem5Files.newCheckpoint(workload), report, files)
    }

    /// A script of the user's own keeps no record: it is made of what came back.
    private func ownCheckpoint(
        _ workload: String, _ report: AttemptReport, _ left: EvidenceFiles
    ) throws -> EngineVerdict {
        let folder = Gem5Files.newCheckpoint(workload)
        guard let facts = try Gem5CheckpointFacts(left, "\(folder)/m5.cpt") else {
            throw Breach("\(folder)/m5.cpt is missing")
        }
        let files: [Artifact] = report.artifacts.compactMap { artifact in
            guard artifact.path.hasPrefix("\(folder)/") else { return nil }
            let path = String(artifact.path.dropFirst(folder.utf8.count + 1))
            guard path != Gem5CheckpointRecord.name else { return nil }
            return Artifact(path: path, digest: artifact.digest, size: artifact.size)
        }
        if let problem = facts.problem(files: files.map(\.path)) {
            return EngineVerdict(failure: .contractBroken, evidence: "\(folder)/m5.cpt: \(problem)")
        }
        var origin = expectation(workload)
        (origin.memoryBytes, origin.cores) = (facts.memoryBytes, facts.cores)
        let record = Array(Gem5CheckpointRecord(origin: origin, files: files).document.encoded.utf8)
        return EngineVerdict(failure: nil, provides: SHA256.digest(record), record: record)
    }

    /// A checkpoint is whole when its record names exactly what came back.
    ///
    /// - Parameters:
    ///   - workload: nil: of none, a booted guest's.
    ///   - folder: where it was left.
    private func checkpoint(
        _ workload: String?, _ folder: String, _ report: AttemptReport, _ left: EvidenceFiles
    ) throws -> EngineVerdict {
        let path = "\(folder)/\(Gem5CheckpointRecord.name)"
        guard let bytes = try left.content(path, limit: EvidenceLimit.document),
            let artifact = report.artifacts.first(where: { $0.path == path })
        else { throw Breach("\(path) is missing") }
        let record: Gem5CheckpointRecord
        do { record = try Gem5CheckpointRecord(bytes) } catch {
            return EngineVerdict(failure: .contractBroken, evidence: "\(path): \(error)")
        }
        let unnamed = record.origin.kernel == nil ? "kernel" : record.origin.disk == nil ? "disk" : nil
        if let misfit = record.origin.misfit(with: expectation(workload)) ?? unnamed.map({ "its \($0) is not known" }) {
            return EngineVerdict(failure: .contractBroken, evidence: "\(path): \(misfit)")
        }
        let prefix = "\(folder)/"
        let named = Set(record.files.map { prefix + $0.path } + [path])
        if let other = report.artifacts.first(where: { $0.path.hasPrefix(prefix) && !named.contains($0.path) }) {
            return EngineVerdict(
                failure: .contractBroken,
                evidence: "\(path): it does not name \(VisibleText.of(other.path, limit: 200)), which is beside it")
        }
        for file in record.files {
            let found = report.artifacts.first { $0.path == prefix + file.path }
            guard found?.digest == file.digest, found?.size == file.size else {
                let what = found == nil ? "is missing" : "is not the one that was written"
                return EngineVerdict(failure: .contractBroken, evidence: "\(prefix)\(file.path) \(what)")
            }
        }
        return EngineVerdict(failure: nil, provides: artifact.digest)
    }
}
