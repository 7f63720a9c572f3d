/// A counter of the table, and under which of gem5's names it is found: the first pattern that any statistic of a block
/// matches is used, and all that match it are added up.
struct Gem5Counter: Sendable, Hashable {
    var name: String
    var patterns: [String]

    init(_ name: String, _ patterns: [String]) {
        self.name = name
        self.patterns = patterns
    }

    /// The counters of systems with classic caches, made by the package `ops/gem5` (names as in vSwarm-u) or with
    /// gem5's standard library (a core of their own a processor). Everything is about the core under test: what a
    /// driving node has under the same names does not count. Instructions are macro-instructions as committed; a TLB's
    /// misses are those of its first level.
    static func library(core: Int) -> [Gem5Counter] {
        /// Statistics of the core, under both names that it may have.
        func own(_ statistics: String...) -> [String] {
            statistics.flatMap { ["*.cpu\(core).\($0)", "*.processor.cores\(core).core.\($0)"] }
        }
        var counters = [
            Gem5Counter("ticks", ["simTicks"]), Gem5Counter("cycles", own("numCycles")),
            // Statistics of committed instructions have a group of their own since gem5 23.0.
            Gem5Counter(
                "instructions", own("commitStats0.numInsts", "committedInsts", "exec_context.thread_0.numInsts")),
            Gem5Counter("branches", own("branchPred.committed_0::total", "commit.branches")),
            Gem5Counter("branch.misses", own("branchPred.mispredicted_0::total", "commit.branchMispredicts")),
        ]
        for (name, object) in [("l1i", "icache"), ("l1d", "dcache"), ("l2", "l2cache")] {
            for what in ["Accesses", "Misses"] {
                let library = "*.\(name)-cache-\(core).overall\(what)::total"
                counters.append(
                    Gem5Counter("\(name).\(what.lowercased())", own("\(object).overall\(what)::total") + [library]))
            }
        }
        for what in ["Accesses", "Misses"] {
            let patterns = ["llc", "l3cache", "l3-cache-0"].map { "*.\($0).overall\(what)::total" }
            counters.append(Gem5Counter("llc.\(what.lowercased())", patterns))
        }
        counters.append(Gem5Counter("itlb.misses", own("mmu.itb.??Misses")))
        counters.append(Gem5Counter("dtlb.misses", own("mmu.dtb.??Misses")))
        return counters
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
    private struct Place {
        var counter: Int
        var rank: Int
        /// Whether it may find a statistic of a driving node: only where it asks for one.
        var isDriving: Bool
    }

    private struct Found {
        var rank: Int
        var sum: Sum
    }

    private let counters: [Gem5Counter]
    /// Of every pattern, whose it is, and its place among that one's.
    private let places: [Place]
    private let patterns: GlobSet
    private var found: [Found?]
    private(set) var blocks: [Block] = []

    init(_ counters: [Gem5Counter]) {
        self.counters = counters
        places = counters.enumerated().flatMap { index, counter in
            counter.patterns.enumerated().map { rank, text in
                Place(counter: index, rank: rank, isDriving: Gem5Machines.isDriving(text))
            }
        }
        patterns = GlobSet(counters.flatMap(\.patterns).map(Glob.init))
        found = Array(repeating: nil, count: counters.count)
    }

    mutating func begin(block: Int) { found = Array(repeating: nil, count: counters.count) }

    mutating func statistic(_ name: RawSpan, _ text: RawSpan, _ value: Double) {
        patterns.forEachMatch(name) { index in
            let place = places[index]
            guard place.isDriving == Gem5Machines.isDriving(name.text), let number = Sum([text.text]) else { return }
            if let earlier = found[place.counter], earlier.rank < place.rank { return }
            if let earlier = found[place.counter], earlier.rank == place.rank {
                found[place.counter]?.sum = earlier.sum + number
            } else {
                found[place.counter] = Found(rank: place.rank, sum: number)
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
