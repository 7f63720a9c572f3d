import Model

/// The parameters that have a short name in the configuration package; what each sets is in `ops/gem5/names.py`, and a
/// test compares both lists. gem5 itself says which values it takes (`usweep plan --bind`). States, which are no
/// parameters of the machine, are options of the package.
enum Gem5Parameter {
    /// Those of a sweep of one of this project's systems; its own numbers are in ``Gem5Standards``.
    static func package(_ system: String) -> EngineParameters {
        let standards = Gem5Standards.of(system)
        let known = all.map { parameter in
            var parameter = parameter
            parameter.standard = standards[parameter.name] ?? parameter.standard
            let samples = [size: "64KiB", number: "8", frequency: "3GHz"]
            parameter.sample = samples[parameter.values]
            return parameter
        }
        var parameters = EngineParameters(
            known, others: "the path of a parameter below 'system', as config.ini has it",
            othersAfterRestore: "gem5 does not check whether a checkpoint fits another value; compare one point with "
                + "one whose guest was set up with it")
        parameters.mayBeOther = { mayBePath($0) }
        return parameters
    }

    /// The beginnings of short names that no object of gem5 or of this project's systems is called by.
    private static let noObjects: Set = ["l1i", "l1d", "l2", "core", "btb", "ras", "itlb", "dtlb"]

    /// Whether a name can be a path into the simulated system. Its steps are attributes of Python's objects, so that
    /// none has a '-'; what is called `core.` or `l2.` is a short name that there is not.
    static func mayBePath(_ name: String) -> Bool {
        let steps = name.split(separator: ".", omittingEmptySubsequences: false)
        guard !name.contains("-"), steps.allSatisfy({ $0.first.map { !$0.isNumber } ?? false }) else { return false }
        return steps.count == 1 || !noObjects.contains(String(steps[0]))
    }

    private static let all =
        cache("l1i", "first-level instruction cache") + cache("l1d", "first-level data cache")
        + cache("l2", "second-level cache") + cache("llc", "last-level cache") + core + rest + Interleaving.parameters

    private static let size = "a size, as in 256KiB"
    private static let number = "a whole number"
    private static let frequency = "a frequency, as in 3GHz"

    private static func cache(_ name: String, _ what: String) -> [EngineParameter] {
        [
            EngineParameter("\(name).size", unit: "bytes", values: size, "size of the \(what)"),
            EngineParameter("\(name).ways", unit: "ways", values: number, "associativity of the \(what)"),
            EngineParameter(
                "\(name).latency", unit: "cycles", values: number, "latency of tags and of data of the \(what)"),
            EngineParameter(
                "\(name).mshrs", unit: "misses", values: number, "outstanding misses (MSHRs) of the \(what)"),
            EngineParameter(
                "\(name).write-buffers", unit: "lines", values: number, "entries of the write buffer of the \(what)"),
            EngineParameter(
                "\(name).prefetcher", choices: prefetchers, "prefetcher of the \(what)"),
            EngineParameter(
                "\(name).replacement", choices: replacements, "replacement policy of the \(what)"),
        ]
    }

    private static let core = [
        EngineParameter("core", choices: cores, "model of the measured cores"),
        EngineParameter(
            "core.width", unit: "instructions", values: number, "width of all stages of the pipeline, per cycle"),
        EngineParameter("core.rob", unit: "entries", values: number, "size of the reorder buffer"),
        EngineParameter("core.iq", unit: "entries", values: number, "size of the instruction queue"),
        EngineParameter("core.lq", unit: "entries", values: number, "size of the load queue"),
        EngineParameter("core.sq", unit: "entries", values: number, "size of the store queue"),
        EngineParameter("core.int-registers", unit: "registers", values: number, "physical integer registers"),
        EngineParameter(
            "core.float-registers", unit: "registers", values: number, "physical floating-point registers"),
        EngineParameter("core.fetch-buffer", unit: "bytes", values: number, "size of the fetch buffer"),
        EngineParameter("core.fetch-queue", unit: "entries", values: number, "size of the fetch queue"),
    ]

    private static let rest = [
        EngineParameter(
            "branch-predictor", choices: predictors, "predictor of the direction of branches"),
        EngineParameter("btb.size", unit: "entries", values: number, "size of the branch target buffer"),
        EngineParameter("ras.size", unit: "entries", values: number, "size of the return address stack"),
        EngineParameter(
            "itlb.size", unit: "entries", values: number, "size of the first-level translation buffer for code"),
        EngineParameter(
            "dtlb.size", unit: "entries", values: number, "size of the first-level translation buffer for data"),
        clock,
        EngineParameter("memory", choices: memories, "model of the main memory"),
    ]

    private static var clock: EngineParameter {
        var clock = EngineParameter("clock", values: frequency, "clock of cores and caches")
        clock.afterRestore = "the guest measured the processor's clock when it booted, so its own clock now runs too "
            + "fast or too slow"
        return clock
    }

    static let cores = ["atomic", "timing", "minor", "o3"]
    static let memories = [
        "simple", "ddr3-1600", "ddr3-2133", "ddr4-2400", "ddr4-2400-8x8", "ddr5-4400", "ddr5-6400", "lpddr3-1600",
        "hbm-1000",
    ]
    static let predictors = [
        "local", "bimodal", "bimode", "tournament", "gshare", "tage", "ltage", "tage-sc-l", "tage-sc-l-8kb",
        "perceptron", "perceptron-tage",
    ]
    static let prefetchers = ["none", "tagged", "stride", "ampm", "bop", "spp", "dcpt"]
    static let replacements = ["lru", "tree-plru", "random", "fifo", "lip", "bip", "brrip", "srrip", "ship"]
}
