/// One respect in which a checkpoint differs from what a sweep expects.
public struct CheckpointDifference: Sendable, Hashable {
    /// As in `kernel` or `file m5.cpt`.
    public var item: String
    /// What the checkpoint has; a digest in hexadecimal, or words.
    public var found: String
    public var expected: String

    public init(_ item: String, found: String, expected: String) {
        self.item = item
        self.found = found
        self.expected = expected
    }

    /// As in "its kernel is 91f0c2a4b6d8, not 0af3c1e2d4b6".
    public var sentence: String {
        func shown(_ text: String) -> String { Digest(hex: text)?.short ?? VisibleText.of(text, limit: 200) }
        let verb = ["cores", "machines"].contains(item) ? "are" : "is"
        return "its \(VisibleText.of(item, limit: 200)) \(verb) \(shown(found)), not \(shown(expected))"
    }

    /// As a part of the identity of points: no two run together.
    var identity: String {
        [item, found, expected].map { " \($0.utf8.count):\($0)" }.joined()
    }
}

extension [CheckpointDifference] {
    public var sentence: String { map(\.sentence).joined(separator: "; ") }
}

/// A checkpoint that does not fit, but that evaluations of a workload start from because of `--force`.
public struct ForcedCheckpoint: Sendable, Hashable {
    public var workload: String
    /// At least one.
    public var differences: [CheckpointDifference]

    public init(workload: String, differences: [CheckpointDifference]) {
        self.workload = workload
        self.differences = differences
    }
}

extension Sweep {
    /// What does not fit of the checkpoint that a workload's results start from; nil: it fits, as far as is known.
    public func forced(_ workload: String?) -> String? {
        forced.first { $0.workload == workload }?.differences.sentence
    }
}
