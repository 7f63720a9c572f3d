package import Model

/// Names in braces, as `{l2.size}`, that are replaced by values in a text of a sweep file.
///
/// What stands in braces is a placeholder only if it could be the name of an axis: braces of JSON, of shells (`${X}`,
/// `{1..3}`, `{a,b}`) and of Python's formats stay as they are. So does a letter that nothing is called, for programs
/// that are written in a sweep file are full of them (`f"{i}"`). `{{x}}` stands for the text `{x}`.
package struct Placeholders: Sendable, Hashable {
    /// Replaced beside axes.
    package var names: [String]
    /// Whether every axis is replaced, too.
    package var hasAxes: Bool

    package init(_ names: [String], hasAxes: Bool = false) {
        self.names = names
        self.hasAxes = hasAxes
    }

    /// Nothing is replaced, and braces mean nothing.
    package static let none = Placeholders([])
    /// What every text of a run can name: its axes, and what it is.
    package static let ofRun = Placeholders(["workload", "repeat", "run", "point", "attempt"], hasAxes: true)
    /// What a text of a setup can: it is of no point.
    package static let ofSetup = Placeholders(["workload", "run", "attempt"])
    /// What a path of an input can: what is the same for all runs of a point.
    package static let ofInput = Placeholders(["workload"], hasAxes: true)

    package static func + (left: Placeholders, right: [String]) -> Placeholders {
        Placeholders(left.names + right, hasAxes: left.hasAxes)
    }

    // MARK: Parts of a text

    package enum Part: Sendable, Hashable {
        case text(String)
        case name(String)
    }

    package static func parts(_ text: String) -> [Part] {
        var parts: [Part] = []
        var plain = ""
        var rest = text[...]
        while let open = rest.firstIndex(of: "{") {
            plain += rest[..<open]
            let isShell = plain.last == "$"
            rest = rest[open...]
            if let name = name(rest.dropFirst()), !isShell {
                if !plain.isEmpty { parts.append(.text(plain)) }
                plain = ""
                parts.append(.name(name))
                rest = rest.dropFirst(name.count + 2)
            } else if rest.hasPrefix("{{"), let name = name(rest.dropFirst(2)),
                rest.dropFirst(name.count + 3).first == "}"
            {
                plain += "{\(name)}"
                rest = rest.dropFirst(name.count + 4)
            } else {
                plain += "{"
                rest = rest.dropFirst()
            }
        }
        plain += rest
        if !plain.isEmpty { parts.append(.text(plain)) }
        return parts
    }

    /// The name at the start of a text, with the brace that closes it.
    private static func name(_ text: Substring) -> String? {
        guard let close = text.firstIndex(of: "}") else { return nil }
        let name = String(text[..<close])
        return Names.isAxis(name) ? name : nil
    }

    // MARK: Checking and replacing

    /// What is wrong with a text, for the message about its key; nil: all names in it are known.
    package func problem(_ text: String, _ sweep: Sweep) -> String? {
        if self == .none { return nil }
        let axes = sweep.allAxes.map(\.name)
        let known = (names + (hasAxes ? axes : [])).filter { $0 != "workload" || !sweep.workloads.isEmpty }
        for name in Placeholders.names(text) where !known.contains(name) {
            let literally = "or {{\(name)}} for the braces themselves"
            if name == "workload", names.contains(name) {
                return "{workload} has no value, since the sweep names no workloads; write 'workloads', \(literally)"
            }
            if axes.contains(name) {
                return "{\(name)} is an axis, and this is the same for all points; leave it out, \(literally)"
            }
            if Placeholders.ofRun.names.contains(name) {
                let others = known.isEmpty ? "" : ", where \(Names.list(known.map { "{\($0)}" })) can"
                return "{\(name)} cannot be used here\(others); leave it out, \(literally)"
            }
            if name.count == 1 { continue }
            let there = Names.nearest(to: name, in: known).map { "write {\($0)}" }
                ?? (known.isEmpty ? "leave it out" : "there are \(Names.list(known.prefix(40).map { "{\($0)}" }))")
            return "nothing is called {\(name)} here; \(there), \(literally)"
        }
        return nil
    }

    /// The names in a text, each once.
    package static func names(_ text: String) -> [String] {
        parts(text).reduce(into: []) { names, part in
            if case .name(let name) = part, !names.contains(name) { names.append(name) }
        }
    }

    /// The text with values in place of names; what has none stays, in its braces. A value with braces is never looked
    /// at again.
    package static func fill(_ text: String, _ values: [Assignment]) -> String {
        parts(text).map { part in
            switch part {
            case .text(let text): text
            case .name(let name): values.first { $0.axis == name }?.value ?? "{\(name)}"
            }
        }.joined()
    }

    /// The same in the pieces that an attempt puts together: only it knows its numbers.
    static func pieces(_ text: String, _ values: [Assignment]) -> [Job.Piece] {
        var pieces: [Job.Piece] = []
        var plain = ""
        for part in parts(text) {
            switch part {
            case .text(let text): plain += text
            case .name("run"), .name("attempt"):
                if !plain.isEmpty { pieces.append(.text(plain)) }
                plain = ""
                pieces.append(part == .name("run") ? .run : .attempt)
            case .name(let name): plain += values.first { $0.axis == name }?.value ?? "{\(name)}"
            }
        }
        return plain.isEmpty && !pieces.isEmpty ? pieces : pieces + [.text(plain)]
    }

    static func argument(_ text: String, _ values: [Assignment]) -> Job.Argument {
        let pieces = pieces(text, values)
        return if pieces.count == 1, case .text(let text) = pieces[0] { .text(text) } else { .joined(pieces) }
    }

    /// What the names of ``ofRun`` and ``ofSetup`` stand for in a run, but for its numbers.
    static func values(_ task: EngineTask, _ points: Points) -> [Assignment] {
        if case .boot = task { return [] }
        let workload = Assignment(axis: "workload", value: task.workload(points) ?? "")
        guard case .evaluation(let point, let repetition) = task else { return [workload] }
        return points.parameters(point) + [
            workload, Assignment(axis: "repeat", value: String(repetition)),
            Assignment(axis: "point", value: points.digest(point).hex),
        ]
    }
}
