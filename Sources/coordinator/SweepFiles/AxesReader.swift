import Engines
import Model
import Results

/// Reads what spans the points: `axes`, `zip`, `exclude`, `include`.
final class AxesReader {
    private let read: FieldReader
    private let engine: String
    private let parameters: EngineParameters
    /// Per axis name, the text of each value by its canonical form.
    private var values: [String: [String: String]] = [:]
    private var names: [String] = []
    /// Per environment variable, the axis that has it.
    private var variables: [String: String] = [:]
    private var includeFields: [Field] = []

    init(read: FieldReader, engine: String, parameters: EngineParameters) {
        self.read = read
        self.engine = engine
        self.parameters = parameters
    }

    func fill(_ sweep: inout Sweep, _ field: (String) -> Field?) {
        if let axes = field("axes") { sweep.axes = grid(axes, sweep.requiredMetrics) }
        if let zip = field("zip") {
            for group in read.list(zip) ?? [] {
                if let axes = self.zip(group, sweep.requiredMetrics) { sweep.zips.append(axes) }
            }
        }
        // Complaints about these make sense only where the axes themselves are right.
        guard read.problems.isEmpty else { return }
        if let exclude = field("exclude") {
            sweep.exclude = (read.list(exclude) ?? []).flatMap { assignments($0, isExclude: true) }
        }
        if let include = field("include") {
            for element in read.list(include) ?? [] {
                for entry in assignments(element, isExclude: false) {
                    includeFields.append(element)
                    sweep.include.append(entry)
                }
            }
        }
        guard read.problems.isEmpty else { return }
        checkCount(sweep, at: field("axes") ?? field("zip") ?? field("workloads"))
        checkIncluded(sweep)
    }

    // MARK: Axes

    private func grid(_ field: Field, _ metrics: [String]) -> [Axis] {
        guard let members = read.members(field.value, path: field.path) else { return [] }
        if case .mapping(let all) = field.value.kind, all.isEmpty {
            read.fail(field, "has no axis; write one, as in x: [1, 2], or remove the key")
        }
        return withBrackets(members).compactMap { member in
            guard let axis = axis(member, metrics) else { return nil }
            var seen: [String: String] = [:]
            var texts: [String] = []
            for element in read.values(member) ?? [] {
                guard let value = value(element, axis: axis) else { continue }
                note(value, element, &seen)
                texts.append(value.text)
            }
            return Axis(name: axis, values: texts)
        }
    }

    /// All but values without brackets: `{x: 1, 2, 3}`, of which YAML makes an axis and keys that have no value.
    private func withBrackets(_ members: [Field]) -> [Field] {
        var rest = members[...]
        var kept: [Field] = []
        while let axis = rest.popFirst() {
            let strays = rest.prefix { $0.hasNoValue && $0.keyMark?.line == axis.keyMark?.line }
            guard !strays.isEmpty, case .scalar(let first, isPlain: true) = axis.value.kind, !axis.hasNoValue else {
                kept.append(axis)
                continue
            }
            rest = rest.dropFirst(strays.count)
            let values = ([first] + strays.map(\.name)).map { Names.shown($0) }.joined(separator: ", ")
            read.fail(axis, "a list was expected; write [\(values)]")
        }
        return kept
    }

    private func note(_ value: (text: String, canonical: String), _ field: Field, _ seen: inout [String: String]) {
        guard let other = seen.updateValue(value.text, forKey: value.canonical) else { return }
        let same = other == value.text ? "is a duplicate" : "is the same as '\(Names.shown(other))'"
        read.fail(field, "'\(Names.shown(value.text))' \(same); remove one")
    }

    private func zip(_ group: Field, _ metrics: [String]) -> [Axis]? {
        guard let written = read.members(group.value, path: group.path) else { return nil }
        let members = withBrackets(written)
        guard !members.isEmpty else {
            if !written.isEmpty { return nil }
            read.fail(group, "a group has no axis; write axes that go together, as in - {a: [1, 2], b: [3, 4]}")
            return nil
        }
        var rows: [[String]] = []
        var axes: [Axis] = []
        for member in members {
            guard let name = axis(member, metrics), let elements = read.values(member) else { return nil }
            let values = elements.compactMap { value($0, axis: name) }
            guard values.count == elements.count else { return nil }
            axes.append(Axis(name: name, values: values.map(\.text)))
            if rows.isEmpty { rows = values.map { _ in [] } }
            guard rows.count == values.count else {
                func count(_ number: Int) -> String { "\(number) value\(number == 1 ? "" : "s")" }
                let (first, second) = (count(rows.count), count(values.count))
                read.fail(member, "'\(axes[0].name)' has \(first) but '\(name)' has \(second); write as many")
                return nil
            }
            for index in rows.indices { rows[index].append(values[index].canonical) }
        }
        var seen: Set<[String]> = []
        for (index, row) in rows.enumerated() where !seen.insert(row).inserted {
            let text = axes.map { "\($0.name): \(Names.shown($0.values[index]))" }.joined(separator: ", ")
            read.fail(group, "{\(text)} is a duplicate; remove one")
        }
        return axes
    }

    /// A member's name, if it may be the name of an axis.
    private func axis(_ member: Field, _ metrics: [String]) -> String? {
        let name = member.name
        func refuse(_ text: String) -> String? {
            read.problems.add(member.keyMark, key: member.path, text)
            return nil
        }
        guard Names.isAxis(name) else {
            if member.hasNoValue {
                return refuse("is not a name for an axis; if it is a value, write the values in brackets: x: [1, 2]")
            }
            return refuse("is not a name for an axis; write letters, digits, '.', '_' or '-', beginning with a letter")
        }
        guard !Table.reserves(name) else {
            return refuse("the tables use this name; write another, as in my-\(name)")
        }
        guard values[name] == nil else { return refuse("is a duplicate: another axis has this name; remove one") }
        let variable = Names.variable(axis: name)
        if let other = variables.updateValue(name, forKey: variable) {
            return refuse("'\(other)' has the same environment variable, \(variable); write another name")
        }
        guard parameters.takes(name) else { return refuse(unknown(name)) }
        guard !metrics.contains(name) else { return refuse("a metric has the same name; write another") }
        values[name] = [:]
        names.append(name)
        return name
    }

    private func unknown(_ name: String) -> String {
        let hint = Names.suggestion(
            name, in: parameters.known.map(\.name), listedBy: "usweep axes --engine \(engine)")
        let other = parameters.others.map { ", and this cannot be \($0)" } ?? ""
        return "engine '\(engine)' has no such parameter\(other); \(hint)"
    }

    /// The source text of a value, and the form in which equal values are equal.
    private func value(_ field: Field, axis: String) -> (text: String, canonical: String)? {
        guard let text = read.text(field), let canonical = canonical(text, axis, field) else { return nil }
        if values[axis]?[canonical] == nil { values[axis]?[canonical] = text }
        return (text, canonical)
    }

    private func canonical(_ text: String, _ axis: String, _ field: Field) -> String? {
        guard let parameter = parameters[axis] else { return text }
        if let canonical = parameter.canonical(text) { return canonical }
        read.fail(field, "'\(Names.shown(text))' is not a value for \(axis); write \(parameter.values)")
        return nil
    }

    // MARK: exclude and include

    /// Of an entry, every combination of the values that it names; none after a problem.
    private func assignments(_ element: Field, isExclude: Bool) -> [[Assignment]] {
        guard let members = read.members(element.value, path: element.path) else { return [] }
        guard !members.isEmpty else {
            read.fail(element, "an entry names no axis; write {axis: value}")
            return []
        }
        let named = members.map { choices($0, isExclude: isExclude) }
        guard isExclude || members.count == names.count else {
            let missing = names.filter { name in !members.contains { $0.name == name } }
            if !missing.isEmpty {
                read.fail(element, "an entry must name every axis; add \(missing.joined(separator: ", "))")
            }
            return []
        }
        guard named.reduce(1, { $0.multipliedCapped($1.count) }) <= AxesReader.mostOfEntry else {
            read.fail(element, "an entry means more than \(AxesReader.mostOfEntry) combinations; split it")
            return []
        }
        return named.reduce([[]]) { entries, choice in entries.flatMap { entry in choice.map { entry + [$0] } } }
    }

    private static let mostOfEntry = 100_000

    /// The values that an entry names for an axis: one, or a list of them.
    private func choices(_ member: Field, isExclude: Bool) -> [Assignment] {
        guard let known = values[member.name] else {
            let hint = names.isEmpty ? "write 'axes' first" : Names.suggestion(member.name, in: names)
            read.problems.add(member.keyMark, key: member.path, "no axis has this name; \(hint)")
            return []
        }
        return (read.oneOrMore(member) ?? []).compactMap { field in
            guard let text = read.text(field), let canonical = canonical(text, member.name, field) else { return nil }
            if let axisText = known[canonical], axisText != text {
                read.fail(field, "the axis has this value as '\(Names.shown(axisText))'; write it so")
                return nil
            }
            if isExclude, known[canonical] == nil {
                let texts = known.keys.sorted().compactMap { known[$0] }
                read.fail(field, "the axis has no value '\(Names.shown(text))'; \(Names.suggestion(text, in: texts))")
                return nil
            }
            return Assignment(axis: member.name, value: text)
        }
    }

    private func checkCount(_ sweep: Sweep, at field: Field?) {
        let lengths =
            [max(1, sweep.workloads.count), sweep.measure.ages.count, sweep.measure.repeats]
            + sweep.axes.map(\.values.count) + sweep.zips.map { $0[0].values.count }
        let count = lengths.reduce(1) { $0.multipliedCapped($1) }
        guard count > Points.limit, let field else { return }
        let number = count == .max ? "" : " (\(count))"
        read.problems.add(
            field.keyMark, key: field.path,
            "more than \(Points.limit) runs\(number); split the sweep into several, or leave values out")
    }

    private func checkIncluded(_ sweep: Sweep) {
        var seen: Set<[String]> = []
        for (entry, field) in Swift.zip(sweep.include, includeFields) {
            var value: [String: String] = [:]
            for assignment in entry { value[assignment.axis] = assignment.value }
            let isNew = seen.insert(names.compactMap { value[$0] }).inserted
            let isOnGrid =
                sweep.axes.allSatisfy { axis in value[axis.name].map(axis.values.contains) ?? false }
                && sweep.zips.allSatisfy { group in
                    group[0].values.indices.contains { row in group.allSatisfy { value[$0.name] == $0.values[row] } }
                }
            let isExcluded = sweep.exclude.contains { $0.allSatisfy { value[$0.axis] == $0.value } }
            guard !isNew || isOnGrid && !isExcluded else { continue }
            read.fail(field, "this point is \(isNew ? "on the grid" : "included") already; remove the entry")
        }
    }
}
