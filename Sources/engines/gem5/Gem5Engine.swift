public import Model
import Results

/// gem5 in full-system mode: boots a guest and starts a function once (setup), then restores the checkpoint for every
/// point and measures invocations on the modelled processor (evaluation).
///
/// The work on the host is done by gem5 itself, which runs the configuration package `ops/gem5`, or a script of the
/// user's own.
public struct Gem5Engine: Engine {
    public let kind = EngineKind.gem5
    public let pinsBinary = true
    public let defaultBinary: String? = nil
    public let firstMemoryGuess: Int64? = guess
    /// Exit status 0 proves nothing here, and other statuses little: only the evidence tells.
    public let agentRetries = false
    public let setups: [String]
    public var inputs: [InputFile] { pinnedFiles + sweep.inputs }
    public var pinnedFiles: [InputFile] {
        [guest.kernel, guest.disk] + packageFiles + checkpoints.flatMap(\.files)
    }
    public var metrics: [String] { sweep.metrics }
    let sweep: Sweep
    let guest: Guest
    /// The configuration package; empty with a script of the user's own.
    public let packageFiles: [InputFile]
    let checkpoints: [Checkpoint]
    /// The user's own metrics.
    let formulas: [MetricFormula]

    /// What is booted.
    public struct Guest: Sendable, Hashable {
        public var kernel: InputFile
        public var disk: InputFile
        /// nil: not known, as with a disk of the user's own.
        public var workloads: [String]?

        public init(kernel: InputFile, disk: InputFile, workloads: [String]? = nil) {
            self.kernel = kernel
            self.disk = disk
            self.workloads = workloads
        }
    }

    /// The checkpoint of a workload that was made elsewhere; paths as in an attempt's folder.
    public struct Checkpoint: Sendable, Hashable {
        public var workload: String
        public var files: [InputFile]
        /// nil: it carries none, as those of other scripts.
        public var record: Gem5CheckpointRecord?

        public init(workload: String, files: [InputFile], record: Gem5CheckpointRecord?) {
            self.workload = workload
            self.files = files
            self.record = record
        }
    }

    /// - Parameters:
    ///   - scripts: the configuration package, below ``packageFolder``; empty with a script of the user's own.
    ///   - checkpoints: one a workload where the sweep does not make them itself.
    /// - Throws: ``Failure`` (`badSpecification`) for what cannot go together.
    public init(_ sweep: Sweep, guest: Guest, scripts: [InputFile], checkpoints: [Checkpoint] = []) throws {
        self.sweep = sweep
        self.guest = guest
        packageFiles = scripts
        self.checkpoints = checkpoints
        formulas = MetricFormula.own(of: sweep)
        let makesCheckpoints =
            switch sweep.system {
            case .named: true
            case .script(let script): script.setupArguments != nil
            }
        setups = makesCheckpoints && sweep.checkpoint == .setup ? sweep.workloads : []
        try check()
    }

    private func check() throws {
        for workload in sweep.workloads {
            if let known = guest.workloads, !known.contains(workload) {
                throw Failure(
                    .badSpecification,
                    "the guest has no workload '\(workload)'; it has \(known.joined(separator: ", "))")
            }
        }
        for checkpoint in checkpoints {
            guard let record = checkpoint.record else { continue }
            let folder = Gem5Engine.checkpointFolder(checkpoint.workload)
            let changed = record.files.first { file in
                !checkpoint.files.contains { $0.path == "\(folder)/\(file.path)" && $0.digest == file.digest }
            }
            let misfit = record.origin.misfit(with: expectation(checkpoint.workload))
                ?? changed.map { "its file \($0.path) is not the one that its record names" }
            guard let misfit else { continue }
            throw Failure(
                .badSpecification,
                "the checkpoint of '\(checkpoint.workload)' does not fit, and gem5 would not notice: \(misfit)")
        }
        guard case .script(let script) = sweep.system else { return }
        try check(script.arguments, "arguments", known: Gem5Engine.places + sweep.allAxes.map(\.name))
        try check(script.setupArguments ?? [], "setup", known: Gem5Engine.places)
        let hasCheckpoint = !setups.isEmpty || !checkpoints.isEmpty
        let isTold = script.arguments.contains { $0.contains("{checkpoint}") || $0.contains("{checkpoints}") }
        guard isTold != hasCheckpoint else { return }
        throw Failure(
            .badSpecification,
            hasCheckpoint
                ? "the script is not told where its checkpoint is; write {checkpoint} into 'arguments' of 'system'"
                : "the script is told of a checkpoint, but there is none; write 'setup' into 'system' (the arguments "
                    + "of the run that makes it), or 'checkpoint: {directory: ...}'")
    }

    /// What stands in braces in a script's arguments, beside axes.
    private static let places = ["workload", "kernel", "disk", "invocations", "warm", "checkpoint", "checkpoints"]

    /// Braces may mean anything to a script; but what is nearly a place is a mistake, and so is an axis where there is
    /// no point yet.
    private func check(_ arguments: [String], _ key: String, known: [String]) throws {
        for argument in arguments {
            for part in argument.split(separator: "{", omittingEmptySubsequences: false).dropFirst() {
                let name = String(part.prefix { $0 != "}" })
                guard Names.isPlain(name), !known.contains(name) else { continue }
                if sweep.allAxes.contains(where: { $0.name == name }) {
                    throw Failure(
                        .badSpecification, "'\(key)' of 'system' has {\(name)}, but one checkpoint is made for all "
                            + "points: leave the axis out of it")
                }
                guard let near = Names.nearest(to: name, in: known) else { continue }
                throw Failure(
                    .badSpecification,
                    "'\(key)' of 'system' has {\(name)}, which nothing replaces; did you mean {\(near)}?")
            }
        }
    }

    /// What a checkpoint of a workload must have been made of.
    func expectation(_ workload: String) -> Gem5CheckpointRecord.Origin {
        var origin = Gem5CheckpointRecord.Origin(
            kernel: guest.kernel.digest, disk: guest.disk.digest, workload: workload)
        if case .named(_, let options) = sweep.system {
            origin.machines = machines.sorted()
            origin.memoryBytes = options.memoryBytes
            origin.cores = options.cores
        }
        return origin
    }

    /// The machines that are simulated, by gem5's names for them; of a script of the user's own the usual one.
    var machines: [String] {
        switch sweep.system {
        case .named(let name, _): Gem5Machines.of(name)
        case .script: Gem5Machines.of("")
        }
    }

    // MARK: Jobs

    /// Memory of a full-system run that nothing is known of, in bytes.
    public static let guess: Int64 = 4 << 30
    /// Where the configuration package goes, in an attempt's folder.
    public static let packageFolder = "gem5"
    /// What gem5 calls its own.
    public static let outputFolder = "m5out"
    /// Where a run leaves its statistics.
    public static let statisticsPath = "\(outputFolder)/stats.txt"
    /// Where the package says how a run goes.
    public static let statusPath = "\(outputFolder)/status.jsonl"
    /// Where the console of a machine's guest is.
    static func console(_ machine: String) -> String { "\(outputFolder)/\(machine).pc.com_1.device" }
    /// Those that there may be: with the package's names, or with that of gem5's standard library.
    public static let consoles = ["system", "testsys", Gem5Machines.driver, "board"].map(console)
    /// Where evaluations find their checkpoints, in an attempt's folder.
    static let checkpoints = "checkpoint"
    /// Where setups leave them.
    static let newCheckpoints = "\(outputFolder)/\(checkpoints)"
    /// The checkpoint of a workload below either: vSwarm-u's layout.
    static func checkpointPath(_ workload: String) -> String { "\(workload)/cpt.warm" }
    /// Where an evaluation of a workload finds its checkpoint.
    public static func checkpointFolder(_ workload: String) -> String { "\(checkpoints)/\(checkpointPath(workload))" }
    /// Where a setup of a workload leaves its checkpoint.
    static func newCheckpointFolder(_ workload: String) -> String { "\(newCheckpoints)/\(checkpointPath(workload))" }

    public func files(
        ofCheckpoint checkpoint: Digest, _ workload: String, read: (Digest) throws -> [UInt8]
    ) throws -> [CheckpointFile] {
        let record = try Gem5CheckpointRecord(try read(checkpoint))
        let folder = Gem5Engine.checkpointFolder(workload)
        return record.files.map { CheckpointFile(path: "\(folder)/\($0.path)", digest: $0.digest) }
            + [CheckpointFile(path: "\(folder)/\(Gem5CheckpointRecord.name)", digest: checkpoint)]
    }

    public func job(for task: EngineTask, points: Points, checkpoint: [Job.Input]) throws -> Job {
        let workload = task.workload(points) ?? ""
        var inputs = ([guest.kernel, guest.disk] + packageFiles + sweep.inputs).map(Job.Input.init)
        var document = "{}"
        if case .evaluation(let point, _) = task {
            document = points.document(point).encoded
            inputs += checkpoint + checkpoints.filter { $0.workload == workload }.flatMap(\.files).map(Job.Input.init)
        }
        let arguments =
            switch sweep.system {
            case .named(let name, let options): package(name, options, task, workload, points)
            case .script(let script): own(script, task, workload, points)
            }
        return Job(
            arguments: start + arguments.map { .text($0) }, pointDocument: document, inputs: inputs,
            limits: sweep.limits.job, maximumFailures: sweep.attempts)
    }

    private var start: [Job.Argument] {
        let prefix: [Job.Argument] = sweep.system.fixesAddresses ? [.text("setarch"), .text("-R")] : []
        return prefix + [.engine, .text("--outdir=\(Gem5Engine.outputFolder)")]
    }

    /// The command line of the package `ops/gem5`.
    private func package(
        _ system: String, _ options: SystemOptions, _ task: EngineTask, _ workload: String, _ points: Points
    ) -> [String] {
        var arguments = [
            "\(Gem5Engine.packageFolder)/run.py", "--system", system, "--kernel", guest.kernel.path,
            "--disk", guest.disk.path, "--function", workload,
            "--digest", "kernel=\(guest.kernel.digest.hex)", "--digest", "disk=\(guest.disk.digest.hex)",
        ]
        if let memory = options.memoryBytes { arguments += ["--memory", "\(memory)B"] }
        if let cores = options.cores { arguments += ["--cores", String(cores)] }
        switch task {
        case .setup:
            arguments += [
                "--mode", "setup", "--checkpoint-dir", Gem5Engine.newCheckpoints,
                "--functional-warming", String(setupInvocations),
            ]
            if options.usesKVM { arguments.append("--kvm") }
        case .evaluation(let point, _):
            arguments += [
                "--mode", "evaluation", "--checkpoint-dir", Gem5Engine.checkpoints,
                "--atomic-warming", String(sweep.measure.warm),
                "--num-invocations", String(sweep.measure.invocations),
            ]
            for assignment in points.assignments(point) {
                arguments += ["--set", "\(assignment.axis)=\(assignment.value)"]
            }
        }
        return arguments
    }

    /// The command line of a script of the user's own.
    private func own(_ script: SystemScript, _ task: EngineTask, _ workload: String, _ points: Points) -> [String] {
        var values = [
            Assignment(axis: "workload", value: workload), Assignment(axis: "kernel", value: guest.kernel.path),
            Assignment(axis: "disk", value: guest.disk.path),
            Assignment(axis: "invocations", value: String(sweep.measure.invocations)),
            Assignment(axis: "warm", value: String(sweep.measure.warm)),
        ]
        let arguments: [String]
        switch task {
        case .setup:
            values.append(Assignment(axis: "checkpoint", value: Gem5Engine.newCheckpointFolder(workload)))
            values.append(Assignment(axis: "checkpoints", value: Gem5Engine.newCheckpoints))
            arguments = script.setupArguments ?? []
        case .evaluation(let point, _):
            // An axis of the same name goes first.
            values = points.assignments(point) + values
            values.append(Assignment(axis: "checkpoint", value: Gem5Engine.checkpointFolder(workload)))
            values.append(Assignment(axis: "checkpoints", value: Gem5Engine.checkpoints))
            arguments = script.arguments
        }
        return [script.path] + arguments.map { Template.fill($0, values) }
    }

    private var setupInvocations: Int { sweep.measure.setupInvocations ?? 20 }

    public func checkpointKey(_ workload: String) -> String {
        var lines = ["gem5 record 1", "kernel \(guest.kernel.digest)", "disk \(guest.disk.digest)"]
        for script in (packageFiles + sweep.inputs).sorted(by: { $0.path < $1.path }) {
            lines.append("file \(script.path) \(script.digest)")
        }
        switch sweep.system {
        case .named(let name, let options):
            lines.append("system \(name)")
            if let memory = options.memoryBytes { lines.append("memory \(memory)") }
            if let cores = options.cores { lines.append("cores \(cores)") }
            if options.usesKVM { lines.append("kvm") }
        case .script(let script):
            lines.append("script \(script.path)")
            lines += (script.setupArguments ?? []).map { "argument \($0.utf8.count):\($0)" }
        }
        lines += ["workload \(workload)", "warm \(setupInvocations)"]
        return lines.joined(separator: "\n")
    }
}
