package import Model
package import Results

/// Everything that can change a result and is the same for all points, as canonical text: the part of a point's
/// identity that ``Points`` needs beside workload and parameters.
///
/// One item a line, `NAME LENGTH:TEXT` with the length in bytes, so that no two recipes run together; lists are
/// preceded by their count. An item that only newer sweeps have is written where it is there, and so the text of older
/// ones stays. Left out on purpose: the sweep's name, limits, retries, metrics and axes, since they change no result of
/// a point; the number of repeats, which counts runs; what is pinned at launch (engine binary, guest, checkpoint) and
/// recorded there. Which of several checkpoints a point starts from is in its own part of the identity.
package struct Recipe {
    package private(set) var text = "usweep recipe 1\n"

    package mutating func item(_ name: String, _ value: String) { text += "\(name) \(value.utf8.count):\(value)\n" }

    package mutating func list(_ name: String, _ values: [String]) {
        text += "\(name)s \(values.count)\n"
        for value in values { item(name, value) }
    }

    /// What ends a run early changes how much is measured. The engine's own formulas do not change.
    fileprivate mutating func until(_ rule: StoppingRule) {
        item("until", rule.precision.metric)
        item("interval", String(rule.precision.interval))
        item("confidence", String(rule.precision.confidence))
        for formula in rule.formulas { item("formula", "\(formula.name) = \(formula.text)") }
    }

    /// Those that all points need; the others are part of the digests of theirs.
    fileprivate mutating func inputs(_ inputs: [InputFile]) {
        let ofAll = inputs.filter(\.only.isEmpty)
        let files = ofAll.sorted { Array($0.path.utf8).lexicographicallyPrecedes(Array($1.path.utf8)) }
        text += "inputs \(files.count)\n"
        for file in files {
            item(file.isExecutable ? "program" : "file", file.path)
            item("digest", file.digest.hex)
        }
    }
}

extension Sweep {
    /// The text of its ``Recipe``.
    ///
    /// - Throws: ``Failure`` for an engine that this program does not have.
    package var recipe: String {
        get throws {
            var recipe = Recipe()
            recipe.item("engine", engine)
            try EngineRegistry.find(engine).write(settings, to: &recipe)
            recipe.item("warm", String(measure.warm))
            recipe.item("invocations", String(measure.invocations))
            if let setup = measure.setupInvocations { recipe.item("setup", String(setup)) }
            if let until = StoppingRule(of: self, []) { recipe.until(until) }
            recipe.inputs(inputs)
            if !environment.isEmpty {
                let sorted = environment.sorted { $0.name < $1.name }
                recipe.list("variable", sorted.map { "\($0.name)=\($0.value)" })
            }
            return recipe.text
        }
    }

    /// The formulas of a sweep: those for the counters of its engine, then its own.
    package var formulas: [MetricFormula] {
        get throws { try EngineRegistry.find(engine).formulas + MetricFormula.own(of: self) }
    }
}
