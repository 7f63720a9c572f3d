import Engines
import Model

/// From the YAML tree of a sweep to the model.
struct SweepReader {
    /// Keys that every engine takes.
    static let common = [
        "sweep", "engine", "workloads", "axes", "zip", "exclude", "include", "measure", "limits", "inputs", "retry",
        "metrics", "define", "env", "hosts", "stop", "artifacts",
        "cores", "resources", "priority",
    ]
    /// Keys within these that every engine takes.
    static let groups = [
        "workloads": ["file"],
        "measure": ["warm", "invocations", "repeat", "setup", "checkpoints", "apart", "until"],
        "measure.until": ["metric", "interval", "confidence", "most"],
        "limits": ["time", "memory", "stall", "output", "sweep"],
        "retry": ["attempts", "second-starts"], "hosts": ["labels"],
        "stop": ["after"], "artifacts": ArtifactsReader.keys,
    ]
    /// All keys that any engine takes, each once.
    static let keys = EngineRegistry.all.flatMap(\.keys).map(\.name).reduce(into: common) { keys, name in
        if !name.contains("."), !keys.contains(name) { keys.append(name) }
    }

    let read: FieldReader
    let folder: Folder
    let shelf: WorkloadShelf?

    /// nil: a problem was noted.
    func sweep(_ root: YAMLValue) -> Sweep? {
        guard let fields = read.members(root, path: "", known: SweepReader.keys) else { return nil }
        func field(_ name: String) -> Field? { fields.first { $0.name == name } }
        let name = required(field("sweep"), "sweep", "its name, as in sweep: hello", root)
            .flatMap { read.sweepName($0) }
        let engine = required(field("engine"), "engine", Names.list(EngineRegistry.names), root)
            .flatMap { read.choice($0, EngineRegistry.names, "engine") }.flatMap { try? EngineRegistry.find($0) }
        guard let engine else { return nil }
        var sweep = Sweep(name: name ?? "", engine: engine.name)
        refuseForeign(fields, engine)
        let measures = field("measure").map {
            read.members($0.value, path: $0.path, known: measureKeys, usual: "repeat") ?? []
        } ?? []
        refuseForeign(measures, engine)
        var metrics = MetricsReader(read: read)
        let measure = MeasureReader(read: read, engine: engine)
        sweep.measure = measure.measure(measures, &metrics)
        let bounds = field("limits").map { read.members($0.value, path: $0.path, known: limitKeys) ?? [] } ?? []
        refuseForeign(bounds, engine)
        sweep.limits = limits(bounds)
        if let field = field("retry") { retry(field, &sweep) }
        if let field = field("stop") { stopAfter(field, &sweep) }
        if let field = field("hosts") { sweep.hostLabels = hostLabels(field) }
        if let field = field("metrics") { sweep.metrics = metrics.names(field) }
        if let field = field("define") { sweep.definitions = metrics.definitions(field) }
        var inputs = InputsReader(read: read, folder: folder)
        if let field = field("inputs") { inputs.add(list: field) }
        var environment = EnvironmentReader(read: read)
        if let field = field("env") { sweep.environment = environment.variables(field) }
        let own = EngineKeysReader(read: read, folder: folder, descriptor: engine, shelf: shelf)
        sweep.settings = own.settings(fields + measures + bounds, &inputs)
        measure.check(measures, sweep.settings)
        if let field = field("cores") { sweep.needs.cores = read.integer(field, in: 1...4_096) ?? 1 }
        if let field = field("priority") { sweep.priority = read.integer(field, in: HostTerms.priorities) ?? 0 }
        if let field = field("resources") { sweep.needs.resources = read.resources(field, from: 1) }
        if let field = field("artifacts") {
            sweep.artifacts = ArtifactsReader(read: read).rule(field, always: engine.alwaysKept(sweep.settings))
        }
        if let field = field("workloads") {
            var reader = WorkloadsReader(read: read, folder: folder, shelf: shelf)
            reader.read(field, areImages: engine.workloads(sweep.settings) == .images)
            (sweep.workloads, sweep.images) = (reader.names, reader.images)
        }
        sweep.images += own.images.filter { sweep.image(of: $0.workload) == nil }
        require(engine, &sweep, fields, root)
        AxesReader(read: read, engine: engine.name, parameters: engine.parameters(sweep.settings)).fill(&sweep, field)
        inputs.addThoseOfPoints(sweep)
        sweep.inputs = inputs.sorted
        environment.check(sweep)
        metrics.check(engine, sweep.settings)
        own.check(sweep)
        return sweep
    }

    // MARK: Keys and engines

    private func required(_ field: Field?, _ key: String, _ what: String, _ root: YAMLValue) -> Field? {
        if field == nil { read.problems.add(root.mark, key: key, "is missing; write \(what)") }
        return field
    }

    private func require(
        _ engine: any EngineDescriptor, _ sweep: inout Sweep, _ fields: [Field], _ root: YAMLValue
    ) {
        for key in engine.keys where key.isRequired {
            _ = required(fields.first { $0.name == key.name }, key.name, key.meaning, root)
        }
        guard !fields.contains(where: { $0.name == "workloads" }) else { return }
        switch engine.workloads(sweep.settings) {
        case .optional: break
        case .named(let name): sweep.workloads = [name]
        case .required, .images:
            _ = required(nil, "workloads", "the functions to run, as in workloads: [fibonacci-python]", root)
        }
    }

    /// Keys that only other engines have.
    private func refuseForeign(_ fields: [Field], _ engine: any EngineDescriptor) {
        for field in fields where !engine.keys.contains(where: { $0.name == field.path }) {
            let owners = EngineRegistry.all.filter { $0.keys.contains { $0.name == field.path } }.map(\.name)
            guard !owners.isEmpty else { continue }
            read.problems.add(
                field.keyMark, key: field.path,
                "belongs to engine \(owners.joined(separator: " and ")), and this is '\(engine.name)'; remove it")
        }
    }

    // MARK: Values

    /// A list of different names.
    private func names(_ field: Field, _ what: String) -> [String] {
        var names: [String] = []
        for element in read.list(field) ?? [] {
            guard let name = read.plainName(element, what) else { continue }
            guard !names.contains(name) else {
                read.fail(element, "'\(name)' is a duplicate; remove one")
                continue
            }
            names.append(name)
        }
        return names
    }

    private var measureKeys: [String] { keys(of: "measure") }
    private var limitKeys: [String] { keys(of: "limits") }

    /// The common ones of a group, and those of all engines.
    private func keys(of group: String) -> [String] {
        EngineRegistry.all.flatMap(\.keys).map(\.name).filter { $0.hasPrefix("\(group).") }
            .reduce(into: SweepReader.groups[group] ?? []) { keys, name in
                let key = String(name.dropFirst(group.count + 1))
                if !keys.contains(key) { keys.append(key) }
            }
    }

    private func limits(_ members: [Field]) -> SweepLimits {
        var limits = SweepLimits()
        for member in members {
            switch member.name {
            case "time": limits.job.time = read.duration(member)
            case "memory": limits.job.memoryBytes = read.bytes(member)
            case "stall": limits.job.stall = read.duration(member)
            case "output": limits.job.output = read.bytes(member)
            case "sweep": limits.sweep = read.duration(member)
            default: break  // The engine's own.
            }
        }
        return limits
    }

    private func hostLabels(_ field: Field) -> [String] {
        let members = read.members(field.value, path: field.path, known: SweepReader.groups["hosts"]) ?? []
        return members.first.map { names($0, "a label") } ?? []
    }

    private func stopAfter(_ field: Field, _ sweep: inout Sweep) {
        let members = read.members(field.value, path: field.path, known: SweepReader.groups["stop"])
        guard let after = members?.first else { return }
        if case .scalar("never", _) = after.value.kind {
            sweep.stopAfter = nil
        } else if let count = read.integer(after, in: 1...1_000_000) {
            sweep.stopAfter = count
        }
    }

    private func retry(_ field: Field, _ sweep: inout Sweep) {
        for member in read.members(field.value, path: field.path, known: SweepReader.groups["retry"]) ?? [] {
            switch member.name {
            case "attempts": sweep.attempts = read.integer(member, in: 1...1_000) ?? sweep.attempts
            default: sweep.hasSecondStarts = read.bool(member) ?? sweep.hasSecondStarts
            }
        }
    }
}

extension FieldReader {
    /// A name for a sweep that means nothing else to a command.
    fileprivate func sweepName(_ field: Field) -> String? {
        guard let name = plainName(field, "a sweep") else { return nil }
        let meaning: String? =
            if name == "last" { "the last sweep" } else if name.allSatisfy(\.isNumber) { "a run by its number" } else {
                nil
            }
        guard let meaning else { return name }
        fail(field, "'\(name)' means \(meaning) to every command; choose another name")
        return nil
    }

    /// Notes an error of the disk, keeping its kind.
    func fail(_ field: Field, _ error: any Error) {
        guard let failure = error as? Failure else { return fail(field, "\(error)") }
        fail(field, failure.description, code: failure.code)
    }
}
