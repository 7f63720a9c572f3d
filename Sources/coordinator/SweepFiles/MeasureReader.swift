import Engines
import Model
import Results

/// Reads what is measured of each point: the keys of `measure` that all engines have.
struct MeasureReader {
    let read: FieldReader
    let engine: any EngineDescriptor

    func measure(_ members: [Field], _ metrics: inout MetricsReader) -> Measure {
        var measure = Measure()
        for member in members {
            if let phase = MeasureReader.phase(of: member.name), !engine.phases.contains(phase) {
                read.problems.add(
                    member.keyMark, key: member.path, "engine '\(engine.name)' has no such phase; remove it")
                continue
            }
            switch member.name {
            case "warm": measure.warm = count(member, from: 0) ?? measure.warm
            case "invocations": measure.invocations = count(member, from: 1) ?? measure.invocations
            case "repeat": measure.repeats = count(member, from: 1) ?? measure.repeats
            case "setup": measure.setupInvocations = count(member, from: 1)
            default: break  // The engine's own, and what follows.
            }
        }
        checkpoints(members, &measure)
        if let field = members.first(where: { $0.name == "until" }) {
            if let other = members.first(where: { $0.name == "invocations" }) {
                read.problems.add(
                    other.keyMark, key: other.path, "cannot be combined with 'until', whose 'most' is that number; "
                        + "remove it")
            }
            until(field, &measure, &metrics)
        }
        return measure
    }

    private func count(_ field: Field, from least: Int) -> Int? { read.integer(field, in: least...MeasureReader.most) }

    private static let most = 1_000_000

    /// The phase that a key is about; nil: it is about none.
    private static func phase(of key: String) -> EnginePhase? {
        key == "checkpoints" || key == "apart" ? .setup : EnginePhase(rawValue: key)
    }

    /// `checkpoints: 5` and `apart: 20`: the first is taken after the setup's invocations, each other so many later.
    private func checkpoints(_ members: [Field], _ measure: inout Measure) {
        guard engine.phases.contains(.setup) else { return }
        let distance = members.first { $0.name == "apart" }
        guard let field = members.first(where: { $0.name == "checkpoints" }) else {
            if let distance {
                read.problems.add(
                    distance.keyMark, key: distance.path,
                    "is the distance between 'checkpoints', which is missing; add it, as in checkpoints: 5")
            }
            return
        }
        let apart = distance.map { count($0, from: 1) } ?? measure.usualAge
        guard let number = read.integer(field, in: 1...Measure.mostCheckpoints), let apart, number > 1 else { return }
        let last = measure.usualAge + (number - 1) * apart
        guard last <= MeasureReader.most else {
            return read.fail(
                field, "the last would be taken after \(PeopleText.count(last, "invocation")), and a setup has "
                    + "\(MeasureReader.most) at most; write fewer, or a smaller 'apart'")
        }
        measure.checkpoints = Array(stride(from: measure.usualAge, through: last, by: apart))
    }

    /// `until: {metric: cpi, interval: 1%, confidence: 95%, most: 50}`
    private func until(_ field: Field, _ measure: inout Measure, _ metrics: inout MetricsReader) {
        guard let members = read.members(field.value, path: field.path, known: SweepReader.groups[field.path]) else {
            return
        }
        var precision = Precision(metric: "", interval: 0)
        for member in members {
            switch member.name {
            case "metric": precision.metric = metrics.name(member) ?? ""
            case "interval": precision.interval = read.share(member) ?? 0
            case "confidence": precision.confidence = confidence(member) ?? precision.confidence
            default: measure.invocations = most(member) ?? 0
            }
        }
        let missing = ["metric", "interval", "most"].filter { name in !members.contains { $0.name == name } }
        guard missing.isEmpty else {
            let names = missing.map { "'\($0)'" }.joined(separator: " and no ")
            return read.fail(field, "has no \(names); write until: {metric: cpi, interval: 1%, most: 50}")
        }
        measure.until = precision
    }

    private func confidence(_ field: Field) -> Int64? {
        guard let share = read.share(field) else { return nil }
        guard (500_000..<1_000_000).contains(share) else {
            read.fail(field, "write a percentage from 50% to below 100%, as in 95%")
            return nil
        }
        return share
    }

    private func most(_ field: Field) -> Int? {
        guard let count = read.integer(field, in: 1...MeasureReader.mostOfUntil) else { return nil }
        guard count > StoppingRule.least else {
            read.fail(
                field,
                "\(count) is too few: the interval is first checked after "
                    + "\(PeopleText.count(StoppingRule.least, "invocation")); write more, or in place of 'until' "
                    + "write invocations: \(count)")
            return nil
        }
        return count
    }

    /// The rule is worked out again for every result, whose time grows with this.
    private static let mostOfUntil = 10_000

    /// What can be said where the engine's settings are known.
    func check(_ members: [Field], _ settings: JSON) {
        guard let field = members.first(where: { $0.name == "until" }), let reason = engine.refusesUntil(settings)
        else { return }
        read.problems.add(field.keyMark, key: field.path, reason)
    }
}
