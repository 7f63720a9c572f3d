package import Results

/// What the model counts: members of a block, in its own order, for all together and for `user.` and `kernel.` apart.
enum QEMUCounter {
    static let all: [(name: String, unit: String, meaning: String)] = [
        ("instructions", "instructions", "executed instructions"),
        ("loads", "accesses", "reads of data"),
        ("stores", "accesses", "writes of data"),
        ("branches", "branches", "executed conditional branches"),
        ("branch.misses", "branches", "conditional branches whose direction was mispredicted"),
        ("l1i.accesses", "lines", "lines fetched from the first-level instruction cache"),
        ("l1i.misses", "lines", "of these, not found there"),
        ("l1d.accesses", "lines", "lines looked up in the first-level data cache"),
        ("l1d.misses", "lines", "of these, not found there"),
        ("l2.accesses", "lines", "lines looked up in the second-level cache"),
        ("l2.misses", "lines", "of these, not found there"),
        ("llc.accesses", "lines", "lines looked up in the last-level cache"),
        ("llc.misses", "lines", "of these, not found there"),
        ("itlb.misses", "pages", "pages of code not found in the translation buffer"),
        ("dtlb.misses", "pages", "pages of data not found in the translation buffer"),
    ]

    /// Of a whole invocation.
    static let ofInvocation: [(name: String, unit: String, meaning: String)] = [
        ("system-calls", "calls", "system calls of programs on the function's core"),
        ("page-faults", "faults", "page faults on the function's core, of programs and of the kernel"),
    ]
        + [("code", "instructions are fetched from"), ("data", "loads and stores use")].flatMap { what, use in
            [
                ("\(what).lines", "lines", "different lines of memory that \(use)"),
                ("\(what).pages", "pages", "different pages of 4 KiB that \(use)"),
                ("\(what).lines.both", "lines", "of these lines, those that the previous call also used"),
                ("\(what).lines.either", "lines", "lines that this call or the previous one used; 0 for a first call"),
            ]
        }
        + [("idle.instructions", "instructions", "executed instructions of the kernel's idle task")]

    static var metrics: [EngineMetric] {
        let sides = [
            ("", ""), ("user.", " (programs alone)"), ("kernel.", " (the kernel alone)"),
            ("others.", " (the kernel's own threads, and programs that are not the function's)"),
        ]
        return sides.flatMap { prefix, whose in
            all.map { EngineMetric(prefix + $0.name, unit: $0.unit, $0.meaning + whose) }
        } + ofInvocation.map { EngineMetric($0.name, unit: $0.unit, $0.meaning) }
            + EngineMetric.ratios + MetricFormula.shares.map { share in
                EngineMetric(share.formula.name, unit: "ratio", formula: share.formula.text, share.meaning)
            }
    }
}

extension MetricFormula {
    /// What follows from the counters of a function's invocation.
    fileprivate static let shares: [(formula: MetricFormula, meaning: String)] = [
        (MetricFormula("kernel.share", "kernel.instructions", per: "instructions"), "share of the kernel"),
        (MetricFormula("load.share", "loads", per: "instructions"), "loads per instruction"),
        (MetricFormula("store.share", "stores", per: "instructions"), "stores per instruction"),
        (MetricFormula("branch.share", "branches", per: "instructions"), "conditional branches per instruction"),
        (
            MetricFormula("code.overlap", "code.lines.both", per: "code.lines.either", isOptional: true),
            "lines of code in common with the previous call: intersection over union (Jaccard)"
        ),
        (
            MetricFormula("data.overlap", "data.lines.both", per: "data.lines.either", isOptional: true),
            "lines of data in common with the previous call"
        ),
        (
            MetricFormula("interference", "others.instructions", per: "instructions"),
            "share that belongs neither to the function, nor to the kernel on its behalf or while idle"
        ),
    ]

    /// All of this engine.
    package static let qemu = model + shares.map(\.formula)
}

extension MetricFormula {
    /// What follows from the counters of caches, buffers and predictors: misses per 1,000 instructions, and miss
    /// ratios.
    package static let model: [MetricFormula] =
        ["l1i", "l1d", "l2", "llc", "itlb", "dtlb", "branch"].map {
            MetricFormula("\($0).mpki", factor: 1000, "\($0).misses", per: "instructions")
        }
        + ["l1i", "l1d", "l2", "llc"].map {
            MetricFormula("\($0).miss-ratio", "\($0).misses", per: "\($0).accesses", isOptional: true)
        }
        + [MetricFormula("branch.miss-ratio", "branch.misses", per: "branches", isOptional: true)]
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
