import Model

/// What the environment of a run's program tells it of its point.
enum JobEnvironment {
    static func variables(_ points: Points, _ point: Int, repetition: Int) -> [EnvironmentVariable] {
        var variables = points.assignments(point).map { EnvironmentVariable(Names.variable(axis: $0.axis), $0.value) }
        variables.append(EnvironmentVariable("USWEEP_REPEAT", String(repetition)))
        if let workload = points.workload(point) {
            variables.append(EnvironmentVariable("USWEEP_WORKLOAD", workload))
        }
        return variables
    }
}

extension Job.Input {
    init(_ file: InputFile) {
        self.init(path: file.path, digest: file.digest, size: file.size, isExecutable: file.isExecutable)
    }
}
