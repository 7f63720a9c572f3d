import Engines
package import Model
package import Ports
import Results

/// Asks one host's engine whether every parameter of a sweep exists and takes every value, before anything is
/// simulated.
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

    /// - Throws: ``Failure`` where there is nothing to ask, or nobody.
    package init(_ specification: Specification, _ inventory: Inventory) throws {
        let sweep = specification.sweep
        // Each value once: what is wrong with one is wrong in every combination.
        let spanned = sweep.allAxes.flatMap { axis in axis.values.map { Assignment(axis: axis.name, value: $0) } }
        let parameters = (spanned + sweep.include.joined()).reduce(into: [Assignment]()) {
            if !$0.contains($1) { $0.append($1) }
        }
        let found = inventory.hosts.lazy.compactMap { host in
            host.engines.first { $0.name == sweep.engine }.map { (host, $0.value) }
        }.first
        guard
            let question = try specification.engine.parameterQuestion(
                parameters, program: found?.1 ?? "", ThisMachine())
        else {
            throw Failure(
                .usage, "--bind asks a host's engine whether it takes the parameters; engine '\(sweep.engine)' cannot "
                    + "be asked, or the sweep has a script of its own")
        }
        guard let found else {
            throw Failure(
                .badSpecification, "no host of the inventory says where its \(sweep.engine) is; write engines: "
                    + "{\(sweep.engine): /path}")
        }
        (host, program) = found
        self.question = question
        parameterCount = parameters.count
    }

    package var hostName: String { host.name }

    /// - Throws: ``Failure`` (`noHost`) where the host or its gem5 does not answer.
    package func problems(_ transport: any Transport) throws -> [Problem] {
        let (target, input) = (host.target, question.script)
        let answer = HostConnections.waiting {
            await HostConnections.ask(
                transport, target, command: "exec /bin/sh -s", input: input, patience: .seconds(300))
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
