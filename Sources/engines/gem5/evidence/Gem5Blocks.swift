import Model
import Results

/// Gathers the counters of every complete block of a statistics file.
struct Gem5Blocks: StatisticsVisitor {
    /// Whose a pattern is, and its place among that one's.
    private struct Place {
        var counter: Int
        var rank: Int
        /// Whether it may find a statistic of a driving node: only where it asks for one.
        var isDriving: Bool
    }

    private struct Found {
        var rank: Int
        var parts: Int
        /// nil: one of its parts is not finite.
        var sum: Sum?
    }

    private let counters: [Gem5Counter]
    private let caches: [Gem5Cache]
    private let patterns: GlobSet
    /// Of every pattern.
    private let places: [Place]
    /// The patterns that a name matches.
    private var matching: [Int] = []
    /// The last block that had a name, of those that match.
    private var seen: [[UInt8]: Int] = [:]
    private var found: [Found?]
    /// Under which of its names each counter is found: blocks of one file do not differ there.
    private var ranks: [Int?]
    private var block = 0
    private(set) var blocks: [Block] = []
    /// The counters of each block that are only there to check others.
    private(set) var aids: [Block] = []
    /// The core that was looked at, by its path; nil: there is none that fits.
    private(set) var core: String?
    /// What cannot be in the statistics of any gem5; the first, if any.
    private(set) var problem: String?

    init(_ counters: [Gem5Counter]) {
        self.counters = counters
        caches = Gem5Cache.names.compactMap { Gem5Cache($0, in: counters) }
        patterns = GlobSet(counters.flatMap(\.alternatives).joined().map(Glob.init))
        places = counters.enumerated().flatMap { index, counter in
            counter.alternatives.enumerated().flatMap { rank, patterns in
                patterns.map { Place(counter: index, rank: rank, isDriving: Gem5Machines.isDriving($0)) }
            }
        }
        found = Array(repeating: nil, count: counters.count)
        ranks = Array(repeating: nil, count: counters.count)
    }

    /// The counters of a core under test, and what users' own metrics name beside them.
    init(_ core: Gem5Core, _ formulas: [MetricFormula]) {
        self.init(Gem5Counter.library(core) + Gem5Counter.patterns(of: formulas))
    }

    /// Takes in a file of statistics.
    ///
    /// - Parameter most: after so many blocks it is not read on.
    /// - Throws: ``Breach`` for a file that gem5 does not write.
    mutating func read(_ path: String, _ files: EvidenceFiles, most: Int = .max) throws {
        var scanner = StatisticsScanner()
        try files.forEachPiece(path) { piece in
            scanner.scan(piece.span.bytes, &self)
            return problem == nil && blocks.count <= most
        }
        scanner.finish(&self)
        if let complaint = scanner.complaint ?? problem { throw Breach("\(path): \(complaint)") }
    }

    mutating func begin(block: Int) {
        self.block = block
        found = Array(repeating: nil, count: counters.count)
    }

    mutating func statistic(_ name: RawSpan, _ text: RawSpan, _ value: Double) {
        matching.removeAll(keepingCapacity: true)
        patterns.forEachMatch(name) { matching.append($0) }
        guard !matching.isEmpty else { return }
        if seen.updateValue(block, forKey: name.withUnsafeBytes { Array($0) }) == block {
            note("\(name.text) is given twice")
        }
        let isDriving = Gem5Machines.isDriving(name.text)
        let number = Sum([text.text])
        for index in matching where places[index].isDriving == isDriving { add(number, places[index], name) }
    }

    private mutating func add(_ number: Sum?, _ place: Place, _ name: RawSpan) {
        if counters[place.counter].parts != nil, let number, number.value < 0 {
            note("\(name.text) is negative")
        }
        if core == nil, counters[place.counter].name == Gem5Core.witness {
            core = String(name.text.dropLast(Gem5Core.statistic.utf8.count + 1))
        }
        if let earlier = found[place.counter], earlier.rank <= place.rank {
            guard earlier.rank == place.rank else { return }
            let sum = earlier.sum.flatMap { sum in number.map { sum + $0 } }
            found[place.counter] = Found(rank: place.rank, parts: earlier.parts + 1, sum: sum)
        } else {
            found[place.counter] = Found(rank: place.rank, parts: 1, sum: number)
        }
    }

    private mutating func note(_ problem: String) {
        if self.problem == nil { self.problem = "block \(block): \(problem)" }
    }

    mutating func end(block: Int) {
        var values = zip(counters, found).map { counter, found in
            counter.parts.map { $0 == found?.parts } ?? true ? found?.sum : nil
        }
        for (index, found) in found.enumerated() {
            guard let found else { continue }
            if let rank = ranks[index], rank != found.rank {
                note("\(counters[index].name) has another source than before")
            }
            ranks[index] = found.rank
        }
        for cache in caches {
            if let problem = cache.settle(&values) { note(problem) }
        }
        let told = zip(counters, values).filter { $1?.value.isFinite == true }
        func counted(areAids: Bool) -> Block {
            Block(told.filter { $0.0.isAid == areAids }.compactMap { counter, value in
                value.map { Metric(counter.name, $0.text) }
            })
        }
        blocks.append(counted(areAids: false))
        aids.append(counted(areAids: true))
    }

    /// Adds to every block how wide the core is, where it is one that has rename's counters.
    mutating func addWidth(_ configuration: Gem5Configuration) {
        guard blocks.contains(where: { $0["renamed"] != nil }),
            let width = core.flatMap({ Gem5TopDown.width(of: $0, configuration) })
        else { return }
        for place in blocks.indices { blocks[place].metrics.append(Metric(Gem5TopDown.width, String(width))) }
    }
}
