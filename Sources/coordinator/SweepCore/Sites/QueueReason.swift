import Model

/// Why jobs wait, in words: squeue(1) has a code for each reason.
public enum QueueReason {
    /// - Parameter code: of squeue's format `%r`.
    public static func text(_ code: String) -> String {
        if code.isEmpty || code == "None" { return "the scheduler has not looked at it yet" }
        guard let meaning = meaning(code) else { return "the reason is \(VisibleText.of(code, limit: 80))" }
        return "\(meaning) (\(code))"
    }

    /// Whether a job never starts for which Slurm gives this reason, unless somebody changes the job or the cluster.
    static func isFinal(_ code: String) -> Bool {
        final.contains(code)
    }

    private static let final: Set<String> = [
        "PartitionTimeLimit", "PartitionNodeLimit", "PartitionConfig", "BadConstraints", "InvalidAccount",
        "InvalidQOS", "AccountNotAllowed", "QOSNotAllowed", "QOSMaxWallDurationPerJobLimit",
        "AssocMaxWallDurationPerJobLimit", "QOSMaxNodePerJobLimit", "QOSMaxCpuPerJobLimit",
        "AssocMaxNodePerJobLimit", "AssocMaxCpuPerJobLimit", "DependencyNeverSatisfied",
    ]

    private static func meaning(_ code: String) -> String? {
        switch code {
        case "Priority": "jobs of higher priority are ahead of it"
        case "Resources": "no node is free for it yet"
        case "PartitionTimeLimit": "its time is longer than the partition allows; shorten `time` of the cluster"
        case "PartitionNodeLimit", "PartitionConfig":
            "the partition does not allow what it asks for, usually its `time`; see `scontrol show partition`"
        case "PartitionDown": "the partition is down"
        case "PartitionInactive": "the partition does not start jobs now"
        case "ReqNodeNotAvail": "nodes that it needs are down, drained or reserved"
        case "NodeDown": "a node that it needs is down"
        case "BadConstraints": "no node has what `constraint` or `arguments` of the cluster ask for"
        case "InvalidAccount", "AccountNotAllowed": "the account may not be used here; see `account` of the cluster"
        case "InvalidQOS", "QOSNotAllowed": "the quality of service may not be used here; see `qos` of the cluster"
        case "Dependency": "it depends on another job"
        case "BeginTime": "its start time has not come yet"
        case "JobHeldUser": "it is held; release it with scontrol release"
        case "JobHeldAdmin": "an administrator holds it"
        case "Licenses": "no licence is free"
        case "Reservation": "its reservation has not begun"
        case "AssociationJobLimit", "AssocMaxJobsLimit", "QOSMaxJobsPerUserLimit": "you have reached your limit of jobs"
        case "Cleaning": "what its earlier start left is being cleaned up"
        default: limit(code)
        }
    }

    /// Codes of limits are made of words: `QOSMaxCpuPerUserLimit`, `AssocGrpCPUMinutesLimit`.
    private static func limit(_ code: String) -> String? {
        guard code.hasPrefix("QOS") || code.hasPrefix("Assoc") else { return nil }
        let what = code.hasPrefix("QOS") ? "quality of service" : "account"
        if code.contains("PerUser") { return "you have as much as the \(what) lets one user have" }
        if code.contains("Grp") { return "the \(what) has used what its group may" }
        if code.contains("PerJob") { return "it asks for more than the \(what) lets one job have" }
        return "a limit of the \(what) is reached"
    }
}
