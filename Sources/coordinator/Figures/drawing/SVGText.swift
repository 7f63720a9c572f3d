internal import Model

/// Writes SVG 1.1, an element at a time. Whatever text it is given, it is text and never markup.
struct SVGText {
    private(set) var text = ""

    /// A name and a value that needs no escape, or is escaped already.
    typealias Attributes = String

    /// With the line feed: an element a line.
    mutating func element(_ name: String, _ attributes: Attributes) { text += "<\(name) \(attributes)/>\n" }

    mutating func open(_ name: String, _ attributes: Attributes = "") {
        text += attributes.isEmpty ? "<\(name)>\n" : "<\(name) \(attributes)>\n"
    }

    mutating func close(_ name: String) { text += "</\(name)>\n" }

    /// An element that holds text only.
    mutating func leaf(_ name: String, _ attributes: Attributes = "", _ content: String) {
        text += "<\(name)\(attributes.isEmpty ? "" : " ")\(attributes)>\(SVGText.escaped(content))</\(name)>\n"
    }

    /// An element that says what it is where one points at it.
    mutating func element(_ name: String, _ attributes: Attributes, tip: String?) {
        guard let tip else { return element(name, attributes) }
        text += "<\(name) \(attributes)><title>\(SVGText.escaped(tip))</title></\(name)>\n"
    }

    /// As the content of an element or the value of an attribute. Characters that turn the direction of writing, or
    /// that XML does not have, are shown as escapes.
    static func escaped(_ text: String) -> String {
        var out = ""
        for scalar in VisibleText.of(text).unicodeScalars {
            switch scalar {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\"": out += "&quot;"
            case "'": out += "&#39;"
            case "\u{fffe}", "\u{ffff}": out += "\u{fffd}"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }

    /// A coordinate in points, to the hundredth.
    static func number(_ value: Double) -> String {
        guard value.isFinite, value.magnitude < 1e9 else { return "0" }
        let hundredths = Int((value * 100).rounded())
        let (whole, rest) = hundredths.magnitude.quotientAndRemainder(dividingBy: 100)
        let sign = hundredths < 0 ? "-" : ""
        if rest == 0 { return "\(sign)\(whole)" }
        if rest % 10 == 0 { return "\(sign)\(whole).\(rest / 10)" }
        return "\(sign)\(whole).\(rest < 10 ? "0" : "")\(rest)"
    }

    /// `name="1.5"` for each.
    static func numbers(_ values: KeyValuePairs<String, Double>) -> Attributes {
        values.map { "\($0)=\"\(number($1))\"" }.joined(separator: " ")
    }
}
