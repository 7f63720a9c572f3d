public import Results

extension MetricFormula {
    /// What follows from the counters of engine `qemu`'s model: misses per 1,000 instructions, and miss ratios.
    public static let model: [MetricFormula] =
        ["l1i", "l1d", "l2", "llc", "itlb", "dtlb", "branch"].map {
            MetricFormula("\($0).mpki", factor: 1000, "\($0).misses", per: "instructions")
        }
        + ["l1i", "l1d", "l2", "llc"].map { MetricFormula("\($0).miss-ratio", "\($0).misses", per: "\($0).accesses") }
        + [MetricFormula("branch.miss-ratio", "branch.misses", per: "branches")]
}
