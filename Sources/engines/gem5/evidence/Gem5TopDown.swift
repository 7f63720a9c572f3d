import Model
import Results

/// Where the slots of an out-of-order core go, by the top-down method of A. Yasin ("A Top-Down method for performance
/// analysis and counters architecture", ISPASS 2014).
///
/// The method counts at the border of front end and back end, where micro-operations are allocated: each cycle has as
/// many slots as the core is wide, and a slot is used by a micro-operation that retires or by one that is thrown away,
/// or is empty because the front end had none, or because the back end took none. gem5's rename stage is that border,
/// and in each cycle that the core is awake it is in one of six states, all of which gem5 counts. So the four parts add
/// up to 1.
///
/// What gem5 (24.0) cannot tell: which of the back end's slots wait for memory, as no cycles with misses under way are
/// counted; and what share of the empty slots of cycles in which some are used is the back end's: they all count for
/// the front end.
enum Gem5TopDown {
    /// States of the rename stage: gem5's statistic, and when it is counted.
    private static let states = [
        ("idle", "idleCycles", "had no micro-operations to rename"),
        ("squash", "squashCycles", "discarded micro-operations of a wrong path"),
        ("block", "blockCycles", "could rename none, because a buffer or the registers were full"),
        ("serialize", "serializeStallCycles", "waited for an instruction that must be alone in the pipeline"),
        ("run", "runCycles", "renamed micro-operations"),
        ("unblock", "unblockCycles", "renamed micro-operations that had been held up"),
    ]

    /// The counter of the configuration: no statistic says how wide a core is.
    static let width = "width"

    /// The stages that each micro-operation passes. A core is as wide as the narrowest of them.
    private static let stages = ["decodeWidth", "renameWidth", "dispatchWidth", "commitWidth"]

    /// - Parameter own: the names of a statistic of the core.
    static func counters(_ own: (String) -> [String]) -> [Gem5Counter] {
        let operations = ["commitStats0.numOps", "commit.opsCommitted", "committedOps"].flatMap(own)
        return [
            Gem5Counter("micro-operations", operations), Gem5Counter("renamed", own("rename.renamedInsts")),
        ] + states.map { Gem5Counter("rename.\($0.0)", own("rename.\($0.1)")) }
    }

    /// How many micro-operations a core can allocate in a cycle; nil: it is not out of order.
    static func width(of core: String, _ configuration: Gem5Configuration) -> Int? {
        let widths = stages.map { configuration[core, $0].flatMap { Int($0) } }
        guard widths.allSatisfy({ $0 ?? 0 > 0 }) else { return nil }
        return widths.compactMap(\.self).min()
    }

    /// Each with what it means; a formula uses those above it.
    private static let derived = [
        (
            "active-cycles", "cycles",
            "rename.idle + rename.squash + rename.block + rename.serialize + rename.run + rename.unblock",
            "cycles in which the core under test was awake"
        ),
        ("idle.share", "ratio", "1 - active-cycles / cycles", "share of the cycles in which it slept"),
        ("slots", "slots", "width * active-cycles", "micro-operations that it could have allocated while awake"),
        ("topdown.retiring", "ratio", "micro-operations / slots", "slots of micro-operations that were committed"),
        (
            "topdown.bad-speculation", "ratio", "(renamed - micro-operations + width * rename.squash) / slots",
            "slots of micro-operations that were discarded, and slots lost during the recovery"
        ),
        (
            "topdown.frontend", "ratio", "(width * (rename.idle + rename.run + rename.unblock) - renamed) / slots",
            "slots for which the front end had no micro-operation"
        ),
        (
            "topdown.frontend.latency", "ratio", "width * rename.idle / slots",
            "of these, those in cycles in which it had none at all"
        ),
        (
            "topdown.frontend.bandwidth", "ratio", "(width * (rename.run + rename.unblock) - renamed) / slots",
            "of these, those in cycles in which it had some"
        ),
        (
            "topdown.backend", "ratio", "width * (rename.block + rename.serialize) / slots",
            "slots in which the back end took no micro-operation"
        ),
        (
            "topdown.backend.full", "ratio", "width * rename.block / slots",
            "of these, those in which a buffer or the registers were full"
        ),
        (
            "topdown.backend.serializing", "ratio", "width * rename.serialize / slots",
            "of these, those lost to instructions that must be alone in the pipeline"
        ),
    ]

    static let formulas = derived.compactMap { MetricFormula(ofEngine: $0.0, $0.2) }

    static var metrics: [EngineMetric] {
        derived.map { EngineMetric($0.0, unit: $0.1, formula: $0.2, $0.3) }
    }

    /// Of a counter; nil: it is none of these.
    static func description(_ name: String) -> (unit: String, meaning: String)? {
        switch name {
        case "micro-operations": ("micro-operations", "committed micro-operations of the core under test")
        case "renamed": ("micro-operations", "micro-operations that an out-of-order core renamed")
        default:
            states.first { "rename.\($0.0)" == name }.map { ("cycles", "cycles in which its rename stage \($0.2)") }
        }
    }

    /// What the configuration adds to the counters.
    static let widthMetric = EngineMetric(
        width, unit: "micro-operations",
        "how many micro-operations an out-of-order core can pass per cycle: the smallest of its decode, rename, "
            + "dispatch and commit widths")
}
