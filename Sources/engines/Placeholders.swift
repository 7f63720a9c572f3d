import Model

/// Names in braces, as `{l2.size}`, that are replaced by values in a text of a sweep file.
///
/// What stands in braces is a placeholder only if it could be the name of an axis: braces of JSON, of shells (`${X}`,
/// `{1..3}`, `{a,b}`) and of Python's formats stay as they are. `{{x}}` stands for the text `{x}`.
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
    package static let ofRun = Placeholders(["workload", "repeat", "point"], hasAxes: true)

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
    package func problem(_ text: String, axes: [String]) -> String? {
        if self == .none { return nil }
        let known = names + (hasAxes ? axes : [])
        for case .name(let name) in Placeholders.parts(text) where !known.contains(name) {
            let literally = "or {{\(name)}} for the braces themselves"
            if axes.contains(name) {
                return "{\(name)} is an axis, and this is the same for all points; leave it out, \(literally)"
            }
            return "nothing is called {\(name)} here; \(Names.suggestion(name, in: known)), \(literally)"
        }
        return nil
    }

    /// The text with values in place of names; what has none stays, in its braces. A value with braces is never looked
    /// at again.
    static func fill(_ text: String, _ values: [Assignment]) -> String {
        parts(text).map { part in
            switch part {
            case .text(let text): text
            case .name(let name): values.first { $0.axis == name }?.value ?? "{\(name)}"
            }
        }.joined()
    }

    /// What ``ofRun`` stands for in an evaluation. An axis goes before anything else of its name.
    static func values(_ points: Points, _ point: Int, repetition: Int) -> [Assignment] {
        points.assignments(point) + [
            Assignment(axis: "workload", value: points.workload(point) ?? ""),
            Assignment(axis: "repeat", value: String(repetition)),
            Assignment(axis: "point", value: points.digest(point).hex),
        ]
    }
}
