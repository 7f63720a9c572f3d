/// A counter of the table, and under which of gem5's names it is found: the first pattern that any statistic of a block
/// matches is used, and all that match it are added up.
public struct Gem5Counter: Sendable, Hashable {
    public var name: String
    /// `{core}` stands for the number of the core under test.
    public var patterns: [String]

    init(_ name: String, _ patterns: [String]) {
        self.name = name
        self.patterns = patterns
    }

    /// The counters of systems with classic caches, made by the package `ops/gem5` (names as in vSwarm-u) or with
    /// gem5's standard library (a core of their own a processor). Everything is about the core under test: what a
    /// driving node has under the same names does not count. Instructions are macro-instructions as committed; a TLB's
    /// misses are those of its first level.
    public static let library: [Gem5Counter] = {
        var counters = [
            Gem5Counter("ticks", ["simTicks"]), Gem5Counter("cycles", core("numCycles")),
            // Statistics of committed instructions have a group of their own since gem5 23.0.
            Gem5Counter(
                "instructions", core("commitStats0.numInsts", "committedInsts", "exec_context.thread_0.numInsts")),
            Gem5Counter("branches", core("branchPred.committed_0::total", "commit.branches")),
            Gem5Counter("branch.misses", core("branchPred.mispredicted_0::total", "commit.branchMispredicts")),
        ]
        for (name, object) in [("l1i", "icache"), ("l1d", "dcache"), ("l2", "l2cache")] {
            for what in ["Accesses", "Misses"] {
                let ours = core("\(object).overall\(what)::total")
                let library = "*.\(name)-cache-{core}.overall\(what)::total"
                counters.append(Gem5Counter("\(name).\(what.lowercased())", ours + [library]))
            }
        }
        for what in ["Accesses", "Misses"] {
            let patterns = ["llc", "l3cache", "l3-cache-0"].map { "*.\($0).overall\(what)::total" }
            counters.append(Gem5Counter("llc.\(what.lowercased())", patterns))
        }
        counters.append(Gem5Counter("itlb.misses", core("mmu.itb.??Misses")))
        counters.append(Gem5Counter("dtlb.misses", core("mmu.dtb.??Misses")))
        return counters
    }()

    /// Statistics of the core under test, under both names that it may have.
    private static func core(_ statistics: String...) -> [String] {
        statistics.flatMap { ["*.cpu{core}.\($0)", "*.processor.cores{core}.core.\($0)"] }
    }
}

extension Gem5Counter {
    /// The statistics that formulas name by patterns, under the patterns themselves.
    static func patterns(of formulas: [MetricFormula]) -> [Gem5Counter] {
        var names: [String] = []
        for name in formulas.flatMap(\.counters) where MetricExpression.isPattern(name) && !names.contains(name) {
            names.append(name)
        }
        return names.map { Gem5Counter($0, [String($0.dropFirst().dropLast())]) }
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
        /// Whether it may find a statistic of a driving node: only where it asks for one.
        var isDriving: Bool
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
                Pattern(
                    counter: index, rank: rank, glob: Glob(text.replacing("{core}", with: String(core))),
                    isDriving: Gem5Machines.isDriving(text))
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
            let isDriving = Gem5Machines.isDriving(name.text)
            matching = patterns.indices.filter {
                patterns[$0].isDriving == isDriving && patterns[$0].glob.matches(name)
            }
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
