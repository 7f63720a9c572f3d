import Model
import Results

/// A cache among the counters. gem5 leaves out counts that are zero (`nozero`), and what it left out looks like what
/// was lost: only accesses, hits and misses together tell which.
struct Gem5Cache {
    static let names = ["l1i", "l1d", "l2", "llc"]

    let name: String
    private let accesses: Int
    private let misses: Int
    private let hits: Int
    private let replacements: Int

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
    }

    /// Puts zeros where gem5 left them out.
    ///
    /// - Parameter values: of the counters; nil: not there.
    /// - Returns: whether the three counts agree.
    func settle(_ values: inout [Sum?]) -> Bool {
        let zero = Sum(0)
        let counts = [accesses, misses, hits].map { values[$0] }
        guard values[replacements] != nil || counts.contains(where: { $0 != nil }) else { return true }
        let sum = (counts[1] ?? zero) + (counts[2] ?? zero)
        guard (counts[0] ?? zero).text == sum.text else { return false }
        for index in [accesses, misses] { values[index] = values[index] ?? zero }
        return true
    }
}
