import Model

/// All engines of this program. Whoever adds one adds a folder beside this file, and a line here.
package enum EngineRegistry {
    package static let all: [any EngineDescriptor] = [
        Gem5Descriptor(),
        QEMUDescriptor(),
        CommandDescriptor(),
    ]

    package static var names: [String] { all.map(\.name) }

    /// The engines that offer something, with what they offer.
    package static func offers<Offer>(
        _ offer: (any EngineDescriptor) -> Offer?
    ) -> [(engine: String, offer: Offer)] {
        all.compactMap { engine in offer(engine).map { (engine.name, $0) } }
    }

    /// - Throws: ``Failure`` (`badSpecification`) that names the nearest engine.
    package static func find(_ name: String) throws -> any EngineDescriptor {
        if let found = all.first(where: { $0.name == name }) { return found }
        throw Failure(
            .badSpecification, "there is no engine '\(Names.shown(name))'; \(Names.suggestion(name, in: names))")
    }
}
