import Model

/// Arguments with places for values.
enum Template {
    /// Replaces `{axis}` for given names in one pass, so that a value with braces is never looked at again; all other
    /// braces stay.
    static func fill(_ argument: String, _ assignments: [Assignment]) -> String {
        var out = ""
        var rest = argument[...]
        while let open = rest.firstIndex(of: "{") {
            out += rest[..<open]
            rest = rest[open...]
            if let close = rest.firstIndex(of: "}"),
                let match = assignments.first(where: { $0.axis == rest[rest.index(after: open)..<close] })
            {
                out += match.value
                rest = rest[rest.index(after: close)...]
            } else {
                out += "{"
                rest = rest.dropFirst()
            }
        }
        return out + rest
    }
}
