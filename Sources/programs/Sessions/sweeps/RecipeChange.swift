import Engines
package import Model
import Results

/// Why points whose parameters were there before are other points now.
package struct RecipeChange {
    /// What changed of all that makes up a point beside its parameters, for people; empty: nothing.
    package private(set) var reasons: [String] = []
    /// How many points have the parameters of an earlier one, and are not that one.
    package private(set) var pointCount = 0

    /// More are not compared one by one.
    private static let mostPoints = 1_000_000

    /// - Parameter points: of `after`.
    package init(before: Sweep, after: Sweep, _ points: Points) throws {
        if before.engine == after.engine {
            noteSettings(before, after)
        } else {
            reasons = ["the engine was '\(before.engine)'"]
        }
        noteMeasure(before.measure, after.measure)
        noteUntil(StoppingRule(of: before, []), StoppingRule(of: after, []))
        noteInputs(before.inputs, after.inputs)
        noteNames(
            "env", before.environment.map { ($0.name, $0.value) }, after.environment.map { ($0.name, $0.value) })
        noteNames(
            "the image of workload", before.images.map { ($0.workload, $0.disk.digest.hex) },
            after.images.map { ($0.workload, $0.disk.digest.hex) })
        noteForced(before, after)
        guard !reasons.isEmpty, points.count <= RecipeChange.mostPoints else { return }
        let old = try Points(before, recipe: try before.recipe)
        guard old.count <= RecipeChange.mostPoints else { return }
        var digests: [[String]: Digest] = [:]
        for index in 0..<old.count { digests[RecipeChange.key(old, index)] = old.digest(index) }
        for index in 0..<points.count {
            guard let digest = digests[RecipeChange.key(points, index)] else { continue }
            if digest != points.digest(index) { pointCount += 1 }
        }
        // Of something that no point of both has.
        if pointCount == 0 { reasons = [] }
    }

    /// A point without its identity: whatever the order of the axes.
    private static func key(_ points: Points, _ index: Int) -> [String] {
        [points.workload(index) ?? ""] + points.assignments(index).map { "\($0.axis)=\($0.value)" }.sorted()
    }

    /// Keys of the engine, each put alone into the sweep as it was: only what changes the recipe counts.
    private mutating func noteSettings(_ before: Sweep, _ after: Sweep) {
        guard let engine = try? EngineRegistry.find(before.engine), let recipe = try? before.recipe else { return }
        for name in engine.keys.map(\.name) where before.settings[name] != after.settings[name] {
            var probe = before
            probe.settings = before.settings.with(name, after.settings[name])
            if (try? probe.recipe) != recipe { reasons.append("'\(name)' changed") }
        }
    }

    private mutating func noteMeasure(_ before: Measure, _ after: Measure) {
        let numbers = [
            ("warm", before.warm, after.warm), ("invocations", before.invocations, after.invocations),
            ("setup", before.setupInvocations ?? 0, after.setupInvocations ?? 0),
        ]
        for (name, old, new) in numbers where old != new {
            let before = old == 0 && name == "setup" ? "not set" : "\(old)"
            reasons.append("measure.\(name) was \(before) and is \(new)")
        }
    }

    /// Both with the sweeps' own formulas alone.
    private mutating func noteUntil(_ before: StoppingRule?, _ after: StoppingRule?) {
        func text(_ rule: StoppingRule?) -> String {
            rule.map { "\($0.precision.metric) \($0.precision.text)" } ?? "not set"
        }
        if before?.precision != after?.precision {
            reasons.append("measure.until was \(text(before)) and is \(text(after))")
        } else if let after, before?.formulas != after.formulas {
            reasons.append("the definition of '\(after.precision.metric)' changed, which determines how much is "
                + "measured")
        }
    }

    private mutating func noteInputs(_ before: [InputFile], _ after: [InputFile]) {
        for file in after {
            guard let old = before.first(where: { $0.path == file.path }) else {
                reasons.append("input \(file.path) was added")
                continue
            }
            if old.digest != file.digest {
                reasons.append("input \(file.path) changed")
            } else if old.isExecutable != file.isExecutable {
                reasons.append("input \(file.path) is \(file.isExecutable ? "now" : "no longer") executable")
            }
        }
        let kept = Set(after.map(\.path))
        for file in before where !kept.contains(file.path) { reasons.append("input \(file.path) was removed") }
    }

    private mutating func noteForced(_ before: Sweep, _ after: Sweep) {
        for workload in after.workloads where before.forced(workload) != after.forced(workload) {
            let how = after.forced(workload).map { "is forced: \($0)" } ?? "is no longer forced"
            reasons.append("the checkpoint of '\(workload)' \(how)")
        }
    }

    private mutating func noteNames(_ what: String, _ before: [(String, String)], _ after: [(String, String)]) {
        let (old, new) = (Dictionary(before) { $1 }, Dictionary(after) { $1 })
        for name in Set(old.keys).union(new.keys).sorted() where old[name] != new[name] {
            // A workload that comes or goes brings points of its own.
            if what != "env", old[name] == nil || new[name] == nil { continue }
            let how = old[name] == nil ? "was added" : new[name] == nil ? "was removed" : "changed"
            reasons.append(what == "env" ? "variable \(name) of env \(how)" : "\(what) \(name) \(how)")
        }
    }

    /// As a line of a plan; nil: no run is done again for such a reason.
    ///
    /// - Parameter repeats: runs of each point.
    package func line(repeats: Int) -> String? {
        guard pointCount > 0 else { return nil }
        let count = pointCount * repeats
        return "\(PeopleText.count(count, "run")) with the same parameters will run again, because "
            + PeopleText.list(reasons, atMost: 6)
    }

    package func document(repeats: Int) -> JSON {
        .object([
            JSON.Member("runs", .integer(Int64(pointCount * repeats))),
            JSON.Member("reasons", .array(reasons.map { .string($0) })),
        ])
    }
}

extension JSON {
    /// The object with another value for a member; nil: without it.
    fileprivate func with(_ name: String, _ value: JSON?) -> JSON {
        guard case .object(var members) = self else { return self }
        if let index = members.firstIndex(where: { $0.name == name }) {
            if let value { members[index].value = value } else { members.remove(at: index) }
        } else if let value {
            members.append(Member(name, value))
        }
        return .object(members)
    }
}
