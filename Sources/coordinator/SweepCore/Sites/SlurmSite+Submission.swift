public import Model

extension SlurmSite {
    /// Options of sbatch(1) for a pilot's job.
    ///
    /// A job that was preempted is not queued again by Slurm, which holds it back for two minutes: a fresh one is
    /// sooner.
    ///
    /// - Parameter nodes: that are not to be used.
    public func submission(excluding nodes: [String]) -> [String] {
        var options = ["--no-requeue", "--nodes=1", "--ntasks=1", "--open-mode=append", "--time=\(minutes)"]
        options.append(slots.map { "--cpus-per-task=\($0)" } ?? "--exclusive")
        if !partitions.isEmpty { options.append("--partition=\(partitions.joined(separator: ","))") }
        if let account { options.append("--account=\(account)") }
        if let qos { options.append("--qos=\(qos)") }
        if let constraint { options.append("--constraint=\(constraint)") }
        if !nodes.isEmpty { options.append("--exclude=\(nodes.joined(separator: ","))") }
        return options + arguments
    }
}
