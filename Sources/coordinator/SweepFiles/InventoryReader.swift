import Engines
import Model

/// From the YAML tree of an inventory to the model.
struct InventoryReader {
    private static let limit = 10_000
    /// What a host may have, and `defaults` too, beside the keys of its transport.
    static let common = [
        "transport", "workdir", "slots", "memory", "labels", "engines", "setup", "shell", "resources", "share",
        "cache", "hours", "nice", "others", "binding",
    ]
    static let ofInventories = ["hosts", "defaults", "store"]
    static let ofDefaults = ["ssh_config"]
    static let ofHosts = ["name", "address", "slurm"]

    let read: FieldReader
    let folder: Folder
    /// The first is for hosts that name none.
    let transports: [TransportFormat]

    /// What a host may have, and `defaults` too.
    private var shared: [String] {
        transportKeys.map(\.name) + InventoryReader.common
    }

    /// Those of all transports, each once.
    private var transportKeys: [TransportFormat.Key] {
        transports.flatMap(\.keys).reduce(into: []) { keys, key in
            if !keys.contains(where: { $0.name == key.name }) { keys.append(key) }
        }
    }

    /// nil: a problem was noted.
    func inventory(_ root: YAMLValue) -> Inventory? {
        guard let fields = read.members(root, path: "", known: InventoryReader.ofInventories) else { return nil }
        var template = Host(target: HostTarget(name: ""))
        var inventory = Inventory(hosts: [])
        if let field = fields.first(where: { $0.name == "defaults" }) {
            let members = read.members(field.value, path: field.path, known: shared + InventoryReader.ofDefaults)
            fill(&template, members ?? [])
            if let file = members?.first(where: { $0.name == "ssh_config" }) {
                inventory.sshConfiguration = configuration(file)
            }
        }
        guard let list = fields.first(where: { $0.name == "hosts" }) else {
            read.problems.add(
                root.mark, key: "hosts", "is missing; write the hosts, as in hosts: [{name: here, address: local}]")
            return nil
        }
        var seen: Set<String> = []
        for element in read.list(list) ?? [] {
            for host in hosts(element, template) {
                guard seen.insert(host.name).inserted else {
                    read.fail(element, "host '\(host.name)' is a duplicate; remove one")
                    break
                }
                inventory.hosts.append(host)
            }
            guard inventory.hosts.count <= InventoryReader.limit else {
                read.fail(element, "more than \(InventoryReader.limit) hosts; split the inventory")
                break
            }
        }
        if let field = fields.first(where: { $0.name == "store" }) {
            inventory.store = store(field, inventory.hosts, template)
        }
        return inventory
    }

    /// It is named as scp(1) names a folder. The machine may be a host, or any other that is reached as hosts are.
    private func store(_ field: Field, _ hosts: [Host], _ template: Host) -> CommonStore? {
        guard let text = read.text(field) else { return nil }
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, !parts[0].isEmpty, !parts[0].contains("/") else {
            read.fail(
                field, "names no machine; write HOST:/FOLDER. For a folder of this machine set USWEEP_CHECKPOINTS="
                    + "\(VisibleText.of(text, limit: 200)) instead")
            return nil
        }
        guard parts[1].hasPrefix("/"), !parts[1].contains(where: \.isNewline) else {
            read.fail(field, "names no folder that begins with /; write HOST:/FOLDER")
            return nil
        }
        if let host = hosts.first(where: { $0.name == parts[0] }) {
            return CommonStore(target: host.target, folder: parts[1])
        }
        return CommonStore(target: named(template, parts[0], nil).target, folder: parts[1])
    }

    private func configuration(_ field: Field) -> String? {
        guard let text = read.text(field) else { return nil }
        let path = folder.resolve(text)
        do { try Folder.checkReadable(path, shown: text) } catch {
            read.fail(field, error)
            return nil
        }
        return path
    }

    // MARK: Hosts

    private func hosts(_ element: Field, _ template: Host) -> [Host] {
        guard case .mapping = element.value.kind else {
            return names(element).map { named(template, $0, nil) }
        }
        let known = InventoryReader.ofHosts + shared
        guard let members = read.members(element.value, path: element.path, known: known) else { return [] }
        guard let nameField = members.first(where: { $0.name == "name" }) else {
            read.fail(element, "a host has no name; write {name: node1}")
            return []
        }
        var host = template
        fill(&host, members)
        if let slurm = members.first(where: { $0.name == "slurm" }) { return pilots(element, host, slurm, members) }
        let names = names(nameField)
        if names.count > 1, host.sharing?.address != nil, let share = members.first(where: { $0.name == "share" }) {
            read.fail(share, "gives one address to several hosts; write share: lan, or one host at a time")
        }
        guard let address = members.first(where: { $0.name == "address" }) else {
            check(members, transport(of: host), because: "transport: \(transport(of: host)?.name ?? "")")
            return names.map { named(host, $0, nil) }
        }
        if case .scalar(let text, _) = address.value.kind,
            let chosen = transports.first(where: { $0.address == text })
        {
            return chosenByAddress(names, host, address, members, chosen)
        }
        check(members, transport(of: host), because: "transport: \(transport(of: host)?.name ?? "")")
        let addresses = self.names(address, areAddresses: true)
        guard addresses.count == names.count || addresses.isEmpty || names.isEmpty else {
            let given = PeopleText.count(addresses.count, "address", "addresses")
            read.fail(address, "gives \(given) for \(PeopleText.count(names.count, "name")); write as many of each")
            return []
        }
        return zip(names, addresses).map { named(host, $0, $1) }
    }

    private func transport(of host: Host) -> TransportFormat? {
        guard let name = host.target.transport else { return transports.first }
        return transports.first { $0.name == name }
    }

    /// Keys that the host itself has and its transport does not take. Those of `defaults` are for other hosts.
    private func check(_ members: [Field], _ transport: TransportFormat?, because: String) {
        let taken = (transport?.keys ?? []).map(\.name)
        let others = transportKeys.map(\.name).filter { !taken.contains($0) }
        for member in members where others.contains(member.name) {
            read.problems.add(
                member.keyMark, key: member.path, "has no meaning beside '\(because)'; remove one of them")
        }
    }

    /// A host whose address says which transport it has, such as this machine.
    private func chosenByAddress(
        _ names: [String], _ host: Host, _ address: Field, _ members: [Field], _ chosen: TransportFormat
    ) -> [Host] {
        let because = "address: \(chosen.address ?? "")"
        check(members, chosen, because: because)
        for member in members where member.name == "transport" {
            read.problems.add(
                member.keyMark, key: member.path, "has no meaning beside '\(because)'; remove one of them")
        }
        if names.count > 1 {
            read.fail(address, "'\(chosen.address ?? "")' is one machine; write one name, and the number of its runs "
                + "as 'slots'")
        }
        return names.map { name in
            var host = host
            host.target.transport = chosen.name
            return named(host, name, nil)
        }
    }

    func named(_ host: Host, _ name: String, _ address: String?) -> Host {
        var host = host
        let taken = (transport(of: host)?.keys ?? []).map(\.name)
        host.target.name = name
        host.target.address = address
        host.target.values = host.target.values.filter { taken.contains($0.key) }
        return host
    }

    /// The names of a pattern, all of them safe as an argument and as a folder's name.
    private func names(_ field: Field, areAddresses: Bool = false) -> [String] {
        guard var text = read.text(field) else { return [] }
        if let at = text.lastIndex(of: "@") {
            let (user, name) = (Names.shown(String(text[..<at])), Names.shown(String(text[text.index(after: at)...])))
            read.fail(field, "'\(Names.shown(text))' has a user in it; write {name: \(name), user: \(user)}")
            return []
        }
        let bracketed = Names.bracketed(text)
        let pair = Names.hostAndPort(text)
        if let port = bracketed?.port ?? pair?.port {
            let host = bracketed?.host ?? pair?.host ?? ""
            let shown = host.contains { ":[]".contains($0) } ? "'\(Names.shown(host))'" : Names.shown(host)
            let keys = "\(areAddresses ? "address" : "name"): \(shown), port: \(Names.shown(port))"
            read.fail(field, "'\(Names.shown(text))' has a port in it; write \(areAddresses ? keys : "{\(keys)}")")
            return []
        }
        if let bracketed { text = bracketed.host }
        do {
            let names = try HostRange.expand(text)
            if let wrong = names.first(where: { areAddresses ? !Names.isAddress($0) : !Names.isHost($0) }) {
                let rule = "write letters, digits, '.', '_', '-' or ':', beginning with a letter or digit"
                read.fail(field, "'\(Names.shown(wrong))' is not a name for a host; \(rule)")
                return []
            }
            return names
        } catch {
            read.fail(field, error)
            return []
        }
    }

    // MARK: Values

    private func fill(_ host: inout Host, _ members: [Field]) {
        for member in members {
            switch member.name {
            case "transport":
                let words = transports.filter { $0.address == nil }.map(\.name)
                host.target.transport = read.choice(member, words, "transport") ?? host.target.transport
            case "workdir": host.workdir = path(member) ?? host.workdir
            case "slots": slots(&host, member)
            case "memory": host.memoryBytes = read.bytes(member)
            case "labels": labels(&host, member)
            case "engines": engines(&host, member)
            case "shell":
                if let word = read.choice(member, ["plain", "login"], "shell") { host.usesLoginShell = word == "login" }
            case "resources": resources(&host, member)
            case "share": share(&host, member)
            case "cache": host.cacheBytes = read.bytes(member)
            case "hours": hours(&host, member)
            case "nice": host.nice = read.integer(member, in: HostTerms.niceValues) ?? host.nice
            case "others":
                let word = read.choice(member, OtherUsers.allCases.map(\.rawValue), "way to share a host")
                host.others = word.flatMap { OtherUsers(rawValue: $0) } ?? host.others
            case "binding":
                let word = read.choice(member, SlotBinding.allCases.map(\.rawValue), "binding")
                host.binding = word.flatMap { SlotBinding(rawValue: $0) } ?? host.binding
            case "setup": host.setup = read.text(member, limit: 16_384, mayHaveLines: true)
            case let name:
                guard let key = transportKeys.first(where: { $0.name == name }) else { continue }
                host.target.values[name] = value(member, key.shape)
            }
        }
    }

    private func value(_ field: Field, _ shape: TransportFormat.Shape) -> String? {
        switch shape {
        case .user: user(field)
        case .port: read.integer(field, in: 1...65_535).map { String($0) }
        case .hosts: jump(field)
        case .text: read.text(field)
        }
    }

    private func user(_ field: Field) -> String? {
        guard let text = read.text(field) else { return nil }
        guard isUser(text) else {
            read.fail(field, "'\(Names.shown(text))' is not a user's name; write letters, digits, '.', '_' or '-'")
            return nil
        }
        return text
    }

    /// Accounts of a directory may have their domain behind an `@`.
    private func isUser(_ text: String) -> Bool {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        return parts.count <= 2
            && parts.allSatisfy { Names.isPlain(String($0)) || $0.hasPrefix("_") && Names.isPlain("u" + $0) }
    }

    /// `[user@]host[:port]`, several with commas, as in `ProxyJump`; `none` for no jump.
    private func jump(_ field: Field) -> String? {
        guard let text = read.text(field) else { return nil }
        let isRight = text.split(separator: ",", omittingEmptySubsequences: false).allSatisfy { hop in
            guard let at = hop.lastIndex(of: "@") else { return isJumpHost(String(hop)) }
            return isUser(String(hop[..<at])) && isJumpHost(String(hop[hop.index(after: at)...]))
        }
        guard isRight else {
            read.fail(field, "'\(Names.shown(text))' is not a jump host; write one like gateway or user@gateway:22")
            return nil
        }
        return text
    }

    private func isJumpHost(_ text: String) -> Bool {
        var (host, port): (String, String?) = (text, nil)
        if let bracketed = Names.bracketed(text) {
            (host, port) = (bracketed.host, bracketed.port)
        } else if let pair = Names.hostAndPort(text) {
            (host, port) = (pair.host, pair.port)
        }
        guard let port else { return Names.isAddress(host) }
        return Names.isAddress(host) && (UInt16(port) ?? 0) > 0
    }

    private func path(_ field: Field) -> String? {
        guard let text = read.text(field) else { return nil }
        guard text.hasPrefix("/") || text.hasPrefix("~/"), text.count > 2, !text.split(separator: "/").contains("..")
        else {
            read.fail(field, "'\(Names.shown(text))' is not a path on a host; write one that begins with / or ~/")
            return nil
        }
        if let reference = EnvironmentReader.reference(in: text) {
            read.fail(
                field, "\(reference) is not expanded; write the path itself, or one that begins with ~/, the account's "
                    + "home folder")
            return nil
        }
        return text
    }

    private func slots(_ host: inout Host, _ field: Field) {
        if case .scalar("auto", _) = field.value.kind {
            host.slots = nil
        } else if let number = read.integer(field, in: 1...4_096) {
            host.slots = number
        }
    }

    /// Added to those of `defaults`.
    private func labels(_ host: inout Host, _ field: Field) {
        for element in read.list(field) ?? [] {
            guard let label = read.plainName(element, "a label") else { continue }
            if !host.labels.contains(label) { host.labels.append(label) }
        }
    }

    /// Added to those of `defaults`, or in their place.
    private func resources(_ host: inout Host, _ field: Field) {
        let own = read.resources(field, from: 0)
        host.resources.removeAll { resource in own.contains { $0.name == resource.name } }
        host.resources = (host.resources + own).sorted { $0.name < $1.name }
    }

    private func hours(_ host: inout Host, _ field: Field) {
        guard let text = read.text(field) else { return }
        host.hours = HostHours(text)
        if host.hours == nil, text != "always" {
            read.fail(
                field, "'\(Names.shown(text))' is not a time from and to; write hours: 20-8, 20:30-7:15 or always")
        }
    }

    private func share(_ host: inout Host, _ field: Field) {
        guard case .mapping = field.value.kind else {
            if let word = read.choice(field, ["lan", "off"], "share") {
                host.sharing = word == "lan" ? HostSharing() : nil
            }
            return
        }
        let members = read.members(field.value, path: field.path, known: ["address"]) ?? []
        guard let address = members.first else {
            return read.fail(field, "has no address; write share: lan, or share: {address: 192.0.2.7}")
        }
        guard let text = read.text(address) else { return }
        let isInDigits = text.allSatisfy { $0 == "." || $0 == ":" || $0.isHexDigit }
        guard isInDigits, text.contains(".") || text.contains(":"), text.utf8.count <= 45 else {
            return read.fail(address, "'\(Names.shown(text))' is not an IP address; write one like 192.0.2.7")
        }
        host.sharing = HostSharing(address: text)
    }

    /// Added to those of `defaults`, or in their place.
    private func engines(_ host: inout Host, _ field: Field) {
        let known = EngineRegistry.all.filter { $0.binary != nil }.map(\.name)
        for member in read.members(field.value, path: field.path, known: known) ?? [] {
            guard let path = path(member) else { continue }
            host.engines.removeAll { $0.name == member.name }
            host.engines.append(EnvironmentVariable(member.name, path))
        }
        host.engines.sort { $0.name < $1.name }
    }
}
