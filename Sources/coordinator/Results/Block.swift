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

    /// The same for all names at once.
    var byName: [String: String] {
        Dictionary(metrics.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
    }
}

/// The measured blocks of a run, in order.
public struct Blocks: Sendable, Hashable {
    public var blocks: [Block]

    public init(_ blocks: [Block]) { self.blocks = blocks }

    /// How a ledger keeps them: a list of objects, one a block, numbers with their source text.
    public var text: ResultText {
        var out = "["
        for (index, block) in blocks.enumerated() {
            out += index > 0 ? ",{" : "{"
            for (index, metric) in block.metrics.enumerated() {
                if index > 0 { out += "," }
                JSON.write(metric.name, to: &out)
                out += ":"
                out += metric.value
            }
            out += "}"
        }
        out += "]"
        return ResultText(out)
    }

    /// - Throws: ``Failure`` (`badArchive`) for anything that ``text`` does not give.
    public init(_ result: ResultText) throws {
        guard let elements = (try? JSON(parsing: result.text))?.elements else { throw Blocks.damaged }
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
