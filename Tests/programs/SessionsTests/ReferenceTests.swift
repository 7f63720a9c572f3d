import Engines
import Foundation
import Model
import Results
import Sessions
import Testing

/// The page `Reference` is what the descriptors say. To write it anew: USWEEP_WRITE_MANUAL=1 swift test --filter
/// ReferenceTests
@Suite("What a sweep can name")
struct ReferenceTests {
    private static let page = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../../Sources/programs/usweep/Documentation.docc/Reference.md").standardized
    private static let mark = "<!-- Made from the engines' descriptors. -->\n"

    @Test("The manual's tables are those of the descriptors")
    func manual() throws {
        let text = try String(contentsOf: Self.page, encoding: .utf8)
        let start = try #require(text.range(of: Self.mark))
        let tables = EngineRegistry.all.map { Self.chapter($0) }.joined(separator: "\n")
        if ProcessInfo.processInfo.environment["USWEEP_WRITE_MANUAL"] == "1" {
            try (text[..<start.upperBound] + "\n" + tables).write(to: Self.page, atomically: true, encoding: .utf8)
        }
        let found = text[start.upperBound...].split(separator: "\n")
        let wanted = tables.split(separator: "\n")
        #expect(found.count == wanted.count, "write it anew: USWEEP_WRITE_MANUAL=1 swift test --filter ReferenceTests")
        for (found, wanted) in zip(found, wanted) where found != wanted {
            Issue.record("Reference.md has '\(found)' in place of '\(wanted)'")
        }
    }

    /// A chapter of the page.
    private static func chapter(_ engine: any EngineDescriptor) -> String {
        var lines = ["## Engine `\(engine.name)`", "", "It is \(engine.meaning).", "", "### Keys of a sweep", ""]
        lines += table(
            ["key", "value", "default", "meaning"],
            engine.keys.flatMap { rows($0) })
        lines += ["", "### Axes", ""]
        lines += axes(engine)
        lines += ["", "### Metrics", ""]
        let metrics = engine.metrics(.object([]))?.map { metric in
            ["`\(metric.name)`", metric.unit, metric.formula.map { "`\($0)`" } ?? "", metric.meaning]
        }
        lines += metrics.map { table(["metric", "unit", "formula", "meaning"], $0) }
            ?? ["Every number that the program leaves is a metric."]
        if let untold = engine.untold { lines += ["", untold] }
        return lines.joined(separator: "\n") + "\n"
    }

    /// A key, and those within it.
    private static func rows(_ key: EngineKey, in path: String = "") -> [[String]] {
        let standard = key.standard.map { "`\($0)`" } ?? (key.isRequired ? "required" : "")
        let path = path + key.name
        let inner = key.shape.alternatives.flatMap { shape in
            if case .mapping(let keys) = shape { keys } else { [EngineKey]() }
        }
        return [["`\(path)`", key.shape.text, standard, key.meaning]] + inner.flatMap { rows($0, in: path + ".") }
    }

    private static func axes(_ engine: any EngineDescriptor) -> [String] {
        let systems = engine.systems
        let settings = systems.isEmpty
            ? [JSON.object([])] : systems.map { JSON.object([JSON.Member("system", .string($0))]) }
        let parameters = settings.map(engine.parameters)
        let rows = parameters[0].known.map { parameter in
            let standards = parameters.map { $0[parameter.name]?.standard.map { "`\($0)`" } ?? "" }
            return ["`\(parameter.name)`", parameter.unit] + standards + [parameter.values, parameter.meaning]
        }
        let columns = systems.isEmpty ? ["default"] : systems.map { "`\($0)`" }
        var lines = rows.isEmpty ? [] : table(["axis", "unit"] + columns + ["values", "meaning"], rows)
        if let others = parameters[0].others {
            lines += (rows.isEmpty ? [] : [""]) + ["An axis can\(rows.isEmpty ? "" : " also") have \(others)."]
        }
        return lines
    }

    private static func table(_ columns: [String], _ rows: [[String]]) -> [String] {
        guard !rows.isEmpty else { return ["None."] }
        return ([columns, columns.map { _ in "---" }] + rows).map { cells in
            "| " + cells.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ") + " |"
        }
    }

    // MARK: The commands

    @Test("Axes are those of the engine and the system that are named")
    func axes() throws {
        let skylake = try #require(try EngineReference.find(engine: "gem5", system: "skylake").first)
        let size = skylake.axisRows.first { $0[1].text == "l2.size" }
        let wanted = ["gem5", "l2.size", "bytes", "1MiB", "a size, as in 256KiB", "size of the second-level cache"]
        #expect(size?.map(\.text) == wanted)
        #expect(skylake.axisRows.last?[1] == .text("*"))
        #expect(try EngineReference.find(engine: nil).map(\.descriptor.name) == EngineRegistry.names)
        #expect(try EngineReference.find(engine: nil, system: "simple").map(\.descriptor.name) == ["gem5"])
        // Where these are no axes, keys of `measure` say what holds.
        let without = try EngineReference.find(engine: "qemu")[0].axisRows.filter { $0[3] == .empty }.map { $0[1].text }
        #expect(without == ["interleave.stress", "arrivals.every", "arrivals.mean"])
    }

    @Test("Metrics are those that a run gives; of a program, every number")
    func metrics() throws {
        let gem5 = try EngineReference.find(engine: "gem5")[0].metricRows
        #expect(gem5.contains { $0.map(\.text).prefix(4) == ["gem5", "cpi", "cycles", "cycles / instructions"] })
        #expect(try EngineReference.find(engine: "command")[0].metricRows.map { $0[1].text } == ["*"])
    }

    @Test(
        "A name that there is not is refused, with the nearest",
        arguments: [
            ("gem", nil, "there is no engine 'gem'; did you mean 'gem5'?"),
            ("gem5", "skylak", "engine 'gem5' has no system 'skylak'; did you mean 'skylake'?"),
            ("qemu", "simple", "engine 'qemu' has no system 'simple'; leave out --system"),
            (nil, "simpel", "there is no system 'simpel'; did you mean 'simple'?"),
        ] as [(String?, String?, String)])
    func unknown(engine: String?, system: String?, text: String) {
        #expect(throws: Failure(.usage, text)) { try EngineReference.find(engine: engine, system: system) }
    }
}
