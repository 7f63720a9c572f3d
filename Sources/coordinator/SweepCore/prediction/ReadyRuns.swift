import DequeModule
import Model

/// Limits for the length of runs that a host may begin, in octaves on a host of usual speed; nil: no limit.
struct LengthBounds: Sendable {
    /// What would take longer could not end there.
    var most: Double?
    /// What takes longer is better left to others, unless it has reasons to come first.
    var sensible: Double?
    /// How many runs the host begins first that are as short as possible: they show how fast it is.
    var probes = 0

    /// The highest rank of lengths.
    var mostRank: Int {
        let bounds = [most, sensible].compactMap { $0 }
        return bounds.min().map(ReadyRuns.Rank.of) ?? .max
    }
}

/// Runs that may be waiting, in the order in which they are handed out. An entry may be stale, so the caller checks the
/// phase of the run.
///
/// Setups come first, because other runs wait for them; then runs that failed before, so that problems do not show only
/// at the end of a long sweep; then the first run for each value of an axis, which shows how long such runs take; then
/// the rest, the longest first, so that no long run is begun when all others have ended (Graham: Bounds on
/// multiprocessing timing anomalies, 1969). Runs with about the same predicted time (within a tenth) stay in the order
/// of the specification.
struct ReadyRuns: Sendable {
    /// The places of runs in the order, descending.
    enum Rank {
        static let setup = Int.max
        static let again = Int.max - 1
        static let first = Int.max - 2
        /// All lengths are below it.
        static let longest = 64 * Rank.stepsPerOctave
        static let stepsPerOctave = 8

        static func of(octaves: Double) -> Int {
            Int((min(max(octaves, 0), 63) * Double(stepsPerOctave)).rounded(.down))
        }

        /// nil: it is no length.
        static func octaves(_ rank: Int) -> Double? {
            rank > longest ? nil : (Double(rank) + 0.5) / Double(stepsPerOctave)
        }
    }

    private struct Shelf: Sendable {
        var rank: Int
        var runs: Deque<RunNumber>
    }

    /// By their rank, descending; none is empty between two calls.
    private var shelves: [Shelf] = []

    /// Puts runs behind those of the same rank.
    mutating func append(_ runs: some Collection<RunNumber>, rank: Int) {
        if runs.isEmpty { return }
        shelves[shelf(rank)].runs.append(contentsOf: runs)
    }

    /// Puts a run before those of the same rank.
    mutating func prepend(_ run: RunNumber, rank: Int) { shelves[shelf(rank)].runs.prepend(run) }

    private mutating func shelf(_ rank: Int) -> Int {
        let place = shelves.firstIndex { $0.rank <= rank } ?? shelves.count
        if place < shelves.count, shelves[place].rank == rank { return place }
        shelves.insert(Shelf(rank: rank, runs: []), at: place)
        return place
    }

    /// Takes runs in their order.
    ///
    /// - Parameters:
    ///   - most: the highest rank of lengths; what is no length is never left out.
    ///   - shortestFirst: of lengths, the shortest come first.
    ///   - visit: what to do with the next run: take it, leave it where it is, throw its entry away, or stop.
    mutating func take(most: Int, shortestFirst: Bool = false, _ visit: (RunNumber) -> Choice) {
        var isOver = false
        var shelf = 0
        while shelf < shelves.count, !isOver, !shortestFirst || shelves[shelf].rank > Rank.longest {
            let rank = shelves[shelf].rank
            if rank > Rank.longest || rank <= most { isOver = look(through: shelf, visit) }
            if shelves[shelf].runs.isEmpty { shelves.remove(at: shelf) } else { shelf += 1 }
        }
        guard shortestFirst else { return }
        for last in (shelf..<max(shelf, shelves.count)).reversed() where !isOver && shelves[last].rank <= most {
            isOver = look(through: last, visit)
            if shelves[last].runs.isEmpty { shelves.remove(at: last) }
        }
    }

    /// - Returns: whether to look no further.
    private mutating func look(through shelf: Int, _ visit: (RunNumber) -> Choice) -> Bool {
        var left: [RunNumber] = []
        var isOver = false
        // What is left where it is must not be looked through again and again.
        while left.count < 64, !isOver, let run = shelves[shelf].runs.popFirst() {
            switch visit(run) {
            case .take, .drop: continue
            case .leave: left.append(run)
            case .stop:
                left.append(run)
                isOver = true
            }
        }
        for run in left.reversed() { shelves[shelf].runs.prepend(run) }
        return isOver
    }

    /// Whether there is such a run, as far as ``take(most:_:)`` would look.
    func contains(most: Int, _ isWanted: (RunNumber) -> Bool) -> Bool {
        shelves.contains { shelf in
            (shelf.rank > Rank.longest || shelf.rank <= most) && shelf.runs.prefix(64).contains(where: isWanted)
        }
    }

    enum Choice { case take, leave, drop, stop }

    /// The longest length, in octaves; nil: there is none.
    var longest: Double? {
        shelves.lazy.compactMap { Rank.octaves($0.rank) }.first
    }

    /// The lengths on the shelves: how many entries have which, descending; ranks that are no lengths included.
    var counts: [(rank: Int, count: Int)] { shelves.map { ($0.rank, $0.runs.count) } }
}
