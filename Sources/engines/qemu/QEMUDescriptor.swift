package import Model
package import Results

/// Engine `qemu`: QEMU with the model plugin.
package struct QEMUDescriptor: EngineDescriptor {
    package let name = "qemu"
    package let meaning = "QEMU, which runs a whole Linux system with a model of caches, translation buffers and "
        + "branch predictors; it counts events, without timing"
    package let phases: Set<EnginePhase> = [.warm, .setup]
    package var binary: EngineBinary? { EngineBinary(defaultPath: "/usr/bin/qemu-system-x86_64") }
    package let formulas = MetricFormula.qemu
    package let logs = ["terminal.log"]
    package var workloadTries: (any WorkloadTries)? { QEMUTries() }

    package let keys = [
        EngineKey("guest", .path(), isRequired: true, "what is booted: the folder that ops/guest/build made"),
        EngineKey(
            "checkpoint", .word(["setup"], of: "checkpoint"), standard: "setup",
            "what evaluations start from: this engine makes its checkpoints itself"),
    ] + QEMUDriving.keys

    package init() {}

    package func workloads(_ settings: JSON) -> EngineWorkloads { .images }

    package func parameters(_ settings: JSON) -> EngineParameters { EngineParameters(QEMUParameter.all) }

    package func metrics(_ settings: JSON) -> [EngineMetric]? { QEMUCounter.metrics }

    package func refusesUntil(_ settings: JSON) -> String? { nil }

    package func write(_ settings: JSON, to recipe: inout Recipe) {
        recipe.list("argument", [])
        recipe.item("checkpoint", "setup")
        let driving = QEMUDriving.settings(settings)
        if !driving.isEmpty { recipe.list("driving", driving) }
        let others = Interleaving.others(settings)
        if !others.isEmpty { recipe.list("interleaved", others.map(\.text)) }
    }

    package func contract(_ settings: JSON) -> JSON { settings[QEMUDriving.interferenceKey] ?? .null }

    package func evidence(_ settings: JSON) -> [String] { QEMUEngine.evidence }

    package func problems(_ sweep: Sweep) -> [KeyProblem] {
        QEMUDriving.problems(sweep) + QEMUShapes.problems(sweep) + overlapProblems(sweep)
    }

    /// The only call of a guest has none before it to have lines in common with.
    private func overlapProblems(_ sweep: Sweep) -> [KeyProblem] {
        guard sweep.measure.warm == 0, sweep.measure.invocations < 2 else { return [] }
        let names = sweep.requiredMetrics.filter { ["code.overlap", "data.overlap"].contains($0) }
        return names.prefix(1).map { name in
            KeyProblem(
                "metrics", "\(name) compares a call with the previous one, but there is only one call; write warm: 1 "
                    + "in 'measure'")
        }
    }

    package func engine(for sweep: Sweep, _ machine: any LaunchingMachine) throws -> any Engine {
        guard let path = sweep.settings["guest"]?.text else {
            throw Failure(.badSpecification, "engine qemu needs 'guest:', the folder that ops/guest/build made")
        }
        let folder = try GuestFolder(path, machine)
        let guest = QEMUEngine.Guest(
            kernel: try folder.file("vmlinuz"), initrd: try folder.file("initrd.img"),
            plugin: try folder.file("model.so"), isBootedOnce: folder.isBootedOnce)
        return try QEMUEngine(sweep, guest: guest)
    }
}
