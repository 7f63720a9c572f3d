import Model
import Results

/// What a sweep says of the time between measured calls: keys of `measure`, each of which can be an axis instead.
enum QEMUDriving {
    static let keys = [
        Interleaving.engineKey,
        EngineKey(
            "measure.arrivals",
            .either([
                .mapping([EngineKey("every", .duration, isRequired: true, "time from one measured call to the next")]),
                .mapping([
                    EngineKey(
                        "mean", .duration, isRequired: true,
                        "mean time from one measured call to the next, exponentially distributed"),
                    EngineKey("seed", .integer(0...1_000_000_000), standard: "1", "seed of these times"),
                ]),
            ]), standard: "one after the other",
            "when measured calls begin, in simulated time; a call that is due while another is under way begins "
                + "after it"),
        EngineKey(
            interferenceKey, .share,
            "the share of each measured call's instructions, on the function's core, that may be others' (the metric "
                + "interference); a run with more is quarantined"),
    ]

    static let interferenceKey = "limits.interference"

    static func bounds(_ settings: JSON) -> [Contract.Bound] {
        guard let most = settings[interferenceKey]?.integer else { return [] }
        return [Contract.Bound(name: "interference", "others.instructions", per: "instructions", millionths: most)]
    }

    /// As the driver takes them, `NAME=VALUE`.
    static func settings(_ settings: JSON) -> [String] {
        let groups = [("interleave", ["stress"]), ("arrivals", ["every", "mean", "seed"])]
        return groups.flatMap { group, names in
            names.compactMap { name in
                settings["measure.\(group)"]?[name]?.integer.map { "\(group).\(name)=\($0)" }
            }
        }
    }

    static func problems(_ sweep: Sweep) -> [KeyProblem] {
        func axis(_ name: String) -> Axis? { sweep.allAxes.first { $0.name == name } }
        let doubled = settings(sweep.settings).map { String($0.prefix { $0 != "=" }) }.filter { name in
            name.hasPrefix("arrivals.") && axis(name) != nil
        }
        return Interleaving.problems(sweep)
            + doubled.map { KeyProblem("measure.\($0)", "is also an axis; remove the key or the axis") }
            + arrivalProblems(sweep, axis)
    }

    private static func arrivalProblems(_ sweep: Sweep, _ axis: (String) -> Axis?) -> [KeyProblem] {
        let arrivals = sweep.settings["measure.arrivals"]
        func isThere(_ name: String) -> Bool { arrivals?[name] != nil || axis("arrivals.\(name)") != nil }
        if isThere("every"), isThere("mean") {
            return [KeyProblem("axes", "arrivals.every and arrivals.mean exclude each other; remove one")]
        }
        if isThere("seed"), !isThere("mean") {
            return [KeyProblem("axes.arrivals.seed", "has an effect only with arrivals.mean; write that, or remove it")]
        }
        return []
    }
}
