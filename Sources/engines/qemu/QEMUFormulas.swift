package import Results

/// What the model counts: members of a block, in its own order, for all together and for `user.` and `kernel.` apart.
enum QEMUCounter {
    static let all: [(name: String, unit: String, meaning: String)] = [
        ("instructions", "instructions", "executed instructions"),
        ("loads", "accesses", "reads of data"),
        ("stores", "accesses", "writes of data"),
        ("branches", "branches", "executed conditional branches"),
        ("branch.misses", "branches", "conditional branches whose direction was not predicted"),
        ("l1i.accesses", "lines", "lines fetched from the first-level instruction cache"),
        ("l1i.misses", "lines", "of these, not found there"),
        ("l1d.accesses", "lines", "lines looked for in the first-level data cache"),
        ("l1d.misses", "lines", "of these, not found there"),
        ("l2.accesses", "lines", "lines looked for in the second-level cache"),
        ("l2.misses", "lines", "of these, not found there"),
        ("llc.accesses", "lines", "lines looked for in the last-level cache"),
        ("llc.misses", "lines", "of these, not found there"),
        ("itlb.misses", "pages", "pages of code not found in the translation buffer"),
        ("dtlb.misses", "pages", "pages of data not found in the translation buffer"),
    ]

    static var metrics: [EngineMetric] {
        let sides = [("", ""), ("user.", " (programs alone)"), ("kernel.", " (the kernel alone)")]
        return sides.flatMap { prefix, whose in
            all.map { EngineMetric(prefix + $0.name, unit: $0.unit, $0.meaning + whose) }
        } + EngineMetric.ratios
    }
}

extension MetricFormula {
    /// What follows from the counters of caches, buffers and predictors: misses per 1,000 instructions, and miss
    /// ratios.
    package static let model: [MetricFormula] =
        ["l1i", "l1d", "l2", "llc", "itlb", "dtlb", "branch"].map {
            MetricFormula("\($0).mpki", factor: 1000, "\($0).misses", per: "instructions")
        }
        + ["l1i", "l1d", "l2", "llc"].map { MetricFormula("\($0).miss-ratio", "\($0).misses", per: "\($0).accesses") }
        + [MetricFormula("branch.miss-ratio", "branch.misses", per: "branches")]
}

extension EngineMetric {
    /// The metrics of ``MetricFormula/model``.
    static let ratios: [EngineMetric] = MetricFormula.model.map { formula in
        let isRate = formula.name.hasSuffix(".mpki")
        return EngineMetric(
            formula.name, unit: isRate ? "per 1,000 instructions" : "ratio", formula: formula.text,
            isRate ? "misses per 1,000 instructions" : "share that missed")
    }
}
