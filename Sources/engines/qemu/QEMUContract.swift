package import Results

extension Contract {
    /// Engine `qemu`, evaluation.
    package static func qemuEvaluation(
        invocations: Int, requiredMetrics: [String], formulas: [MetricFormula] = MetricFormula.qemu, axes: [String],
        bounds: [Bound] = [], until: StoppingRule? = nil
    ) -> Contract {
        var contract = Contract(
            format: .jsonLines(path: "stats.jsonl", blocks: invocations), requiredMetrics: requiredMetrics,
            formulas: formulas, columns: Table.fixedColumns + axes,
            exitEvent: ExitEvent(path: "status.jsonl", cause: "measured", invocations: invocations),
            terminal: "terminal.log", bounds: bounds)
        contract.until = until
        return contract
    }

    /// Engine `qemu`, setup.
    ///
    /// - Parameter checkpoint: the file that it must leave.
    package static func qemuSetup(checkpoint: String = "checkpoint.zst") -> Contract {
        Contract(
            format: .none, exitEvent: ExitEvent(path: "status.jsonl", cause: "checkpointed"), terminal: "terminal.log",
            requiredFiles: [checkpoint])
    }
}
