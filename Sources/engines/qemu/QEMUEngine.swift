public import Model
public import Results

/// QEMU with the model plugin: real full-system runs with a trace-driven model of caches, translation buffers and
/// branch predictors. It counts; it knows no time.
///
/// The work on the host is done by the agent's verbs `qemu setup` and `qemu evaluate` (target QEMUDriver).
public struct QEMUEngine: Engine {
    /// What `ops/guest/build` made.
    public struct Guest: Sendable, Hashable {
        public var kernel: InputFile
        public var initrd: InputFile
        public var plugin: InputFile
        public var workloads: [String]

        public init(kernel: InputFile, initrd: InputFile, plugin: InputFile, workloads: [String]) {
            self.kernel = kernel
            self.initrd = initrd
            self.plugin = plugin
            self.workloads = workloads
        }
    }

    public let kind = EngineKind.qemu
    public let pinsBinary = true
    public let defaultBinary: String? = "/usr/bin/qemu-system-x86_64"
    public let firstMemoryGuess: Int64? = nil
    /// A wrong answer and a guest's panic both end with a status: only the evidence tells them apart.
    public let agentRetries = false
    public var setups: [String] { sweep.workloads }
    public var inputs: [InputFile] { pinnedFiles + sweep.inputs }
    public var pinnedFiles: [InputFile] { [guest.kernel, guest.initrd, guest.plugin] }
    public var metrics: [String] { sweep.metrics }
    private let sweep: Sweep
    private let guest: Guest

    /// - Throws: ``Failure`` (`badSpecification`) for a workload that the guest does not have.
    public init(_ sweep: Sweep, guest: Guest) throws {
        for workload in sweep.workloads where !guest.workloads.contains(workload) {
            throw Failure(
                .badSpecification,
                "the guest has no workload '\(workload)'; it has \(guest.workloads.joined(separator: ", "))")
        }
        self.sweep = sweep
        self.guest = guest
    }

    public func files(
        ofCheckpoint checkpoint: Digest, _ workload: String, read: (Digest) throws -> [UInt8]
    ) throws -> [CheckpointFile] {
        [CheckpointFile(path: QEMUEngine.checkpointFile, digest: checkpoint)]
    }

    public func job(for task: EngineTask, points: Points, checkpoint: [Job.Input]) throws -> Job {
        switch task {
        case .setup(let workload):
            let arguments =
                [
                    "setup", "--kernel", guest.kernel.path, "--initrd", guest.initrd.path, "--workload", workload,
                    "--warm", String(setupInvocations),
                ]
            return job(arguments, document: "{}", inputs: [guest.kernel, guest.initrd].map(Job.Input.init))
        case .evaluation(let point, _):
            guard !checkpoint.isEmpty else { throw Failure(.internalError, "an evaluation without its checkpoint") }
            return evaluation(point, points, checkpoint)
        }
    }

    private func evaluation(_ point: Int, _ points: Points, _ checkpoint: [Job.Input]) -> Job {
        var arguments = [
            "evaluate", "--kernel", guest.kernel.path, "--initrd", guest.initrd.path,
            "--plugin", "./\(guest.plugin.path)",
            "--checkpoint", QEMUEngine.checkpointFile, "--workload", points.workload(point) ?? "",
            "--warm", String(sweep.measure.warm), "--invocations", String(sweep.measure.invocations),
        ]
        for assignment in points.assignments(point) {
            arguments += ["--set", "\(assignment.axis)=\(assignment.value)"]
        }
        return job(
            arguments, document: points.document(point).encoded, inputs: inputs.map(Job.Input.init) + checkpoint)
    }

    private func job(_ arguments: [String], document: String, inputs: [Job.Input]) -> Job {
        let words = arguments.map { Job.Argument.text($0) }
        return Job(
            arguments: [.agent, .text("qemu"), words[0], .text("--qemu"), .engine] + words.dropFirst(),
            pointDocument: document, inputs: inputs, limits: sweep.limits.job, maximumFailures: sweep.attempts)
    }

    public func judge(
        _ task: EngineTask, _ points: Points, _ report: AttemptReport, _ files: EvidenceFiles
    ) throws -> EngineVerdict {
        if let failure = report.failure { return try explain(failure, report, files) }
        switch task {
        case .setup:
            let contract = Contract.qemuSetup(checkpoint: QEMUEngine.checkpointFile)
            var verdict = try contract.verdict(files)
            if verdict.failure == nil {
                verdict.provides = report.artifacts.first { $0.path == QEMUEngine.checkpointFile }?.digest
            }
            return verdict
        case .evaluation:
            return try Contract.qemuEvaluation(
                invocations: sweep.measure.invocations, requiredMetrics: sweep.requiredMetrics,
                formulas: MetricFormula.all(of: sweep), axes: sweep.allAxes.map(\.name)
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
        case "wrong-answer", "statistics-incomplete": .contractBroken
        default: nil
        }
    }

    public func checkpointKey(_ workload: String) -> String {
        """
        record 1
        kernel \(guest.kernel.digest)
        initrd \(guest.initrd.digest)
        workload \(workload)
        warm \(setupInvocations)
        """
    }

    private var setupInvocations: Int { sweep.measure.setupInvocations ?? 20 }

    static let checkpointFile = "checkpoint.zst"
}
