import Model

/// The key `slurm` of a host: a cluster, in whose place its pilots stand among the hosts.
struct SlurmReader {
    static let keys = [
        "login", "partition", "account", "qos", "constraint", "time", "nodes", "slots", "backlog", "idle", "poll",
        "bridge", "arguments",
    ]

    let read: FieldReader

    /// - Returns: the site, and the address of its login node, if one is given; nil: a problem was noted.
    func site(_ field: Field, named name: String) -> (SlurmSite, login: String?)? {
        guard let members = read.members(field.value, path: field.path, known: SlurmReader.keys) else { return nil }
        var site = SlurmSite(name: name)
        var login: String?
        for member in members {
            switch member.name {
            case "login": login = self.login(member)
            case "partition": site.partitions = names(member)
            case "account": site.account = word(member)
            case "qos": site.qos = word(member)
            case "constraint": site.constraint = option(member)
            case "time": site.time = read.duration(member) ?? site.time
            case "nodes": site.nodes = nodes(member) ?? site.nodes
            case "slots": site.slots = slots(member)
            case "backlog": site.backlog = read.integer(member, in: 1...SlurmSite.mostNodes) ?? site.backlog
            case "idle": site.idle = read.duration(member) ?? site.idle
            case "poll": site.poll = poll(member) ?? site.poll
            case "bridge": site.bridge = bridge(member) ?? site.bridge
            default: site.arguments = (read.list(member) ?? []).compactMap(argument)
            }
        }
        for needed in ["time", "nodes"] where !members.contains(where: { $0.name == needed }) {
            let example = needed == "time" ? "time: 24h" : "nodes: 1..20"
            read.fail(field, "has no '\(needed)'; write \(example)")
        }
        return (site, login)
    }

    private func login(_ field: Field) -> String? {
        guard let text = read.text(field) else { return nil }
        guard Names.isHost(text), Names.hostAndPort(text) == nil else {
            read.fail(field, "'\(Names.shown(text))' is not the name of a login node; write one like hpc.example, and "
                + "'user' and 'port' beside 'slurm'")
            return nil
        }
        return text
    }

    /// One, or a list.
    private func names(_ field: Field) -> [String] {
        if case .list = field.value.kind { return (read.list(field) ?? []).compactMap(word) }
        return word(field).map { [$0] } ?? []
    }

    private func word(_ field: Field) -> String? { read.plainName(field, "Slurm") }

    private func option(_ field: Field) -> String? {
        guard let text = read.text(field) else { return nil }
        guard !text.isEmpty else {
            read.fail(field, "is empty; write an option of sbatch, as in [--mem=8G]")
            return nil
        }
        return text
    }

    /// An option of sbatch(1). Jobs of another cluster than squeue(1) and scancel(1) mean would be lost sight of.
    private func argument(_ field: Field) -> String? {
        guard let text = option(field) else { return nil }
        let name = text.prefix { $0 != "=" }
        guard !text.hasPrefix("-M"), !(name.count > 3 && "--clusters".hasPrefix(name)) else {
            read.fail(
                field, "chooses a cluster, whose jobs squeue on the login node would not show; remove it, and write "
                    + "the login node of that cluster as slurm: {login: ...}")
            return nil
        }
        return text
    }

    private func slots(_ field: Field) -> Int? {
        if case .scalar("auto", _) = field.value.kind { return nil }
        return read.integer(field, in: 1...4_096)
    }

    /// `4`, or `1..20`.
    private func nodes(_ field: Field) -> ClosedRange<Int>? {
        guard let text = read.text(field) else { return nil }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        let numbers = parts.count == 3 && parts[1].isEmpty ? [Int(parts[0]), Int(parts[2])] : [Int(text), Int(text)]
        guard let least = numbers[0], let most = numbers[1], 0...most ~= least, 1...SlurmSite.mostNodes ~= most else {
            read.fail(
                field, "'\(Names.shown(text))' is not a number of jobs; write one like 1..20, up to "
                    + "\(SlurmSite.mostNodes)")
            return nil
        }
        return least...most
    }

    private func bridge(_ field: Field) -> SlurmSite.Bridge? {
        guard let text = read.text(field) else { return nil }
        guard let bridge = SlurmSite.Bridge(rawValue: text) else {
            read.fail(field, "'\(Names.shown(text))' is not a way to reach the agents of jobs; write srun or spool")
            return nil
        }
        return bridge
    }

    private func poll(_ field: Field) -> Nanoseconds? {
        guard let span = read.duration(field) else { return nil }
        guard SlurmSite.polls ~= span else {
            read.fail(field, "the queue can be checked every 100ms to 60s; 30s is easy on the cluster")
            return nil
        }
        return span
    }
}

extension InventoryReader {
    /// The pilots of a cluster. They share all keys of the host that are not about being logged in to.
    func pilots(_ element: Field, _ template: Host, _ slurm: Field, _ members: [Field]) -> [Host] {
        for member in members where ["address", "slots", "share"].contains(member.name) {
            let instead = member.name == "address" ? "; write slurm: {login: ...}"
                : member.name == "slots" ? "; write slurm: {slots: ...}" : ""
            read.problems.add(
                member.keyMark, key: member.path, "has no meaning beside 'slurm'\(instead); remove it")
        }
        guard let nameField = members.first(where: { $0.name == "name" }),
            let name = read.plainName(nameField, "a cluster"),
            let (site, login) = SlurmReader(read: read).site(slurm, named: name)
        else { return [] }
        return (1...site.nodes.upperBound).map { number in
            var host = named(template, site.hostName(ofPilot: number), login ?? name)
            host.slots = site.slots
            host.sharing = nil
            host.pilot = Pilot(site: site, number: number)
            return host
        }
    }
}
