public import Model

/// A metric of a block: a name, and a number as the program wrote it.
public struct Metric: Sendable, Hashable {
    public var name: String
    /// A number in JSON's grammar.
    public var value: String

    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// What one measured invocation gave, or a program that knows no invocations.
public struct Block: Sendable, Hashable {
    /// In the order of the source; names are different.
    public var metrics: [Metric]

    public init(_ metrics: [Metric]) { self.metrics = metrics }

    /// The value of a metric, derived metrics not included.
    public subscript(name: String) -> String? { metrics.first { $0.name == name }?.value }
}

/// The measured blocks of a run, in order.
public struct Blocks: Sendable, Hashable {
    public var blocks: [Block]

    public init(_ blocks: [Block]) { self.blocks = blocks }

    /// A list of objects, one a block: how a ledger keeps them.
    public var json: JSON {
        .array(blocks.map { .object($0.metrics.map { JSON.Member($0.name, .number($0.value)) }) })
    }

    /// - Throws: ``Failure`` (`badArchive`) for anything that ``json`` does not give.
    public init(_ json: JSON) throws {
        guard let elements = json.elements else { throw Blocks.damaged }
        blocks = try elements.map { element in
            guard case .object(let members) = element else { throw Blocks.damaged }
            return Block(
                try members.map { member in
                    guard case .number(let value) = member.value else { throw Blocks.damaged }
                    return Metric(member.name, value)
                })
        }
    }

    private static var damaged: Failure { Failure(.badArchive, "stored blocks are not a list of objects of numbers") }
}
