package import Model

/// Engine `command`: any program that keeps the run contract.
package struct CommandDescriptor: EngineDescriptor {
    package let name = "command"
    package let meaning = "any program that takes a point and writes a file with its numbers"
    package let agentRetries = true

    package let keys = [
        EngineKey(
            "command", .arguments(.ofRun), isRequired: true,
            "the program and its arguments, as in command: [./run.sh, '{x}']"),
        EngineKey(
            "results", .place,
            "the file that the program writes: a JSON object, a list of them (one per block), or CSV"),
    ]

    package init() {}

    package func problems(_ sweep: Sweep) -> [KeyProblem] {
        let settings = CommandSettings(sweep.settings)
        var problems: [KeyProblem] = []
        if settings.command.first?.isEmpty == true {
            problems.append(KeyProblem("command", "the program's name is empty; write it first"))
        }
        problems += CommandDescriptor.wordProblems(settings.command, sweep).map { KeyProblem("command", $0) }
        if !problems.isEmpty { return problems }
        if let problem = CommandDescriptor.programProblem(settings.command.first ?? "", sweep.inputs) {
            problems.append(problem)
        }
        if let results = settings.results, sweep.inputs.contains(where: { $0.path == results }) {
            let text = "'\(Names.shown(results))' is what 'results' names; a run must write it itself"
            problems.append(KeyProblem("inputs", text))
        }
        if let results = settings.results, let text = CommandDescriptor.problem(ofResults: results) {
            problems.append(KeyProblem("results", text))
        }
        if settings.results == nil, !sweep.requiredMetrics.isEmpty {
            let text = "needs the file with the numbers; write it as in results: results.json"
            problems.append(KeyProblem(sweep.metrics.isEmpty ? "define" : "metrics", text))
        }
        return problems
    }

    package func notes(_ sweep: Sweep) -> [String] {
        guard CommandSettings(sweep.settings).results == nil else { return [] }
        return [
            "the sweep has no 'results', so its table will have outcomes but no numbers; to get them, name the file "
                + "that the program writes: results: results.json"
        ]
    }

    /// What a shell would make of the command, which no shell reads.
    private static func wordProblems(_ command: [String], _ sweep: Sweep) -> [String] {
        var problems: [String] = []
        let program = command.first ?? ""
        let isInput = sweep.inputs.contains { "./\($0.path)" == program }
        if program.contains(" "), !program.hasPrefix("/"), !isInput {
            let words = program.split(separator: " ").map { $0.contains("{") ? "'\($0)'" : String($0) }
            problems.append(
                "'\(Names.shown(program))' is the name of one program, because no shell splits it; write "
                    + Names.shown("[\(words.joined(separator: ", "))]"))
        }
        for word in command {
            let isQuoted = word.first.map("“”„‘’".contains) == true && word.last.map("“”‘’".contains) == true
            if isQuoted, word.count > 1 {
                let bare = word.dropFirst().dropLast()
                problems.append(
                    "\(Names.shown(word)) is in typographic quotes, which are part of it; write '\(Names.shown(bare))'")
            }
        }
        return problems
    }

    private static func problem(ofResults path: String) -> String? {
        let shown = Names.shown(path)
        if path == "point.json" { return "'point.json' is the file that describes the point; write another name" }
        if path.contains("{") { return "'\(shown)' has one name for all points; each run has a folder of its own" }
        if path.contains(where: "*?$".contains) || path.hasPrefix("~") {
            return "'\(shown)' stays as it is, because no shell reads it; write the name of one file"
        }
        if path.hasSuffix(",") {
            return "'\(shown)' ends with a comma; write '\(Names.shown(String(path.dropLast())))'"
        }
        let others = [".tsv", ".gz", ".zst", ".xz", ".parquet", ".sqlite", ".xlsx"]
        guard others.contains(where: path.lowercased().hasSuffix) else { return nil }
        return "'\(shown)' cannot be read; results are JSON, or CSV in a file whose name ends in .csv"
    }

    /// A program that is named by a path below the attempt's folder has to come from the inputs.
    private static func programProblem(_ program: String, _ inputs: [InputFile]) -> KeyProblem? {
        guard !program.hasPrefix("/"), !program.contains("{") else { return nil }
        let path = program.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
        let shown = Names.shown(program)
        if program.contains("/"), ["~", "$"].contains(program.first) {
            let name = program.split(separator: "/").last.map(String.init) ?? ""
            let advice = inputs.contains { $0.path == name }
                ? "'./\(Names.shown(name))' for the input" : "its absolute path on the hosts"
            return KeyProblem("command", "'\(shown)' stays as it is, because no shell reads it; write \(advice)")
        }
        if program.contains("/"), path.isEmpty {
            return KeyProblem("command", "'\(shown)' is a folder; write the name of a program behind it")
        }
        if let input = inputs.first(where: { $0.path == path }) {
            guard program.contains("/") else {
                return KeyProblem(
                    "command", "'\(shown)' is looked for in PATH only; for the input write './\(shown)'")
            }
            guard !input.isExecutable else { return nil }
            return KeyProblem(
                "command", "\(input.source) is not executable; make it so: chmod +x \(input.source)")
        }
        guard program.contains("/"), !path.split(separator: "/").contains("..") else { return nil }
        return KeyProblem(
            "command", "'\(shown)' is not among the inputs, and runs have only those; write inputs: "
                + "[\(Names.shown(path))], or a program's absolute path")
    }

    package func contract(_ settings: JSON) -> JSON { settings["results"] ?? .null }

    package func write(_ settings: JSON, to recipe: inout Recipe) {
        let settings = CommandSettings(settings)
        recipe.list("argument", settings.command)
        if let results = settings.results { recipe.item("results", results) }
        // Recipes have said so since there were engines with checkpoints only.
        recipe.item("checkpoint", "setup")
    }

    package func evidence(_ settings: JSON) -> [String] { CommandSettings(settings).results.map { [$0] } ?? [] }

    package func engine(for sweep: Sweep, _ machine: any LaunchingMachine) throws -> any Engine {
        CommandEngine(sweep)
    }
}

/// What a sweep of engine `command` says of it.
struct CommandSettings: Equatable {
    /// The program and its arguments, with names in braces where values go.
    let command: [String]
    /// The file with the results, relative to the attempt's folder; nil: none.
    let results: String?

    init(_ settings: JSON) {
        command = settings["command"]?.texts ?? []
        results = settings["results"]?.text
    }
}

extension JSON {
    /// The texts of a list.
    var texts: [String]? { elements?.compactMap(\.text) }
}
