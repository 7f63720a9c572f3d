import Model
import Results

/// From the YAML tree of a sweep to the model.
struct SweepReader {
    static let keys = [
        "sweep", "engine", "system", "guest", "workloads", "checkpoint", "axes", "zip", "exclude", "include",
        "command", "results", "measure", "limits", "inputs", "retry", "metrics", "define",
    ]

    let read: FieldReader
    let folder: Folder

    /// nil: a problem was noted.
    func sweep(_ root: YAMLValue) -> Sweep? {
        guard let fields = read.members(root, path: "", known: SweepReader.keys) else { return nil }
        func field(_ name: String) -> Field? { fields.first { $0.name == name } }
        let name = required(field("sweep"), "sweep", "its name, as in sweep: hello", root)
            .flatMap { read.plainName($0, "a sweep") }
        let kinds = EngineKind.allCases.map(\.rawValue)
        let engine = required(field("engine"), "engine", "gem5, qemu or command", root)
            .flatMap { read.choice($0, kinds, "engine") }.flatMap(EngineKind.init)
        guard let engine else { return nil }
        var sweep = Sweep(name: name ?? "", engine: engine)
        refuseForeign(fields, engine)
        if let field = field("workloads") { sweep.workloads = workloads(field) }
        if let field = field("checkpoint"), let source = checkpoint(field, sweep) { sweep.checkpoint = source }
        if let field = field("guest") { sweep.guest = guest(field, engine) }
        if let field = field("measure") { sweep.measure = measure(field, engine, sweep.checkpoint) }
        if let field = field("limits") { sweep.limits = limits(field) }
        if let field = field("retry") { sweep.attempts = attempts(field) ?? sweep.attempts }
        if let field = field("metrics") { sweep.metrics = names(field) }
        if let field = field("define") { sweep.definitions = definitions(field, engine) }
        if let field = field("command") { sweep.command = command(field) }
        if let field = field("results") { sweep.results = results(field) }
        var inputs = InputsReader(read: read, folder: folder)
        if let field = field("inputs") { inputs.add(list: field) }
        if let field = field("system") { sweep.system = system(field, &inputs) ?? sweep.system }
        sweep.inputs = inputs.sorted(results: sweep.results)
        AxesReader(read: read, engine: engine).fill(&sweep, field)
        requireKeys(of: engine, fields, root)
        if engine == .command, sweep.results == nil, let field = field("metrics") ?? field("define") {
            read.problems.add(
                field.keyMark, key: field.path,
                "needs the file with the numbers; name it by 'results', as in results: results.json")
        }
        return sweep
    }

    // MARK: Keys and engines

    private func required(_ field: Field?, _ key: String, _ what: String, _ root: YAMLValue) -> Field? {
        if field == nil { read.problems.add(root.mark, key: key, "is missing; write \(what)") }
        return field
    }

    private func requireKeys(of engine: EngineKind, _ fields: [Field], _ root: YAMLValue) {
        let (key, hint) =
            switch engine {
            case .command: ("command", "the program and its arguments, as in command: [./run.sh, '{x}']")
            case .gem5, .qemu: ("workloads", "the functions to run, as in workloads: [fibonacci-python]")
            }
        _ = required(fields.first { $0.name == key }, key, hint, root)
    }

    /// Keys that only some engines have.
    private func refuseForeign(_ fields: [Field], _ engine: EngineKind) {
        let owners: [(key: String, engines: [EngineKind])] = [
            ("system", [.gem5]), ("guest", [.gem5, .qemu]), ("checkpoint", [.gem5, .qemu]),
            ("command", [.command]), ("results", [.command]),
        ]
        for field in fields {
            guard let owner = owners.first(where: { $0.key == field.name }), !owner.engines.contains(engine) else {
                continue
            }
            let names = owner.engines.map(\.rawValue).joined(separator: " and ")
            read.problems.add(
                field.keyMark, key: field.path,
                "belongs to engine \(names), and this is '\(engine.rawValue)'; remove it")
        }
    }

    // MARK: Values

    private func workloads(_ field: Field) -> [String] {
        if case .mapping = field.value.kind {
            guard let members = read.members(field.value, path: field.path, known: ["file"]),
                let file = members.first, let path = read.text(file)
            else { return [] }
            return workloads(file, path: path)
        }
        return names(field, "a workload")
    }

    private func workloads(_ field: Field, path: String) -> [String] {
        let text: String
        do { text = try Folder.text(folder.resolve(path), shown: path) } catch {
            read.fail(field, error)
            return []
        }
        let entries = WorkloadList.entries(text)
        var names: [String] = []
        var seen: Set<String> = []
        for entry in entries {
            func note(_ text: String) { read.problems.add(line: entry.line, column: entry.column, of: path, text) }
            if !Names.isPlain(entry.name) {
                note("'\(Names.shown(entry.name))' is not a name for a workload; \(FieldReader.plainRule)")
            } else if !seen.insert(entry.name).inserted {
                note("'\(entry.name)' is a duplicate; remove one")
            } else {
                names.append(entry.name)
            }
        }
        if entries.isEmpty { read.fail(field, "'\(Names.shown(path))' names no workload; write one a line") }
        return names
    }

    /// A list of different names. Without `what`, any text may be one: metrics have the names that engines give.
    private func names(_ field: Field, _ what: String? = nil) -> [String] {
        var names: [String] = []
        var seen: Set<String> = []
        for element in read.list(field) ?? [] {
            let text = what.map { read.plainName(element, $0) } ?? read.text(element, limit: 200)
            guard let name = text else { continue }
            guard what != nil || !name.isEmpty && !Names.reserved.contains(name) else {
                read.fail(element, "'\(name)' is not a metric: the tables have that column themselves; write another")
                continue
            }
            guard seen.insert(name).inserted else {
                read.fail(element, "'\(name)' is a duplicate; remove one")
                continue
            }
            names.append(name)
        }
        return names
    }

    /// `define: {l2.latency: '"system.cpu1.l2cache.overallMissLatency::total" / l2.misses'}`
    private func definitions(_ field: Field, _ engine: EngineKind) -> [MetricDefinition] {
        let members = read.members(field.value, path: field.path) ?? []
        return members.enumerated().compactMap { index, member in
            guard let text = read.text(member, limit: 4_096) else { return nil }
            guard Names.isPlain(member.name), !Names.reserved.contains(member.name) else {
                read.fail(member, "'\(Names.shown(member.name))' is not a name for a metric; \(FieldReader.plainRule)")
                return nil
            }
            do {
                let expression = try MetricExpression(text)
                if engine != .gem5, let pattern = expression.patterns.first {
                    read.fail(member, "\"\(pattern)\" names statistics of gem5, and the engine is '\(engine.rawValue)'")
                }
                if let below = expression.counters.first(where: { members[index...].map(\.name).contains($0) }) {
                    let advice = below == member.name ? "is what it defines; use other metrics" : "is defined below it"
                    read.fail(member, "uses '\(below)', which \(advice); a definition uses metrics and those above it")
                }
            } catch {
                read.fail(member, error)
                return nil
            }
            return MetricDefinition(name: member.name, expression: text)
        }
    }

    private func checkpoint(_ field: Field, _ sweep: Sweep) -> CheckpointSource? {
        if case .mapping = field.value.kind {
            guard let members = read.members(field.value, path: field.path, known: ["directory"]),
                let directory = members.first, let path = read.text(directory)
            else { return nil }
            guard path.contains("{workload}") || sweep.workloads.count <= 1 else {
                read.fail(directory, "all workloads would share '\(path)'; write {workload} where the name goes")
                return nil
            }
            return .directory(folder.resolve(path))
        }
        return read.plainName(field, "a checkpoint").map { $0 == "setup" ? .setup : .bundle($0) }
    }

    private func measure(_ field: Field, _ engine: EngineKind, _ checkpoint: CheckpointSource) -> Measure {
        var measure = Measure()
        for member in read.members(field.value, path: field.path, known: ["warm", "invocations", "repeat", "setup"])
            ?? []
        {
            if engine == .command, member.name == "warm" || member.name == "setup" {
                read.problems.add(
                    member.keyMark, key: member.path, "engine 'command' has no such phase; remove it")
                continue
            }
            if member.name == "setup", checkpoint != .setup {
                read.problems.add(
                    member.keyMark, key: member.path, "counts only where this sweep makes the checkpoint; remove it")
            }
            let least = member.name == "warm" ? 0 : 1
            guard let number = read.integer(member, in: least...1_000_000) else { continue }
            switch member.name {
            case "warm": measure.warm = number
            case "invocations": measure.invocations = number
            case "repeat": measure.repeats = number
            default: measure.setupInvocations = number
            }
        }
        return measure
    }

    private func limits(_ field: Field) -> SweepLimits {
        var limits = SweepLimits()
        let known = ["time", "memory", "stall", "output", "sweep"]
        for member in read.members(field.value, path: field.path, known: known) ?? [] {
            switch member.name {
            case "time": limits.job.time = read.duration(member)
            case "memory": limits.job.memoryBytes = read.bytes(member)
            case "stall": limits.job.stall = read.duration(member)
            case "output": limits.job.output = read.bytes(member)
            default: limits.sweep = read.duration(member)
            }
        }
        return limits
    }

    private func attempts(_ field: Field) -> Int? {
        let members = read.members(field.value, path: field.path, known: ["attempts"])
        return members?.first.flatMap { read.integer($0, in: 1...1_000) }
    }

    private func command(_ field: Field) -> [String] {
        if case .scalar(let text, let isPlain) = field.value.kind, !(text.isEmpty && isPlain) {
            let words = text.split(separator: " ").map { word in
                word.contains { "[]{},:#&*!|>'\"%@`".contains($0) } ? "'\(word)'" : String(word)
            }
            let list = Names.shown("[\(words.joined(separator: ", "))]")
            read.fail(
                field, "a list was expected, since no shell splits the line; write \(list), or [/bin/sh, -c, '...']")
            return []
        }
        let arguments = (read.list(field) ?? []).compactMap { argument($0) }
        if arguments.first?.isEmpty == true { read.fail(field, "the program's name is empty; write it first") }
        return arguments
    }

    /// Any text but NUL, which no argument can hold.
    func argument(_ field: Field) -> String? {
        if case .scalar(let text, let isPlain) = field.value.kind, !(text.isEmpty && isPlain),
            text.utf8.count <= 100_000, !text.utf8.contains(0)
        {
            return text
        }
        return read.text(field, limit: 100_000)
    }

    private func results(_ field: Field) -> String? {
        guard let path = read.text(field) else { return nil }
        guard RelativePath.isSafe(path) else {
            read.fail(
                field, "'\(Names.shown(path))' is not a path below the attempt's folder; write one like results.json")
            return nil
        }
        return path
    }
}

extension FieldReader {
    /// Notes an error of the disk, keeping its kind.
    func fail(_ field: Field, _ error: any Error) {
        guard let failure = error as? Failure else { return fail(field, "\(error)") }
        fail(field, failure.description, code: failure.code)
    }
}
