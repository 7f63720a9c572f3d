import Model
package import Results

/// A counter of the table, and under which of gem5's names it is found: the first alternative that any statistic of a
/// block matches is used, and all that match it are added up.
struct Gem5Counter: Sendable, Hashable {
    var name: String
    /// Each some patterns.
    var alternatives: [[String]]
    /// How many statistics of a block make it up; nil: as many as match. One that is lost must not look like a zero.
    var parts: Int?
    /// It is only there to check others.
    var isAid = false

    init(_ name: String, alternatives: [[String]], parts: Int? = 1) {
        self.name = name
        self.alternatives = alternatives
        self.parts = parts
    }

    init(_ name: String, _ patterns: [String], parts: Int? = 1) {
        self.init(name, alternatives: patterns.map { [$0] }, parts: parts)
    }

    /// The tick at which a block was written, which is never reset, and how many ticks a second has: gem5's names.
    static let finalTick = "finalTick"
    static let frequency = "simFreq"

    /// The counters of systems with classic caches, made by the package `ops/gem5` (names as in vSwarm-u) or with
    /// gem5's standard library (a core of their own a processor). Everything is about the core under test: what a
    /// driving node has under the same names does not count. Instructions are macro-instructions as committed; a TLB's
    /// misses are those of its first level.
    static func library(_ core: Gem5Core) -> [Gem5Counter] {
        /// Statistics of the core, under all names that it may have.
        func own(_ statistics: String...) -> [String] {
            statistics.flatMap { statistic in core.paths.map { "\($0).\(statistic)" } }
        }
        var counters = [
            Gem5Counter("ticks", ["simTicks"]), Gem5Counter(Gem5Core.witness, own(Gem5Core.statistic)),
            // Names moved: those of 24 come first, then what 23.0 and 22 have.
            Gem5Counter(
                "instructions",
                own(
                    "commitStats0.numInsts", "commit.instsCommitted", "committedInsts",
                    "exec_context.thread_0.numInsts", "numInsts")),
            Gem5Counter(
                "branches",
                own(
                    "branchPred.committed_0::total", "commitStats0.committedControl::IsControl", "commit.branches",
                    "exec_context.thread_0.numBranches")),
            // Before 23.1 of the branches that reached execution, since then of those that were committed.
            Gem5Counter(
                "branch.misses",
                own(
                    "branchPred.mispredicted_0::total", "commit.branchMispredicts",
                    "exec_context.thread_0.numBranchMispred")),
        ]
        for name in [Gem5Counter.finalTick, Gem5Counter.frequency] {
            var counter = Gem5Counter(name, [name])
            counter.isAid = true
            counters.append(counter)
        }
        for (name, object) in [("l1i", "icache"), ("l1d", "dcache"), ("l2", "l2cache")] {
            counters += Gem5Cache.counters(name) { statistic in
                own("\(object).\(statistic)") + core.numbers.map { "*.\(name)-cache-\($0).\(statistic)" }
            }
        }
        counters += Gem5Cache.counters("llc") { statistic in
            ["llc", "l3cache", "l3-cache-0"].map { "*.\($0).\(statistic)" }
        }
        // Of reads and of writes.
        counters.append(Gem5Counter("itlb.misses", own("mmu.itb.??Misses"), parts: 2))
        counters.append(Gem5Counter("dtlb.misses", own("mmu.dtb.??Misses"), parts: 2))
        counters += Gem5TopDown.counters { own($0) }
        counters += Gem5Mix.counters { own($0) }
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
        return names.map { Gem5Counter($0, [String($0.dropFirst().dropLast())], parts: nil) }
    }
}

extension MetricFormula {
    /// What follows from gem5's counters: those of a model that only counts, and those that time gives.
    package static let gem5: [MetricFormula] =
        [
            MetricFormula("cpi", "cycles", per: "instructions"),
            MetricFormula("ipc", "instructions", per: "cycles"),
        ] + model + Gem5TopDown.formulas + Gem5Mix.formulas
}

extension Gem5Counter {
    /// What a run gives whose core under test is known.
    static var metrics: [EngineMetric] {
        library(.number(1)).filter { !$0.isAid }.map { counter in
            let (unit, meaning) = description(counter.name)
            return EngineMetric(counter.name, unit: unit, meaning)
        } + [
            Gem5TopDown.widthMetric,
            EngineMetric("cpi", unit: "cycles", formula: "cycles / instructions", "cycles per instruction"),
            EngineMetric("ipc", unit: "instructions", formula: "instructions / cycles", "instructions per cycle"),
        ] + EngineMetric.ratios + Gem5TopDown.metrics + Gem5Mix.metrics
    }

    private static func description(_ name: String) -> (unit: String, meaning: String) {
        if let described = Gem5TopDown.description(name) ?? Gem5Mix.description(name) { return described }
        let whose = " of the core under test"
        switch name {
        case "ticks": return ("picoseconds", "simulated time")
        case "cycles": return ("cycles", "cycles" + whose)
        case "instructions": return ("instructions", "committed macro-instructions" + whose)
        case "branches": return ("branches", "committed branches" + whose)
        case "branch.misses":
            return ("branches", "mispredicted branches: those committed, before gem5 23.1 those that were executed")
        case "itlb.misses": return ("accesses", "misses of the first-level translation buffer for code")
        case "dtlb.misses": return ("accesses", "misses of the first-level translation buffer for data")
        default:
            let cache = name.prefix { $0 != "." }
            return ("accesses", "\(name.hasSuffix(".misses") ? "misses" : "accesses") of the cache \(cache)")
        }
    }
}
