import Model

/// The states in which a function can be called, and what runs on its core between measured calls: the same words for
/// all engines that have them.
enum Interleaving {
    static let key = "measure.interleave"
    static let stateAxis = "state"
    static let stressAxis = "interleave.stress"

    static let engineKey = EngineKey(
        key,
        .either([
            .mapping([
                EngineKey(
                    "stress", .bytes, isRequired: true,
                    "footprint of a program that touches all of it once, or repeatedly until the next arrival: half of "
                        + "it code (at most 1 MiB), the rest data")
            ]), .workloads,
        ]),
        "what runs on the function's core between measured calls in the state lukewarm: a program, or other workloads, "
            + "each called once, or repeatedly until the next arrival")

    static let parameters = [
        EngineParameter(
            stateAxis, standard: "warm",
            values: "warm, lukewarm, cold-caches or cold-start",
            "what the function finds: caches, buffers and predictor as the previous call left them (warm), as others "
                + "that ran on its core left them (lukewarm), or empty (cold-caches), with memory unchanged; or no "
                + "container, because the call starts it (cold-start)"
        ) { states.contains($0) ? $0 : nil },
        EngineParameter(
            stressAxis, unit: "bytes", values: "a size from 4KiB to 1GiB, a multiple of 4KiB",
            "footprint of what runs between calls in the state lukewarm"
        ) { bytes($0).map(String.init) },
    ]

    private static let states = ["warm", "lukewarm", "cold-caches", "cold-start"]

    /// nil: not a footprint.
    private static func bytes(_ text: String) -> Int64? {
        guard let bytes = try? Quantity.bytes(text), 4_096...(1 << 30) ~= bytes, bytes % 4_096 == 0 else { return nil }
        return bytes
    }

    /// What a sweep says of the footprint, in bytes; nil: nothing.
    static func stress(_ settings: JSON) -> Int64? { settings[key]?["stress"]?.integer }

    /// A workload that runs beside the function.
    struct Other: Equatable {
        var workload: String
        var digest: String
        var memoryBytes: Int64

        /// As part of what a result depends on.
        var text: String { "\(workload) disk \(digest) memory \(memoryBytes)" }
    }

    /// The workloads that a sweep interleaves, in their order.
    static func others(_ settings: JSON) -> [Other] {
        (settings[key]?.elements ?? []).map { element in
            Other(
                workload: element["workload"]?.text ?? "", digest: element["disk"]?.text ?? "",
                memoryBytes: element["memory"]?.integer ?? 0)
        }
    }

    static let mostOthers = 8

    /// The state of a point.
    static func state(_ point: [Assignment]) -> String {
        point.first { $0.axis == stateAxis }?.value ?? "warm"
    }

    /// The footprint in a point, in bytes; nil: none.
    static func stress(_ point: [Assignment], _ settings: JSON) -> Int64? {
        point.first { $0.axis == stressAxis }.flatMap { bytes($0.value) } ?? stress(settings)
    }

    static func problems(_ sweep: Sweep) -> [KeyProblem] {
        let axes = sweep.allAxes
        func axis(_ name: String) -> Axis? { axes.first { $0.name == name } }
        var problems: [KeyProblem] = []
        if stress(sweep.settings) != nil, axis(stressAxis) != nil {
            problems.append(KeyProblem("\(key).stress", "is also an axis; remove the key or the axis"))
        }
        let count = others(sweep.settings).count
        if count > mostOthers {
            problems.append(
                KeyProblem(key, "\(PeopleText.count(count, "workload")); at most \(mostOthers) are allowed"))
        }
        let isLukewarm = axis(stateAxis)?.values.contains("lukewarm") == true
        let isThere = sweep.settings[key] != nil
        if isLukewarm, !isThere, axis(stressAxis) == nil {
            problems.append(
                KeyProblem(
                    "axes.\(stateAxis)", "lukewarm needs something that runs between calls; add under 'measure': "
                        + "interleave: {stress: 8MiB}"))
        }
        if !isLukewarm, isThere {
            problems.append(
                KeyProblem(
                    key, "has an effect only in the state lukewarm; write axes: {state: [lukewarm]}, or remove it"))
        }
        return problems
    }
}
