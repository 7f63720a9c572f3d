import Model

/// A block with where it stands, and with members that are not numbers.
package struct FoundBlock {
    /// As a message has it: "results.csv:3".
    package var place: String
    package var block: Block
    /// Members of other kinds, with what they are.
    package var others: [(name: String, what: String)] = []

    package init(place: String, block: Block) {
        self.place = place
        self.block = block
    }
}

/// Which metrics a result must have: in every block and over all of them, finite.
package struct MetricRule {
    private let required: [String]
    private let formulas: [MetricFormula]
    private let columns: [String]

    /// - Parameters:
    ///   - required: those that are asked for, and those that the sweep defines.
    ///   - columns: names that the tables use, which no metric can have.
    package init(_ required: [String], _ formulas: [MetricFormula], columns: [String] = []) {
        self.required = required
        self.formulas = formulas
        self.columns = columns
    }

    /// Every block must have every metric, and so must the run as a whole.
    package func check(_ blocks: [FoundBlock]) throws(Breach) {
        if blocks.isEmpty, let name = required.first {
            throw Breach("the metric '\(name)' is asked for, but the run leaves no results; write 'results: FILE'")
        }
        for found in blocks {
            let names = Set(Blocks([found.block]).metrics(formulas).map(\.name))
            for name in required where !names.contains(name) && !isUndefined(name, [found.block]) {
                throw Breach("\(found.place): \(why(name, found, names, formulas[...]))")
            }
            for formula in formulas where formula.isOwn && found.block[formula.name] != nil {
                let advice = "give the one in 'define' another name"
                throw Breach("\(found.place): the run gives '\(formula.name)' itself; \(advice)")
            }
        }
        // A run of one block has what its block has.
        guard blocks.count > 1 else { return }
        let names = Set(Blocks(blocks.map(\.block)).metrics(formulas).map(\.name))
        for name in required where !names.contains(name) && !isUndefined(name, blocks.map(\.block)) {
            throw Breach("the metric '\(name)' has no finite value over all blocks (\(blocks.count))")
        }
    }

    /// Whether an engine's ratio has no value since there is nothing to relate.
    private func isUndefined(_ name: String, _ blocks: [Block]) -> Bool {
        guard let formula = formulas.first(where: { $0.name == name }), let divisor = formula.optionalDivisor else {
            return false
        }
        return blocks.allSatisfy { block in
            formula.counters.allSatisfy { block[$0] != nil } && block[divisor].flatMap(Double.init) == 0
        }
    }

    /// - Parameter formulas: those that may give it: a formula uses only those before it.
    private func why(
        _ name: String, _ found: FoundBlock, _ names: Set<String>, _ formulas: ArraySlice<MetricFormula>
    ) -> String {
        let metric = "the metric '\(VisibleText.of(name))'"
        if columns.contains(name) { return "\(metric) has the name of a column; rename it" }
        if let other = found.others.first(where: { $0.name == name }) {
            return "\(metric) is \(other.what), not a finite number"
        }
        if let index = formulas.firstIndex(where: { $0.name == name }) {
            let formula = formulas[index]
            let missing = formula.counters.first { !names.contains($0) }
            let reason = missing.map { why($0, found, names, formulas[..<index]) }
            return "\(metric) (\(formula.text)) cannot be computed: \(reason ?? "it divides by 0, or is too large")"
        }
        if name.hasPrefix("\"") { return "no statistic with a finite value matches \(name)" }
        let nearest = Names.nearest(to: name, in: names.sorted()).map { "; did you mean '\(VisibleText.of($0))'?" }
        return "\(metric) is missing\(nearest ?? "")"
    }
}
