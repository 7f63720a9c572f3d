import CoordinatorRuntime
import Engines
package import Model
package import Ports
import Results

/// Asks one host's engine whether every parameter exists and takes every value, before anything is simulated.
package struct Binding {
    /// An axis and a value that the engine does not take.
    package struct Problem {
        package var axis: String
        package var value: String
        package var message: String
    }

    private let host: Model.Host
    private let program: String
    private let question: ParameterQuestion
    private let parameterCount: Int

    private init(_ found: Found?, _ engine: String, _ count: Int, _ question: ParameterQuestion?) throws {
        guard let question else {
            throw Failure(
                .usage, "--bind cannot check the parameters of engine '\(engine)', or of a sweep with a script of "
                    + "its own")
        }
        guard let found else {
            throw Failure(
                .badSpecification, "no host that was asked for has a path of \(engine) in the inventory; add to it: "
                    + "engines: {\(engine): /path}")
        }
        (host, program) = (found.host, found.program)
        self.question = question
        parameterCount = count
    }

    /// For the axes of a sweep, at the first host that has its engine.
    ///
    /// - Throws: ``Failure`` where there is nothing to ask, or nobody.
    package init(_ specification: Specification, _ inventory: Inventory) throws {
        let sweep = specification.sweep
        // Each value once: what is wrong with one is wrong in every combination.
        let spanned = sweep.allAxes.flatMap { axis in axis.values.map { Assignment(axis: axis.name, value: $0) } }
        let parameters = (spanned + sweep.include.joined()).reduce(into: [Assignment]()) {
            if !$0.contains($1) { $0.append($1) }
        }
        let found = Binding.find(sweep.engine, inventory.hosts)
        try self.init(
            found, sweep.engine, parameters.count,
            specification.engine.parameterQuestion(parameters, program: found?.program ?? "", ThisMachine()))
    }

    /// For all axes that an engine has, each with its standard and with every word that it takes.
    ///
    /// - Parameter host: by its name; nil: the first that has the engine.
    /// - Throws: as the other one; also for a host that is not there.
    package init(_ reference: EngineReference, _ inventory: Inventory, host name: String?) throws {
        let engine = reference.descriptor.name
        if let name, !inventory.hosts.contains(where: { $0.name == name }) {
            let hint = Names.suggestion(name, in: inventory.hosts.map(\.name))
            throw Failure(.usage, "'\(VisibleText.of(name, limit: 80))' is not a host of the inventory; \(hint)")
        }
        let found = Binding.find(engine, inventory.hosts.filter { name == nil || $0.name == name })
        let parameters = reference.trials
        try self.init(
            found, engine, parameters.count,
            reference.parameterQuestion(parameters, program: found?.program ?? "", ThisMachine()))
    }

    private typealias Found = (host: Model.Host, program: String)

    private static func find(_ engine: String, _ hosts: [Model.Host]) -> Found? {
        hosts.lazy.compactMap { host in
            host.engines.first { $0.name == engine }.map { (host: host, program: $0.value) }
        }.first
    }

    package var hostName: String { host.name }

    /// - Throws: ``Failure`` (`noHost`) where the host or its program does not answer.
    package func problems(_ transport: any Transport) throws -> [Problem] {
        let (target, script) = (host.target, HostScript(question.script))
        let answer = HostConnections.waiting {
            await HostConnections.ask(
                transport, target, script, input: "", patience: .seconds(300))
        }
        let lines = answer.output.split(whereSeparator: \.isNewline).filter { $0.hasPrefix(ParameterQuestion.mark) }
        let answers = lines.compactMap { try? JSON(parsing: Array($0.dropFirst(ParameterQuestion.mark.count).utf8)) }
        guard answers.count == parameterCount else {
            let last = answer.output.split(whereSeparator: \.isNewline).last { !$0.hasPrefix(ParameterQuestion.mark) }
            throw Failure(
                .noHost, "\(program) of \(host.name) did not answer: "
                    + VisibleText.of(last.map(String.init) ?? answer.end.message, limit: 500))
        }
        return answers.compactMap { answer in
            guard answer["ok"] != .bool(true) else { return nil }
            return Problem(
                axis: answer["axis"]?.text ?? "?", value: answer["value"]?.text ?? "?",
                message: VisibleText.of(answer["message"]?.text ?? "refused", limit: 500))
        }
    }
}
