import Model
import Results

/// A cache among the counters. gem5 leaves out counts that are zero (`nozero`), and what it left out looks like what
/// was lost: only accesses, hits and misses together tell which.
struct Gem5Cache {
    /// Each after those that it serves.
    static let names = ["l1i", "l1d", "l2", "llc"]
    /// What may still have been on its way when the counts were reset; more than any core can wait for.
    private static let mostUnderWay = 256.0

    let name: String
    private let accesses: Int
    private let misses: Int
    private let hits: Int
    private let replacements: Int
    /// The misses of the caches whose misses come here: those of a level, the nearest one first.
    private let missesAbove: [[Int]]

    /// - Parameter patterns: where a cache's statistic of some name may be found.
    static func counters(_ name: String, _ patterns: (String) -> [String]) -> [Gem5Counter] {
        var counters = ["Accesses", "Misses", "Hits"].map {
            Gem5Counter("\(name).\($0.lowercased())", patterns("overall\($0)::total"))
        }
        // Is never left out: a block that has it has the cache.
        counters.append(Gem5Counter("\(name).replacements", patterns("replacements")))
        for index in 2...3 { counters[index].isAid = true }
        return counters
    }

    /// nil: it is not among the counters.
    init?(_ name: String, in counters: [Gem5Counter]) {
        func index(_ what: String) -> Int? { counters.firstIndex { $0.name == "\(name).\(what)" } }
        guard let accesses = index("accesses"), let misses = index("misses"), let hits = index("hits"),
            let replacements = index("replacements")
        else { return nil }
        self.name = name
        self.accesses = accesses
        self.misses = misses
        self.hits = hits
        self.replacements = replacements
        let levels: [[String]] =
            switch name {
            case "llc": [["l2"], ["l1i", "l1d"]]
            case "l2": [["l1i", "l1d"]]
            default: []
            }
        missesAbove = levels.map { level in
            level.compactMap { cache in counters.firstIndex { $0.name == "\(cache).misses" } }
        }
    }

    /// Puts zeros where gem5 left them out.
    ///
    /// - Parameter values: of the counters; nil: not there. Those of the caches that it serves are settled.
    /// - Returns: what cannot be; nil: nothing.
    func settle(_ values: inout [Sum?]) -> String? {
        let zero = Sum(0)
        let counts = [accesses, misses, hits].map { values[$0] }
        let isCounted = counts.contains { $0 != nil }
        guard values[replacements] != nil || isCounted else { return nil }
        guard isCounted || !isUsed(values) else {
            return "\(name) has neither hits nor misses, though it was used: their lines are lost"
        }
        let sum = (counts[1] ?? zero) + (counts[2] ?? zero)
        guard (counts[0] ?? zero).text == sum.text else {
            return "hits and misses of \(name) do not add up to its accesses"
        }
        for index in [accesses, misses] { values[index] = values[index] ?? zero }
        return nil
    }

    /// Whether others tell that there must have been accesses: what it replaced, or what the caches before it missed.
    private func isUsed(_ values: [Sum?]) -> Bool {
        if let replaced = values[replacements], replaced.value > Gem5Cache.mostUnderWay { return true }
        let nearest = missesAbove.lazy.map { level in level.compactMap { values[$0] } }.first { !$0.isEmpty } ?? []
        return nearest.reduce(0) { $0 + $1.value } > Gem5Cache.mostUnderWay
    }
}
