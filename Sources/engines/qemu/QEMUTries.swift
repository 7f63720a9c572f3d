import Model

/// A workload in QEMU on this machine, by the verbs of the agent that runs of a sweep use, too.
struct QEMUTries: WorkloadTries {
    let guest = (variable: "USWEEP_GUEST", folder: "ops/guest/out")
    let terminal = "terminal.log"
    let logTitle = "usweep: what the containers say"
    let statistics = "stats.jsonl"

    func boot(_ tried: TriedWorkload) -> [String] {
        ["qemu", "setup"] + machine(tried) + ["--warm", String(tried.warm), "--log"]
    }

    func measure(_ tried: TriedWorkload) -> [String] {
        ["qemu", "evaluate"] + machine(tried) + [
            "--warm", "0", "--plugin", "\(tried.guest)/model.so", "--checkpoint", QEMUEngine.checkpointFile,
            "--invocations", String(tried.invocations),
        ]
    }

    private func machine(_ tried: TriedWorkload) -> [String] {
        [
            "--qemu", "qemu-system-x86_64", "--kernel", "\(tried.guest)/vmlinuz",
            "--initrd", "\(tried.guest)/initrd.img", "--workload", tried.image.workload,
            "--disk", tried.image.disk.source, "--memory", String(tried.image.memoryBytes >> 20),
        ]
    }

    func counts(_ statistics: [UInt8]) -> [TriedCounts] {
        statistics.split(separator: UInt8(ascii: "\n")).compactMap { try? JSON(parsing: Array($0)) }.map { block in
            TriedCounts(
                instructions: block["instructions"]?.integer, userInstructions: block["user.instructions"]?.integer,
                kernelInstructions: block["kernel.instructions"]?.integer)
        }
    }
}
