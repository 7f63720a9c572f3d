import Model

/// Reads what is simulated: `system` and `guest`.
extension SweepReader {
    static let systems = ["simple", "skylake", "two-machine"]

    /// `system: skylake`, `system: {name: skylake, memory: 1GiB}`, or `system: {script: my.py, arguments: [...]}`.
    func system(_ field: Field, _ inputs: inout InputsReader) -> SystemUnderTest? {
        guard case .mapping(let members) = field.value.kind else {
            return read.choice(field, SweepReader.systems, "system").map { .named($0, SystemOptions()) }
        }
        return members.contains { $0.name == "name" } ? named(field) : script(field, &inputs)
    }

    private func named(_ field: Field) -> SystemUnderTest? {
        let known = ["name", "memory", "cores", "kvm", "aslr"]
        guard let members = read.members(field.value, path: field.path, known: known) else { return nil }
        var name: String?
        var options = SystemOptions()
        for member in members {
            switch member.name {
            case "name": name = read.choice(member, SweepReader.systems, "system")
            case "memory": options.memoryBytes = read.bytes(member)
            case "cores": options.cores = read.integer(member, in: 2...10)
            case "kvm": options.usesKVM = read.bool(member) ?? false
            default: options.fixesAddresses = read.bool(member) == false
            }
        }
        return name.map { .named($0, options) }
    }

    private func script(_ field: Field, _ inputs: inout InputsReader) -> SystemUnderTest? {
        let known = ["script", "arguments", "setup", "blocks", "line", "aslr"]
        guard let members = read.members(field.value, path: field.path, known: known) else { return nil }
        guard let place = members.first(where: { $0.name == "script" }) else {
            read.fail(field, "has no 'script'; write {script: my.py}, or {name: skylake}")
            return nil
        }
        guard let path = inputs.add(script: place) else { return nil }
        var script = SystemScript(path: path)
        for member in members {
            switch member.name {
            case "arguments": script.arguments = (read.list(member) ?? []).compactMap { argument($0) }
            case "setup": script.setupArguments = (read.list(member) ?? []).compactMap { argument($0) }
            case "blocks": script.blocks = read.integer(member, in: 1...1_000_000)
            case "line": script.line = read.text(member)
            case "aslr": script.fixesAddresses = read.bool(member) == false
            default: break
            }
        }
        return .script(script)
    }

    /// `guest: ops/guest/out`, or for gem5 also `guest: {kernel: vmlinux, disk: disk.img}`.
    func guest(_ field: Field, _ engine: EngineKind) -> GuestSource? {
        guard engine == .gem5, case .mapping = field.value.kind else {
            return read.text(field).map { .folder(folder.resolve($0)) }
        }
        guard let members = read.members(field.value, path: field.path, known: ["kernel", "disk"]) else { return nil }
        let paths = members.map { (name: $0.name, path: read.text($0).map { folder.resolve($0) }) }
        guard let kernel = paths.first(where: { $0.name == "kernel" }),
            let disk = paths.first(where: { $0.name == "disk" })
        else {
            read.fail(field, "needs both; write {kernel: vmlinux, disk: disk.img}")
            return nil
        }
        guard let kernel = kernel.path, let disk = disk.path else { return nil }
        return .files(kernel: kernel, disk: disk)
    }
}
