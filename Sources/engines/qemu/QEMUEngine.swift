package import Model
package import Results

/// QEMU with the model plugin: real full-system runs with a trace-driven model of caches, translation buffers and
/// branch predictors. It counts; it knows no time.
///
/// The work on the host is done by the agent's verbs `qemu setup` and `qemu evaluate` (target QEMUDriver).
package struct QEMUEngine: Engine {
    /// What `ops/guest/build` made.
    package struct Guest: Sendable, Hashable {
        package var kernel: InputFile
        package var initrd: InputFile
        package var plugin: InputFile
        /// Whether it can be booted once for all setups: older ones cannot.
        package var isBootedOnce: Bool

        package init(kernel: InputFile, initrd: InputFile, plugin: InputFile, isBootedOnce: Bool = false) {
            self.kernel = kernel
            self.initrd = initrd
            self.plugin = plugin
            self.isBootedOnce = isBootedOnce
        }
    }

    package var descriptor: any EngineDescriptor { QEMUDescriptor() }
    package var setups: [String] { sweep.workloads }
    package var inputs: [InputFile] { pinnedFiles + sweep.images.map(\.disk) + sweep.inputs }
    package var pinnedFiles: [InputFile] { [guest.kernel, guest.initrd, guest.plugin] }
    private let sweep: Sweep
    private let guest: Guest

    /// - Throws: ``Failure`` (`badSpecification`) for a workload without an image.
    package init(_ sweep: Sweep, guest: Guest) throws {
        try sweep.checkImages()
        self.sweep = sweep
        self.guest = guest
    }

    package func files(
        ofCheckpoint checkpoint: Digest, madeBy maker: EngineTask, read: (Digest) throws -> [UInt8]
    ) throws -> [CheckpointFile] {
        [CheckpointFile(path: QEMUEngine.checkpointFile(of: maker), digest: checkpoint)]
    }

    package func job(for task: EngineTask, points: Points, checkpoint: [Job.Input]) throws -> Job {
        switch task {
        case .boot(let place):
            let memory = bootedMemories[place].memory
            let arguments = ["boot"] + machine(memory) + ["--disks", String(1 + others.count)]
            let inputs = [guest.kernel, guest.initrd].map(Job.Input.init)
            return job(task, points, arguments, document: "{}", inputs: inputs)
        case .setup(let workload, let number):
            let image = try sweep.requiredImage(of: workload)
            let arguments = ["setup"] + machine(image, warm: sweep.measure.ages[number])
                + (checkpoint.isEmpty ? [] : ["--booted", QEMUEngine.bootedFile])
            let inputs = ([guest.kernel, guest.initrd, image.disk] + otherDisks).map(Job.Input.init)
            return job(task, points, arguments, document: "{}", inputs: inputs + checkpoint)
        case .evaluation(let point, _):
            guard !checkpoint.isEmpty else { throw Failure(.internalError, "an evaluation without its checkpoint") }
            let image = try sweep.requiredImage(of: points.workload(point) ?? "")
            return evaluation(task, point, points, image, checkpoint)
        }
    }

    private func machine(_ memoryBytes: Int64) -> [String] {
        ["--kernel", guest.kernel.path, "--initrd", guest.initrd.path, "--memory", String(memoryBytes >> 20)]
    }

    private func machine(_ image: WorkloadImage, warm: Int) -> [String] {
        machine(memoryBytes(image)) + ["--workload", image.workload, "--disk", image.disk.path]
            + otherDisks.flatMap { ["--other", $0.path] } + ["--warm", String(warm)]
    }

    private var others: [Interleaving.Other] { Interleaving.others(sweep.settings) }

    /// The disks of the workloads beside the function, each under a name of its own.
    private var otherDisks: [InputFile] {
        others.enumerated().compactMap { number, other in
            var disk = sweep.image(of: other.workload)?.disk
            disk?.path = "interleaved-\(number + 1).squashfs"
            return disk
        }
    }

    /// What each workload needs has a share of the guest's own in it: that is not too much.
    private func memoryBytes(_ image: WorkloadImage) -> Int64 {
        others.reduce(image.memoryBytes) { $0 + $1.memoryBytes }
    }

    private func evaluation(
        _ task: EngineTask, _ point: Int, _ points: Points, _ image: WorkloadImage, _ checkpoint: [Job.Input]
    ) -> Job {
        var arguments = ["evaluate"] + machine(image, warm: sweep.measure.warm) + [
            "--plugin", "./\(guest.plugin.path)", "--checkpoint", QEMUEngine.checkpointFile,
            "--invocations", String(sweep.measure.invocations),
        ] + (until.map { ["--until", $0.document.encoded] } ?? [])
        for setting in QEMUDriving.settings(sweep.settings) { arguments += ["--set", setting] }
        for assignment in points.parameters(point) {
            // In the form that says what it means: the plugin knows fewer units.
            let value = QEMUParameter.all.first { $0.name == assignment.axis }?.canonical(assignment.value)
            arguments += ["--set", "\(assignment.axis)=\(value ?? assignment.value)"]
        }
        let files = (pinnedFiles + [image.disk] + otherDisks + sweep.inputs(task, points)).map(Job.Input.init)
        return job(task, points, arguments, document: points.document(point).encoded, inputs: files + checkpoint)
    }

    private func job(
        _ task: EngineTask, _ points: Points, _ arguments: [String], document: String, inputs: [Job.Input]
    ) -> Job {
        let words = arguments.map { Job.Argument.text($0) }
        var job = Job(
            arguments: [.agent, .text("qemu"), words[0], .text("--qemu"), .engine] + words.dropFirst(),
            pointDocument: document, inputs: inputs, limits: sweep.limits.job, maximumFailures: sweep.attempts)
        job.add(sweep.environment(task), Placeholders.values(task, points))
        return job
    }

    package func judge(
        _ task: EngineTask, _ points: Points, _ report: AttemptReport, _ files: EvidenceFiles
    ) throws -> EngineVerdict {
        if let failure = report.failure { return try explain(failure, report, files) }
        switch task {
        case .boot, .setup:
            let file = QEMUEngine.checkpointFile(of: task)
            var verdict = try Contract.qemuSetup(checkpoint: file).verdict(files)
            if verdict.failure == nil { verdict.provides = report.artifacts.first { $0.path == file }?.digest }
            return verdict
        case .evaluation:
            return try Contract.qemuEvaluation(
                invocations: sweep.measure.invocations, requiredMetrics: sweep.requiredMetrics,
                formulas: MetricFormula.qemu + MetricFormula.own(of: sweep), axes: sweep.allAxes.map(\.name),
                bounds: QEMUDriving.bounds(sweep.settings), until: until
            ).verdict(files)
        }
    }

    /// The driver ends with a status other than 0 where the guest went wrong; its last event says how.
    private func explain(
        _ failure: FailureClass, _ report: AttemptReport, _ files: EvidenceFiles
    ) throws -> EngineVerdict {
        var line: ArraySlice<UInt8> = []
        guard failure == .exitNonzero,
            try files.forEachLine("status.jsonl", { _, found in
                if !found.isEmpty { line = found }
                return true
            })
        else { return EngineVerdict(failure: failure, evidence: report.evidence) }
        let last = try? JSON(parsing: Array(line))
        guard let cause = last?["cause"]?.text else {
            return EngineVerdict(failure: failure, evidence: report.evidence)
        }
        let message = last?["message"]?.text.map { ": \($0)" } ?? ""
        return EngineVerdict(
            failure: QEMUEngine.failureClass(cause) ?? failure,
            evidence: "\(report.evidence) (status.jsonl ends with cause '\(cause)'\(message))")
    }

    /// The causes of the driver's last event (`QEMUDriver`), as classes.
    static func failureClass(_ cause: String) -> FailureClass? {
        switch cause {
        case "guest-panic": .guestPanic
        case "emulator-failed": .simulatorFatal
        case "checkpoint-failed", "checkpoint-incompatible": .checkpointIncompatible
        case "checkpoint-unwritten", "statistics-unwritten": .diskFull
        case "wrong-answer", "failing-status", "no-answer", "statistics-incomplete": .contractBroken
        default: nil
        }
    }

    package var progressFile: String? { "status.jsonl" }

    package func phase(of task: EngineTask, _ tail: [UInt8]) -> RunPhase? {
        RunPhase(eventsOf: tail, names: QEMUEngine.phaseNames) { phase, events in
            let looks = events.filter { $0["event"]?.text == "interval" }
            guard phase == "measure", let number = looks.last?["number"]?.integer else { return "" }
            return RunPhase.measured(number, sweep.measure, looks)
        }
    }

    /// The phases of the driver's events (`QEMUDriver`), as people call them.
    private static let phaseNames = [
        "start": "starting QEMU", "boot": "booting", "booted": "starting the containers",
        "services": "starting the services", "container": "starting the container",
        "pinned": "waiting for the function", "serving": "warming", "warmed": "warmed",
        "checkpoint": "writing the checkpoint", "restore": "restoring", "measure": "measuring",
    ]

    package func checkpointKey(_ workload: String, checkpoint: Int) -> String {
        let image = sweep.image(of: workload)
        let setup = sweep.environment(.setup(workload: workload))
        return ([
            "record 2", "kernel \(guest.kernel.digest)", "initrd \(guest.initrd.digest)", "workload \(workload)",
            "disk \(image?.disk.digest.hex ?? "")", "memory \(image?.memoryBytes ?? 0)",
            "warm \(sweep.measure.ages[checkpoint])",
        ] + (guest.isBootedOnce ? ["booted once"] : []) + others.map { "interleaved \($0.text)" }
            + setup.map(\.keyLine)).joined(separator: "\n")
    }

    // MARK: Boots

    /// A guest for each size of memory that workloads need.
    package var boots: [EngineBoot] {
        guard guest.isBootedOnce else { return [] }
        let environment = sweep.environment(.boot(0)).map(\.keyLine)
        return bootedMemories.map { memory, workloads in
            let lines = [
                "booted 1", "kernel \(guest.kernel.digest)", "initrd \(guest.initrd.digest)", "memory \(memory)",
                "disks \(1 + others.count)",
            ]
            return EngineBoot(key: (lines + environment).joined(separator: "\n"), workloads: workloads)
        }
    }

    /// In the order in which the workloads come.
    private var bootedMemories: [(memory: Int64, workloads: [String])] {
        var found: [(memory: Int64, workloads: [String])] = []
        for image in sweep.workloads.compactMap(sweep.image(of:)) {
            let memory = memoryBytes(image)
            if let place = found.firstIndex(where: { $0.memory == memory }) {
                found[place].workloads.append(image.workload)
            } else {
                found.append((memory, [image.workload]))
            }
        }
        return found
    }

    private var until: StoppingRule? { StoppingRule(of: sweep, MetricFormula.qemu) }

    static let checkpointFile = "checkpoint.zst"
    static let bootedFile = "booted.zst"

    private static func checkpointFile(of maker: EngineTask) -> String {
        if case .boot = maker { bootedFile } else { checkpointFile }
    }

    /// What the driver leaves of an evaluation.
    static let evidence = ["stats.jsonl", "status.jsonl", "terminal.log"]
}
