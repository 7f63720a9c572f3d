package import Model
package import Results

/// Engine `gem5`: full-system simulation.
package struct Gem5Descriptor: EngineDescriptor {
    package let name = "gem5"
    package let meaning = "gem5, which simulates a whole Linux system with the timing of processor and memory"
    package let phases: Set<EnginePhase> = [.warm, .setup]
    package var binary: EngineBinary? { EngineBinary(defaultPath: nil) }
    /// Of a full-system run that nothing is known of.
    package let firstMemoryGuess: Int64? = 4 << 30
    package var examination: EngineExamination { .gem5 }
    package let formulas = MetricFormula.gem5
    package let logs = [Gem5Files.status] + Gem5Files.consoles
    package let statistics: String? = Gem5Files.statistics
    package var layouts: [ArtifactLayout] { [.vswarm] }
    package func givenCheckpoint(of workload: String) -> String? {
        "\(Gem5Files.checkpoint(workload))/\(Gem5CheckpointRecord.name)"
    }
    package func evidence(_ settings: JSON) -> [String] { [Gem5Files.configuration] }

    package init() {}

    package let keys = [
        EngineKey("system", Gem5Descriptor.system, standard: "simple", "the modelled machine"),
        EngineKey(
            "guest",
            .either([
                .path(),
                .mapping([
                    EngineKey("kernel", .path(), isRequired: true, "a Linux kernel of your own (vmlinux)"),
                    EngineKey("disk", .path(), isRequired: true, "a disk image of your own"),
                ]),
            ]), isRequired: true,
            "what is booted: the folder that 'ops/guest/build gem5' made, or {kernel: vmlinux, disk: disk.img}"),
        EngineKey(
            "checkpoint",
            .either([
                .name(of: "a checkpoint"),
                .mapping([
                    EngineKey(
                        "directory", .path(Placeholders(["workload"])), isRequired: true,
                        "a folder with m5.cpt for each workload, as in 'cpt/{workload}/cpt.warm'")
                ]),
            ]), standard: Gem5Settings.setup,
            "what evaluations start from: 'setup' if this sweep makes it; or what 'usweep checkpoint list' shows, by "
                + "its name or digest"),
        EngineKey(
            Gem5Settings.coreKey, .line, standard: "1",
            "with a script of your own, the core whose statistics are the results: its number from 0, or its path in "
                + "stats.txt, as in system.switch_cpus1"),
        Interleaving.engineKey,
    ]

    private static let system = KeyShape.either([
        .word(Gem5Settings.systems, of: "system"),
        .mapping([
            EngineKey(
                "name", .word(Gem5Settings.systems, of: "system"), isRequired: true,
                "one of the machines that come with usweep"),
            EngineKey("memory", .bytes, "memory of the guest"),
            EngineKey("cores", .integer(2...10), standard: "2", "cores of the guest"),
            EngineKey("kvm", .flag, standard: "false", "whether the setup runs on the host's own processor"),
            aslr,
        ]),
        .mapping([
            EngineKey("script", .input, isRequired: true, "a configuration script of your own"),
            EngineKey("arguments", .arguments(.ofRun + Gem5Engine.places), "arguments of the script, in a point's run"),
            EngineKey(
                "setup", .arguments(.ofSetup + Gem5Engine.places),
                "arguments of the script, in the run that makes the checkpoint; without them the sweep makes none"),
            EngineKey(
                "blocks", .integer(1...1_000_000), standard: "one per invocation",
                "statistics blocks that a run must leave"),
            EngineKey("line", .line, "text that a line of standard output must hold"),
            aslr,
        ]),
    ])

    private static let aslr = EngineKey(
        "aslr", .flag, standard: "true", "whether gem5's own addresses are random; false starts it under setarch -R")

    package func workloads(_ settings: JSON) -> EngineWorkloads {
        let settings = Gem5Settings(settings)
        if settings.takesImages { return .images }
        return settings.scriptWorkload.map { .named($0) } ?? .required
    }

    package func parameters(_ settings: JSON) -> EngineParameters {
        switch Gem5Settings(settings).system {
        case .named(let name, _): Gem5Parameter.package(name)
        case .script: EngineParameters(others: "any name that the script's arguments have in braces")
        }
    }

    package func metrics(_ settings: JSON) -> [EngineMetric]? { Gem5Counter.metrics }
    package let untold: String? =
        "gem5 does not count the kernel apart from programs, the lines and pages of code and data that a call uses, "
        + "page faults, or system calls. The engine 'qemu' counts these for the same workload."

    package func refusesUntil(_ settings: JSON) -> String? {
        guard Gem5Settings(settings).isScript else { return nil }
        return "a script of your own alone knows what it measures and when it ends; remove the key, or use a 'system' "
            + "of this project"
    }

    package func problems(_ sweep: Sweep) -> [KeyProblem] {
        let settings = Gem5Settings(sweep.settings)
        var problems: [KeyProblem] = []
        if sweep.measure.setupInvocations != nil, settings.checkpoint != .setup {
            problems.append(
                KeyProblem("measure.setup", "has an effect only if this sweep makes the checkpoint; remove it"))
        }
        problems += severalCheckpointsProblems(sweep.measure, settings)
        if case .directory(let path) = settings.checkpoint, sweep.workloads.count > 1,
            !Placeholders.names(path).contains("workload")
        {
            problems.append(
                KeyProblem(
                    "checkpoint.directory",
                    "all workloads would share one folder; write {workload} where the name goes"))
        }
        if let text = sweep.settings[Gem5Settings.coreKey]?.text {
            if !settings.isScript {
                let why = "has an effect only with a script of your own: this system has the function on core 1; "
                    + "remove it"
                problems.append(KeyProblem(Gem5Settings.coreKey, why))
            } else if settings.core == nil {
                problems.append(
                    KeyProblem(
                        Gem5Settings.coreKey,
                        "'\(Names.shown(text))' is neither the number of a core nor a path in stats.txt; write it as "
                            + "in core: 0, or core: board.processor.cores1.core"))
            }
        }
        problems += Gem5States.problems(sweep, settings)
        switch settings.system {
        case .named(let name, let options): problems += memoryProblems(name, options, sweep.images)
        case .script(let script): problems += checkpointProblems(script, settings)
        }
        return problems
    }

    /// Only systems of this project's own say after how many invocations a checkpoint is taken.
    private func severalCheckpointsProblems(_ measure: Measure, _ settings: Gem5Settings) -> [KeyProblem] {
        guard !measure.checkpoints.isEmpty else { return [] }
        let key = "measure.checkpoints"
        if settings.checkpoint != .setup {
            return [
                KeyProblem(
                    key, "this sweep does not make its checkpoints ('checkpoint' names one of each workload); remove "
                        + "it, or remove 'checkpoint'")
            ]
        }
        guard settings.isScript else { return [] }
        return [
            KeyProblem(
                key, "a script of your own alone knows when it takes its checkpoint; remove it, or use a 'system' of "
                    + "this project")
        ]
    }

    /// The guest must have room for what the workload's containers may take.
    private func memoryProblems(
        _ system: String, _ options: Gem5Settings.Options, _ images: [WorkloadImage]
    ) -> [KeyProblem] {
        let memory = options.memoryBytes ?? Gem5Settings.standardMemory
        guard let image = images.first(where: { $0.memoryBytes > memory }) else { return [] }
        let needed = image.memoryBytes
        let advice = needed > Gem5Settings.mostMemory
            ? "gem5's PC has \(PeopleText.size(Gem5Settings.mostMemory)) at most: lower 'memory' in its workload.yaml"
            : "write system: {name: \(system), memory: \(needed >> 20)MiB}"
        return [
            KeyProblem(
                options.memoryBytes == nil ? "system" : "system.memory",
                "the workload '\(image.workload)' needs a guest of \(PeopleText.size(needed)), and this one has "
                    + "\(PeopleText.size(memory)); \(advice)")
        ]
    }

    /// A script and its checkpoint must know of each other.
    private func checkpointProblems(_ script: Gem5Settings.Script, _ settings: Gem5Settings) -> [KeyProblem] {
        let hasCheckpoint = settings.checkpoint != .setup || script.setupArguments != nil
        let isTold = script.arguments.contains { argument in
            Placeholders.names(argument).contains { $0 == "checkpoint" || $0 == "checkpoints" }
        }
        guard isTold != hasCheckpoint else { return [] }
        let text = hasCheckpoint
            ? "the script does not get the path of its checkpoint; write {checkpoint} into 'arguments'"
            : "the script gets the path of a checkpoint, but there is none; write 'setup' (the arguments of the run "
                + "that makes it), or 'checkpoint: {directory: ...}' beside 'system'"
        return [KeyProblem("system", text)]
    }

    package func contract(_ settings: JSON) -> JSON {
        .array([settings["system"] ?? .null, settings[Gem5Settings.coreKey] ?? .null])
    }

    package var checkpointFolders: (any CheckpointFolders)? { Gem5CheckpointFolders() }
    package var studyImport: (any StudyImport)? { Gem5Import() }

    package func parameterQuestion(
        _ parameters: [Assignment], _ settings: JSON, program: String, _ machine: any LaunchingMachine
    ) throws -> ParameterQuestion? {
        guard case .named(let system, _) = Gem5Settings(settings).system else { return nil }
        return try .gem5(parameters, system, try Gem5Package.files(machine), program: program, machine)
    }

    package func write(_ document: JSON, to recipe: inout Recipe) {
        let settings = Gem5Settings(document)
        switch settings.system {
        case .named(let name, let options):
            recipe.item("system", name)
            if let memory = options.memoryBytes { recipe.item("memory", String(memory)) }
            if let cores = options.cores { recipe.item("cores", String(cores)) }
            if options.usesKVM { recipe.item("kvm", "true") }
        case .script(let script):
            recipe.item("script", script.path)
            recipe.list("script-argument", script.arguments)
            if let arguments = script.setupArguments { recipe.list("script-setup", arguments) }
        }
        recipe.list("argument", [])
        recipe.item("checkpoint", settings.checkpoint == .setup ? "setup" : "directory")
        if let stress = Interleaving.stress(document) { recipe.item("interleave.stress", String(stress)) }
    }

    package func engine(for sweep: Sweep, _ machine: any LaunchingMachine) throws -> any Engine {
        let settings = Gem5Settings(sweep.settings)
        return try Gem5Engine(
            sweep, guest: try guest(settings, machine), scripts: try scripts(settings, machine),
            checkpoints: try checkpoints(sweep.workloads, settings, machine))
    }

    private func guest(_ settings: Gem5Settings, _ machine: any LaunchingMachine) throws -> Gem5Engine.Guest {
        let (kernel, disk) = ("guest/vmlinux", "guest/disk.img")
        switch settings.guest {
        case nil: throw Failure(.badSpecification, "engine gem5 needs 'guest:'")
        case .folder(let path):
            let folder = try GuestFolder(path, machine)
            guard !(folder.holdsFunctions && settings.takesImages) else {
                throw Failure(
                    .badSpecification, "the guest in \(path) is of an older version, and contains the functions "
                        + "itself; build it again: ops/guest/build gem5")
            }
            return Gem5Engine.Guest(
                kernel: try folder.file("vmlinux", at: kernel), disk: try folder.file("disk.img", at: disk),
                isBootedOnce: folder.isBootedOnce)
        case .files(let kernelPath, let diskPath):
            return Gem5Engine.Guest(
                kernel: try machine.input(kernelPath, at: kernel), disk: try machine.input(diskPath, at: disk))
        }
    }

    /// The configuration package, where a sweep does not bring a script of its own.
    private func scripts(_ settings: Gem5Settings, _ machine: any LaunchingMachine) throws -> [InputFile] {
        settings.isScript ? [] : try Gem5Package.files(machine)
    }

    /// Checkpoints that were made elsewhere.
    private func checkpoints(
        _ workloads: [String], _ settings: Gem5Settings, _ machine: any LaunchingMachine
    ) throws -> [Gem5Engine.Checkpoint] {
        switch settings.checkpoint {
        case .setup: return []
        case .named(let name):
            return try workloads.map { try Gem5Engine.Checkpoint($0, try machine.checkpoint(name, of: $0)) }
        case .directory(let pattern): return try checkpoints(workloads, pattern, machine)
        }
    }

    private func checkpoints(
        _ workloads: [String], _ pattern: String, _ machine: any LaunchingMachine
    ) throws -> [Gem5Engine.Checkpoint] {
        try workloads.map { workload in
            let folder = Placeholders.fill(pattern, [Assignment(axis: "workload", value: workload)])
            let files = try machine.inputs(inFolder: folder, at: Gem5Files.checkpoint(workload)) { _ in true }
            guard files.contains(where: { $0.path.hasSuffix("/m5.cpt") }) else {
                throw Failure(.missingFile, "\(folder) is not a checkpoint of gem5: there is no m5.cpt in it")
            }
            let path = "\(folder)/\(Gem5CheckpointRecord.name)"
            let record = try machine.contents(path, atMost: Gem5CheckpointRecord.longest).map {
                try Gem5CheckpointRecord($0)
            }
            return Gem5Engine.Checkpoint(workload: workload, files: files, record: record)
        }
    }
}
