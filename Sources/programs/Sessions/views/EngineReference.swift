package import Engines
package import Model
package import Results

/// What a sweep of some engine can name: its axes and metrics, as the engine's descriptor has them.
package struct EngineReference {
    package let descriptor: any EngineDescriptor
    package static let engineNames = EngineRegistry.names
    package static let systemNames = EngineRegistry.all.flatMap(\.systems)
    /// The modelled machine, where one was named.
    private let settings: JSON
    /// What a host's engine did not take.
    private var refused: Set<Assignment> = []

    private init(descriptor: any EngineDescriptor, settings: JSON) {
        self.descriptor = descriptor
        self.settings = settings
    }

    /// - Parameters:
    ///   - engine: its name; nil: all engines, or those that have the system.
    ///   - system: one of the engine's own systems; nil: what holds for whichever the engine uses where none is named.
    /// - Throws: ``Failure`` (`usage`) for a name that there is not.
    package static func find(engine: String?, system: String? = nil) throws -> [EngineReference] {
        var descriptors = EngineRegistry.all
        if let engine {
            descriptors = descriptors.filter { $0.name == engine }
            if descriptors.isEmpty {
                let hint = Names.suggestion(engine, in: EngineRegistry.names)
                throw Failure(.usage, "there is no engine '\(Names.shown(engine))'; \(hint)")
            }
        }
        guard let system else {
            return descriptors.map { EngineReference(descriptor: $0, settings: .object([])) }
        }
        let owners = descriptors.filter { $0.systems.contains(system) }
        guard !owners.isEmpty else {
            let known = descriptors.flatMap(\.systems)
            let whose = engine.map { "engine '\($0)' has" } ?? "there is"
            let hint = known.isEmpty ? "leave out --system" : Names.suggestion(system, in: known)
            throw Failure(.usage, "\(whose) no system '\(Names.shown(system))'; \(hint)")
        }
        return owners.map {
            EngineReference(descriptor: $0, settings: .object([JSON.Member("system", .string(system))]))
        }
    }

    package var parameters: EngineParameters { descriptor.parameters(settings) }

    /// nil: only the program that a sweep runs knows.
    package var metrics: [EngineMetric]? { descriptor.metrics(settings) }
    /// What is not among them, and where it is to be had, in sentences; nil: nothing that people would look for.
    package var untold: String? { descriptor.untold }

    // MARK: On a host

    /// What a host's engine is asked: whether it takes the standard of each axis, and each word of those that have
    /// words.
    package var trials: [Assignment] {
        parameters.known.flatMap { parameter in
            // What has neither is no parameter of the modelled machine (the state that a call finds).
            let values = parameter.choices.isEmpty
                ? parameter.sample.map { [parameter.standard ?? $0] } ?? [] : parameter.choices
            return values.map { Assignment(axis: parameter.name, value: $0) }
        }
    }

    func parameterQuestion(
        _ parameters: [Assignment], program: String, _ machine: any LaunchingMachine
    ) throws -> ParameterQuestion? {
        try descriptor.parameterQuestion(parameters, settings, program: program, machine)
    }

    /// Without the axes and values that a host's engine does not take.
    package func without(_ problems: [Binding.Problem]) -> EngineReference {
        var rest = self
        rest.refused = Set(problems.map { Assignment(axis: $0.axis, value: $0.value) })
        return rest
    }

    private var parametersThere: [EngineParameter] {
        parameters.known.compactMap { parameter in
            var parameter = parameter
            guard parameter.choices.isEmpty else {
                let taken = parameter.choices.filter { !refused.contains(Assignment(axis: parameter.name, value: $0)) }
                parameter.values = Names.list(taken)
                return taken.isEmpty ? nil : parameter
            }
            return refused.contains { $0.axis == parameter.name } ? nil : parameter
        }
    }

    // MARK: As tables

    package static let axisColumns = ["engine", "axis", "unit", "default", "values", "meaning"]

    package var axisRows: [[Cell]] {
        let named = parametersThere.map { parameter in
            [parameter.name, parameter.unit, parameter.standard ?? "", parameter.values, parameter.meaning]
        }
        let others = parameters.others.map { [["*", "", "", "", $0]] } ?? []
        return rows(named + others)
    }

    package static let metricColumns = ["engine", "metric", "unit", "formula", "meaning"]

    package var metricRows: [[Cell]] {
        guard let metrics else { return rows([["*", "", "", "every number that the program leaves"]]) }
        return rows(metrics.map { [$0.name, $0.unit, $0.formula ?? "", $0.meaning] })
    }

    private func rows(_ texts: [[String]]) -> [[Cell]] {
        texts.map { [.text(descriptor.name)] + $0.map { Cell.optional($0.isEmpty ? nil : $0) } }
    }
}
