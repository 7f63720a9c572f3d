import Engines
import Model
import Results

/// Reads which metrics a sweep asks for (`metrics`), and which it makes of others (`define`).
struct MetricsReader {
    private let read: FieldReader
    /// What was asked for, and where.
    private var asked: [(name: String, field: Field)] = []
    private var defined: [(definition: MetricDefinition, counters: [String], field: Field)] = []

    init(read: FieldReader) { self.read = read }

    /// Any text may be one: metrics have the names that programs give.
    mutating func names(_ field: Field) -> [String] {
        var names: [String] = []
        for element in read.list(field) ?? [] {
            guard let name = name(element) else { continue }
            guard !names.contains(name) else {
                read.fail(element, "'\(name)' is a duplicate; remove one")
                continue
            }
            names.append(name)
        }
        return names
    }

    /// One of them; nil: a problem was noted.
    mutating func name(_ field: Field) -> String? {
        guard let name = read.text(field, limit: 200) else { return nil }
        guard !name.isEmpty, !Names.reserved.contains(name) else {
            read.fail(field, "'\(name)' is not a metric: the tables have that column themselves; write another")
            return nil
        }
        asked.append((name, field))
        return name
    }

    /// `define: {l2.latency: '"system.cpu1.l2cache.overallMissLatency::total" / l2.misses'}`
    mutating func definitions(_ field: Field) -> [MetricDefinition] {
        for member in read.members(field.value, path: field.path) ?? [] {
            guard let text = read.text(member, limit: 4_096) else { continue }
            guard Names.isPlain(member.name), !Names.reserved.contains(member.name) else {
                read.fail(member, "'\(Names.shown(member.name))' is not a name for a metric; \(FieldReader.plainRule)")
                continue
            }
            do {
                let counters = try MetricExpression(text).counters
                defined.append((MetricDefinition(name: member.name, expression: text), counters, member))
            } catch { read.fail(member, error) }
        }
        return defined.map(\.definition)
    }

    private static func none(_ engine: any EngineDescriptor) -> String { "engine '\(engine.name)' has none" }

    /// What can be said of metrics where the engine and its settings are known.
    func check(_ engine: any EngineDescriptor, _ settings: JSON) {
        let known = engine.metrics(settings)?.map(\.name)
        let names = defined.map(\.definition.name)
        func check(_ name: String, _ field: Field, _ known: [String]) {
            guard !known.contains(name), !MetricExpression.isPattern(name) else { return }
            let hint = Names.suggestion(name, in: known, listedBy: "usweep metrics --engine \(engine.name)")
            read.fail(field, "engine '\(engine.name)' has no metric '\(Names.shown(name))'; \(hint)")
        }
        if let known {
            for (name, field) in asked {
                if engine.statistics == nil, MetricExpression.isPattern(name) {
                    read.fail(field, "\(Names.shown(name)) names raw statistics, and \(MetricsReader.none(engine))")
                } else {
                    check(name, field, known + names)
                }
            }
        }
        for (index, (definition, counters, field)) in defined.enumerated() {
            if engine.statistics == nil, let pattern = counters.first(where: MetricExpression.isPattern) {
                read.fail(field, "\(pattern) names raw statistics, and \(MetricsReader.none(engine))")
            }
            for name in counters {
                if names[index...].contains(name) {
                    let isItself = name == definition.name
                    let advice = isItself ? "is what it defines; use other metrics" : "is defined below it"
                    read.fail(field, "uses '\(name)', which \(advice); a definition uses metrics and those above it")
                } else if let known {
                    check(name, field, known + names[..<index])
                }
            }
        }
    }
}
