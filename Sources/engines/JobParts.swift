package import Model

/// What the environment of a run's program tells it of its point.
enum JobEnvironment {
    static func variables(_ points: Points, _ point: Int, repetition: Int) -> [EnvironmentVariable] {
        var variables = points.parameters(point).map { EnvironmentVariable(Names.variable(axis: $0.axis), $0.value) }
        variables.append(EnvironmentVariable("USWEEP_REPEAT", String(repetition)))
        if let workload = points.workload(point) {
            variables.append(EnvironmentVariable("USWEEP_WORKLOAD", workload))
        }
        return variables
    }
}

extension Job {
    /// Adds the variables that the sweep sets for the run's program.
    mutating func add(_ variables: [EnvironmentVariable], _ values: [Assignment]) {
        for variable in variables {
            switch Placeholders.argument(variable.value, values) {
            case .text(let text): environment.append(EnvironmentVariable(variable.name, text))
            case .joined(let pieces): joinedEnvironment.append(JoinedVariable(variable.name, pieces))
            case .engine, .agent: break
            }
        }
    }
}

extension EnvironmentVariable {
    /// Of what a checkpoint depends on.
    var keyLine: String { "environment \(name)=\(value.utf8.count):\(value)" }
}

extension Sweep {
    /// The variables of a task's program. A setup is of no point, and a boot of no workload either: what names
    /// something of one is not set there.
    func environment(_ task: EngineTask) -> [EnvironmentVariable] {
        let known: [String]
        switch task {
        case .evaluation: return environment
        case .setup: known = Placeholders.ofSetup.names
        case .boot: known = []
        }
        return environment.filter { Placeholders.names($0.value).allSatisfy(known.contains) }
    }

    /// The inputs that a task's run needs.
    func inputs(_ task: EngineTask, _ points: Points) -> [InputFile] {
        guard inputs.contains(where: { !$0.only.isEmpty }) else { return inputs }
        let values = Placeholders.values(task, points)
        return inputs.filter { $0.only.allSatisfy(values.contains) }
    }
}

extension Job.Input {
    package init(_ file: InputFile) {
        self.init(path: file.path, digest: file.digest, size: file.size, isExecutable: file.isExecutable)
    }
}
