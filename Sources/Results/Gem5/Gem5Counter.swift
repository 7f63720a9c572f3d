/// A counter of the table, and under which of gem5's names it is found: the first pattern that any statistic of a block
/// matches is used, and all that match it are added up.
public struct Gem5Counter: Sendable, Hashable {
    public var name: String
    /// `{core}` stands for the number of the core under test.
    public var patterns: [String]

    init(_ name: String, _ patterns: String...) {
        self.name = name
        self.patterns = patterns
    }

    /// The counters of systems made with gem5's standard library: classic caches, a core of their own a processor.
    /// Everything is about the core under test. Instructions are macro-instructions as committed; a TLB's misses are
    /// those of its first level.
    public static let library: [Gem5Counter] =
        [
            Gem5Counter("ticks", "simTicks"),
            Gem5Counter("cycles", "*.processor.cores{core}.core.numCycles"),
            Gem5Counter(
                "instructions", "*.processor.cores{core}.core.commitStats0.numInsts",
                "*.processor.cores{core}.core.committedInsts",
                "*.processor.cores{core}.core.exec_context.thread_0.numInsts"),
            Gem5Counter("branches", "*.processor.cores{core}.core.branchPred.committed_0::total"),
            Gem5Counter("branch.misses", "*.processor.cores{core}.core.branchPred.mispredicted_0::total"),
        ]
        + ["l1i", "l1d", "l2"].flatMap { cache in
            [
                Gem5Counter("\(cache).accesses", "*.\(cache)-cache-{core}.overallAccesses::total"),
                Gem5Counter("\(cache).misses", "*.\(cache)-cache-{core}.overallMisses::total"),
            ]
        }
        + [
            Gem5Counter("llc.accesses", "*.l3-cache-0.overallAccesses::total", "*.l3cache.overallAccesses::total"),
            Gem5Counter("llc.misses", "*.l3-cache-0.overallMisses::total", "*.l3cache.overallMisses::total"),
            Gem5Counter("itlb.misses", "*.processor.cores{core}.core.mmu.itb.??Misses"),
            Gem5Counter("dtlb.misses", "*.processor.cores{core}.core.mmu.dtb.??Misses"),
        ]
}

extension Gem5Counter {
    /// The statistics that formulas name by patterns, under the patterns themselves.
    static func patterns(of formulas: [MetricFormula]) -> [Gem5Counter] {
        var names: [String] = []
        for name in formulas.flatMap(\.counters) where MetricExpression.isPattern(name) && !names.contains(name) {
            names.append(name)
        }
        return names.map { Gem5Counter($0, String($0.dropFirst().dropLast())) }
    }
}

extension MetricFormula {
    /// What follows from gem5's counters: those of a model that only counts, and those that time gives.
    public static let gem5: [MetricFormula] =
        [
            MetricFormula("cpi", "cycles", per: "instructions"),
            MetricFormula("ipc", "instructions", per: "cycles"),
        ] + model
}

/// Gathers the counters of every complete block of a statistics file.
struct Gem5Blocks: StatisticsVisitor {
    private struct Pattern {
        var counter: Int
        var rank: Int
        var glob: Glob
    }

    private struct Found {
        var rank: Int
        var sum: Sum
    }

    private let counters: [Gem5Counter]
    private let patterns: [Pattern]
    /// What each name gives, for names that were seen: blocks repeat them by the thousand.
    private var known: [[UInt8]: [Int]] = [:]
    private var found: [Found?]
    private(set) var blocks: [Block] = []

    init(_ counters: [Gem5Counter], core: Int) {
        self.counters = counters
        patterns = counters.enumerated().flatMap { index, counter in
            counter.patterns.enumerated().map { rank, text in
                Pattern(counter: index, rank: rank, glob: Glob(text.replacing("{core}", with: String(core))))
            }
        }
        found = Array(repeating: nil, count: counters.count)
    }

    mutating func begin(block: Int) { found = Array(repeating: nil, count: counters.count) }

    mutating func statistic(_ name: RawSpan, _ text: RawSpan, _ value: Double) {
        let key = name.withUnsafeBytes { Array($0) }
        let matching: [Int]
        if let known = known[key] {
            matching = known
        } else {
            matching = patterns.indices.filter { patterns[$0].glob.matches(name) }
            known[key] = matching
        }
        for index in matching {
            let pattern = patterns[index]
            guard let number = Sum([text.text]) else { continue }
            if let earlier = found[pattern.counter], earlier.rank < pattern.rank { continue }
            if let earlier = found[pattern.counter], earlier.rank == pattern.rank {
                found[pattern.counter]?.sum = earlier.sum + number
            } else {
                found[pattern.counter] = Found(rank: pattern.rank, sum: number)
            }
        }
    }

    mutating func end(block: Int) {
        let metrics = zip(counters, found).compactMap { counter, found in
            found.map { Metric(counter.name, $0.sum.text) }
        }
        blocks.append(Block(metrics))
    }
}
