public import Model

/// Which object of a host is read again next, and when: slowly, so that runs do not feel it, and each once in a round,
/// the one that was read longest ago first.
///
/// All are read in the order of their names, around and around: so the name of the last one says how far it is, and
/// nothing else has to survive. What came meanwhile was read when it came.
public struct ScrubPlan: Sendable {
    /// Bytes a second, on average.
    public static let rate: Int64 = 4 << 20
    /// What is read at once, in bytes.
    public static let piece = 1 << 20
    /// What it takes to begin with an object, in bytes that could be read meanwhile.
    static let beginning: Int64 = 64 << 10
    /// From the beginning of a round to that of the next.
    public static let day: Nanoseconds = 86_400_000_000_000

    /// Those of this round that were not read yet.
    private var rest: ArraySlice<Digest> = []
    private let round: Nanoseconds
    private var nextRound: Nanoseconds
    /// The last one that was read.
    public private(set) var position: Digest?
    /// When there is something to read.
    public private(set) var due: Nanoseconds

    /// - Parameters:
    ///   - position: as an earlier one left it; nil: none did.
    ///   - round: from the beginning of a round to that of the next.
    public init(after position: Digest?, round: Nanoseconds = ScrubPlan.day, now: Nanoseconds) {
        self.position = position
        self.round = round
        (nextRound, due) = (now, now)
    }

    /// The object to begin with; nil: none yet.
    ///
    /// - Parameter objects: all that are here.
    public mutating func next(among objects: () -> [Digest], now: Nanoseconds) -> Digest? {
        guard now >= due else { return nil }
        if rest.isEmpty, now >= nextRound {
            nextRound = now + round
            let all = objects().sorted()
            let start = position.flatMap { position in all.firstIndex { $0 > position } } ?? 0
            rest = all[start...] + all[..<start]
        }
        guard let digest = rest.popFirst() else {
            due = nextRound
            return nil
        }
        position = digest
        read(ScrubPlan.beginning, now: now)
        return digest
    }

    /// So many bytes were read.
    public mutating func read(_ bytes: Int64, now: Nanoseconds) {
        due = max(due, now) + bytes * 1_000_000_000 / ScrubPlan.rate
    }
}
