import Model

/// The axes that an engine takes.
package struct EngineParameters: Sendable {
    package var known: [EngineParameter]
    /// What other names mean, as in "the path of a parameter below 'system'"; nil: there are no others.
    package var others: String?
    /// Whether a text can be one of these other names; what cannot be one is refused before anything runs.
    package var mayBeOther: @Sendable (_ name: String) -> Bool = { _ in true }
    /// What is to be known of such other names where a run starts from a checkpoint; nil: nothing.
    package var othersAfterRestore: String?

    package init(_ known: [EngineParameter] = [], others: String? = nil, othersAfterRestore: String? = nil) {
        self.known = known
        self.others = others
        self.othersAfterRestore = othersAfterRestore
    }

    /// What is to be known of a point that starts from a checkpoint which was made with another value of an axis; nil:
    /// nothing, as the parameter is set up when the checkpoint is restored.
    package func remark(afterRestoreWith axis: String) -> String? {
        if let known = self[axis] { return known.afterRestore }
        return others == nil ? nil : othersAfterRestore
    }

    /// Whether an axis of this name sets something, as far as that can be told without the engine.
    package func takes(_ name: String) -> Bool { self[name] != nil || others != nil && mayBeOther(name) }

    /// The parameter from which a name that is not known differs by two characters at most, or by one in place of
    /// another; nil: there is none.
    package func lookalike(of name: String) -> String? {
        guard self[name] == nil else { return nil }
        let near = known.map { (name: $0.name, count: name.lowercased().difference(from: $0.name).count) }
        return near.filter { $0.count <= 2 }.min { $0.count < $1.count }?.name
    }

    package subscript(name: String) -> EngineParameter? { known.first { $0.name == name } }
}

/// Something of the modelled machine that an axis can vary.
package struct EngineParameter: Sendable {
    package var name: String
    /// Of its values; empty: it has none.
    package var unit: String
    /// What holds in a sweep without this axis, as one would write it; nil: it depends on the system.
    package var standard: String?
    /// Which values there are, as the end of the sentence "write ...".
    package var values: String
    /// All values, where these are words that can be listed.
    package var choices: [String] = []
    /// A value to try it with where there is no standard; nil: it cannot be tried.
    package var sample: String?
    package var meaning: String
    /// What is to be known where a checkpoint was made with another value; nil: nothing of it is in a checkpoint.
    package var afterRestore: String?
    /// A value in the one form that says what it means, so that two texts with one meaning are one value; nil: it is
    /// not a value.
    package var canonical: @Sendable (_ value: String) -> String?

    package init(
        _ name: String, unit: String = "", standard: String? = nil, values: String, _ meaning: String,
        canonical: @escaping @Sendable (_ value: String) -> String? = { $0 }
    ) {
        self.name = name
        self.unit = unit
        self.standard = standard
        self.values = values
        self.meaning = meaning
        self.canonical = canonical
    }

    package init(_ name: String, choices: [String], _ meaning: String) {
        self.init(name, values: Names.list(choices), meaning)
        self.choices = choices
    }
}

/// A number that a run of an engine gives.
package struct EngineMetric: Sendable, Hashable {
    package var name: String
    package var unit: String
    /// Over counters; nil: it is counted.
    package var formula: String?
    package var meaning: String

    package init(_ name: String, unit: String, formula: String? = nil, _ meaning: String) {
        self.name = name
        self.unit = unit
        self.formula = formula
        self.meaning = meaning
    }
}
