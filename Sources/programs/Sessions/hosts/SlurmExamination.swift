import CoordinatorRuntime
import Model
import Ports
import SweepCore

extension Inventory {
    /// The machines that can be logged in to: of a cluster its login node, by the cluster's name, not its pilots.
    var logins: [Host] {
        var sites: Set<String> = []
        return hosts.compactMap { host in
            guard let site = host.pilot?.site else { return host }
            guard sites.insert(site.name).inserted else { return nil }
            var login = host
            login.target.name = site.name
            return login
        }
    }
}

/// What can be said of a Slurm cluster without submitting anything.
extension HostExamination {
    static func ofCluster(_ login: Model.Host, _ site: SlurmSite, _ transport: any Transport) async -> HostExamination {
        var login = login
        // They are where jobs run, and need not be on the login node.
        login.engines = []
        var examination = await HostExamination(login, transport)
        guard examination.isUsable else { return examination }
        let input = (site.partitions + ["end"] + site.submission(excluding: []) + ["end"]).map { "\($0)\n" }.joined()
        let answer = await HostConnections.ask(transport, login.target, .slurm, input: input)
        examination.judge(site, answer.facts, answer.end)
        return examination
    }

    private mutating func judge(_ site: SlurmSite, _ facts: [String: String], _ end: StreamEnd) {
        guard facts["end"] != nil else { return unusable("sbatch could not be tried: \(end.message)") }
        if let complaint = facts["broken"] {
            return unusable(
                "sbatch is installed, but Slurm does not work on this host: sbatch --version: "
                    + VisibleText.of(complaint, limit: 300))
        }
        guard let version = facts["version"] else {
            return unusable("sbatch is not in the PATH of a login: is this the login node of a Slurm cluster?")
        }
        note("\(version), at most \(PeopleText.count(site.nodes.upperBound, "job")) of \(PeopleText.span(site.time))")
        for (name, text) in partitions(facts) {
            guard let limit = SlurmTime.nanoseconds(text) else { continue }
            if limit < site.time {
                unusable(
                    "partition \(name) limits jobs to \(PeopleText.span(limit)), but `time` is "
                        + "\(PeopleText.span(site.time)): lower it to \(SlurmTime.written(limit))")
            } else {
                note("partition \(name) lets a job run for \(PeopleText.span(limit))")
            }
        }
        let said = VisibleText.of(facts["tried"] ?? "", limit: 300)
        if facts["accepted"] == "0" {
            note("sbatch --test-only accepts a job: \(said)")
        } else {
            unusable("sbatch --test-only refuses a job: \(said)")
        }
        guard site.bridge == .srun else { return }
        switch facts["overlap"] {
        case "yes": break
        case "no":
            unusable(
                "srun has no option --overlap (before Slurm 20.11), by which agents in jobs are reached: write "
                    + "slurm: {bridge: spool}")
        default:
            unusable(
                "srun --help ends with an error, so it is not known whether agents in jobs can be reached by srun: see "
                    + "what it says there")
        }
    }

    private func partitions(_ facts: [String: String]) -> [(name: String, limit: String)] {
        facts.filter { $0.key.hasPrefix("partition-") }.sorted { $0.key < $1.key }
            .map { (String($0.key.dropFirst("partition-".count)), $0.value) }
    }
}

/// Times as Slurm writes them: `UNLIMITED`, `30` and `30:00` (minutes), `12:00:00`, `2-12` and `2-12:00:00` (days).
enum SlurmTime {
    /// nil: no limit.
    static func nanoseconds(_ text: String) -> Nanoseconds? {
        let parts = text.split(separator: "-", maxSplits: 1)
        let days = parts.count == 2 ? Int64(parts[0]) : 0
        let clock = (parts.last ?? "").split(separator: ":").map { Int64($0) }
        guard let days, !clock.isEmpty, clock.count <= 3, !clock.contains(nil) else { return nil }
        var values = clock.compactMap { $0 }
        // Behind days stand hours, alone minutes.
        if parts.count == 1, values.count < 3 { values.insert(0, at: 0) }
        while values.count < 3 { values.append(0) }
        return (days * 86_400 + values[0] * 3_600 + values[1] * 60 + values[2]) * 1_000_000_000
    }

    /// As an inventory has it.
    static func written(_ span: Nanoseconds) -> String {
        let seconds = span / 1_000_000_000
        if seconds % 3_600 == 0 { return "\(seconds / 3_600)h" }
        return seconds % 60 == 0 ? "\(seconds / 60)m" : "\(seconds)s"
    }
}
