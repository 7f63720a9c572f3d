import Model

/// What Slurm gave the job that an agent works in, which may be less than its node has. Where control groups or
/// affinity enforce it, the agent would see less by itself; not all clusters have these.
struct PilotJob {
    let number: String
    /// nil: not told.
    let processors: Int?
    let memoryBytes: Int64?

    /// nil: this is not the agent of a job.
    ///
    /// - Parameter variable: of the environment.
    init?(_ variable: (String) -> String?) {
        guard let number = variable("USWEEP_PILOT"), !number.isEmpty else { return nil }
        self.number = number
        let count = variable("SLURM_CPUS_ON_NODE").flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
        processors = count
        // In mebibytes; one of the two, or neither where memory is not shared out.
        let ofNode = variable("SLURM_MEM_PER_NODE").flatMap { Int64($0) }
        let ofProcessor = variable("SLURM_MEM_PER_CPU").flatMap { Int64($0) }
        let mebibytes = ofNode ?? ofProcessor.flatMap { each in count.map { each.multipliedCapped(Int64($0)) } }
        memoryBytes = mebibytes.flatMap { $0 > 0 && $0 < 1 << 40 ? $0 << 20 : nil }
    }
}
