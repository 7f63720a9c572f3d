package import Model
import Results

/// gem5 in full-system mode: boots a guest and starts a function once (setup), then restores the checkpoint for every
/// point and measures invocations on the modelled processor (evaluation).
///
/// The work on the host is done by gem5 itself, which runs the configuration package `ops/gem5`, or a script of the
/// user's own.
package struct Gem5Engine: Engine {
    package var descriptor: any EngineDescriptor { Gem5Descriptor() }
    package let setups: [String]
    package var inputs: [InputFile] { pinnedFiles + sweep.images.map(\.disk) + sweep.inputs }
    package var pinnedFiles: [InputFile] {
        [guest.kernel, guest.disk] + packageFiles + checkpoints.flatMap(\.files)
    }
    let sweep: Sweep
    let settings: Gem5Settings
    let guest: Guest
    /// The configuration package; empty with a script of the user's own.
    package let packageFiles: [InputFile]
    let checkpoints: [Checkpoint]
    package private(set) var misfits: [CheckpointMisfit] = []
    /// The user's own metrics.
    let formulas: [MetricFormula]

    /// What is booted.
    package struct Guest: Sendable, Hashable {
        package var kernel: InputFile
        package var disk: InputFile
        /// Whether it can be booted once for all setups: this project's older ones cannot.
        package var isBootedOnce: Bool

        package init(kernel: InputFile, disk: InputFile, isBootedOnce: Bool = false) {
            self.kernel = kernel
            self.disk = disk
            self.isBootedOnce = isBootedOnce
        }
    }

    /// The checkpoint of a workload that was made elsewhere; paths as in an attempt's folder.
    package struct Checkpoint: Sendable, Hashable {
        package var workload: String
        package var files: [InputFile]
        /// nil: it carries none, as those of other scripts.
        package var record: Gem5CheckpointRecord?

        package init(workload: String, files: [InputFile], record: Gem5CheckpointRecord?) {
            self.workload = workload
            self.files = files
            self.record = record
        }

        /// - Throws: ``Failure`` (`badSpecification`) for one of another engine.
        init(_ workload: String, _ stored: StoredCheckpoint) throws {
            guard stored.engine == "gem5" else {
                throw Failure(
                    .badSpecification, "the checkpoint \(stored.digest.short) was made by '\(stored.engine)'; this "
                        + "sweep uses gem5")
            }
            guard let record = stored.record else {
                throw Failure(
                    .badArchive, "the checkpoint \(stored.digest.short) has lost its record; see what is wrong: "
                        + "usweep checkpoint verify \(stored.digest.short)")
            }
            let folder = Gem5Files.checkpoint(workload)
            files = stored.files.map { file in
                var file = file
                file.path = "\(folder)/\(file.path.split(separator: "/").last ?? "")"
                return file
            }
            self.workload = workload
            self.record = try Gem5CheckpointRecord(record)
        }
    }

    /// What is to be known of checkpoints that were made elsewhere, by workload: nothing where they fit.
    package var checkpointRemarks: [CheckpointRemark] {
        checkpoints.map { checkpoint in
            let unknown = checkpoint.record.map { $0.origin.unknown } ?? ["what it was made of"]
            return CheckpointRemark(
                workload: checkpoint.workload,
                digest: checkpoint.files.first { $0.path.hasSuffix("/\(Gem5CheckpointRecord.name)") }?.digest,
                unknown: unknown, decided: checkpoint.record.map { decided($0.origin) } ?? [])
        }
    }

    /// Of a system of this project's own: a checkpoint's guest has the memory and cores that it was set up with.
    private func decided(_ origin: Gem5CheckpointRecord.Origin) -> [String] {
        guard case .named(_, let options) = settings.system else { return [] }
        let cores = options.cores == nil ? origin.cores.map { PeopleText.count($0, "core") } : nil
        let memory = options.memoryBytes == nil ? origin.memoryBytes.map { "\(PeopleText.size($0)) of memory" } : nil
        return [cores, memory].compactMap { $0 }
    }

    /// - Parameters:
    ///   - scripts: the configuration package, below `gem5`; empty with a script of the user's own.
    ///   - checkpoints: one a workload where the sweep does not make them itself.
    /// - Throws: ``Failure`` (`badSpecification`) for what cannot go together. Checkpoints that do not fit are among
    ///   ``misfits``.
    package init(_ sweep: Sweep, guest: Guest, scripts: [InputFile], checkpoints: [Checkpoint] = []) throws {
        self.sweep = sweep
        settings = Gem5Settings(sweep.settings)
        self.guest = guest
        packageFiles = scripts
        self.checkpoints = checkpoints
        formulas = MetricFormula.own(of: sweep)
        setups = settings.makesCheckpoints ? sweep.workloads : []
        if settings.takesImages { try sweep.checkImages() }
        misfits = checkpoints.compactMap(misfit)
    }

    /// What stands in braces in a script's arguments, beside what does so everywhere.
    static let places = [
        "kernel", "disk", Gem5Settings.workloadDisk, "invocations", "warm", "checkpoint", "checkpoints",
    ]

    /// What a checkpoint of a workload must have been made of.
    ///
    /// - Parameter workload: nil: of none, a booted guest's.
    func expectation(_ workload: String?) -> Gem5CheckpointRecord.Origin {
        var origin = Gem5CheckpointRecord.Origin(
            kernel: guest.kernel.digest, disk: guest.disk.digest, workload: workload ?? "",
            workloadDisk: workload.flatMap(sweep.image(of:))?.disk.digest)
        if case .named(_, let options) = settings.system {
            origin.machines = machines.sorted()
            origin.memoryBytes = options.memoryBytes
            origin.cores = options.cores
        }
        return origin
    }

    /// The machines that are simulated, by gem5's names for them; of a script of the user's own the usual one.
    var machines: [String] {
        switch settings.system {
        case .named(let name, _): Gem5Machines.of(name)
        case .script: Gem5Machines.of("")
        }
    }

    // MARK: Jobs

    package func files(
        ofCheckpoint checkpoint: Digest, madeBy maker: EngineTask, read: (Digest) throws -> [UInt8]
    ) throws -> [CheckpointFile] {
        let record = try Gem5CheckpointRecord(try read(checkpoint))
        let folder: String
        switch maker {
        case .setup(let workload, _): folder = Gem5Files.checkpoint(workload)
        case .boot: folder = Gem5Files.booted
        case .evaluation: throw Failure(.internalError, "a checkpoint of an evaluation")
        }
        return record.files.map { CheckpointFile(path: "\(folder)/\($0.path)", digest: $0.digest) }
            + [CheckpointFile(path: "\(folder)/\(Gem5CheckpointRecord.name)", digest: checkpoint)]
    }

    package func job(for task: EngineTask, points: Points, checkpoint: [Job.Input]) throws -> Job {
        let workload = task.workload(points)
        let image = settings.takesImages ? try workload.map(sweep.requiredImage(of:)) : nil
        let machine = [guest.kernel, guest.disk] + (image.map { [$0.disk] } ?? [])
        let files = machine + packageFiles + sweep.inputs(task, points)
        var inputs = files.map(Job.Input.init)
        var document = "{}"
        inputs += checkpoint
        if case .evaluation(let point, _) = task {
            document = points.document(point).encoded
            inputs += checkpoints.filter { $0.workload == workload }.flatMap(\.files).map(Job.Input.init)
        }
        let arguments =
            switch settings.system {
            case .named(let name, let options):
                package(name, options, task, points, isRestored: !checkpoint.isEmpty).map { Job.Argument.text($0) }
                    + untilArguments(task)
            case .script(let script): own(script, task, workload ?? "", image, points)
            }
        var job = Job(
            arguments: start + arguments, pointDocument: document, inputs: inputs, limits: sweep.limits.job,
            maximumFailures: sweep.attempts)
        job.add(sweep.environment(task), Placeholders.values(task, points))
        return job
    }

    private var start: [Job.Argument] {
        let prefix: [Job.Argument] = settings.fixesAddresses ? [.text("setarch"), .text("-R")] : []
        return prefix + [.engine, .text("--outdir=\(Gem5Files.output)")]
    }

    /// The command line of the package `ops/gem5`.
    private func package(
        _ system: String, _ options: Gem5Settings.Options, _ task: EngineTask, _ points: Points, isRestored: Bool
    ) -> [String] {
        var arguments = [
            "\(Gem5Files.package)/run.py", "--system", system, "--kernel", guest.kernel.path,
            "--disk", guest.disk.path,
        ]
        if let workload = task.workload(points) { arguments += ["--function", workload] }
        arguments += ["--digest", "kernel=\(guest.kernel.digest.hex)", "--digest", "disk=\(guest.disk.digest.hex)"]
        if let disk = task.workload(points).flatMap(sweep.image(of:))?.disk {
            arguments += ["--workload-disk", disk.path, "--digest", "workload-disk=\(disk.digest.hex)"]
        }
        if let memory = options.memoryBytes { arguments += ["--memory", "\(memory)B"] }
        if let cores = options.cores { arguments += ["--cores", String(cores)] }
        switch task {
        case .boot:
            arguments += ["--mode", "boot", "--checkpoint-dir", Gem5Files.newCheckpoints]
            if settings.takesImages { arguments.append("--for-workload-disks") }
            if options.usesKVM { arguments.append("--kvm") }
        case .setup(_, let number):
            arguments += [
                "--mode", "setup", "--checkpoint-dir", Gem5Files.newCheckpoints,
                "--functional-warming", String(sweep.measure.ages[number]),
            ]
            if isRestored { arguments += ["--booted", Gem5Files.booted] }
            if options.usesKVM { arguments.append("--kvm") }
        case .evaluation(let point, _):
            arguments += [
                "--mode", "evaluation", "--checkpoint-dir", Gem5Files.checkpoints,
                "--atomic-warming", String(sweep.measure.warm),
                "--num-invocations", String(sweep.measure.invocations),
            ]
            arguments += forced(task.workload(points))
            let assignments = points.parameters(point)
            arguments += Gem5States.arguments(assignments, sweep.settings)
            for assignment in assignments where !Gem5States.isState(assignment) {
                arguments += ["--set", "\(assignment.axis)=\(assignment.value)"]
            }
        }
        return arguments
    }

    /// The command line of a script of the user's own.
    private func own(
        _ script: Gem5Settings.Script, _ task: EngineTask, _ workload: String, _ image: WorkloadImage?,
        _ points: Points
    ) -> [Job.Argument] {
        var values = Placeholders.values(task, points) + [
            Assignment(axis: "kernel", value: guest.kernel.path), Assignment(axis: "disk", value: guest.disk.path),
        ] + measured + (image.map { [Assignment(axis: Gem5Settings.workloadDisk, value: $0.disk.path)] } ?? [])
        let arguments: [String]
        switch task {
        case .boot: arguments = []
        case .setup:
            values.append(Assignment(axis: "checkpoint", value: Gem5Files.newCheckpoint(workload)))
            values.append(Assignment(axis: "checkpoints", value: Gem5Files.newCheckpoints))
            arguments = script.setupArguments ?? []
        case .evaluation:
            values.append(Assignment(axis: "checkpoint", value: Gem5Files.checkpoint(workload)))
            values.append(Assignment(axis: "checkpoints", value: Gem5Files.checkpoints))
            arguments = script.arguments
        }
        return [.text(script.path)] + arguments.map { Placeholders.argument($0, values) }
    }

    /// What a script's arguments may name of the sweep's measure.
    private var measured: [Assignment] {
        [
            Assignment(axis: "invocations", value: String(sweep.measure.invocations)),
            Assignment(axis: "warm", value: String(sweep.measure.warm)),
        ]
    }

    var until: StoppingRule? { StoppingRule(of: sweep, MetricFormula.gem5) }

    /// The script asks the agent that started it whether it has measured enough: there is one rule only.
    private func untilArguments(_ task: EngineTask) -> [Job.Argument] {
        guard case .evaluation = task, let until else { return [] }
        return [.text("--until"), .text(until.document.encoded), .text("--until-by"), .agent]
    }

    package func checkpointKey(_ workload: String, checkpoint: Int) -> String {
        let inputs = sweep.inputs.filter { $0.only.allSatisfy { $0 == Assignment(axis: "workload", value: workload) } }
        var lines = ["gem5 record 1"] + machineKey(.setup(workload: workload), inputs)
        switch settings.system {
        case .named(let name, let options):
            lines += systemKey(name, options)
            if !boots.isEmpty { lines.append("booted once") }
        case .script(let script):
            lines.append("script \(script.path)")
            let arguments = script.setupArguments ?? []
            lines += arguments.map { "argument \($0.utf8.count):\($0)" }
            // The arguments are as they were written: what a name in them stands for counts, too.
            let named = Set(arguments.flatMap(Placeholders.names))
            lines += measured.filter { named.contains($0.axis) }.map { "{\($0.axis)} \($0.value)" }
        }
        if let image = sweep.image(of: workload) { lines.append("workload-disk \(image.disk.digest)") }
        lines += ["workload \(workload)", "warm \(sweep.measure.ages[checkpoint])"]
        return lines.joined(separator: "\n")
    }

    private func machineKey(_ task: EngineTask, _ inputs: [InputFile]) -> [String] {
        ["kernel \(guest.kernel.digest)", "disk \(guest.disk.digest)"]
            + (packageFiles + inputs).sorted { $0.path < $1.path }.map { "file \($0.path) \($0.digest)" }
            + sweep.environment(task).map(\.keyLine)
    }

    private func systemKey(_ name: String, _ options: Gem5Settings.Options) -> [String] {
        var lines = ["system \(name)"]
        if let memory = options.memoryBytes { lines.append("memory \(memory)") }
        if let cores = options.cores { lines.append("cores \(cores)") }
        if options.usesKVM { lines.append("kvm") }
        return lines
    }

    /// One guest for all workloads: its memory is the sweep's. A script of the user's own boots as it likes.
    package var boots: [EngineBoot] {
        guard guest.isBootedOnce, settings.makesCheckpoints, case .named(let name, let options) = settings.system
        else { return [] }
        let lines = ["gem5 booted 1"] + machineKey(.boot(0), sweep.inputs.filter { $0.only.isEmpty })
            + systemKey(name, options) + (settings.takesImages ? ["for workload disks"] : [])
        return [EngineBoot(key: lines.joined(separator: "\n"), workloads: sweep.workloads)]
    }
}
