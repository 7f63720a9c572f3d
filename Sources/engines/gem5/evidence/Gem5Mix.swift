import Results

/// What committed instructions do: how many of them load, store, branch, and work on floating-point numbers or vectors.
///
/// gem5 counts micro-operations by classes. Which classes of SIMD there are differs between its versions and the
/// instruction sets, so these are what all others leave of the micro-operations: and of those each must be there.
enum Gem5Mix {
    private static let floats = [
        "FloatAdd", "FloatCmp", "FloatCvt", "FloatMult", "FloatMultAcc", "FloatDiv", "FloatMisc", "FloatSqrt",
    ]

    /// What is neither floating-point nor SIMD arithmetic.
    private static let scalars = [
        "No_OpClass", "IntAlu", "IntMult", "IntDiv", "MemRead", "MemWrite", "FloatMemRead", "FloatMemWrite",
        "IprAccess", "InstPrefetch",
    ]

    /// - Parameter own: the names of a statistic of the core.
    static func counters(_ own: (String) -> [String]) -> [Gem5Counter] {
        /// Since 23.1, before that of out-of-order cores, and of all others.
        func names(_ ends: (now: String, ofOrder: String?, ofOthers: String)) -> [String] {
            own("commitStats0.\(ends.now)") + (ends.ofOrder.map { own("commit.\($0)") } ?? [])
                + own("exec_context.thread_0.\(ends.ofOthers)")
        }
        func classes(_ classes: [String]) -> [[String]] {
            // Beside its classes, none of these has any statistic with such an end.
            names(("*::", "*::", "*::")).map { vector in classes.map { vector + $0 } }
        }
        return [
            Gem5Counter("loads", names(("numLoadInsts", "loads", "numLoadInsts"))),
            Gem5Counter("stores", names(("numStoreInsts", nil, "numStoreInsts"))),
            Gem5Counter("float", alternatives: classes(floats), parts: floats.count),
            Gem5Counter("scalar", alternatives: classes(scalars), parts: scalars.count),
        ]
    }

    /// Each with what it means; a formula uses those above it.
    private static let derived = [
        ("simd", "micro-operations", "micro-operations - scalar - float", "committed SIMD micro-operations"),
        ("load.share", "ratio", "loads / instructions", "loads per instruction"),
        ("store.share", "ratio", "stores / instructions", "stores per instruction"),
        ("branch.share", "ratio", "branches / instructions", "branches per instruction"),
        ("float.share", "ratio", "float / instructions", "floating-point micro-operations per instruction"),
        ("simd.share", "ratio", "simd / instructions", "SIMD micro-operations per instruction"),
    ]

    static let formulas = derived.compactMap { MetricFormula(ofEngine: $0.0, $0.2) }

    static var metrics: [EngineMetric] {
        derived.map { EngineMetric($0.0, unit: $0.1, formula: $0.2, $0.3) }
    }

    /// Of a counter; nil: it is none of these.
    static func description(_ name: String) -> (unit: String, meaning: String)? {
        switch name {
        case "loads": ("micro-operations", "committed micro-operations that load")
        case "stores":
            (
                "micro-operations",
                "committed micro-operations that store; not counted for out-of-order cores before gem5 23.1"
            )
        case "float": ("micro-operations", "committed floating-point micro-operations")
        case "scalar":
            (
                "micro-operations",
                "committed micro-operations that are neither floating-point nor SIMD: integers, loads, stores"
            )
        default: nil
        }
    }
}
