/// A counter of the table, and under which of gem5's names it is found: the first pattern that any statistic of a block
/// matches is used, and all that match it are added up.
public struct Gem5Counter: Sendable, Hashable {
    public var name: String
    /// `{core}` stands for the number of the core under test.
    public var patterns: [String]
    /// How many statistics of a block make it up; nil: as many as match. One that is lost must not look like a zero.
    var parts: Int?
    /// It is only there to check others.
    var isAid = false

    init(_ name: String, _ patterns: [String], parts: Int? = 1) {
        self.name = name
        self.patterns = patterns
        self.parts = parts
    }

    /// The counters of systems with classic caches, made by the package `ops/gem5` (names as in vSwarm-u) or with
    /// gem5's standard library (a core of their own a processor). Everything is about the core under test. Instructions
    /// are macro-instructions as committed; a TLB's misses are those of its first level.
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
            counters += Gem5Cache.counters(name) { core("\(object).\($0)") + ["*.\(name)-cache-{core}.\($0)"] }
        }
        counters += Gem5Cache.counters("llc") { statistic in
            ["llc", "l3cache", "l3-cache-0"].map { "*.\($0).\(statistic)" }
        }
        // Of reads and of writes.
        counters.append(Gem5Counter("itlb.misses", core("mmu.itb.??Misses"), parts: 2))
        counters.append(Gem5Counter("dtlb.misses", core("mmu.dtb.??Misses"), parts: 2))
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
        return names.map { Gem5Counter($0, [String($0.dropFirst().dropLast())], parts: nil) }
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
