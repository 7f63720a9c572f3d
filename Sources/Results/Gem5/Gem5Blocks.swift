import Model

/// Gathers the counters of every complete block of a statistics file.
struct Gem5Blocks: StatisticsVisitor {
    private struct Pattern {
        var counter: Int
        var rank: Int
        var glob: Glob
    }

    private struct Found {
        var rank: Int
        var parts: Int
        /// nil: one of its parts is not finite.
        var sum: Sum?
    }

    /// What a name gives.
    private struct Known {
        var patterns: [Int]
        /// The last block that had it.
        var block = 0
    }

    private let counters: [Gem5Counter]
    private let caches: [Gem5Cache]
    private let patterns: [Pattern]
    /// Names that were seen: blocks repeat them by the thousand.
    private var known: [[UInt8]: Known] = [:]
    private var found: [Found?]
    /// Under which of its names each counter is found: blocks of one file do not differ there.
    private var ranks: [Int?]
    private var block = 0
    private(set) var blocks: [Block] = []
    /// What cannot be in the statistics of any gem5; the first, if any.
    private(set) var problem: String?

    init(_ counters: [Gem5Counter], core: Int) {
        self.counters = counters
        caches = Gem5Cache.names.compactMap { Gem5Cache($0, in: counters) }
        patterns = counters.enumerated().flatMap { index, counter in
            counter.patterns.enumerated().map { rank, text in
                Pattern(counter: index, rank: rank, glob: Glob(text.replacing("{core}", with: String(core))))
            }
        }
        found = Array(repeating: nil, count: counters.count)
        ranks = Array(repeating: nil, count: counters.count)
    }

    mutating func begin(block: Int) {
        self.block = block
        found = Array(repeating: nil, count: counters.count)
    }

    mutating func statistic(_ name: RawSpan, _ text: RawSpan, _ value: Double) {
        let key = name.withUnsafeBytes { Array($0) }
        let matching: [Int]
        if let known = known[key] {
            matching = known.patterns
            guard !matching.isEmpty else { return }
            if known.block == block { note("\(name.text) is there twice") }
        } else {
            matching = patterns.indices.filter { patterns[$0].glob.matches(name) }
            known[key] = Known(patterns: matching)
        }
        guard !matching.isEmpty else { return }
        known[key]?.block = block
        let number = Sum([text.text])
        for index in matching { add(number, patterns[index], name) }
    }

    private mutating func add(_ number: Sum?, _ pattern: Pattern, _ name: RawSpan) {
        if counters[pattern.counter].parts != nil, let number, number.value < 0 {
            note("\(name.text) is negative")
        }
        if let earlier = found[pattern.counter], earlier.rank <= pattern.rank {
            guard earlier.rank == pattern.rank else { return }
            let sum = earlier.sum.flatMap { sum in number.map { sum + $0 } }
            found[pattern.counter] = Found(rank: pattern.rank, parts: earlier.parts + 1, sum: sum)
        } else {
            found[pattern.counter] = Found(rank: pattern.rank, parts: 1, sum: number)
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
        for cache in caches where !cache.settle(&values) {
            note("hits and misses of \(cache.name) do not add up to its accesses")
        }
        let metrics = zip(counters, values).compactMap { counter, value in
            counter.isAid ? nil : value.map { Metric(counter.name, $0.text) }
        }
        blocks.append(Block(metrics))
    }
}
